"""The Lambda functions. moto stores the function configurations; worker processes run the handlers.

moto's backend without Docker returns canned responses. `Functions.install_in_moto` replaces the backend's `invoke` method (moto
is pinned).
"""

import os
import re
from collections import Counter
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

from moto.awslambda_simple.models import LambdaSimpleBackend

from local.emulator.clients import ACCESS_KEY_ID, REGION
from local.emulator.worker import Invocation, InvocationResult
from local.emulator.worker_pool import WorkerPool
from twofold.settings import MEMORY_MB, Function, make_function_name

ACCOUNT = "123456789012"

_CONFIG = str(Path(__file__).with_name("aws-config"))

TRACE_FUNCTION = re.compile(r"Function=(?P<name>[\w-]+)")
"""Matches the function name in a trace id. botocore sends the trace id of the invocation with each call, as in Lambda."""


@dataclass(slots=True)
class Functions:
    """The functions of a stage. The API has its own pool, so that long workflow states do not delay callers."""

    stage: str
    environments: dict[Function, dict[str, str]]
    endpoint: str
    api_pool: WorkerPool
    workflow_pool: WorkerPool
    secret: str = field(default="local", repr=False)
    invocations: Counter[Function] = field(default_factory=Counter)
    peak_bytes: dict[Function, int] = field(default_factory=dict)
    cpu_seconds: dict[Function, float] = field(default_factory=dict)
    _running_requests: set[str] = field(default_factory=set)

    def invoke(self, function: Function, event: bytes) -> InvocationResult:
        request_id = str(uuid4())
        self._running_requests.add(request_id)
        try:
            return self._invoke(function, event, request_id)
        finally:
            self._running_requests.remove(request_id)

    @property
    def idle(self) -> bool:
        """Whether no function is running."""
        return not self._running_requests

    def _invoke(self, function: Function, event: bytes, request_id: str) -> InvocationResult:
        pool = self.api_pool if function is Function.API else self.workflow_pool
        result = pool.invoke(
            Invocation(
                handler=function.handler,
                arn=self.build_arn(function),
                request_id=request_id,
                memory_mb=MEMORY_MB[function],
                environment=self._build_environment(function),
                event=event,
            )
        )
        self.invocations[function] += 1
        self.cpu_seconds[function] = self.cpu_seconds.get(function, 0) + result.cpu_seconds
        self.peak_bytes[function] = max(self.peak_bytes.get(function, 0), result.peak_bytes)
        return result

    def build_arn(self, function: Function) -> str:
        name = make_function_name(self.stage, function)
        return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}"

    def _build_environment(self, function: Function) -> dict[str, str]:
        """Lambda's reserved variables, the function's variables and the emulator's endpoint; only PATH is inherited."""
        name = make_function_name(self.stage, function)
        return {
            "PATH": os.environ.get("PATH", ""),
            "AWS_ACCESS_KEY_ID": ACCESS_KEY_ID,
            "AWS_SECRET_ACCESS_KEY": self.secret,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_LAMBDA_FUNCTION_NAME": name,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": _CONFIG,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "_X_AMZN_TRACE_ID": f"Root=1-{uuid4().hex[:8]}-{uuid4().hex[:24]};Function={name}",
            **self.environments[function],
        }

    def install_in_moto(self) -> None:
        """Make moto's Lambda backend invoke these functions."""
        by_name = {make_function_name(self.stage, function): function for function in Function}

        def invoke(
            backend: LambdaSimpleBackend,
            name: str,
            qualifier: str | None,
            body: Any,
            headers: Any,
            response_headers: Any,
        ) -> bytes:
            event = body.encode() if isinstance(body, str) else bytes(body or b"{}")
            result = self.invoke(by_name[name.rpartition(":")[2]], event)
            if result.error:
                response_headers["x-amz-function-error"] = "Unhandled"
            return result.payload

        backend: Any = LambdaSimpleBackend
        backend.invoke = invoke
        _cache_clients()


def _cache_clients() -> None:
    """Cache the clients of moto's Step Functions interpreter: creating a client takes longer than an invocation."""
    # Imported late: it loads most of moto.
    from moto.stepfunctions.parser.asl.component.state.exec.state_task import lambda_eval_utils
    from moto.stepfunctions.parser.asl.utils.boto_client import boto_client_for

    @cache
    def get_client(service: str, region: str) -> Any:
        return boto_client_for(region, service)

    module: Any = lambda_eval_utils
    module.boto_client_for = lambda *, service, region, state_credentials: get_client(
        service, region
    )
