"""`python -m twofold_smoke --url URL` runs the main job with the shell's credentials, verifies the result and cleans up.

Exit codes: 0 the service works, 1 a step failed, 2 usage error, 130 and 143 stopped by a signal. A stopped run cleans up too.
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
from twofold_service.session import connect, convert_aws_errors
from twofold_smoke.smoke_run import ENTRIES, SmokeError, SmokeRun, build_manifest

EXIT_SIGNALLED = 128


class Stopped(BaseException):
    """Raised when a signal stops the run; the argument is the number of the signal."""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="make smoke",
        usage="make smoke URL=endpoint [BUCKET=bucket]",
    )
    parser.add_argument("--url", required=True, type=_parse_url)
    parser.add_argument(
        "--bucket", help="create the training dataset from a manifest in this bucket"
    )
    options = parser.parse_args(arguments)
    url: str = options.url
    previous_handlers = {
        number: signal.signal(number, _raise_stopped) for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        run_smoke_test(SmokeRun(connect(url)), options.bucket)
    except (SmokeError, CommandError) as error:
        _print_line(str(error))
        return 1
    except Stopped as stopped:
        return EXIT_SIGNALLED + int(stopped.args[0])
    finally:
        for number, handler in previous_handlers.items():
            signal.signal(number, handler)
    _print_line(f"{url} works. Test set: {ENTRIES // 5} of {ENTRIES} images.")
    return 0


def run_smoke_test(smoke: SmokeRun, bucket: str | None) -> None:
    """Runs the steps. The entries come from a manifest in the bucket; without a bucket the run sends the entries in a
    request and needs no S3 permissions."""
    manifest = build_manifest()
    try:
        if bucket:
            with _time_step("upload"):
                smoke.upload(bucket, manifest)
        with _time_step("create the datasets"):
            train, test = smoke.create_datasets()
        if not bucket:
            with _time_step("send the entries"):
                smoke.send_entries(train, manifest)
        with _time_step("distribute"):
            smoke.distribute(train, test)
        with _time_step("verify"):
            smoke.verify(manifest, train, test)
    finally:
        if smoke.cleanups:
            _clean_up(smoke)


def _clean_up(smoke: SmokeRun) -> None:
    try:
        with _time_step("clean up"):
            smoke.clean_up()
    except Stopped:
        _print_line(f"Not removed; delete by hand: {'; '.join(smoke.list_leftovers())}")
        raise


@contextmanager
def _time_step(name: str) -> Iterator[None]:
    """Prints the duration of the step, and whether it failed or was stopped."""
    started_at = time.monotonic()
    try:
        with convert_aws_errors():
            yield
    except (SmokeError, CommandError):
        _print_line(f"{name}: failed after {time.monotonic() - started_at:.1f} s")
        raise
    except Stopped:
        _print_line(f"{name}: stopped after {time.monotonic() - started_at:.1f} s")
        raise
    _print_line(f"{name}: {time.monotonic() - started_at:.1f} s")


def _parse_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise argparse.ArgumentTypeError(
            f"'{text}' is not a URL: use the stack's output Endpoint, or http://127.0.0.1:8000 for make serve"
        )
    return text


def _raise_stopped(number: int, frame: FrameType | None) -> NoReturn:
    raise Stopped(number)


def _print_line(text: str) -> None:
    print(text, flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
