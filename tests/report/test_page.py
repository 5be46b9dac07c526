"""report.html shows the numbers of the report, escapes all names, and is bounded in size."""

from html.parser import HTMLParser
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.browser.gallery import HOSTILE
from tests.report.sample_reports import build_sample_report
from tests.support.peak_memory import measure_peak
from twofold.report import render_page
from twofold.report.label_rows import MAX_ROWS

TWO_MEGABYTES = 2 << 20


class PageReader(HTMLParser):
    """Parse a page into elements and text, without style and script."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.texts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes.extend(attrs)

    def handle_data(self, data: str) -> None:
        if self.tags[-1:] not in (["style"], ["script"]):
            self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())


def list_tags(labels: tuple[str, ...]) -> list[str]:
    return PageReader(render_page(build_sample_report([[label] for label in labels] * 5))).tags


def test_the_first_screen_says_sizes_proof_and_the_worst_label() -> None:
    entries = [["cat"], ["dog", "cat"], ["dog"]] * 67
    text = PageReader(render_page(build_sample_report(entries))).text
    assert "Train 161 80.1 % Test 40 19.9 %" in text
    assert "Proven best" in text
    assert "Labels on both sides 2 of 2" in text
    assert "Furthest from its share 0.2 images: cat" in text


def test_the_bound_that_can_be_checked_is_shown_with_its_multipliers() -> None:
    report = build_sample_report([["cat"]] * 12 + [["dog"]] * 11)
    text = PageReader(render_page(report)).text
    assert "Proof dual bound Checkable lower bound 0.8 images, by whole images alone" in text
    report["certificate"]["dualBound"]["labels"] = [{"label": "cat", "multiplier": -1}]
    report["certificate"]["dualBound"]["entries"] = 3
    assert "0.8 images, by 2 multipliers" in PageReader(render_page(report)).text
    del report["certificate"]["dualBound"]
    assert "Checkable" not in PageReader(render_page(report)).text


def test_every_label_has_a_row_with_its_numbers() -> None:
    report = build_sample_report([["cat"]] * 50 + [["dog"]] * 31)
    text = PageReader(render_page(report)).text
    for row in report["labels"]:
        assert f"{row['label']} {row['before']} {row['train']} {row['test']} " in text


@given(
    st.tuples(st.text(max_size=60), st.text(max_size=60)).filter(lambda names: names[0] != names[1])
)
def test_no_name_changes_the_elements_of_the_page(names: tuple[str, str]) -> None:
    assert list_tags(names) == list_tags(("a", "b"))


def test_hostile_names_are_shown_as_text() -> None:
    source = {"manifest": HOSTILE[0], "entries": 90, "errorEntries": 0, "digest": HOSTILE[1]}
    report = build_sample_report([[label] for label in HOSTILE] * 10, source=source)
    page = PageReader(render_page(report))
    assert page.tags.count("script") == 1
    assert "img" not in page.tags
    assert not [name for name, _ in page.attributes if name.startswith("on")]
    assert HOSTILE[0] in page.text
    assert r"abc\u202egnp.exe" in page.text
    assert r"tab\there\x00\x1b[31m" in page.text
    assert "\u202e" not in render_page(report)
    assert "\x1b" not in render_page(report)


def test_the_page_makes_no_requests() -> None:
    text = render_page(build_sample_report([["cat"], ["dog"]] * 50))
    page = PageReader(text)
    assert not [value for name, value in page.attributes if name in ("src", "href", "style")]
    assert "url(" not in text
    assert "@import" not in text
    assert "default-src &#x27;none&#x27;" in text


def test_the_same_report_makes_the_same_page() -> None:
    entries = [["cat"], ["dog"], ["cat", "fox"]] * 20
    assert render_page(build_sample_report(entries)) == render_page(build_sample_report(entries))


def build_report_with_labels(labels: int) -> dict[str, Any]:
    """A report with `labels` labels, without a split of that size."""
    report = build_sample_report([["cat"], ["dog"]] * 50)
    rows = [
        {
            "label": f"label-{number:06d}" + "x" * 300,
            "before": 5 + number % 700,
            "train": 4 + number % 700,
            "test": 1,
            "share": 0.1,
            "deviation": "1/5",
        }
        for number in range(labels)
    ]
    return report | {"labels": rows}


def test_a_hundred_thousand_labels_make_a_page_of_bounded_size_in_bounded_memory() -> None:
    text, peak = measure_peak(render_page, build_report_with_labels(100_000))
    assert len(text) < TWO_MEGABYTES
    assert peak < 12 * TWO_MEGABYTES
    assert text.count("<tr>") < MAX_ROWS + 200
    assert "The table has the first 2,000 of 100,000" in text


def test_a_dry_run_says_so_first() -> None:
    report = build_sample_report([["cat"]] * 40, project="birds", dryRun=True)
    del report["datasets"]
    text = PageReader(render_page(report)).text
    assert text.index("birds Dry run: nothing was moved.") < text.index("Train 32")


def test_boxes_and_the_overlap_with_a_previous_split_are_shown() -> None:
    report = build_sample_report([["cat"]] * 40 + [["dog"]] * 40)
    rows = [row | {"boxes": 90, "boxesInTest": 18, "boxDeviation": "0"} for row in report["labels"]]
    overlap = {
        "testEntries": 15,
        "trainEntries": 60,
        "newEntries": 5,
        "leftTest": 1,
        "enteredTest": 0,
    }
    full_report = report | {"labels": rows, "boxDeviation": "3/5", "previous": overlap}
    text = PageReader(render_page(full_report)).text
    assert "Kept in the test set 14 of 15 test entries of the previous split" in text
    assert "Boxes off by 0.6" in text
    assert "90 18, 20.0 %" in text
