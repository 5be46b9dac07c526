"""Synthesizes the stack of a stage: `python app.py [stage=name] [option=value ...]`; the CDK CLI runs it as cdk.json says.

The options come from the file of the stage, such as stages/prod.toml; others that are given have precedence over it.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "lambdas"))

from infra.application import build
from infra.options import OptionError

try:
    app = build(sys.argv[1:], from_file=True)
except OptionError as error:
    sys.exit(str(error))
app.synth()
