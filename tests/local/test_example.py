"""The example manifest equals the output of its script and has every kind of entry."""

from collections import Counter

from local import example
from twofold.manifest.line.entry import Entry, read_entry


def test_the_committed_file_equals_the_output_of_the_script() -> None:
    written = b"".join(example.generate_manifest(example.ENTRIES, example.SEED))
    assert example.EXAMPLE_MANIFEST.read_bytes() == written


def test_other_seeds_write_other_files() -> None:
    assert list(example.generate_manifest(20, 1)) != list(example.generate_manifest(20, 2))


def test_the_example_has_every_kind_of_entry() -> None:
    entries = [
        _read_valid_entry(line) for line in example.EXAMPLE_MANIFEST.read_bytes().splitlines()
    ]
    shapes = Counter((sum(entry.boxes) > 0, 0 in entry.boxes) for entry in entries if entry.labeled)
    images = Counter(label for entry in entries for label in entry.labels)
    assert len(entries) == 600
    assert min(shapes[kind] for kind in ((True, False), (False, True), (True, True))) > 50
    assert sum(not entry.labeled for entry in entries) > 20
    assert sum(len(entry.labels) > 1 for entry in entries) > 200
    assert sorted(count for count in images.values() if count < 5) == [1, 2, 4]


def _read_valid_entry(line: bytes) -> Entry:
    entry = read_entry(line)
    assert isinstance(entry, Entry)
    return entry
