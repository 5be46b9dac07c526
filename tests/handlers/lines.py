"""What functions wrote to standard output, as CloudWatch reads it: structured lines, and the metrics in them."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

Line = Mapping[str, Any]


@dataclass(frozen=True)
class Datum:
    """One value of one metric in one combination of dimensions."""

    name: str
    dimensions: frozenset[tuple[str, str]]
    value: float
    unit: str


def lines(printed: str) -> list[Line]:
    """The structured lines among what was printed."""
    return [json.loads(line) for line in printed.splitlines() if line.startswith("{")]


def metrics(read: Iterable[Line]) -> list[Datum]:
    """As CloudWatch's specification of the embedded metric format has it; raises KeyError for a member that is missing."""
    return [
        Datum(
            metric["Name"],
            frozenset((name, line[name]) for name in dimensions),
            line[metric["Name"]],
            metric["Unit"],
        )
        for line in read
        if "_aws" in line
        for directive in line["_aws"]["CloudWatchMetrics"]
        for dimensions in directive["Dimensions"]
        for metric in directive["Metrics"]
    ]
