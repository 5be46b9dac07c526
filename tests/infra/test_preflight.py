"""Preflight checks: findings that stop `make deploy`, and the report of `make diff`."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra import cdk, preflight
from infra.concurrency import Concurrency
from infra.deployed import find_stack, make_client
from infra.options import Options
from infra.preflight import Deployment, find_problems, select_refusals
from local.emulator.server import Emulator
from tests.infra.account import STACK, build_environment, deploy, enter_shell
from tests.infra.conftest import Synthesize
from tests.infra.synthesized_template import SynthesizedTemplate
from tests.infra.test_commands import run_target
from tests.infra.test_destroy import clean_up
from twofold.access import Guard
from twofold.settings import Function, make_function_name

KEY = "arn:aws:kms:us-east-1:123456789012:key/0f0e0d0c-0000-4000-8000-00000000000a"
OTHER_KEY = "arn:aws:kms:us-east-1:123456789012:key/0f0e0d0c-0000-4000-8000-00000000000b"


@pytest.fixture(scope="module")
def keyed_template(synthesize: Synthesize) -> SynthesizedTemplate:
    return synthesize(stage="dev", kms_key=KEY, retention_days=60, source_buckets="a-b")


@pytest.fixture
def stages(emulator: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    (tmp_path / "dev.toml").write_text(f'kms_key = "{KEY}"\nretention_days = 60\n')
    enter_shell(monkeypatch, emulator, tmp_path)
    yield tmp_path
    if find_stack(STACK):
        clean_up()


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The command lines of the CDK CLI, which is replaced because it needs an account."""
    commands: list[list[str]] = []
    monkeypatch.setattr(os, "execve", lambda _, command, __: commands.append(command))
    return commands


def _find_refusals(**options: object) -> dict[str, str]:
    """Return name and message of the findings that stop a deployment of the stage dev."""
    chosen = Options.from_context({"stage": "dev", **{k: str(v) for k, v in options.items()}}.get)
    findings = find_problems(Deployment(options=chosen, region="us-east-1"))
    return {finding.name: finding.message for finding in select_refusals(findings, ())}


def test_a_first_deployment_has_no_findings(stages: Path, started: list[list[str]]) -> None:
    cdk.main("deploy", "stage=dev", "--require-approval=never")
    (command,) = started
    assert command[-4:] == ["deploy", "--context", "stage=dev", "--require-approval=never"]


