"""The one-process stack and its commands. Never ships; what ships is a source root of its own beside it."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "lambdas"))
