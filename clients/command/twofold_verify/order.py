"""The keyed order: among entries that are alike, the ones with the lowest keys are tested.

The key of an entry is mix(h ^ mix(seed + 0x9E3779B97F4A7C15)) with h the low half of XXH3-128 of the source-ref and mix the
finaliser of splitmix64; that of a group has the hash of the group's key for h. Entries are alike when they have the same
labels, groups when they have the same numbers of each and are of one size.
"""

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterator
from dataclasses import dataclass

from twofold_verify.checks import Split, WrongError
from twofold_verify.hashes import splitmix64, xxh3_128_low

_WORD = 1 << 64
_GOLDEN = 0x9E3779B97F4A7C15


@dataclass(frozen=True, slots=True)
class Unit:
    """What is tested as a whole: an entry or a group. `likeness` is equal for units that are alike."""

    key: int
    size: int
    likeness: Hashable
    tested: bool


def order(split: Split) -> str:
    units = list(_grouped(split) if split.report.group_by else _single(split))
    units.sort(key=lambda unit: unit.key)
    _require_lowest(units)
    swapped = _swapped(units, split.tested)
    claimed = split.report.claim("certificate", "swappedEntries")
    if swapped != claimed:
        raise WrongError(
            f"{swapped} test entries are not there by their keys alone, not {claimed}."
        )
    return (
        "Among entries that are alike the lowest keys are tested; "
        f"{swapped} of {split.tested} test entries were swapped in for balance."
    )


def _single(split: Split) -> Iterator[Unit]:
    for side in (split.train, split.test):
        for entry in side.entries:
            yield Unit(entry.key, 1, entry.labels, side is split.test)


def _grouped(split: Split) -> Iterator[Unit]:
    salt = splitmix64((split.report.seed + _GOLDEN) % _WORD)
    for side in (split.train, split.test):
        counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
        sizes = Counter(str(entry.group) for entry in side.entries)
        for entry in side.entries:
            counts[str(entry.group)].update(entry.labels or ("",))
        for group, size in sizes.items():
            key = splitmix64(xxh3_128_low(group.encode()) ^ salt)
            yield Unit(key, size, (size, frozenset(counts[group].items())), side is split.test)


def _require_lowest(units: list[Unit]) -> None:
    """`units` by key."""
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
