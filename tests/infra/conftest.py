from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from infra.application import build
from infra.options import stack_name
from tests.handlers.conftest import aws
from tests.infra.synthesized import Synthesized

__all__ = ["aws"]

Synthesize = Callable[..., Synthesized]


@pytest.fixture(scope="session")
def synthesize(tmp_path_factory: pytest.TempPathFactory) -> Synthesize:
    """Synthesizes a stack without bundling; `options` are those of infra.options."""

    def synthesize(*, checked: bool = False, **options: Any) -> Synthesized:
        outdir: Path = tmp_path_factory.mktemp("cdk.out")
        arguments = [f"{key}={value}" for key, value in options.items()]
        app = build(
            arguments, outdir=outdir, context={"aws:cdk:bundling-stacks": []}, checked=checked
        )
        stage = str(options.get("stage", "prod"))
        stack = app.synth().get_stack_by_name(stack_name(stage))
        return Synthesized(stack.template, stage)

    return synthesize


@pytest.fixture(scope="session")
def template(synthesize: Synthesize) -> Synthesized:
    """The stack with its defaults, as it would be deployed; synthesized once and held to the AwsSolutions rules."""
    return synthesize(checked=True)
