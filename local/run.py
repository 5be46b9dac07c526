"""`python -m local.run --out OUT [--manifest FILE]` splits a manifest on the embedded stack.

Exit codes: 0 done, 1 not done and said why, 2 bad usage, 128 and the number of the signal that stopped it. Bad usage is told
before moto and rich are loaded, which takes seconds.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from local.bundles import building
from twofold_command import stops, streams
from twofold_command.commands import read_folder

EXAMPLE = Path(__file__).with_name("example.manifest")


def main(arguments: Sequence[str] | None = None) -> int:
    streams.open_missing()
    options = _parse(arguments)
    stops.listen()
    try:
        with building(), stops.held_back():
            from local.command import run
        return run(options.manifest, options.out, open_page=options.open)
    except KeyboardInterrupt as error:
        stops.ignore()
        print(f"Stopped; {stops.outcome()}.", file=sys.stderr)  # noqa: T201
        return stops.exit_code(error)


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="make run",
        usage="make run [MANIFEST=file] [OUT=folder] [OPEN=1]",
        description="Splits a manifest 80/20 per label on the embedded stack.",
    )
    parser.add_argument("--manifest", type=Path, default=EXAMPLE, help="a JSON Lines manifest")
    parser.add_argument("--out", type=read_folder, required=True, help="the folder for the files")
    parser.add_argument("--open", action="store_true", help="open the report in a browser")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
