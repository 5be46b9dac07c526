"""The peak resident memory of this process."""

import resource
from pathlib import Path

_STATUS = Path("/proc/self/status")


def get_peak_bytes() -> int:
    """The peak of this program in bytes. Linux's getrusage would include the process that started it."""
    if not _STATUS.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    (peak,) = (line for line in _STATUS.read_text().splitlines() if line.startswith("VmHWM:"))
    return int(peak.split()[1]) * 1024


def reset_peak() -> None:
    """Reset the peak to the current resident memory, on Linux."""
    if _STATUS.exists():
        Path("/proc/self/clear_refs").write_text("5")
