"""The input of the main job of a client, and the check of the result."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4


@dataclass(frozen=True, slots=True)
class ClientJob:
    manifest: Path
    project: str = field(default_factory=lambda: f"client-{uuid4().hex[:8]}")

    @property
    def bucket(self) -> str:
        return self.project

    def assert_split(self, train: list[str], test: list[str]) -> None:
        """Check the listed entries of both datasets: exact size, source order, no entry lost, labels unchanged."""
        lines = self.manifest.read_text().splitlines()
        supplied_labels = {_get_source(line): _get_labels(line) for line in lines}
        assert len(test) == (2 * len(lines) + 5) // 10
        assert sorted(map(_get_source, train + test)) == sorted(supplied_labels)
        for side in (train, test):
            listed = [_get_source(entry) for entry in side]
            assert listed == [source for source in supplied_labels if source in set(listed)]
            assert all(_get_labels(entry) == supplied_labels[_get_source(entry)] for entry in side)


def _get_source(line: str) -> str:
    source: str = json.loads(line)["source-ref"]
    return source


def _get_labels(line: str) -> dict[str, object]:
    """Return the members of an entry without those that ListDatasetEntries adds."""
    members = json.loads(line).items()
    return {
        key: _remove_listing_fields(value) for key, value in members if not key.startswith("cl-")
    }


def _remove_listing_fields(value: object) -> object:
    if isinstance(value, dict):
        return {key: inner for key, inner in value.items() if not key.startswith("cl-")}
    return value
