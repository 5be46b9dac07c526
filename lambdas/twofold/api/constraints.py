"""Validate requests against the constraints of AWS's service model, with Rekognition's messages.

A single walk over the request converts JSON types (SerializationException) and collects all violated constraints in a
ValidationException. The walk does not enter a list or map above the maximum length and does not match a string above the
maximum length, so any body takes bounded time and gives a message of bounded length.
"""

import binascii
import math
from collections.abc import Iterator, Mapping
from typing import Any

from twofold.api import java_messages, model
from twofold.errors import SerializationException, ValidationException

_NOT_NULL = "Member must not be null"
_TYPE_NAMES = {
    "string": "a String",
    "blob": "a Blob",
    "integer": "an Integer",
    "long": "a Long",
    "boolean": "a Boolean",
    "list": "Expected list or null",
    "map": "Expected null",
    "structure": "Expected null",
}
_INTEGER_TYPES = ("integer", "long")
_JSON_TYPES: Mapping[str, type] = {
    "string": str,
    "blob": str,
    "boolean": bool,
    "list": list,
    "map": dict,
    "structure": dict,
}


def read_request(operation: str, request: object) -> dict[str, Any]:
    """Return the known members of a decoded JSON request: blobs as bytes, integers as int, without nulls.

    Raises ValidationException with a message of all violations, else as `inspect_request`.
    """
    members, violations = inspect_request(operation, request)
    if violations:
        raise ValidationException(_summarize(violations))
    return members


def inspect_request(operation: str, request: object) -> tuple[dict[str, Any], list[str]]:
    """Return (members, violations) of a decoded JSON request; a violation is AWS's message for a constraint.

    Raises SerializationException for a wrong JSON type, UnknownOperationException.
    """
    violations: list[str] = []
    members = _read_value(model.get_input_shape(operation), request, "", violations)
    return members, violations


def list_broken_rules(operation: str, member: str, value: object) -> list[str]:
    """Return the rules, in AWS's words, violated by a value as a member of the operation's request."""
    shape = model.get_shape(model.get_shape(model.get_input_shape(operation))["members"][member])
    return list(_find_broken_rules(shape, value))


def _summarize(violations: list[str]) -> str:
    """Return AWS's message for the violations of a request."""
    errors = "error" if len(violations) == 1 else "errors"
    return f"{len(violations)} validation {errors} detected: {'; '.join(violations)}"


def _read_value(name: str, value: object, path: str, violations: list[str]) -> Any:
    """Return a value as the type of the shape `name` and append all violations; `path` is for the messages."""
    shape = model.get_shape(name)
    typed = _convert(shape["type"], value, path)
    violations.extend(
        _format_violation(typed, path, rule) for rule in _find_broken_rules(shape, typed)
    )
    if shape["type"] == "structure":
        return _read_structure(shape, typed, path, violations)
    if shape["type"] in ("list", "map") and len(typed) <= shape.get("max", math.inf):
        return _read_elements(shape, typed, path, violations)
    return typed


def _read_structure(
    shape: model.Shape, value: dict[str, Any], path: str, violations: list[str]
) -> dict[str, Any]:
    """Return the known members; append the violations of each member and of missing members."""
    members = {}
    for member, name in shape["members"].items():
        where = f"{path}.{_to_lower_camel(member)}".lstrip(".")
        if value.get(member) is not None:
            members[member] = _read_value(name, value[member], where, violations)
        elif member in shape.get("required", ()):
            violations.append(_format_violation(None, where, _NOT_NULL))
    return members


def _read_elements(shape: model.Shape, value: Any, path: str, violations: list[str]) -> Any:
    if shape["type"] == "map":
        _check_scalars(shape["key"], list(value), (value, path, "Map keys"), violations)
        _check_scalars(shape["value"], list(value.values()), (value, path, "Map value"), violations)
    elif model.get_shape(shape["member"])["type"] == "structure":
        items = enumerate(value, start=1)
        return [
            _read_item(shape["member"], item, f"{path}.{n}.member", violations) for n, item in items
        ]
    else:
        _check_scalars(shape["member"], value, (value, path, "Member"), violations)
    return value


def _read_item(name: str, item: object, path: str, violations: list[str]) -> Any:
    if item is None:
        violations.append(_format_violation(None, path, _NOT_NULL))
        return None
    return _read_value(name, item, path, violations)


