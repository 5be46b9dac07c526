"""A split that is checked, and what a check is: it says what it found, or raises WrongError."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from typing import Any

from twofold_verify.reading import Entry, Side
from twofold_verify.report import Report
from twofold_verify.source import Source

_SHOWN_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class Check:
    name: str
    passed: bool
    finding: str


@dataclass(frozen=True)
class Split:
    """`previous` are the training and the test side of the split that this one keeps, and `source` is the manifest that was
    split, where they are at hand. `unchecked` gathers sentences on what could not be checked."""

    train: Side
    test: Side
    report: Report
    previous: tuple[Side, Side] | None = None
    source: Source | None = None
    unchecked: list[str] = field(default_factory=list)

    def entries(self) -> Iterator[Entry]:
        return chain(self.train.entries, self.test.entries)

    @property
    def size(self) -> int:
        return len(self.train.entries) + len(self.test.entries)

    @property
    def tested(self) -> int:
        return len(self.test.entries)

    @cached_property
    def images(self) -> tuple[Counter[str], Counter[str]]:
        """Images of each label in all and in test; unlabelled entries have the label ''."""
        train, test = (
            Counter(label for entry in side.entries for label in entry.labels or ("",))
            for side in (self.train, self.test)
        )
        return train + test, test

    @cached_property
    def label_order(self) -> list[str]:
        """The labels of all entries by the code points of their names, which is the order of their bytes too."""
        return sorted(self.images[0].keys() - {""})


class WrongError(Exception):
    """A check does not hold; the message says why."""


CheckOf = Callable[[Split], str]


def run_checks(split: Split, checks: Mapping[str, CheckOf]) -> list[Check]:
    """Every check, also after one that does not hold."""
    return [_run(name, check, split) for name, check in checks.items()]


def _run(name: str, check: CheckOf, split: Split) -> Check:
    try:
        return Check(name, True, check(split))
    except WrongError as error:
        return Check(name, False, str(error))


def require(claimed: Any, found: Any, what: str) -> None:
    """Raises WrongError unless the claim of the report is what the manifests show."""
    if claimed == found:
        return
    if isinstance(claimed, dict) and isinstance(found, dict):
        _require_members(claimed, found, what)
    if isinstance(claimed, list) and isinstance(found, list):
        _require_items(claimed, found, what)
    raise WrongError(f"{what}: the report says {_show(claimed)}, the manifests {_show(found)}.")


def _require_members(claimed: dict[str, Any], found: dict[str, Any], what: str) -> None:
    for name in found.keys() | claimed.keys():
        if name not in claimed or name not in found:
            state = "has" if name in claimed else "lacks"
            raise WrongError(f"{what}: the report {state} {_show(name)}.")
        require(claimed[name], found[name], f"{name} of {what}")


def _require_items(claimed: list[Any], found: list[Any], what: str) -> None:
    require(len(claimed), len(found), f"number of {what}")
    for number, (one, other) in enumerate(zip(claimed, found, strict=True), 1):
        require(one, other, f"{what}, number {number}")


def _show(value: Any) -> str:
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}…"
