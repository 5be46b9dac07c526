"""What ends a command with one line instead of a trace."""


class CommandError(Exception):
    """It cannot be done; the message is for the person who asked."""


def describe(error: Exception) -> str:
    """One line: what went wrong, and what to do."""
    if isinstance(error, CommandError):
        return " ".join(str(error).splitlines())
    if isinstance(error, MemoryError):
        return "Out of memory. Use a machine with more memory, or fewer workers: --processes 1."
    if isinstance(error, OSError) and error.strerror:
        path = error.filename2 or error.filename
        return f"{path}: {error.strerror}." if path else f"{error.strerror}."
    told = " ".join(str(error).splitlines())
    return (
        f"Unexpected {type(error).__name__}: {told}. This is a fault of Twofold; run the command again with --debug "
        "and report the trace."
    )
