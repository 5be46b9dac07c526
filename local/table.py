"""The outcome of a run in words and a table."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Self

from rich import box
from rich.table import Table
from rich.text import Text

from local.results import Dropped
from twofold.escaping import make_printable

MAX_ROWS = 25
MAX_DROPPED_SHOWN = 10
MAX_NAMED = 5


@dataclass(frozen=True, slots=True)
class Row:
    """`deviation` in images: how many more are tested than the fraction says."""

    label: str
    before: int
    test: int
    deviation: Fraction

    @classmethod
    def of(cls, label: str, counts: dict[str, Any], fraction: Fraction) -> Self:
        before, test = counts["before"], counts["test"]
        return cls(label, before, test, test - fraction * before)

    def cells(self) -> Iterator[Text]:
        share = f"{100 * self.test / self.before:.1f} %" if self.before else ""
        counts = (str(self.before), str(self.before - self.test), str(self.test))
        texts = (self.label, *counts, share, signed(self.deviation))
        return map(Text, map(make_printable, texts))


def rows(report: dict[str, Any]) -> list[Row]:
    """Of the labels, the one with the largest deviation first."""
    fraction = Fraction(report["certificate"]["fraction"])
    found = [Row.of(one["label"], one, fraction) for one in report["labels"]]
    return sorted(found, key=lambda row: (-abs(row.deviation), -row.before, row.label))


def table(report: dict[str, Any]) -> Table:
    """A row for each label, the worst in bold; of many labels the MAX_ROWS that deviate most, and one row for the others."""
    drawn = Table(box=box.SIMPLE_HEAD, show_footer=True)
    for column, footer in zip(_COLUMNS, _footer(report), strict=True):
        justify = "left" if column == _COLUMNS[0] else "right"
        drawn.add_column(column, footer=footer, justify=justify, overflow="fold")  # type: ignore[arg-type]
    labels = rows(report)
    worst = abs(labels[0].deviation) if labels else Fraction(0)
    for row in labels[:MAX_ROWS]:
        style = "bold yellow" if worst and abs(row.deviation) == worst else None
        drawn.add_row(*row.cells(), style=style)
    others = labels[MAX_ROWS:]
    if others:
        most = f"at most {unsigned(others[0].deviation)}"
        drawn.add_row(f"{len(others)} more labels", "", "", "", "", most, style="dim")
    fraction = Fraction(report["certificate"]["fraction"])
    if report["unlabelled"]["before"]:
        drawn.add_row(*Row.of("(no label)", report["unlabelled"], fraction).cells())
    return drawn


_COLUMNS = ("Label", "Before", "Train", "Test", "Test share", "Off by, images")


def _footer(report: dict[str, Any]) -> Iterator[Text]:
    proof = report["certificate"]
    row = Row(
        "All entries",
        proof["entries"],
        proof["testEntriesReached"],
        proof["testEntriesReached"] - Fraction(proof["fraction"]) * proof["entries"],
    )
    return row.cells()


def sentences(report: dict[str, Any]) -> Iterator[str]:
    """The certificate, and which labels could not be on both sides."""
    proof = report["certificate"]
    yield _count(proof)
    yield _optimum(proof)
    yield from _missing(report)


def _missing(report: dict[str, Any]) -> Iterator[str]:
    confined = {*report.get("groups", {}).get("labelsInOneGroup", ())}
    for side, key in (("test", "labelsMissingInTest"), ("training", "labelsMissingInTrain")):
        few = [label for label in report[key] if label not in confined]
        if few:
            yield f"Too few images to be in the {side} dataset: {_named(few)}."
        missing = [label for label in report[key] if label in confined]
        if missing:
            yield f"Not in the {side} dataset, since all images are in one group: {_named(missing)}."


def _count(proof: dict[str, Any]) -> str:
    reached, wanted, entries = (
        proof[name] for name in ("testEntriesReached", "testEntriesWanted", "entries")
    )
    share = f"{unsigned(100 * Fraction(proof['fraction']))} %"
    if reached == wanted:
        return (
            f"Exactly {reached} of {entries} entries are tested: {share}, rounded to a whole entry."
        )
    return f"{reached} of {entries} entries are tested; {share} would be {wanted}."


def _optimum(proof: dict[str, Any]) -> str:
    deviation = unsigned(Fraction(proof["deviation"]))
    total = f"The deviations add up to {deviation} {'image' if deviation == '1' else 'images'}"
    if proof["optimal"]:
        return f"{total}; it is proven that no split of this size has less ({proof['proof']})."
    bound = unsigned(Fraction(proof["lowerBound"]))
    return f"{total}; no split of this size has less than {bound} ({proof['proof']})."


def _named(labels: Sequence[str]) -> str:
    more = f" and {len(labels) - MAX_NAMED} more" if len(labels) > MAX_NAMED else ""
    return ", ".join(make_printable(label) for label in labels[:MAX_NAMED]) + more


def told_drops(dropped: Sequence[Dropped]) -> Iterator[str]:
    if not dropped:
        return
    yield "1 line was dropped:" if len(dropped) == 1 else f"{len(dropped)} lines were dropped:"
    for line in dropped[:MAX_DROPPED_SHOWN]:
        yield make_printable(f"  line {line.line}: {line.reason} {line.detail}".rstrip())
    if len(dropped) > MAX_DROPPED_SHOWN:
        yield f"  and {len(dropped) - MAX_DROPPED_SHOWN} more; report.json has them all."


def signed(number: Fraction) -> str:
    return f"{'-' if number < 0 else '+'}{unsigned(number)}" if number else "0"


def unsigned(number: Fraction) -> str:
    return f"{abs(float(number)):.3f}".rstrip("0").rstrip(".")
