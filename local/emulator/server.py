"""The local emulator: Twofold on one port of this machine, without AWS.

`gateway` emulates API Gateway, moto emulates the AWS services, and the handlers run in worker processes. All data is in memory
and is lost when the emulator stops.
"""

import gc
import logging
import os
import tempfile
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
from werkzeug.serving import BaseWSGIServer, make_server

from local.emulator import state_machines
from local.emulator.bundles import open_bundle
from local.emulator.clients import ACCESS_KEY_ID, REGION, create_client
from local.emulator.fork_server import ForkServer
from local.emulator.functions import ACCOUNT, Functions
from local.emulator.gateway import Application, Gateway, Throttle, build_router
from local.emulator.moto_services import create_moto_application
from local.emulator.request_guard import RequestGuard
from local.emulator.request_handler import RequestHandler
from local.emulator.sigv4 import Keys, User
from local.emulator.sigv4_services import SignatureVerifier
from local.emulator.table_schema import TABLE_SCHEMA
from local.emulator.worker_pool import WorkerPool
from twofold.access import OPEN_ACCESS, Access
from twofold.settings import (
    MEMORY_MB,
    PRODUCT,
    RETENTION_DAYS,
    RUNTIME,
    TIMEOUT_SECONDS,
    VARIABLES,
    Function,
    QuotaProfile,
    Variable,
    Workflow,
    make_function_name,
    make_state_machine_name,
)

HOST = "127.0.0.1"
STAGE = "local"
TABLE = f"{PRODUCT}-{STAGE}"
BUCKET = f"{PRODUCT}-{STAGE}-{ACCOUNT}-{REGION}"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/{PRODUCT}-{STAGE}"
SETTLE_SECONDS = 60
_EMPTY_ZIP = b"PK\x05\x06" + bytes(18)
"""CreateFunction requires code; the code runs in the worker processes."""
INTERPRETER_KEY_ID = "ak"
"""The access key id of moto's Step Functions interpreter."""


@dataclass(slots=True)
class Emulator:
    """A running emulator. `endpoint` is the value for AWS_ENDPOINT_URL. Hold `settle_lock` to suspend Settle's schedule."""

    endpoint: str
    gateway: Gateway
    functions: Functions
    server: BaseWSGIServer
    log: Path
    settle_lock: Lock = field(default_factory=Lock)
    _stop_requested: Event = field(default_factory=Event)

    def create_client(
        self, service: str, config: Config | None = None, models: Path | None = None
    ) -> Any:
        """Return a boto3 client of the emulator that ignores the environment. `models` is a folder of service models."""
        secret = self.functions.secret
        return create_client(service, self.endpoint, secret=secret, config=config, models=models)

    def run_settle_schedule(self) -> None:
        """Invoke Settle every minute, like the EventBridge schedule."""
        while not self._stop_requested.wait(SETTLE_SECONDS):
            with self.settle_lock:
                self.functions.invoke(Function.SETTLE, b"{}")

    def stop(self) -> None:
        """Stop the HTTP server and the schedule."""
        self._stop_requested.set()
        self.server.shutdown()


@contextmanager
def start_emulator(
    port: int = 0,
    *,
    quotas: QuotaProfile = QuotaProfile.TWOFOLD,
    throttle: Throttle | None = None,
    keys: Keys | None = None,
    access: Access = OPEN_ACCESS,
    aws_services: Application | None = None,
) -> Iterator[Emulator]:
    """Context manager that starts an emulator on a loopback port; 0 selects a free port.

    Signatures are verified with `keys`; without keys, any signature is accepted. `aws_services` replaces moto in tests that
    inject faults.
    """
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    with ExitStack() as resources:
        folder = Path(resources.enter_context(tempfile.TemporaryDirectory(prefix="twofold-")))
        log = folder / "functions.log"
        fork_server = ForkServer(resources.enter_context(open_bundle()), log)
        resources.callback(fork_server.stop)
        fork_server.start()
        functions = Functions(
            STAGE, {}, "", WorkerPool(1, fork_server), WorkerPool(os.cpu_count() or 1, fork_server)
        )
        functions.secret = token_hex(20)
        gateway = Gateway(functions, throttle, keys)
        internal_keys = _make_internal_keys(functions.secret)
        services = SignatureVerifier(
            aws_services or create_moto_application(), lambda: gateway.keys, internal_keys
        )
        server = _make_server(port, RequestGuard(build_router(gateway, services)))
        resources.callback(server.server_close)
        functions.endpoint = f"http://{HOST}:{server.server_port}"
        functions.environments.update(_build_environments(quotas, access))
        emulator = Emulator(functions.endpoint, gateway, functions, server, log)
        _configure_moto(functions)
        functions.install_in_moto()
        for pool in (functions.api_pool, functions.workflow_pool):
            resources.callback(pool.stop)
            pool.start()
        for loop in (server.serve_forever, emulator.run_settle_schedule):
            Thread(target=loop, daemon=True).start()
        resources.callback(emulator.stop)
        resources.callback(gc.unfreeze)
        with _pause_garbage_collection():
            create_resources(emulator)
        yield emulator


