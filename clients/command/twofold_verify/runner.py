"""The split to verify, and the runner of checks: a check returns its finding or raises WrongError."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from typing import Any

from twofold_verify.levels import Level
from twofold_verify.manifests import Entry, ManifestSide
from twofold_verify.report import Report
from twofold_verify.source import SourceManifest

_SHOWN_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class Check:
    """The result of a check."""

    name: str
    passed: bool
    finding: str


@dataclass(frozen=True)
class Split:
    """The manifests and the report of a split, and optionally both sides of the previous split and the source manifest.

    `levels` has the levels of balanced members in the order of the report.
    Checks add a sentence to `unchecked` for each unverifiable claim.
    """

    train: ManifestSide
    test: ManifestSide
    report: Report
    previous: tuple[ManifestSide, ManifestSide] | None = None
    source: SourceManifest | None = None
    levels: list[Level] = field(default_factory=list)
    unchecked: list[str] = field(default_factory=list)

    def iterate_entries(self) -> Iterator[Entry]:
        return chain(self.train.entries, self.test.entries)

    @property
    def size(self) -> int:
        return len(self.train.entries) + len(self.test.entries)

    @property
    def test_size(self) -> int:
        return len(self.test.entries)

    @cached_property
    def images(self) -> tuple[Counter[str], Counter[str]]:
        """Images by label, in both sets and in the test set; unlabelled entries have the label ''."""
        train, test = (
            Counter(label for entry in side.entries for label in entry.labels or ("",))
            for side in (self.train, self.test)
        )
        return train + test, test

    @cached_property
    def columns(self) -> tuple[Counter[str], Counter[str]]:
        """Images by label and by level, in both sets and in the test set."""
        train, test = (
            Counter(column for entry in side.entries for column in entry.columns)
            for side in (self.train, self.test)
        )
        return train + test, test

    @cached_property
    def label_order(self) -> list[str]:
        """The labels of all entries, sorted by code points, also the order of the UTF-8 bytes."""
        return sorted(self.images[0].keys() - {""})


class WrongError(Exception):
    """A check does not hold; the message says why."""


CheckFunction = Callable[[Split], str]


def run_checks(split: Split, checks: Mapping[str, CheckFunction]) -> list[Check]:
    """Runs all checks, also after a failed check."""
    return [_run(name, check, split) for name, check in checks.items()]


def _run(name: str, check: CheckFunction, split: Split) -> Check:
    try:
        return Check(name, True, check(split))
    except WrongError as error:
        return Check(name, False, str(error))


def require_equal(claimed: Any, expected: Any, name: str) -> None:
    """Raises WrongError unless the claim of the report equals the value from the manifests. The message has `name`.

    A claim of -0.0 does not equal 0.0: the page and the command show the sign.
    """
    if claimed == expected and not _has_negative_zero(claimed):
        return
    if isinstance(claimed, dict) and isinstance(expected, dict):
        _require_equal_members(claimed, expected, name)
    if isinstance(claimed, list) and isinstance(expected, list):
        _require_equal_items(claimed, expected, name)
    raise WrongError(
        f"{name}: the report says {_shorten(claimed)}, the manifests {_shorten(expected)}."
    )


def _has_negative_zero(value: Any) -> bool:
    if isinstance(value, dict | list):
        items = value.values() if isinstance(value, dict) else value
        return any(_has_negative_zero(item) for item in items)
    return value == 0 and str(value).startswith("-")


def _require_equal_members(claimed: dict[str, Any], expected: dict[str, Any], path: str) -> None:
    for name in expected.keys() | claimed.keys():
        if name not in claimed or name not in expected:
            state = "has" if name in claimed else "lacks"
            raise WrongError(f"{path}: the report {state} {_shorten(name)}.")
        require_equal(claimed[name], expected[name], f"{name} of {path}")


def _require_equal_items(claimed: list[Any], expected: list[Any], path: str) -> None:
    require_equal(len(claimed), len(expected), f"number of {path}")
    for number, (claimed_item, expected_item) in enumerate(zip(claimed, expected, strict=True), 1):
        require_equal(claimed_item, expected_item, f"{path}, number {number}")


def _shorten(value: Any) -> str:
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}…"