def _check_scalars(
    name: str, items: list[Any], owner: tuple[Any, str, str], violations: list[str]
) -> None:
    """Check the keys, values or elements of a collection; `owner` is (collection, path, subject of the message).

    AWS reports the whole collection with all rules of the elements, once for any number of invalid elements.
    """
    shape = model.get_shape(name)
    value, path, subject = owner
    typed = [None if item is None else _convert(shape["type"], item, path) for item in items]
    if any(item is None or any(_find_broken_rules(shape, item)) for item in typed):
        rules = ", ".join([*(rule for rule, _ in _list_rules(shape)), _NOT_NULL])
        violations.append(
            _format_violation(value, path, f"{subject} must satisfy constraint: [{rules}]")
        )


def _find_broken_rules(shape: model.Shape, value: Any) -> Iterator[str]:
    """Yield AWS's text of each violated rule."""
    size = value if shape["type"] in _INTEGER_TYPES else _get_length(value)
    for rule, constraint in _list_rules(shape):
        if not _is_satisfied(constraint, shape, value, size):
            yield rule


def _get_length(value: Any) -> int:
    return len(value) if isinstance(value, str | bytes | list | dict) else 0


def _list_rules(shape: model.Shape) -> Iterator[tuple[str, str]]:
    """Yield (AWS's text, name of the constraint in the model), in AWS's order."""
    measure = "value" if shape["type"] in _INTEGER_TYPES else "length"
    if "max" in shape:
        yield f"Member must have {measure} less than or equal to {shape['max']}", "max"
    if "min" in shape:
        yield f"Member must have {measure} greater than or equal to {shape['min']}", "min"
    if "pattern" in shape:
        yield f"Member must satisfy regular expression pattern: {shape['pattern']}", "pattern"
    if "enum" in shape:
        yield f"Member must satisfy enum value set: [{', '.join(shape['enum'])}]", "enum"


def _is_satisfied(constraint: str, shape: model.Shape, value: Any, size: int) -> bool:
    if constraint == "max":
        return bool(size <= shape["max"])
    if constraint == "min":
        return bool(size >= shape["min"])
    if constraint == "enum":
        return value in shape["enum"]
    # A string above its maximum length violates that rule alone: matching it could take long.
    return size > shape.get("max", math.inf) or java_messages.match_pattern(shape["pattern"], value)


def _format_violation(value: object, path: str, rule: str) -> str:
    echo = "null" if value is None else f"'{java_messages.render_value(value)}'"
    return f"Value {echo} at '{path}' failed to satisfy constraint: {rule}"


def _to_lower_camel(member: str) -> str:
    return member[0].lower() + member[1:]


def _convert(kind: str, value: object, path: str) -> Any:
    """Return the value as the model's type. Raises SerializationException."""
    if kind in _INTEGER_TYPES:
        return _read_integer(kind, value, path)
    if not isinstance(value, _JSON_TYPES[kind]):
        raise _make_type_error(kind, value, path)
    return _decode_blob(value, path) if kind == "blob" else value


def _read_integer(kind: str, value: object, path: str) -> int:
    """Return an integer; AWS truncates a decimal number."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return int(value)
    raise _make_type_error(kind, value, path)


def _decode_blob(value: Any, path: str) -> bytes:
    try:
        return binascii.a2b_base64(value, strict_mode=True)
    except ValueError as error:
        raise SerializationException(f"Not valid base64 at '{path}': {error}") from None


def _make_type_error(kind: str, value: object, path: str) -> SerializationException:
    where = f" at '{path}'" if path else ""
    return SerializationException(f"{_describe_mismatch(kind, value)}{where}")


def _describe_mismatch(kind: str, value: object) -> str:
    """Return AWS's text for a value of another JSON type than the model's."""
    if isinstance(value, dict):
        return "Start of structure or map found where not expected"
    if isinstance(value, list):
        return "Start of list found where not expected"
    type_name = _TYPE_NAMES[kind]
    if type_name.startswith("Expected"):
        return type_name
    return f"{_name_json_token(value)} can not be converted to {type_name}"


def _name_json_token(value: object) -> str:
    if isinstance(value, bool):
        return f"{str(value).upper()}_VALUE"
    return "STRING_VALUE" if isinstance(value, str) else "NUMBER_VALUE"
