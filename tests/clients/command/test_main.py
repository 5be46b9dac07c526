"""`twofold` without a subcommand prints the help."""

import subprocess
import sys
from pathlib import Path

TWOFOLD = Path(sys.executable).with_name("twofold")


def test_the_bare_command_shows_the_help_and_is_no_error() -> None:
    bare = subprocess.run([TWOFOLD], capture_output=True, text=True, check=False, timeout=60)
    full = subprocess.run(
        [TWOFOLD, "--help"], capture_output=True, text=True, check=True, timeout=60
    )
    assert (bare.returncode, bare.stdout, bare.stderr) == (0, full.stdout, "")
    assert "split a manifest on this machine" in bare.stdout
