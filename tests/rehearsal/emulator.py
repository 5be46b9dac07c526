"""Start MiniStack, an AWS emulator, with IAM and signatures enforced, as an account under AWS's own host names."""

import os
import random
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.rehearsal.certificates import write_certificates
from tests.rehearsal.interpreters import Interpreters
from tests.rehearsal.proxy import HOST, serve_proxy

REGION = "us-east-1"
SECOND_REGION = "eu-west-1"
ACCOUNT = "000000000000"
ROOT_KEY = "test"
"""The access key and the secret key of the account's root user."""

_START_SECONDS = 120

# The emulator runs functions with its own interpreter, whose packages they would see; this gives them one that has none.
_START = """
import runpy, sys
sys.executable = sys.argv.pop(1)
runpy.run_module("ministack", run_name="__main__")
"""


@dataclass(frozen=True, slots=True)
class Emulator:
    """A running account: its proxy, the certificate authority to trust, and the emulator's own log."""

    proxy: str
    authority: Path
    log: Path

    def shell(
        self, region: str = REGION, *, key: str = ROOT_KEY, secret: str = ROOT_KEY
    ) -> dict[str, str]:
        """The environment variables with which a user's commands and clients reach the account."""
        return {
            "HTTPS_PROXY": self.proxy,
            "AWS_CA_BUNDLE": str(self.authority),
            "NODE_EXTRA_CA_CERTS": str(self.authority),
            "AWS_REGION": region,
            "AWS_DEFAULT_REGION": region,
            "AWS_ACCESS_KEY_ID": key,
            "AWS_SECRET_ACCESS_KEY": secret,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        }


@contextmanager
def run_emulator(folder: Path, interpreters: Interpreters) -> Iterator[Emulator]:
    """Everything that the emulator writes goes to `folder`."""
    certificates = write_certificates(folder, (REGION, SECOND_REGION))
    port = _find_free_port()
    log = folder / "emulator.log"
    with ExitStack() as stack:
        proxy = stack.enter_context(serve_proxy(port))
        emulator = Emulator(proxy, certificates.authority, log)
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "TMPDIR": str(folder),
            "GATEWAY_PORT": str(port),
            "BIND_HOST": HOST,
            "USE_SSL": "1",
            "MINISTACK_SSL_CERT": str(certificates.certificate),
            "MINISTACK_SSL_KEY": str(certificates.key),
            # The emulator knows an API by its name under this host: https://<api>.execute-api.<region>.amazonaws.com
            "MINISTACK_HOST": f"{REGION}.amazonaws.com",
            "MINISTACK_REGION": REGION,
            "MINISTACK_ACCOUNT_ID": ACCOUNT,
            "IOT_MTLS_ENABLED": "0",
            "AUTH": "true",
            # Functions resolve AWS's endpoints themselves; without this the emulator would give them one of its own.
            "AWS_ENDPOINT_URL": "",
            **emulator.shell(),
        }
        output = stack.enter_context(log.open("wb"))
        process = subprocess.Popen(
            [interpreters.emulator, "-c", _START, interpreters.functions],
            env=environment,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
        stack.callback(_stop, process)
        _wait_until_ready(process, port, log)
        yield emulator


def _find_free_port() -> int:
    """Below the ports that systems give to outgoing connections: one of these could take it before the emulator does."""
    while True:
        port = random.randrange(20_000, 32_000)
        with suppress(OSError), socket.socket() as probe:
            probe.bind((HOST, port))
            return port


def _wait_until_ready(process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    end = time.monotonic() + _START_SECONDS
    while time.monotonic() < end:
        if process.poll() is not None:
            raise RuntimeError(f"The emulator ended while it started:\n{log.read_text()[-2000:]}")
        with suppress(OSError), socket.create_connection((HOST, port), timeout=1):
            return
        time.sleep(0.1)
    raise RuntimeError(f"The emulator has not started within {_START_SECONDS} s; see {log}")


def _stop(process: "subprocess.Popen[bytes]") -> None:
    """Kill the emulator and the functions that it started, which are of the same process group; they hold nothing of worth."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
