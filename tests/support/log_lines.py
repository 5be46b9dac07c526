"""Parse the functions' standard output as CloudWatch does: structured lines and EMF metrics."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

Line = Mapping[str, Any]


@dataclass(frozen=True)
class MetricValue:
    """A value of a metric for a combination of dimensions."""

    name: str
    dimensions: frozenset[tuple[str, str]]
    value: float
    unit: str


def parse_lines(printed: str) -> list[Line]:
    """Return the structured lines of an output."""
    return [json.loads(line) for line in printed.splitlines() if line.startswith("{")]


def extract_metrics(read: Iterable[Line]) -> list[MetricValue]:
    """Extract metrics as specified for CloudWatch's embedded metric format. Raises KeyError for a missing member."""
    return [
        MetricValue(
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
