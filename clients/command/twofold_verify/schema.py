"""Check a JSON document against a schema.

A schema is a type, a compiled pattern that a string must match in full, a range of whole numbers, a dictionary of members
("name?" is optional), a list with the schema of every element, or a tuple of alternative schemas.
"""

import re
from typing import Any

MAX_INTEGER = (1 << 64) - 1
_TYPES = {
    str: "text",
    int: f"a whole number from 0 to {MAX_INTEGER}",
    float: "a number with a decimal point",
    bool: "true or false",
    dict: "an object",
    list: "an array",
    type(None): "null",
}


class SchemaError(ValueError):
    """The document does not match the schema; the message completes "it …"."""


def check_schema(value: Any, schema: Any, path: str = "") -> None:
    """Raises SchemaError with the path of the first member that is missing, unknown or of a wrong type."""
    if isinstance(schema, dict):
        _check_members(value, schema, path)
    elif isinstance(schema, list):
        _require_type(value, list, path)
        for number, item in enumerate(value):
            check_schema(item, schema[0], f"{path}[{number}]")
    elif isinstance(schema, tuple):
        _check_choices(value, schema, path)
    elif isinstance(schema, re.Pattern):
        _require_type(value, str, path)
        if not schema.fullmatch(value):
            raise SchemaError(f"has {_shorten(value)} as {path}")
    elif isinstance(schema, range):
        _require_range(value, schema, path)
    else:
        _require_type(value, schema, path)


def _check_members(value: Any, schema: dict[str, Any], path: str) -> None:
    _require_type(value, dict, path)
    schemas = {name.removesuffix("?"): each for name, each in schema.items()}
    prefix = f"{path}." if path else ""
    for name in schemas:
        if name not in value and f"{name}?" not in schema:
            raise SchemaError(f"has no {prefix}{name}")
    for name, member in value.items():
        if name not in schemas:
            raise SchemaError(f"has a member {prefix}{_shorten(name)}, which is unknown")
        check_schema(member, schemas[name], f"{prefix}{name}")


def _check_choices(value: Any, schemas: tuple[Any, ...], path: str) -> None:
    for schema in schemas:
        try:
            return check_schema(value, schema, path)
        except SchemaError as error:
            last = error
    raise last


def _require_type(value: Any, expected_type: Any, path: str) -> None:
    """Raises SchemaError for another type. Unlike isinstance, does not accept a boolean as an integer."""
    if type(value) is not expected_type or (expected_type is int and not 0 <= value <= MAX_INTEGER):
        name = path or "its outermost value"
        raise SchemaError(f"has {_shorten(value)} as {name}, which must be {_TYPES[expected_type]}")


def _require_range(value: Any, schema: range, path: str) -> None:
    if type(value) is not int or value not in schema:
        raise SchemaError(
            f"has {_shorten(value)} as {path}, which must be a whole number from {schema[0]} to {schema[-1]}"
        )


def _shorten(value: Any) -> str:
    text = repr(value) if not isinstance(value, dict | list) else _TYPES[type(value)]
    return text if len(text) <= 60 else f"{text[:60]}…"
