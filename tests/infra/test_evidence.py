"""docs/evidence.md names only existing tests, and all test files of the rehearsal."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "evidence.md").read_text()
ROWS = re.findall(
    r"^\| (.+) \| ((?:rehearsal|suite|AWS)(?:, (?:suite|AWS))?) \| (.+) \|$", PAGE, re.M
)


@pytest.mark.parametrize(("claim", "evidence", "source"), ROWS, ids=[row[0] for row in ROWS])
def test_a_claim_names_tests_of_its_kind_of_evidence(
    claim: str, evidence: str, source: str
) -> None:
    files = re.findall(r"`(tests/[\w/]+\.py)`", source)
    for file in files:
        assert (ROOT / file).is_file(), claim
    if "rehearsal" in evidence:
        assert any(file.startswith("tests/rehearsal/") for file in files), claim


def test_every_file_of_the_rehearsal_is_evidence_for_something() -> None:
    files = {file.name for file in (ROOT / "tests" / "rehearsal").glob("test_*.py")}
    assert {name for name in files if name not in PAGE} == set()
    assert len(ROWS) > 15
