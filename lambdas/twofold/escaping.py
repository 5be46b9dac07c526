"""Text from strangers' files and names that is safe to show: no character hides or acts on a terminal."""

# Joiners belong to emoji and to the spelling of Persian and many Indic languages.
JOINERS = "\u200c\u200d"


def make_printable(text: str) -> str:
    """The text with control characters, C1 and those that turn the direction of writing too, spelled out."""
    if text.isprintable():
        return text
    return "".join(
        each
        if each.isprintable() or each in JOINERS
        else each.encode("unicode_escape", "surrogatepass").decode()
        for each in text
    )
