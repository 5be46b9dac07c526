"""The report of a split into parts, and its schema."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from twofold_verify.files import UnreadableError
from twofold_verify.report import MAX_DENOMINATOR, Report
from twofold_verify.report_schema import (
    DATASET,
    DIGEST,
    DROPPED,
    ERRORS,
    FRACTION,
    SHORT,
)
from twofold_verify.schema import SchemaError, check_schema

FORMAT = "parts-1"
MAX_PARTS = 100
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,49}")
_ROW = {"before": int, "parts": [int], "deviation": FRACTION}
_PARAMETERS = {
    "parts": [{"name": _NAME, "fraction": FRACTION}],
    "seed": int,
    "groupBy?": str,
    "ungrouped?": re.compile("single"),
}


@dataclass(frozen=True, slots=True)
class PartsReport(Report):
    """The claims of a report; `fraction` is the least fraction of a part."""

    names: tuple[str, ...] = ()
    fractions: tuple[Fraction, ...] = ()


def read_parts_report(path: Path, raw: dict[str, Any]) -> PartsReport:
    """Checks the document. Raises UnreadableError if it is not the report of a split into parts."""
    try:
        return _make_parts_report(path, raw)
    except SchemaError as error:
        raise UnreadableError(f"{path} is not the report of a split: it {error}.") from error


def _make_parts_report(path: Path, raw: dict[str, Any]) -> PartsReport:
    if type(raw.get("parameters")) is not dict:
        raise SchemaError("has no parameters")
    check_schema(raw["parameters"], _PARAMETERS, "parameters")
    parts = raw["parameters"]["parts"]
    names = tuple(part["name"] for part in parts)
    fractions = tuple(_read_fraction(path, part["fraction"]) for part in parts)
    if not 2 <= len(parts) <= MAX_PARTS or len({name.lower() for name in names}) < len(names):
        raise UnreadableError(
            f"In {path} parameters.parts must have 2 to {MAX_PARTS} parts with different names."
        )
    if sum(fractions) != 1:
        raise UnreadableError(
            f"In {path} the fractions of the parts add up to {sum(fractions)}, not to 1."
        )
    check_schema(raw, _make_schema(names))
    return PartsReport(raw, min(fractions), names, fractions)


def _read_fraction(path: Path, text: str) -> Fraction:
    try:
        fraction = Fraction(text)
    except ZeroDivisionError:
        fraction = Fraction(0)
    if not 0 < fraction < 1 or fraction.denominator > MAX_DENOMINATOR or str(fraction) != text:
        raise UnreadableError(
            f"In {path} a part has the fraction {text!r}; it must be between 0 and 1 and in lowest terms."
        )
    return fraction


def _make_schema(names: tuple[str, ...]) -> Mapping[str, Any]:
    return {
        "twofold": SHORT,
        "format": re.compile(FORMAT),
        "parameters": _PARAMETERS,
        "certificate": {
            "algorithmVersion": int,
            "seed": int,
            "entries": int,
            "groups": (int, type(None)),
            "entriesWanted": [int],
            "entriesReached": [int],
            "deviation": FRACTION,
            "lowerBound": FRACTION,
            "gap": FRACTION,
            "optimal": bool,
            "proof": SHORT,
            "movedEntries": int,
        },
        "labels": [{"label": str, **_ROW}],
        "unlabelled": _ROW,
        "labelsMissing": {name: [str] for name in names},
        "rareLabels": [str],
        "groups?": {
            "groups": int,
            "largestGroup": int,
            "parts": [int],
            "sizes": [{"from": int, "to": int, "parts": [int]}],
            "labelsInOneGroup": [str],
            "ungrouped?": int,
        },
        "datasets": dict.fromkeys(names, DATASET),
        "source": {
            "manifest": str,
            "lines": int,
            "entries": int,
            "errorEntries": int,
            "errors": ERRORS,
            "digest": DIGEST,
        },
        "dropped": DROPPED,
        "warnings": [
            {
                "code": SHORT,
                "level": re.compile("warning|note"),
                "message": str,
                "count?": int,
                "labels?": [str],
                "part?": str,
            }
        ],
    }


PARTS_UNCHECKED_MEMBERS: Mapping[str, str] = {
    "twofold": "the version that made the split",
    "source.manifest": "the name of the source manifest",
    "source.errorEntries": "entries with errors in their labels",
    "source.errors": "the error codes, with the first line of each",
    "certificate.proof": "the solver's claim, unless the proof is the integrality floor",
    "warnings[].message": "the text; code, level, part, labels and count are checked",
    "dropped.reasons[].detail": "the text; the manifests do not contain rejected lines",
}
"""Members that the manifests cannot confirm, with a description by path; `[]` is any element of an array."""
