"""The whole of Twofold in one process and on one port: gateway in front, moto behind, handlers in worker processes.

Everything is in memory; what is not read back before the stack stops is gone.
"""

import gc
import io
import logging
import os
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_hex
from threading import Event, Lock, Thread
from types import SimpleNamespace
from typing import Any

from botocore.config import Config
from moto.core.config import default_user_config
from moto.moto_server.werkzeug_app import MotoRequestHandler
from werkzeug.serving import BaseWSGIServer, make_server

from local import workflows
from local.bundles import local_bundle
from local.clients import KEY, REGION, create_client
from local.forks import ForkServer
from local.functions import ACCOUNT, Functions
from local.gateway import Application, Gateway, Throttle, front
from local.guard import Guard
from local.pool import Pool
from local.schema import TABLE_SCHEMA
from local.service_signatures import SignedServices
from local.services import moto
from local.signatures import Keys, User
from twofold.access import OPEN, Access
from twofold.settings import (
    MEMORY_MB,
    PRODUCT,
    RETENTION_DAYS,
    RUNTIME,
    TIMEOUT_SECONDS,
    VARIABLES,
    Function,
    Quotas,
    Variable,
    Workflow,
    function_name,
    state_machine_name,
)

HOST = "127.0.0.1"
STAGE = "local"
TABLE = f"{PRODUCT}-{STAGE}"
BUCKET = f"{PRODUCT}-{STAGE}-{ACCOUNT}-{REGION}"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/{PRODUCT}-{STAGE}"
SETTLE_SECONDS = 60
INTERPRETER = "ak"
"""The access key id that moto's interpreter of state machines signs with."""


@dataclass(slots=True)
class Stack:
    """A running stack. `endpoint` is what to set AWS_ENDPOINT_URL to; who counts calls holds `sweeping`."""

    endpoint: str
    gateway: Gateway
    functions: Functions
    server: BaseWSGIServer
    log: Path
    sweeping: Lock = field(default_factory=Lock)
    _stopping: Event = field(default_factory=Event)

    def client(self, service: str, config: Config | None = None, models: Path | None = None) -> Any:
        """A boto3 client that talks to this stack over HTTP and reads nothing of the environment."""
        secret = self.functions.secret
        return create_client(service, self.endpoint, secret=secret, config=config, models=models)

    def settle_regularly(self) -> None:
        """EventBridge's schedule."""
        while not self._stopping.wait(SETTLE_SECONDS):
            with self.sweeping:
                self.functions.invoke(Function.SETTLE, b"{}")

    def stop(self) -> None:
        """No more requests, and no more sweeps."""
        self._stopping.set()
        self.server.shutdown()


@contextmanager
def running(
    port: int = 0,
    *,
    quotas: Quotas = Quotas.TWOFOLD,
    throttle: Throttle | None = None,
    keys: Keys | None = None,
    access: Access = OPEN,
    behind: Application | None = None,
) -> Iterator[Stack]:
    """A stack on a loopback port, a free one if `port` is 0. Requests are signed with one of the `keys`, or anyhow without.

    `behind` stands in for moto, to fail on purpose in tests.
    """
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    with ExitStack() as started:
        folder = Path(started.enter_context(tempfile.TemporaryDirectory(prefix="twofold-")))
        log = folder / "functions.log"
        forks = ForkServer(started.enter_context(local_bundle()), log)
        started.callback(forks.stop)
        forks.start()
        functions = Functions(STAGE, {}, "", Pool(1, forks), Pool(os.cpu_count() or 1, forks))
        functions.secret = token_hex(20)
        gateway = Gateway(functions, throttle, keys)
        internal = _internal_keys(functions.secret)
        services = SignedServices(behind or moto(), lambda: gateway.keys, internal)
        server = _server(port, Guard(front(gateway, services)))
        started.callback(server.server_close)
        functions.endpoint = f"http://{HOST}:{server.server_port}"
        functions.environments.update(_environments(quotas, access))
        stack = Stack(functions.endpoint, gateway, functions, server, log)
        _configure_moto(functions)
        functions.serve_moto()
        for pool in (functions.api, functions.steps):
            started.callback(pool.stop)
            pool.start()
        for work in (server.serve_forever, stack.settle_regularly):
            Thread(target=work, daemon=True).start()
        started.callback(stack.stop)
        started.callback(gc.unfreeze)
        with _loading():
            create_resources(stack)
        yield stack


