"""The definitions of the deployed state machines, adapted to moto's interpreter.

Only this module changes definitions: moto has no EXPRESS child workflows of a Distributed Map, and waits the full interval
before a retry.
"""

import json
import re
from collections.abc import Callable
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from twofold.settings import Function, Workflow

_FOLDER = Path(__file__).parents[2] / "infra"
_FUNCTION = re.compile(r"\$\{(\w+)FunctionArn\}")


@cache
def patch_parser() -> None:
    """Patch moto to parse each definition once instead of once for each execution."""
    # Imported late: it loads most of moto.
    from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser
    from moto.stepfunctions.parser.asl.parse.preprocessor import Preprocessor

    parse = AmazonStateLanguageParser.parse

    @lru_cache(maxsize=16)
    def parse_tree(definition: str) -> Any:
        return parse(definition)[1]

    def build_program(definition: str) -> tuple[Any, Any]:
        tree = parse_tree(definition)
        return Preprocessor().visit(tree), tree

    AmazonStateLanguageParser.parse = staticmethod(build_program)  # type: ignore[method-assign]


def build_definition(workflow: Workflow, build_arn: Callable[[Function], str]) -> str:
    """Return the ASL definition as JSON. `build_arn` returns the ARN of a function."""
    text = (_FOLDER / f"{workflow.value}.asl.json").read_text()
    text = text.replace("${Partition}", "aws")
    text = _FUNCTION.sub(lambda match: build_arn(Function(match[1].lower())), text)
    return json.dumps(_convert_definition(json.loads(text)))


def _convert_definition(node: Any) -> Any:
    if isinstance(node, list):
        return [_convert_definition(item) for item in node]
    if not isinstance(node, dict):
        return node
    converted = {name: _convert_definition(value) for name, value in node.items()}
    if converted.get("ExecutionType") == "EXPRESS":
        converted["ExecutionType"] = "STANDARD"
    if "IntervalSeconds" in converted:
        converted["IntervalSeconds"] = 1
        converted["BackoffRate"] = 1.0
        converted.pop("MaxDelaySeconds", None)
        converted.pop("JitterStrategy", None)
    return converted
