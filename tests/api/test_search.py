"""Search reads no more bytes from S3 than a page needs."""

from itertools import accumulate
from typing import Any

import boto3
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.api.api_calls import make_box_line, make_line_with_error
from tests.support.job import make_line
from twofold.api import search
from twofold.api.search import EntryFilter, Search
from twofold.manifest.index.hash_collisions import make_line_reader
from twofold.manifest.index.range_indexer import index_lines
from twofold.manifest.index.resolve import join_ranges
from twofold.manifest.line.entry import Entry, read_entry
from twofold.stores import contents as stored
from twofold.stores.contents import StoredContents
from twofold.stores.keys import ContentsKeys
from twofold.stores.objects import Bucket

BUCKET = "search-in-process"


class CountingBucket(Bucket):
    """A bucket with a counter of the read bytes."""

    bytes_read = 0

    def get_range(self, key: str, offset: int, size: int) -> bytes:
        CountingBucket.bytes_read += size
        return super().get_range(key, offset, size)


@pytest.fixture(scope="module", autouse=True)
def create_bucket(aws: None) -> None:
    boto3.client("s3").create_bucket(Bucket=BUCKET)


def store_contents(lines: list[bytes], folder: str) -> StoredContents:
    stored._read_header.cache_clear()
    starts = [0, *accumulate(len(line) + 1 for line in lines[:-1])]
    text = b"".join(line + b"\n" for line in lines)
    resolution = join_ranges([index_lines(zip(starts, lines, strict=True))], make_line_reader(text))
    keys = ContentsKeys(folder)
    bucket = CountingBucket(BUCKET)
    bucket.put(keys.manifest, b"".join(line + b"\n" for line in lines))
    bucket.put(keys.index, resolution.index.encode())
    return StoredContents.open(bucket, folder)


def list_all_pages(contents: StoredContents, entry_filter: EntryFilter, size: int) -> list[bytes]:
    lines: list[bytes] = []
    first = 0
    while first < contents.entries:
        page = Search(contents, entry_filter).find_page(first, size)
        assert len(page.lines) <= size
        assert len(page.numbers) == len(page.lines)
        assert page.next_number > first
        lines += page.lines
        first = page.next_number
    return lines


def is_match(entry_filter: EntryFilter, text: bytes) -> bool:
    entry = read_entry(text)
    assert isinstance(entry, Entry)
    return (
        (not entry_filter.labels or not set(entry_filter.labels).isdisjoint(entry.labels))
        and entry_filter.labeled in (None, entry.labeled)
        and (entry_filter.source_ref or "") in entry.source_ref
        and (entry.has_errors or not entry_filter.has_errors)
    )


any_label = st.sampled_from(["ant", "bee", "cat", "nothing"])
any_line: st.SearchStrategy[tuple[str, list[str]]] = st.one_of(
    st.lists(any_label, max_size=3, unique=True).map(lambda labels: ("line", labels)),
    st.lists(any_label, max_size=3).map(lambda labels: ("boxed", labels)),
    st.just(("faulty", [])),
)
any_filter = st.builds(
    EntryFilter,
    labels=st.lists(any_label, max_size=2, unique=True).map(tuple),
    labeled=st.sampled_from([None, True, False]),
    source_ref=st.sampled_from([None, "1", "/2", "jpg"]),
    has_errors=st.booleans(),
)
MAKERS: dict[str, Any] = {
    "line": make_line,
    "boxed": make_box_line,
    "faulty": lambda name: make_line_with_error(name),
}


@given(
    kinds=st.lists(any_line, min_size=1, max_size=40),
    wanted=any_filter,
    size=st.integers(1, 9),
    windows=st.tuples(st.integers(1, 5), st.integers(1, 3000), st.sampled_from([0, 16 << 20])),
)
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_search_equals_a_linear_scan_with_any_window_sizes(
    monkeypatch: pytest.MonkeyPatch,
    kinds: list[tuple[str, list[str]]],
    wanted: EntryFilter,
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
    contents = store_contents(lines, "any")
    expected = [line for line in lines if is_match(wanted, line)]
    assert list_all_pages(contents, wanted, size) == expected


@pytest.fixture(scope="module")
def large_contents(create_bucket: None) -> StoredContents:
    """30,000 entries, 9 MB: one in 10,000 has the label `rare`."""
    lines = [
        make_line(number, "rare" if number % 10_000 == 9_999 else f"kind {number % 50}").encode()
        for number in range(30_000)
    ]
    return store_contents(lines, "large")


def test_a_page_of_a_large_dataset_reads_only_its_lines(large_contents: StoredContents) -> None:
    CountingBucket.bytes_read = 0
    page = Search(large_contents, EntryFilter()).find_page(20_000, 100)
    assert [read_entry(line).source_ref for line in page.lines] == [  # type: ignore[union-attr]
        f"s3://example-images/{number}.jpg" for number in range(20_000, 20_100)
    ]
    assert CountingBucket.bytes_read < sum(map(len, page.lines)) + 40_000


def test_rare_entries_are_found_without_reading_other_lines(
    large_contents: StoredContents,
) -> None:
    CountingBucket.bytes_read = 0
    page = Search(large_contents, EntryFilter(labels=("rare",))).find_page(0, 100)
    assert page.numbers == [9_999, 19_999, 29_999]
    assert page.next_number == large_contents.entries
    assert CountingBucket.bytes_read < 250_000


def test_a_text_search_stops_at_its_limit_and_can_continue(
    large_contents: StoredContents, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "MAX_READ_BYTES", 1 << 20)
    monkeypatch.setattr(search, "BATCH_BYTES", 1 << 18)
    CountingBucket.bytes_read = 0
    page = Search(large_contents, EntryFilter(source_ref="/29999.jpg")).find_page(0, 100)
    assert page.lines == []
    assert 0 < page.next_number < large_contents.entries
    assert CountingBucket.bytes_read < 3 << 20
    assert (
        list_all_pages(large_contents, EntryFilter(source_ref="/29999.jpg"), 100)[0].count(
            b"/29999.jpg"
        )
        == 1
    )


def test_unknown_labels_end_the_list_without_reading_contents(
    large_contents: StoredContents,
) -> None:
    CountingBucket.bytes_read = 0
    page = Search(large_contents, EntryFilter(labels=("none",), source_ref="1")).find_page(0, 100)
    assert (page.lines, page.next_number, CountingBucket.bytes_read) == (
        [],
        large_contents.entries,
        0,
    )
