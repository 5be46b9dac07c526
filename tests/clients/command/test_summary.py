"""The sentences and the table rows of a report."""

from fractions import Fraction

from tests.support.split_reports import build_report
from twofold_command.summary import (
    build_total_row,
    build_unlabelled_row,
    rank_labels,
    render_cells,
    summarize_report,
)


def test_sizes_and_deviations_are_exact() -> None:
    size, labels, deviation, *missing = summarize_report(
        build_report({"cat": 12, "dog": 13, "owl": 1})
    )
    assert size == "Test set: 5 of 26 images (19.2 %, the nearest whole number to 20 %)."
    assert labels == "Labels: 3. Largest deviation: cat, 0.4 of 12 images."
    assert deviation == "Total deviation: 1 image, the minimum possible (proof: integrality floor)."
    assert missing == ["Labels with too few images for the test set: owl."]


def test_a_lower_bound_is_shown_where_the_optimum_is_not_proven() -> None:
    report = build_report({"cat": 12})
    report["certificate"] |= {"optimal": False, "lowerBound": "1/5", "proof": "work limit"}
    report["certificate"]["dualBound"]["bound"] = "1/5"
    assert (
        "lower bound: 0.2 images (not proven minimal: work limit)."
        in list(summarize_report(report))[2]
    )


def test_the_bound_that_verify_can_check_is_shown_where_the_solver_claims_more() -> None:
    report = build_report({"cat": 12})
    report["certificate"] |= {"deviation": "9", "lowerBound": "9", "proof": "MILP optimum"}
    expected = "9 images, the minimum possible (proof: MILP optimum; checkable lower bound: {})."
    assert list(summarize_report(report))[2] == f"Total deviation: {expected.format('0.4 images')}"
    del report["certificate"]["dualBound"]
    assert list(summarize_report(report))[2].endswith("(proof: MILP optimum).")


def test_a_total_that_whole_groups_cannot_reach_is_explained() -> None:
    report = build_report({"cat": 40, "dog": 60})
    report["certificate"] |= {"testEntriesReached": 22}
    size = next(summarize_report(report))
    assert (
        size == "Test set: 22 of 100 images (22 %; 20 requested, whole groups do not add up to it)."
    )


def test_rejected_lines_are_counted_by_code_and_the_first_are_listed() -> None:
    code = "ERROR_INVALID_JSON_LINE"
    lines = [{"line": number, "reason": code, "detail": "a\tb"} for number in range(3, 15)]
    report = build_report({"cat": 20}) | {"dropped": {"lines": 12, "reasons": lines}}
    *_, summary = [line for line in summarize_report(report) if line.startswith("Skipped")]
    assert (
        summary == f"Skipped 12 invalid lines: 12 \N{MULTIPLICATION SIGN} {code} (first: line 3)."
    )
    shown = list(summarize_report(report))[-11:]
    assert shown[0] == f"  line 3: {code} a\\tb"
    assert shown[-1] == "  and 2 more; report.json lists them."
    report["dropped"] = {"lines": 1, "reasons": lines[:1]}
    assert list(summarize_report(report))[-2].startswith("Skipped 1 invalid line: ")
    report["dropped"] = {"lines": 0, "reasons": []}
    assert not any("Skipped" in line for line in summarize_report(report))


def test_kept_errors_are_counted_by_code() -> None:
    report = build_report({"cat": 20})
    errors = [{"code": "ERROR_INVALID_BOUNDING_BOX", "entries": 3, "firstLine": 7}]
    report["source"] = {"errorEntries": 3, "errors": errors}
    assert list(summarize_report(report))[-1] == (
        "Kept 3 images with label errors: 3 \N{MULTIPLICATION SIGN} ERROR_INVALID_BOUNDING_BOX (first: line 7)."
    )


def test_rows_are_ranked_by_deviation() -> None:
    report = build_report({"cat": 10, "dog": 12, "owl": 13})
    assert [render_cells(row) for row in rank_labels(report)] == [
        ("owl", "13", "10", "3", "23.1 %", "+0.4"),
        ("dog", "12", "10", "2", "16.7 %", "-0.4"),
        ("cat", "10", "8", "2", "20.0 %", "0"),
    ]
    assert render_cells(build_total_row(report)) == ("All images", "35", "28", "7", "20.0 %", "0")
    assert build_unlabelled_row(report) is None
    report["unlabelled"] = {"before": 5, "test": 1}
    row = build_unlabelled_row(report)
    assert row is not None
    assert row.deviation == Fraction(0)
    assert render_cells(row) == ("(no label)", "5", "4", "1", "20.0 %", "0")
