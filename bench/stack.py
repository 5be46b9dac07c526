"""`python -m bench.stack --manifest FILE` (`make measure MANIFEST=file`): the whole stack beside the data path alone.

The data path is `twofold split`, the stack what `make run` does from the upload on; both take turns, the least of each
counts, and both must give the same two manifests. Then what each function took.
"""

import argparse
import logging
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from local.job import Job
from local.results import Store, check_partition
from local.stack import BUCKET, Stack, running
from twofold.settings import Function

FILES = ("train.manifest", "test.manifest")


def alone(manifest: Path, out: Path) -> float:
    """Seconds of the command, its start included."""
    command = Path(sys.executable).with_name("twofold")
    began = time.perf_counter()
    subprocess.run(
        [command, "split", manifest, "-o", out], check=True, capture_output=True, timeout=3600
    )
    return time.perf_counter() - began


def through_the_stack(stack: Stack, manifest: Path, out: Path) -> float:
    """Seconds from the upload to the checked files."""
    out.mkdir(exist_ok=True)
    job = Job(stack.endpoint, manifest)
    job.project = f"{job.project}-{time.time_ns()}"
    began = time.perf_counter()
    job.upload(lambda _: None)
    created = job.create(lambda _: None)
    job.distribute(created, lambda _: None)
    store = Store(job.s3, BUCKET)
    report, dropped = store.report(job.project), store.dropped(job.project)
    for side, one in report["datasets"].items():
        store.fetch(one, out / f"{side}.manifest", lambda _: None)
    check_partition(manifest, out, dropped, report)
    return time.perf_counter() - began


def measure(manifest: Path, runs: int) -> None:
    with tempfile.TemporaryDirectory() as folder, running() as stack:
        one, other = Path(folder) / "alone", Path(folder) / "stack"
        times = [
            (alone(manifest, one), through_the_stack(stack, manifest, other)) for _ in range(runs)
        ]
        for name in FILES:
            if (one / name).read_bytes() != (other / name).read_bytes():
                raise SystemExit(f"{name} is not the same from both.")
        _tell(stack, times, runs)


def _tell(stack: Stack, times: list[tuple[float, float]], runs: int) -> None:
    path, whole = (min(column) for column in zip(*times, strict=True))
    print(
        f"data path {path:.2f} s, whole stack {whole:.2f} s: {whole / path:.2f} x (best of {runs})"
    )
    print("| function | invocations | CPU s in one run | peak so far, MB |")
    print("| --- | ---: | ---: | ---: |")
    functions = stack.functions
    for function in Function:
        count = functions.invocations[function]
        if count:
            spent, peak = functions.cpu_seconds[function], functions.peak_bytes[function]
            print(f"| {function} | {count / runs:.0f} | {spent / runs:.2f} | {peak / 1e6:.0f} |")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.stack", description=__doc__)
    parser.add_argument("--manifest", type=Path, required=True)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    logging.getLogger("moto").setLevel(logging.CRITICAL)
    measure(options.manifest, options.runs)


if __name__ == "__main__":
    main()
