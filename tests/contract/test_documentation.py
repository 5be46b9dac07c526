"""docs/api.md speaks of every operation and every error that there is, and of none that there is not."""

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

import twofold
from local.model import service_model
from twofold import errors
from twofold.manifest.document import RejectionReason
from twofold.manifest.faults import Code
from twofold.quotas import limits
from twofold.settings import Operation, Quotas

PAGE = (Path(twofold.__file__).parents[2] / "docs" / "api.md").read_text()
VERDICTS = {"same", "better", "differs"}
Row = tuple[str, ...]


def sections() -> Mapping[str, list[Row]]:
    """The rows of each section's table, by its heading."""
    found = {}
    for part in PAGE.split("\n## ")[1:]:
        heading, _, text = part.partition("\n")
        lines = [line for line in text.splitlines() if line.startswith("|")]
        rows = [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in lines]
        found[heading] = rows[2:]
    return found


SECTIONS = sections()


def named(section: str) -> list[str]:
    """What the rows of a section are about, without quoting."""
    return [row[0].strip("`") for row in SECTIONS[section]]


def exceptions_in(section: str) -> set[str]:
    return {name for name in named(section) if re.fullmatch(r"\w+(Exception|Error)", name)}


def test_every_operation_has_a_section_and_nothing_else_has_one() -> None:
    others = {
        "Every operation",
        "Why an operation fails",
        "Why a line is dropped",
        "What is wrong with an entry",
        "Quotas",
    }
    assert list(SECTIONS) != []
    assert set(SECTIONS) - others == {operation.value for operation in Operation}


@pytest.mark.parametrize("operation", list(Operation))
def test_every_error_of_an_operation_is_spoken_of(operation: Operation) -> None:
    modelled = {e["shape"] for e in service_model()["operations"][operation.value]["errors"]}
    told = exceptions_in(operation.value)
    assert modelled <= told | exceptions_in("Every operation")
    assert told <= modelled, "an error that the operation does not have"


def test_every_error_of_ours_is_spoken_of() -> None:
    ours = {
        name
        for name, kind in vars(errors).items()
        if isinstance(kind, type)
        and issubclass(kind, errors.ServiceError)
        and kind not in (errors.ServiceError, errors.ClientFault, errors.ServerFault)
    }
    told = {name for section in SECTIONS for name in exceptions_in(section)}
    assert ours <= told


@pytest.mark.parametrize("section", [name for name in SECTIONS if name != "Quotas"])
def test_every_row_has_a_verdict_and_says_what_or_why(section: str) -> None:
    names = named(section)
    assert len(names) == len(set(names)), "a row twice"
    for row in SECTIONS[section]:
        assert len(row) == 3, row
        assert row[1] in VERDICTS, row
        assert row[2].endswith((".", ":")), row


def test_every_error_of_a_line_is_spoken_of() -> None:
    assert named("What is wrong with an entry") == [code.value for code in Code]
    assert named("Why a line is dropped") == [reason.value for reason in RejectionReason]


def test_messages_of_failures_are_those_that_the_code_has() -> None:
    sources = "".join(file.read_text() for file in Path(twofold.__file__).parent.rglob("*.py"))
    for code, _, told in SECTIONS["Why an operation fails"]:
        if "INACCESSIBLE" not in code:
            message = told.partition(". ")[0].rstrip(".")
            assert message in sources, code


def test_quotas_are_those_of_the_code() -> None:
    rows = {row[0]: row[1:3] for row in SECTIONS["Quotas"]}
    ours, rekognition = limits(Quotas.TWOFOLD), limits(Quotas.REKOGNITION)
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
    assert rows["calls of an operation a second"][1] == str(rekognition.calls_per_second)
    assert f"{ours.operations:,} operations are under way" in PAGE
