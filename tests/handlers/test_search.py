"""Search reads what a page needs: bytes counted at S3, in process."""

from itertools import accumulate
from typing import Any

import boto3
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.handlers.any_request import boxed, faulty
from tests.job import line
from twofold.api import search
from twofold.api.search import Filter, Search
from twofold.manifest.identity import reading
from twofold.manifest.lines import Entry, read_entry
from twofold.manifest.pieces import index_lines
from twofold.manifest.resolve import resolve
from twofold.stores import contents as stored
from twofold.stores.contents import StoredContents
from twofold.stores.keys import ContentsKeys
from twofold.stores.objects import Bucket

BUCKET = "search-in-process"


class Counting(Bucket):
    """Twofold's bucket, with the bytes that were read from it."""

    read = 0

    def get_range(self, key: str, offset: int, size: int) -> bytes:
        Counting.read += size
        return super().get_range(key, offset, size)


@pytest.fixture(scope="module", autouse=True)
def bucket(aws: None) -> None:
    boto3.client("s3").create_bucket(Bucket=BUCKET)


def contents_of(lines: list[bytes], folder: str) -> StoredContents:
    stored._header.cache_clear()
    starts = [0, *accumulate(len(one) + 1 for one in lines[:-1])]
    text = b"".join(one + b"\n" for one in lines)
    resolution = resolve([index_lines(zip(starts, lines, strict=True))], reading(text))
    keys = ContentsKeys(folder)
    bucket = Counting(BUCKET)
    bucket.put(keys.manifest, b"".join(one + b"\n" for one in lines))
    bucket.put(keys.index, resolution.index.encode())
    return StoredContents.open(bucket, folder)


def every_page(contents: StoredContents, wanted: Filter, size: int) -> list[bytes]:
    found: list[bytes] = []
    first = 0
    while first < contents.entries:
        page = Search(contents, wanted).page(first, size)
        assert len(page.lines) <= size
        assert len(page.numbers) == len(page.lines)
        assert page.after > first
        found += page.lines
        first = page.after
    return found


def lets_through(wanted: Filter, text: bytes) -> bool:
    entry = read_entry(text)
    assert isinstance(entry, Entry)
    return (
        (not wanted.labels or not set(wanted.labels).isdisjoint(entry.labels))
        and wanted.labeled in (None, entry.labeled)
        and (wanted.source_ref or "") in entry.source_ref
        and (entry.has_errors or not wanted.has_errors)
    )


any_label = st.sampled_from(["ant", "bee", "cat", "nothing"])
any_line: st.SearchStrategy[tuple[str, list[str]]] = st.one_of(
    st.lists(any_label, max_size=3, unique=True).map(lambda labels: ("line", labels)),
    st.lists(any_label, max_size=3).map(lambda labels: ("boxed", labels)),
    st.just(("faulty", [])),
)
any_filter = st.builds(
    Filter,
    labels=st.lists(any_label, max_size=2, unique=True).map(tuple),
    labeled=st.sampled_from([None, True, False]),
    source_ref=st.sampled_from([None, "1", "/2", "jpg"]),
    has_errors=st.booleans(),
)
MAKERS: dict[str, Any] = {"line": line, "boxed": boxed, "faulty": lambda name: faulty(name)}


@given(
    kinds=st.lists(any_line, min_size=1, max_size=40),
    wanted=any_filter,
    size=st.integers(1, 9),
    windows=st.tuples(st.integers(1, 5), st.integers(1, 3000), st.sampled_from([0, 16 << 20])),
)
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_filter_finds_what_a_plain_reading_finds_whatever_the_bounds(
    monkeypatch: pytest.MonkeyPatch,
    kinds: list[tuple[str, list[str]]],
    wanted: Filter,
    size: int,
    windows: tuple[int, int, int],
) -> None:
    window, batch, sets = windows
    monkeypatch.setattr(search, "FIRST_WINDOW", window)
    monkeypatch.setattr(search, "FIRST_LINE_WINDOW", window)
    monkeypatch.setattr(search, "MAX_SCANNED_ENTRIES", 3 * window)
    monkeypatch.setattr(search, "BATCH_BYTES", batch)
    monkeypatch.setattr(search, "MAX_READ_BYTES", 2 * batch)
    monkeypatch.setattr(search, "MAX_SETS_BYTES", sets)
    lines = [MAKERS[kind](number, *labels).encode() for number, (kind, labels) in enumerate(kinds)]
    contents = contents_of(lines, "any")
    expected = [one for one in lines if lets_through(wanted, one)]
    assert every_page(contents, wanted, size) == expected


@pytest.fixture(scope="module")
def large(bucket: None) -> StoredContents:
    """30,000 entries, 9 MB: one in 10,000 has the label `rare`."""
    lines = [
        line(number, "rare" if number % 10_000 == 9_999 else f"kind {number % 50}").encode()
        for number in range(30_000)
    ]
    return contents_of(lines, "large")


def test_a_page_of_a_large_dataset_reads_what_it_shows(large: StoredContents) -> None:
    Counting.read = 0
    page = Search(large, Filter()).page(20_000, 100)
    assert [read_entry(one).source_ref for one in page.lines] == [  # type: ignore[union-attr]
        f"s3://example-images/{number}.jpg" for number in range(20_000, 20_100)
    ]
    assert Counting.read < sum(map(len, page.lines)) + 40_000


def test_rare_entries_are_found_without_reading_the_lines_between(large: StoredContents) -> None:
    Counting.read = 0
    page = Search(large, Filter(labels=("rare",))).page(0, 100)
    assert page.numbers == [9_999, 19_999, 29_999]
    assert page.after == large.entries
    assert Counting.read < 250_000


def test_a_search_for_text_stops_at_its_bound_and_says_where(
    large: StoredContents, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "MAX_READ_BYTES", 1 << 20)
    monkeypatch.setattr(search, "BATCH_BYTES", 1 << 18)
    Counting.read = 0
    page = Search(large, Filter(source_ref="/29999.jpg")).page(0, 100)
    assert page.lines == []
    assert 0 < page.after < large.entries
    assert Counting.read < 3 << 20
    assert every_page(large, Filter(source_ref="/29999.jpg"), 100)[0].count(b"/29999.jpg") == 1


def test_labels_that_nothing_has_end_the_list_without_reading_it(large: StoredContents) -> None:
    Counting.read = 0
    page = Search(large, Filter(labels=("none",), source_ref="1")).page(0, 100)
    assert (page.lines, page.after, Counting.read) == ([], large.entries, 0)
