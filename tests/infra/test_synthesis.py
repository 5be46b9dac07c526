import json
from collections.abc import Callable, Iterator
from pathlib import Path

import boto3
import pytest
from cfnlint.api import lint  # type: ignore[import-untyped]
from cfnlint.config import ManualArgs  # type: ignore[import-untyped]

from infra import NODE
from infra.application import build
from infra.cdk import CLI, build_command, build_environment
from infra.functions import LOG_LEVEL
from infra.options import OptionError
from tests.infra.synthesized_template import SynthesizedTemplate, render_value
from twofold.settings import MEMORY_MB, SOLVERS, Function

Synthesize = Callable[..., SynthesizedTemplate]

REGIONS = [
    *("us-east-1", "us-east-2", "us-west-2"),
    *("eu-west-1", "eu-west-2", "eu-central-1"),
    *("ap-south-1", "ap-southeast-1", "ap-southeast-2", "ap-northeast-1", "ap-northeast-2"),
]
"""Regions with Rekognition Custom Labels, from the AWS General Reference, "Amazon Rekognition endpoints and quotas". botocore
lists only the regions of Rekognition as a whole."""


def _lint(template: str) -> list[str]:
    """Return cfn-lint's findings for all regions with Rekognition Custom Labels."""
    return [str(match) for match in lint(template, config=ManualArgs(regions=REGIONS))]


def test_cfn_lint_finds_nothing_in_any_region(template: SynthesizedTemplate) -> None:
    assert _lint(json.dumps(template.body)) == []


def test_every_region_that_is_linted_has_rekognition() -> None:
    assert set(REGIONS) <= set(boto3.Session().get_available_regions("rekognition"))


def test_cfn_lint_reads_the_state_machines(template: SynthesizedTemplate) -> None:
    broken = json.dumps(template.body).replace(
        r"\"StartAt\": \"Grouping\"", r"\"StartAt\": \"Nowhere\""
    )
    (finding,) = _lint(broken)
    assert "E3601" in finding
    assert "Nowhere" in finding


