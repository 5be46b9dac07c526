"""The checks of a split into parts, by name."""

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from itertools import chain
from math import lcm
from typing import Any

from twofold_verify.file_checks import list_names
from twofold_verify.hashes import mix_splitmix64
from twofold_verify.keys import SINGLE, hash_group, resolve_key_collisions
from twofold_verify.manifests import Entry, ManifestSide
from twofold_verify.parts.report import PartsReport
from twofold_verify.parts.search import Signature, search_exchanges
from twofold_verify.parts.sizes import (
    TooManySizesError,
    find_nearer_sizes,
    measure_distance,
    round_by_largest_remainder,
)
from twofold_verify.runner import WrongError, require_equal
from twofold_verify.source import SourceManifest

PARTS_VERSION = 1
_WORD, _GOLDEN = 1 << 64, 0x9E3779B97F4A7C15
_FLOOR, _OPTIMUM, _TOO_LARGE = "integrality floor", "MILP optimum", "too large for a MILP"
_UNPROVEN = (_TOO_LARGE, "node limit", "work limit", "inexact MILP")


@dataclass(frozen=True)
class PartsSplit:
    """The manifests of the parts and the report, and optionally the source manifest.

    Checks add a sentence to `unchecked` for each unverifiable claim.
    """

    sides: tuple[ManifestSide, ...]
    report: PartsReport
    source: SourceManifest | None = None
    unchecked: list[str] = field(default_factory=list)

    def iterate_entries(self) -> Iterator[Entry]:
        return chain.from_iterable(side.entries for side in self.sides)

    @property
    def size(self) -> int:
        return sum(self.counts)

    @property
    def counts(self) -> list[int]:
        """Entries of each part."""
        return [len(side.entries) for side in self.sides]

    @cached_property
    def images(self) -> list[Counter[str]]:
        """Images of each part by label; unlabelled entries have the label ''."""
        return [
            Counter(label for entry in side.entries for label in entry.labels or ("",))
            for side in self.sides
        ]

    @cached_property
    def all_images(self) -> Counter[str]:
        return sum(self.images, Counter[str]())

    @cached_property
    def label_order(self) -> list[str]:
        return sorted(self.all_images.keys() - {""})

    @cached_property
    def group_sizes(self) -> list[Counter[str]] | None:
        """Entries of each part by group; None without groups."""
        if self.report.group_by is None:
            return None
        return [Counter(str(entry.group) for entry in side.entries) for side in self.sides]


def check_lines(split: PartsSplit) -> str:
    faults = [fault for side in split.sides for fault in side.faults]
    if faults:
        more = sum(side.fault_count for side in split.sides) - len(faults)
        suffix = f"; and {more} more lines that Twofold rejects" if more else ""
        raise WrongError(f"{'; '.join(faults)}{suffix}.")
    buckets = {bucket for side in split.sides for bucket in side.buckets}
    if len(buckets) > 1:
        raise WrongError(f"The images are in {len(buckets)} buckets: {list_names(buckets)}.")
    return f"All {split.size} lines are entries, and their images are in one bucket."


def check_partition(split: PartsSplit) -> str:
    occurrences = Counter(entry.source_ref for entry in split.iterate_entries())
    repeated = [source_ref for source_ref, times in occurrences.items() if times > 1]
    if repeated:
        raise WrongError(
            f"{len(repeated)} source-refs occur more than once: {list_names(repeated)}."
        )
    return "No source-ref occurs twice, in one manifest or in several."


def check_contents(split: PartsSplit) -> str:
    for name, side in zip(split.report.names, split.sides, strict=True):
        expected = {
            "manifest": side.name,
            "entries": len(side.entries),
            "bytes": side.bytes,
            "digest": f"{side.digest:016x}",
        }
        require_equal(split.report.raw["datasets"][name], expected, f"datasets.{name}")
    source = split.report.raw["source"]
    total = f"{sum(side.digest for side in split.sides) % _WORD:016x}"
    require_equal(source["digest"], total, "digest of the source")
    require_equal(source["entries"], split.size, "entries of the source")
    return "Entries, bytes and digests equal the report; the digests add up to the source's digest."


