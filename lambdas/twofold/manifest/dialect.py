r"""The regular expressions that RE2 and Python's `re` (with re.ASCII) read alike.

Both engines take more, and differ there: RE2 knows POSIX classes and reads `{,3}` and `{02}` as text; a repeated group that
matches nothing leaves another key; ignoring case, RE2 folds all of Unicode and `re` ASCII alone; `\s` has a vertical tab
only in `re`, and `$` matches before a final line feed only there.
"""

import re
import warnings
from collections.abc import Iterator

_TOKEN = re.compile(
    r"(?P<escape>\\(?:x[0-9A-Fa-f]{2}|[0-7]{1,3}|.))"
    r"|(?P<class>\[\^?\]?(?:\\.|\[:\^?[a-z]+:\]|[^\]\\])*\])"
    r"|(?P<open>\((?:\?(?:P<\w+>|[a-zA-Z]*(?:-[a-zA-Z]+)?:|(?P<flags>[a-zA-Z]+)\)))?)"
    r"|(?P<close>\))"
    r"|(?P<repeat>[*+?]|\{(?P<least>\d*)(?P<most>,\d*)?\})"
    r"|(?P<other>.)",
    re.DOTALL,
)
_ESCAPED_NUMBER = re.compile(r"\\(?:x([0-9A-Fa-f]{2})|([0-7]{1,3}))")
_IGNORES_CASE = re.compile(r"\(\?[a-zA-Z]*i")
_NO_WIDTH = re.compile(r"(?<!\\)(?:\\\\)*(?:\\[bBA]|[\^$])")
_FOLDED_TO_ASCII = "\u017f\u212a"
"""The long s and the Kelvin sign, which RE2 takes for s and k when it ignores case."""

_ASCII = 127


def find_ambiguity(expression: str) -> str | None:
    """What the engines read differently in an expression that both accept, and what to write; None if there is nothing."""
    tokens = list(_TOKEN.finditer(expression))
    for token in tokens:
        if token["class"] and re.search(r"\[:\^?[a-z]+:\]", token["class"]):
            return f"{token[0]} has a POSIX class; write a range such as [0-9]"
        if token["repeat"] and (fault := _ambiguous_count(token)):
            return fault
    if ignores_case(expression) and any(map(_is_not_ascii, tokens)):
        return "with (?i) it may have ASCII characters only; write both cases, as in [Éé]"
    return next(_empty_repetitions(expression, tokens), None)


def find_ambiguous_character(expression: str, text: str) -> str | None:
    """A character of the text that makes the engines disagree about the expression."""
    if ignores_case(expression):
        for character in _FOLDED_TO_ASCII:
            if character in text:
                return character
    if "\v" in text and re.search(r"\\[sS]", expression):
        return "\v"
    return "\n" if text.endswith("\n") and "$" in expression else None


def ignores_case(expression: str) -> bool:
    return _IGNORES_CASE.search(expression) is not None


def _ambiguous_count(token: re.Match[str]) -> str | None:
    least, most = token["least"], token["most"]
    if least is None or (not least and most is None):
        return None
    if not least:
        return f"write {{0{most}}} for {token[0]}"
    if any(number.startswith("0") and len(number) > 1 for number in (least, (most or "")[1:])):
        return f"write the numbers of {token[0]} without leading zeros"
    return None


def _is_not_ascii(token: re.Match[str]) -> bool:
    numbers = [
        int(found[1], 16) if found[1] else int(found[2], 8)
        for found in _ESCAPED_NUMBER.finditer(token[0])
    ]
    return not token[0].isascii() or any(number > _ASCII for number in numbers)


def _empty_repetitions(expression: str, tokens: list[re.Match[str]]) -> Iterator[str]:
    """Repeated groups that may match nothing."""
    opened: list[int] = []
    for place, token in enumerate(tokens):
        if token["open"] and not token["flags"]:
            opened.append(token.start())
        elif token["close"]:
            group = expression[opened.pop() : token.end()]
            following = tokens[place + 1] if place + 1 < len(tokens) else None
            if following and following["repeat"] and following[0] != "?" and _may_be_empty(group):
                yield f"{group}{following[0]} repeats a group that may match nothing; let it match one character at least"


def _may_be_empty(group: str) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        return bool(_NO_WIDTH.search(group)) or re.compile(group, re.ASCII).match("") is not None
