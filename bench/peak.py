"""The largest resident size that this process has had."""

import resource
from pathlib import Path

_STATUS = Path("/proc/self/status")


def peak_bytes() -> int:
    """Of this program: what Linux's getrusage tells includes the process that started it."""
    if not _STATUS.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    (peak,) = (line for line in _STATUS.read_text().splitlines() if line.startswith("VmHWM:"))
    return int(peak.split()[1]) * 1024


def forget_peak() -> None:
    """So that `peak_bytes` tells of what comes now, where Linux allows it."""
    if _STATUS.exists():
        Path("/proc/self/clear_refs").write_text("5")
