"""The Lambda functions of the local stack: moto keeps their names, worker processes run their handlers.

moto's own backend without Docker does not run code; its one method that would is replaced here (moto is pinned).
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

from local.clients import KEY, REGION
from local.pool import Pool
from local.worker import Answer, Invocation
from twofold.settings import MEMORY_MB, Function, function_name

ACCOUNT = "123456789012"

_CONFIG = str(Path(__file__).with_name("aws-config"))

FUNCTION_OF_TRACE = re.compile(r"Function=(?P<name>[\w-]+)")
"""In the trace id of an invocation, which botocore sends with each of the invocation's calls as it does in Lambda."""


@dataclass(slots=True)
class Functions:
    """The API has processes of its own, so that long steps of a workflow do not keep callers waiting."""

    stage: str
    environments: dict[Function, dict[str, str]]
    endpoint: str
    api: Pool
    steps: Pool
    secret: str = field(default="local", repr=False)
    invocations: Counter[Function] = field(default_factory=Counter)
    peak_bytes: dict[Function, int] = field(default_factory=dict)
    cpu_seconds: dict[Function, float] = field(default_factory=dict)
    _under_way: set[str] = field(default_factory=set)

    def invoke(self, function: Function, event: bytes) -> Answer:
        request_id = str(uuid4())
        self._under_way.add(request_id)
        try:
            return self._invoke(function, event, request_id)
        finally:
            self._under_way.remove(request_id)

    @property
    def idle(self) -> bool:
        """No function is at work, not even for what follows the change that its caller waits for."""
        return not self._under_way

    def _invoke(self, function: Function, event: bytes, request_id: str) -> Answer:
        pool = self.api if function is Function.API else self.steps
        answer = pool.invoke(
            Invocation(
                handler=function.handler,
                arn=self.arn(function),
                request_id=request_id,
                memory_mb=MEMORY_MB[function],
                environment=self._environment(function),
                event=event,
            )
        )
        self.invocations[function] += 1
        self.cpu_seconds[function] = self.cpu_seconds.get(function, 0) + answer.cpu_seconds
        self.peak_bytes[function] = max(self.peak_bytes.get(function, 0), answer.peak_bytes)
        return answer

    def arn(self, function: Function) -> str:
        name = function_name(self.stage, function)
        return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}"

    def _environment(self, function: Function) -> dict[str, str]:
        """Lambda's own variables, the function's, and the way to this stack: nothing of the caller's but PATH."""
        name = function_name(self.stage, function)
        return {
            "PATH": os.environ.get("PATH", ""),
            "AWS_ACCESS_KEY_ID": KEY,
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

    def serve_moto(self) -> None:
        """Makes moto's Lambda run these functions."""
        by_name = {function_name(self.stage, function): function for function in Function}

        def invoke(
            backend: LambdaSimpleBackend,
            name: str,
            qualifier: str | None,
            body: Any,
            headers: Any,
            response_headers: Any,
        ) -> bytes:
            event = body.encode() if isinstance(body, str) else bytes(body or b"{}")
            answer = self.invoke(by_name[name.rpartition(":")[2]], event)
            if answer.error:
                response_headers["x-amz-function-error"] = "Unhandled"
            return answer.payload

        backend: Any = LambdaSimpleBackend
        backend.invoke = invoke
        _keep_clients()


def _keep_clients() -> None:
    """moto's interpreter makes a client for each invocation, which takes longer than the call."""
    # Imported late: it loads most of moto.
    from moto.stepfunctions.parser.asl.component.state.exec.state_task import lambda_eval_utils
    from moto.stepfunctions.parser.asl.utils.boto_client import boto_client_for

    @cache
    def client(service: str, region: str) -> Any:
        return boto_client_for(region, service)

    calls: Any = lambda_eval_utils
    calls.boto_client_for = lambda *, service, region, state_credentials: client(service, region)
