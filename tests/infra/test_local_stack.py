"""The local stack is built like the deployed one, as far as moto has it: they cannot drift apart."""

import json
from typing import Any

import pytest

from local.stack import STAGE, TABLE, Stack, state_machine_arn
from local.workflows import definition
from tests.infra.conftest import Synthesize
from tests.infra.synthesized import Synthesized
from twofold.settings import STATE_MACHINES, Function, Variable, Workflow, function_name


@pytest.fixture(scope="module")
def local_template(synthesize: Synthesize) -> Synthesized:
    """The template of a stage that is named as the local one is."""
    return synthesize(stage=STAGE)


def test_the_table_has_the_same_keys(local_template: Synthesized, stack: Stack) -> None:
    table = stack.client("dynamodb").describe_table(TableName=TABLE)["Table"]
    deployed = local_template.table
    assert table["KeySchema"] == deployed["KeySchema"]
    assert _by_name(table["AttributeDefinitions"]) == _by_name(deployed["AttributeDefinitions"])
    assert table["BillingModeSummary"]["BillingMode"] == deployed["BillingMode"]
    assert table.get("GlobalSecondaryIndexes", []) == deployed.get("GlobalSecondaryIndexes", [])


def test_the_functions_have_the_same_names_handlers_sizes_and_variables(
    local_template: Synthesized, stack: Stack
) -> None:
    listed = stack.client("lambda").list_functions()["Functions"]
    assert {one["FunctionName"] for one in listed} == {
        properties["FunctionName"] for properties in local_template.functions.values()
    }
    found = {one["FunctionName"]: one for one in listed}
    for function, properties in local_template.functions.items():
        one = found[function_name(STAGE, function)]
        for member in ("Handler", "MemorySize", "Timeout", "Runtime"):
            assert one[member] == properties[member], (function, member)
        local = set(one["Environment"]["Variables"])
        deployed = {name for name in local_template.environment_keys(function) if _is_ours(name)}
        assert local == deployed, function


def test_the_variables_stand_for_the_same_things(local_template: Synthesized, stack: Stack) -> None:
    environment = local_template.functions[Function.API]["Environment"]["Variables"]
    local = stack.functions.environments[Function.API]
    assert environment[Variable.QUOTAS] == local[Variable.QUOTAS]
    (table,) = local_template.of_type("AWS::DynamoDB::Table")
    assert environment[Variable.TABLE] == {"Ref": table}
    for workflow, variable in STATE_MACHINES.items():
        machine = local_template.machines[workflow]["StateMachineName"]
        assert local[variable] == state_machine_arn(workflow)
        assert local[variable].endswith(f":{machine}")
        assert local_template.machine_behind(environment[variable]) == machine


@pytest.mark.parametrize("workflow", list(Workflow))
def test_the_state_machines_differ_only_in_what_moto_cannot_do(
    local_template: Synthesized, stack: Stack, workflow: Workflow
) -> None:
    arn = state_machine_arn(workflow)
    running = stack.client("stepfunctions").describe_state_machine(stateMachineArn=arn)
    local = json.loads(running["definition"])
    text = json.dumps(local_template.definition(workflow)).replace("${Partition}", "aws")
    for key, name in local_template.substituted(workflow).items():
        text = text.replace(f"${{{key}}}", f"arn:aws:lambda:us-east-1:123456789012:function:{name}")
    deployed = json.loads(text)
    differences = set(_differences(deployed, local))
    assert differences <= {
        "ExecutionType",
        "IntervalSeconds",
        "BackoffRate",
        "MaxDelaySeconds",
        "JitterStrategy",
    }
    assert json.loads(definition(workflow, stack.functions.arn)) == local


def _differences(deployed: Any, local: Any, name: str = "") -> list[str]:
    """Names of the members in which two documents differ."""
    if isinstance(deployed, dict) and isinstance(local, dict):
        keys = deployed.keys() | local.keys()
        return [
            found for key in keys for found in _differences(deployed.get(key), local.get(key), key)
        ]
    if isinstance(deployed, list) and isinstance(local, list) and len(deployed) == len(local):
        pairs = zip(deployed, local, strict=True)
        return [found for one, other in pairs for found in _differences(one, other, name)]
    return [] if deployed == local else [name]


def _by_name(definitions: list[dict[str, str]]) -> dict[str, str]:
    return {one["AttributeName"]: one["AttributeType"] for one in definitions}


def _is_ours(name: str) -> bool:
    return name.startswith("TWOFOLD_")
