"""A worker process: runs one handler at a time, in its function's environment, as a Lambda sandbox does."""

import json
import os
import resource
import signal
import sys
import time
import traceback
from dataclasses import dataclass, field, replace
from importlib import import_module
from multiprocessing.connection import Connection

MAX_ANSWER_BYTES = 6 * 1024 * 1024
_KIBIBYTE = 1024


@dataclass(frozen=True, slots=True)
class Invocation:
    """`handler` is `module.function`; `event` is JSON text."""

    handler: str
    arn: str
    request_id: str
    memory_mb: int
    environment: dict[str, str] = field(repr=False)
    event: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """`error` is empty, or the name of the exception; `payload` is what Lambda would answer with. `peak_bytes` is the
    largest resident size that the process has had, `cpu_seconds` what this invocation took."""

    payload: bytes
    error: str
    peak_bytes: int
    cpu_seconds: float = 0


@dataclass(frozen=True, slots=True)
class Context:
    """The part of Lambda's context object that handlers may use."""

    function_name: str
    invoked_function_arn: str
    aws_request_id: str
    memory_limit_in_mb: int


def main(connection: Connection, log: str) -> None:
    """Answers invocations until the other end closes. Ctrl-C reaches the whole process group; it is the stack that stops us."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    while True:
        try:
            invocation: Invocation = connection.recv()
        except EOFError:
            return
        began = time.process_time()
        answer = _answer(invocation)
        connection.send(replace(answer, cpu_seconds=time.process_time() - began))


def _answer(invocation: Invocation) -> Answer:
    try:
        payload = _run(invocation)
    except Exception as error:
        traceback.print_exc(file=sys.stderr)
        said = {"errorType": type(error).__name__, "errorMessage": str(error)}
        return Answer(json.dumps(said).encode(), type(error).__name__, _peak_bytes())
    return Answer(payload, "", _peak_bytes())


def _run(invocation: Invocation) -> bytes:
    os.environ.clear()
    os.environ.update(invocation.environment)
    module, _, function = invocation.handler.rpartition(".")
    context = Context(
        function_name=invocation.arn.rpartition(":")[2],
        invoked_function_arn=invocation.arn,
        aws_request_id=invocation.request_id,
        memory_limit_in_mb=invocation.memory_mb,
    )
    result = getattr(import_module(module), function)(json.loads(invocation.event), context)
    payload = json.dumps(result).encode()
    if len(payload) > MAX_ANSWER_BYTES:
        raise ResponseSizeTooLargeError(f"The answer has {len(payload)} bytes.")
    return payload


def _peak_bytes() -> int:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * _KIBIBYTE


class ResponseSizeTooLargeError(Exception):
    """Lambda answers with 6 MB at most."""
