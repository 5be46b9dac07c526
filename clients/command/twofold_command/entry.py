"""Entry point of the `twofold` program. Installs the signal handlers before the slow imports."""

import signal
import sys


def main() -> int:
    """Returns the exit code of the process."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        # Until the handlers are installed, Ctrl-C ends the process without a traceback.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from twofold_command import signals, streams

    streams.open_missing_streams()
    signals.install_handlers()
    try:
        with signals.defer_stops():
            from twofold_command.main import run_command
        return run_command(sys.argv[1:])
    except KeyboardInterrupt as error:
        signals.ignore_stops()
        print(f"Stopped; {signals.get_outcome()}.", file=sys.stderr)  # noqa: T201
        return signals.get_exit_code(error)
    finally:
        signals.ignore_stops()
