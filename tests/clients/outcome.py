"""What every client's main job starts from, and what must have come of it."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4


@dataclass(frozen=True, slots=True)
class Given:
    manifest: Path
    project: str = field(default_factory=lambda: f"client-{uuid4().hex[:8]}")

    @property
    def bucket(self) -> str:
        return self.project

    def assert_split(self, train: list[str], test: list[str]) -> None:
        """The listed entries of both datasets: an exact fifth, in source order, nothing lost, labels as supplied."""
        lines = self.manifest.read_text().splitlines()
        supplied = {_source(line): _labels(line) for line in lines}
        assert len(test) == (2 * len(lines) + 5) // 10
        assert sorted(map(_source, train + test)) == sorted(supplied)
        for side in (train, test):
            listed = [_source(entry) for entry in side]
            assert listed == [source for source in supplied if source in set(listed)]
            assert all(_labels(entry) == supplied[_source(entry)] for entry in side)


def _source(line: str) -> str:
    source: str = json.loads(line)["source-ref"]
    return source


def _labels(line: str) -> dict[str, object]:
    """The line without what listing adds."""
    members = json.loads(line).items()
    return {key: _without(value) for key, value in members if not key.startswith("cl-")}


def _without(value: object) -> object:
    if isinstance(value, dict):
        return {key: inner for key, inner in value.items() if not key.startswith("cl-")}
    return value
