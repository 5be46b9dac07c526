"""Check of the sample: of the entries with equal signature, the lowest sampling keys are in the test set.

The key of an entry is mix(h ^ mix(seed + 0x9E3779B97F4A7C15)), where h is the low half of XXH3-128 of the source-ref and mix
the finaliser of splitmix64. The key of a group uses the hash of the group key for h. `keys` resolves equal keys.

The signature of an entry is the set of labels and levels (with the number of boxes by label if boxes were balanced). The
signature of a group is the size and the number of entries by label and level (and of boxes). With a previous split, previous
test entries rank first, new entries second, previous training entries last. A group ranks by the known entries; previous test
entries decide.
"""

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass

from twofold_verify.hashes import mix_splitmix64
from twofold_verify.keys import hash_group, resolve_key_collisions
from twofold_verify.manifests import ManifestSide
from twofold_verify.runner import Split, WrongError

ALGORITHM_VERSIONS = (2, 3)
"""Versions in the certificate; another version may use other keys."""
_WORD = 1 << 64
_GOLDEN = 0x9E3779B97F4A7C15


@dataclass(frozen=True, slots=True)
class SamplingUnit:
    """An entry or a group, the unit of a move. Within a signature the lowest (rank, key) are in the test set."""

    rank: int
    key: int
    size: int
    signature: Hashable
    in_test: bool


class PreviousRanks:
    """Ranks of source-refs: 0 in the previous test set, 1 new, 2 in the previous training set."""

    def __init__(self, split: Split) -> None:
        self._name_image = split.report.name_image
        self._rank_by_image: dict[str, int] = {}
        for side, rank in zip(split.previous or (), (2, 0), strict=bool(split.previous)):
            self._rank_by_image.update(
                (self._name_image(entry.source_ref), rank) for entry in side.entries
            )

    def rank(self, source_refs: Iterable[str]) -> int:
        """Returns the rank of a unit with these source-refs."""
        ranks = {self._rank_by_image.get(self._name_image(each), 1) for each in source_refs}
        return next(rank for rank in (0, 2, 1) if rank in ranks)


def check_order(split: Split) -> str:
    if split.report.keeps_previous and split.previous is None:
        return "Not checked: the order depends on the previous split."
    units = list(_make_group_units(split) if split.report.group_by else _make_entry_units(split))
    units.sort(key=lambda unit: (unit.rank, unit.key))
    _require_lowest_keys(units)
    swapped = _count_swapped_entries(units, split.test_size)
    claimed = split.report.certificate["swappedEntries"]
    if swapped != claimed:
        raise WrongError(
            f"{swapped} test entries were swapped in against the order of keys; the report says {claimed}."
        )
    return (
        "Of each signature the lowest keys are in the test set; "
        f"{swapped} of {split.test_size} test entries were swapped in for balance."
    )


def _make_entry_units(split: Split) -> Iterator[SamplingUnit]:
    ranks = PreviousRanks(split)
    for side in (split.train, split.test):
        for entry in side.entries:
            rank = ranks.rank([entry.source_ref])
            boxes = entry.boxes if split.report.balances_boxes else None
            yield SamplingUnit(rank, entry.key, 1, (entry.columns, boxes), side is split.test)


def _make_group_units(split: Split) -> Iterator[SamplingUnit]:
    salt = mix_splitmix64((split.report.seed + _GOLDEN) % _WORD)
    ranks = PreviousRanks(split)
    names = {str(entry.group) for entry in split.iterate_entries()}
    keys = {group: mix_splitmix64(hash_group(group) ^ salt) for group in names}
    keys |= resolve_key_collisions(keys, salt)
    for side in (split.train, split.test):
        counts = count_labels_by_group(side)
        sizes = Counter(str(entry.group) for entry in side.entries)
        boxes: defaultdict[str, Counter[str]] = defaultdict(Counter)
        members: defaultdict[str, list[str]] = defaultdict(list)
        for entry in side.entries:
            members[str(entry.group)].append(entry.source_ref)
            if split.report.balances_boxes:
                boxes[str(entry.group)].update(dict(entry.boxes))
        for group, size in sizes.items():
            signature = (size, frozenset(counts[group].items()), frozenset(boxes[group].items()))
            yield SamplingUnit(
                ranks.rank(members[group]), keys[group], size, signature, side is split.test
            )


def count_labels_by_group(side: ManifestSide) -> dict[str, Counter[str]]:
    """Returns the number of entries by label and level of each group; entries without a label have the label ''."""
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for entry in side.entries:
        counts[str(entry.group)].update(entry.columns)
    return counts


def _require_lowest_keys(units: list[SamplingUnit]) -> None:
    """Raises WrongError unless the lowest units of each signature are in the test set. `units` ascend by rank and key."""
    passed_over: set[Hashable] = set()
    for unit in units:
        if not unit.in_test:
            passed_over.add(unit.signature)
        elif unit.signature in passed_over:
            raise WrongError(
                f"The entry with the key {unit.key:016x} is in the test set, an entry of its signature with a lower key is not."
            )


def _count_swapped_entries(units: list[SamplingUnit], test_size: int) -> int:
    """Counts the test entries that a choice by key alone leaves in the training set. `units` ascend by rank and key."""
    position = swapped = 0
    for unit in units:
        position += unit.size
        if unit.in_test and position > test_size:
            swapped += unit.size
    return swapped
