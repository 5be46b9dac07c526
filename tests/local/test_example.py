"""The example manifest is what its script writes, and holds what it is there to show."""

from collections import Counter

from local import example
from twofold.manifest.lines import Entry, read_entry


def test_the_committed_file_is_what_the_script_writes() -> None:
    written = b"".join(example.manifest(example.ENTRIES, example.SEED))
    assert example.TARGET.read_bytes() == written


def test_other_seeds_write_other_files() -> None:
    assert list(example.manifest(20, 1)) != list(example.manifest(20, 2))


def test_the_example_holds_every_kind_of_entry() -> None:
    entries = [_entry(line) for line in example.TARGET.read_bytes().splitlines()]
    shapes = Counter((sum(entry.boxes) > 0, 0 in entry.boxes) for entry in entries if entry.labeled)
    images = Counter(label for entry in entries for label in entry.labels)
    assert len(entries) == 600
    assert min(shapes[kind] for kind in ((True, False), (False, True), (True, True))) > 50
    assert sum(not entry.labeled for entry in entries) > 20
    assert sum(len(entry.labels) > 1 for entry in entries) > 200
    assert sorted(count for count in images.values() if count < 5) == [1, 2, 4]


def _entry(line: bytes) -> Entry:
    entry = read_entry(line)
    assert isinstance(entry, Entry)
    return entry
