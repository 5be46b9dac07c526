"""Escape control characters in untrusted text, for safe display on a terminal."""

# Emoji, Persian and many Indic languages need the two joiners.
JOINERS = "\u200c\u200d"


def make_printable(text: str) -> str:
    """Return the text with every unprintable character (C0, C1, bidirectional controls) as a backslash escape."""
    if text.isprintable():
        return text
    return "".join(
        char
        if char.isprintable() or char in JOINERS
        else char.encode("unicode_escape", "surrogatepass").decode()
        for char in text
    )
