"""Repository, template and environment variables contain no secrets; the pagination key is stored in the table."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

from tests.infra.synthesized_template import SynthesizedTemplate
from twofold.settings import VARIABLES, Function, Variable

ROOT = Path(__file__).parents[2]
SKIPPED_FOLDERS = {"node_modules", "build", "cdk.out", "out", "dist", "__pycache__"}
MAX_FILE_BYTES = 2_000_000
SECRET_PATTERNS = {
    "access key of AWS": r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",
    "secret of AWS": r"(?i)secret[\w ]*[=:]\s*[\"']?[A-Za-z0-9/+]{40}\b",
    "private key": r"-----BEGIN [A-Z ]*PRIVATE KEY-----",
    "token of a Git host": r"\b(?:ghp|gho|ghs|glpat|github_pat)[_-][A-Za-z0-9_]{20,}",
    "token of a registry": r"\b(?:npm_[A-Za-z0-9]{36}|pypi-[A-Za-z0-9_-]{50,})",
    "password in an address": r"[a-z]+://[^\s/:@\"'{}<>]+:[^\s/:@\"'{}<>]+@[a-z]",
}


def _read_texts() -> Iterator[tuple[Path, str]]:
    for file in sorted(ROOT.rglob("*")):
        parts = file.relative_to(ROOT).parts
        if any(part.startswith(".") or part in SKIPPED_FOLDERS for part in parts[:-1]):
            continue
        if file.is_file() and file.stat().st_size < MAX_FILE_BYTES:
            yield file, file.read_text(errors="replace")


def _find_secrets(text: str) -> list[str]:
    return [name for name, pattern in SECRET_PATTERNS.items() if re.search(pattern, text)]


def test_the_repository_has_no_secret() -> None:
    findings = {str(file): _find_secrets(text) for file, text in _read_texts()}
    assert {file: secrets for file, secrets in findings.items() if secrets} == {}


def test_the_template_has_no_secret_and_no_parameter_for_a_secret(
    template: SynthesizedTemplate,
) -> None:
    text = json.dumps(template.body)
    assert _find_secrets(text) == []
    assert "{{resolve:" not in text
    assert "NoEcho" not in text


def test_an_environment_has_names_and_numbers_only(template: SynthesizedTemplate) -> None:
    for function in Function:
        declared = {variable.value for variable in VARIABLES[function]}
        assert template.list_environment_variables(function) >= declared
    for variable in Variable:
        assert not re.search("SECRET|PASSWORD|TOKEN|CREDENTIAL|_KEY", variable.value)


def test_the_search_finds_secrets() -> None:
    parts = ("AKIA" + "ABCDEFGHIJKLMNOP", "-----BEGIN RSA " + "PRIVATE KEY-----")
    assert [_find_secrets(part) for part in parts] == [["access key of AWS"], ["private key"]]
    assert _find_secrets("aws_secret_access_key = " + "a" * 40) == ["secret of AWS"]