@contextmanager
def _loading() -> Iterator[None]:
    """What is loaded in the block, most of moto, stays: to look for cycles in it stops all threads, by the end for 0.2 s."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def _internal_keys(secret: str) -> Keys:
    """Of the functions and of the interpreter of state machines, by the access key ids that they sign with."""
    return {KEY: User("functions", secret), INTERPRETER: User("states", secret)}


def _server(port: int, application: Application) -> BaseWSGIServer:
    return make_server(HOST, port, application, threaded=True, request_handler=_Handler)


class _Handler(MotoRequestHandler):
    """Speaks as SDKs do, who ask before they send a large body; werkzeug still ends a connection with each answer."""

    protocol_version = "HTTP/1.1"

    def make_environ(self) -> dict[str, Any]:
        """Joins different Content-Length headers, which the guard refuses: werkzeug would keep the last."""
        environ: dict[str, Any] = super().make_environ()
        lengths = set(self.headers.get_all("Content-Length", []))
        if len(lengths) > 1:
            environ["CONTENT_LENGTH"] = ", ".join(sorted(lengths))
        return environ


def _configure_moto(functions: Functions) -> None:
    """moto's interpreter calls Lambda and S3 with clients that boto3 would make from the environment."""
    # Imported late: it loads most of moto.
    from moto.stepfunctions.parser.asl.utils import boto_client

    def client(*, service_name: str, config: Config, **_: Any) -> Any:
        secret = functions.secret
        return create_client(
            service_name, functions.endpoint, key=INTERPRETER, secret=secret, config=config
        )

    vars(boto_client)["boto3"] = SimpleNamespace(client=client)
    default_user_config["stepfunctions"]["execute_state_machine"] = True
    default_user_config["lambda"]["use_docker"] = False


def state_machine_arn(workflow: Workflow) -> str:
    name = state_machine_name(STAGE, workflow)
    return f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:{name}"


def _environments(quotas: Quotas, access: Access) -> dict[Function, dict[str, str]]:
    values = {
        Variable.TABLE: TABLE,
        Variable.BUCKET: BUCKET,
        Variable.QUOTAS: quotas.value,
        Variable.RETENTION: str(RETENTION_DAYS),
        **{Variable[workflow.name]: state_machine_arn(workflow) for workflow in Workflow},
    }
    environments = {
        function: {name.value: values[name] for name in names}
        for function, names in VARIABLES.items()
    }
    environments[Function.API] |= access.environment()
    return environments


def create_resources(stack: Stack) -> None:
    """What `cdk deploy` creates, as far as moto has it; a test compares the two."""
    stack.client("s3").create_bucket(Bucket=BUCKET)
    stack.client("dynamodb").create_table(TableName=TABLE, **TABLE_SCHEMA)
    _create_functions(stack)
    for workflow in Workflow:
        stack.client("stepfunctions").create_state_machine(
            name=state_machine_name(STAGE, workflow),
            definition=workflows.definition(workflow, stack.functions.arn),
            roleArn=ROLE,
        )


def _create_functions(stack: Stack) -> None:
    stack.client("iam").create_role(
        RoleName=ROLE.rpartition("/")[2], AssumeRolePolicyDocument='{"Version": "2012-10-17"}'
    )
    client = stack.client("lambda", config=Config(retries={"max_attempts": 0}))
    for function in Function:
        client.create_function(
            FunctionName=function_name(STAGE, function),
            Runtime=f"python{RUNTIME}",
            Role=ROLE,
            Handler=function.handler,
            Code={"ZipFile": _empty_zip()},
            MemorySize=MEMORY_MB[function],
            Timeout=TIMEOUT_SECONDS[function],
            Environment={"Variables": stack.functions.environments[function]},
        )


def _empty_zip() -> bytes:
    """moto wants a zip; the code runs in the worker processes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w"):
        pass
    return buffer.getvalue()
