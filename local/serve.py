"""`python -m local.serve [--port 8000] [--quotas rekognition]` keeps the embedded stack up until Ctrl-C or SIGTERM.

Exit codes: 0 stopped, 1 the port cannot be used, 2 bad usage. Worker processes import this module again, so what needs moto
is imported only where it is run.
"""

import argparse
import logging
import signal
import socket
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack

HOST = "127.0.0.1"
MAX_PORT = 65535

_PULSE_SECONDS = 0.5
"""The kernel may hand a signal to any thread; Python acts on it when the main thread next runs."""


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parse(arguments)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    try:
        fault = _fault(options.port)
        if fault:
            print(f"Port {options.port} cannot be used: {fault}.", file=sys.stderr)  # noqa: T201
            return 1
        _serve(options.port, options.quotas)
    except KeyboardInterrupt:
        pass
    return 0


def _serve(port: int, quotas: str) -> None:
    from local.signals import held_back
    from local.stack import running
    from twofold.settings import Quotas

    logging.getLogger("moto").setLevel(logging.CRITICAL)
    with ExitStack() as until_stopped:
        with held_back():
            stack = until_stopped.enter_context(running(port, quotas=Quotas(quotas)))
        print(f"Twofold is ready. Any credentials do: {_exports(stack.endpoint)}", flush=True)  # noqa: T201
        while True:
            time.sleep(_PULSE_SECONDS)


def _exports(endpoint: str) -> str:
    credentials = "AWS_ACCESS_KEY_ID=any AWS_SECRET_ACCESS_KEY=any"
    return f"export AWS_ENDPOINT_URL={endpoint} AWS_DEFAULT_REGION=us-east-1 {credentials}"


def _fault(port: int) -> str:
    """Why the port cannot be had, or nothing: known before the seconds that the start takes."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            return error.strerror or str(error)
    return ""


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="make serve",
        usage="make serve [PORT=8000] [QUOTAS=rekognition]",
        description="Keeps the embedded stack up on a loopback port.",
    )
    parser.add_argument("--port", type=_port, default=8000, help="0 is any free port")
    parser.add_argument("--quotas", choices=("twofold", "rekognition"), default="twofold")
    return parser.parse_args(arguments)


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > MAX_PORT:
        raise argparse.ArgumentTypeError(f"'{text}' is not a port: 0 to {MAX_PORT}")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
