"""A synthesized template, read by what it means: functions by name, roles by what they may do."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from twofold.settings import Function, Workflow, function_name, state_machine_name

Resource = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Statement:
    """One `Allow`, with its actions and its resources spelt as text (`<LogicalId.Arn>/contents/*`)."""

    actions: tuple[str, ...]
    resources: tuple[str, ...]
    condition: Mapping[str, Any]

    @property
    def partitions(self) -> tuple[str, ...]:
        """The patterns that each partition key in a request must match one of; none leave the whole table open."""
        limit = self.condition.get("ForAllValues:StringLike", {})
        return tuple(_listed(limit.get("dynamodb:LeadingKeys", [])))


@dataclass(frozen=True, slots=True)
class Synthesized:
    body: Mapping[str, Any]
    stage: str

    def of_type(self, kind: str) -> dict[str, Resource]:
        """Resources of a CloudFormation type, by logical id."""
        resources = self.body["Resources"].items()
        return {name: resource for name, resource in resources if resource["Type"] == kind}

    def only(self, kind: str) -> Resource:
        (resource,) = self.of_type(kind).values()
        return resource

    def properties(self, kind: str) -> dict[str, Mapping[str, Any]]:
        return {name: resource["Properties"] for name, resource in self.of_type(kind).items()}

    @property
    def functions(self) -> dict[Function, Mapping[str, Any]]:
        """Each function's properties: name, handler, environment, memory, timeout..."""
        named = {p["FunctionName"]: p for p in self.properties("AWS::Lambda::Function").values()}
        return {function: named.pop(function_name(self.stage, function)) for function in Function}

    def environment_keys(self, function: Function) -> set[str]:
        return set(self.functions[function]["Environment"]["Variables"])

    @property
    def table(self) -> Mapping[str, Any]:
        properties: Mapping[str, Any] = self.only("AWS::DynamoDB::Table")["Properties"]
        return properties

    @property
    def managed_policies(self) -> dict[str, Mapping[str, Any]]:
        """By what follows the stage and the region in their names."""
        policies = self.properties("AWS::IAM::ManagedPolicy").values()
        start = f"twofold-{self.stage}-<AWS::Region>-"
        named = {spelt(one["ManagedPolicyName"]): one for one in policies}
        assert all(name.startswith(start) for name in named), list(named)
        return {name.removeprefix(start): policy for name, policy in named.items()}

    @property
    def machines(self) -> dict[Workflow, Mapping[str, Any]]:
        machines = self.properties("AWS::StepFunctions::StateMachine").values()
        named = {machine["StateMachineName"]: machine for machine in machines}
        return {
            workflow: named.pop(state_machine_name(self.stage, workflow)) for workflow in Workflow
        }

    def definition(self, workflow: Workflow) -> dict[str, Any]:
        """The state machine's ASL, before substitution."""
        definition: dict[str, Any] = json.loads(self.machines[workflow]["DefinitionString"])
        return definition

    def substituted(self, workflow: Workflow) -> dict[str, str]:
        """What each `${...FunctionArn}` of a definition stands for, as the name of a Lambda function."""
        arns = self.machines[workflow]["DefinitionSubstitutions"].items()
        return {key: self.name_of_version(arn) for key, arn in arns if key != "Partition"}

    def name_of_version(self, arn: Any) -> str:
        """The name of the function whose version an ARN, `{"Ref": logical id}`, stands for."""
        version = self.properties("AWS::Lambda::Version")[arn["Ref"]]
        named = self.properties("AWS::Lambda::Function")
        name: str = named[version["FunctionName"]["Ref"]]["FunctionName"]
        return name

    def function_behind(self, alias: Any) -> str:
        """The name of the function that an alias, `{"Ref": logical id}`, leads to."""
        properties = self.properties("AWS::Lambda::Alias")[alias["Ref"]]
        return self.name_of_version({"Ref": properties["FunctionVersion"]["Fn::GetAtt"][0]})

    def machine_behind(self, alias: Any) -> str:
        """The name of the state machine that an alias, `{"Fn::GetAtt": [logical id, "Arn"]}`, leads to."""
        properties = self.properties("AWS::StepFunctions::StateMachineAlias")
        (route,) = properties[alias["Fn::GetAtt"][0]]["RoutingConfiguration"]
        versions = self.properties("AWS::StepFunctions::StateMachineVersion")
        version = versions[route["StateMachineVersionArn"]["Fn::GetAtt"][0]]
        machines = self.properties("AWS::StepFunctions::StateMachine")
        name: str = machines[version["StateMachineArn"]["Ref"]]["StateMachineName"]
        return name

    def allowed(self, role: Any) -> list[Statement]:
        """What a role, given as `{"Fn::GetAtt": [logical id, "Arn"]}`, may do."""
        name = role["Fn::GetAtt"][0]
        policies = self.properties("AWS::IAM::Policy").values()
        return [
            _statement(raw)
            for policy in policies
            if {"Ref": name} in policy["Roles"]
            for raw in policy["PolicyDocument"]["Statement"]
        ]

    def function_may(self, function: Function, action: str) -> set[str]:
        """The resources on which a function may do an action such as `s3:PutObject`."""
        return set(self._resources(self.functions[function]["Role"], action))

    def partitions(self, function: Function) -> dict[str, set[str]]:
        """The partitions of the table that a function may reach, by action."""
        found: dict[str, set[str]] = {}
        for statement in self.allowed(self.functions[function]["Role"]):
            for action in statement.actions:
                if action.startswith("dynamodb:"):
                    found.setdefault(action, set()).update(statement.partitions)
        return found

    def machine_may(self, workflow: Workflow, action: str) -> set[str]:
        return set(self._resources(self.machines[workflow]["RoleArn"], action))

    def _resources(self, role: Any, action: str) -> Iterator[str]:
        for statement in self.allowed(role):
            if any(fnmatchcase(action, pattern) for pattern in statement.actions):
                yield from statement.resources


def spelt(value: Any) -> str:
    """A value of a template as text, with references in angle brackets."""
    match value:
        case str():
            return value
        case {"Ref": name}:
            return f"<{name}>"
        case {"Fn::GetAtt": [name, attribute]}:
            return f"<{name}.{attribute}>"
        case {"Fn::Join": [separator, parts]}:
            return str(separator).join(spelt(part) for part in parts)
    raise ValueError(f"{value!r} is not text.")


def _statement(raw: Mapping[str, Any]) -> Statement:
    assert raw["Effect"] == "Allow", raw
    return Statement(
        actions=tuple(_listed(raw["Action"])),
        resources=tuple(spelt(resource) for resource in _listed(raw["Resource"])),
        condition=raw.get("Condition", {}),
    )


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
