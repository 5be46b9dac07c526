"""The pages in docs: links have targets, and every command is run by a test or marked as needing AWS."""

import re
from pathlib import Path

import pytest

from infra.options import Options
from tests.infra.conftest import Synthesize, synthesize

__all__ = ["synthesize"]

ROOT = Path(__file__).parents[2]
PAGES = sorted([*(ROOT / "docs").rglob("*.md"), ROOT / "README.md", ROOT / "CONTRIBUTING.md"])
TESTED_BY = {
    "README.md": "local/test_readme.py",
    "docs/clients/aws-cli.md": "public_clients/test_guides.py",
    "docs/clients/boto3.md": "public_clients/test_guides.py",
    "docs/clients/curl.md": "public_clients/test_guides.py",
    "docs/getting-started.md": "public_clients/test_guides.py",
}
"""The tests that run the commands of a page. Pages with make targets only, or with AWS commands only, are not listed."""

BLOCK = re.compile(r"^```(?:sh|bash|shell|console)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
NEEDS_AWS = "# needs AWS\n"
OPERATIONS = ROOT / "docs" / "operations.md"

every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


def _read_commands(page: Path) -> list[str]:
    return [text for text in BLOCK.findall(page.read_text()) if not text.startswith(NEEDS_AWS)]


def _read_anchors(page: Path) -> set[str]:
    """Return the anchors of the headings, as GitHub generates them."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    plain = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings)
    return {heading.replace(" ", "-") for heading in plain}


@every_page
def test_every_link_has_a_target_file_and_heading(page: Path) -> None:
    for link in re.findall(r"\]\((?!http)([^)]+)\)", page.read_text()):
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        assert target.exists(), link
        assert not anchor or anchor in _read_anchors(target), link


def test_every_page_with_commands_is_tested() -> None:
    """operations.md and CONTRIBUTING.md have separate tests below."""
    others = (page for page in PAGES if page not in (OPERATIONS, ROOT / "CONTRIBUTING.md"))
    shown = {
        str(page.relative_to(ROOT))
        for page in others
        if not all(map(_has_make_targets_only, _read_commands(page)))
    }
    assert shown == set(TESTED_BY)
    for page, test in TESTED_BY.items():
        assert Path(page).name in (ROOT / "tests" / test).read_text(), page


def _has_make_targets_only(block: str) -> bool:
    """Whether each line calls make. Long campaigns are make targets; the suite runs a sample of each."""
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    lines = [line.split() for line in block.splitlines() if not line.startswith("#")]
    return all(line[0] == "make" and line[1] in targets for line in lines if line)


def test_the_continuous_integration_runs_the_commands_for_contributors() -> None:
    ran = (ROOT / ".ci" / "run").read_text()
    for block in _read_commands(ROOT / "CONTRIBUTING.md"):
        for line in block.splitlines():
            assert f"\n{line.partition('#')[0].strip()}\n" in ran, line


def test_the_synth_commands_in_operations_work(synthesize: Synthesize) -> None:
    shown = [line for block in _read_commands(OPERATIONS) for line in block.splitlines()]
    assert shown
    for line in shown:
        found = re.fullmatch(r'make synth(?: CONTEXT="([^"]+)")?', line)
        assert found, f"{line}: run the command here, or mark the block with {NEEDS_AWS.strip()!r}"
        options = dict(pair.split("=", 1) for pair in (found[1] or "").split())
        assert synthesize(**options).body["Resources"]


def test_every_command_that_needs_aws_calls_make_or_the_aws_cli() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for block in BLOCK.findall(OPERATIONS.read_text()):
        for line in block.replace("\\\n", " ").splitlines():
            program, *rest = line.split()
            assert program in ("#", "aws", "export") or (
                program == "make" and rest[0] in targets
            ), line


def test_every_option_is_documented_with_its_default() -> None:
    page = OPERATIONS.read_text()
    for name in Options.__dataclass_fields__:
        row = re.search(rf"^\| `{name}` \| ([^|]+) \|", page, re.MULTILINE)
        assert row, name
        default = getattr(Options(), name)
        if default and not isinstance(default, bool):
            assert row[1].strip() == f"`{default}`", name


def test_every_page_is_linked_from_the_readme() -> None:
    front, index = ROOT / "README.md", ROOT / "docs" / "README.md"
    linked = front.read_text().replace("](docs/", "](") + index.read_text()
    for page in (ROOT / "docs").glob("*.md"):
        assert f"]({page.name})" in linked, page.name
