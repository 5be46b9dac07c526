"""The CDK CLI, at the version that this app is tested with: `python -m infra.cdk deploy|diff|bootstrap|destroy ...`.

npx fetches it from npm once; it runs on the Node that came with the requirements, and runs app.py with this Python.
"""

import os
import sys
from pathlib import Path

from infra import NODE

CLI = "aws-cdk@2.1148.1"
NPX = NODE.parent.parent / "lib" / "node_modules" / "npm" / "bin" / "npx-cli.js"


def command(arguments: list[str]) -> list[str]:
    return [str(NODE), str(NPX), "--yes", CLI, *arguments]


def environment() -> dict[str, str]:
    first = [str(NODE.parent), str(Path(sys.executable).parent)]
    return {**os.environ, "PATH": os.pathsep.join([*first, os.environ.get("PATH", os.defpath)])}


if __name__ == "__main__":
    os.execve(NODE, command(sys.argv[1:]), environment())  # noqa: S606
