"""What `make` does with AWS, as far as it goes without an account: on a clean clone, in a shell where things are missing."""

import os
import re
import shlex
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from infra.account import AccountError, settle
from infra.cdk import arguments_of, names_allowed

ROOT = Path(__file__).parents[2]
EMPTY = {
    "PATH": os.environ["PATH"],
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": "/dev/null",
    "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
}
DEPLOYING = ("bootstrap", "deploy", "diff", "destroy")


def _made(target: str, *variables: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """What make would run, where only the app's requirements are installed: `-S` hides this project's sources."""
    shown = subprocess.run(
        ["make", "--dry-run", "--no-print-directory", target, *variables],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    recipe = shown.stdout.splitlines()[-1]
    script = re.sub(r"\S*bin/python ", f"{shlex.quote(sys.executable)} -S ", recipe)
    packages = sysconfig.get_path("purelib")
    # make hands what users give to the shell as environment variables.
    given = {"DATA": "keep"} | dict(variable.split("=", 1) for variable in variables)
    script = re.sub(r"PYTHONPATH=(\S+)", rf"PYTHONPATH=\1:{packages}", script)
    return subprocess.run(
        ["bash", "-c", script],
        cwd=ROOT,
        env=EMPTY | {"PYTHONPATH": packages} | given | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def _one_line(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 1, done.stdout + done.stderr
    (line,) = (done.stdout + done.stderr).splitlines()
    return line


@pytest.mark.parametrize("target", DEPLOYING)
def test_without_a_region_or_credentials_each_command_says_what_to_set(target: str) -> None:
    assert "No region is set. Say where to: export AWS_REGION=" in _one_line(_made(target))
    without_keys = _made(target, AWS_REGION="eu-west-1")
    assert "There are no AWS credentials. Log in" in _one_line(without_keys)
    unknown = _made(target, AWS_PROFILE="nobody")
    assert "The config profile (nobody) could not be found" in _one_line(unknown)


@pytest.mark.parametrize("target", DEPLOYING)
@pytest.mark.parametrize("context", ["stag=dev", "dev", "stage=DEV"])
def test_a_mistyped_option_never_leads_to_another_stage(target: str, context: str) -> None:
    """The CDK CLI passes over what it does not know, and would deploy `prod`."""
    assert _one_line(_made(target, f"CONTEXT={context}")).startswith(
        (f"'{context}': give options as", "stage='DEV': use")
    )


@pytest.mark.parametrize("target", [*DEPLOYING, "synth"])
def test_a_stage_without_a_file_is_refused_by_each_command(target: str) -> None:
    told = _one_line(_made(target, "STAGE=production", AWS_REGION="eu-west-1"))
    assert told.startswith(f"There is no {ROOT}/stages/production.toml. Stages with a file: prod.")
    assert told.endswith("for another stage name it: STAGE=name.")


def test_a_stage_is_given_once() -> None:
    told = _one_line(_made("deploy", "STAGE=dev", "CONTEXT=stage=prod"))
    assert told == "stage is given twice: 'dev' and 'prod'. Give it once."


def test_smoke_says_what_is_missing() -> None:
    deployed = "URL=https://abcdefghij.execute-api.eu-west-1.amazonaws.com/prod/"
    failed, why = _made("smoke", deployed).stdout.splitlines()
    assert failed.startswith("create the datasets: failed after")
    assert why.startswith("There are no AWS credentials. Set AWS_PROFILE")
    assert "'' is no address" in _made("smoke").stderr


def test_data_is_kept_or_deleted_and_nothing_else() -> None:
    shown = subprocess.run(
        ["make", "--dry-run", "destroy", "DATA=delte"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    check = next(line for line in shown.stdout.splitlines() if line.startswith("case"))
    done = subprocess.run(
        ["sh", "-c", check], env={"DATA": "delte"}, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (1, "DATA=delte: use keep or delete\n")


def test_options_are_the_apps_and_what_begins_with_a_hyphen_is_the_clis() -> None:
    given = ["stage=dev", "--require-approval=never", "waf_rate=500", "--allow=kms_key,workers"]
    assert arguments_of("diff", given) == [
        *("diff", "--context", "stage=dev", "--context", "waf_rate=500"),
        "--require-approval=never",
    ]
    assert names_allowed(given) == {"kms_key", "workers"}


def test_boto3_and_the_cdk_cli_get_the_same_region(monkeypatch: pytest.MonkeyPatch) -> None:
    """The CLI reads AWS_REGION before AWS_DEFAULT_REGION, boto3 reads the latter alone."""
    for name, value in EMPTY.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "any")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "any")
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    assert settle() == os.environ["AWS_DEFAULT_REGION"] == os.environ["AWS_REGION"] == "eu-west-1"
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(AccountError):
        settle()
