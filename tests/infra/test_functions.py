from pathlib import Path

import pytest

from infra.functions import LOG_LEVEL
from tests.infra.synthesized import Synthesized
from twofold.settings import MEMORY_MB, TIMEOUT_SECONDS, VARIABLES, Function, Workflow

ROOT = Path(__file__).parents[2]


def test_every_door_is_a_function_and_every_function_a_door(template: Synthesized) -> None:
    assert len(template.of_type("AWS::Lambda::Function")) == len(template.functions)


@pytest.mark.parametrize("function", Function)
def test_a_function_is_as_the_settings_say(template: Synthesized, function: Function) -> None:
    properties = template.functions[function]
    assert properties["Handler"] == f"twofold.handlers.{function}.handler"
    assert properties["MemorySize"] == MEMORY_MB[function]
    assert properties["Timeout"] == TIMEOUT_SECONDS[function]
    ours = {v.value for v in VARIABLES[function]}
    assert template.environment_keys(function) == {LOG_LEVEL, *ours}
    assert properties["Runtime"] == "python3.13"
    assert properties["Architectures"] == ["arm64"]


@pytest.mark.parametrize("function", Function)
def test_a_function_traces_and_logs_json_to_a_group_that_expires(
    template: Synthesized, function: Function
) -> None:
    properties = template.functions[function]
    assert properties["TracingConfig"] == {"Mode": "Active"}
    logging = properties["LoggingConfig"]
    assert logging["LogFormat"] == "JSON"
    group = template.properties("AWS::Logs::LogGroup")[logging["LogGroup"]["Ref"]]
    assert group["LogGroupName"] == f"/aws/lambda/{properties['FunctionName']}"


def test_every_log_group_expires_after_a_month(template: Synthesized) -> None:
    groups = template.properties("AWS::Logs::LogGroup")
    assert {group["RetentionInDays"] for group in groups.values()} == {30}


def test_all_functions_share_one_code_asset(template: Synthesized) -> None:
    keys = {properties["Code"]["S3Key"] for properties in template.functions.values()}
    assert len(keys) == 1


def test_no_two_functions_share_a_role(template: Synthesized) -> None:
    roles = {p["Role"]["Fn::GetAtt"][0] for p in template.functions.values()}
    assert len(roles) == len(Function)


def test_functions_learn_the_table_the_bucket_and_the_state_machines(
    template: Synthesized,
) -> None:
    variables = template.functions[Function.API]["Environment"]["Variables"]
    (table,) = template.of_type("AWS::DynamoDB::Table")
    (bucket,) = template.of_type("AWS::S3::Bucket")
    assert variables["TWOFOLD_TABLE"] == {"Ref": table}
    assert variables["TWOFOLD_BUCKET"] == {"Ref": bucket}
    for name in Workflow:
        alias = variables[f"TWOFOLD_{name.upper()}_STATE_MACHINE"]
        assert template.machine_behind(alias) == f"twofold-prod-{name}"


def test_the_memory_that_the_docs_give_a_reason_for_is_that_of_the_template(
    template: Synthesized,
) -> None:
    page = " ".join((ROOT / "docs" / "performance.md").read_text().split())
    memory = {function: template.functions[function]["MemorySize"] for function in Function}
    assert f"{memory[Function.INDEX]:,} MB, where Lambda gives a whole vCPU" in page
    assert f"It has {memory[Function.MOVE]:,} MB" in page
    assert f"{memory[Function.SELECT]:,} MB unless you choose" in page
    cost = (ROOT / "docs" / "cost.md").read_text()
    assert f"one invocation of {memory[Function.SETTLE]} MB" in cost
