"""Divide the entries of a dataset into parts: the entry point of the split into more than two."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from twofold.label_sets import Ints, LabelSets
from twofold.split.highs import HighsSolver
from twofold.split.label_matrix import LabelMatrix, build_label_matrix, hash_labels
from twofold.split.parts.division import divide_by_size, divide_units
from twofold.split.parts.joint_mip import PartsAllocation, close_gap
from twofold.split.parts.pair_search import PartState, improve_pairs
from twofold.split.parts.shares import PartShares
from twofold.split.parts.sizes import divide_sizes
from twofold.split.parts.table import SignatureTable
from twofold.split.sampling import Units, make_entry_units, make_group_units

PARTS_VERSION = 1
"""Version of the division into parts. The division into two has its own: certificate.ALGORITHM_VERSION."""


WORK_LIMIT = 2_000
"""Steps of HiGHS for all programmes of a division together."""


@dataclass(frozen=True, slots=True)
class PartsCertificate:
    """The certificate of a division of `entries` entries into parts.

    `wanted` has the numbers of entries by largest remainder, `reachable` the nearest numbers that whole groups add up to,
    `reached` the numbers of the division. `deviation` is the sum over parts and labels of |images - fraction * images of the
    label|, where unlabelled entries are a label of their own. No division with these numbers of entries has less than
    `lower_bound`; `proof` is as in `certificate.Certificate`. `moved` counts entries that keys alone would put into another
    part.
    """

    entries: int
    groups: int | None
    fractions: tuple[Fraction, ...]
    wanted: tuple[int, ...]
    reachable: tuple[int, ...]
    reached: tuple[int, ...]
    seed: int
    deviation: Fraction
    lower_bound: Fraction
    proof: str
    moved: int

    @property
    def gap(self) -> Fraction:
        return self.deviation - self.lower_bound


@dataclass(frozen=True, slots=True)
class PartsSelection:
    """A division: `part[i]` is the part of entry `i`.

    `images` has a count for each of `names`, in the order of their bytes, and a last count for unlabelled entries;
    `part_images` is int64[parts, labels].
    """

    part: NDArray[np.uint8]
    certificate: PartsCertificate
    names: tuple[str, ...]
    images: Ints
    part_images: Ints


def select_parts(
    *,
    source: NDArray[np.uint64],
    label_set: NDArray[np.uint32],
    label_sets: LabelSets,
    fractions: Sequence[Fraction],
    seed: int = 0,
    groups: NDArray[np.uint64] | None = None,
    work_limit: int = WORK_LIMIT,
) -> PartsSelection:
    """Divide entries into parts with the exact numbers by largest remainder, each label as near to all its shares as possible.

    For each entry, `source` has the hash of the `source-ref`, `label_set` an index into `label_sets`, and `groups` the hash of
    the group. A group is whole in one part, and the numbers of entries are then the nearest sums of group sizes. The parts are
    chosen jointly: the sum over parts and labels of the deviations is the least, as far as `work_limit` steps of HiGHS reach.

    The division depends on the seed, the fractions in their order, and on the sources, label names and groups of the entries
    alone. Raises ValueError for fractions or a seed out of range and for arrays of different lengths.
    """
    shares = PartShares.from_fractions(fractions)
    _check_lengths(source, label_set, groups)
    matrix, order = build_label_matrix(label_sets)
    names = tuple(label_sets.names[label] for label in order)
    times = np.bincount(label_set, minlength=len(matrix))
    images = matrix.sum_by_label(times, len(names) + 1)
    units, unit = _make_units(source, label_set, matrix, seed, groups)
    solver = HighsSolver(work_limit)
    wanted = shares.round_entries(len(source))
    sizes, divided = _find_sizes(units, unit is not None, wanted, shares, solver)
    reachable = wanted if divided is None else sizes @ divided
    hashes = hash_labels(names)
    part = divide_units(units, hashes, images, shares, reachable, solver)
    if part is None:
        assert divided is not None  # noqa: S101  # entries always add up
        part = divide_by_size(units, sizes, divided, shares)
    table = SignatureTable.build(units, hashes)
    allocation = _optimize(table, shares, images, part, reachable, solver)
    part = table.assign_parts(allocation.state.x)
    return PartsSelection(
        part if unit is None else part[unit],
        _build_certificate(allocation, units, unit is not None, fractions, wanted, seed),
        names,
        images,
        allocation.state.part_images,
    )


def _check_lengths(
    source: NDArray[np.uint64],
    label_set: NDArray[np.uint32],
    groups: NDArray[np.uint64] | None,
) -> None:
    for name, values in {"label sets": label_set, "groups": groups}.items():
        if values is not None and len(values) != len(source):
            raise ValueError(f"There are {len(source)} sources and {len(values)} {name}.")


def _make_units(
    source: NDArray[np.uint64],
    label_set: NDArray[np.uint32],
    matrix: LabelMatrix,
    seed: int,
    groups: NDArray[np.uint64] | None,
) -> tuple[Units, Ints | None]:
    if groups is None or len(groups) == 0:
        return make_entry_units(source, label_set, matrix, seed), None
    return make_group_units(groups, label_set, matrix, seed)


def _find_sizes(
    units: Units, is_grouped: bool, wanted: Ints, shares: PartShares, solver: HighsSolver
) -> tuple[Ints, Ints | None]:
    """Return the distinct sizes of groups, and how many of each go to each part; None without groups."""
    if not is_grouped:
        return units.size[:0], None
    return np.unique(units.size), divide_sizes(units.size, wanted, shares, solver)


def _optimize(
    table: SignatureTable,
    shares: PartShares,
    images: Ints,
    part: NDArray[np.uint8],
    entries: Ints,
    solver: HighsSolver,
) -> PartsAllocation:
    x = table.count_units(part.astype(np.int64), len(shares))
    state = improve_pairs(PartState.build(table, shares, images, x))
    return close_gap(state, entries, solver)


def _build_certificate(
    allocation: PartsAllocation,
    units: Units,
    is_grouped: bool,
    fractions: Sequence[Fraction],
    wanted: Ints,
    seed: int,
) -> PartsCertificate:
    state = allocation.state
    reached = state.table.count_entries(state.x)
    denominator = state.shares.denominator
    return PartsCertificate(
        entries=int(units.size.sum()),
        groups=len(units) if is_grouped else None,
        fractions=tuple(fractions),
        wanted=tuple(wanted.tolist()),
        reachable=tuple(reached.tolist()),
        reached=tuple(reached.tolist()),
        seed=seed,
        deviation=Fraction(state.compute_cost(), denominator),
        lower_bound=Fraction(allocation.bound, denominator),
        proof=allocation.proof,
        moved=_count_moved_entries(units, state.table.assign_parts(state.x), reached),
    )


def _count_moved_entries(units: Units, part: NDArray[np.uint8], entries: Ints) -> int:
    """Entries of units that keys alone, lowest first from the last part on, would put into another part."""
    order = np.lexsort((units.source, units.key))
    size = units.size[order]
    # A unit belongs to the part whose range of entries has the unit's last entry.
    ends = np.cumsum(entries[::-1])
    by_key = len(entries) - 1 - np.searchsorted(ends, np.cumsum(size), side="left")
    return int(size[part[order] != by_key].sum())
