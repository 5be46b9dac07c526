"""Splits and reports made to deceive `twofold verify` or to exhaust its time and memory."""

import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from fractions import Fraction
from itertools import product
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.clients.command.terminal import make_labelled_lines, run_twofold, write_manifest
from tests.clients.verify.test_mutations import rewrite_split
from tests.support.job import make_line
from tests.support.manifest_lines import lines as any_lines
from twofold.manifest.line.document import parse_line, parse_object
from twofold.manifest.line.errors import Rejection
from twofold_verify.expressions import ExpressionError, format_member_key, make_group_key
from twofold_verify.files import MAX_REPORT_BYTES
from twofold_verify.lines import LineError, read_entry
from twofold_verify.strict_json import JsonError, parse_json
from twofold_verify.swaps import Signature, search_improvement

Report = dict[str, Any]


def make_split(folder: Path, lines: list[str], *options: str) -> Path:
    assert run_twofold("split", write_manifest(folder, lines), "-o", folder / "out", *options) == 0
    return folder / "out"


def read_failures(
    folder: Path, capsys: pytest.CaptureFixture[str], *options: object
) -> dict[str, str]:
    """Returns the findings of the failed checks by name."""
    capsys.readouterr()
    code = run_twofold("verify", folder, "--json", *options)
    shown = capsys.readouterr()
    assert shown.err == ""
    answer = json.loads(shown.out)
    assert code == 1 - answer["verified"]
    return {check["name"]: check["finding"] for check in answer["checks"] if not check["passed"]}


def rewrite_report(folder: Path, lie: Callable[[Report], None]) -> None:
    report = json.loads((folder / "report.json").read_bytes())
    lie(report)
    (folder / "report.json").write_text(json.dumps(report))


def make_test_set_of_one_label(tmp_path: Path, certificate: Report) -> Path:
    """The test set has all ten images of one of three labels, and the report matches the manifests otherwise."""
    images = [make_line(i, "abc"[i % 3]) for i in range(30)]
    out = make_split(tmp_path, images, "--test-fraction", "1/3")
    wrong = [each for each in images if '"a"' in each]
    rewrite_split(out, [each for each in images if each not in wrong], wrong)

    def falsify(report: Report) -> None:
        for row, (test, off) in zip(
            report["labels"], ((10, "20/3"), (0, "10/3"), (0, "10/3")), strict=True
        ):
            row |= {"train": 10 - test, "test": test, "share": test / 10, "deviation": off}
        report["labelsMissingInTrain"], report["labelsMissingInTest"] = ["a"], ["b", "c"]
        report["certificate"] |= {"deviation": "40/3"} | certificate

    rewrite_report(out, falsify)
    return out


