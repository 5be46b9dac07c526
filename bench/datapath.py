"""`python -m bench.datapath MANIFEST FOLDER`: the phases of `twofold split --keep-index` as JSON."""

import json
import sys
from dataclasses import asdict
from pathlib import Path

from twofold_command.pool import prepare


def main() -> None:
    manifest, folder = map(Path, sys.argv[1:])
    prepare(manifest)
    # As in the command, while what the workers need is loaded beside it.
    from bench.phases import work

    print(json.dumps(asdict(work(manifest, folder))))


if __name__ == "__main__":
    main()
