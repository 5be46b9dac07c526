"""A split that is checked, and what a check is: it says what it found, or raises WrongError."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

from twofold_verify.reading import Entry, Report, Side, UnreadableError


@dataclass(frozen=True, slots=True)
class Check:
    name: str
    passed: bool
    finding: str


@dataclass(frozen=True, slots=True)
class Split:
    """`previous` are the training and the test side of the split that this one keeps, where they are at hand."""

    train: Side
    test: Side
    report: Report
    previous: tuple[Side, Side] | None = None

    def entries(self) -> Iterator[Entry]:
        return chain(self.train.entries, self.test.entries)

    @property
    def size(self) -> int:
        return len(self.train.entries) + len(self.test.entries)

    @property
    def tested(self) -> int:
        return len(self.test.entries)


class WrongError(Exception):
    """A check does not hold; the message says why."""


CheckOf = Callable[[Split], str]


def run_checks(split: Split, checks: Mapping[str, CheckOf]) -> list[Check]:
    """Raises UnreadableError where the report lacks what a check needs."""
    return [_run(name, check, split) for name, check in checks.items()]


def _run(name: str, check: CheckOf, split: Split) -> Check:
    try:
        return Check(name, True, check(split))
    except WrongError as error:
        return Check(name, False, str(error))
    except (AttributeError, KeyError, TypeError) as error:
        raise UnreadableError(f"report.json is not the report of a split: {error!r}.") from error


def require(claimed: Any, found: Any, what: str) -> None:
    if claimed != found:
        raise WrongError(f"{what}: the report says {claimed}, the manifests {found}.")
