"""The life of operations as a state model: two callers, the executions that they start, a crash, the sweeper, and Collect.

What a step does to the table is not modelled: the service's own code does it, on the table as it stands in that state.
What is modelled is who takes the next step, and what callers, executions and the sweeper know at that moment.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from tests.faults.memory import Memory, Saved
from tests.faults.wishes import OLD, Call, abandon, contents, distributed, publish, wished
from tests.workflow.world import NOW, any_dataset
from twofold.errors import ResourceAlreadyExistsException
from twofold.records import (
    SETTLED,
    Dataset,
    DatasetType,
    Operation,
    Project,
    Status,
)
from twofold.stores.table import Table, deletion, history, operations, projects, released
from twofold.stores.table.released import Released

LONG_AGO = NOW - 1
"""Before all other times of the model: what was left then is old enough to be collected."""

Seen = tuple[dict[DatasetType, Dataset], list[Operation]]


class At(StrEnum):
    """Where a caller is."""

    BEGUN = "begun"
    READ = "read"
    FOUND = "found what it would get back"
    CLAIMED = "claimed"
    NOT_STARTED = "not started"
    OVER = "over"


class Collecting(StrEnum):
    """Where Collect is with the contents that were left long ago."""

    LISTED = "listed"
    UNUSED = "unused"
    HELD = "held"
    REMOVED = "removed"
    OVER = "over"


class Run(StrEnum):
    """An execution. One that has ended may have a worker that has not: it was aborted, or called twice."""

    MISSING = "missing"
    RUNNING = "running"
    LINGERING = "ended, with a worker"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class State:
    """`table` and what callers have `read` of it are numbers of saved tables. `sweep` is the operation that the sweeper
    looks at, and how it saw its execution. `collect` is where Collect is, and `gone` whether it has removed the contents that
    were distributed before all this. `ends`: how operations have ended, in order."""

    table: int
    at: tuple[At, At] = (At.BEGUN, At.BEGUN)
    read: tuple[int, int] = (-1, -1)
    runs: tuple[Run, Run] = (Run.MISSING, Run.MISSING)
    sweep: tuple[int, Run] | None = None
    crashes: int = 1
    collect: Collecting | None = None
    gone: bool = False
    ends: tuple[tuple[int, str], ...] = ()


@dataclass
class Protocol:
    """`calls` are the two callers' wishes; the project has a training dataset, unless one wants to create it, and a test
    dataset. If one wants to revert a distribution, one was made so long ago that its contents before it may be collected."""

    memory: Memory
    calls: tuple[Call, Call]
    saved: list[Saved] = field(default_factory=list)
    operation: dict[tuple[int, int], Operation | None] = field(default_factory=dict)
    _numbers: dict[str, int] = field(default_factory=dict)
    _looked: dict[int, Seen] = field(default_factory=dict)
    _done: dict[tuple[int, str], tuple[int, bool]] = field(default_factory=dict)

    @property
    def table(self) -> Table:
        return Table(self.memory.name)

    def begin(self) -> State:
        project = Project(name="project", created=NOW)
        projects.create(self.table, project)
        if Call.CREATE not in self.calls:
            train = any_dataset("project", DatasetType.TRAIN, Status.CREATE_COMPLETE)
            train = train.model_copy(update={"contents": contents(*OLD)})
            operations.create(self.table, train, None)
        test = any_dataset("project", DatasetType.TEST, Status.CREATE_COMPLETE)
        operations.create(self.table, test, None)
        if Call.REVERT in self.calls:
            found = projects.find(self.table, "project")
            assert found
            distributed(self.table, found, LONG_AGO)
        return State(self._keep())

    def steps(self, state: State) -> Iterator[tuple[str, State]]:
        """Everything that can happen next."""
        for who in (0, 1):
            yield from self._caller(state, who)
            yield from self._execution(state, who)
        yield from self._sweeper(state)
        if Call.REVERT in self.calls:
            yield from self._collector(state)

    def _caller(self, state: State, who: int) -> Iterator[tuple[str, State]]:
        name = f"{who} {self.calls[who]}"
        match state.at[who]:
            case At.BEGUN:
                read = replace(state, read=_put(state.read, who, state.table))
                yield f"{name} reads", _at(read, who, At.READ)
            case At.READ if self.calls[who] is Call.REVERT:
                at = At.OVER if state.gone else At.FOUND
                yield f"{name} looks for what was before", _at(state, who, at)
            case At.FOUND:
                table, _ = self._do(
                    state.table, f"revert {who} {state.read[who]}", lambda: self._revert(state, who)
                )
                yield name, _at(replace(state, table=table), who, At.OVER)
            case At.READ:
                table, won = self._do(
                    state.table, f"claim {who} {state.read[who]}", lambda: self._claim(state, who)
                )
                claimed = won and self.calls[who] is not Call.DELETE
                at = At.CLAIMED if claimed else At.OVER
                yield f"{name} claims", _at(replace(state, table=table), who, at)
            case At.CLAIMED:
                started = _run(state, who, self._started(state.runs[who]))
                yield f"{name} starts", _at(started, who, At.OVER)
                yield f"{name} starts, and is not told", _at(started, who, At.NOT_STARTED)
                yield f"{name} cannot start", _at(state, who, At.NOT_STARTED)
            case At.NOT_STARTED:
                take_back = operations.retract if self.calls[who] is Call.CREATE else None
                yield (
                    f"{name} takes back",
                    _at(self._ended(state, who, "taken back", take_back), who, At.OVER),
                )
        if state.crashes and state.at[who] in (At.CLAIMED, At.NOT_STARTED):
            yield f"{name} dies", _at(replace(state, crashes=state.crashes - 1), who, At.OVER)

    def _execution(self, state: State, who: int) -> Iterator[tuple[str, State]]:
        name = f"execution {who}"
        if state.runs[who] in (Run.RUNNING, Run.LINGERING):
            left = {Run.RUNNING: Run.LINGERING, Run.LINGERING: Run.ENDED}[state.runs[who]]
            yield f"{name} publishes", _run(self._ended(state, who, "published"), who, left)
        if state.runs[who] is Run.RUNNING:
            abandoned = self._ended(state, who, "abandoned")
            yield f"{name} abandons", _run(abandoned, who, Run.LINGERING)
            yield f"{name} is aborted", _run(state, who, Run.LINGERING)

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
            yield f"sweeper starts {who}", _run(over, who, self._started(over.runs[who]))

    def _collector(self, state: State) -> Iterator[tuple[str, State]]:
        """As `collect` does: what is due, what is in use, hold, remove, forget; after each it may stop for good."""
        old = Released(contents().folder, LONG_AGO)
        match state.collect:
            case None:
                self.look(state.table)
                self.memory.restore(self.saved[state.table])
                if old in released.before(self.table, NOW):
                    yield "Collect lists", replace(state, collect=Collecting.LISTED)
            case Collecting.LISTED:
                self.memory.restore(self.saved[state.table])
                if old.folder not in released.in_use(self.table):
                    yield "Collect sees no use", replace(state, collect=Collecting.UNUSED)
                else:
                    yield self._forgetting(state, old)
            case Collecting.UNUSED:
                table, held = self._do(state.table, "hold", lambda: released.hold(self.table, old))
                after = Collecting.HELD if held else Collecting.OVER
                yield "Collect holds", replace(state, table=table, collect=after)
            case Collecting.HELD:
                yield "Collect removes", replace(state, gone=True, collect=Collecting.REMOVED)
            case Collecting.REMOVED:
                yield self._forgetting(state, old)

    def _forgetting(self, state: State, old: Released) -> tuple[str, State]:
        table, _ = self._do(state.table, "forget", lambda: released.forget(self.table, old))
        return "Collect forgets", replace(state, table=table, collect=Collecting.OVER)

    def active(self, table: int) -> tuple[int, ...]:
        return tuple(int(operation.id) for operation in self.look(table)[1])

    def look(self, table: int) -> Seen:
        """(datasets in the slots, operations under way) of a saved table."""
        if table not in self._looked:
            self.memory.restore(self.saved[table])
            project = projects.find(self.table, "project")
            assert project
            found = projects.find_datasets(self.table, project.datasets())
            datasets = {one.id.type: one for one in found.values()}
            self._looked[table] = datasets, operations.active(self.table)
        return self._looked[table]

    @staticmethod
    def _started(run: Run) -> Run:
        """An execution of a name is started once."""
        return Run.RUNNING if run is Run.MISSING else run

    def _ended(self, state: State, who: int, how: str, act: Any = None) -> State:
        operation = self.operation[who, state.read[who]]
        assert operation
        act = act or (publish if how == "published" else abandon)
        table, done = self._do(
            state.table, f"{how} {operation!r}", lambda: act(self.table, operation, now=NOW)
        )
        ends = (*state.ends, (who, how)) if done else state.ends
        return replace(state, table=table, ends=ends)

    def _do(self, table: int, name: str, act: Callable[[], bool]) -> tuple[int, bool]:
        """Runs the service's code on a saved table, once: it knows nothing else of the state."""
        if (table, name) not in self._done:
            self.memory.restore(self.saved[table])
            done = act()
            self._done[table, name] = (self._keep(), done)
        return self._done[table, name]

    def _keep(self) -> int:
        """Saves the table as it is; equal ones have one number."""
        items = sorted(self.memory.every_item(), key=lambda item: (item["pk"], item["sk"]))
        number = self._numbers.setdefault(repr(items), len(self.saved))
        if number == len(self.saved):
            self.saved.append(self.memory.save())
        return number

    def _revert(self, state: State, who: int) -> bool:
        """As the API does, with what the caller has read; whether the contents are still there it has seen since."""
        self.memory.restore(self.saved[state.read[who]])
        project = projects.find(self.table, "project")
        assert project
        last = history.last(self.table, project)
        datasets = projects.find_datasets(self.table, project.datasets())
        kept = released.find(self.table, contents().folder)
        self.memory.restore(self.saved[state.table])
        if last is None or last.reverted is not None or (kept and kept.collecting):
            return False
        done = last.distribution
        for dataset, after in zip(done.datasets, done.after, strict=True):
            now = datasets.get(dataset)
            if now is None or now.status not in SETTLED or now.contents != after:
                return False
        return history.revert(self.table, done, kept, "", NOW)

    def _claim(self, state: State, who: int) -> bool:
        """As the API's operations do, with what the caller has read."""
        datasets, _ = self.look(state.read[who])
        operation = wished(self.calls[who], datasets, who)
        self.operation[who, state.read[who]] = operation
        train = datasets.get(DatasetType.TRAIN)
        if self.calls[who] is Call.DELETE:
            deletable = train is not None and train.status in deletion.DELETABLE
            return bool(deletable and train and deletion.delete_dataset(self.table, train, NOW))
        if operation is None:
            return False
        if self.calls[who] is Call.CREATE:
            dataset = any_dataset("project", DatasetType.TRAIN, Status.CREATE_IN_PROGRESS)
            named = {"id": operation.datasets[0], "operation": operation.id}
            dataset = dataset.model_copy(update=named)
            try:
                operations.create(self.table, dataset, operation)
            except ResourceAlreadyExistsException:
                return False
            return True
        claimed = [one for one in datasets.values() if one.id in operation.datasets]
        return operations.claim(self.table, operation, claimed, NOW)


def _at(state: State, who: int, at: At) -> State:
    return replace(state, at=_put(state.at, who, at))


def _run(state: State, who: int, run: Run) -> State:
    return replace(state, runs=_put(state.runs, who, run))


def _put(pair: tuple[Any, Any], who: int, value: Any) -> Any:
    return (value, pair[1]) if who == 0 else (pair[0], value)
