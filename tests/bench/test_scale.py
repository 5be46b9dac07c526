from pathlib import Path

import pytest

from bench.manifests import write_manifest
from bench.scale import TWOFOLD, WrongOutputError, measure, read_content, verify
from bench.scale_page import Run, put_section
from twofold.manifest.index.hash_collisions import make_line_reader
from twofold.manifest.index.range_indexer import index_lines
from twofold.manifest.index.resolve import join_ranges
from twofold.manifest.line.byte_ranges import read_lines

ENTRIES = 3_000


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("scale") / "all.manifest"
    write_manifest(path, ENTRIES)
    return path


def test_the_generated_manifest_has_the_documented_properties(manifest: Path) -> None:
    content = manifest.read_bytes()
    index = join_ranges(
        [index_lines(read_lines([content], 0, len(content)))], make_line_reader(content)
    ).index
    stats = index.compute_stats()
    assert (stats.total_entries, stats.labeled_entries, stats.error_entries) == (
        ENTRIES,
        ENTRIES,
        0,
    )
    assert 200 < stats.total_labels <= 250
    assert 550 < len(content) / ENTRIES < 650


@pytest.mark.parametrize("name", [TWOFOLD, "shuf", "cp"])
def test_a_run_is_measured_and_its_output_is_verified(name: str, manifest: Path) -> None:
    run = measure(name, manifest, ENTRIES, read_content(manifest))
    assert run
    assert run.seconds > 0
    assert run.peak > 1e6
    assert (run.split is not None) == (name == TWOFOLD)


def test_a_changed_line_does_not_count(manifest: Path, tmp_path: Path) -> None:
    content = manifest.read_bytes()
    (tmp_path / "train.manifest").write_bytes(content.replace(b"site-07", b"site-08", 1))
    (tmp_path / "test.manifest").touch()
    with pytest.raises(WrongOutputError, match="cp"):
        verify("cp", read_content(manifest), tmp_path)


def test_the_table_has_the_fastest_runs_and_the_rest_of_the_page_is_unchanged(
    tmp_path: Path,
) -> None:
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
