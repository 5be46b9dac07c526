"""`python -m twofold_smoke --url URL` does the main job with the credentials of the shell, verifies the result and cleans up.

Exit codes: 0 the service works, 1 it does not, and the step that failed was named, 2 bad usage, 130 and 143 stopped by
a signal. A run that is stopped cleans up too.
"""

import argparse
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn
from urllib.parse import urlsplit

from twofold_command.errors import CommandError
from twofold_service.session import connect, explained
from twofold_smoke.job import ENTRIES, Smoke, SmokeError, lines

SIGNALLED = 128


class Stopped(BaseException):
    """By a signal, whose number it has."""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="make smoke",
        usage="make smoke URL=endpoint [BUCKET=bucket]",
    )
    parser.add_argument("--url", required=True, type=_url)
    parser.add_argument("--bucket", help="also take a manifest in from this bucket")
    options = parser.parse_args(arguments)
    url: str = options.url
    before = {number: signal.signal(number, _stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        run(Smoke(connect(url)), options.bucket)
    except (SmokeError, CommandError) as error:
        _say(str(error))
        return 1
    except Stopped as stopped:
        return SIGNALLED + int(stopped.args[0])
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    _say(f"{url} works: {ENTRIES} entries, {ENTRIES // 5} of them tested.")
    return 0


def run(smoke: Smoke, bucket: str | None) -> None:
    """The entries come from a manifest in the bucket; without one they are sent, for which nobody needs a right on S3."""
    manifest = lines()
    try:
        if bucket:
            with _step("upload"):
                smoke.upload(bucket, manifest)
        with _step("create the datasets"):
            train, test = smoke.create()
        if not bucket:
            with _step("send the entries"):
                smoke.send(train, manifest)
        with _step("distribute"):
            smoke.distribute(train, test)
        with _step("verify"):
            smoke.verify(manifest, train, test)
    finally:
        if smoke.begun:
            _clean(smoke)


def _clean(smoke: Smoke) -> None:
    try:
        with _step("clean up"):
            smoke.clean()
    except Stopped:
        _say(f"Left behind, to be deleted by hand: {'; '.join(smoke.left())}")
        raise


@contextmanager
def _step(name: str) -> Iterator[None]:
    """Says how long it took, or that it did not get to its end."""
    began = time.monotonic()
    try:
        with explained():
            yield
    except (SmokeError, CommandError):
        _say(f"{name}: failed after {time.monotonic() - began:.1f} s")
        raise
    except Stopped:
        _say(f"{name}: stopped after {time.monotonic() - began:.1f} s")
        raise
    _say(f"{name}: {time.monotonic() - began:.1f} s")


def _url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise argparse.ArgumentTypeError(
            f"'{text}' is no address: give the stack's output Endpoint, or http://127.0.0.1:8000 for make serve"
        )
    return text


def _stop(number: int, frame: FrameType | None) -> NoReturn:
    raise Stopped(number)


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
