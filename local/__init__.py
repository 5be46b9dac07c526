"""The local emulator of AWS, and the commands that run Twofold on it. This package is not deployed.

Read `emulator` first, then `run`. `example` writes the example manifest; `model` writes the API's extract of AWS's service
model.
"""

import sys
from pathlib import Path

_ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(_ROOT / "lambdas"), str(_ROOT / "clients" / "command")]
