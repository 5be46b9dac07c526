"""Check responses against AWS's service model."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from local.model import load_service_model
from twofold.api import java_messages

_SERVICE = load_service_model()
_PYTHON_TYPES: Mapping[str, tuple[type, ...]] = {
    "structure": (dict,),
    "list": (list,),
    "map": (dict,),
    "string": (str,),
    "integer": (int,),
    "long": (int,),
    "boolean": (bool,),
    "timestamp": (int, float, datetime),
}


def assert_response_conforms(operation: str, response: Mapping[str, Any]) -> None:
    """Check a response, from the wire or from boto3, against the output shape of the operation.

    Checks types, required and unknown members, lengths, ranges, patterns and enums. Raises AssertionError with all violations.
    """
    output = _SERVICE["operations"][operation]["output"]["shape"]
    members = {name: value for name, value in response.items() if name != "ResponseMetadata"}
    faults = list(_find_faults(output, members, operation))
    assert not faults, "\n".join(faults)


def assert_error_conforms(operation: str, code: str) -> None:
    """Check an error code against the model's errors of the operation and the errors of the protocol."""
    model_errors = {error["shape"] for error in _SERVICE["operations"][operation]["errors"]}
    allowed = model_errors | {"ValidationException", "SerializationException"}
    assert code in allowed, f"{operation} does not raise {code}; it may raise {sorted(allowed)}"


def _find_faults(name: str, value: Any, path: str) -> Iterator[str]:
    shape = _SERVICE["shapes"][name]
    if not _is_a(shape["type"], value):
        yield f"{path}: {value!r} is not a {shape['type']}"
        return
    yield from _find_violated_limits(shape, value, path)
    match shape["type"]:
        case "structure":
            yield from _find_structure_faults(shape, value, path)
        case "list":
            for number, item in enumerate(value):
                yield from _find_faults(shape["member"]["shape"], item, f"{path}[{number}]")
        case "map":
            for key, item in value.items():
                yield from _find_faults(shape["key"]["shape"], key, f"{path} key {key!r}")
                yield from _find_faults(shape["value"]["shape"], item, f"{path}[{key!r}]")


def _is_a(kind: str, value: object) -> bool:
    boolean = isinstance(value, bool)
    return isinstance(value, _PYTHON_TYPES[kind]) and boolean == (kind == "boolean")


def _find_structure_faults(
    shape: Mapping[str, Any], value: Mapping[str, Any], path: str
) -> Iterator[str]:
    for missing in set(shape.get("required", ())) - value.keys():
        yield f"{path}.{missing}: missing"
    for name, inner in value.items():
        if name in shape["members"]:
            yield from _find_faults(shape["members"][name]["shape"], inner, f"{path}.{name}")
        else:
            yield f"{path}.{name}: unknown to the model"


def _find_violated_limits(shape: Mapping[str, Any], value: Any, path: str) -> Iterator[str]:
    size = (
        value
        if shape["type"] in ("integer", "long")
        else len(value)
        if hasattr(value, "__len__")
        else 0
    )
    if size < shape.get("min", size):
        yield f"{path}: {size} is less than {shape['min']}"
    if size > shape.get("max", size):
        yield f"{path}: {size} is more than {shape['max']}"
    if "pattern" in shape and not java_messages.match_pattern(shape["pattern"], value):
        yield f"{path}: {value!r} does not match {shape['pattern']}"
    if "enum" in shape and value not in shape["enum"]:
        yield f"{path}: {value!r} is not one of {shape['enum']}"
