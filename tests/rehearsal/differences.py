"""Changes of the synthesized template for MiniStack 1.5.33, each with a reason.

`test_template.py` checks that nothing else is changed.
"""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from infra.functions import LIVE

Template = dict[str, Any]

_VERSION = "AWS::StepFunctions::StateMachineVersion"
_ALIAS = "AWS::StepFunctions::StateMachineAlias"


@dataclass(frozen=True, slots=True)
class Difference:
    """A change of the template.

    template  the feature of the template
    emulator  the limitation of MiniStack
    instead   the replacement
    touches   types of the changed resources
    apply     changes a template in place
    """

    template: str
    emulator: str
    instead: str
    touches: tuple[str, ...]
    apply: Callable[[Template], None]


def _remove_state_machine_aliases(template: Template) -> None:
    resources = template["Resources"]
    versions = {
        name: resource["Properties"]["StateMachineArn"]
        for name, resource in _select(template, _VERSION)
    }
    aliases = {
        name: versions[_find_version(resource)] for name, resource in _select(template, _ALIAS)
    }
    for name in (*versions, *aliases):
        del resources[name]
    for section in ("Resources", "Outputs"):
        template[section] = _replace_alias_arns(template[section], aliases)
    for resource in template["Resources"].values():
        if "DependsOn" in resource:
            resource["DependsOn"] = [
                name for name in _to_list(resource["DependsOn"]) if name in template["Resources"]
            ]


def _find_version(alias: Template) -> str:
    """Return the logical id of the version of an alias."""
    (route,) = alias["Properties"]["RoutingConfiguration"]
    logical_id: str = route["StateMachineVersionArn"]["Fn::GetAtt"][0]
    return logical_id


def _replace_alias_arns(value: Any, machine_arns: dict[str, Any]) -> Any:
    """Return `value` with each reference to an alias replaced by the future ARN of the alias."""
    if isinstance(value, dict):
        target = value.get("Fn::GetAtt", [None])[0]
        if target in machine_arns:
            return {"Fn::Join": ["", [machine_arns[target], f":{LIVE}"]]}
        return {key: _replace_alias_arns(inner, machine_arns) for key, inner in value.items()}
    if isinstance(value, list):
        return [_replace_alias_arns(inner, machine_arns) for inner in value]
    return value


def _remove_metric_math(template: Template) -> None:
    for name, alarm in list(_select(template, "AWS::CloudWatch::Alarm")):
        if "Metrics" in alarm["Properties"]:
            del template["Resources"][name]


def _allow_starting_aliases(template: Template) -> None:
    for _, policy in _select(template, "AWS::IAM::Policy"):
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]:
            if _to_list(statement["Action"]) == ["states:StartExecution"]:
                machines = _to_list(statement["Resource"])
                statement["Resource"] = [
                    *machines,
                    *({"Fn::Join": ["", [arn, ":*"]]} for arn in machines),
                ]


def _name_roles_by_region(template: Template) -> None:
    for name, role in _select(template, "AWS::IAM::Role"):
        digest = hashlib.sha256(name.encode()).hexdigest()[:8]
        role["Properties"].setdefault(
            "RoleName", {"Fn::Sub": f"${{AWS::StackName}}-${{AWS::Region}}-{digest}"}
        )


DIFFERENCES = (
    Difference(
        template="State machines have versions, and the alias 'live' for StartExecution.",
        emulator="MiniStack's CloudFormation has neither resource type; its Step Functions API has both.",
        instead="`publish_state_machines` creates both through the API after each deployment; "
        "references to an alias become '<state machine ARN>:live'.",
        touches=(_VERSION, _ALIAS, "AWS::Lambda::Function"),
        apply=_remove_state_machine_aliases,
    ),
    Difference(
        template="The alarm 'throttled-functions' adds up three metrics.",
        emulator="MiniStack's CloudFormation refuses alarms on metric math expressions.",
        instead="The alarm is left out.",
        touches=("AWS::CloudWatch::Alarm",),
        apply=_remove_metric_math,
    ),
    Difference(
        template="states:StartExecution is granted on the state machine.",
        emulator="MiniStack checks the permission on the alias's ARN; AWS checks the state machine's.",
        instead="The permission also covers the ARNs of aliases, '<state machine ARN>:*'.",
        touches=("AWS::IAM::Policy",),
        apply=_allow_starting_aliases,
    ),
    Difference(
        template="CloudFormation names the roles.",
        emulator="MiniStack derives role names from stack and resource only, so a stage would share its roles between two "
        "regions; AWS adds a random suffix.",
        instead="Role names contain stack, region and a digest of the logical id.",
        touches=("AWS::IAM::Role",),
        apply=_name_roles_by_region,
    ),
)


def apply_differences(template: Template) -> None:
    for difference in DIFFERENCES:
        difference.apply(template)


def publish_state_machines(states: Any, stage: str) -> None:
    """Point the alias `live` of each state machine of a stage to a new version; `states` is a Step Functions client."""
    for page in states.get_paginator("list_state_machines").paginate():
        for machine in page["stateMachines"]:
            if machine["name"].startswith(f"twofold-{stage}-"):
                _update_alias(states, machine["stateMachineArn"])


def _update_alias(states: Any, machine_arn: str) -> None:
    version = states.publish_state_machine_version(stateMachineArn=machine_arn)
    routes = [{"stateMachineVersionArn": version["stateMachineVersionArn"], "weight": 100}]
    arn = f"{machine_arn}:{LIVE}"
    listed = states.list_state_machine_aliases(stateMachineArn=machine_arn)
    if arn in {alias["stateMachineAliasArn"] for alias in listed["stateMachineAliases"]}:
        states.update_state_machine_alias(stateMachineAliasArn=arn, routingConfiguration=routes)
    else:
        states.create_state_machine_alias(name=LIVE, routingConfiguration=routes)


def _select(template: Template, resource_type: str) -> Iterator[tuple[str, Template]]:
    for name, resource in template["Resources"].items():
        if resource["Type"] == resource_type:
            yield name, resource


def _to_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
