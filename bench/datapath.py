"""`python -m bench.datapath MANIFEST FOLDER`: the phases of `twofold split --keep-index` as JSON."""

import json
import sys
from dataclasses import asdict
from pathlib import Path

from twofold_command.pool import prepare_workers


def main() -> None:
    manifest, folder = map(Path, sys.argv[1:])
    prepare_workers(manifest)
    # Imported after the workers have started to load their modules, as in the command.
    from bench.phases import measure_phases

    print(json.dumps(asdict(measure_phases(manifest, folder))))


if __name__ == "__main__":
    main()
