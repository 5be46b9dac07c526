"""`make` targets for AWS, on a clean clone and in a shell without region, credentials or account."""

import os
import re
import shlex
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from infra.account import AccountError, resolve_region
from infra.cdk import build_cli_arguments, parse_allowed_names

ROOT = Path(__file__).parents[2]
EMPTY = {
    "PATH": os.environ["PATH"],
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": "/dev/null",
    "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
}
DEPLOYING = ("bootstrap", "deploy", "diff", "destroy")


def run_target(
    target: str, *variables: str, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run the last command of a target with only the dependencies of the CDK app and the packages of this project."""
    shown = subprocess.run(
        ["make", "--dry-run", "--no-print-directory", target, *variables],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    recipe = shown.stdout.splitlines()[-1]
    script = re.sub(r"\S*bin/python ", f"{shlex.quote(sys.executable)} -S ", recipe)
    # `-S` hides the editable installation; the sources stand in for it.
    sources = (ROOT / "lambdas", ROOT / "clients" / "command", sysconfig.get_path("purelib"))
    # make passes variables to the shell as environment variables.
    variable_values = {"DATA": "keep"} | dict(variable.split("=", 1) for variable in variables)
    return subprocess.run(
        ["bash", "-c", script],
        cwd=ROOT,
        env=EMPTY | {"PYTHONPATH": ":".join(map(str, sources))} | variable_values | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def _read_error_line(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 1, done.stdout + done.stderr
    (line,) = (done.stdout + done.stderr).splitlines()
    return line


@pytest.mark.parametrize("target", DEPLOYING)
def test_without_a_region_or_credentials_each_command_names_the_setting(target: str) -> None:
    assert "No region is set. Set one: export AWS_REGION=" in _read_error_line(run_target(target))
    without_keys = run_target(target, AWS_REGION="eu-west-1")
    assert "There are no AWS credentials. Log in" in _read_error_line(without_keys)
    unknown = run_target(target, AWS_PROFILE="nobody")
    assert "The config profile (nobody) could not be found" in _read_error_line(unknown)


@pytest.mark.parametrize("target", DEPLOYING)
@pytest.mark.parametrize("context", ["stag=dev", "dev", "stage=DEV"])
def test_a_mistyped_option_never_leads_to_another_stage(target: str, context: str) -> None:
    """The CDK CLI ignores unknown keys, and would deploy `prod`."""
    assert _read_error_line(run_target(target, f"CONTEXT={context}")).startswith(
        (f"'{context}': give options as", "stage='DEV': use")
    )


@pytest.mark.parametrize("target", [*DEPLOYING, "synth"])
def test_a_stage_without_a_file_is_refused_by_each_command(target: str) -> None:
    message = _read_error_line(run_target(target, "STAGE=production", AWS_REGION="eu-west-1"))
    path = f"{ROOT}/stages/production.toml"
    assert message.startswith(f"{path} does not exist. Stages with a file: prod.")
    assert message.endswith("For another stage, name it: STAGE=name.")


def test_a_stage_is_given_once() -> None:
    message = _read_error_line(run_target("deploy", "STAGE=dev", "CONTEXT=stage=prod"))
    assert message == "stage is given twice: 'dev' and 'prod'. Give it once."


def test_smoke_names_the_missing_setting() -> None:
    deployed = "URL=https://abcdefghij.execute-api.eu-west-1.amazonaws.com/prod/"
    failed, why = run_target("smoke", deployed).stdout.splitlines()
    assert failed.startswith("create the datasets: failed after")
    assert why.startswith("No AWS credentials set; set AWS_PROFILE")
    assert "'' is not a URL" in run_target("smoke").stderr


def test_any_value_of_data_but_keep_and_delete_is_refused() -> None:
    shown = subprocess.run(
        ["make", "--dry-run", "destroy", "DATA=delte"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    check = next(line for line in shown.stdout.splitlines() if line.startswith("case"))
    completed = subprocess.run(
        ["sh", "-c", check], env={"DATA": "delte"}, capture_output=True, text=True, check=False
    )
    assert (completed.returncode, completed.stderr) == (1, "DATA=delte: use keep or delete\n")


def test_options_go_to_the_app_and_arguments_with_a_hyphen_to_the_cli() -> None:
    arguments = ["stage=dev", "--require-approval=never", "waf_rate=500", "--allow=kms_key,workers"]
    assert build_cli_arguments("diff", arguments) == [
        *("diff", "--context", "stage=dev", "--context", "waf_rate=500"),
        "--require-approval=never",
    ]
    assert parse_allowed_names(arguments) == {"kms_key", "workers"}


def test_boto3_and_the_cdk_cli_get_the_same_region(monkeypatch: pytest.MonkeyPatch) -> None:
    """The CLI reads AWS_REGION before AWS_DEFAULT_REGION; boto3 reads only AWS_DEFAULT_REGION."""
    for name, value in EMPTY.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "any")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "any")
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    assert (
        resolve_region()
        == os.environ["AWS_DEFAULT_REGION"]
        == os.environ["AWS_REGION"]
        == "eu-west-1"
    )
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(AccountError):
        resolve_region()
