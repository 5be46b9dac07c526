"""No secret is in the repository, the template or a function's environment: the one there is lies in the table."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

from tests.infra.synthesized import Synthesized
from twofold.settings import VARIABLES, Function, Variable

ROOT = Path(__file__).parents[2]
NOT_OURS = {"node_modules", "build", "cdk.out", "out", "dist", "__pycache__"}
LARGEST = 2_000_000
SECRETS = {
    "access key of AWS": r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",
    "secret of AWS": r"(?i)secret[\w ]*[=:]\s*[\"']?[A-Za-z0-9/+]{40}\b",
    "private key": r"-----BEGIN [A-Z ]*PRIVATE KEY-----",
    "token of a forge": r"\b(?:ghp|gho|ghs|glpat|github_pat)[_-][A-Za-z0-9_]{20,}",
    "token of a registry": r"\b(?:npm_[A-Za-z0-9]{36}|pypi-[A-Za-z0-9_-]{50,})",
    "password in an address": r"[a-z]+://[^\s/:@\"'{}<>]+:[^\s/:@\"'{}<>]+@[a-z]",
}


def _texts() -> Iterator[tuple[Path, str]]:
    for file in sorted(ROOT.rglob("*")):
        parts = file.relative_to(ROOT).parts
        if any(part.startswith(".") or part in NOT_OURS for part in parts[:-1]):
            continue
        if file.is_file() and file.stat().st_size < LARGEST:
            yield file, file.read_text(errors="replace")


def _found(text: str) -> list[str]:
    return [name for name, pattern in SECRETS.items() if re.search(pattern, text)]


def test_the_repository_has_no_secret() -> None:
    assert {str(file): found for file, text in _texts() if (found := _found(text))} == {}


def test_the_template_has_no_secret_and_asks_for_none(template: Synthesized) -> None:
    text = json.dumps(template.body)
    assert _found(text) == []
    assert "{{resolve:" not in text
    assert "NoEcho" not in text


def test_an_environment_has_names_and_numbers_only(template: Synthesized) -> None:
    for function in Function:
        declared = {variable.value for variable in VARIABLES[function]}
        assert template.environment_keys(function) >= declared
    for variable in Variable:
        assert not re.search("SECRET|PASSWORD|TOKEN|CREDENTIAL|_KEY", variable.value)


def test_the_search_finds_what_it_looks_for() -> None:
    parts = ("AKIA" + "ABCDEFGHIJKLMNOP", "-----BEGIN RSA " + "PRIVATE KEY-----")
    assert [_found(part) for part in parts] == [["access key of AWS"], ["private key"]]
    assert _found("aws_secret_access_key = " + "a" * 40) == ["secret of AWS"]
