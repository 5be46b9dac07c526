"""The outcomes that `python -m tests mutants` reports, on a project of two files."""

import subprocess
from pathlib import Path

import pytest

from tests.mutants.campaign import ROOT, TESTS_BY_FOLDER, find_tests
from tests.mutants.running import KILLED, SURVIVED, TIMED_OUT, copy_tree, judge_mutant

SOURCE = """
def count(numbers):
    total = 0
    for number in numbers:
        total += number
    return total
"""
TEST = """
import subprocess, sys
from sums import count

def test_sums():
    assert count([2, 2]) == 4

def test_sums_in_another_process():
    program = "from sums import count; print(count([0, 5]))"
    assert subprocess.check_output([sys.executable, "-c", program]) == b"5\\n"

def test_that_needs_the_whole_stack(emulator):
    pass
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name, text in (("lambdas/sums.py", SOURCE), ("test_sums.py", TEST), ("pytest.ini", "")):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.mark.parametrize(
    ("before", "after", "outcome"),
    [
        ("", "", SURVIVED),
        ("total = 0", "total = -0", SURVIVED),
        ("total = 0", "total = 1", KILLED),
        ("total += number", "total = 2 * number - (number == 5) * 4", KILLED),
        ("import", "imp ort", KILLED),
        ("    return total", "    while True: pass", TIMED_OUT),
    ],
)
def test_the_outcome_is_that_of_the_tests(
    before: str, after: str, outcome: str, tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tree)
    text = f"import os\n{SOURCE}".replace(before, after, 1)
    seconds = 3 if outcome == TIMED_OUT else 100
    assert judge_mutant(tree, "lambdas/sums.py", text, ["test_sums.py"], seconds) == outcome
    assert (tree / "lambdas" / "sums.py").read_text() == SOURCE


def test_a_copied_tree_has_what_git_has_and_leaves_the_original_alone(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    for name in ("a.py", "folder/b.py", "left-out.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    (tmp_path / ".gitignore").write_text("left-out.py")
    before = Path.cwd()
    with copy_tree(tmp_path) as tree:
        assert Path.cwd() == tree
        copied = {str(path.relative_to(tree)) for path in tree.rglob("*.py")}
        (tree / "a.py").write_text("mutant")
    assert copied == {"a.py", "folder/b.py"}
    assert (tmp_path / "a.py").read_text() == "a.py"
    assert (Path.cwd(), tree.exists()) == (before, False)


def test_every_folder_has_tests_that_are_there_and_other_paths_are_refused() -> None:
    for folder, tests in TESTS_BY_FOLDER.items():
        assert all((ROOT / path).exists() for path in (folder, *tests))
        assert find_tests(f"{folder}/any.py") == tests
    with pytest.raises(SystemExit, match="no tests are listed"):
        find_tests("lambdas/twofold/splitting")
