"""The keyed order: among entries that are alike, the ones with the lowest keys are tested.

The key of an entry is mix(h ^ mix(seed + 0x9E3779B97F4A7C15)) with h the low half of XXH3-128 of the source-ref and mix the
finaliser of splitmix64; that of a group has the hash of the group's key for h; where two
keys meet, keys.py has what is done. Entries are alike when they have the same
labels (and, where boxes were balanced, as many boxes of each), groups when they have the same numbers of each and are of
one size. Where a previous split was kept, what it tested comes before what is new, and that before what it trained on; a
group is what its entries were, and tested if in doubt.
"""

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass

from twofold_verify.checking import Split, WrongError
from twofold_verify.hashes import splitmix64, xxh3_128_low
from twofold_verify.keys import differing_keys
from twofold_verify.reading import Side

ALGORITHM_VERSION = 2
"""Of the certificate: another version may order entries by other keys."""
_WORD = 1 << 64
_GOLDEN = 0x9E3779B97F4A7C15


@dataclass(frozen=True, slots=True)
class Unit:
    """What is tested as a whole: an entry or a group. `likeness` is equal for units that are alike; the lowest
    (rank, key) are tested first."""

    rank: int
    key: int
    size: int
    likeness: Hashable
    tested: bool


class Ranks:
    """Of source-refs: 0 those that the previous split tested, 1 those that are new, 2 those that it trained on."""

    def __init__(self, split: Split) -> None:
        self._known: dict[str, int] = {}
        for side, rank in zip(split.previous or (), (2, 0), strict=bool(split.previous)):
            self._known.update((entry.source_ref, rank) for entry in side.entries)

    def of(self, source_refs: Iterable[str]) -> int:
        """Of what is tested as a whole."""
        ranks = {self._known.get(source_ref, 1) for source_ref in source_refs}
        return next(rank for rank in (0, 2, 1) if rank in ranks)


def check_order(split: Split) -> str:
    if split.report.coordinated and split.previous is None:
        return "Not checked: it depends on the previous split."
    units = list(_grouped(split) if split.report.group_by else _single(split))
    units.sort(key=lambda unit: (unit.rank, unit.key))
    _require_lowest(units)
    swapped = _swapped(units, split.tested)
    claimed = split.report.certificate["swappedEntries"]
    if swapped != claimed:
        raise WrongError(
            f"{swapped} test entries are not there by their keys alone, not {claimed}."
        )
    return (
        "Among entries that are alike the lowest keys are tested; "
        f"{swapped} of {split.tested} test entries were swapped in for balance."
    )


def _single(split: Split) -> Iterator[Unit]:
    ranks = Ranks(split)
    for side in (split.train, split.test):
        for entry in side.entries:
            rank = ranks.of([entry.source_ref])
            boxes = entry.boxes if split.report.balances_boxes else None
            yield Unit(rank, entry.key, 1, (entry.labels, boxes), side is split.test)


def _grouped(split: Split) -> Iterator[Unit]:
    salt = splitmix64((split.report.seed + _GOLDEN) % _WORD)
    ranks = Ranks(split)
    names = {str(entry.group) for entry in split.entries()}
    keys = {group: splitmix64(xxh3_128_low(group.encode()) ^ salt) for group in names}
    keys |= differing_keys(keys, salt)
    for side in (split.train, split.test):
        counts = count_labels_of_groups(side)
        sizes = Counter(str(entry.group) for entry in side.entries)
        boxes: defaultdict[str, Counter[str]] = defaultdict(Counter)
        members: defaultdict[str, list[str]] = defaultdict(list)
        for entry in side.entries:
            members[str(entry.group)].append(entry.source_ref)
            if split.report.balances_boxes:
                boxes[str(entry.group)].update(dict(entry.boxes))
        for group, size in sizes.items():
            likeness = (size, *(frozenset(one[group].items()) for one in (counts, boxes)))
            yield Unit(ranks.of(members[group]), keys[group], size, likeness, side is split.test)


def count_labels_of_groups(side: Side) -> dict[str, Counter[str]]:
    """Of each group how many of its entries have each label; those without one have the label ''."""
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for entry in side.entries:
        counts[str(entry.group)].update(entry.labels or ("",))
    return counts


def _require_lowest(units: list[Unit]) -> None:
    """`units` by rank and key."""
    passed: set[Hashable] = set()
    for unit in units:
        if not unit.tested:
            passed.add(unit.likeness)
        elif unit.likeness in passed:
            raise WrongError(
                f"An entry with the key {unit.key:016x} is tested before one like it with a lower key."
            )


def _swapped(units: list[Unit], tested: int) -> int:
    """Tested entries beyond those that fit when units are taken by key alone."""
    taken = swapped = 0
    for unit in units:
        taken += unit.size
        if unit.tested and taken > tested:
            swapped += unit.size
    return swapped
