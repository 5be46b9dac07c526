"""Check of the optimum: the deviation, its lower bounds, and the name of the proof."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from twofold_verify.balance_checks import compute_total_deviation, read_bound
from twofold_verify.dual_bound import (
    Multipliers,
    Relaxation,
    compute_value,
    find_loose_multipliers,
    is_reduced,
    round_up,
)
from twofold_verify.floors import compute_floor
from twofold_verify.manifests import ManifestSide, name_column
from twofold_verify.order import count_labels_by_group
from twofold_verify.runner import Split, WrongError, require_equal
from twofold_verify.swaps import Signature, search_improvement

_FLOOR = "integrality floor"
_DUAL_BOUND = "dual bound"
_OPTIMUM = "MILP optimum"
_TOO_LARGE = "too large for a MILP"
_CERTAINLY_SMALL = 1_000
"""Twofold proves programmes of up to 10,000 non-zero values."""
_UNPROVEN = (_TOO_LARGE, "node limit", "work limit", "inexact MILP")
_FIRST_VERSION_WITH_DUAL_BOUND = 3


@dataclass(frozen=True, slots=True)
class _Bounds:
    """The total deviation and its lower bounds: `floor` <= `checked`, recomputed here, <= `claimed`, the report's."""

    deviation: Fraction
    floor: Fraction
    checked: Fraction
    claimed: Fraction


def check_optimum(split: Split) -> str:
    before, test = split.columns
    fraction, certificate = split.report.fraction, split.report.certificate
    deviation = compute_total_deviation(before, test, fraction)
    require_equal(certificate["deviation"], str(deviation), "summed deviation")
    floor = compute_floor(split, split.report.min_per_label)
    signatures = [_count_signatures(split, side) for side in (split.train, split.test)]
    checked = max(floor, _check_dual_bound(split, signatures[0] + signatures[1]))
    bounds = _Bounds(deviation, floor, checked, read_bound(certificate["lowerBound"], fraction))
    if not checked <= bounds.claimed <= deviation:
        raise WrongError(f"The bound {bounds.claimed} is not between {checked} and {deviation}.")
    require_equal(certificate["gap"], str(deviation - bounds.claimed), "gap")
    require_equal(certificate["optimal"], deviation == bounds.claimed, "optimal")
    _check_proof(certificate["proof"], bounds)
    total = f"Total deviation: {deviation} images"
    if deviation == floor:
        return f"{total}, which equals the integrality floor: this is an optimum."
    if deviation == checked:
        return f"{total}; the multipliers of the dual bound prove that no split has less: this is an optimum."
    total = f"{total}; integrality floor: {floor}; checked dual bound: {checked}"
    _check_size_claim(certificate["proof"], signatures)
    if bounds.claimed == checked:
        return f"{total}; no optimum is claimed.{_describe_improvement(split, signatures, bounds)}"
    return f"{total}. {_check_swaps(split, signatures, bounds)}"


def _check_dual_bound(split: Split, units: Counter[Signature]) -> Fraction:
    """Returns the bound that the multipliers prove; zero for a report of a version without multipliers."""
    certificate = split.report.certificate
    claim = certificate.get("dualBound")
    has_claim = certificate["algorithmVersion"] >= _FIRST_VERSION_WITH_DUAL_BOUND
    require_equal(claim is not None, has_claim, "whether the certificate has a dual bound")
    if claim is None:
        return Fraction(0)
    relaxation = Relaxation(
        units, split.columns[0], split.report.fraction, split.test_size, _list_limits(split)
    )
    multipliers = _read_multipliers(split, claim)
    if not is_reduced(multipliers):
        raise WrongError("The multipliers of the dual bound and their denominator have a divisor.")
    value = compute_value(relaxation, multipliers)
    require_equal(claim["value"], str(value), "the value of the dual bound")
    bound = round_up(relaxation, value)
    require_equal(claim["bound"], str(bound), "the dual bound")
    loose = next(find_loose_multipliers(relaxation, multipliers), None)
    if loose is not None:
        raise WrongError(
            f"A multiplier of the dual bound, {loose}, is not as near to zero as the value allows."
        )
    return bound


def _read_multipliers(split: Split, claim: Mapping[str, Any]) -> Multipliers:
    """Returns the multipliers by column. Raises WrongError for an unknown, repeated or misplaced label or level."""
    labels = {row["label"]: row["multiplier"] for row in claim["labels"]}
    expected = [
        {"label": label, "multiplier": labels[label]}
        for label in split.label_order
        if labels.get(label)
    ]
    require_equal(claim["labels"], expected, "labels of the dual bound")
    levels = {(row["member"], row["level"]): row["multiplier"] for row in claim.get("levels", ())}
    used_levels = [level for level in split.levels if levels.get(level)]
    expected = [
        {"member": member, "level": level, "multiplier": levels[member, level]}
        for member, level in used_levels
    ]
    require_equal(
        claim.get("levels"), expected if split.levels else None, "levels of the dual bound"
    )
    columns = labels | {name_column(level): levels[level] for level in used_levels}
    if claim["unlabelled"]:
        columns[""] = claim["unlabelled"]
    return Multipliers(claim["denominator"], claim["entries"], columns)


