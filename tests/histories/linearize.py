"""Check whether a history is linearizable: the search of Wing and Gong, with Lowe's cache of visited states.

A history is linearizable if some order of the calls explains all recorded outcomes and puts a call that ended before another
call began first. The order may omit a call without an answer.

The search takes a read or a refusal as soon as the state permits the outcome. This loses no solution: a read changes nothing,
so an order with the read at a later position stays valid if the read moves forward.
"""

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from tests.histories.history import Call

State = TypeVar("State", bound=Hashable)
_Order = tuple[int, Any] | None
"""A linked list of positions: the position of the last call, and the order of the earlier calls."""


class Model(Protocol[State]):
    """A sequential object. `explain` yields the states after a call with the recorded outcome, or nothing."""

    def make_initial_state(self) -> State: ...

    def explain(self, state: State, call: Call) -> Iterator[State]: ...

    def is_permitted(self, state: State, call: Call) -> bool:
        """Whether the call has the recorded outcome in this state. False for calls that change other states."""
        ...


class UndecidedError(Exception):
    """The search has reached its limit of states."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a history is not linearizable: the longest valid order of calls, and the blocked calls after it."""

    order: tuple[Call, ...]
    state: object
    blocked: tuple[Call, ...]

    def __str__(self) -> str:
        parts = ["not linearizable; before:", *map(str, self.order[-6:])]
        return "\n  ".join(
            [*parts, f"in the state {self.state}", "cannot be next:", *map(str, self.blocked)]
        )


def find_refusal(
    calls: Sequence[Call], model: Model[State], limit: int = 200_000
) -> Refusal | None:
    """Return None if the calls are linearizable. Raises UndecidedError after `limit` states."""
    ordered = sorted(calls, key=lambda call: call.began)
    required = sum(1 << position for position, call in enumerate(ordered) if call.is_known)
    search = _Search(ordered, required)
    stack: list[tuple[int, State, _Order]] = [(0, model.make_initial_state(), None)]
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
        for position in reversed(search.find_candidates(done)):
            for after in model.explain(state, ordered[position]):
                stack.append((done | 1 << position, after, (position, order)))
    done, last, order = longest
    return Refusal(
        tuple(ordered[position] for position in _list_positions(order)),
        last,
        tuple(ordered[position] for position in search.find_candidates(done)),
    )


def _take_reads(
    search: "_Search", model: Model[State], done: int, state: State, order: _Order
) -> tuple[int, _Order]:
    """Extend the order by every read that can be next."""
    while True:
        reads = [
            position
            for position in search.find_candidates(done)
            if search.calls[position].is_known and model.is_permitted(state, search.calls[position])
        ]
        if not reads:
            return done, order
        for position in reads:
            done, order = done | 1 << position, (position, order)


def _list_positions(order: _Order) -> list[int]:
    positions: list[int] = []
    while order:
        position, order = order
        positions.append(position)
    return positions[::-1]


@dataclass(frozen=True, slots=True)
class _Search:
    calls: Sequence[Call]
    required: int

    def find_candidates(self, done: int) -> list[int]:
        """Return the positions of calls that can be next, earliest end first: no remaining call ended before they began."""
        first_end, positions = float("inf"), []
        first = (~done & (done + 1)).bit_length() - 1
        for position in range(first, len(self.calls)):
            call = self.calls[position]
            if call.began > first_end:
                break
            if not done >> position & 1:
                positions.append(position)
                first_end = min(first_end, call.ended)
        return sorted(positions, key=lambda position: self.calls[position].ended)
