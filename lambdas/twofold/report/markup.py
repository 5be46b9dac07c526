"""HTML that cannot be broken out of: every text is escaped unless it was made here."""

from collections.abc import Iterable
from html import escape

_VOID = frozenset({"meta", "input", "br", "rect", "circle", "line", "path"})


class Html(str):
    """Markup, as opposed to text."""

    __slots__ = ()


def element(tag: str, *children: str, **attributes: object) -> Html:
    """`class_` is the attribute class, `aria_label` is aria-label; None leaves an attribute out, True gives it no value.

    Children are Html, or text that is escaped.
    """
    head = "".join(_attribute(key, value) for key, value in attributes.items())
    if tag in _VOID:
        return Html(f"<{tag}{head}/>")
    return Html(f"<{tag}{head}>{joined(children)}</{tag}>")


def joined(children: Iterable[str]) -> Html:
    return Html("".join(one if isinstance(one, Html) else escape(one) for one in children))


def _attribute(key: str, value: object) -> str:
    if value is None or value is False:
        return ""
    name = key.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{escape(str(value))}"'
