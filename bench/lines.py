"""`python -m bench.lines MANIFEST` says what indexing a line costs, as multiples of what orjson takes to parse it.

Processor time of one process; the parts take turns, and the least of each counts.
"""

import sys
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from unittest.mock import patch

import orjson
from xxhash import xxh3_64_digest

from twofold.manifest import shapes
from twofold.manifest.document import Rejection, parse
from twofold.manifest.index import file_name, source_digest
from twofold.manifest.pieces import index_batches
from twofold.manifest.reader import Batch, batches_of_range

MOST_BYTES = 64 << 20
CHUNK_BYTES = 1 << 20
TURNS = 7


class Lines:
    """The first lines of a manifest, and the parts of the work on them."""

    def __init__(self, manifest: Path) -> None:
        with manifest.open("rb") as file:
            text = file.read(MOST_BYTES)
        self._text = text[: text.rfind(b"\n") + 1]
        self._batches = list(self.cut())
        self._lines = [line for batch in self._batches for line in batch.lines if line]
        self._source_refs = [orjson.loads(line)["source-ref"].encode() for line in self._lines]

    def __len__(self) -> int:
        return len(self._lines)

    def cut(self) -> Iterator[Batch]:
        size = len(self._text)
        chunks = (self._text[at : at + CHUNK_BYTES] for at in range(0, size, CHUNK_BYTES))
        return batches_of_range(chunks, 0, size)

    def parse(self) -> None:
        for line in self._lines:
            orjson.loads(line)

    def hash(self) -> None:
        b"".join(map(xxh3_64_digest, self._lines))
        b"".join(map(source_digest, self._source_refs))
        b"".join(map(xxh3_64_digest, map(file_name, self._source_refs)))

    def read_by_shapes(self) -> None:
        known = shapes.Shapes()
        for line in islice(self._lines, 8):
            document = parse(line)
            if not isinstance(document, Rejection):
                known.learn(line, document)
        for batch in self._batches:
            known.read([line or b"" for line in batch.lines])

    def index(self) -> None:
        index_batches(self.cut())

    def index_by_rules(self) -> None:
        with patch.object(shapes, "MAX_LESSONS", 0):
            index_batches(self.cut())


def seconds(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def main() -> None:
    lines = Lines(Path(sys.argv[1]))
    parts: dict[str, Callable[[], object]] = {
        "orjson": lines.parse,
        "cutting lines": lambda: list(lines.cut()),
        "reading them by their shape": lines.read_by_shapes,
        "hashes": lines.hash,
        "together": lines.index,
        "together, by the rules alone": lines.index_by_rules,
    }
    turns = [{name: seconds(work) for name, work in parts.items()} for _ in range(TURNS)]
    least = {name: min(turn[name] for turn in turns) for name in parts}
    told = sum(list(least.values())[1:4])
    least["label sets and columns"] = least["together"] - told
    print(f"{len(lines)} lines; orjson takes {least['orjson'] / len(lines) * 1e6:.2f} µs for one.")
    print("| | times orjson |\n| --- | ---: |")
    for name in [*list(parts)[1:4], "label sets and columns", *list(parts)[4:]]:
        print(f"| {name} | {least[name] / least['orjson']:.2f} |")


if __name__ == "__main__":
    main()
