"""`python -m local.run --out OUT [--manifest FILE]` splits a manifest on the embedded stack.

Exit codes: 0 done, 1 not done and said why, 2 bad usage, 130 interrupted. Bad usage is told
before moto and rich are loaded, which takes seconds.
"""

import argparse
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

EXAMPLE = Path(__file__).with_name("example.manifest")


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parse(arguments)
    from local.command import run

    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    try:
        return run(options.manifest, options.out, open_page=options.open)
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)  # noqa: T201
        return 130


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="make run",
        usage="make run [MANIFEST=file] [OUT=folder] [OPEN=1]",
        description="Splits a manifest 80/20 per label on the embedded stack.",
    )
    parser.add_argument("--manifest", type=Path, default=EXAMPLE, help="a JSON Lines manifest")
    parser.add_argument("--out", type=Path, required=True, help="the folder for the files")
    parser.add_argument("--open", action="store_true", help="open the report in a browser")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
