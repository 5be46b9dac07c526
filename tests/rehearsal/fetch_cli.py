"""`python -m tests.rehearsal.fetch_cli` downloads the CDK CLI into npm's cache, because the proxy blocks the registry."""

import subprocess
import sys

from infra import cdk

if __name__ == "__main__":
    sys.exit(subprocess.call(cdk.build_command(["--version"]), env=cdk.build_environment()))
