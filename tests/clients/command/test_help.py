"""docs/command.md shows the help of each subcommand, and its example runs."""

import re
import shlex
from pathlib import Path

import pytest

from local.emulator.server import Emulator
from tests.clients.command.terminal import run_twofold

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "command.md").read_text(encoding="utf-8")
DOCUMENTED_HELP = dict(
    re.findall(r"^### twofold (\w+)\n\n```text\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
)
EXAMPLE = [line.strip() for line in PAGE.splitlines() if line.startswith("    twofold ")]
EXPORTS = dict(re.findall(r"(AWS_\w+)=(\S+)", PAGE))


def normalize_help(text: str) -> list[str]:
    """Splits the help into words. Python 3.13 writes `-o, --out DIR` for `-o DIR, --out DIR`."""
    return re.sub(r"(-\w) (\S+), (--[\w-]+) \2", r"\1, \3 \2", text).split()


@pytest.mark.parametrize("command", DOCUMENTED_HELP)
def test_the_page_shows_the_help(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    with pytest.raises(SystemExit, match="0"):
        run_twofold(command, "--help")
    assert normalize_help(capsys.readouterr().out) == normalize_help(DOCUMENTED_HELP[command])


def test_every_command_has_its_place_on_the_page(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        run_twofold("--help")
    listed = re.findall(r"^    (\w+)\b", capsys.readouterr().out, re.MULTILINE)
    assert sorted(listed) == sorted(DOCUMENTED_HELP)


def test_the_example_of_the_page_works(
    emulator: Emulator,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, value in EXPORTS.items():
        monkeypatch.setenv(name, emulator.endpoint if "URL" in name else value)
    monkeypatch.chdir(tmp_path)
    for command in EXAMPLE:
        words = shlex.split(command.replace("local/", f"{ROOT}/local/"))
        assert run_twofold(*words[1:]) == 0, command
    assert capsys.readouterr().out.splitlines()[-1].startswith("Verified")
