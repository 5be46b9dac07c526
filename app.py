"""Synthesizes the stack: `python app.py [option=value ...]`; the CDK CLI runs it as cdk.json says."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "lambdas"))

from infra.application import build
from infra.options import OptionError

try:
    app = build(sys.argv[1:])
except OptionError as error:
    sys.exit(str(error))
app.synth()
