"""Puts the app together, so that `make synth`, the CDK CLI and the tests all build the same thing."""

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from aws_cdk import App, Validations
from cdk_nag import AwsSolutionsChecks, NIST80053R5Checks

from infra.options import Options, pairs_of, stack_name
from infra.stack import TwofoldStack
from infra.stages import merge_options, read_stage

ROOT = Path(__file__).parent.parent


def build(
    arguments: Iterable[str] = (),
    *,
    outdir: Path | None = None,
    context: dict[str, Any] | None = None,
    checked: bool = True,
    from_file: bool = False,
) -> App:
    """The app, not yet synthesized.

    `arguments` are `option=value` pairs (see Options); the CDK CLI's own context has precedence over them. With `from_file`,
    the file of the stage gives the options that neither has.
    With `checked`, synthesis fails on what the AwsSolutions or the NIST 800-53 R5 rules find. Raises OptionError.
    """
    app = App(
        outdir=str(outdir or os.environ.get("CDK_OUTDIR") or ROOT / "cdk.out"),
        context=_defaults() | pairs_of(arguments) | (context or {}),
    )
    options = _read_options(app, from_file=from_file)
    if checked:
        Validations.of(app).add_plugins(AwsSolutionsChecks(), NIST80053R5Checks())
    TwofoldStack(app, stack_name(options.stage), options=options)
    return app


def _read_options(app: App, *, from_file: bool) -> Options:
    context = {name: app.node.try_get_context(name) for name in Options.__dataclass_fields__}
    given = {name: str(value) for name, value in context.items() if value is not None}
    stage = Options.of(given.get).stage
    return merge_options(read_stage(stage), stage, given) if from_file else Options.of(given.get)


def _defaults() -> dict[str, Any]:
    """cdk.json's context, which only the CDK CLI would read by itself."""
    defaults: dict[str, Any] = json.loads((ROOT / "cdk.json").read_bytes())["context"]
    return defaults
