"""The report of a split as a document: read, and of the form that docs/report.md describes."""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from twofold_verify.files import UnreadableError, read_file
from twofold_verify.form import FormError, check_form
from twofold_verify.members import COMMAND_REPORT, SERVICE_REPORT
from twofold_verify.strict_json import JsonError, parse_json

MAX_REPORT_BYTES = 512 << 20
MAX_DENOMINATOR = 1_000_000


@dataclass(frozen=True, slots=True)
class Report:
    """The claims of a report, all of them in `raw`."""

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
    def balances_boxes(self) -> bool:
        return "objective" in self.parameters

    @property
    def coordinated(self) -> bool:
        """Whether the split keeps a previous one."""
        return "previous" in self.parameters


def read_report(path: Path) -> Report:
    """Raises UnreadableError where the file is not the report of a split that has manifests."""
    try:
        raw = parse_json(read_file(path, MAX_REPORT_BYTES))
        dataset_form = type(raw) is dict and "operation" in raw
        check_form(raw, SERVICE_REPORT if dataset_form else COMMAND_REPORT)
    except (JsonError, FormError) as error:
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
