"""Puts the app together, so that `make synth`, the CDK CLI and the tests all build the same thing."""

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from aws_cdk import App, Validations
from cdk_nag import AwsSolutionsChecks, NIST80053R5Checks

from infra.options import OptionError, Options
from infra.stack import TwofoldStack
from twofold.settings import PRODUCT

ROOT = Path(__file__).parent.parent


def build(
    arguments: Iterable[str] = (),
    *,
    outdir: Path | None = None,
    context: dict[str, Any] | None = None,
    checked: bool = True,
) -> App:
    """The app, not yet synthesized.

    `arguments` are `option=value` pairs (see Options); the CDK CLI's own context has precedence over them.
    With `checked`, synthesis fails on what the AwsSolutions or the NIST 800-53 R5 rules find. Raises OptionError.
    """
    app = App(
        outdir=str(outdir or os.environ.get("CDK_OUTDIR") or ROOT / "cdk.out"),
        context=_defaults() | _parsed(arguments) | (context or {}),
    )
    options = Options.of(app.node.try_get_context)
    if checked:
        Validations.of(app).add_plugins(AwsSolutionsChecks(), NIST80053R5Checks())
    TwofoldStack(app, stack_name(options.stage), options=options)
    return app


def options_of(arguments: Iterable[str]) -> Options:
    """The options that `option=value` pairs choose; raises OptionError."""
    return Options.of(_parsed(arguments).get)


def stack_name(stage: str) -> str:
    return f"{PRODUCT.capitalize()}-{stage}"


def _defaults() -> dict[str, Any]:
    """cdk.json's context, which only the CDK CLI would read by itself."""
    defaults: dict[str, Any] = json.loads((ROOT / "cdk.json").read_bytes())["context"]
    return defaults


def _parsed(arguments: Iterable[str]) -> dict[str, str]:
    pairs = {}
    for argument in arguments:
        key, equals, value = argument.partition("=")
        if not equals or key not in Options.__dataclass_fields__:
            known = ", ".join(Options.__dataclass_fields__)
            raise OptionError(f"'{argument}': give options as key=value, with a key of {known}.")
        pairs[key] = value
    return pairs
