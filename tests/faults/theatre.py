"""The whole service in this process with everything outside it under control: calls, functions, executions and the clock."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random
from typing import Any

import pytest

from tests.faults.company import Actor, Company
from tests.faults.outside import Answer, Killed, Outside
from tests.handlers.in_process import Api, context_of, deployed, handler_of
from tests.machine import Machine, TaskFailedError, raised
from twofold import clock
from twofold.settings import Function, Workflow
from twofold.stores import contents, executions, objects
from twofold.stores.table import connection

BEGIN = 1_700_000_000_000
CALL_MILLISECONDS = 7
MINUTE = 60_000


class Mishap(StrEnum):
    """What can happen to a function that a state machine calls."""

    THROTTLED = "not run: too many requests"
    RUN_AGAIN = "run, its answer lost, and run again"
    TWIN = "run twice at the same time"


@dataclass
class Execution:
    workflow: Workflow
    input: str
    arn: str
    status: str = "RUNNING"
    actor: Actor | None = None


class Inline:
    """A thread pool of none, so that calls come in one order."""

    def __init__(self, size: int) -> None:
        self.map = map

    def submit(self, act: Callable[..., Any], *arguments: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(act(*arguments))
        except Exception as failure:
            future.set_exception(failure)
        return future

    def __enter__(self) -> "Inline":
        return self

    def __exit__(self, *_: object) -> None:
        pass


@dataclass
class Theatre:
    """`skew`: by how many milliseconds the clock of a function is wrong when it looks.

    `plays`: executions wait for `company.play`; otherwise they run to their end when they are started."""

    api: Api
    outside: Outside
    company: Company
    now: int = BEGIN
    mishap: Callable[[Function], Mishap | None] = lambda function: None
    skew: Callable[[str], int] = lambda actor: 0
    plays: bool = False
    executions: dict[str, Execution] = field(default_factory=dict)
    running: list[Function] = field(default_factory=list)
    refusal: str = ""

    def tick(self, milliseconds: int) -> None:
        self.now += milliseconds

    def reset(self, seed: int) -> None:
        """A new schedule; datasets stay. A process has read no contents yet, so that a seed gives the same calls every time."""
        contents._header.cache_clear()
        self.outside.reset()
        self.mishap = lambda function: None
        self.skew = lambda actor: 0
        self.outside.apart = lambda call: False
        self.outside.torn_reads = 0
        self.company = Company(Random(seed))
        self.executions.clear()
        self.refusal = ""
        self.tick(MINUTE)

    def passing(self) -> None:
        self.tick(CALL_MILLISECONDS)
        self.company.pause()

    def invoke(self, function: Function, event: dict[str, Any]) -> Any:
        """As Lambda runs it for a state machine; raises TaskFailedError."""
        mishap = self.mishap(function)
        if mishap is Mishap.THROTTLED:
            raise TaskFailedError("Lambda.TooManyRequestsException")
        if mishap is Mishap.TWIN:
            self.company.spawn(f"twin {function}", lambda: self._alone(function, event))
        answer = self._run(function, event)
        if mishap is Mishap.RUN_AGAIN:
            raise TaskFailedError("Lambda.ServiceException")
        return answer

    def _alone(self, function: Function, event: dict[str, Any]) -> None:
        try:
            self._run(function, event)
        except TaskFailedError:
            return

    def _run(self, function: Function, event: dict[str, Any]) -> Any:
        copy = json.loads(json.dumps(event))
        try:
            with self._named(function):
                return handler_of(function)(copy, context_of(function))
        except Killed as end:
            if self.doomed():
                raise
            raise TaskFailedError("Runtime.ExitError", "The process exited.") from end
        except Exception as error:
            raise raised(error) from error

    def doomed(self) -> bool:
        actor = self.company.here()
        return actor is not None and actor.doomed

    @contextmanager
    def _named(self, function: Function) -> Iterator[None]:
        actor = self.company.here()
        if actor is None:
            yield
            return
        name, actor.function = actor.function, function.value
        try:
            yield
        finally:
            actor.function = name

    def call(self, operation: str, **members: Any) -> dict[str, Any] | None:
        """The answer of the API; None if its function died, and `{"__type": ...}` for an error."""
        try:
            with self._named(Function.API):
                return self.api.call(operation, **members)[1]
        except Killed:
            if self.doomed():
                raise
            return None

    def settle(self, event: dict[str, Any] | None = None) -> None:
        """A sweep, or what a rule's event leads to; what it could not do is for the next one."""
        try:
            self._run(Function.SETTLE, event or {"source": "aws.events", "detail": {}})
        except TaskFailedError:
            return

    def states(self, operation: str, body: dict[str, Any]) -> Answer:
        """Step Functions' part."""
        if operation == "StartExecution":
            return self._start(body)
        arn = body["executionArn"]
        found = self.executions.get(arn.rpartition(":")[2])
        if not found:
            return _said("ExecutionDoesNotExist")
        return _ok({"executionArn": arn, "status": found.status, "startDate": self.now // 1000})

    def _start(self, body: dict[str, Any]) -> Answer:
        if self.refusal:
            return _said(self.refusal)
        name, workflow = body["name"], Workflow(body["stateMachineArn"].rpartition(":")[2])
        answer = _ok({"executionArn": f"arn:execution:{name}", "startDate": self.now // 1000})
        known = self.executions.get(name)
        if known:
            same = known.status == "RUNNING" and known.input == body["input"]
            return answer if same else _said("ExecutionAlreadyExists")
        arn = f"{body['stateMachineArn'].replace(':stateMachine:', ':execution:')}:{name}"
        execution = self.executions[name] = Execution(workflow, body["input"], arn)
        execution.actor = self.company.spawn("execution", lambda: self._live(execution))
        return answer

    def _live(self, execution: Execution) -> None:
        machine = Machine(self.invoke, self._shuffled)
        execution.status = machine.run(execution.workflow, json.loads(execution.input))
        if execution.status != "SUCCEEDED":
            self._tell(execution)

    def _tell(self, execution: Execution) -> None:
        """EventBridge's rule on executions that end badly."""
        event = ended(execution.arn, execution.status)
        self.company.spawn("settle by the rule", lambda: self.settle(event))

    def _shuffled(self, items: list[Any]) -> list[Any]:
        return self.company.random.sample(items, len(items))

    def abort(self, execution: Execution, status: str = "ABORTED") -> None:
        """What runs of it now goes on until its next call, and no further."""
        if execution.status == "RUNNING" and execution.actor:
            execution.status = status
            execution.actor.doomed = True
            self._tell(execution)


def ended(arn: str, status: str) -> dict[str, Any]:
    """The members that are read of the event."""
    return {"source": "aws.states", "detail": {"executionArn": arn, "status": status}}


def _ok(body: dict[str, Any]) -> Answer:
    return 200, {"content-type": "application/x-amz-json-1.0"}, json.dumps(body).encode()


def _said(code: str) -> Answer:
    body = json.dumps({"__type": f"com.amazonaws.swf.base.model#{code}", "message": code})
    return 400, {"content-type": "application/x-amz-json-1.0"}, body.encode()


class Clock:
    """In the place of `time`: waiting takes no time but the theatre's."""

    def __init__(self, theatre: Theatre) -> None:
        self._theatre = theatre

    def sleep(self, seconds: float) -> None:
        self._theatre.tick(int(seconds * 1000))


@contextmanager
def theatre() -> Iterator[Theatre]:
    """Within moto's mock_aws."""
    with deployed() as api, pytest.MonkeyPatch.context() as patch:
        found = Theatre(api, Outside(), Company(Random(0)))
        outside = found.outside
        outside.services["sfn"] = found.states
        outside.passing = lambda call, done: None if done else found.passing()
        outside.late = found.tick
        outside.actor = lambda: found.company.name()
        patch.setattr(clock, "now", lambda: found.now + found.skew(found.company.name()))
        patch.setattr(connection, "time", Clock(found))
        patch.setattr("botocore.endpoint.time", Clock(found))
        # Every schedule begins with as many retries left as a new process has.
        patch.setattr("botocore.retries.quota.RetryQuota.acquire", lambda quota, amount: True)
        patch.setattr(objects, "ThreadPoolExecutor", Inline)
        for cache in (connection._client, objects._client, executions._client):
            cache.cache_clear()
        with outside.standing():
            yield found