def check_count(split: PartsSplit) -> str:
    report, sizes = split.report, split.group_sizes
    exact = round_by_largest_remainder(split.size, report.fractions)
    expected = {
        "algorithmVersion": PARTS_VERSION,
        "seed": report.seed,
        "entries": split.size,
        "groups": None if sizes is None else len(sum(sizes, Counter[str]())),
        "entriesWanted": exact,
        "entriesReached": split.counts,
    }
    certificate = {name: report.certificate[name] for name in expected}
    require_equal(certificate, expected, "the certificate")
    if 0 in split.counts:
        raise WrongError(f"{report.names[split.counts.index(0)]} has no entries.")
    if sizes is None:
        require_equal(split.counts, exact, "entries of the parts")
        return f"{_describe_counts(split)}, the shares rounded by largest remainder."
    return _check_group_count(split, exact, sizes)


def _check_group_count(
    split: PartsSplit, wanted: Sequence[int], sizes: Sequence[Counter[str]]
) -> str:
    distance = measure_distance(split.counts, wanted)
    groups = sorted((size for side in sizes for size in side.values()), reverse=True)
    try:
        nearer = find_nearer_sizes(groups, wanted, distance)
    except TooManySizesError:
        split.unchecked.append(
            "certificate.entriesReached: whether whole groups add up to nearer numbers of entries; there are too many groups."
        )
        return f"{_describe_counts(split)}; {distance} entries in all off the shares."
    if nearer:
        raise WrongError(
            f"The parts are {distance} entries off {list(wanted)}; whole groups add up to nearer numbers, such as {nearer}."
        )
    return f"{_describe_counts(split)}, the nearest that whole groups add up to."


def _describe_counts(split: PartsSplit) -> str:
    counts = zip(split.report.names, split.counts, strict=True)
    return f"{', '.join(f'{name} {count}' for name, count in counts)} of {split.size} entries"


def check_groups(split: PartsSplit) -> str:
    sizes = split.group_sizes
    if sizes is None:
        require_equal("groups" in split.report.raw, False, "a table of groups")
        require_equal(split.report.allows_singles, False, "entries without a group")
        return "No groups."
    if any(not entry.group for entry in split.iterate_entries()):
        raise WrongError("Some entries have no group.")
    parts = Counter(group for side in sizes for group in side)
    divided = [group for group, times in parts.items() if times > 1]
    if divided:
        raise WrongError(f"{len(divided)} groups are divided: {list_names(divided)}.")
    require_equal(split.report.raw.get("groups"), _build_group_table(split, sizes), "groups")
    return f"{len(parts)} groups, none is divided."


def _build_group_table(split: PartsSplit, sizes: Sequence[Counter[str]]) -> dict[str, Any]:
    classes = [Counter(size.bit_length() - 1 for size in side.values()) for side in sizes]
    used = sorted(set().union(*classes))
    table = {
        "groups": sum(map(len, sizes)),
        "largestGroup": max(size for side in sizes for size in side.values()),
        "parts": [len(side) for side in sizes],
        "sizes": [
            {"from": 1 << i, "to": (2 << i) - 1, "parts": [side[i] for side in classes]}
            for i in used
        ],
        "labelsInOneGroup": _find_confined_labels(split),
    }
    if split.report.allows_singles:
        table["ungrouped"] = sum(group.startswith(SINGLE) for side in sizes for group in side)
    return table


def _find_confined_labels(split: PartsSplit) -> list[str]:
    groups: dict[str, set[str | None]] = defaultdict(set)
    for entry in split.iterate_entries():
        for label in entry.labels:
            groups[label].add(entry.group)
    return sorted(
        label for label, among in groups.items() if len(among) == 1 and split.all_images[label] > 1
    )


def check_labels(split: PartsSplit) -> str:
    claims = split.report.raw
    rows = [{"label": label, **_build_row(split, label)} for label in split.label_order]
    require_equal(claims["labels"], rows, "labels")
    require_equal(claims["unlabelled"], _build_row(split, ""), "unlabelled")
    missing = {
        name: [label for label in split.label_order if not images[label]]
        for name, images in zip(split.report.names, split.images, strict=True)
    }
    require_equal(claims["labelsMissing"], missing, "labelsMissing")
    smallest = split.report.fraction
    rare = [label for label in split.label_order if smallest * split.all_images[label] < 1]
    require_equal(claims["rareLabels"], rare, "rareLabels")
    return f"The table of {len(rows)} labels and unlabelled entries is right, in every cell."


def _build_row(split: PartsSplit, label: str) -> dict[str, Any]:
    before, parts = split.all_images[label], [images[label] for images in split.images]
    shares = (fraction * before for fraction in split.report.fractions)
    deviation = sum(abs(count - share) for count, share in zip(parts, shares, strict=True))
    return {"before": before, "parts": parts, "deviation": str(deviation)}


def compute_joint_floor(images: int, fractions: Sequence[Fraction]) -> Fraction:
    """Returns the least sum over parts of |t_p - f_p * images| for whole numbers t_p with the sum `images`."""
    counts = round_by_largest_remainder(images, fractions)
    floor = sum(abs(count - f * images) for count, f in zip(counts, fractions, strict=True))
    return Fraction(floor)


def check_optimum(split: PartsSplit) -> str:
    certificate, fractions = split.report.certificate, split.report.fractions
    labels = (*split.label_order, "")
    deviation = sum(
        (Fraction(_build_row(split, label)["deviation"]) for label in labels), Fraction(0)
    )
    floor = sum(
        (compute_joint_floor(split.all_images[label], fractions) for label in labels), Fraction(0)
    )
    require_equal(certificate["deviation"], str(deviation), "summed deviation")
    bound = _read_bound(certificate["lowerBound"], fractions)
    if not floor <= bound <= deviation:
        raise WrongError(f"The bound {bound} is not between {floor} and {deviation}.")
    require_equal(certificate["gap"], str(deviation - bound), "gap")
    require_equal(certificate["optimal"], deviation == bound, "optimal")
    _check_proof(certificate["proof"], deviation, bound, floor)
    total = f"Total deviation over all parts: {deviation} images"
    if deviation == floor:
        return f"{total}, which equals the joint integrality floor: this is an optimum."
    if bound == floor:
        return f"{total}; the joint integrality floor is {floor}, and no optimum is claimed."
    return f"{total}; joint integrality floor: {floor}. {_check_exchanges(split, bound)}"


def _read_bound(text: str, fractions: Sequence[Fraction]) -> Fraction:
    """Returns the bound. Raises WrongError if no sum of deviations can have this value."""
    try:
        bound = Fraction(text)
    except ZeroDivisionError:
        bound = Fraction(-1)
    scale = lcm(*(fraction.denominator for fraction in fractions))
    if str(bound) != text or scale % bound.denominator:
        raise WrongError(
            f"The bound {text} is not a fraction in lowest terms, or not a possible sum of deviations."
        )
    return bound


def _check_proof(proof: str, deviation: Fraction, bound: Fraction, floor: Fraction) -> None:
    """Raises WrongError if the name of the proof contradicts the numbers."""
    if proof not in (_FLOOR, _OPTIMUM, *_UNPROVEN):
        raise WrongError(f"The proof is {proof!r}, which Twofold does not use.")
    expected = _FLOOR if deviation == floor else _OPTIMUM if deviation == bound else None
    if (expected is None and proof not in _UNPROVEN) or (expected and proof != expected):
        raise WrongError(
            f"The proof is {proof!r}: the floor is {floor}, the bound {bound}, the deviation {deviation}."
        )
    if proof == _TOO_LARGE and bound != floor:
        raise WrongError(f"The proof is {proof!r}, and the bound {bound}, not {floor}.")


