"""The code asset of all functions. `supply/bundling.py` builds the asset without Docker."""

from pathlib import Path
from typing import cast

import jsii
from aws_cdk import Annotations, AssetHashType, BundlingOptions, ILocalBundling
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from supply.bundling import LAMBDA, SOURCE, build_bundle, compute_fingerprint, find_compiler
from twofold.settings import RUNTIME

NO_COMPILER = (
    f"Python {RUNTIME} is not installed on this machine, so the functions ship without bytecode: a cold start takes about "
    f"three times the processor time. Install Python {RUNTIME} (.venv/bin/uv python install {RUNTIME}) and deploy again."
)


def build_code_asset(scope: Construct) -> lambda_.Code:
    """Return the asset; adds a warning to `scope` if the bundle has no bytecode."""
    if find_compiler(LAMBDA) is None:
        Annotations.of(scope).add_warning_v2("twofold:bytecode", NO_COMPILER)
    return lambda_.Code.from_asset(
        str(SOURCE),
        asset_hash=compute_fingerprint(SOURCE),
        asset_hash_type=AssetHashType.CUSTOM,
        bundling=BundlingOptions(
            image=lambda_.Runtime.PYTHON_3_13.bundling_image,
            local=cast(ILocalBundling, _UvBundling()),
        ),
    )


@jsii.implements(ILocalBundling)
class _UvBundling:
    # jsii passes the options as one object, in contrast to the generated interface (aws-cdk#26581).
    def try_bundle(self, output_dir: str, options: BundlingOptions) -> bool:
        build_bundle(SOURCE, Path(output_dir))
        return True
