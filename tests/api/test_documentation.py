"""docs/api.md documents exactly the operations and errors of the API."""

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

import twofold
from local.model import load_service_model
from twofold import errors
from twofold.manifest.line.errors import ErrorCode, RejectionReason
from twofold.quotas import get_quotas
from twofold.settings import ApiOperation, QuotaProfile

PAGE = (Path(twofold.__file__).parents[2] / "docs" / "api.md").read_text()
VERDICTS = {"same", "better", "differs"}
Row = tuple[str, ...]


def parse_sections() -> Mapping[str, list[Row]]:
    """Return the table rows of each section by heading."""
    sections = {}
    for part in PAGE.split("\n## ")[1:]:
        heading, _, text = part.partition("\n")
        lines = [line for line in text.splitlines() if line.startswith("|")]
        rows = [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in lines]
        sections[heading] = rows[2:]
    return sections


SECTIONS = parse_sections()


def find_names(section: str) -> list[str]:
    """Return the first cells of a section's rows, without quotes."""
    return [row[0].strip("`") for row in SECTIONS[section]]


def find_exceptions(section: str) -> set[str]:
    return {name for name in find_names(section) if re.fullmatch(r"\w+(Exception|Error)", name)}


def test_every_operation_has_a_section() -> None:
    others = {
        "Every operation",
        "Why an operation fails",
        "Why a line is rejected",
        "Errors of an entry",
        "Quotas",
    }
    assert list(SECTIONS) != []
    assert set(SECTIONS) - others == {operation.value for operation in ApiOperation}


@pytest.mark.parametrize("operation", list(ApiOperation))
def test_every_error_of_an_operation_is_documented(operation: ApiOperation) -> None:
    model_errors = {
        e["shape"] for e in load_service_model()["operations"][operation.value]["errors"]
    }
    documented = find_exceptions(operation.value)
    assert model_errors <= documented | find_exceptions("Every operation")
    assert documented <= model_errors, "an error that the operation does not have"


def test_every_exception_class_is_documented() -> None:
    ours = {
        name
        for name, kind in vars(errors).items()
        if isinstance(kind, type)
        and issubclass(kind, errors.ServiceError)
        and kind not in (errors.ServiceError, errors.ClientFault, errors.ServerFault)
    }
    documented = {name for section in SECTIONS for name in find_exceptions(section)}
    assert ours <= documented


@pytest.mark.parametrize("section", [name for name in SECTIONS if name != "Quotas"])
def test_every_row_has_a_verdict_and_a_sentence(section: str) -> None:
    names = find_names(section)
    assert len(names) == len(set(names)), "a row twice"
    for row in SECTIONS[section]:
        assert len(row) == 3, row
        assert row[1] in VERDICTS, row
        assert row[2].endswith((".", ":")), row


def test_every_error_of_a_line_is_documented() -> None:
    assert find_names("Errors of an entry") == [code.value for code in ErrorCode]
    assert find_names("Why a line is rejected") == [reason.value for reason in RejectionReason]


def test_documented_failure_messages_are_in_the_code() -> None:
    sources = "".join(file.read_text() for file in Path(twofold.__file__).parent.rglob("*.py"))
    for code, _, documented in SECTIONS["Why an operation fails"]:
        if "INACCESSIBLE" not in code:
            message = documented.partition(". ")[0].rstrip(".")
            assert message in sources, code


def test_documented_quotas_are_those_of_the_code() -> None:
    rows = {row[0]: row[1:3] for row in SECTIONS["Quotas"]}
    ours, rekognition = get_quotas(QuotaProfile.TWOFOLD), get_quotas(QuotaProfile.REKOGNITION)
    assert rows["projects"] == (f"{ours.projects:,}", f"{rekognition.projects:,}")
    assert rows["labels of a dataset"] == (f"{ours.labels:,}", f"{rekognition.labels:,}")
    assert rows["entries of a dataset"] == (
        f"{ours.manifest_lines:,}",
        f"{rekognition.manifest_lines:,}",
    )
    assert rows["bytes of a manifest"] == (
        f"{ours.manifest_bytes >> 30} GiB",
        f"{rekognition.manifest_bytes >> 30} GiB",
    )
    assert rows["calls of an operation per second"][1] == str(rekognition.calls_per_second)
    assert f"{ours.operations:,} operations in progress" in PAGE
