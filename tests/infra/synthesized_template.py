"""Queries on a synthesized template: functions by name, permissions by role, state machines by workflow."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from twofold.settings import Function, Workflow, make_function_name, make_state_machine_name

Resource = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Statement:
    """An `Allow` statement; resources are text, such as `<LogicalId.Arn>/contents/*`."""

    actions: tuple[str, ...]
    resources: tuple[str, ...]
    condition: Mapping[str, Any]

    @property
    def partitions(self) -> tuple[str, ...]:
        """Patterns of the allowed partition keys; empty if the statement allows the whole table."""
        limit = self.condition.get("ForAllValues:StringLike", {})
        return tuple(_to_list(limit.get("dynamodb:LeadingKeys", [])))


@dataclass(frozen=True, slots=True)
class SynthesizedTemplate:
    """The body of the template of a stage."""

    body: Mapping[str, Any]
    stage: str

    def select_resources(self, resource_type: str) -> dict[str, Resource]:
        """Return the resources of a CloudFormation type, by logical id."""
        resources = self.body["Resources"].items()
        return {name: resource for name, resource in resources if resource["Type"] == resource_type}

    def get_only_resource(self, resource_type: str) -> Resource:
        """Return the resource of a type; fails unless the template has exactly one."""
        (resource,) = self.select_resources(resource_type).values()
        return resource

    def select_properties(self, resource_type: str) -> dict[str, Mapping[str, Any]]:
        """Return the properties of the resources of a type, by logical id."""
        resources = self.select_resources(resource_type).items()
        return {name: resource["Properties"] for name, resource in resources}

    @property
    def functions(self) -> dict[Function, Mapping[str, Any]]:
        """Properties of each function: name, handler, environment, memory, timeout and so on."""
        by_name = {
            p["FunctionName"]: p for p in self.select_properties("AWS::Lambda::Function").values()
        }
        return {
            function: by_name.pop(make_function_name(self.stage, function)) for function in Function
        }

    def list_environment_variables(self, function: Function) -> set[str]:
        return set(self.functions[function]["Environment"]["Variables"])

    @property
    def table(self) -> Mapping[str, Any]:
        properties: Mapping[str, Any] = self.get_only_resource("AWS::DynamoDB::Table")["Properties"]
        return properties

    @property
    def managed_policies(self) -> dict[str, Mapping[str, Any]]:
        """Managed policies by name, without the prefix of stage and region."""
        policies = self.select_properties("AWS::IAM::ManagedPolicy").values()
        prefix = f"twofold-{self.stage}-<AWS::Region>-"
        by_name = {render_value(policy["ManagedPolicyName"]): policy for policy in policies}
        assert all(name.startswith(prefix) for name in by_name), list(by_name)
        return {name.removeprefix(prefix): policy for name, policy in by_name.items()}

    @property
    def state_machines(self) -> dict[Workflow, Mapping[str, Any]]:
        machines = self.select_properties("AWS::StepFunctions::StateMachine").values()
        by_name = {machine["StateMachineName"]: machine for machine in machines}
        return {
            workflow: by_name.pop(make_state_machine_name(self.stage, workflow))
            for workflow in Workflow
        }

    def parse_definition(self, workflow: Workflow) -> dict[str, Any]:
        """Return the ASL of a state machine, before substitution."""
        definition: dict[str, Any] = json.loads(self.state_machines[workflow]["DefinitionString"])
        return definition

    def resolve_substitutions(self, workflow: Workflow) -> dict[str, str]:
        """Return the name of the Lambda function behind each `${...FunctionArn}` of a definition."""
        arns = self.state_machines[workflow]["DefinitionSubstitutions"].items()
        return {key: self.find_function_of_version(arn) for key, arn in arns if key != "Partition"}

    def find_function_of_version(self, arn: Any) -> str:
        """Return the name of the function of a version, given as `{"Ref": logical id}`."""
        version = self.select_properties("AWS::Lambda::Version")[arn["Ref"]]
        functions = self.select_properties("AWS::Lambda::Function")
        name: str = functions[version["FunctionName"]["Ref"]]["FunctionName"]
        return name

    def find_function_of_alias(self, alias: Any) -> str:
        """Return the name of the function of an alias, given as `{"Ref": logical id}`."""
        properties = self.select_properties("AWS::Lambda::Alias")[alias["Ref"]]
        return self.find_function_of_version(
            {"Ref": properties["FunctionVersion"]["Fn::GetAtt"][0]}
        )

    def find_state_machine_of_alias(self, alias: Any) -> str:
        """Return the name of the state machine of an alias, given as `{"Fn::GetAtt": [logical id, "Arn"]}`."""
        properties = self.select_properties("AWS::StepFunctions::StateMachineAlias")
        (route,) = properties[alias["Fn::GetAtt"][0]]["RoutingConfiguration"]
        versions = self.select_properties("AWS::StepFunctions::StateMachineVersion")
        version = versions[route["StateMachineVersionArn"]["Fn::GetAtt"][0]]
        machines = self.select_properties("AWS::StepFunctions::StateMachine")
        name: str = machines[version["StateMachineArn"]["Ref"]]["StateMachineName"]
        return name

    def list_statements(self, role: Any) -> list[Statement]:
        """Return the statements of a role, given as `{"Fn::GetAtt": [logical id, "Arn"]}`."""
        name = role["Fn::GetAtt"][0]
        policies = self.select_properties("AWS::IAM::Policy").values()
        return [
            _parse_statement(raw)
            for policy in policies
            if {"Ref": name} in policy["Roles"]
            for raw in policy["PolicyDocument"]["Statement"]
        ]

    def find_function_resources(self, function: Function, action: str) -> set[str]:
        """Return the resources on which a function may perform an action, such as `s3:PutObject`."""
        return set(self._match_resources(self.functions[function]["Role"], action))

    def find_partitions(self, function: Function) -> dict[str, set[str]]:
        """Return the table partitions that a function may access, by action."""
        partitions: dict[str, set[str]] = {}
        for statement in self.list_statements(self.functions[function]["Role"]):
            for action in statement.actions:
                if action.startswith("dynamodb:"):
                    partitions.setdefault(action, set()).update(statement.partitions)
        return partitions

    def find_state_machine_resources(self, workflow: Workflow, action: str) -> set[str]:
        return set(self._match_resources(self.state_machines[workflow]["RoleArn"], action))

    def _match_resources(self, role: Any, action: str) -> Iterator[str]:
        for statement in self.list_statements(role):
            if any(fnmatchcase(action, pattern) for pattern in statement.actions):
                yield from statement.resources


def render_value(value: Any) -> str:
    """Return a value of a template as text, with references in angle brackets."""
    match value:
        case str():
            return value
        case {"Ref": name}:
            return f"<{name}>"
        case {"Fn::GetAtt": [name, attribute]}:
            return f"<{name}.{attribute}>"
        case {"Fn::Join": [separator, parts]}:
            return str(separator).join(render_value(part) for part in parts)
    raise ValueError(f"{value!r} is not text.")


def _parse_statement(raw: Mapping[str, Any]) -> Statement:
    assert raw["Effect"] == "Allow", raw
    return Statement(
        actions=tuple(_to_list(raw["Action"])),
        resources=tuple(render_value(resource) for resource in _to_list(raw["Resource"])),
        condition=raw.get("Condition", {}),
    )


def _to_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
