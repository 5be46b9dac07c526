"""The one code asset that all functions share. `supply/bundling.py` builds it, without Docker."""

from pathlib import Path
from typing import cast

import jsii
from aws_cdk import Annotations, AssetHashType, BundlingOptions, ILocalBundling
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from supply.bundling import LAMBDA, SOURCE, bundle, find_compiler, fingerprint
from twofold.settings import RUNTIME

__all__ = ["SOURCE", "bundle", "code", "fingerprint"]

NO_COMPILER = (
    f"There is no Python {RUNTIME} on this machine, so the functions ship without bytecode: a cold start takes about three "
    f"times the processor time. Install it (.venv/bin/uv python install {RUNTIME}) and deploy again."
)


def code(scope: Construct) -> lambda_.Code:
    """The asset. Adds a warning to `scope` if the bundle cannot have bytecode."""
    if find_compiler(LAMBDA) is None:
        Annotations.of(scope).add_warning_v2("twofold:bytecode", NO_COMPILER)
    return lambda_.Code.from_asset(
        str(SOURCE),
        asset_hash=fingerprint(SOURCE),
        asset_hash_type=AssetHashType.CUSTOM,
        bundling=BundlingOptions(
            image=lambda_.Runtime.PYTHON_3_13.bundling_image,
            local=cast(ILocalBundling, _UvBundling()),
        ),
    )


@jsii.implements(ILocalBundling)
class _UvBundling:
    # jsii passes the options as one object, whatever the generated interface says (aws-cdk#26581).
    def try_bundle(self, output_dir: str, options: BundlingOptions) -> bool:
        bundle(SOURCE, Path(output_dir))
        return True
