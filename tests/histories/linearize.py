"""Whether a history is linearizable: the search of Wing and Gong, with Lowe's memory of the states that were visited.

A history is linearizable if its calls can be put in one order in which each has the outcome that it had, and a call that
ended before another began comes first. A call without an answer may be left out.

The search takes a read or a refusal, which changes nothing, as soon as the state allows it. That loses nothing: in an order in
which it comes later, it can be moved to this place.
"""

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from tests.histories.history import Call

State = TypeVar("State", bound=Hashable)
_Order = tuple[int, Any] | None
"""The places of an order's calls: the last one, and the order before it."""


class Model(Protocol[State]):
    """A sequential object. `explain` gives the states after a call that has the outcome it had; none if it cannot have it."""

    def initial(self) -> State: ...

    def explain(self, state: State, call: Call) -> Iterator[State]: ...

    def permits(self, state: State, call: Call) -> bool:
        """Whether the call has the outcome it had and leaves the state as it is."""
        ...


class UndecidedError(Exception):
    """The search has visited as many states as it may."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a history is not linearizable: the longest order of calls that was found, and those that cannot come next."""

    order: tuple[Call, ...]
    state: object
    stuck: tuple[Call, ...]

    def __str__(self) -> str:
        parts = ["not linearizable; before:", *map(str, self.order[-6:])]
        return "\n  ".join(
            [*parts, f"in the state {self.state}", "cannot be next:", *map(str, self.stuck)]
        )


def refute(calls: Sequence[Call], model: Model[State], limit: int = 200_000) -> Refusal | None:
    """None if the calls are linearizable; raises UndecidedError after `limit` states."""
    ordered = sorted(calls, key=lambda call: call.began)
    required = sum(1 << place for place, call in enumerate(ordered) if call.known)
    search = _Search(ordered, required)
    stack: list[tuple[int, State, _Order]] = [(0, model.initial(), None)]
    visited: set[tuple[int, State]] = set()
    longest = stack[0]
    while stack:
        done, state, order = stack.pop()
        done, order = _take_reads(search, model, done, state, order)
        if done & required == required:
            return None
        if (done, state) in visited:
            continue
        visited.add((done, state))
        if len(visited) > limit:
            raise UndecidedError(f"{limit} states of {len(calls)} calls")
        if done.bit_count() > longest[0].bit_count():
            longest = (done, state, order)
        for place in reversed(search.candidates(done)):
            for after in model.explain(state, ordered[place]):
                stack.append((done | 1 << place, after, (place, order)))
    done, last, order = longest
    return Refusal(
        tuple(ordered[place] for place in _places(order)),
        last,
        tuple(ordered[place] for place in search.candidates(done)),
    )


def _take_reads(
    search: "_Search", model: Model[State], done: int, state: State, order: _Order
) -> tuple[int, _Order]:
    """With every call that can be next and leaves the state as it is."""
    while True:
        taken = [
            place
            for place in search.candidates(done)
            if search.calls[place].known and model.permits(state, search.calls[place])
        ]
        if not taken:
            return done, order
        for place in taken:
            done, order = done | 1 << place, (place, order)


def _places(order: _Order) -> list[int]:
    places: list[int] = []
    while order:
        place, order = order
        places.append(place)
    return places[::-1]


@dataclass(frozen=True, slots=True)
class _Search:
    calls: Sequence[Call]
    required: int

    def candidates(self, done: int) -> list[int]:
        """Calls that can be next: no other has ended before they began. Those that end first come first."""
        first_end, places = float("inf"), []
        first = (~done & (done + 1)).bit_length() - 1
        for place in range(first, len(self.calls)):
            call = self.calls[place]
            if call.began > first_end:
                break
            if not done >> place & 1:
                places.append(place)
                first_end = min(first_end, call.ended)
        return sorted(places, key=lambda place: self.calls[place].ended)
