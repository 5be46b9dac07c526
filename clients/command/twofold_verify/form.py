"""The form of a JSON document: which members an object has, and of which type each one is.

A form is a type, a compiled pattern that a text must match in full, a dictionary of members ("name?" may be missing), a list
with the form of every element, or a tuple of forms of which one must hold.
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


class FormError(ValueError):
    """A document is of another form; the message completes "it …"."""


def check_form(value: Any, form: Any, path: str = "") -> None:
    """Raises FormError, naming the first member that is missing, unknown or of a wrong type."""
    if isinstance(form, dict):
        _check_members(value, form, path)
    elif isinstance(form, list):
        _require_type(value, list, path)
        for number, item in enumerate(value):
            check_form(item, form[0], f"{path}[{number}]")
    elif isinstance(form, tuple):
        _check_choices(value, form, path)
    elif isinstance(form, re.Pattern):
        _require_type(value, str, path)
        if not form.fullmatch(value):
            raise FormError(f"has {_show(value)} as {path}")
    else:
        _require_type(value, form, path)


def _check_members(value: Any, form: dict[str, Any], path: str) -> None:
    _require_type(value, dict, path)
    forms = {name.removesuffix("?"): each for name, each in form.items()}
    prefix = f"{path}." if path else ""
    for name in forms:
        if name not in value and f"{name}?" not in form:
            raise FormError(f"has no {prefix}{name}")
    for name, member in value.items():
        if name not in forms:
            raise FormError(f"has a member {prefix}{_show(name)}, which is unknown")
        check_form(member, forms[name], f"{prefix}{name}")


def _check_choices(value: Any, forms: tuple[Any, ...], path: str) -> None:
    for form in forms:
        try:
            return check_form(value, form, path)
        except FormError as error:
            last = error
    raise last


def _require_type(value: Any, kind: Any, path: str) -> None:
    """An integer is no boolean, and the other way round."""
    if type(value) is not kind or (kind is int and not 0 <= value <= MAX_INTEGER):
        name = path or "its outermost value"
        raise FormError(f"has {_show(value)} as {name}, which must be {_TYPES[kind]}")


def _show(value: Any) -> str:
    text = repr(value) if not isinstance(value, dict | list) else _TYPES[type(value)]
    return text if len(text) <= 60 else f"{text[:60]}…"
