"""What `make deploy` refuses, and `make diff` reports: a forgotten option takes nothing from a stage."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra import cdk, preflight
from infra.concurrency import Concurrency
from infra.deployed import find_stack, make_client
from infra.options import Options
from infra.preflight import Deployment, find_problems, select_refusals
from local.stack import Stack
from tests.infra.account import STACK, deploy, enter, environment
from tests.infra.conftest import Synthesize
from tests.infra.synthesized import Synthesized
from tests.infra.test_commands import _made
from tests.infra.test_destroy import _clean_up
from twofold.access import Guard
from twofold.settings import Function, function_name

KEY = "arn:aws:kms:us-east-1:123456789012:key/0f0e0d0c-0000-4000-8000-00000000000a"
OTHER = "arn:aws:kms:us-east-1:123456789012:key/0f0e0d0c-0000-4000-8000-00000000000b"


@pytest.fixture(scope="module")
def keyed(synthesize: Synthesize) -> Synthesized:
    return synthesize(stage="dev", kms_key=KEY, retention_days=60, source_buckets="a-b")


@pytest.fixture
def stages(stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    (tmp_path / "dev.toml").write_text(f'kms_key = "{KEY}"\nretention_days = 60\n')
    enter(monkeypatch, stack, tmp_path)
    yield tmp_path
    if find_stack(STACK):
        _clean_up()


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The arguments of the CDK CLI, which takes this process's place and needs an account."""
    commands: list[list[str]] = []
    monkeypatch.setattr(os, "execve", lambda _, command, __: commands.append(command))
    return commands


def _found(**options: object) -> dict[str, str]:
    """(name, message) of what stops a deployment of the stage dev."""
    chosen = Options.of({"stage": "dev", **{k: str(v) for k, v in options.items()}}.get)
    findings = find_problems(Deployment(options=chosen, region="us-east-1"))
    return {finding.name: finding.message for finding in select_refusals(findings, ())}


def test_a_first_deployment_meets_nothing(stages: Path, started: list[list[str]]) -> None:
    cdk.main("deploy", "stage=dev", "--require-approval=never")
    (command,) = started
    assert command[-4:] == ["deploy", "--context", "stage=dev", "--require-approval=never"]


