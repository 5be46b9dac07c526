"""Lambda's Runtime API on a loopback port: the endpoints for events and results of invocations."""

import json
import os
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Queue
from typing import Any

POLL_SECONDS = 0.02
"""The longest time that the server takes to shut down."""


@dataclass(frozen=True)
class FunctionResult:
    """The result of an invocation; `kind` is `response`, or `error` with name and message of the exception."""

    kind: str
    body: Any


@dataclass(frozen=True)
class Sandbox:
    """A running function under Lambda's runtime client, with only the bundle and the function's environment."""

    arn: str
    events: "Queue[bytes]" = field(default_factory=Queue)
    results: "Queue[FunctionResult]" = field(default_factory=Queue)

    def invoke(self, event: Any) -> FunctionResult:
        self.events.put(json.dumps(event).encode())
        return self.results.get(timeout=60)


@contextmanager
def start_sandbox(
    command: list[str], handler: str, arn: str, environment: Mapping[str, str], log: Path
) -> Iterator[Sandbox]:
    """Start the runtime client with `command`; the output of the function goes to `log`."""
    sandbox = Sandbox(arn)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _make_handler(sandbox))
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(POLL_SECONDS,), daemon=True).start()
    variables = {
        **environment,
        "_HANDLER": handler,
        "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{server.server_port}",
        "AWS_LAMBDA_LOG_FORMAT": "JSON",
        "AWS_LAMBDA_LOG_LEVEL": "INFO",
    }
    with log.open("wb") as out:
        process = subprocess.Popen([*command, handler], env=variables, stdout=out, stderr=out)
        try:
            yield sandbox
        finally:
            process.kill()
            process.wait()
            server.shutdown()
            server.server_close()


def _make_handler(sandbox: Sandbox) -> type[BaseHTTPRequestHandler]:
    class RuntimeApiHandler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            event = sandbox.events.get()
            self.send_response(200)
            self.send_header("Lambda-Runtime-Aws-Request-Id", os.urandom(8).hex())
            self.send_header("Lambda-Runtime-Deadline-Ms", str(int(1000 * (time.time() + 60))))
            self.send_header("Lambda-Runtime-Invoked-Function-Arn", sandbox.arn)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(event)))
            self.end_headers()
            self.wfile.write(event)

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            sandbox.results.put(FunctionResult(self.path.rpartition("/")[2], body))
            self.send_response(202)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Log nothing."""

    return RuntimeApiHandler