def test_a_finding_of_the_aws_solutions_rules_stops_synthesis(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("infra.storage.acknowledge", lambda construct, reason, *rules: None)
    app = build(outdir=tmp_path, context={"aws:cdk:bundling-stacks": []})
    with pytest.raises(RuntimeError, match=r"(?i)validation"):
        app.synth()
    assert "AwsSolutions-S1" in (tmp_path / "validation-report.json").read_text()


def test_the_stack_has_no_lookups_and_no_account(
    template: SynthesizedTemplate,
) -> None:
    text = json.dumps(template.body)
    assert "dummy-value" not in text
    assert "123456789012" not in text


def test_an_unchanged_tree_synthesizes_to_the_same_bytes(
    template: SynthesizedTemplate, synthesize: Synthesize
) -> None:
    again = synthesize()
    assert json.dumps(again.body) == json.dumps(template.body)


def test_a_second_stage_shares_no_name_with_the_first(
    template: SynthesizedTemplate, synthesize: Synthesize
) -> None:
    first, second = (
        dict(_find_fixed_names(synthesize(stage=stage, waf_rate=500))) for stage in ("prod", "dev")
    )
    kinds = {"FunctionName", "StateMachineName", "LogGroupName", "ManagedPolicyName", "AlarmName"}
    assert kinds | {"DashboardName", "Name"} <= {name for _, name in first}
    assert not set(first.values()) & set(second.values())
    assert not [output for output in template.body["Outputs"].values() if "Export" in output]


_SCOPED_NAMES = (
    "AWS::IAM::Policy",
    "AWS::Lambda::Alias",
    "AWS::StepFunctions::StateMachineAlias",
)


def _find_fixed_names(template: SynthesizedTemplate) -> Iterator[tuple[tuple[str, str], str]]:
    """Yield ((logical id, property), name) of every fixed name, except for names within another resource."""
    for logical_id, resource in template.body["Resources"].items():
        if resource["Type"] in _SCOPED_NAMES:
            continue
        for name, value in resource.get("Properties", {}).items():
            fixed = isinstance(value, str) or (isinstance(value, dict) and "Fn::Join" in value)
            if name.endswith("Name") and name != "MetricName" and fixed:
                yield (logical_id, name), render_value(value)


def test_the_accounts_role_for_api_logs_outlives_every_stage(
    template: SynthesizedTemplate,
) -> None:
    """The last deployed stage sets the role; the deletion of this stage must not stop the logs of other stages."""
    account = template.get_only_resource("AWS::ApiGateway::Account")
    assert account["DeletionPolicy"] == account["UpdateReplacePolicy"] == "Retain"
    arn = account["Properties"]["CloudWatchRoleArn"]
    role = template.select_resources("AWS::IAM::Role")[arn["Fn::GetAtt"][0]]
    assert role["DeletionPolicy"] == role["UpdateReplacePolicy"] == "Retain"
    assert "RoleName" not in role["Properties"]


@pytest.mark.parametrize("protected", ["true", "false"])
def test_a_stage_can_refuse_to_be_deleted(tmp_path: Path, protected: str) -> None:
    """The CDK CLI reads the flag from the manifest of the cloud assembly."""
    app = build(
        [f"termination_protection={protected}"],
        outdir=tmp_path,
        context={"aws:cdk:bundling-stacks": []},
        with_checks=False,
    )
    app.synth()
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    properties = manifest["artifacts"]["Twofold-prod"]["properties"]
    assert properties.get("terminationProtection", False) is (protected == "true")


def test_a_stage_can_do_without_a_dashboard(synthesize: Synthesize) -> None:
    assert not synthesize(dashboard="false").select_resources("AWS::CloudWatch::Dashboard")


def test_options_reach_the_stack(synthesize: Synthesize) -> None:
    chosen = synthesize(
        stage="dev",
        quotas="rekognition",
        retention_days=3,
        solver_memory_mb=10240,
        throttle_rate=7,
        throttle_burst=9,
        log_level="WARNING",
        log_retention_days=90,
    )
    (settings,) = chosen.get_only_resource("AWS::ApiGateway::Stage")["Properties"]["MethodSettings"]
    assert (settings["ThrottlingRateLimit"], settings["ThrottlingBurstLimit"]) == (7, 9)
    quotas = {
        properties["Environment"]["Variables"].get("TWOFOLD_QUOTAS")
        for properties in chosen.functions.values()
    }
    assert quotas == {"rekognition", None}
    assert {
        p["RetentionInDays"] for p in chosen.select_properties("AWS::Logs::LogGroup").values()
    } == {90}
    levels = {
        properties["Environment"]["Variables"][LOG_LEVEL]
        for properties in chosen.functions.values()
    }
    assert levels == {"WARNING"}
    memory = {name: properties["MemorySize"] for name, properties in chosen.functions.items()}
    assert memory == {name: 10240 if name in SOLVERS else MEMORY_MB[name] for name in Function}
    collector = chosen.functions[Function.COLLECT]["Environment"]["Variables"]
    assert collector["TWOFOLD_RETENTION_DAYS"] == "3"


@pytest.mark.parametrize(
    ("argument", "culprit"),
    [
        ("stage=Prod", "stage='Prod'"),
        ("stage=a-very-long-name-for-a-stage", "stage="),
        ("source_buckets=good-one,Bad_One", "'Bad_One'"),
        ("quotas=none", "quotas='none'"),
        ("retention_days=-1", "retention_days='-1'"),
        ("solver_memory_mb=10241", "solver_memory_mb='10241'"),
        ("throttle_rate=0", "throttle_rate='0'"),
        ("throttle_burst=many", "throttle_burst='many'"),
        ("kms_key=alias/mine", "kms_key: 'alias/mine'"),
        ("source_keys=mine", "source_keys: 'mine'"),
        ("alarm_email=someone", "alarm_email='someone'"),
        ("log_level=LOUD", "log_level='LOUD'"),
        ("log_retention_days=31", "log_retention_days='31'"),
        ("dashboard=off", "dashboard='off'"),
        ("colour=red", "'colour=red'"),
        ("stage", "'stage'"),
    ],
)
def test_an_invalid_option_is_named(tmp_path: Path, argument: str, culprit: str) -> None:
    with pytest.raises(OptionError, match=culprit):
        build([argument], outdir=tmp_path)


def test_node_and_npx_come_with_the_requirements() -> None:
    node, npx, *arguments = build_command(["deploy"])
    assert node == str(NODE)
    assert NODE.is_file()
    assert Path(npx).is_file()
    assert arguments == ["--yes", "--prefer-offline", CLI, "deploy"]
    assert build_environment()["PATH"].split(":")[0] == str(NODE.parent)
