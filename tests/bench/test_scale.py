from pathlib import Path

import pytest

from bench.manifests import write_manifest
from bench.scale import TWOFOLD, WrongOutputError, content_of, measure, verify
from bench.scale_page import Run, put_section
from twofold.manifest.identity import reading
from twofold.manifest.pieces import index_lines
from twofold.manifest.reader import lines_of_range
from twofold.manifest.resolve import resolve

ENTRIES = 3_000


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("scale") / "all.manifest"
    write_manifest(path, ENTRIES)
    return path


def test_the_manifest_is_what_is_said_of_it(manifest: Path) -> None:
    content = manifest.read_bytes()
    index = resolve(
        [index_lines(lines_of_range([content], 0, len(content)))], reading(content)
    ).index
    stats = index.stats()
    assert (stats.total_entries, stats.labeled_entries, stats.error_entries) == (
        ENTRIES,
        ENTRIES,
        0,
    )
    assert 200 < stats.total_labels <= 250
    assert 550 < len(content) / ENTRIES < 650


@pytest.mark.parametrize("name", [TWOFOLD, "shuf", "cp"])
def test_a_run_is_measured_and_what_it_wrote_is_proven(name: str, manifest: Path) -> None:
    run = measure(name, manifest, ENTRIES, content_of(manifest))
    assert run
    assert run.seconds > 0
    assert run.peak > 1e6
    assert (run.split is not None) == (name == TWOFOLD)


def test_a_changed_line_does_not_count(manifest: Path, tmp_path: Path) -> None:
    content = manifest.read_bytes()
    (tmp_path / "train.manifest").write_bytes(content.replace(b"site-07", b"site-08", 1))
    (tmp_path / "test.manifest").touch()
    with pytest.raises(WrongOutputError, match="cp"):
        verify("cp", content_of(manifest), tmp_path)


def test_the_table_takes_the_best_and_leaves_the_rest_of_the_page(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    runs = [
        Run(1_000, TWOFOLD, seconds, 3.0, 90_000_000, 80_000_000, seconds / 4)
        for seconds in (6.0, 4.0)
    ]
    runs.append(Run(1_000, "shuf", 2.0, 1.0, 50_000_000, None, None))
    put_section(page, runs)
    page.write_text(f"# Before\n{page.read_text()}# After\n")
    put_section(page, runs)
    text = page.read_text()
    assert text.startswith("# Before\n")
    assert text.endswith("# After\n")
    assert text.count("| 1,000 | Twofold | 4.00 | 2.00 | 3.0 | 90 |") == 1
    assert "| 1,000 | Twofold, once indexed; a worker's memory | 1.00 | 0.50 |  | 80 |" in text
