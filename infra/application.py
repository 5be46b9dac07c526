"""Build the CDK app; shared by `make synth`, the CDK CLI and the tests."""

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from aws_cdk import App, Validations
from cdk_nag import AwsSolutionsChecks, NIST80053R5Checks

from infra.options import Options, format_stack_name, parse_pairs
from infra.stack import TwofoldStack
from infra.stages import merge_options, read_stage

ROOT = Path(__file__).parent.parent


def build(
    arguments: Iterable[str] = (),
    *,
    outdir: Path | None = None,
    context: dict[str, Any] | None = None,
    with_checks: bool = True,
    from_file: bool = False,
) -> App:
    """Return the app, not yet synthesized; raises OptionError.

    arguments    `option=value` pairs (see Options); the context of the CDK CLI has precedence over these
    outdir       folder of the cloud assembly; default: CDK_OUTDIR or cdk.out
    context      additional CDK context
    with_checks  whether synthesis fails on findings of the AwsSolutions and NIST 800-53 R5 rules
    from_file    whether the file of the stage supplies all remaining options
    """
    app = App(
        outdir=str(outdir or os.environ.get("CDK_OUTDIR") or ROOT / "cdk.out"),
        context=_read_default_context() | parse_pairs(arguments) | (context or {}),
    )
    options = _read_options(app, from_file=from_file)
    if with_checks:
        Validations.of(app).add_plugins(AwsSolutionsChecks(), NIST80053R5Checks())
    TwofoldStack(app, format_stack_name(options.stage), options=options)
    return app


def _read_options(app: App, *, from_file: bool) -> Options:
    context = {name: app.node.try_get_context(name) for name in Options.__dataclass_fields__}
    context_options = {name: str(value) for name, value in context.items() if value is not None}
    stage = Options.from_context(context_options.get).stage
    return (
        merge_options(read_stage(stage), stage, context_options)
        if from_file
        else Options.from_context(context_options.get)
    )


def _read_default_context() -> dict[str, Any]:
    """Return the context of cdk.json; only the CDK CLI reads this file by default."""
    context: dict[str, Any] = json.loads((ROOT / "cdk.json").read_bytes())["context"]
    return context
