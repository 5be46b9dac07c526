"""`python -m local.emulator` (`make serve`) runs the local emulator until Ctrl-C or SIGTERM; `--help` lists the options.

Exit codes: 0 stopped, 1 the port is not available, 2 invalid arguments. Arguments are checked before moto is imported, which
takes seconds.
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

from local.emulator.environment import forget_moto_variables
from twofold.access import PRINCIPAL
from twofold_command.streams import open_missing_streams

if TYPE_CHECKING:
    from local.emulator.sigv4 import Keys
    from twofold.access import Access

HOST = "127.0.0.1"
MAX_PORT = 65535

_PULSE_SECONDS = 0.5
"""The kernel may deliver a signal to any thread; Python runs the handler when the main thread wakes up."""


def main(arguments: Sequence[str] | None = None) -> int:
    open_missing_streams()
    forget_moto_variables()
    options = _parse_arguments(arguments)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    try:
        keys = _read_keys(options)
        fault = _find_port_fault(options.port)
        if fault:
            print(f"Port {options.port} cannot be used: {fault}.", file=sys.stderr)  # noqa: T201
            return 1
        _run_emulator(options.port, options.quotas, keys, _build_access(options))
    except KeyboardInterrupt:
        pass
    return 0


def _read_keys(options: argparse.Namespace) -> "Keys | None":
    """Return the keys for `--auth strict`: those of the file, or a new random key. Exits with 2 if the file is not usable."""
    from local.emulator.sigv4 import KeyFileError, generate_keys, read_keys

    if options.auth != "strict":
        return None
    try:
        return read_keys(options.keys) if options.keys else generate_keys()
    except KeyFileError as error:
        print(error, file=sys.stderr)  # noqa: T201
        sys.exit(2)


def _build_access(options: argparse.Namespace) -> "Access":
    from twofold.access import Access, AccessVariable

    return Access.from_environment(
        {
            AccessVariable.GUARD: options.guard,
            AccessVariable.ADMINISTRATORS: options.administrators,
            AccessVariable.CALLER_RATE: str(options.caller_rate),
        }
    )


def _run_emulator(port: int, quotas: str, keys: "Keys | None", access: "Access") -> None:
    from local.emulator.bundles import build_in_background
    from twofold_command.signals import defer_stops

    with build_in_background(), defer_stops():
        from local.emulator.server import start_emulator
        from twofold.settings import QuotaProfile

    logging.getLogger("moto").setLevel(logging.CRITICAL)
    with ExitStack() as until_stopped:
        with defer_stops():
            emulator = until_stopped.enter_context(
                start_emulator(port, quotas=QuotaProfile(quotas), keys=keys, access=access)
            )
        print(f"Twofold is ready. {_format_exports(emulator.endpoint, keys)}", flush=True)  # noqa: T201
        while True:
            time.sleep(_PULSE_SECONDS)


def _format_exports(endpoint: str, keys: "Keys | None") -> str:
    exports = f"export AWS_ENDPOINT_URL={endpoint} AWS_DEFAULT_REGION=us-east-1"
    pair = "AWS_ACCESS_KEY_ID={} AWS_SECRET_ACCESS_KEY={}"
    if keys is None:
        return f"Any credentials are accepted: {exports} {pair.format('any', 'any')}"
    if len(keys) > 1:
        return f"Sign with one of the {len(keys)} keys: {exports}"
    ((key, user),) = keys.items()
    return f"Sign with this key: {exports} {pair.format(key, user.secret)}"


def _find_port_fault(port: int) -> str:
    """Return the reason why the port is not available, or an empty string. Checked early, since the start takes seconds."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            return error.strerror or str(error)
    return ""


def _parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="make serve",
        usage="make serve [PORT=8000] [QUOTAS=rekognition] [AUTH=strict [KEYS=file]] "
        "[GUARD=owner [ADMINISTRATORS=ARNs]] [CALLER_RATE=n]",
        description="Runs the local emulator on a loopback port until Ctrl-C.",
    )
    parser.add_argument("--port", type=_parse_port, default=8000, help="0 selects a free port")
    parser.add_argument("--quotas", choices=("twofold", "rekognition"), default="twofold")
    parser.add_argument("--auth", choices=("any", "strict"), default="any")
    parser.add_argument("--keys", type=Path, help="access keys in the format of ~/.aws/credentials")
    parser.add_argument("--guard", choices=("none", "owner"), default="none")
    parser.add_argument(
        "--administrators",
        type=_parse_administrators,
        default="",
        help="ARNs exempt from the guard, comma-separated",
    )
    parser.add_argument(
        "--caller-rate",
        type=_parse_rate,
        default=0,
        help="calls per second for each caller, 0 for no limit",
    )
    options = parser.parse_args(arguments)
    if options.keys and options.auth != "strict":
        parser.error("KEYS needs AUTH=strict: without AUTH=strict, all credentials are accepted")
    if options.administrators and options.guard != "owner":
        parser.error("ADMINISTRATORS needs GUARD=owner: without it, all callers use all projects")
    return options


def _parse_administrators(text: str) -> str:
    arns = text.replace(" ", "")
    for arn in arns.split(",") if arns else ():
        if not PRINCIPAL.fullmatch(arn):
            raise argparse.ArgumentTypeError(
                f"'{arn}' is not the ARN of a role or user, such as arn:aws:iam::123456789012:user/ada"
            )
    return arns


def _parse_port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > MAX_PORT:
        raise argparse.ArgumentTypeError(f"'{text}' is not a port: 0 to {MAX_PORT}")
    return int(text)


def _parse_rate(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise argparse.ArgumentTypeError(f"'{text}' is not a number of calls: 0 and more")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
