"""The pages in docs: links lead somewhere, and a command that is shown is one that a test runs, or says that it needs AWS."""

import re
from pathlib import Path

import pytest

from infra.options import Options
from tests.infra.conftest import Synthesize, synthesize

__all__ = ["synthesize"]

ROOT = Path(__file__).parents[2]
PAGES = sorted([*(ROOT / "docs").rglob("*.md"), ROOT / "README.md", ROOT / "CONTRIBUTING.md"])
RUN_BY = {
    "README.md": "local/test_readme.py",
    "docs/clients/aws-cli.md": "clients/test_guides.py",
    "docs/clients/boto3.md": "clients/test_guides.py",
    "docs/clients/curl.md": "clients/test_guides.py",
    "docs/getting-started.md": "clients/test_guides.py",
}
"""The tests that run the commands of a page, where these are not all of make, and not of AWS alone."""

BLOCK = re.compile(r"^```(?:sh|bash|shell|console)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
NEEDS_AWS = "# needs AWS\n"
OPERATIONS = ROOT / "docs" / "operations.md"

every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


def _blocks(page: Path) -> list[str]:
    return [text for text in BLOCK.findall(page.read_text()) if not text.startswith(NEEDS_AWS)]


def _anchors(page: Path) -> set[str]:
    """As forges make them of headings."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    plain = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings)
    return {heading.replace(" ", "-") for heading in plain}


@every_page
def test_every_link_leads_to_a_file_and_to_a_heading_of_it(page: Path) -> None:
    for link in re.findall(r"\]\((?!http)([^)]+)\)", page.read_text()):
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        assert target.exists(), link
        assert not anchor or anchor in _anchors(target), link


def test_the_pages_with_commands_are_those_that_tests_run() -> None:
    """Operations and contributing have tests of their own, below."""
    others = (page for page in PAGES if page not in (OPERATIONS, ROOT / "CONTRIBUTING.md"))
    shown = {
        str(page.relative_to(ROOT)) for page in others if not all(map(_is_make, _blocks(page)))
    }
    assert shown == set(RUN_BY)
    for page, test in RUN_BY.items():
        assert Path(page).name in (ROOT / "tests" / test).read_text(), page


def _is_make(block: str) -> bool:
    """Long campaigns have a target of their own; the suite runs a sample of each."""
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    lines = [line.split() for line in block.splitlines() if not line.startswith("#")]
    return all(line[0] == "make" and line[1] in targets for line in lines if line)


def test_the_commands_for_contributors_are_those_of_the_continuous_integration() -> None:
    ran = (ROOT / ".ci" / "run").read_text()
    for block in _blocks(ROOT / "CONTRIBUTING.md"):
        for line in block.splitlines():
            assert f"\n{line.partition('#')[0].strip()}\n" in ran, line


def test_what_operations_shows_without_aws_is_synthesized(synthesize: Synthesize) -> None:
    shown = [line for block in _blocks(OPERATIONS) for line in block.splitlines()]
    assert shown
    for line in shown:
        found = re.fullmatch(r'make synth(?: CONTEXT="([^"]+)")?', line)
        assert found, f"{line}: run it here, or mark its block with {NEEDS_AWS.strip()!r}"
        options = dict(pair.split("=", 1) for pair in (found[1] or "").split())
        assert synthesize(**options).body["Resources"]


def test_every_command_that_needs_aws_is_one_of_make_or_of_the_aws_cli() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for block in BLOCK.findall(OPERATIONS.read_text()):
        for line in block.replace("\\\n", " ").splitlines():
            program, *rest = line.split()
            assert program in ("#", "aws", "export") or (
                program == "make" and rest[0] in targets
            ), line


def test_every_option_is_in_the_docs_with_its_default() -> None:
    page = OPERATIONS.read_text()
    for name in Options.__dataclass_fields__:
        row = re.search(rf"^\| `{name}` \| ([^|]+) \|", page, re.MULTILINE)
        assert row, name
        default = getattr(Options(), name)
        if default and not isinstance(default, bool):
            assert row[1].strip() == f"`{default}`", name


def test_every_page_can_be_found_from_the_first_one() -> None:
    front, index = ROOT / "README.md", ROOT / "docs" / "README.md"
    linked = front.read_text().replace("](docs/", "](") + index.read_text()
    for page in (ROOT / "docs").glob("*.md"):
        assert f"]({page.name})" in linked, page.name
