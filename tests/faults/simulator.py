"""A simulator of one deployment in this process: control of calls to AWS, functions, executions and the clock."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random
from typing import Any

import pytest

from tests.faults.fault_injector import FaultInjector
from tests.faults.faults import HttpResponse, Killed
from tests.faults.scheduler import Process, Scheduler
from tests.support.asl_interpreter import StateMachine, TaskFailedError, describe_exception
from tests.support.in_process_api import InProcessApi, create_api, get_handler, make_context
from twofold import clock
from twofold.settings import Function, Workflow
from twofold.stores import contents, executions, objects
from twofold.stores.table import connection

BEGIN = 1_700_000_000_000
CALL_MILLISECONDS = 7
MINUTE = 60_000


class FunctionFault(StrEnum):
    """Faults of a function invocation by a state machine."""

    THROTTLED = "not run: too many requests"
    RUN_AGAIN = "run, response lost, and run again"
    RUN_TWICE = "run twice at the same time"


@dataclass
class Execution:
    workflow: Workflow
    input: str
    arn: str
    status: str = "RUNNING"
    process: Process | None = None


class SynchronousExecutor:
    """Executor without threads: calls run at once, in a fixed order."""

    def __init__(self, size: int) -> None:
        self.map = map

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(function(*arguments))
        except Exception as error:
            future.set_exception(error)
        return future

    def __enter__(self) -> "SynchronousExecutor":
        return self

    def __exit__(self, *_: object) -> None:
        pass


@dataclass
class Simulator:
    """A deployment whose functions and executions are processes of the scheduler.

    choose_function_fault   returns the fault of an invocation, or None
    choose_skew             error of a process's clock in milliseconds, for each reading
    start_error             error code of StartExecution, if it fails
    """

    api: InProcessApi
    fault_injector: FaultInjector
    scheduler: Scheduler
    now: int = BEGIN
    choose_function_fault: Callable[[Function], FunctionFault | None] = lambda function: None
    choose_skew: Callable[[str], int] = lambda process: 0
    executions: dict[str, Execution] = field(default_factory=dict)
    start_error: str = ""

    def advance_clock(self, milliseconds: int) -> None:
        self.now += milliseconds

    def reset(self, seed: int) -> None:
        """Prepare a new schedule; datasets stay. Caches are cleared, for the same calls with the same seed."""
        contents._read_header.cache_clear()
        self.fault_injector.reset()
        self.choose_function_fault = lambda function: None
        self.choose_skew = lambda process: 0
        self.fault_injector.reads_separately = lambda call: False
        self.fault_injector.torn_reads = 0
        self.scheduler = Scheduler(Random(seed))
        self.executions.clear()
        self.start_error = ""
        self.advance_clock(MINUTE)

    def pass_turn(self) -> None:
        """Advance the clock by a call, and let other processes run."""
        self.advance_clock(CALL_MILLISECONDS)
        self.scheduler.pause()

    def invoke(self, function: Function, event: dict[str, Any]) -> Any:
        """Invoke a function for a state machine. Raises TaskFailedError."""
        fault = self.choose_function_fault(function)
        if fault is FunctionFault.THROTTLED:
            raise TaskFailedError("Lambda.TooManyRequestsException")
        if fault is FunctionFault.RUN_TWICE:
            self.scheduler.start(
                f"second run of {function}", lambda: self._run_second(function, event)
            )
        result = self._run(function, event)
        if fault is FunctionFault.RUN_AGAIN:
            raise TaskFailedError("Lambda.ServiceException")
        return result

    def _run_second(self, function: Function, event: dict[str, Any]) -> None:
        try:
            self._run(function, event)
        except TaskFailedError:
            return

    def _run(self, function: Function, event: dict[str, Any]) -> Any:
        copy = json.loads(json.dumps(event))
        try:
            with self._name_process(function):
                return get_handler(function)(copy, make_context(function))
        except Killed as error:
            if self.is_killed():
                raise
            raise TaskFailedError("Runtime.ExitError", "The process exited.") from error
        except Exception as error:
            raise describe_exception(error) from error

    def is_killed(self) -> bool:
        """Return whether the current process is to be killed as a whole, and not only its function."""
        process = self.scheduler.get_current()
        return process is not None and process.killed

    @contextmanager
    def _name_process(self, function: Function) -> Iterator[None]:
        process = self.scheduler.get_current()
        if process is None:
            yield
            return
        name, process.function = process.function, function.value
        try:
            yield
        finally:
            process.function = name

    def call(self, operation: str, **members: Any) -> dict[str, Any] | None:
        """Return the response of the API, `{"__type": ...}` for an error, or None if the function was killed."""
        try:
            with self._name_process(Function.API):
                return self.api.call(operation, **members)[1]
        except Killed:
            if self.is_killed():
                raise
            return None

    def settle(self, event: dict[str, Any] | None = None) -> None:
        """Invoke Settle, by default with the event of the schedule. Errors are ignored: the next run settles the rest."""
        try:
            self._run(Function.SETTLE, event or {"source": "aws.events", "detail": {}})
        except TaskFailedError:
            return

    def handle_states_call(self, operation: str, body: dict[str, Any]) -> HttpResponse:
        """Return Step Functions' response to a call."""
        if operation == "StartExecution":
            return self._start_execution(body)
        arn = body["executionArn"]
        execution = self.executions.get(arn.rpartition(":")[2])
        if not execution:
            return _make_error("ExecutionDoesNotExist")
        return _make_response(
            {"executionArn": arn, "status": execution.status, "startDate": self.now // 1000}
        )

    def _start_execution(self, body: dict[str, Any]) -> HttpResponse:
        if self.start_error:
            return _make_error(self.start_error)
        name, workflow = body["name"], Workflow(body["stateMachineArn"].rpartition(":")[2])
        response = _make_response(
            {"executionArn": f"arn:execution:{name}", "startDate": self.now // 1000}
        )
        existing = self.executions.get(name)
        if existing:
            same = existing.status == "RUNNING" and existing.input == body["input"]
            return response if same else _make_error("ExecutionAlreadyExists")
        arn = f"{body['stateMachineArn'].replace(':stateMachine:', ':execution:')}:{name}"
        execution = self.executions[name] = Execution(workflow, body["input"], arn)
        execution.process = self.scheduler.start(
            "execution", lambda: self._run_execution(execution)
        )
        return response

    def _run_execution(self, execution: Execution) -> None:
        machine = StateMachine(self.invoke, self._shuffle)
        execution.status = machine.run(execution.workflow, json.loads(execution.input))
        if execution.status != "SUCCEEDED":
            self._send_end_event(execution)

    def _send_end_event(self, execution: Execution) -> None:
        """Start Settle with EventBridge's event of an unsuccessful execution."""
        event = make_end_event(execution.arn, execution.status)
        self.scheduler.start("settle after an event", lambda: self.settle(event))

    def _shuffle(self, items: list[Any]) -> list[Any]:
        return self.scheduler.random.sample(items, len(items))

    def abort_execution(self, execution: Execution, status: str = "ABORTED") -> None:
        """Abort an execution. The running function is killed at the next call."""
        if execution.status == "RUNNING" and execution.process:
            execution.status = status
            execution.process.killed = True
            self._send_end_event(execution)


def make_end_event(arn: str, status: str) -> dict[str, Any]:
    """Return the members of the event for Settle."""
    return {"source": "aws.states", "detail": {"executionArn": arn, "status": status}}


def _make_response(body: dict[str, Any]) -> HttpResponse:
    return 200, {"content-type": "application/x-amz-json-1.0"}, json.dumps(body).encode()


def _make_error(code: str) -> HttpResponse:
    body = json.dumps({"__type": f"com.amazonaws.swf.base.model#{code}", "message": code})
    return 400, {"content-type": "application/x-amz-json-1.0"}, body.encode()


class SimulatedClock:
    """Replacement of the module `time`: sleeping advances the simulator's clock."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator

    def sleep(self, seconds: float) -> None:
        self._simulator.advance_clock(int(seconds * 1000))


@contextmanager
def start_simulator() -> Iterator[Simulator]:
    """Start a simulator. Requires moto's mock_aws."""
    with create_api() as api, pytest.MonkeyPatch.context() as patch:
        simulator = Simulator(api, FaultInjector(), Scheduler(Random(0)))
        fault_injector = simulator.fault_injector
        fault_injector.services["sfn"] = simulator.handle_states_call
        fault_injector.on_call = lambda call, done: None if done else simulator.pass_turn()
        fault_injector.delay = simulator.advance_clock
        fault_injector.get_process_name = lambda: simulator.scheduler.get_current_name()
        patch.setattr(
            clock,
            "now",
            lambda: simulator.now + simulator.choose_skew(simulator.scheduler.get_current_name()),
        )
        patch.setattr(connection, "time", SimulatedClock(simulator))
        patch.setattr("botocore.endpoint.time", SimulatedClock(simulator))
        # Every schedule begins with the full retry quota of a new process.
        patch.setattr("botocore.retries.quota.RetryQuota.acquire", lambda quota, amount: True)
        patch.setattr(objects, "ThreadPoolExecutor", SynchronousExecutor)
        for cache in (connection.get_client, objects.get_client, executions.get_client):
            cache.cache_clear()
        with fault_injector.install():
            yield simulator
