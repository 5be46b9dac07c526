"""Run MiniStack, an AWS emulator, as an account under AWS's host names, with IAM policies and signatures enforced."""

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
"""Access key and secret key of the account's root user."""

_START_SECONDS = 120

# MiniStack runs functions with its own sys.executable. This interpreter has no packages, so functions see only their bundle.
# Where port 443 is free, MiniStack binds it too; of two emulators that start at once, the second fails on its own port then.
_START = """
import sys
sys.executable = sys.argv.pop(1)
import ministack.app
ministack.app._port_is_bindable = lambda host, port: False
ministack.app.main()
"""


@dataclass(frozen=True, slots=True)
class Emulator:
    """A running account: URL of the proxy, file of the certificate authority, MiniStack's log and its process."""

    proxy: str
    authority: Path
    log: Path
    process_id: int

    def build_environment(
        self, region: str = REGION, *, key: str = ROOT_KEY, secret: str = ROOT_KEY
    ) -> dict[str, str]:
        """Return the environment variables for commands and clients of the account."""
        return _build_environment(self.proxy, self.authority, region, key=key, secret=secret)


def _build_environment(
    proxy: str,
    authority: Path,
    region: str = REGION,
    *,
    key: str = ROOT_KEY,
    secret: str = ROOT_KEY,
) -> dict[str, str]:
    return {
        "HTTPS_PROXY": proxy,
        "AWS_CA_BUNDLE": str(authority),
        "NODE_EXTRA_CA_CERTS": str(authority),
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
    """Run MiniStack during the block; all its files are in `folder`."""
    certificates = write_certificates(folder, (REGION, SECOND_REGION))
    port = _find_free_port()
    log = folder / "emulator.log"
    with ExitStack() as stack:
        proxy = stack.enter_context(serve_proxy(port))
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "TMPDIR": str(folder),
            "GATEWAY_PORT": str(port),
            "BIND_HOST": HOST,
            "USE_SSL": "1",
            "MINISTACK_SSL_CERT": str(certificates.certificate),
            "MINISTACK_SSL_KEY": str(certificates.key),
            # Domain of the APIs' host names: https://<api>.execute-api.<region>.amazonaws.com
            "MINISTACK_HOST": f"{REGION}.amazonaws.com",
            "MINISTACK_REGION": REGION,
            "MINISTACK_ACCOUNT_ID": ACCOUNT,
            "IOT_MTLS_ENABLED": "0",
            "AUTH": "true",
            # Functions resolve AWS's endpoints themselves; the empty value prevents MiniStack's own setting.
            "AWS_ENDPOINT_URL": "",
            **_build_environment(proxy, certificates.authority),
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
        yield Emulator(proxy, certificates.authority, log, process.pid)


def _find_free_port() -> int:
    """Return a free port below the range of ephemeral ports, so no outgoing connection takes it in the meantime."""
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
    """Kill the process group of the emulator, including its functions."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
