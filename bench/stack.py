"""`python -m bench stack --manifest FILE`: the emulator beside the data path alone.

The data path is `twofold split`; the emulator does the work of `make run` from the upload to the checked files. Both take
turns, the least time of each counts, and both must write the same manifests. A table has the CPU time
and memory of each function.
"""

import argparse
import logging
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from local.emulator.server import BUCKET, Emulator, start_emulator
from local.run.job import MainJob
from local.run.results import ResultStore, check_partition
from twofold.settings import Function

FILES = ("train.manifest", "test.manifest")


def measure_data_path(manifest: Path, out: Path) -> float:
    """Seconds of the command, including its start."""
    command = Path(sys.executable).with_name("twofold")
    began = time.perf_counter()
    subprocess.run(
        [command, "split", manifest, "-o", out], check=True, capture_output=True, timeout=3600
    )
    return time.perf_counter() - began


def measure_emulator(emulator: Emulator, manifest: Path, out: Path) -> float:
    """Seconds from the upload to the checked files."""
    out.mkdir(exist_ok=True)
    job = MainJob(emulator.endpoint, manifest)
    job.project = f"{job.project}-{time.time_ns()}"
    began = time.perf_counter()
    job.upload(lambda _: None)
    created = job.create_datasets(lambda _: None)
    job.distribute(created, lambda _: None)
    store = ResultStore(job.s3, BUCKET)
    report, dropped = store.read_report(job.project), store.read_rejected_lines(job.project)
    for side, dataset in report["datasets"].items():
        store.download_manifest(dataset, out / f"{side}.manifest", lambda _: None)
    check_partition(manifest, out, dropped, report)
    return time.perf_counter() - began


def measure(manifest: Path, runs: int) -> None:
    with tempfile.TemporaryDirectory() as folder, start_emulator() as emulator:
        data_path_out, emulator_out = Path(folder) / "data-path", Path(folder) / "emulator"
        times = [
            (
                measure_data_path(manifest, data_path_out),
                measure_emulator(emulator, manifest, emulator_out),
            )
            for _ in range(runs)
        ]
        for name in FILES:
            if (data_path_out / name).read_bytes() != (emulator_out / name).read_bytes():
                raise SystemExit(f"{name} is not the same from both.")
        _print_table(emulator, times, runs)


def _print_table(emulator: Emulator, times: list[tuple[float, float]], runs: int) -> None:
    path, whole = (min(column) for column in zip(*times, strict=True))
    print(f"data path {path:.2f} s, emulator {whole:.2f} s: {whole / path:.2f} x (best of {runs})")
    print("| function | invocations | CPU s in one run | peak so far, MB |")
    print("| --- | ---: | ---: | ---: |")
    functions = emulator.functions
    for function in Function:
        count = functions.invocations[function]
        if count:
            spent, peak = functions.cpu_seconds[function], functions.peak_bytes[function]
            print(f"| {function} | {count / runs:.0f} | {spent / runs:.2f} | {peak / 1e6:.0f} |")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench stack", description=__doc__)
    parser.add_argument("--manifest", type=Path, required=True)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    logging.getLogger("moto").setLevel(logging.CRITICAL)
    measure(options.manifest, options.runs)


if __name__ == "__main__":
    main()
