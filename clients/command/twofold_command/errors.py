"""What ends a command with a message instead of a traceback."""


class CommandError(Exception):
    """It cannot be done; the message is for the person who asked."""
