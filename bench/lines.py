"""`python -m bench lines MANIFEST` measures the indexing of a line in multiples of orjson's parsing time.

Processor time of one process. The parts take turns, and the least time of each counts.
"""

import sys
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from unittest.mock import patch

import orjson
from xxhash import xxh3_64_digest

from twofold.manifest.index.range_indexer import index_batches
from twofold.manifest.index.source_hashes import extract_file_name, hash_source_bytes
from twofold.manifest.line import fast_reader
from twofold.manifest.line.byte_ranges import LineBatch, read_batches
from twofold.manifest.line.document import parse_line
from twofold.manifest.line.errors import Rejection

MOST_BYTES = 64 << 20
CHUNK_BYTES = 1 << 20
TURNS = 7


class LineWork:
    """The first lines of a manifest, and the parts of the work of indexing them."""

    def __init__(self, manifest: Path) -> None:
        with manifest.open("rb") as file:
            text = file.read(MOST_BYTES)
        self._text = text[: text.rfind(b"\n") + 1]
        self._batches = list(self.cut_lines())
        self._lines = [line for batch in self._batches for line in batch.lines if line]
        self._source_refs = [orjson.loads(line)["source-ref"].encode() for line in self._lines]

    def __len__(self) -> int:
        return len(self._lines)

    def cut_lines(self) -> Iterator[LineBatch]:
        size = len(self._text)
        chunks = (self._text[at : at + CHUNK_BYTES] for at in range(0, size, CHUNK_BYTES))
        return read_batches(chunks, 0, size)

    def parse_lines(self) -> None:
        for line in self._lines:
            orjson.loads(line)

    def hash_lines(self) -> None:
        b"".join(map(xxh3_64_digest, self._lines))
        b"".join(map(hash_source_bytes, self._source_refs))
        b"".join(map(xxh3_64_digest, map(extract_file_name, self._source_refs)))

    def read_by_forms(self) -> None:
        reader = fast_reader.FastReader()
        for line in islice(self._lines, 8):
            document = parse_line(line)
            if not isinstance(document, Rejection):
                reader.learn(line, document)
        for batch in self._batches:
            reader.read_lines([line or b"" for line in batch.lines])

    def index_lines(self) -> None:
        index_batches(self.cut_lines())

    def index_by_rules(self) -> None:
        with patch.object(fast_reader, "MAX_SAMPLES", 0):
            index_batches(self.cut_lines())


def measure_seconds(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def main() -> None:
    lines = LineWork(Path(sys.argv[1]))
    parts: dict[str, Callable[[], object]] = {
        "orjson": lines.parse_lines,
        "cutting lines": lambda: list(lines.cut_lines()),
        "reading lines of known form": lines.read_by_forms,
        "hashes": lines.hash_lines,
        "total": lines.index_lines,
        "total, by the rules alone": lines.index_by_rules,
    }
    turns = [{name: measure_seconds(work) for name, work in parts.items()} for _ in range(TURNS)]
    least = {name: min(turn[name] for turn in turns) for name in parts}
    parts_seconds = sum(list(least.values())[1:4])
    least["label sets and columns"] = least["total"] - parts_seconds
    print(f"{len(lines)} lines; orjson takes {least['orjson'] / len(lines) * 1e6:.2f} µs for one.")
    print("| | times orjson |\n| --- | ---: |")
    for name in [*list(parts)[1:4], "label sets and columns", *list(parts)[4:]]:
        print(f"| {name} | {least[name] / least['orjson']:.2f} |")


if __name__ == "__main__":
    main()
