"""The examples in getting-started.md and in the pages for clients print the output that the pages show."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import node
from tests.support.job import Job, make_two_label_lines

JAVASCRIPT = Path(__file__).with_name("js")

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"


def read_blocks(page: str, *languages: str) -> list[str]:
    text = (DOCS / page).read_text()
    blocks = re.findall(r"^```(\w+)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    return [code for language, code in blocks if language in languages]


def read_expected_output(page: str) -> str:
    return "".join(read_blocks(page, "text"))


def run_command(command: list[str], environment: dict[str, str], folder: Path = ROOT) -> str:
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def shell(environment: dict[str, str]) -> dict[str, str]:
    """The environment after the exports of the pages."""
    programs = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    return environment | {"AWS_DATA_PATH": str(ROOT / "clients" / "aws-models"), "PATH": programs}


@pytest.fixture
def arns(job: Job, shell: dict[str, str]) -> dict[str, str]:
    train, test = job.create_pair(make_two_label_lines(60))
    return shell | {"PROJECT": job.project, "TRAIN": train, "TEST": test}


def test_the_getting_started_page(shell: dict[str, str]) -> None:
    script = "\n".join(read_blocks("getting-started.md", "python"))
    assert run_command([sys.executable, "-c", script], shell) == read_expected_output(
        "getting-started.md"
    )


def test_the_page_for_boto3(arns: dict[str, str]) -> None:
    (script,) = read_blocks("clients/boto3.md", "python")
    assert run_command([sys.executable, "-c", script], arns) == read_expected_output(
        "clients/boto3.md"
    )


@pytest.mark.parametrize("page", ["clients/aws-cli.md", "clients/curl.md"])
def test_the_pages_for_the_shell(arns: dict[str, str], page: str) -> None:
    script = "".join(code for code in read_blocks(page, "sh") if "export" not in code)
    out = run_command(["bash", "-euo", "pipefail", "-c", script], arns)
    assert out.split() == read_expected_output(page).split()


def test_the_page_for_javascript(arns: dict[str, str]) -> None:
    node.install_packages(JAVASCRIPT)
    (script,) = read_blocks("clients/javascript.md", "js")
    command = [str(node.NODE), "--input-type=module", "-e", script]
    assert run_command(command, arns, JAVASCRIPT) == read_expected_output("clients/javascript.md")


@pytest.mark.parametrize("page", sorted(str(path.relative_to(DOCS)) for path in DOCS.rglob("*.md")))
def test_every_link_has_a_target(page: str) -> None:
    links = re.findall(r"\]\((?!http)([^)#]+)\)", (DOCS / page).read_text())
    assert [link for link in links if not (DOCS / page).parent.joinpath(link).exists()] == []
