"""Entry point of the CDK app: `python app.py [stage=name] [option=value ...]` synthesizes the stack of a stage.

Options come from the file of the stage, such as stages/prod.toml; arguments have precedence. cdk.json starts this file for the
CDK CLI.
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
