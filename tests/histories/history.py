"""A history: the calls of concurrent clients, with the start and end of each call."""

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
    """`began` and `ended` are values of one counter; a call without an answer never ends. `error` is the name of the exception,
    or `""`. `lines` are the lines of the manifest or of the changes in the call."""

    number: int
    operation: str
    request: Mapping[str, Any]
    lines: Entries
    error: str
    answer: Mapping[str, Any]
    began: int
    ended: float

    @property
    def is_known(self) -> bool:
        return self.error != UNKNOWN

    def __str__(self) -> str:
        outcome = self.error or json.dumps(self.answer)[:200]
        request = json.dumps(self.request)[:200]
        return f"{self.began}..{self.ended} {self.operation} {request} -> {outcome}"


@dataclass(slots=True)
class History:
    """Calls recorded by the threads of many clients."""

    calls: list[Call] = field(default_factory=list)
    _moments: Iterator[int] = field(default_factory=count)
    _lock: Lock = field(default_factory=Lock)

    def begin_call(self) -> int:
        """Return the moment before a call is sent."""
        return next(self._moments)

    def end_call(
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
        """Record a call after the answer arrived, or after the client gave up waiting."""
        moment: float = NEVER if error == UNKNOWN else next(self._moments)
        with self._lock:
            self.calls.append(
                Call(
                    number=len(self.calls),
                    operation=operation,
                    request=request,
                    lines=tuple(map(summarize_line, lines)),
                    error=error,
                    answer=answer or {},
                    began=began,
                    ended=moment if ended is None else ended,
                )
            )


@cache
def summarize_line(line: str) -> str:
    """Return the `source-ref` and a digest of all members of a line, without the members that a listing adds."""
    members = {name: value for name, value in json.loads(line).items() if name[:3] != "cl-"}
    digest = blake2b(json.dumps(members).encode(), digest_size=8).hexdigest()
    return f"{members['source-ref']} {digest}"


def get_source_ref(entry: str) -> str:
    """Return the `source-ref` of a summarized line."""
    return entry.rpartition(" ")[0]