def test_a_test_set_of_one_label_is_not_an_optimum(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    proof = {"lowerBound": "40/3", "gap": "0", "optimal": True, "proof": "MILP optimum"}
    failed = read_failures(make_test_set_of_one_label(tmp_path, proof), capsys)
    assert "one swap of test entries or groups reduce" in failed["optimum"]
    assert "labels" not in failed


UNPROVEN = {"lowerBound": "4/3", "gap": "12", "optimal": False}


def test_a_small_programme_is_not_too_large(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    proof = UNPROVEN | {"proof": "too large for a MILP"}
    failed = read_failures(make_test_set_of_one_label(tmp_path, proof), capsys)
    assert "the programme has 3 values only" in failed["optimum"]


def test_swaps_that_improve_an_unproven_split_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = make_test_set_of_one_label(tmp_path, UNPROVEN | {"proof": "node limit"})
    assert "optimum" not in read_failures(out, capsys)
    run_twofold("verify", out, "--json")
    answer = json.loads(capsys.readouterr().out)
    findings = {check["name"]: check["finding"] for check in answer["checks"]}
    assert "swaps of test entries or groups reduce it to 4/3" in findings["optimum"]
    assert any("certificate.deviation" in sentence for sentence in answer["notChecked"])


def test_a_bound_that_many_swaps_refute_is_refused() -> None:
    kinds: list[Signature] = [(1, ((label, 1),)) for label in "abc"]
    train, test = Counter({kinds[1]: 10, kinds[2]: 10}), Counter({kinds[0]: 10})
    for bound in (Fraction(40, 3), Fraction(5, 1), Fraction(5, 3)):
        found = search_improvement(train, test, Fraction(1, 3), bound)
        assert found.finished
        assert found.deviation < bound
    assert search_improvement(train, test, Fraction(1, 3), Fraction(1)).deviation == Fraction(4, 3)


def test_a_bound_on_groups_that_one_swap_refutes_is_refused() -> None:
    large: Signature = (3, (("a", 3),))
    small: Signature = (2, (("a", 2),))
    other: Signature = (3, (("b", 3),))
    train, test = Counter({large: 2, small: 1}), Counter({other: 1})
    found = search_improvement(train, test, Fraction(1, 3), Fraction(14, 3))
    assert (found.swaps, found.deviation) == (1, Fraction(4, 3))
    train, test = Counter({other: 2, small: 1}), Counter({large: 1})
    assert search_improvement(train, test, Fraction(1, 3), Fraction(2)).swaps == 1


@given(
    st.lists(
        st.tuples(st.integers(1, 2), st.lists(st.integers(0, 2), min_size=3, max_size=3)),
        min_size=2,
        max_size=7,
    ),
    st.data(),
)
def test_a_swap_that_helps_is_found(
    units: list[tuple[int, list[int]]], data: st.DataObject
) -> None:
    """The search finds a swap exactly if one of all swaps of two units of equal size helps."""
    fraction = data.draw(st.sampled_from([Fraction(1, 5), Fraction(1, 3), Fraction(7, 10)]))
    tested = data.draw(st.lists(st.booleans(), min_size=len(units), max_size=len(units)))
    totals = [sum(counts[label] for _, counts in units) for label in range(3)]

    def compute_deviation(test: list[bool]) -> Fraction:
        sums = [
            sum(counts[label] for (_, counts), side in zip(units, test, strict=True) if side)
            for label in range(3)
        ]
        return sum(
            (abs(n - fraction * of) for n, of in zip(sums, totals, strict=True)), Fraction(0)
        )

    swapped = [
        [side ^ (k in (i, j)) for k, side in enumerate(tested)]
        for i, j in product(range(len(units)), repeat=2)
        if tested[i] and not tested[j] and units[i][0] == units[j][0]
    ]
    sides: tuple[Counter[Any], Counter[Any]] = (Counter(), Counter())
    for (size, counts), side in zip(units, tested, strict=True):
        sides[side][size, tuple((str(k), n) for k, n in enumerate(counts) if n)] += 1
    found = search_improvement(sides[0], sides[1], fraction, compute_deviation(tested))
    assert (found.swaps > 0) is any(
        compute_deviation(test) < compute_deviation(tested) for test in swapped
    )
    assert found.finished


def test_a_search_for_swaps_ends_at_its_limit() -> None:
    random = Random(3)
    kinds: list[Signature] = [
        (1, tuple((str(label), 1) for label in sorted(random.sample(range(60), 8))))
        for _ in range(900)
    ]
    found = search_improvement(
        Counter(kinds[:600]), Counter(kinds[600:]), Fraction(1, 3), Fraction(0), max_steps=50_000
    )
    assert not found.finished


def get_first_row(report: Report) -> Report:
    row: Report = report["labels"][0]
    return row


def write_negative_zeros(rows: list[Report]) -> None:
    """Writes the shares of 0.0 in these rows as -0.0."""
    shares = [row for row in rows if row["share"] == 0]
    assert shares
    for row in shares:
        row["share"] = -0.0


@pytest.mark.parametrize(
    ("lie", "check"),
    [
        (lambda report: get_first_row(report).update(share=0.19), "labels"),
        (lambda report: report["unlabelled"].update(share=-0.0), "labels"),
        (
            lambda report: report["labels"].append(dict(get_first_row(report), label="zebra")),
            "labels",
        ),
        (lambda report: report["labels"].append(get_first_row(report)), "labels"),
        (lambda report: report["coOccurrence"]["mostFrequent"][0].update(before=99), "pairs"),
        (
            lambda report: report["coOccurrence"]["furthest"][0].update(labels=["a", "zebra"]),
            "pairs",
        ),
        (lambda report: report["coOccurrence"]["matrix"]["images"][0].__setitem__(1, 7), "pairs"),
        (lambda report: report["coOccurrence"].update(pairs=1), "pairs"),
        (lambda report: write_negative_zeros(report["labels"]), "labels"),
        (lambda report: write_negative_zeros(report["coOccurrence"]["mostFrequent"]), "pairs"),
        (lambda report: write_negative_zeros(report["coOccurrence"]["furthest"]), "pairs"),
        (lambda report: report.update(rareLabels=["a"]), "labels"),
        (lambda report: report["warnings"].clear(), "warnings"),
        (lambda report: report["parameters"].update(testFraction="1e99999999"), "files"),
        (lambda report: report["parameters"].update(testFraction="1/0"), "files"),
        (lambda report: report["parameters"].update(testFraction="2/10"), "files"),
        (lambda report: report["parameters"].update(testFraction="0"), "files"),
        (lambda report: report["parameters"].update(testFraction="1/1000001"), "files"),
        (lambda report: report["parameters"].update(testFraction="9" * 5_000), "files"),
        (lambda report: report["parameters"].update(seed=10**400), "files"),
        (lambda report: report["parameters"].update(seed=True), "files"),
        (lambda report: report["certificate"].update(lowerBound="1e99999999"), "files"),
        (lambda report: report["certificate"].update(lowerBound="1/0"), "files"),
        (lambda report: report["certificate"].update(lowerBound="1/7"), "optimum"),
        (lambda report: report["certificate"].update(algorithmVersion=99), "count"),
        (lambda report: report["labels"].append({}), "files"),
        (lambda report: report.update(dryRun=True), "files"),
        (lambda report: report.update(extra={}), "files"),
        (lambda report: report["parameters"].update(groupBy="(" + "a" * 1_000 + ")"), "files"),
        (lambda report: report["parameters"].update(groupBy="("), "files"),
        (lambda report: report["parameters"].update(groupBy="(a)(b)"), "files"),
        (lambda report: report["parameters"].update(groupBy="a" * 70_000), "files"),
        (lambda report: report["parameters"].update(groupBy="patient"), "groups"),
    ],
)
def test_a_false_report_is_refused(
    lie: Callable[[Report], None],
    check: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    lines = [*make_labelled_lines(60), make_line("one-pair", "rare", "seldom")]
    out = make_split(tmp_path, lines)
    assert read_failures(out, capsys) == {}
    rewrite_report(out, lie)
    assert check in read_failures(out, capsys)


def test_the_balance_of_boxes_is_listed_as_unchecked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = make_split(tmp_path, make_labelled_lines(60))
    rewrite_report(out, lambda report: report["parameters"].update(objective="labels-and-boxes"))
    assert run_twofold("verify", out) == 0
    assert "parameters.objective: whether exchanges" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"a":"\\ud800"}', "half a surrogate pair"),
        ('{"\\udfff":1}', "half a surrogate pair"),
        ("[" * 100_000, "nested too deeply"),
        ("[" * 300 + "]" * 300, "nested deeper than 254 levels"),
        ('{"a":1,"a":1}', "has the key 'a' twice"),
        ('{"a":NaN}', "has NaN"),
        ('{"a":-Infinity}', "has -Infinity"),
        ('{"a":1e999}', "which no double can hold"),
        ('{"a":' + "9" * 100_000 + "}", "which no double can hold"),
        (b'{"a":"\xff"}', "not valid UTF-8 at byte 7"),
        (b"\xff\xfe{\x00}\x00", "not valid UTF-8 at byte 1"),
        ("\ufeff{}", "not valid JSON"),
        ("", "not valid JSON"),
        ("{" + ",".join(f'"k{i}":1' for i in range(50_000)) + ',"k7":1}', "has the key 'k7' twice"),
    ],
    ids=lambda value: repr(value[:20]),
)
def test_a_report_that_is_not_strict_json_gives_a_one_line_finding(
    text: str | bytes, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "report.json").write_bytes(text if isinstance(text, bytes) else text.encode())
    finding = read_failures(tmp_path, capsys)["files"]
    assert said in finding
    assert "\n" not in finding
    assert len(finding) < 500


