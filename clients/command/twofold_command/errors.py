"""Errors that end a command with a one-line message instead of a traceback."""

import sys

if sys.platform != "win32":
    import resource

_SMALL_MEMORY_BYTES = 1 << 30


class CommandError(Exception):
    """The command failed; the message is for the user."""


def describe_error(error: Exception, *, has_processes: bool = False) -> str:
    """Returns one line with the cause and the remedy. `has_processes` is whether the command has the option --processes."""
    if isinstance(error, CommandError):
        return " ".join(str(error).splitlines())
    limit = _describe_memory_limit()
    if isinstance(error, MemoryError):
        remedy = limit or "Use a machine with more memory"
        return f"Out of memory. {remedy}{', or fewer workers: --processes 1' * has_processes}."
    if isinstance(error, OSError) and error.strerror:
        path = error.filename2 or error.filename
        return f"{path}: {error.strerror}." if path else f"{error.strerror}."
    message = " ".join(str(error).splitlines())
    if limit:
        # Python reports failed allocations during imports as errors of the imported modules.
        return f"Unexpected {type(error).__name__}: {message}. Memory may be short. {limit}."
    return (
        f"Unexpected {type(error).__name__}: {message}. This is a bug in Twofold; run the command again with --debug "
        "and report the traceback."
    )


def _describe_memory_limit() -> str:
    """Returns the remedy for a limit on the memory of this process that is too small for Twofold, or an empty string."""
    if sys.platform == "win32":
        return ""
    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    if limit == resource.RLIM_INFINITY or limit >= _SMALL_MEMORY_BYTES:
        return ""
    return f"Raise the memory limit of this process, {limit >> 20} MiB (`ulimit -v`)"
