"""What `make run` does: start the stack, do the main job through it, check, show, leave four files."""

import logging
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path
from typing import Any

from boto3.exceptions import Boto3Error
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from local.job import Job, JobError, ServiceError
from local.results import (
    Dropped,
    Store,
    as_json,
    check_partition,
    staged,
)
from local.stack import BUCKET, Stack, running
from local.steps import Steps, shown
from local.table import sentences, table, told_drops
from twofold.escaping import make_printable
from twofold.report import warnings
from twofold_command import show
from twofold_command.output import discard_output, name_of
from twofold_command.outputs import FILES, PAGE, write_report
from twofold_command.stops import held_back

_LOG_LINES = 20


@dataclass(frozen=True, slots=True)
class Outcome:
    report: dict[str, Any]
    dropped: list[Dropped]
    error_entries: int
    peak_bytes: int


Start = Callable[[], AbstractContextManager[Stack]]


def run(manifest: Path, out: Path, start: Start = running, *, open_page: bool = False) -> int:
    """The exit code. Progress and errors go to standard error, the outcome to standard output."""
    _spell_out_what_cannot_be_encoded()
    logging.getLogger("moto").setLevel(logging.CRITICAL)
    errors = Console(stderr=True, highlight=False, soft_wrap=True)
    try:
        _require_readable(manifest)
        with shown(errors) as steps, staged(out) as folder:
            outcome = _do(steps, start, manifest, folder)
    except JobError as error:
        errors.print(_printable_lines(str(error)), markup=False, emoji=False, style="red")
        return 1
    try:
        _tell(outcome, steps.seconds, out)
        sys.stdout.flush()
    except OSError as error:
        discard_output()
        errors.print(f"{out} has the split; it cannot be shown: {error.strerror}.", markup=False)
        return 1
    if open_page and not show.open_page(out / PAGE):
        errors.print(f"There is no browser here to open {out / PAGE}.", markup=False, emoji=False)
    return 0


def _require_readable(manifest: Path) -> None:
    """Before anything is started; raises JobError."""
    advice = "Name a JSON Lines file: make run MANIFEST=path/to/file"
    if manifest.is_dir():
        raise JobError(f"{manifest} is a folder. {advice}")
    try:
        with manifest.open("rb") as file:
            empty = not file.read(1)
    except OSError as error:
        raise JobError(f"{manifest} cannot be read: {error.strerror}. {advice}") from error
    if empty:
        raise JobError(f"{manifest} is empty. {advice}")


def _do(steps: Steps, start: Start, manifest: Path, folder: Path) -> Outcome:
    with ExitStack() as until_done:
        with steps.step("start the stack"), held_back():
            stack = until_done.enter_context(start())
        try:
            return _main_job(steps, stack, manifest, folder)
        except ServiceError as error:
            raise JobError(f"{error}\n{_log_of(stack)}") from error
        except (Boto3Error, BotoCoreError, ClientError) as error:
            raise JobError(f"{manifest} was not split: {error}\n{_log_of(stack)}") from error


def _log_of(stack: Stack) -> str:
    lines = stack.log.read_text(errors="replace").splitlines()[-_LOG_LINES:]
    return "\n".join(["The last lines of the functions' log:", *lines])


def _main_job(steps: Steps, stack: Stack, manifest: Path, folder: Path) -> Outcome:
    job = Job(stack.endpoint, manifest)
    store = Store(job.s3, BUCKET)
    with steps.step("upload", manifest.stat().st_size) as step:
        job.upload(step.advance)
    with steps.step("create the datasets") as step:
        created = job.create(step.tell)
    with steps.step("distribute") as step:
        job.distribute(created, step.tell)
    report, dropped = store.report(job.project), store.dropped(job.project)
    datasets = report["datasets"]
    with steps.step("fetch", sum(one["bytes"] for one in datasets.values())) as step:
        for side, one in datasets.items():
            store.fetch(one, folder / f"{side}.manifest", step.advance)
    with steps.step("check"):
        check_partition(manifest, folder, dropped, report)
    peak = max(stack.functions.peak_bytes.values())
    outcome = Outcome(report, dropped, created.described["DatasetStats"]["ErrorEntries"], peak)
    write_report(folder, _whole(manifest, outcome, steps.seconds))
    return outcome


def _whole(manifest: Path, outcome: Outcome, seconds: dict[str, float]) -> dict[str, Any]:
    """The service's report, and what only the one knows who has the manifest."""
    dropped = as_json(outcome.dropped)
    report = {
        **outcome.report,
        "source": {
            **outcome.report["source"],
            "manifest": name_of(manifest.name),
        },
        "dropped": {"lines": len(dropped), "reasons": dropped},
        "run": {
            "manifest": name_of(str(manifest)),
            "seconds": seconds,
            "peakWorkerBytes": outcome.peak_bytes,
        },
    }
    return report | {"warnings": warnings(report)}


def _tell(outcome: Outcome, seconds: dict[str, float], out: Path) -> None:
    """On standard output, plain where that is not a terminal."""
    console = Console(highlight=False, soft_wrap=True)
    console.print(table(outcome.report), soft_wrap=False)
    lines = [*sentences(outcome.report), *told_drops(outcome.dropped)]
    if outcome.error_entries:
        lines.append(_erroneous(outcome.error_entries))
    lines.append(_times(seconds))
    lines.append(f"The largest worker had {outcome.peak_bytes / 1e6:.0f} MB.")
    lines.extend(_files(out, FILES))
    for line in lines:
        console.print(line, markup=False, emoji=False)


def _erroneous(count: int) -> str:
    entries = "entry has errors and stays" if count == 1 else "entries have errors and stay"
    return f"{count} {entries} in the datasets; ListDatasetEntries says which."


def _times(seconds: dict[str, float]) -> str:
    parts = ", ".join(f"{name} {spent:.1f} s" for name, spent in seconds.items())
    return f"Times: {parts}."


def _files(out: Path, names: Sequence[str]) -> list[str]:
    return [f"  {make_printable(str(out / name))}" for name in names]


def _printable_lines(text: str) -> str:
    return "\n".join(make_printable(line) for line in text.splitlines())


def _spell_out_what_cannot_be_encoded() -> None:
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
