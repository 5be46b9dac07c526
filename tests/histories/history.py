"""A history: the calls of concurrent clients, each with the moments at which it began and ended."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from hashlib import blake2b
from itertools import count
from threading import Lock
from typing import Any

UNKNOWN = "unknown"
"""The outcome of a call without an answer: the change was made or not."""

NEVER = float("inf")
Entries = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Call:
    """`began` and `ended` are numbers of one counter; a call without an answer never ends. `error` is the exception's name,
    `""` for an answer. `lines` are those of the manifest or of the changes that the call brings."""

    number: int
    operation: str
    request: Mapping[str, Any]
    lines: Entries
    error: str
    answer: Mapping[str, Any]
    began: int
    ended: float

    @property
    def known(self) -> bool:
        return self.error != UNKNOWN

    def __str__(self) -> str:
        outcome = self.error or json.dumps(self.answer)[:200]
        request = json.dumps(self.request)[:200]
        return f"{self.began}..{self.ended} {self.operation} {request} -> {outcome}"


@dataclass(slots=True)
class History:
    """Recorded by the threads of many clients."""

    calls: list[Call] = field(default_factory=list)
    _moments: Iterator[int] = field(default_factory=count)
    _lock: Lock = field(default_factory=Lock)

    def begin(self) -> int:
        """The moment before a call is sent."""
        return next(self._moments)

    def end(
        self,
        began: int,
        operation: str,
        request: Mapping[str, Any],
        *,
        lines: Iterable[str] = (),
        error: str = "",
        answer: Mapping[str, Any] | None = None,
        ended: float | None = None,
    ) -> None:
        """Records a call after its answer has come, or now is clear that none will come."""
        moment: float = NEVER if error == UNKNOWN else next(self._moments)
        with self._lock:
            self.calls.append(
                Call(
                    number=len(self.calls),
                    operation=operation,
                    request=request,
                    lines=tuple(map(entry_of, lines)),
                    error=error,
                    answer=answer or {},
                    began=began,
                    ended=moment if ended is None else ended,
                )
            )


@cache
def entry_of(line: str) -> str:
    """A line without the members that listing adds, as its `source-ref` and a digest of all members."""
    members = {name: value for name, value in json.loads(line).items() if name[:3] != "cl-"}
    digest = blake2b(json.dumps(members).encode(), digest_size=8).hexdigest()
    return f"{members['source-ref']} {digest}"


def source_ref(entry: str) -> str:
    """What tells the images of a dataset apart."""
    return entry.rpartition(" ")[0]
