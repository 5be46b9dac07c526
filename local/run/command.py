"""The steps of `make run`: start the emulator, run the main job, check the result, print it and write four files."""

import logging
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import asdict
from io import TextIOWrapper
from pathlib import Path
from typing import Any

from boto3.exceptions import Boto3Error
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from local.emulator.server import BUCKET, Emulator, start_emulator
from local.run.job import MainJob, RunError, ServiceError
from local.run.progress import StepTimer, show_progress
from local.run.results import RejectedLine, ResultStore, check_partition, stage_files
from local.run.table import draw_label_table
from twofold.escaping import make_printable
from twofold.report import find_warnings
from twofold_command import report_command
from twofold_command.console import decode_path, discard_output
from twofold_command.signals import defer_stops
from twofold_command.split_files import FILES, PAGE, write_report
from twofold_command.summary import summarize_report

_LOG_LINES = 20

StartEmulator = Callable[[], AbstractContextManager[Emulator]]


def run(
    manifest: Path, out: Path, start: StartEmulator = start_emulator, *, open_page: bool = False
) -> int:
    """Split `manifest`, write the files to `out` and return the exit code.

    Progress and errors are printed on standard error, the result on standard output.
    """
    _escape_unencodable_characters()
    logging.getLogger("moto").setLevel(logging.CRITICAL)
    errors = Console(stderr=True, highlight=False, soft_wrap=True)
    try:
        _require_readable(manifest)
        with show_progress(errors) as timer, stage_files(out) as folder:
            report = _run_in_emulator(timer, start, manifest, folder)
    except RunError as error:
        errors.print(_make_lines_printable(str(error)), markup=False, emoji=False, style="red")
        return 1
    try:
        _print_report(report, out)
        sys.stdout.flush()
    except OSError as error:
        discard_output()
        message = f"The files are in {out}; the report cannot be printed: {error.strerror}."
        errors.print(_make_lines_printable(message), markup=False, emoji=False)
        return 1
    if open_page and not report_command.open_page(out / PAGE):
        errors.print(f"No browser found. Open {out / PAGE}.", markup=False, emoji=False)
    return 0


def _require_readable(manifest: Path) -> None:
    """Raise RunError if the manifest is not a readable, non-empty file. Checked before the emulator starts."""
    advice = "Name a JSON Lines file: make run MANIFEST=path/to/file"
    if manifest.is_dir():
        raise RunError(f"{manifest} is a folder. {advice}")
    try:
        with manifest.open("rb") as file:
            empty = not file.read(1)
    except OSError as error:
        raise RunError(f"{manifest} cannot be read: {error.strerror}. {advice}") from error
    if empty:
        raise RunError(f"{manifest} is empty. {advice}")


def _run_in_emulator(
    timer: StepTimer, start: StartEmulator, manifest: Path, folder: Path
) -> dict[str, Any]:
    """Start an emulator, run the main job and return the report. Raises RunError with the end of the functions' log."""
    with ExitStack() as resources:
        with timer.time_step("start the emulator"), defer_stops():
            emulator = resources.enter_context(start())
        try:
            return _run_main_job(timer, emulator, manifest, folder)
        except ServiceError as error:
            raise RunError(f"{error}\n{_read_log_tail(emulator)}") from error
        except (Boto3Error, BotoCoreError, ClientError) as error:
            raise RunError(
                f"{manifest} was not split: {error}\n{_read_log_tail(emulator)}"
            ) from error


def _read_log_tail(emulator: Emulator) -> str:
    lines = emulator.log.read_text(errors="replace").splitlines()[-_LOG_LINES:]
    return "\n".join(["The last lines of the functions' log:", *lines])


def _run_main_job(
    timer: StepTimer, emulator: Emulator, manifest: Path, folder: Path
) -> dict[str, Any]:
    """Run the main job, write the files to `folder` and return the complete report."""
    job = MainJob(emulator.endpoint, manifest)
    store = ResultStore(job.s3, BUCKET)
    with timer.time_step("upload", manifest.stat().st_size) as step:
        job.upload(step.advance)
    with timer.time_step("create the datasets") as step:
        datasets = job.create_datasets(step.show_dataset)
    with timer.time_step("distribute") as step:
        job.distribute(datasets, step.show_dataset)
    report, rejected_lines = store.read_report(job.project), store.read_rejected_lines(job.project)
    manifests = report["datasets"]
    total_bytes = sum(location["bytes"] for location in manifests.values())
    with timer.time_step("fetch", total_bytes) as step:
        for side, location in manifests.items():
            store.download_manifest(location, folder / f"{side}.manifest", step.advance)
    with timer.time_step("check"):
        check_partition(manifest, folder, rejected_lines, report)
    peak_bytes = max(emulator.functions.peak_bytes.values())
    run = {
        "manifest": decode_path(str(manifest)),
        "seconds": timer.seconds,
        "peakWorkerBytes": peak_bytes,
    }
    report = _complete_report(report, manifest, rejected_lines, run)
    write_report(folder, report)
    return report


def _complete_report(
    report: dict[str, Any],
    manifest: Path,
    rejected_lines: Sequence[RejectedLine],
    run: dict[str, Any],
) -> dict[str, Any]:
    """Return the service's report with the name of the manifest, the rejected lines, facts of the run, and the warnings."""
    reasons = [asdict(line) for line in rejected_lines]
    report = {
        **report,
        "source": {**report["source"], "manifest": decode_path(manifest.name)},
        "dropped": {"lines": len(reasons), "reasons": reasons},
        "run": run,
    }
    return report | {"warnings": find_warnings(report)}


def _print_report(report: dict[str, Any], out: Path) -> None:
    """Print the table, the summary and the paths on standard output; without styles if that is not a terminal."""
    console = Console(highlight=False, soft_wrap=True)
    console.print(draw_label_table(report), soft_wrap=False)
    lines = [
        *summarize_report(report),
        _format_times(report["run"]["seconds"]),
        f"Peak memory of a worker: {report['run']['peakWorkerBytes'] / 1e6:.0f} MB.",
        *_format_paths(out, FILES),
    ]
    for line in lines:
        console.print(line, markup=False, emoji=False)


def _format_times(seconds: dict[str, float]) -> str:
    times = ", ".join(f"{step} {duration:.1f} s" for step, duration in seconds.items())
    return f"Times: {times}."


def _format_paths(out: Path, names: Sequence[str]) -> list[str]:
    return [f"  {make_printable(str(out / name))}" for name in names]


def _make_lines_printable(text: str) -> str:
    return "\n".join(make_printable(line) for line in text.splitlines())


def _escape_unencodable_characters() -> None:
    """Make standard output and standard error escape characters that their encoding does not have."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
