"""The outcome of a split in sentences."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any

from twofold.escaping import make_printable

_NAMED = 5
_DROPPED_SHOWN = 10


def sentences(report: dict[str, Any]) -> Iterator[str]:
    proof = report["certificate"]
    yield _count(report)
    if "groups" in report:
        yield _groups(report["groups"])
    if "previous" in report:
        yield _previous(report["previous"])
    yield _balance(report)
    yield _optimum(proof)
    if "boxDeviation" in report:
        yield _boxes(report)
    yield from _missing(report)
    if report["source"]["errorEntries"]:
        yield f"Entries with errors in their labels, which stay: {report['source']['errorEntries']}."
    if "dropped" in report:
        yield from _dropped(report["dropped"])


def _missing(report: dict[str, Any]) -> Iterator[str]:
    confined = {*report.get("groups", {}).get("labelsInOneGroup", ())}
    for side, key in (("test", "labelsMissingInTest"), ("training", "labelsMissingInTrain")):
        few = [label for label in report[key] if label not in confined]
        if few:
            yield f"Too few images to be in the {side} manifest: {_named(few)}."
        missing = [label for label in report[key] if label in confined]
        if missing:
            yield f"Not in the {side} manifest, since all images are in one group: {_named(missing)}."


def _count(report: dict[str, Any]) -> str:
    proof = report["certificate"]
    dry = "Dry run, nothing was moved: " if report.get("dryRun") else ""
    reached, wanted = proof["testEntriesReached"], proof["testEntriesWanted"]
    exactly = (
        "exactly the share asked for"
        if reached == wanted
        else f"the nearest that whole groups add up to; {wanted} were wanted"
    )
    return (
        f"{dry}{reached} of {proof['entries']} entries are tested: {exactly} ({proof['fraction']})."
    )


def _groups(groups: dict[str, int]) -> str:
    return (
        f"{groups['testGroups']} of {groups['groups']} groups are tested; none is on both sides. "
        f"The largest has {groups['largestGroup']} entries."
    )


def _previous(previous: dict[str, int]) -> str:
    return (
        f"Of the previous split's {previous['testEntries']} test entries {previous['leftTest']} are not tested any more; "
        f"{previous['enteredTest']} that were trained on are now, and {previous['newEntries']} entries are new."
    )


def _balance(report: dict[str, Any]) -> str:
    rows = report["labels"]
    worst = max(rows, key=lambda row: Fraction(row["deviation"]))
    return (
        f"{len(rows)} labels; the one furthest from its share, {make_printable(worst['label'])}, "
        f"is off by {decimal(Fraction(worst['deviation']))} of {worst['before']} images."
    )


def _optimum(proof: dict[str, Any]) -> str:
    total = f"The deviations add up to {decimal(Fraction(proof['deviation']))} images"
    if proof["optimal"]:
        return f"{total}; it is proven that no split of this size has less ({proof['proof']})."
    bound = decimal(Fraction(proof["lowerBound"]))
    return f"{total}; no split of this size has less than {bound} ({proof['proof']})."


def _boxes(report: dict[str, Any]) -> str:
    boxes = sum(row["boxes"] for row in report["labels"])
    tested = sum(row["boxesInTest"] for row in report["labels"])
    return (
        f"{tested} of {boxes} boxes are in test entries; by label the deviations add up to "
        f"{decimal(Fraction(report['boxDeviation']))} boxes."
    )


def _named(labels: Sequence[str]) -> str:
    more = f" and {len(labels) - _NAMED} more" if len(labels) > _NAMED else ""
    return ", ".join(make_printable(label) for label in labels[:_NAMED]) + more


def _dropped(dropped: dict[str, Any]) -> Iterator[str]:
    if not dropped["lines"]:
        return
    yield f"Lines that are no entries and were dropped: {dropped['lines']}."
    for line in dropped["reasons"][:_DROPPED_SHOWN]:
        yield make_printable(f"  line {line['line']}: {line['reason']} {line['detail']}".rstrip())
    if dropped["lines"] > _DROPPED_SHOWN:
        yield f"  and {dropped['lines'] - _DROPPED_SHOWN} more; report.json names them."


def decimal(number: Fraction) -> str:
    return f"{float(number):.3f}".rstrip("0").rstrip(".")
