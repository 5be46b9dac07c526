"""report.html as text: it says what the report says, nothing in it can break out, and it stays small."""

from html.parser import HTMLParser
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.browser.gallery import HOSTILE
from tests.peak import peak_of
from tests.report.made import report_of
from twofold.report import page
from twofold.report.rows import MAX_ROWS

TWO_MEGABYTES = 2 << 20


class Reader(HTMLParser):
    """The elements of a page, and its text without style and script."""

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


def tags_of(labels: tuple[str, ...]) -> list[str]:
    return Reader(page(report_of([[label] for label in labels] * 5))).tags


def test_the_first_screen_says_sizes_proof_and_the_worst_label() -> None:
    entries = [["cat"], ["dog", "cat"], ["dog"]] * 67
    text = Reader(page(report_of(entries))).text
    assert "Train 161 80.1 % Test 40 19.9 %" in text
    assert "Proven best" in text
    assert "Labels on both sides 2 of 2" in text
    assert "Furthest from its share 0.2 images: cat" in text


def test_every_label_has_a_row_with_its_numbers() -> None:
    report = report_of([["cat"]] * 50 + [["dog"]] * 31)
    text = Reader(page(report)).text
    for row in report["labels"]:
        assert f"{row['label']} {row['before']} {row['train']} {row['test']} " in text


@given(st.tuples(st.text(max_size=60), st.text(max_size=60)).filter(lambda two: two[0] != two[1]))
def test_no_name_changes_the_elements_of_the_page(names: tuple[str, str]) -> None:
    assert tags_of(names) == tags_of(("a", "b"))


def test_names_that_mean_harm_are_shown_as_they_are() -> None:
    source = {"manifest": HOSTILE[0], "entries": 90, "errorEntries": 0, "digest": HOSTILE[1]}
    report = report_of([[label] for label in HOSTILE] * 10, source=source)
    read = Reader(page(report))
    assert read.tags.count("script") == 1
    assert "img" not in read.tags
    assert not [name for name, _ in read.attributes if name.startswith("on")]
    assert HOSTILE[0] in read.text
    assert r"abc\u202egnp.exe" in read.text
    assert r"tab\there\x00\x1b[31m" in read.text
    assert "\u202e" not in page(report)
    assert "\x1b" not in page(report)


def test_the_page_asks_nobody_for_anything() -> None:
    text = page(report_of([["cat"], ["dog"]] * 50))
    read = Reader(text)
    assert not [value for name, value in read.attributes if name in ("src", "href", "style")]
    assert "url(" not in text
    assert "@import" not in text
    assert "default-src &#x27;none&#x27;" in text


def test_the_same_report_makes_the_same_page() -> None:
    entries = [["cat"], ["dog"], ["cat", "fox"]] * 20
    assert page(report_of(entries)) == page(report_of(entries))


def many(labels: int) -> dict[str, Any]:
    """A report of many labels, without the splitting."""
    report = report_of([["cat"], ["dog"]] * 50)
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
    text, peak = peak_of(page, many(100_000))
    assert len(text) < TWO_MEGABYTES
    assert peak < 12 * TWO_MEGABYTES
    assert text.count("<tr>") < MAX_ROWS + 200
    assert "These are the first 2,000 of 100,000" in text


def test_a_dry_run_says_so_first() -> None:
    report = report_of([["cat"]] * 40, project="birds", dryRun=True)
    del report["datasets"]
    text = Reader(page(report)).text
    assert text.index("birds Dry run: nothing was moved.") < text.index("Train 32")


def test_boxes_and_a_kept_split_are_told_where_there_are_any() -> None:
    report = report_of([["cat"]] * 40 + [["dog"]] * 40)
    rows = [row | {"boxes": 90, "boxesInTest": 18, "boxDeviation": "0"} for row in report["labels"]]
    kept = {"testEntries": 15, "trainEntries": 60, "newEntries": 5, "leftTest": 1, "enteredTest": 0}
    told = report | {"labels": rows, "boxDeviation": "3/5", "previous": kept}
    text = Reader(page(told)).text
    assert "Tested again 14 of 15 test entries of the previous split" in text
    assert "Boxes off by 0.6" in text
    assert "90 18, 20.0 %" in text