def test_of_many_lines_that_are_dropped_the_first_are_named_and_all_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = make_split(tmp_path, [make_line(i, "ab"[i % 2]) for i in range(60)])
    for name, added in (("train", 8), ("test", 6)):
        with (out / f"{name}.manifest").open("a") as manifest:
            manifest.write("{}\n" * added)
    finding = read_failures(out, capsys)["lines"]
    assert finding.count("ERROR_MISSING_SOURCE_REF") == 10
    assert "train.manifest line 49: ERROR_MISSING_SOURCE_REF" in finding
    assert finding.endswith("; and 4 more lines that Twofold rejects.")


@pytest.mark.parametrize("name", ["report.json", "train.manifest", "test.manifest"])
def test_a_pipe_or_a_folder_is_refused_without_blocking(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = make_split(tmp_path, make_labelled_lines(60))
    (out / name).unlink()
    os.mkfifo(out / name)
    assert "is not a regular file" in read_failures(out, capsys)["files"]
    (out / name).unlink()
    (out / name).mkdir()
    assert "is not a regular file" in read_failures(out, capsys)["files"]


@pytest.mark.skipif(sys.platform != "linux", reason="needs a limit on memory")
@pytest.mark.parametrize("module", ["twofold_verify", "twofold_command verify"])
def test_a_small_split_is_verified_in_little_memory(tmp_path: Path, module: str) -> None:
    """The limit on the size of a report is no allocation."""
    out = make_split(tmp_path, make_labelled_lines(60))
    command = f'ulimit -v 400000; exec "{sys.executable}" -m {module} "{out}"'
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_report_beyond_the_limit_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = make_split(tmp_path, make_labelled_lines(60))
    with (out / "report.json").open("ab") as file:
        file.truncate(MAX_REPORT_BYTES + 1)
    assert "has more than 536,870,912 bytes" in read_failures(out, capsys)["files"]
    for command in (["report", out], ["split", tmp_path / "all.manifest", "-o", tmp_path / "x"]):
        previous = ["--previous", out] if command[0] == "split" else []
        assert run_twofold(*command, *previous) == 1
        assert "report" in capsys.readouterr().err


def test_an_exponential_expression_ends_in_time(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("twofold_verify.expressions.BUDGET_SECONDS", 0.5)
    out = make_split(tmp_path, [make_line("a" * 60 + str(i), "x", "y") for i in range(20)])
    rewrite_report(out, lambda report: report["parameters"].update(groupBy="((?:a+)+)$"))
    began = time.monotonic()
    assert "takes too long" in read_failures(out, capsys)["files"]
    assert time.monotonic() - began < 30


def test_the_standalone_verifier_prints_to_an_ascii_terminal(tmp_path: Path) -> None:
    out = make_split(tmp_path, make_labelled_lines(60))
    rewrite_report(out, lambda report: get_first_row(report).update(label="größer\u202e"))
    folder = Path(sys.modules["twofold_verify"].__file__ or "").parent.parent
    done = subprocess.run(
        [sys.executable, "-S", "-m", "twofold_verify", out],
        cwd=folder,
        env={"PYTHONIOENCODING": "ascii"},
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (1, b"")
    assert b"the report says gr\\xf6\\xdfer\\u202e," in done.stdout


@given(
    any_lines
    | st.binary(max_size=40)
    | st.text(max_size=40).map(lambda text: text.encode("utf-8", "surrogatepass"))
)
def test_the_verifier_and_the_service_accept_the_same_lines(one: bytes) -> None:
    document = parse_line(one)
    if isinstance(document, Rejection):
        with pytest.raises(LineError) as refused:
            read_entry(one)
        assert str(refused.value.reason) == str(document.reason)
    else:
        assert read_entry(one)[0] == document


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.floats()
    | st.integers()
    | st.text()
    | st.sampled_from(["\ud800", 10**309, 10**20]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3)
    ),
    max_leaves=10,
)


@given(st.dictionaries(st.text(max_size=2), JSON, max_size=3))
def test_json_is_read_as_strictly_as_twofold_reads_it(document: Any) -> None:
    text = json.dumps(document).encode()
    taken = parse_object(text)
    if isinstance(taken, Rejection):
        with pytest.raises(JsonError):
            parse_json(text)
    else:
        assert parse_json(text) == taken


@pytest.mark.parametrize("depth", [252, 253, 254, 255])
def test_the_verifier_and_the_service_have_the_same_nesting_limit(depth: int) -> None:
    one = b'{"a":' + b"[" * depth + b"]" * depth + b"}"
    taken = parse_object(one)
    assert isinstance(taken, Rejection) is (depth >= 254)
    if isinstance(taken, Rejection):
        with pytest.raises(JsonError):
            parse_json(one)
    else:
        assert parse_json(one) == taken


@pytest.mark.parametrize(
    ("number", "group"),
    [
        ("3", "3"),
        ("3.0", "3"),
        ("3e0", "3"),
        ("30e-1", "3"),
        ('"3"', "3"),
        ("-0.0", "0"),
        ("-0", "0"),
        ("-7.0", "-7"),
        ("9007199254740991.0", "9007199254740991"),
        ("9007199254740992.0", None),
        ("1e22", None),
        ("9007199254740993", "9007199254740993"),
        ("18446744073709551616", None),
        ("3.5", None),
        ("true", None),
        ("null", None),
        ('""', None),
        ("[3]", None),
    ],
)
def test_all_spellings_of_an_integer_are_one_group(number: str, group: str | None) -> None:
    assert format_member_key(parse_json(number.encode())) == group
    line_of = parse_json(b'{"source-ref":"s3://b/k","patient":' + number.encode() + b"}")
    assert make_group_key("patient")(line_of) == group


@pytest.mark.parametrize(
    "expression", ["", "a" * 1_001, "(", "(a)(b)", "(?P<x>a", "(a{99999999999999})"]
)
def test_an_expression_that_cannot_be_used_is_named(expression: str) -> None:
    with pytest.raises(ExpressionError):
        make_group_key(expression)
