"""What is checked: each check says what it found, or what is wrong."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain, combinations
from typing import Any

from twofold_verify.bounds import integrality_floor, nearest_sum, rounded_share
from twofold_verify.reading import Entry, Report, Side, UnreadableError

_FLOOR = "integrality floor"
_PAIRED_LABELS = 2_000
_NAMED = 3

NOT_CHECKED = (
    "That no line of the source is missing and that its order was kept: only the report speaks of the source. "
    "Its digest is compared with those of the manifests.",
    "That the same quotas come out again, and a bound that a MILP proved: for that, split the source again "
    "with the report's parameters.",
)


@dataclass(frozen=True, slots=True)
class Check:
    name: str
    passed: bool
    finding: str


@dataclass(frozen=True, slots=True)
class Split:
    """`previous` are the training and the test side of the split that this one keeps, where they are at hand."""

    train: Side
    test: Side
    report: Report
    previous: tuple[Side, Side] | None = None

    def entries(self) -> Iterator[Entry]:
        return chain(self.train.entries, self.test.entries)

    @property
    def size(self) -> int:
        return len(self.train.entries) + len(self.test.entries)

    @property
    def tested(self) -> int:
        return len(self.test.entries)


class WrongError(Exception):
    """A check does not hold; the message says why."""


CheckOf = Callable[[Split], str]


def run_checks(split: Split, checks: Mapping[str, CheckOf]) -> list[Check]:
    """Raises UnreadableError where the report lacks what a check needs."""
    return [_run(name, check, split) for name, check in checks.items()]


def _run(name: str, check: CheckOf, split: Split) -> Check:
    try:
        return Check(name, True, check(split))
    except WrongError as error:
        return Check(name, False, str(error))
    except (AttributeError, KeyError, TypeError) as error:
        raise UnreadableError(f"report.json is not the report of a split: {error!r}.") from error


def _require(claimed: Any, found: Any, what: str) -> None:
    if claimed != found:
        raise WrongError(f"{what}: the report says {claimed}, the manifests {found}.")


def lines(split: Split) -> str:
    faults = split.train.faults + split.test.faults
    if faults:
        raise WrongError("; ".join(faults) + ".")
    return f"All {split.size} lines are entries."


def partition(split: Split) -> str:
    seen = Counter(entry.source_ref for entry in split.entries())
    twice = [source_ref for source_ref, times in seen.items() if times > 1]
    if twice:
        named = ", ".join(twice[:_NAMED])
        raise WrongError(f"{len(twice)} source-refs are there more than once: {named}.")
    return "No source-ref is there twice, in one manifest or in both."


def contents(split: Split) -> str:
    for kind, side in (("train", split.train), ("test", split.test)):
        claims = split.report.claim("datasets", kind)
        found = {
            "entries": len(side.entries),
            "bytes": side.bytes,
            "digest": f"{side.digest:016x}",
        }
        for member, value in found.items():
            _require(claims.get(member), value, f"{member} of {side.name}")
    if "source" not in split.report.raw:
        return "Entries, bytes and digests are the reported ones."
    total = f"{(split.train.digest + split.test.digest) % (1 << 64):016x}"
    _require(split.report.claim("source", "digest"), total, "digest of the source")
    return "Entries, bytes and digests are the reported ones; the digests add up to the source's."


def count(split: Split) -> str:
    proof = split.report.claim("certificate")
    wanted = rounded_share(split.size, split.report.fraction)
    _require(split.report.number("certificate", "fraction"), split.report.fraction, "fraction")
    _require(proof.get("entries"), split.size, "entries")
    _require(proof.get("testEntriesWanted"), wanted, "test entries wanted")
    _require(proof.get("testEntriesReached"), split.tested, "test entries")
    share = f"{split.tested} of {split.size} entries are tested: {split.report.fraction}, rounded"
    if split.report.group_by is None:
        _require(split.tested, wanted, "test entries")
        return f"{share} to a whole entry."
    sizes = Counter(entry.group for entry in split.entries())
    nearest = nearest_sum(sizes.values(), wanted)
    if abs(split.tested - wanted) > abs(nearest - wanted):
        raise WrongError(f"Whole groups add up to {nearest} test entries, nearer to {wanted}.")
    return f"{share}, as nearly as whole groups add up ({wanted} wanted)."


def labels(split: Split) -> str:
    tables = [
        Counter(label for entry in side.entries for label in entry.labels)
        for side in (split.train, split.test)
    ]
    claimed = {row["label"]: row for row in split.report.claim("labels")}
    _require(sorted(claimed), sorted(set(tables[0]) | set(tables[1])), "labels")
    for label, row in claimed.items():
        _check_row(split, label, row, tables[0][label], tables[1][label])
    bare = [sum(not entry.labels for entry in side.entries) for side in (split.train, split.test)]
    _check_row(split, "(no label)", split.report.claim("unlabelled"), bare[0], bare[1])
    for member, table in (("labelsMissingInTrain", tables[0]), ("labelsMissingInTest", tables[1])):
        missing = sorted(label for label in claimed if not table[label])
        _require(sorted(split.report.claim(member)), missing, member)
    return f"The table of {len(claimed)} labels and unlabelled entries is right, in every cell."


def _check_row(split: Split, label: str, row: dict[str, Any], train: int, test: int) -> None:
    deviation = abs(test - split.report.fraction * (train + test))
    found = {"before": train + test, "train": train, "test": test, "deviation": str(deviation)}
    for member, value in found.items():
        _require(row.get(member), value, f"{member} of {label!r}")


def _images(split: Split) -> tuple[Counter[str], Counter[str]]:
    """Images of each label in all and in test; unlabelled entries are the label ''."""
    before, test = (
        Counter(label for entry in entries for label in entry.labels or ("",))
        for entries in (split.entries(), split.test.entries)
    )
    return before, test


def optimum(split: Split) -> str:
    before, test = _images(split)
    fraction = split.report.fraction
    deviation = sum(
        (abs(test[label] - fraction * images) for label, images in before.items()), Fraction(0)
    )
    _require(split.report.number("certificate", "deviation"), deviation, "summed deviation")
    bound = split.report.number("certificate", "lowerBound")
    floor = integrality_floor(before.values(), fraction)
    _require(split.report.number("certificate", "gap"), deviation - bound, "gap")
    _require(split.report.claim("certificate", "optimal"), deviation == bound, "optimal")
    if not floor <= bound <= deviation:
        raise WrongError(f"The bound {bound} is not between {floor} and {deviation}.")
    if deviation == floor:
        return f"The deviations add up to {deviation}; no whole numbers are nearer: this is an optimum."
    if split.report.claim("certificate", "proof") == _FLOOR:
        raise WrongError(f"The integrality floor is {floor}; the deviations add up to {deviation}.")
    return (
        f"The deviations add up to {deviation}; {floor} would be the integrality floor. That {bound} "
        f"is the least is the solver's word ({split.report.claim('certificate', 'proof')})."
    )


def pairs(split: Split) -> str:
    names = {label for entry in split.entries() for label in entry.labels}
    if len(names) + 1 > _PAIRED_LABELS:
        return f"Not counted: there are more than {_PAIRED_LABELS} labels."
    before, test = (_pair_counts(each) for each in (split.entries(), split.test.entries))
    _require(split.report.claim("certificate", "pairs"), len(before), "pairs")
    fraction = split.report.fraction
    deviation = sum(
        (abs(test[pair] - fraction * images) for pair, images in before.items()), Fraction(0)
    )
    _require(split.report.number("certificate", "pairDeviation"), deviation, "deviation of pairs")
    return f"The deviations of {len(before)} pairs of labels add up to {float(deviation):.1f}."


def _pair_counts(entries: Iterator[Entry] | list[Entry]) -> Counter[tuple[str, str]]:
    found: Counter[tuple[str, str]] = Counter()
    for labels, times in Counter(entry.labels for entry in entries).items():
        for pair in combinations(sorted(labels), 2):
            found[pair] += times
    return found


def groups(split: Split) -> str:
    if split.report.group_by is None:
        return "There are none."
    if any(not entry.group for entry in split.entries()):
        raise WrongError("Some entries have no group.")
    train, test = ({entry.group for entry in side.entries} for side in (split.train, split.test))
    divided = sorted(str(group) for group in train & test)
    if divided:
        raise WrongError(f"{len(divided)} groups are divided: {', '.join(divided[:_NAMED])}.")
    return f"{len(test)} of {len(train | test)} groups are tested, none is on both sides."


def boxes(split: Split) -> str:
    """Boxes of each label, where the report tells them."""
    before, test = (
        Counter[str](label for entry in entries for label, n in entry.boxes for _ in range(n))
        for entries in (split.entries(), split.test.entries)
    )
    if "boxDeviation" not in split.report.raw:
        if before:
            raise WrongError(
                f"There are {before.total()} boxes, of which the report knows nothing."
            )
        return "There are none."
    fraction = split.report.fraction
    for row in split.report.claim("labels"):
        label = row["label"]
        off = str(abs(test[label] - fraction * before[label]))
        found = {"boxes": before[label], "boxesInTest": test[label], "boxDeviation": off}
        for member, value in found.items():
            _require(row.get(member), value, f"{member} of {label}")
    total = sum((abs(test[each] - fraction * before[each]) for each in before), Fraction(0))
    _require(split.report.number("boxDeviation"), total, "summed deviation of boxes")
    return f"{test.total()} of {before.total()} boxes are in test entries; the deviations add up to {float(total):.1f}."


def previous(split: Split) -> str:
    if not split.report.coordinated:
        if split.previous:
            raise WrongError("The report names no previous split.")
        return "None was kept."
    if split.previous is None:
        return "Not checked, nor the order: name the folder of the previous split with --previous."
    for side, name in zip(split.previous, ("train", "test"), strict=True):
        claimed = split.report.claim("parameters", "previous", f"{name}Digest")
        _require(claimed, f"{side.digest:016x}", f"digest of the previous {side.name}")
    trained, tested = ({entry.source_ref for entry in side.entries} for side in split.previous)
    here = [{entry.source_ref for entry in side.entries} for side in (split.train, split.test)]
    found = {
        "testEntries": len(tested & (here[0] | here[1])),
        "trainEntries": len(trained & (here[0] | here[1])),
        "newEntries": len((here[0] | here[1]) - tested - trained),
        "leftTest": len(tested & here[0]),
        "enteredTest": len(trained & here[1]),
    }
    _require(split.report.claim("previous"), found, "the previous split")
    return f"{found['leftTest']} of {found['testEntries']} test entries left the test side, {found['enteredTest']} came to it."


CHECKS: Mapping[str, CheckOf] = {
    "lines": lines,
    "partition": partition,
    "contents": contents,
    "count": count,
    "groups": groups,
    "previous": previous,
    "labels": labels,
    "boxes": boxes,
    "optimum": optimum,
    "pairs": pairs,
}
