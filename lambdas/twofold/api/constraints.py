"""The constraints of AWS's service model, enforced and worded as Rekognition does.

A request is read in one walk: JSON types first (SerializationException), then every broken constraint together in one
ValidationException. A list or map that is too long is not looked into and a string that is too long is not matched,
so time and the length of the message are bounded whatever the body holds.
"""

import binascii
import math
from collections.abc import Iterator, Mapping
from typing import Any

from twofold.api import java, model
from twofold.errors import SerializationException, ValidationException

_NOT_NULL = "Member must not be null"
_WANTED = {
    "string": "a String",
    "blob": "a Blob",
    "integer": "an Integer",
    "long": "a Long",
    "boolean": "a Boolean",
    "list": "Expected list or null",
    "map": "Expected null",
    "structure": "Expected null",
}
_WHOLE = ("integer", "long")
_JSON_TYPES: Mapping[str, type] = {
    "string": str,
    "blob": str,
    "boolean": bool,
    "list": list,
    "map": dict,
    "structure": dict,
}


def violations(operation: str, request: object) -> list[str]:
    """Every broken constraint of a decoded JSON request, in AWS's words.

    Raises SerializationException for a JSON type that the model does not have there, UnknownOperationException.
    """
    found: list[str] = []
    _read(model.input_shape(operation), request, "", found)
    return found


def validate(operation: str, request: object) -> None:
    """Raises ValidationException with all violations in one message, else as `violations`."""
    read(operation, request)


def read(operation: str, request: object) -> dict[str, Any]:
    """The members that the model knows and the request has: blobs as bytes, integers as int, no nulls.

    Raises as `validate`.
    """
    found: list[str] = []
    members: dict[str, Any] = _read(model.input_shape(operation), request, "", found)
    if found:
        raise ValidationException(_summary(found))
    return members


def broken_rules(operation: str, member: str, value: object) -> list[str]:
    """The rules that a value would break as a member of the operation's request, in AWS's words."""
    shape = model.shape(model.shape(model.input_shape(operation))["members"][member])
    return list(_broken(shape, value))


def _summary(found: list[str]) -> str:
    errors = "error" if len(found) == 1 else "errors"
    return f"{len(found)} validation {errors} detected: {'; '.join(found)}"


def _read(name: str, value: object, path: str, found: list[str]) -> Any:
    shape = model.shape(name)
    typed = _typed(shape["type"], value, path)
    found.extend(_violation(typed, path, rule) for rule in _broken(shape, typed))
    if shape["type"] == "structure":
        return _structure(shape, typed, path, found)
    if shape["type"] in ("list", "map") and len(typed) <= shape.get("max", math.inf):
        return _elements(shape, typed, path, found)
    return typed


def _structure(
    shape: model.Shape, value: dict[str, Any], path: str, found: list[str]
) -> dict[str, Any]:
    members = {}
    for member, name in shape["members"].items():
        where = f"{path}.{_lower_camel(member)}".lstrip(".")
        if value.get(member) is not None:
            members[member] = _read(name, value[member], where, found)
        elif member in shape.get("required", ()):
            found.append(_violation(None, where, _NOT_NULL))
    return members


def _elements(shape: model.Shape, value: Any, path: str, found: list[str]) -> Any:
    if shape["type"] == "map":
        _scalars(shape["key"], list(value), (value, path, "Map keys"), found)
        _scalars(shape["value"], list(value.values()), (value, path, "Map value"), found)
    elif model.shape(shape["member"])["type"] == "structure":
        items = enumerate(value, start=1)
        return [_item(shape["member"], item, f"{path}.{n}.member", found) for n, item in items]
    else:
        _scalars(shape["member"], value, (value, path, "Member"), found)
    return value


def _item(name: str, item: object, path: str, found: list[str]) -> Any:
    if item is None:
        found.append(_violation(None, path, _NOT_NULL))
        return None
    return _read(name, item, path, found)


def _scalars(name: str, items: list[Any], owner: tuple[Any, str, str], found: list[str]) -> None:
    """AWS names the collection and all the rules of its elements, once, however many elements break one."""
    shape = model.shape(name)
    value, path, subject = owner
    typed = [None if item is None else _typed(shape["type"], item, path) for item in items]
    if any(item is None or any(_broken(shape, item)) for item in typed):
        rules = ", ".join([*(rule for rule, _ in _rules(shape)), _NOT_NULL])
        found.append(_violation(value, path, f"{subject} must satisfy constraint: [{rules}]"))


def _broken(shape: model.Shape, value: Any) -> Iterator[str]:
    size = value if shape["type"] in _WHOLE else _length(value)
    for rule, fact in _rules(shape):
        if not _holds(fact, shape, value, size):
            yield rule


def _length(value: Any) -> int:
    return len(value) if isinstance(value, str | bytes | list | dict) else 0


def _rules(shape: model.Shape) -> Iterator[tuple[str, str]]:
    """(AWS's text, the fact of the model behind it), in the order AWS lists them."""
    measure = "value" if shape["type"] in _WHOLE else "length"
    if "max" in shape:
        yield f"Member must have {measure} less than or equal to {shape['max']}", "max"
    if "min" in shape:
        yield f"Member must have {measure} greater than or equal to {shape['min']}", "min"
    if "pattern" in shape:
        yield f"Member must satisfy regular expression pattern: {shape['pattern']}", "pattern"
    if "enum" in shape:
        yield f"Member must satisfy enum value set: [{', '.join(shape['enum'])}]", "enum"


def _holds(fact: str, shape: model.Shape, value: Any, size: int) -> bool:
    if fact == "max":
        return bool(size <= shape["max"])
    if fact == "min":
        return bool(size >= shape["min"])
    if fact == "enum":
        return value in shape["enum"]
    return size > shape.get("max", math.inf) or java.matches(shape["pattern"], value)


def _violation(value: object, path: str, rule: str) -> str:
    echo = "null" if value is None else f"'{java.text(value)}'"
    return f"Value {echo} at '{path}' failed to satisfy constraint: {rule}"


def _lower_camel(member: str) -> str:
    return member[0].lower() + member[1:]


def _typed(kind: str, value: object, path: str) -> Any:
    """The value as the model's type; raises SerializationException."""
    if kind in _WHOLE:
        return _integer(kind, value, path)
    if not isinstance(value, _JSON_TYPES[kind]):
        raise _refusal(kind, value, path)
    return _decoded(value, path) if kind == "blob" else value


def _integer(kind: str, value: object, path: str) -> int:
    """AWS cuts the fraction off a decimal number."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return int(value)
    raise _refusal(kind, value, path)


def _decoded(value: Any, path: str) -> bytes:
    try:
        return binascii.a2b_base64(value, strict_mode=True)
    except ValueError as error:
        raise SerializationException(f"Not valid base64 at '{path}': {error}") from None


def _refusal(kind: str, value: object, path: str) -> SerializationException:
    where = f" at '{path}'" if path else ""
    return SerializationException(f"{_mismatch(kind, value)}{where}")


def _mismatch(kind: str, value: object) -> str:
    if isinstance(value, dict):
        return "Start of structure or map found where not expected"
    if isinstance(value, list):
        return "Start of list found where not expected"
    wanted = _WANTED[kind]
    if wanted.startswith("Expected"):
        return wanted
    return f"{_token(value)} can not be converted to {wanted}"


def _token(value: object) -> str:
    if isinstance(value, bool):
        return f"{str(value).upper()}_VALUE"
    return "STRING_VALUE" if isinstance(value, str) else "NUMBER_VALUE"
