"""The pages for newcomers and for each client: their examples are run as they stand there, and print what they say."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests import node
from tests.job import Job, two_labels

JAVASCRIPT = Path(__file__).with_name("js")

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"


def blocks(page: str, *languages: str) -> list[str]:
    text = (DOCS / page).read_text()
    found = re.findall(r"^```(\w+)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    return [code for language, code in found if language in languages]


def shown(page: str) -> str:
    return "".join(blocks(page, "text"))


def printed(command: list[str], environment: dict[str, str], folder: Path = ROOT) -> str:
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def shell(environment: dict[str, str]) -> dict[str, str]:
    """The environment of a reader who has exported what the pages say."""
    programs = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    return environment | {"AWS_DATA_PATH": str(ROOT / "clients" / "aws-models"), "PATH": programs}


@pytest.fixture
def arns(job: Job, shell: dict[str, str]) -> dict[str, str]:
    train, test = job.pair(two_labels(60))
    return shell | {"PROJECT": job.project, "TRAIN": train, "TEST": test}


def test_a_newcomer_gets_from_a_clone_to_another_seed(shell: dict[str, str]) -> None:
    script = "\n".join(blocks("getting-started.md", "python"))
    assert printed([sys.executable, "-c", script], shell) == shown("getting-started.md")


def test_the_page_for_boto3(arns: dict[str, str]) -> None:
    (script,) = blocks("clients/boto3.md", "python")
    assert printed([sys.executable, "-c", script], arns) == shown("clients/boto3.md")


@pytest.mark.parametrize("page", ["clients/aws-cli.md", "clients/curl.md"])
def test_the_pages_for_the_shell(arns: dict[str, str], page: str) -> None:
    script = "".join(code for code in blocks(page, "sh") if "export" not in code)
    out = printed(["bash", "-euo", "pipefail", "-c", script], arns)
    assert out.split() == shown(page).split()


def test_the_page_for_javascript(arns: dict[str, str]) -> None:
    node.install(JAVASCRIPT)
    (script,) = blocks("clients/javascript.md", "js")
    command = [str(node.NODE), "--input-type=module", "-e", script]
    assert printed(command, arns, JAVASCRIPT) == shown("clients/javascript.md")


@pytest.mark.parametrize("page", sorted(str(one.relative_to(DOCS)) for one in DOCS.rglob("*.md")))
def test_every_link_of_a_page_leads_to_a_file(page: str) -> None:
    links = re.findall(r"\]\((?!http)([^)#]+)\)", (DOCS / page).read_text())
    assert [link for link in links if not (DOCS / page).parent.joinpath(link).exists()] == []
