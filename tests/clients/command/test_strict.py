"""`twofold split --strict` demands that every line is an entry without errors."""

import json
from pathlib import Path

import pytest

from tests.clients.command.terminal import make_labelled_lines, run_twofold, write_manifest

LINES = make_labelled_lines(100)
UNLABELLED = json.dumps({"source-ref": "s3://example-images/unlabelled.jpg", "label": 1})


@pytest.mark.parametrize("parts", [(), ("--folds", "3")], ids=["two parts", "folds"])
@pytest.mark.parametrize(
    ("line", "reason"),
    [
        pytest.param(
            LINES[4],
            "1 of 101 lines were dropped: line 6: ERROR_DUPLICATE_SOURCE_REF",
            id="duplicate",
        ),
        pytest.param(
            UNLABELLED,
            "1 of 101 entries has errors in their labels: ERROR_NO_LABEL_ATTRIBUTES (1), the first on line 3.",
            id="error",
        ),
    ],
)
def test_a_flaw_is_accepted_without_strict_alone(
    line: str,
    reason: str,
    parts: tuple[str, ...],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    manifest = write_manifest(tmp_path, [*LINES[:2], line, *LINES[2:]])
    command = ("split", manifest, "-o", tmp_path / "out", *parts)
    assert run_twofold(*command, "--strict") == 1
    assert f"{manifest}: --strict: {reason}" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    assert run_twofold(*command) == 0


def test_strict_changes_no_byte_of_a_flawless_split(tmp_path: Path) -> None:
    manifest = write_manifest(tmp_path, LINES)
    for out, options in (("plain", ()), ("strict", ("--strict",))):
        assert run_twofold("split", manifest, "-o", tmp_path / out, *options) == 0
    for name in ("train.manifest", "test.manifest", "report.json"):
        plain, strict = ((tmp_path / out / name).read_bytes() for out in ("plain", "strict"))
        assert plain == strict
