"""`python -m tests.rehearsal.fetch_cli` brings the CDK CLI into npm's cache: the emulator's proxy leads to no registry."""

import subprocess
import sys

from infra import cdk

if __name__ == "__main__":
    sys.exit(subprocess.call(cdk.command(["--version"]), env=cdk.environment()))
