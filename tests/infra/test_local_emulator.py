"""The resources of the local emulator equal those of the template, except for features that moto lacks."""

import json
from typing import Any

import pytest

from local.emulator.server import STAGE, TABLE, Emulator, build_state_machine_arn
from local.emulator.state_machines import build_definition
from tests.infra.conftest import Synthesize
from tests.infra.synthesized_template import SynthesizedTemplate
from twofold.settings import STATE_MACHINES, Function, Variable, Workflow, make_function_name


@pytest.fixture(scope="module")
def local_template(synthesize: Synthesize) -> SynthesizedTemplate:
    """The template of a stage with the name of the local stage."""
    return synthesize(stage=STAGE)


def test_the_table_has_the_same_keys(
    local_template: SynthesizedTemplate, emulator: Emulator
) -> None:
    table = emulator.create_client("dynamodb").describe_table(TableName=TABLE)["Table"]
    deployed = local_template.table
    assert table["KeySchema"] == deployed["KeySchema"]
    assert _index_by_name(table["AttributeDefinitions"]) == _index_by_name(
        deployed["AttributeDefinitions"]
    )
    assert table["BillingModeSummary"]["BillingMode"] == deployed["BillingMode"]
    assert table.get("GlobalSecondaryIndexes", []) == deployed.get("GlobalSecondaryIndexes", [])


def test_the_functions_have_the_same_names_handlers_sizes_and_variables(
    local_template: SynthesizedTemplate, emulator: Emulator
) -> None:
    listed = emulator.create_client("lambda").list_functions()["Functions"]
    configurations = {configuration["FunctionName"]: configuration for configuration in listed}
    assert set(configurations) == {
        properties["FunctionName"] for properties in local_template.functions.values()
    }
    for function, properties in local_template.functions.items():
        configuration = configurations[make_function_name(STAGE, function)]
        for member in ("Handler", "MemorySize", "Timeout", "Runtime"):
            assert configuration[member] == properties[member], (function, member)
        local = set(configuration["Environment"]["Variables"])
        deployed = {
            name
            for name in local_template.list_environment_variables(function)
            if _is_twofold_variable(name)
        }
        assert local == deployed, function


def test_the_variables_name_the_same_resources(
    local_template: SynthesizedTemplate, emulator: Emulator
) -> None:
    environment = local_template.functions[Function.API]["Environment"]["Variables"]
    local = emulator.functions.environments[Function.API]
    assert environment[Variable.QUOTAS] == local[Variable.QUOTAS]
    (table,) = local_template.select_resources("AWS::DynamoDB::Table")
    assert environment[Variable.TABLE] == {"Ref": table}
    for workflow, variable in STATE_MACHINES.items():
        machine = local_template.state_machines[workflow]["StateMachineName"]
        assert local[variable] == build_state_machine_arn(workflow)
        assert local[variable].endswith(f":{machine}")
        assert local_template.find_state_machine_of_alias(environment[variable]) == machine


@pytest.mark.parametrize("workflow", list(Workflow))
def test_the_state_machines_differ_only_in_features_that_moto_lacks(
    local_template: SynthesizedTemplate, emulator: Emulator, workflow: Workflow
) -> None:
    arn = build_state_machine_arn(workflow)
    running = emulator.create_client("stepfunctions").describe_state_machine(stateMachineArn=arn)
    local = json.loads(running["definition"])
    text = json.dumps(local_template.parse_definition(workflow)).replace("${Partition}", "aws")
    for key, name in local_template.resolve_substitutions(workflow).items():
        text = text.replace(f"${{{key}}}", f"arn:aws:lambda:us-east-1:123456789012:function:{name}")
    deployed = json.loads(text)
    differences = set(_find_differences(deployed, local))
    assert differences <= {
        "ExecutionType",
        "IntervalSeconds",
        "BackoffRate",
        "MaxDelaySeconds",
        "JitterStrategy",
    }
    assert json.loads(build_definition(workflow, emulator.functions.build_arn)) == local


def _find_differences(deployed: Any, local: Any, name: str = "") -> list[str]:
    """Return the names of the members that differ between two documents."""
    if isinstance(deployed, dict) and isinstance(local, dict):
        keys = deployed.keys() | local.keys()
        return [
            member
            for key in keys
            for member in _find_differences(deployed.get(key), local.get(key), key)
        ]
    if isinstance(deployed, list) and isinstance(local, list) and len(deployed) == len(local):
        pairs = zip(deployed, local, strict=True)
        return [member for pair in pairs for member in _find_differences(*pair, name)]
    return [] if deployed == local else [name]


def _index_by_name(definitions: list[dict[str, str]]) -> dict[str, str]:
    return {definition["AttributeName"]: definition["AttributeType"] for definition in definitions}


def _is_twofold_variable(name: str) -> bool:
    return name.startswith("TWOFOLD_")
