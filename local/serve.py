"""`python -m local.serve` keeps the embedded stack up until Ctrl-C or SIGTERM; `--help` lists its options.

Exit codes: 0 stopped, 1 the port cannot be used, 2 bad usage. Bad usage is told before moto is
loaded, which takes seconds.
"""

import argparse
import logging
import signal
import socket
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from twofold.access import PRINCIPAL
from twofold_command.streams import open_missing

if TYPE_CHECKING:
    from local.signatures import Keys
    from twofold.access import Access

HOST = "127.0.0.1"
MAX_PORT = 65535

_PULSE_SECONDS = 0.5
"""The kernel may hand a signal to any thread; Python acts on it when the main thread next runs."""


def main(arguments: Sequence[str] | None = None) -> int:
    open_missing()
    options = _parse(arguments)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    try:
        keys = _keys(options)
        fault = _fault(options.port)
        if fault:
            print(f"Port {options.port} cannot be used: {fault}.", file=sys.stderr)  # noqa: T201
            return 1
        _serve(options.port, options.quotas, keys, _access(options))
    except KeyboardInterrupt:
        pass
    return 0


def _keys(options: argparse.Namespace) -> "Keys | None":
    """Without a file, strict means a key of this one run's own. Exits with 2 if the file cannot be used."""
    from local.signatures import KeyFileError, any_keys, read_keys

    if options.auth != "strict":
        return None
    try:
        return read_keys(options.keys) if options.keys else any_keys()
    except KeyFileError as error:
        print(error, file=sys.stderr)  # noqa: T201
        sys.exit(2)


def _access(options: argparse.Namespace) -> "Access":
    from twofold.access import Access, AccessVariable

    return Access.of(
        {
            AccessVariable.GUARD: options.guard,
            AccessVariable.ADMINISTRATORS: options.administrators,
            AccessVariable.CALLER_RATE: str(options.caller_rate),
        }
    )


def _serve(port: int, quotas: str, keys: "Keys | None", access: "Access") -> None:
    from local.bundles import building
    from twofold_command.stops import held_back

    with building(), held_back():
        from local.stack import running
        from twofold.settings import Quotas

    logging.getLogger("moto").setLevel(logging.CRITICAL)
    with ExitStack() as until_stopped:
        with held_back():
            stack = until_stopped.enter_context(
                running(port, quotas=Quotas(quotas), keys=keys, access=access)
            )
        print(f"Twofold is ready. {_exports(stack.endpoint, keys)}", flush=True)  # noqa: T201
        while True:
            time.sleep(_PULSE_SECONDS)


def _exports(endpoint: str, keys: "Keys | None") -> str:
    exports = f"export AWS_ENDPOINT_URL={endpoint} AWS_DEFAULT_REGION=us-east-1"
    pair = "AWS_ACCESS_KEY_ID={} AWS_SECRET_ACCESS_KEY={}"
    if keys is None:
        return f"Any credentials do: {exports} {pair.format('any', 'any')}"
    if len(keys) > 1:
        return f"Sign with one of its {len(keys)} keys: {exports}"
    ((key, user),) = keys.items()
    return f"Sign with its key: {exports} {pair.format(key, user.secret)}"


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
        usage="make serve [PORT=8000] [QUOTAS=rekognition] [AUTH=strict [KEYS=file]] "
        "[GUARD=owner [ADMINISTRATORS=ARNs]] [CALLER_RATE=n]",
        description="Keeps the embedded stack up on a loopback port.",
    )
    parser.add_argument("--port", type=_port, default=8000, help="0 is any free port")
    parser.add_argument("--quotas", choices=("twofold", "rekognition"), default="twofold")
    parser.add_argument("--auth", choices=("any", "strict"), default="any")
    parser.add_argument("--keys", type=Path, help="access keys, in the form of ~/.aws/credentials")
    parser.add_argument("--guard", choices=("none", "owner"), default="none")
    parser.add_argument(
        "--administrators",
        type=_administrators,
        default="",
        help="ARNs that pass the guard, with commas",
    )
    parser.add_argument(
        "--caller-rate", type=_rate, default=0, help="calls a second for each caller"
    )
    options = parser.parse_args(arguments)
    if options.keys and options.auth != "strict":
        parser.error("KEYS needs AUTH=strict: without it, any credentials pass")
    if options.administrators and options.guard != "owner":
        parser.error(
            "ADMINISTRATORS needs GUARD=owner: without it, every caller uses every project"
        )
    return options


def _administrators(text: str) -> str:
    arns = text.replace(" ", "")
    for arn in arns.split(",") if arns else ():
        if not PRINCIPAL.fullmatch(arn):
            raise argparse.ArgumentTypeError(
                f"'{arn}' is not the ARN of a role or user, such as arn:aws:iam::123456789012:user/ada"
            )
    return arns


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > MAX_PORT:
        raise argparse.ArgumentTypeError(f"'{text}' is not a port: 0 to {MAX_PORT}")
    return int(text)


def _rate(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise argparse.ArgumentTypeError(f"'{text}' is not a number of calls: 0 and more")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
