r"""Regular expressions with the same meaning in RE2 and Python's `re` (with re.ASCII).

The engines differ in these expressions, and the service refuses them: RE2 has POSIX classes and reads `{,3}` and `{02}` as
text; after a repeated empty group the captured text differs; without regard to case, RE2 folds all of Unicode and `re` only
ASCII. The engines also differ for some texts: `\s` matches a vertical tab only in `re`, and `$` matches before a final line
feed only in `re`.
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
"""The long s and the Kelvin sign: without regard to case, RE2 matches them with s and k."""

_ASCII = 127


def find_ambiguity(expression: str) -> str | None:
    """Return the first part with two meanings and a remedy, or None. Both must accept the expression."""
    tokens = list(_TOKEN.finditer(expression))
    for token in tokens:
        if token["class"] and re.search(r"\[:\^?[a-z]+:\]", token["class"]):
            return f"{token[0]} has a POSIX class; write a range such as [0-9]"
        if token["repeat"] and (ambiguity := _find_ambiguous_count(token)):
            return ambiguity
    if has_ignore_case_flag(expression) and any(map(_is_not_ascii, tokens)):
        return "with (?i) it may have ASCII characters only; write both cases, as in [Éé]"
    return next(_find_empty_repetitions(expression, tokens), None)


def find_ambiguous_character(expression: str, text: str) -> str | None:
    """Return a character of the text for which the engines may match the expression differently, or None."""
    if has_ignore_case_flag(expression):
        for character in _FOLDED_TO_ASCII:
            if character in text:
                return character
    if "\v" in text and re.search(r"\\[sS]", expression):
        return "\v"
    return "\n" if text.endswith("\n") and "$" in expression else None


def has_ignore_case_flag(expression: str) -> bool:
    return _IGNORES_CASE.search(expression) is not None


def _find_ambiguous_count(token: re.Match[str]) -> str | None:
    least, most = token["least"], token["most"]
    if least is None or (not least and most is None):
        return None
    # RE2 reads `{,3}` as text.
    if not least:
        return f"write {{0{most}}} for {token[0]}"
    if any(number.startswith("0") and len(number) > 1 for number in (least, (most or "")[1:])):
        return f"write the numbers of {token[0]} without leading zeros"
    return None


def _is_not_ascii(token: re.Match[str]) -> bool:
    numbers = [
        int(escape[1], 16) if escape[1] else int(escape[2], 8)
        for escape in _ESCAPED_NUMBER.finditer(token[0])
    ]
    return not token[0].isascii() or any(number > _ASCII for number in numbers)


def _find_empty_repetitions(expression: str, tokens: list[re.Match[str]]) -> Iterator[str]:
    """Yield a message for each repeated group that may match nothing."""
    # Positions of the parentheses that are open, innermost last.
    open_groups: list[int] = []
    for position, token in enumerate(tokens):
        # `(?i)` sets a flag and opens no group.
        if token["open"] and not token["flags"]:
            open_groups.append(token.start())
        elif token["close"]:
            group = expression[open_groups.pop() : token.end()]
            following = tokens[position + 1] if position + 1 < len(tokens) else None
            if (
                following
                and following["repeat"]
                and following[0] != "?"
                and _can_match_empty(group)
            ):
                yield f"{group}{following[0]} repeats a group that may match nothing; let it match one character at least"


def _can_match_empty(group: str) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        # An anchor or a word boundary matches nothing, even if the empty text does not match the group.
        return bool(_NO_WIDTH.search(group)) or re.compile(group, re.ASCII).match("") is not None
