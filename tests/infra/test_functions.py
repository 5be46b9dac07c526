from pathlib import Path

import pytest

from infra.functions import LOG_LEVEL
from tests.infra.synthesized_template import SynthesizedTemplate
from twofold.settings import MEMORY_MB, TIMEOUT_SECONDS, VARIABLES, Function, Workflow

ROOT = Path(__file__).parents[2]


def test_every_handler_is_a_function_and_every_function_has_a_handler(
    template: SynthesizedTemplate,
) -> None:
    assert len(template.select_resources("AWS::Lambda::Function")) == len(template.functions)


@pytest.mark.parametrize("function", Function)
def test_a_function_has_the_values_of_the_settings(
    template: SynthesizedTemplate, function: Function
) -> None:
    properties = template.functions[function]
    assert properties["Handler"] == f"twofold.handlers.{function}.handler"
    assert properties["MemorySize"] == MEMORY_MB[function]
    assert properties["Timeout"] == TIMEOUT_SECONDS[function]
    variables = {variable.value for variable in VARIABLES[function]}
    assert template.list_environment_variables(function) == {LOG_LEVEL, *variables}
    assert properties["Runtime"] == "python3.13"
    assert properties["Architectures"] == ["arm64"]


@pytest.mark.parametrize("function", Function)
def test_a_function_traces_and_logs_json_to_a_group_that_expires(
    template: SynthesizedTemplate, function: Function
) -> None:
    properties = template.functions[function]
    assert properties["TracingConfig"] == {"Mode": "Active"}
    logging = properties["LoggingConfig"]
    assert logging["LogFormat"] == "JSON"
    group = template.select_properties("AWS::Logs::LogGroup")[logging["LogGroup"]["Ref"]]
    assert group["LogGroupName"] == f"/aws/lambda/{properties['FunctionName']}"


def test_every_log_group_expires_after_a_month(template: SynthesizedTemplate) -> None:
    groups = template.select_properties("AWS::Logs::LogGroup")
    assert {group["RetentionInDays"] for group in groups.values()} == {30}


def test_all_functions_share_one_code_asset(template: SynthesizedTemplate) -> None:
    keys = {properties["Code"]["S3Key"] for properties in template.functions.values()}
    assert len(keys) == 1


def test_no_two_functions_share_a_role(template: SynthesizedTemplate) -> None:
    roles = {p["Role"]["Fn::GetAtt"][0] for p in template.functions.values()}
    assert len(roles) == len(Function)


def test_functions_get_the_table_the_bucket_and_the_state_machines(
    template: SynthesizedTemplate,
) -> None:
    variables = template.functions[Function.API]["Environment"]["Variables"]
    (table,) = template.select_resources("AWS::DynamoDB::Table")
    (bucket,) = template.select_resources("AWS::S3::Bucket")
    assert variables["TWOFOLD_TABLE"] == {"Ref": table}
    assert variables["TWOFOLD_BUCKET"] == {"Ref": bucket}
    for name in Workflow:
        alias = variables[f"TWOFOLD_{name.upper()}_STATE_MACHINE"]
        assert template.find_state_machine_of_alias(alias) == f"twofold-prod-{name}"


def test_the_documented_memory_is_that_of_the_template(
    template: SynthesizedTemplate,
) -> None:
    page = " ".join((ROOT / "docs" / "performance.md").read_text().split())
    memory = {function: template.functions[function]["MemorySize"] for function in Function}
    assert f"{memory[Function.INDEX]:,} MB, where Lambda gives a whole vCPU" in page
    assert f"It has {memory[Function.MOVE]:,} MB" in page
    assert f"{memory[Function.SELECT]:,} MB unless you choose" in page
    cost = (ROOT / "docs" / "cost.md").read_text()
    assert f"one invocation of {memory[Function.SETTLE]} MB" in cost
