from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from infra.application import build
from infra.options import Options, format_stack_name, parse_pairs
from tests.infra.synthesized_template import SynthesizedTemplate
from tests.support.aws_fixtures import aws

__all__ = ["aws"]

Synthesize = Callable[..., SynthesizedTemplate]


def parse_options(arguments: Iterable[str]) -> Options:
    """Return the options of `option=value` pairs; raises OptionError."""
    return Options.from_context(parse_pairs(arguments).get)


@pytest.fixture(scope="session")
def synthesize(tmp_path_factory: pytest.TempPathFactory) -> Synthesize:
    """A function that synthesizes a stack without bundling, with `options` of infra.options."""

    def synthesize(*, with_checks: bool = False, **options: Any) -> SynthesizedTemplate:
        outdir: Path = tmp_path_factory.mktemp("cdk.out")
        arguments = [f"{key}={value}" for key, value in options.items()]
        app = build(
            arguments,
            outdir=outdir,
            context={"aws:cdk:bundling-stacks": []},
            with_checks=with_checks,
        )
        stage = str(options.get("stage", "prod"))
        stack = app.synth().get_stack_by_name(format_stack_name(stage))
        return SynthesizedTemplate(stack.template, stage)

    return synthesize


@pytest.fixture(scope="session")
def template(synthesize: Synthesize) -> SynthesizedTemplate:
    """The template with default options, synthesized with the checks of cdk-nag."""
    return synthesize(with_checks=True)
