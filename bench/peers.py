"""Tools to compare with: each reads MANIFEST and writes train.manifest and test.manifest into FOLDER.

`python -m bench.peers NAME MANIFEST FOLDER ENTRIES` runs one tool. Shuffling is the naive job, copying the limit of the disk.
The stratifying tools use the label of a line's first box, the nearest supported choice to a balanced split, and write every
line unchanged.
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


def shuffle_with_shuf(manifest: Path, folder: Path, entries: int) -> None:
    test = entries // 5
    script = (
        'shuf "$1" > "$2/all" && head -n "$3" "$2/all" > "$2/test.manifest" && '
        'tail -n +"$(($3 + 1))" "$2/all" > "$2/train.manifest" && rm "$2/all"'
    )
    subprocess.run(["sh", "-c", script, "sh", manifest, folder, str(test)], check=True)


def copy_with_cp(manifest: Path, folder: Path, entries: int) -> None:
    """Copy the whole manifest to one side."""
    shutil.copyfile(manifest, folder / "train.manifest")
    (folder / "test.manifest").touch()


def split_with_duckdb(manifest: Path, folder: Path, entries: int) -> None:
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


def split_with_polars(manifest: Path, folder: Path, entries: int) -> None:
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


def split_with_scikit_learn(manifest: Path, folder: Path, entries: int) -> None:
    from sklearn.model_selection import train_test_split

    lines = manifest.read_bytes().splitlines(keepends=True)
    labels = [orjson.loads(line)["boxes"]["annotations"][0]["class_id"] for line in lines]
    train, test = train_test_split(lines, test_size=0.2, random_state=0, stratify=labels)
    _write(folder, train, test)


def stratify_iteratively(manifest: Path, folder: Path, entries: int) -> None:
    """Stratify by all labels of a line, as the only peer."""
    from iterstrat.ml_stratifiers import MultilabelStratifiedShuffleSplit

    lines = manifest.read_bytes().splitlines(keepends=True)
    boxes = [orjson.loads(line)["boxes"]["annotations"] for line in lines]
    owners = np.repeat(np.arange(len(lines)), [len(line_boxes) for line_boxes in boxes])
    labels = np.array([box["class_id"] for line_boxes in boxes for box in line_boxes])
    matrix = np.zeros((len(lines), int(labels.max()) + 1), np.int8)
    matrix[owners, labels] = 1
    splitter = MultilabelStratifiedShuffleSplit(n_splits=1, test_size=0.2, random_state=0)
    train, test = next(splitter.split(matrix, matrix))
    _write(folder, [lines[row] for row in train], [lines[row] for row in test])


def _write(folder: Path, train: list[bytes], test: list[bytes]) -> None:
    for side, lines in (("train", train), ("test", test)):
        (folder / f"{side}.manifest").write_bytes(b"".join(lines))


PEERS: dict[str, Callable[[Path, Path, int], None]] = {
    "shuf": shuffle_with_shuf,
    "cp": copy_with_cp,
    "DuckDB": split_with_duckdb,
    "Polars": split_with_polars,
    "scikit-learn": split_with_scikit_learn,
    "iterative-stratification": stratify_iteratively,
}

if __name__ == "__main__":
    name, source, target, count = sys.argv[1:]
    PEERS[name](Path(source), Path(target), int(count))
