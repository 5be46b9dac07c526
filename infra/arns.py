"""ARNs built from names, for policies: a reference from a role to its own state machine would be circular."""

from dataclasses import dataclass

from aws_cdk import ArnFormat, Stack

from twofold.settings import Workflow, make_state_machine_name


@dataclass(frozen=True, slots=True)
class ArnFormatter:
    """Formats ARNs in the account, region and partition of `stack`, for the resources of `stage`."""

    stack: Stack
    stage: str

    def format_event_bus(self) -> str:
        return self.stack.format_arn(
            service="events", resource="event-bus", resource_name="default"
        )

    def format_every_key(self) -> str:
        return self.stack.format_arn(service="kms", resource="key", resource_name="*")

    def format_state_machine(self, workflow: Workflow) -> str:
        return self._format_states("stateMachine", make_state_machine_name(self.stage, workflow))

    def format_executions(self, workflow: Workflow) -> str:
        """Return a pattern for the executions of a state machine."""
        name = make_state_machine_name(self.stage, workflow)
        return self._format_states("execution", f"{name}:*")

    def format_map_executions(self, workflow: Workflow) -> str:
        """Return a pattern for the child executions of a state machine's Distributed Maps."""
        name = make_state_machine_name(self.stage, workflow)
        return self._format_states("execution", f"{name}/*:*")

    def _format_states(self, resource: str, name: str) -> str:
        return self.stack.format_arn(
            service="states",
            resource=resource,
            resource_name=name,
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )
