"""Entry point of the `twofold` program: signals are handled before anything else is imported."""

import sys

from twofold_command import stops, streams


def main() -> int:
    """The exit code of the process."""
    streams.open_missing()
    stops.listen()
    try:
        with stops.held_back():
            from twofold_command.main import run
        return run(sys.argv[1:])
    except KeyboardInterrupt as error:
        stops.ignore()
        print(f"Stopped; {stops.outcome()}.", file=sys.stderr)  # noqa: T201
        return stops.exit_code(error)
    finally:
        stops.ignore()