def _check_proof(proof: str, bounds: _Bounds) -> None:
    """Raises WrongError if the name of the proof contradicts the numbers."""
    expected = _name_proof(bounds)
    if expected is not None and proof != expected:
        raise WrongError(f"The proof is {proof!r}, but the numbers make it {expected!r}: {bounds}.")
    if expected is None and proof not in _UNPROVEN:
        raise WrongError(
            f"The proof is {proof!r}, but the deviation {bounds.deviation} is above the bound {bounds.claimed}."
        )
    if proof == _TOO_LARGE and bounds.claimed != bounds.checked:
        raise WrongError(
            f"The proof is {proof!r}, and the bound {bounds.claimed}, not {bounds.checked}."
        )


def _name_proof(bounds: _Bounds) -> str | None:
    """Returns the proof that the deviation is minimal, None if there is none."""
    if bounds.deviation == bounds.floor:
        return _FLOOR
    if bounds.deviation == bounds.checked:
        return _DUAL_BOUND
    return _OPTIMUM if bounds.deviation == bounds.claimed else None


def _check_size_claim(proof: str, signatures: list[Counter[Signature]]) -> None:
    """Raises WrongError if the programme is called too large and is small: its values are the labels of all signatures."""
    values = sum(len(labels) for _, labels in signatures[0].keys() | signatures[1].keys())
    if proof == _TOO_LARGE and values <= _CERTAINLY_SMALL:
        raise WrongError(f"The proof is {proof!r}, but the programme has {values} values only.")


def _describe_improvement(
    split: Split, signatures: list[Counter[Signature]], bounds: _Bounds
) -> str:
    """Returns a sentence if swaps reduce the total deviation, and lists it: Twofold's own search makes such swaps."""
    train, test = signatures
    search = search_improvement(
        train, test, split.report.fraction, bounds.checked, limits=_list_limits(split)
    )
    if search.deviation >= bounds.deviation:
        return ""
    swaps = "one swap" if search.swaps == 1 else f"{search.swaps} swaps"
    improvement = f"{swaps} of test entries or groups reduce it to {search.deviation}"
    split.unchecked.append(
        f"certificate.deviation: {improvement}, so this may not be the split that Twofold selects."
    )
    return f" But {improvement}."


def _check_swaps(split: Split, signatures: list[Counter[Signature]], bounds: _Bounds) -> str:
    """Raises WrongError if swaps refute the claimed bound, by a total deviation below it."""
    bound = bounds.claimed
    search = search_improvement(
        signatures[0], signatures[1], split.report.fraction, bound, limits=_list_limits(split)
    )
    if search.deviation < bound:
        swaps = "one swap" if search.swaps == 1 else f"{search.swaps} swaps"
        raise WrongError(
            f"The bound {bound} is wrong: {swaps} of test entries or groups reduce the total deviation to "
            f"{search.deviation}."
        )
    split.unchecked.extend(_list_unchecked_claims(split, bounds, is_complete=search.finished))
    extent = (
        "no single swap refutes" if search.finished else "the swaps that were tried do not refute"
    )
    proof = split.report.certificate["proof"]
    return f"The solver claims the minimum {bound} ({proof}); {extent} it."


def _list_limits(split: Split) -> dict[str, tuple[int, int]]:
    """Returns the least and the largest number of test images of each label of which a number on each side is demanded."""
    minimum, images = split.report.min_per_label, split.images[0]
    return {
        label: (minimum, images[label] - minimum)
        for label in split.label_order
        if minimum and images[label] >= 2 * minimum
    }


def _list_unchecked_claims(split: Split, bounds: _Bounds, *, is_complete: bool) -> Iterator[str]:
    proof = split.report.certificate["proof"]
    yield (
        f"certificate.lowerBound: {bounds.claimed} is a bound only by the solver's claim ({proof}); "
        f"{bounds.checked} is checked."
    )
    if not is_complete:
        yield "certificate.lowerBound: not every swap was tried; there are too many."


def _count_signatures(split: Split, side: ManifestSide) -> Counter[Signature]:
    if split.report.group_by is None:
        return Counter((1, _count_labels(entry.columns)) for entry in side.entries)
    sizes = Counter(entry.group for entry in side.entries)
    counts = count_labels_by_group(side)
    return Counter(
        (size, tuple(sorted(counts[str(group)].items()))) for group, size in sizes.items()
    )


def _count_labels(labels: Iterable[str]) -> tuple[tuple[str, int], ...]:
    return tuple((label, 1) for label in sorted(labels))
