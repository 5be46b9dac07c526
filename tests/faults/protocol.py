"""The life of operations as a state model: callers, the executions that they start, a crash, the sweeper, and Collect.

What a step does to the table is not modelled: the service's own code does it, on the table as it stands in that state.
What is modelled is who takes the next step, and what callers, executions, the sweeper and Collect know at that moment.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from tests.faults.calls import Past, Seen, call, look, look_back, revert
from tests.faults.memory import Memory
from tests.faults.state import At, Collecting, Run, State, moved, put, ran
from tests.faults.tables import Tables
from tests.faults.wishes import (
    AT_ONCE,
    COPIES,
    OLD,
    PROJECT,
    Call,
    abandon,
    contents,
    distributed,
    publish,
    wished,
)
from tests.workflow.world import NOW, any_dataset
from twofold.records import Dataset, DatasetType, Operation, Project, Status
from twofold.stores import keys
from twofold.stores.table import Table, operations, projects, released
from twofold.stores.table.released import Released

LONG_AGO = NOW - 1
"""Before all other times of the model: what was left then is old enough to be collected."""

DUE = NOW
"""What was left before it is collected: a call has long ended when what was left since its beginning is old enough."""


@dataclass
class Protocol:
    """`calls` are what the callers want; the project has a training dataset, unless one wants to create it, and a test
    dataset. If one wants to revert a distribution, one was made so long ago that its contents before it may be collected;
    if one wants to copy the training dataset, a copy of these contents was deleted that long ago."""

    memory: Memory
    calls: tuple[Call, ...]
    tables: Tables = field(init=False)
    operation: dict[tuple[int, int], Operation | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.tables = Tables(self.memory)

    def begin(self) -> State:
        table = self.tables.now
        project = Project(name=PROJECT, created=NOW)
        projects.create(table, project)
        if Call.CREATE not in self.calls:
            operations.create(table, _holding(PROJECT), None)
        test = any_dataset(PROJECT, DatasetType.TEST, Status.CREATE_COMPLETE)
        operations.create(table, test, None)
        if Call.COPY in self.calls:
            self._given_copies(table)
        if Call.REVERT in self.calls:
            found = projects.find(table, PROJECT)
            assert found
            distributed(table, found, LONG_AGO)
        count = len(self.calls)
        return State(
            self.tables.keep(),
            at=(At.BEGUN,) * count,
            read=(-1,) * count,
            runs=(Run.MISSING,) * count,
        )

    def _given_copies(self, table: Table) -> None:
        projects.create(table, Project(name=COPIES, created=LONG_AGO))
        if Call.DISCARD in self.calls:
            operations.create(table, _holding(COPIES), None)
        if Call.CREATE not in self.calls:
            table.transact([released.note(table, contents().folder, LONG_AGO)])

    def steps(self, state: State) -> Iterator[tuple[str, State]]:
        """Everything that can happen next."""
        for who in range(len(self.calls)):
            yield from self._caller(state, who)
            yield from self._execution(state, who)
        yield from self._sweeper(state)
        if {Call.REVERT, Call.COPY} & {*self.calls}:
            yield from self._collector(state)

    def _caller(self, state: State, who: int) -> Iterator[tuple[str, State]]:
        name = f"{who} {self.calls[who]}"
        match state.at[who]:
            case At.BEGUN:
                read = replace(state, read=put(state.read, who, state.table))
                yield f"{name} reads", moved(read, who, At.READ)
            case At.READ if self.calls[who] is Call.REVERT:
                at = At.OVER if state.gone else At.FOUND
                yield f"{name} looks for what was before", moved(state, who, at)
            case At.FOUND:
                yield name, moved(self._reverted(state, who), who, At.OVER)
            case At.READ:
                called, won = self._called(state, who)
                claimed = won and self.calls[who] not in AT_ONCE
                yield f"{name} asks", moved(called, who, At.CLAIMED if claimed else At.OVER)
            case At.CLAIMED:
                started = ran(state, who, self._started(state.runs[who]))
                yield f"{name} starts", moved(started, who, At.OVER)
                yield f"{name} starts, and is not told", moved(started, who, At.NOT_STARTED)
                yield f"{name} cannot start", moved(state, who, At.NOT_STARTED)
            case At.NOT_STARTED:
                take_back = operations.retract if self.calls[who] is Call.CREATE else None
                yield (
                    f"{name} takes back",
                    moved(self._ended(state, who, "taken back", take_back), who, At.OVER),
                )
        if state.crashes and state.at[who] in (At.CLAIMED, At.NOT_STARTED):
            yield f"{name} dies", moved(replace(state, crashes=state.crashes - 1), who, At.OVER)

    def _execution(self, state: State, who: int) -> Iterator[tuple[str, State]]:
        name = f"execution {who}"
        if state.runs[who] in (Run.RUNNING, Run.LINGERING):
            left = {Run.RUNNING: Run.LINGERING, Run.LINGERING: Run.ENDED}[state.runs[who]]
            yield f"{name} publishes", ran(self._ended(state, who, "published"), who, left)
        if state.runs[who] is Run.RUNNING:
            abandoned = self._ended(state, who, "abandoned")
            yield f"{name} abandons", ran(abandoned, who, Run.LINGERING)
            yield f"{name} is aborted", ran(state, who, Run.LINGERING)

    def _sweeper(self, state: State) -> Iterator[tuple[str, State]]:
        if state.sweep is None:
            for who in self.active(state.table):
                if state.runs[who] is not Run.RUNNING:
                    seen = Run.MISSING if state.runs[who] is Run.MISSING else Run.ENDED
                    yield f"sweeper sees {who} {seen}", replace(state, sweep=(who, seen))
            return
        who, seen = state.sweep
        over = replace(state, sweep=None)
        yield f"sweeper abandons {who}", self._ended(over, who, "swept")
        if seen is Run.MISSING:
            yield f"sweeper starts {who}", ran(over, who, self._started(over.runs[who]))

    def _collector(self, state: State) -> Iterator[tuple[str, State]]:
        """As `collect` does: what is due, what is in use, hold, remove, forget; after each it may stop for good."""
        folder = contents().folder
        old = Released(folder, state.listed)
        match state.collect:
            case None:
                if when := self.tables.ask(state.table, _due).get(folder):
                    yield "Collect lists", replace(state, collect=Collecting.LISTED, listed=when)
            case Collecting.LISTED if Call.COPY in self.calls:
                yield self._looking(state, old, COPIES, Collecting.HALF_LOOKED)
            case Collecting.LISTED | Collecting.HALF_LOOKED:
                yield self._looking(state, old, PROJECT, Collecting.UNUSED)
            case Collecting.UNUSED:
                table, held = self.tables.do(
                    state.table, f"hold {old}", lambda table: released.hold(table, old)
                )
                after = Collecting.HELD if held else Collecting.OVER
                yield "Collect holds", replace(state, table=table, collect=after)
            case Collecting.HELD:
                yield "Collect removes", replace(state, gone=True, collect=Collecting.REMOVED)
            case Collecting.USED | Collecting.REMOVED:
                yield self._forgetting(state, old)

    def _looking(
        self, state: State, old: Released, project: str, after: Collecting
    ) -> tuple[str, State]:
        used = old.folder in self.tables.ask(state.table, _pointed_to[project])
        name = f"Collect sees {'its' if used else 'no'} use in {project}"
        return name, replace(state, collect=Collecting.USED if used else after)

    def _forgetting(self, state: State, old: Released) -> tuple[str, State]:
        table, _ = self.tables.do(
            state.table, f"forget {old}", lambda table: released.forget(table, old)
        )
        return "Collect forgets", replace(state, table=table, collect=Collecting.OVER)

    def active(self, table: int) -> tuple[int, ...]:
        return tuple(int(operation.id) for operation in self.look(table).active)

    def look(self, table: int) -> Seen:
        return self.tables.ask(table, look)

    def noted(self, table: int) -> frozenset[str]:
        """The folders that Collect will find when their time has come."""
        return self.tables.ask(table, _noted)

    def written(self, state: State, besides: set[str]) -> set[str]:
        """The folders that have been there, but for those of operations that are under way."""
        old = set() if Call.CREATE in self.calls else {contents().folder}
        began = (
            self.operation[who, state.read[who]]
            for who, run in enumerate(state.runs)
            if run is not Run.MISSING
        )
        ended = [one for one in began if one and one.id not in besides]
        return old | {keys.contents(place.path, one.id) for one in ended for place in one.datasets}

    @staticmethod
    def _started(run: Run) -> Run:
        """An execution of a name is started once."""
        return Run.RUNNING if run is Run.MISSING else run

    def _ended(self, state: State, who: int, how: str, act: Any = None) -> State:
        operation = self.operation[who, state.read[who]]
        assert operation
        act = act or (publish if how == "published" else abandon)
        table, done = self.tables.do(
            state.table, f"{how} {operation!r}", lambda table: act(table, operation, now=NOW)
        )
        ends = (*state.ends, (who, how)) if done else state.ends
        return replace(state, table=table, ends=ends)

    def _reverted(self, state: State, who: int) -> State:
        past: Past = self.tables.ask(state.read[who], look_back)
        table, _ = self.tables.do(
            state.table, f"revert {who} {state.read[who]}", lambda table: revert(table, past)
        )
        return replace(state, table=table)

    def _called(self, state: State, who: int) -> tuple[State, bool]:
        wanted, seen = self.calls[who], self.look(state.read[who])
        operation = wished(wanted, seen.datasets, who)
        self.operation[who, state.read[who]] = operation
        table, won = self.tables.do(
            state.table,
            f"call {who} {state.read[who]}",
            lambda table: call(table, wanted, who, seen, operation),
        )
        return replace(state, table=table), won


def _holding(project: str) -> Dataset:
    """A training dataset with the contents that were there before all."""
    train = any_dataset(project, DatasetType.TRAIN, Status.CREATE_COMPLETE)
    return train.model_copy(update={"contents": contents(*OLD)})


def _due(table: Table) -> dict[str, int]:
    return {one.folder: one.when for one in released.before(table, DUE)}


def _noted(table: Table) -> frozenset[str]:
    return frozenset(item["sk"] for item in table.query_all(released.RELEASED))


def _in_copies(table: Table) -> set[str]:
    return released.pointed_to(table, [COPIES])


def _in_project(table: Table) -> set[str]:
    return released.pointed_to(table, [PROJECT])


_pointed_to: dict[str, Callable[[Table], set[str]]] = {COPIES: _in_copies, PROJECT: _in_project}
