"""`python -m local.run --out OUT [--manifest FILE]` (`make run`) splits a manifest on the local emulator.

Exit codes: 0 success, 1 failure with a message, 2 invalid arguments, 128 + n stopped by signal n. Arguments are checked before
moto and rich are imported, which takes seconds.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from local.emulator.bundles import build_in_background
from local.emulator.environment import forget_moto_variables
from twofold_command import signals, streams
from twofold_command.commands import read_folder

EXAMPLE = Path(__file__).parents[1] / "example.manifest"


def main(arguments: Sequence[str] | None = None) -> int:
    streams.open_missing_streams()
    forget_moto_variables()
    options = _parse_arguments(arguments)
    signals.install_handlers()
    try:
        with build_in_background(), signals.defer_stops():
            from local.run.command import run
        return run(options.manifest, options.out, open_page=options.open)
    except KeyboardInterrupt as error:
        signals.ignore_stops()
        print(f"Stopped; {signals.get_outcome()}.", file=sys.stderr)  # noqa: T201
        return signals.get_exit_code(error)


def _parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="make run",
        usage="make run [MANIFEST=file] [OUT=folder] [OPEN=1]",
        description="Splits a manifest 80/20 per label on the local emulator.",
    )
    parser.add_argument("--manifest", type=Path, default=EXAMPLE, help="a JSON Lines manifest")
    parser.add_argument("--out", type=read_folder, required=True, help="the folder for the files")
    parser.add_argument("--open", action="store_true", help="open the report in a browser")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
