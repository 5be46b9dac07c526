"""The facts of AWS's service model for our operations, from model.json (written by `python -m local.model`).

A shape is a JSON object with `type` and, where the model has them, `required`, `min`, `max`, `pattern`, `enum`,
`members` (name → shape name), `member` (of a list), `key` and `value` (of a map).
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import orjson

from twofold.api import java
from twofold.errors import UnknownOperationException

Shape = Mapping[str, Any]


@cache
def _model() -> dict[str, Any]:
    model: dict[str, Any] = orjson.loads(Path(__file__).with_name("model.json").read_bytes())
    return model


def target_prefix() -> str:
    """What stands before the operation's name in X-Amz-Target."""
    prefix: str = _model()["metadata"]["targetPrefix"]
    return prefix


def operations() -> tuple[str, ...]:
    return tuple(_model()["operations"])


def shape(name: str) -> Shape:
    found: Shape = _model()["shapes"][name]
    return found


def input_shape(operation: str) -> str:
    """The name of the request's shape. Raises UnknownOperationException."""
    name: str = _operation(operation)["input"]
    return name


def output_shape(operation: str) -> str:
    """The name of the response's shape. Raises UnknownOperationException."""
    name: str = _operation(operation)["output"]
    return name


def error_names(operation: str) -> frozenset[str]:
    """The exceptions that the model lists for the operation. Raises UnknownOperationException."""
    return frozenset(_operation(operation)["errors"])


def _operation(name: str) -> Mapping[str, Any]:
    known = _model()["operations"]
    if name not in known:
        raise UnknownOperationException(
            f"Twofold does not have the operation '{java.text(name)}'. It has: {', '.join(known)}."
        )
    operation: Mapping[str, Any] = known[name]
    return operation
