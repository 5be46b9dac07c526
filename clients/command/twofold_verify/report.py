"""Read report.json and check it against the schema of docs/report.md."""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from twofold_verify.files import MAX_REPORT_BYTES, UnreadableError, read_file
from twofold_verify.report_schema import COMMAND_REPORT, SERVICE_REPORT
from twofold_verify.schema import SchemaError, check_schema
from twofold_verify.strict_json import JsonError, parse_json

MAX_DENOMINATOR = 1_000_000


@dataclass(frozen=True, slots=True)
class Report:
    """The claims of a report; `raw` is the whole document."""

    raw: dict[str, Any]
    fraction: Fraction

    @property
    def parameters(self) -> dict[str, Any]:
        parameters: dict[str, Any] = self.raw["parameters"]
        return parameters

    @property
    def certificate(self) -> dict[str, Any]:
        certificate: dict[str, Any] = self.raw["certificate"]
        return certificate

    @property
    def seed(self) -> int:
        return int(self.parameters["seed"])

    @property
    def group_by(self) -> str | None:
        return self.parameters.get("groupBy")

    @property
    def allows_singles(self) -> bool:
        """Whether entries without a group key are groups of their own."""
        return "ungrouped" in self.parameters

    @property
    def balance_by(self) -> list[str]:
        """The expressions of the balanced members; empty without any."""
        expressions: list[str] = self.parameters.get("balanceBy", [])
        return expressions

    @property
    def min_per_label(self) -> int:
        """The images of each label that are demanded on each side; 0 without a demand."""
        return int(self.parameters.get("minPerLabel", 0))

    @property
    def balances_boxes(self) -> bool:
        return "objective" in self.parameters

    @property
    def keeps_previous(self) -> bool:
        """Whether the split keeps a previous split."""
        return "previous" in self.parameters

    @property
    def matches_previous_by_key(self) -> bool:
        """Whether images of the previous split are the same images if their keys are equal, in any bucket."""
        return "matchedBy" in self.parameters.get("previous", {})

    def name_image(self, source_ref: str) -> str:
        """Returns the text by which an image is found in the previous split: the source-ref, or its key."""
        return source_ref.split("/", 3)[3] if self.matches_previous_by_key else source_ref


def parse_report(path: Path) -> Any:
    """Reads the JSON document. Raises UnreadableError."""
    try:
        return parse_json(read_file(path, MAX_REPORT_BYTES))
    except JsonError as error:
        raise UnreadableError(f"{path} is not the report of a split: it {error}.") from error


def read_report(path: Path, raw: Any) -> Report:
    """Checks the document. Raises UnreadableError if it is not the report of a split with manifests."""
    try:
        is_from_service = type(raw) is dict and "operation" in raw
        check_schema(raw, SERVICE_REPORT if is_from_service else COMMAND_REPORT)
    except SchemaError as error:
        raise UnreadableError(f"{path} is not the report of a split: it {error}.") from error
    if raw.get("dryRun"):
        raise UnreadableError(
            f"{path} is the report of a dry run, which writes no manifests; "
            "distribute without --dry-run and verify that report."
        )
    if "datasets" not in raw:
        raise UnreadableError(f"{path} is not the report of a split: it has no datasets.")
    return Report(raw, _read_fraction(path, raw["parameters"]["testFraction"]))


def _read_fraction(path: Path, text: str) -> Fraction:
    fraction = Fraction(text)
    if not 0 < fraction < 1 or fraction.denominator > MAX_DENOMINATOR or str(fraction) != text:
        raise UnreadableError(
            f"In {path} parameters.testFraction is {text!r}; it must be a fraction between 0 and 1 "
            f"in lowest terms, with a denominator of at most {MAX_DENOMINATOR:,}."
        )
    return fraction
