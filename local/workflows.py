"""The deployed state machines, as moto's interpreter takes them.

This is the only place where the definition that runs here may differ from the one that is deployed: moto has no EXPRESS
children of a Distributed Map, and it really sleeps before a retry.
"""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from twofold.settings import Function, Workflow

_FOLDER = Path(__file__).parents[1] / "infra"
_FUNCTION = re.compile(r"\$\{(\w+)FunctionArn\}")


def definition(workflow: Workflow, arn_of: Callable[[Function], str]) -> str:
    text = (_FOLDER / f"{workflow.value}.asl.json").read_text()
    text = _FUNCTION.sub(lambda found: arn_of(Function(found[1].lower())), text)
    return json.dumps(_adapted(json.loads(text)))


def _adapted(node: Any) -> Any:
    if isinstance(node, list):
        return [_adapted(item) for item in node]
    if not isinstance(node, dict):
        return node
    adapted = {name: _adapted(value) for name, value in node.items()}
    if adapted.get("ExecutionType") == "EXPRESS":
        adapted["ExecutionType"] = "STANDARD"
    if "IntervalSeconds" in adapted:
        adapted["IntervalSeconds"] = adapted["MaxDelaySeconds"] = 1
        adapted.pop("JitterStrategy", None)
    return adapted