def _check_exchanges(split: PartsSplit, bound: Fraction) -> str:
    """Raises WrongError if exchanges refute the bound, by a total deviation below the bound."""
    units = list(_make_units(split))
    parts: list[Counter[Signature]] = [Counter() for _ in split.sides]
    for unit in units:
        parts[unit.part][(unit.size, unit.images)] += 1
    result = search_exchanges(parts, split.report.fractions, bound)
    if result.deviation < bound:
        raise WrongError(
            f"The bound {bound} is wrong: {result.exchanges} exchanges of entries or groups reduce the total deviation to "
            f"{result.deviation}."
        )
    proof = split.report.certificate["proof"]
    split.unchecked.append(
        f"certificate.lowerBound: {bound} is the minimum only by the solver's claim ({proof})."
    )
    tried = "no exchange" if result.finished else "no exchange that was tried"
    return f"The solver claims the minimum {bound} ({proof}); {tried} refutes it."


@dataclass(frozen=True, slots=True)
class PartUnit:
    """An entry or a group: its sampling key, entries, images by label, and part."""

    key: int
    size: int
    images: tuple[tuple[str, int], ...]
    part: int

    @property
    def signature(self) -> Hashable:
        return self.size, self.images


def _make_units(split: PartsSplit) -> Iterator[PartUnit]:
    keys = _compute_group_keys(split)
    for part, side in enumerate(split.sides):
        if keys is None:
            for entry in side.entries:
                images = tuple((label, 1) for label in sorted(entry.labels or ("",)))
                yield PartUnit(entry.key, 1, images, part)
            continue
        counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
        sizes = Counter(str(entry.group) for entry in side.entries)
        for entry in side.entries:
            counts[str(entry.group)].update(entry.labels or ("",))
        for group, size in sizes.items():
            yield PartUnit(keys[group], size, tuple(sorted(counts[group].items())), part)


def _compute_group_keys(split: PartsSplit) -> dict[str, int] | None:
    if split.report.group_by is None:
        return None
    salt = mix_splitmix64((split.report.seed + _GOLDEN) % _WORD)
    names = {str(entry.group) for entry in split.iterate_entries()}
    keys = {group: mix_splitmix64(hash_group(group) ^ salt) for group in names}
    return keys | resolve_key_collisions(keys, salt)


def check_order(split: PartsSplit) -> str:
    """Of each signature the lowest keys are in the last part, the next in the part before it, and so on."""
    units = sorted(_make_units(split), key=lambda unit: unit.key)
    lowest_part: dict[Hashable, int] = {}
    for unit in units:
        if unit.part > lowest_part.get(unit.signature, unit.part):
            raise WrongError(
                f"The entry with the key {unit.key:016x} is in {split.report.names[unit.part]}, an entry of its signature "
                f"with a lower key is in an earlier part."
            )
        lowest_part[unit.signature] = unit.part
    moved = _count_moved_entries(units, split.counts)
    require_equal(split.report.certificate["movedEntries"], moved, "moved entries")
    return (
        "Of each signature the lowest keys are in the last part, and so on; "
        f"{moved} of {split.size} entries were moved for balance."
    )


def _count_moved_entries(units: Sequence[PartUnit], counts: Sequence[int]) -> int:
    """Entries that keys alone would put into another part. `units` ascend by key."""
    position = moved = 0
    part, end = len(counts) - 1, counts[-1]
    for unit in units:
        position += unit.size
        while position > end:
            part -= 1
            end += counts[part]
        moved += unit.size * (part != unit.part)
    return moved


PARTS_CHECKS: Mapping[str, Any] = {
    "lines": check_lines,
    "partition": check_partition,
    "contents": check_contents,
    "count": check_count,
    "groups": check_groups,
    "labels": check_labels,
    "optimum": check_optimum,
    "order": check_order,
}
"""Checks of parts alone; `runner` adds those that all splits have."""