def test_the_same_options_again_are_deployed_without_a_word(
    keyed: Synthesized,
    stages: Path,
    started: list[list[str]],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # moto has no GetAccountSettings.
    monkeypatch.setattr(preflight, "read_concurrency", lambda _: Concurrency(1_000, 1_000))
    deploy(keyed)
    (stages / "dev.toml").write_text(
        f'kms_key = "{KEY}"\nretention_days = 60\nsource_buckets = ["a-b"]\n'
    )
    cdk.main("deploy", "stage=dev")
    assert len(started) == 1
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("wanted", ["", OTHER])
def test_a_key_that_is_forgotten_or_changed_is_refused_and_named(
    keyed: Synthesized, stages: Path, stack: Stack, wanted: str
) -> None:
    """By the command itself, which ends before the CDK CLI starts."""
    deploy(keyed)
    (stages / "dev.toml").write_text(f'kms_key = "{wanted}"\nretention_days = 60\n')
    done = _made("deploy", "STAGE=dev", **environment(stack, stages))
    assert done.returncode == 1
    assert f"encrypted with {KEY}" in done.stderr
    assert f'Put kms_key = "{KEY}" into the stage\'s file.' in done.stderr
    assert "Nothing was deployed. To deploy all the same: make deploy ALLOW=kms_key" in done.stderr


def test_the_guard_is_lifted_by_who_insists_alone(synthesize: Synthesize, stages: Path) -> None:
    deploy(synthesize(stage="dev", guard="owner"))
    (refused,) = _found().values()
    assert "would let every caller use every project" in refused
    assert _found(guard="owner") == {}
    chosen = find_problems(Deployment(options=Options(stage="dev"), region="us-east-1"))
    assert select_refusals(chosen, {"guard"}) == []


def test_what_a_new_guard_closes_is_reported(keyed: Synthesized, stages: Path) -> None:
    deploy(keyed)
    options = Options(stage="dev", kms_key=KEY, retention_days=60, guard=Guard.OWNER)
    findings = find_problems(Deployment(options=options, region="us-east-1"))
    (warning,) = [finding for finding in findings if finding.name == "guard"]
    assert not warning.refused
    assert "for the administrators alone" in warning.message


def test_who_insists_deploys(
    keyed: Synthesized, stages: Path, started: list[list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    deploy(keyed)
    (stages / "dev.toml").write_text("retention_days = 30\n")
    with pytest.raises(SystemExit, match=r"make deploy ALLOW=retention_days$"):
        cdk.main("deploy", "stage=dev", "--allow=kms_key")
    assert started == []
    cdk.main("deploy", "stage=dev", "--allow=kms_key,retention_days")
    assert started[0][-3:] == ["deploy", "--context", "stage=dev"]


def test_a_diff_reports_the_same_and_goes_on(
    keyed: Synthesized, stages: Path, started: list[list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    deploy(keyed)
    (stages / "dev.toml").write_text("retention_days = 30\n")
    cdk.main("diff", "stage=dev", "waf_rate=500")
    told = capsys.readouterr().err
    assert "kms_key: the data of the deployed stack" in told
    assert "retention_days: 60 in the deployed stack, 30 in this deployment." in told
    assert "waf_rate: 0 in the deployed stack, 500 in this deployment." in told
    assert 'source_buckets: ["a-b"] in the deployed stack, [] in this deployment.' in told
    assert started[0][-5:] == ["diff", "--context", "stage=dev", "--context", "waf_rate=500"]


def test_options_of_the_command_line_alone_are_not_deployed(
    stages: Path, started: list[list[str]]
) -> None:
    with pytest.raises(SystemExit) as refused:
        cdk.main("deploy", "stage=dev", "waf_rate=500")
    told = str(refused.value)
    assert told.startswith(f"CONTEXT sets options that {stages / 'dev.toml'} does not have")
    assert "Put them into the file and commit it: waf_rate = 500." in told
    cdk.main("deploy", "stage=dev", "retention_days=60")
    assert len(started) == 1, "what the file says too may be said"


def test_a_stage_is_deployed_where_its_file_says(stages: Path, started: list[list[str]]) -> None:
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


def test_of_a_release_that_recorded_nothing_the_resources_are_asked(
    keyed: Synthesized, template: Synthesized, stages: Path, stack: Stack
) -> None:
    deploy(template, recorded=False)
    assert _found() == {}
    found = find_stack(STACK)
    assert found
    default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": KEY}
    make_client("s3").put_bucket_encryption(
        Bucket=found.bucket,
        ServerSideEncryptionConfiguration={
            "Rules": [{"ApplyServerSideEncryptionByDefault": default}]
        },
    )
    assert set(_found()) == {"kms_key"}
    assert _found(kms_key=KEY) == {}


def test_the_retention_of_such_a_release_is_that_of_its_collector(
    template: Synthesized, stages: Path, stack: Stack
) -> None:
    deploy(template, recorded=False)
    name = function_name("dev", Function.COLLECT)
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
        assert set(_found(retention_days=59)) == {"retention_days"}
        assert _found(retention_days=60) == {}
    finally:
        client.delete_function(FunctionName=name)


def test_a_stack_that_may_not_be_looked_at_is_deployed_by_who_insists(
    stages: Path, started: list[list[str]], monkeypatch: pytest.MonkeyPatch, keyed: Synthesized
) -> None:
    deploy(keyed)
    bucket = "gone"
    monkeypatch.setattr("infra.deployed.DeployedStack.bucket", bucket)
    monkeypatch.setattr("infra.deployed.DeployedStack.table", None)
    monkeypatch.setattr("infra.preflight.read_record", lambda _: {})
    with pytest.raises(SystemExit, match=r"(?s)could not be checked: .*ALLOW=unchecked$"):
        cdk.main("deploy", "stage=dev")
    cdk.main("deploy", "stage=dev", "--allow=unchecked")
    assert len(started) == 1