@contextmanager
def _pause_garbage_collection() -> Iterator[None]:
    """Context manager that stops garbage collection during imports of moto, and excludes the imported objects afterwards.

    A collection over these objects would stop all threads for 0.2 s.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def _make_internal_keys(secret: str) -> Keys:
    """Return the keys of the functions and of moto's Step Functions interpreter."""
    return {ACCESS_KEY_ID: User("functions", secret), INTERPRETER_KEY_ID: User("states", secret)}


def _make_server(port: int, application: Application) -> BaseWSGIServer:
    return make_server(HOST, port, application, threaded=True, request_handler=RequestHandler)


def _configure_moto(functions: Functions) -> None:
    """Make moto's Step Functions interpreter call Lambda and S3 with clients of this emulator, not of the environment."""
    # Imported late: it loads most of moto.
    from moto.stepfunctions.parser.asl.utils import boto_client

    def create_moto_client(*, service_name: str, config: Config, **_: Any) -> Any:
        secret = functions.secret
        return create_client(
            service_name, functions.endpoint, key=INTERPRETER_KEY_ID, secret=secret, config=config
        )

    state_machines.patch_parser()
    vars(boto_client)["boto3"] = SimpleNamespace(client=create_moto_client)
    default_user_config["stepfunctions"]["execute_state_machine"] = True
    default_user_config["lambda"]["use_docker"] = False


def build_state_machine_arn(workflow: Workflow) -> str:
    name = make_state_machine_name(STAGE, workflow)
    return f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:{name}"


def _build_environments(quotas: QuotaProfile, access: Access) -> dict[Function, dict[str, str]]:
    values = {
        Variable.TABLE: TABLE,
        Variable.BUCKET: BUCKET,
        Variable.QUOTAS: quotas.value,
        Variable.RETENTION: str(RETENTION_DAYS),
        **{Variable[workflow.name]: build_state_machine_arn(workflow) for workflow in Workflow},
    }
    environments = {
        function: {name.value: values[name] for name in names}
        for function, names in VARIABLES.items()
    }
    environments[Function.API] |= access.to_environment()
    return environments


def create_resources(emulator: Emulator) -> None:
    """Create the resources of the deployed stack that moto supports. A test compares these with the template."""
    emulator.create_client("s3").create_bucket(Bucket=BUCKET)
    emulator.create_client("dynamodb").create_table(TableName=TABLE, **TABLE_SCHEMA)
    _create_functions(emulator)
    for workflow in Workflow:
        emulator.create_client("stepfunctions").create_state_machine(
            name=make_state_machine_name(STAGE, workflow),
            definition=state_machines.build_definition(workflow, emulator.functions.build_arn),
            roleArn=ROLE,
        )


def _create_functions(emulator: Emulator) -> None:
    emulator.create_client("iam").create_role(
        RoleName=ROLE.rpartition("/")[2], AssumeRolePolicyDocument='{"Version": "2012-10-17"}'
    )
    client = emulator.create_client("lambda", config=Config(retries={"max_attempts": 0}))
    for function in Function:
        client.create_function(
            FunctionName=make_function_name(STAGE, function),
            Runtime=f"python{RUNTIME}",
            Role=ROLE,
            Handler=function.handler,
            Code={"ZipFile": _EMPTY_ZIP},
            MemorySize=MEMORY_MB[function],
            Timeout=TIMEOUT_SECONDS[function],
            Environment={"Variables": emulator.functions.environments[function]},
        )
