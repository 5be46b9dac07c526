"""Whether a response is one that AWS's service model allows."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from local.model import service_model
from twofold.api import java

_SERVICE = service_model()
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
    """Checks a response, from the wire or from boto3, against the output shape of the operation: types, required and
    unknown members, lengths, ranges, patterns and enums. Raises AssertionError with every fault and its place."""
    output = _SERVICE["operations"][operation]["output"]["shape"]
    members = {name: value for name, value in response.items() if name != "ResponseMetadata"}
    faults = list(_faults(output, members, operation))
    assert not faults, "\n".join(faults)


def assert_error_conforms(operation: str, code: str) -> None:
    """Checks that the model lists the error for the operation, or that it is one of the protocol's own."""
    modelled = {error["shape"] for error in _SERVICE["operations"][operation]["errors"]}
    allowed = modelled | {"ValidationException", "SerializationException"}
    assert code in allowed, f"{operation} does not raise {code}; it may raise {sorted(allowed)}"


def _faults(name: str, value: Any, path: str) -> Iterator[str]:
    shape = _SERVICE["shapes"][name]
    if not _is_a(shape["type"], value):
        yield f"{path}: {value!r} is not a {shape['type']}"
        return
    yield from _broken_limits(shape, value, path)
    match shape["type"]:
        case "structure":
            yield from _structure_faults(shape, value, path)
        case "list":
            for number, item in enumerate(value):
                yield from _faults(shape["member"]["shape"], item, f"{path}[{number}]")
        case "map":
            for key, item in value.items():
                yield from _faults(shape["key"]["shape"], key, f"{path} key {key!r}")
                yield from _faults(shape["value"]["shape"], item, f"{path}[{key!r}]")


def _is_a(kind: str, value: object) -> bool:
    boolean = isinstance(value, bool)
    return isinstance(value, _PYTHON_TYPES[kind]) and boolean == (kind == "boolean")


def _structure_faults(
    shape: Mapping[str, Any], value: Mapping[str, Any], path: str
) -> Iterator[str]:
    for missing in set(shape.get("required", ())) - value.keys():
        yield f"{path}.{missing}: missing"
    for name, inner in value.items():
        if name in shape["members"]:
            yield from _faults(shape["members"][name]["shape"], inner, f"{path}.{name}")
        else:
            yield f"{path}.{name}: unknown to the model"


def _broken_limits(shape: Mapping[str, Any], value: Any, path: str) -> Iterator[str]:
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
    if "pattern" in shape and not java.matches(shape["pattern"], value):
        yield f"{path}: {value!r} does not match {shape['pattern']}"
    if "enum" in shape and value not in shape["enum"]:
        yield f"{path}: {value!r} is not one of {shape['enum']}"
