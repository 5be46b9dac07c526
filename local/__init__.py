"""The one-process stack and its commands. Never ships; what it needs lies in source roots of their own beside it."""

import sys
from pathlib import Path

_ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(_ROOT / "lambdas"), str(_ROOT / "clients" / "command")]