def test_unchanged_options_are_deployed_without_findings(
    keyed_template: SynthesizedTemplate,
    stages: Path,
    started: list[list[str]],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # moto has no GetAccountSettings.
    monkeypatch.setattr(preflight, "read_concurrency", lambda _: Concurrency(1_000, 1_000))
    deploy(keyed_template)
    (stages / "dev.toml").write_text(
        f'kms_key = "{KEY}"\nretention_days = 60\nsource_buckets = ["a-b"]\n'
    )
    cdk.main("deploy", "stage=dev")
    assert len(started) == 1
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("new_key", ["", OTHER_KEY])
def test_a_forgotten_or_changed_key_is_refused_and_named(
    keyed_template: SynthesizedTemplate, stages: Path, emulator: Emulator, new_key: str
) -> None:
    """The command ends before the CDK CLI starts."""
    deploy(keyed_template)
    (stages / "dev.toml").write_text(f'kms_key = "{new_key}"\nretention_days = 60\n')
    done = run_target("deploy", "STAGE=dev", **build_environment(emulator, stages))
    assert done.returncode == 1
    assert f"encrypted with {KEY}" in done.stderr
    assert f'Put kms_key = "{KEY}" into the stage\'s file.' in done.stderr
    assert "Nothing was deployed. To deploy anyway: make deploy ALLOW=kms_key" in done.stderr


def test_the_guard_is_removed_only_if_allowed(synthesize: Synthesize, stages: Path) -> None:
    deploy(synthesize(stage="dev", guard="owner"))
    (refused,) = _find_refusals().values()
    assert "would let every caller use every project" in refused
    assert _find_refusals(guard="owner") == {}
    chosen = find_problems(Deployment(options=Options(stage="dev"), region="us-east-1"))
    assert select_refusals(chosen, {"guard"}) == []


def test_the_effect_of_a_new_guard_is_reported(
    keyed_template: SynthesizedTemplate, stages: Path
) -> None:
    deploy(keyed_template)
    options = Options(stage="dev", kms_key=KEY, retention_days=60, guard=Guard.OWNER)
    findings = find_problems(Deployment(options=options, region="us-east-1"))
    (warning,) = [finding for finding in findings if finding.name == "guard"]
    assert not warning.blocking
    assert "accessible to the administrators only" in warning.message


def test_an_allowed_finding_does_not_stop_the_deployment(
    keyed_template: SynthesizedTemplate,
    stages: Path,
    started: list[list[str]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    deploy(keyed_template)
    (stages / "dev.toml").write_text("retention_days = 30\n")
    with pytest.raises(SystemExit, match=r"make deploy ALLOW=retention_days$"):
        cdk.main("deploy", "stage=dev", "--allow=kms_key")
    assert started == []
    cdk.main("deploy", "stage=dev", "--allow=kms_key,retention_days")
    assert started[0][-3:] == ["deploy", "--context", "stage=dev"]


def test_a_diff_reports_the_findings_and_continues(
    keyed_template: SynthesizedTemplate,
    stages: Path,
    started: list[list[str]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    deploy(keyed_template)
    (stages / "dev.toml").write_text("retention_days = 30\n")
    cdk.main("diff", "stage=dev", "waf_rate=500")
    printed = capsys.readouterr().err
    assert "kms_key: the data of the deployed stack" in printed
    assert "retention_days: 60 in the deployed stack, 30 in this deployment." in printed
    assert "waf_rate: 0 in the deployed stack, 500 in this deployment." in printed
    assert 'source_buckets: ["a-b"] in the deployed stack, [] in this deployment.' in printed
    assert started[0][-5:] == ["diff", "--context", "stage=dev", "--context", "waf_rate=500"]


def test_options_set_only_on_the_command_line_are_not_deployed(
    stages: Path, started: list[list[str]]
) -> None:
    with pytest.raises(SystemExit) as refused:
        cdk.main("deploy", "stage=dev", "waf_rate=500")
    message = str(refused.value)
    assert message.startswith(f"CONTEXT sets options that {stages / 'dev.toml'} does not have")
    assert "Put them into the file and commit it: waf_rate = 500." in message
    cdk.main("deploy", "stage=dev", "retention_days=60")
    assert len(started) == 1, "options equal to the file's are accepted"


def test_a_stage_is_deployed_only_to_the_target_of_its_file(
    stages: Path, started: list[list[str]]
) -> None:
    file = stages / "dev.toml"
    file.write_text('account = "123456789012"\nregions = ["us-east-1"]\n')
    cdk.main("deploy", "stage=dev")
    assert len(started) == 1
    file.write_text('account = "210987654321"\n')
    with pytest.raises(SystemExit, match=r"for the account 210987654321; the shell's .* 123456789"):
        cdk.main("deploy", "stage=dev")
    file.write_text('regions = ["eu-west-1"]\n')
    for verb in ("deploy", "diff", "bootstrap"):
        with pytest.raises(SystemExit, match=r"is for the regions eu-west-1; the shell's region"):
            cdk.main(verb, "stage=dev")
    assert len(started) == 1


def test_without_a_record_the_key_is_read_from_the_resources(
    keyed_template: SynthesizedTemplate,
    template: SynthesizedTemplate,
    stages: Path,
    emulator: Emulator,
) -> None:
    deploy(template, with_record=False)
    assert _find_refusals() == {}
    stack = find_stack(STACK)
    assert stack
    default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": KEY}
    make_client("s3").put_bucket_encryption(
        Bucket=stack.bucket,
        ServerSideEncryptionConfiguration={
            "Rules": [{"ApplyServerSideEncryptionByDefault": default}]
        },
    )
    assert set(_find_refusals()) == {"kms_key"}
    assert _find_refusals(kms_key=KEY) == {}


def test_without_a_record_the_retention_is_read_from_the_collector(
    template: SynthesizedTemplate, stages: Path, emulator: Emulator
) -> None:
    deploy(template, with_record=False)
    name = make_function_name("dev", Function.COLLECT)
    client = make_client("lambda")
    client.create_function(
        FunctionName=name,
        Runtime="python3.13",
        Role="arn:aws:iam::123456789012:role/twofold-local",
        Handler="a.b",
        Code={"ZipFile": b"PK\x05\x06" + b"\0" * 18},
        Environment={"Variables": {"TWOFOLD_RETENTION_DAYS": "60"}},
    )
    try:
        assert set(_find_refusals(retention_days=59)) == {"retention_days"}
        assert _find_refusals(retention_days=60) == {}
    finally:
        client.delete_function(FunctionName=name)


def test_a_stack_that_cannot_be_read_is_deployed_only_if_allowed(
    stages: Path,
    started: list[list[str]],
    monkeypatch: pytest.MonkeyPatch,
    keyed_template: SynthesizedTemplate,
) -> None:
    deploy(keyed_template)
    bucket = "gone"
    monkeypatch.setattr("infra.deployed.DeployedStack.bucket", bucket)
    monkeypatch.setattr("infra.deployed.DeployedStack.table", None)
    monkeypatch.setattr("infra.preflight.read_record", lambda _: {})
    with pytest.raises(SystemExit, match=r"(?s)could not be checked: .*ALLOW=unchecked$"):
        cdk.main("deploy", "stage=dev")
    cdk.main("deploy", "stage=dev", "--allow=unchecked")
    assert len(started) == 1
