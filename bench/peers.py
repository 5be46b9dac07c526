"""What else can cut a manifest in two: each reads MANIFEST and writes train.manifest and test.manifest into FOLDER.

`python -m bench.peers NAME MANIFEST FOLDER ENTRIES` runs one. Shuffling and copying are the naive job and the disk's limit;
the others stratify by the label of a line's first box, the nearest that each can do, and write every line as it was.
"""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import orjson

THREADS = 2
_LABEL = "$.boxes.annotations[0].class_id"


def shuf(manifest: Path, folder: Path, entries: int) -> None:
    test = entries // 5
    script = (
        'shuf "$1" > "$2/all" && head -n "$3" "$2/all" > "$2/test.manifest" && '
        'tail -n +"$(($3 + 1))" "$2/all" > "$2/train.manifest" && rm "$2/all"'
    )
    subprocess.run(["sh", "-c", script, "sh", manifest, folder, str(test)], check=True)


def cp(manifest: Path, folder: Path, entries: int) -> None:
    """All of it to one side."""
    shutil.copyfile(manifest, folder / "train.manifest")
    (folder / "test.manifest").touch()


def duckdb(manifest: Path, folder: Path, entries: int) -> None:
    import duckdb as database

    connection = database.connect(config={"threads": THREADS, "temp_directory": str(folder)})
    connection.execute(
        "create table lines as select line, row_number() over (partition by label order by hash(line)) as number, "
        "count(*) over (partition by label) as total from ("
        "select line, json_extract_string(line, ?) as label from read_csv("
        "?, header = false, columns = {'line': 'VARCHAR'}, delim = '\\x01', quote = '', escape = '', auto_detect = false))",
        [_LABEL, str(manifest)],
    )
    for side, condition in (("test", "<="), ("train", ">")):
        target = str(folder / f"{side}.manifest")
        connection.execute(
            f"copy (select line from lines where number {condition} total / 5.0) to '{target}' "  # noqa: S608
            "(format csv, header false, delimiter '\\x01', quote '', escape '')"
        )


def polars(manifest: Path, folder: Path, entries: int) -> None:
    import polars as frames

    lines = frames.read_csv(
        manifest, has_header=False, separator="\x01", quote_char=None, new_columns=["line"]
    ).with_columns(frames.col("line").str.json_path_match(_LABEL).alias("label"))
    rank = frames.int_range(frames.len()).shuffle(seed=0).over("label")
    chosen = lines.select(rank < frames.len().over("label") / 5).to_series()
    for side, rows in (("test", chosen), ("train", ~chosen)):
        lines.filter(rows).select("line").write_csv(
            folder / f"{side}.manifest", include_header=False, quote_style="never", separator="\x01"
        )


def scikit_learn(manifest: Path, folder: Path, entries: int) -> None:
    from sklearn.model_selection import train_test_split

    lines = manifest.read_bytes().splitlines(keepends=True)
    labels = [orjson.loads(line)["boxes"]["annotations"][0]["class_id"] for line in lines]
    train, test = train_test_split(lines, test_size=0.2, random_state=0, stratify=labels)
    _write(folder, train, test)


def iterative_stratification(manifest: Path, folder: Path, entries: int) -> None:
    """The only peer that stratifies by all labels of a line."""
    from iterstrat.ml_stratifiers import MultilabelStratifiedShuffleSplit

    lines = manifest.read_bytes().splitlines(keepends=True)
    boxes = [orjson.loads(line)["boxes"]["annotations"] for line in lines]
    owners = np.repeat(np.arange(len(lines)), [len(some) for some in boxes])
    labels = np.array([box["class_id"] for some in boxes for box in some])
    matrix = np.zeros((len(lines), int(labels.max()) + 1), np.int8)
    matrix[owners, labels] = 1
    splitter = MultilabelStratifiedShuffleSplit(n_splits=1, test_size=0.2, random_state=0)
    train, test = next(splitter.split(matrix, matrix))
    _write(folder, [lines[row] for row in train], [lines[row] for row in test])


def _write(folder: Path, train: list[bytes], test: list[bytes]) -> None:
    for side, lines in (("train", train), ("test", test)):
        (folder / f"{side}.manifest").write_bytes(b"".join(lines))


PEERS: dict[str, Callable[[Path, Path, int], None]] = {
    "shuf": shuf,
    "cp": cp,
    "DuckDB": duckdb,
    "Polars": polars,
    "scikit-learn": scikit_learn,
    "iterative-stratification": iterative_stratification,
}

if __name__ == "__main__":
    name, source, target, count = sys.argv[1:]
    PEERS[name](Path(source), Path(target), int(count))
