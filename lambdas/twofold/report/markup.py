"""HTML elements with escaped text: only markup made by this module is not escaped."""

from collections.abc import Iterable
from html import escape

_VOID = frozenset({"meta", "input", "br", "rect", "circle", "line", "path"})


class Html(str):
    """Markup, as opposed to text."""

    __slots__ = ()


def make_element(tag: str, *children: str, **attributes: object) -> Html:
    """Make an element. Children are Html, or text to escape.

    `class_` is the attribute class, `aria_label` is aria-label. An attribute of None is omitted, True has no value.
    """
    head = "".join(_format_attribute(key, value) for key, value in attributes.items())
    if tag in _VOID:
        return Html(f"<{tag}{head}/>")
    return Html(f"<{tag}{head}>{join(children)}</{tag}>")


def join(children: Iterable[str]) -> Html:
    return Html("".join(child if isinstance(child, Html) else escape(child) for child in children))


def _format_attribute(key: str, value: object) -> str:
    if value is None or value is False:
        return ""
    name = key.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{escape(str(value))}"'
