"""A state model of the life of operations: callers, executions, a crash, Settle and Collect.

The model determines the next process, and the information read by each process. The writes of a step
are not modelled: the service's own code runs on the table of the state.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from tests.faults.moto_storage import MotoStorage
from tests.faults.requests import (
    COPIES,
    OLD,
    OLD_TEST,
    PROJECT,
    SINGLE_TRANSACTION,
    TEST_FOLDER,
    Request,
    abandon,
    build_operation,
    distribute,
    make_contents,
    publish,
)
from tests.faults.state import (
    CallerState,
    CollectState,
    ExecutionState,
    State,
    replace_element,
    set_caller,
    set_execution,
)
from tests.faults.table_states import TableStates
from tests.faults.transactions import (
    HistoryView,
    ProjectView,
    apply_request,
    apply_revert,
    read_history,
    read_project,
)
from tests.support.workflow_harness import NOW, make_dataset
from twofold.records import Dataset, DatasetStatus, DatasetType, Operation, Project
from twofold.settings import TablePartition
from twofold.stores import keys
from twofold.stores.table import Table, operations, projects, retired
from twofold.stores.table.retired import RetiredFolder

LONG_AGO = NOW - 1
"""A time before all others of the model. Contents released then are old enough for Collect."""

DUE = NOW
"""Contents released before this time are collected: the retention time is longer than any call."""


@dataclass
class Protocol:
    """The model for the requests of some callers.

    The project has a test dataset, and a training dataset unless a caller creates one. For a revert, a distribution was made so
    long ago that the contents before it may be collected. For a copy, a copy of the same contents was deleted that long ago.
    For a distribution that keeps the test entries, the test dataset has one, and Collect is modelled for its contents.
    """

    storage: MotoStorage
    requests: tuple[Request, ...]
    tables: TableStates = field(init=False)
    operations: dict[tuple[int, int], Operation | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.tables = TableStates(self.storage)

    @property
    def keeps_test(self) -> bool:
        return Request.KEEP in self.requests

    @property
    def collected_folder(self) -> str:
        """The folder for which Collect is modelled."""
        return TEST_FOLDER if self.keeps_test else make_contents().folder

    def begin(self) -> State:
        table = self.tables.table
        project = Project(name=PROJECT, created=NOW)
        projects.create(table, project)
        if Request.CREATE not in self.requests:
            operations.create(table, _make_dataset_with_contents(PROJECT), None)
        test = make_dataset(PROJECT, DatasetType.TEST, DatasetStatus.CREATE_COMPLETE)
        if self.keeps_test:
            kept = make_contents(*OLD_TEST, folder=TEST_FOLDER)
            test = test.model_copy(update={"contents": kept})
        operations.create(table, test, None)
        if Request.COPY in self.requests:
            self._create_copies_project(table)
        if Request.REVERT in self.requests:
            stored = projects.find(table, PROJECT)
            assert stored
            request = Request.KEEP if self.keeps_test else Request.DISTRIBUTE
            distribute(table, stored, LONG_AGO, request)
        count = len(self.requests)
        return State(
            self.tables.save(),
            callers=(CallerState.BEGUN,) * count,
            read_tables=(-1,) * count,
            executions=(ExecutionState.MISSING,) * count,
        )

    def _create_copies_project(self, table: Table) -> None:
        projects.create(table, Project(name=COPIES, created=LONG_AGO))
        if Request.DISCARD in self.requests:
            operations.create(table, _make_dataset_with_contents(COPIES), None)
        if Request.CREATE not in self.requests:
            table.transact([retired.build_retirement(table, make_contents().folder, LONG_AGO)])

    def list_steps(self, state: State) -> Iterator[tuple[str, State]]:
        """Yield the name and the result of each possible next step."""
        for caller in range(len(self.requests)):
            yield from self._list_caller_steps(state, caller)
            yield from self._list_execution_steps(state, caller)
        yield from self._list_sweeper_steps(state)
        if {Request.REVERT, Request.COPY} & {*self.requests}:
            yield from self._list_collector_steps(state)

    def _list_caller_steps(self, state: State, caller: int) -> Iterator[tuple[str, State]]:
        name = f"{caller} {self.requests[caller]}"
        match state.callers[caller]:
            case CallerState.BEGUN:
                read = replace(
                    state, read_tables=replace_element(state.read_tables, caller, state.table)
                )
                yield f"{name} reads", set_caller(read, caller, CallerState.READ)
            case CallerState.READ if self.requests[caller] is Request.REVERT:
                position = CallerState.OVER if state.contents_removed else CallerState.FOUND
                yield f"{name} checks the previous contents", set_caller(state, caller, position)
            case CallerState.FOUND:
                yield name, set_caller(self._revert(state, caller), caller, CallerState.OVER)
            case CallerState.READ:
                written, succeeded = self._send_request(state, caller)
                claimed = succeeded and self.requests[caller] not in SINGLE_TRANSACTION
                yield (
                    f"{name} writes",
                    set_caller(
                        written, caller, CallerState.CLAIMED if claimed else CallerState.OVER
                    ),
                )
            case CallerState.CLAIMED:
                started = set_execution(
                    state, caller, self._start_execution(state.executions[caller])
                )
                yield f"{name} starts", set_caller(started, caller, CallerState.OVER)
                yield (
                    f"{name} starts, without a response",
                    set_caller(started, caller, CallerState.NOT_STARTED),
                )
                yield f"{name} cannot start", set_caller(state, caller, CallerState.NOT_STARTED)
            case CallerState.NOT_STARTED:
                retract = operations.retract if self.requests[caller] is Request.CREATE else None
                yield (
                    f"{name} retracts",
                    set_caller(
                        self._end_operation(state, caller, "retracted", retract),
                        caller,
                        CallerState.OVER,
                    ),
                )
        if state.crashes and state.callers[caller] in (
            CallerState.CLAIMED,
            CallerState.NOT_STARTED,
        ):
            yield (
                f"{name} dies",
                set_caller(replace(state, crashes=state.crashes - 1), caller, CallerState.OVER),
            )

    def _list_execution_steps(self, state: State, caller: int) -> Iterator[tuple[str, State]]:
        name = f"execution {caller}"
        if state.executions[caller] in (ExecutionState.RUNNING, ExecutionState.LINGERING):
            next_state = {
                ExecutionState.RUNNING: ExecutionState.LINGERING,
                ExecutionState.LINGERING: ExecutionState.ENDED,
            }[state.executions[caller]]
            yield (
                f"{name} publishes",
                set_execution(self._end_operation(state, caller, "published"), caller, next_state),
            )
        if state.executions[caller] is ExecutionState.RUNNING:
            abandoned = self._end_operation(state, caller, "abandoned")
            yield f"{name} abandons", set_execution(abandoned, caller, ExecutionState.LINGERING)
            yield f"{name} is aborted", set_execution(state, caller, ExecutionState.LINGERING)

    def _list_sweeper_steps(self, state: State) -> Iterator[tuple[str, State]]:
        if state.sweep is None:
            for caller in self.list_active(state.table):
                if state.executions[caller] is not ExecutionState.RUNNING:
                    execution = (
                        ExecutionState.MISSING
                        if state.executions[caller] is ExecutionState.MISSING
                        else ExecutionState.ENDED
                    )
                    yield (
                        f"Settle reads {caller} {execution}",
                        replace(state, sweep=(caller, execution)),
                    )
            return
        caller, execution = state.sweep
        over = replace(state, sweep=None)
        yield f"Settle abandons {caller}", self._end_operation(over, caller, "swept")
        if execution is ExecutionState.MISSING:
            yield (
                f"Settle starts {caller}",
                set_execution(over, caller, self._start_execution(over.executions[caller])),
            )

    def _list_collector_steps(self, state: State) -> Iterator[tuple[str, State]]:
        """Yield the steps of Collect: list, check the use, hold, delete, delete the note. Collect may end after each step."""
        folder = self.collected_folder
        listed_folder = RetiredFolder(folder, state.listed)
        match state.collect:
            case None:
                if time := self.tables.query(state.table, _list_due_folders).get(folder):
                    yield "Collect lists", replace(state, collect=CollectState.LISTED, listed=time)
            case CollectState.LISTED if Request.COPY in self.requests:
                yield self._check_use(state, listed_folder, COPIES, CollectState.COPIES_CHECKED)
            case CollectState.LISTED | CollectState.COPIES_CHECKED:
                yield self._check_use(state, listed_folder, PROJECT, CollectState.UNUSED)
            case CollectState.UNUSED:
                table, is_held = self.tables.apply(
                    state.table,
                    f"hold {listed_folder}",
                    lambda table: retired.hold_folder(table, listed_folder),
                )
                after = CollectState.HELD if is_held else CollectState.OVER
                yield "Collect holds", replace(state, table=table, collect=after)
            case CollectState.HELD:
                yield (
                    "Collect deletes",
                    replace(state, contents_removed=True, collect=CollectState.REMOVED),
                )
            case CollectState.USED | CollectState.REMOVED:
                yield self._delete_note(state, listed_folder)

    def _check_use(
        self, state: State, listed_folder: RetiredFolder, project: str, after: CollectState
    ) -> tuple[str, State]:
        used = listed_folder.folder in self.tables.query(state.table, _FIND_FOLDERS[project])
        name = f"Collect finds {'a' if used else 'no'} use in {project}"
        return name, replace(state, collect=CollectState.USED if used else after)

    def _delete_note(self, state: State, listed_folder: RetiredFolder) -> tuple[str, State]:
        table, _ = self.tables.apply(
            state.table,
            f"delete {listed_folder}",
            lambda table: retired.delete_retirement(table, listed_folder),
        )
        return "Collect deletes the note", replace(state, table=table, collect=CollectState.OVER)

    def list_active(self, table: int) -> tuple[int, ...]:
        return tuple(int(operation.id) for operation in self.read_project(table).active)

    def read_project(self, table: int) -> ProjectView:
        return self.tables.query(table, read_project)

    def list_noted_folders(self, table: int) -> frozenset[str]:
        """Return the retired folders."""
        return self.tables.query(table, _list_noted_folders)

    def list_written_folders(self, state: State, active: set[str]) -> set[str]:
        """Return the written folders, except for active operations."""
        initial = set() if Request.CREATE in self.requests else {make_contents().folder}
        if self.keeps_test:
            initial.add(TEST_FOLDER)
        started = (
            self.operations[caller, state.read_tables[caller]]
            for caller, execution in enumerate(state.executions)
            if execution is not ExecutionState.MISSING
        )
        ended = [operation for operation in started if operation and operation.id not in active]
        return initial | {
            keys.build_contents_folder(dataset.path, operation.id)
            for operation in ended
            for dataset in operation.datasets
        }

    @staticmethod
    def _start_execution(execution: ExecutionState) -> ExecutionState:
        """An execution name can be started once only."""
        return ExecutionState.RUNNING if execution is ExecutionState.MISSING else execution

    def _end_operation(self, state: State, caller: int, end: str, act: Any = None) -> State:
        operation = self.operations[caller, state.read_tables[caller]]
        assert operation
        act = act or (publish if end == "published" else abandon)
        table, succeeded = self.tables.apply(
            state.table, f"{end} {operation!r}", lambda table: act(table, operation, now=NOW)
        )
        ends = (*state.ends, (caller, end)) if succeeded else state.ends
        return replace(state, table=table, ends=ends)

    def _revert(self, state: State, caller: int) -> State:
        view: HistoryView = self.tables.query(state.read_tables[caller], read_history)
        table, _ = self.tables.apply(
            state.table,
            f"revert {caller} {state.read_tables[caller]}",
            lambda table: apply_revert(table, view),
        )
        return replace(state, table=table)

    def _send_request(self, state: State, caller: int) -> tuple[State, bool]:
        request, view = self.requests[caller], self.read_project(state.read_tables[caller])
        operation = build_operation(request, view.datasets, caller)
        self.operations[caller, state.read_tables[caller]] = operation
        table, succeeded = self.tables.apply(
            state.table,
            f"call {caller} {state.read_tables[caller]}",
            lambda table: apply_request(table, request, caller, view, operation),
        )
        return replace(state, table=table), succeeded


def _make_dataset_with_contents(project: str) -> Dataset:
    """Return a training dataset with the contents of the beginning."""
    train = make_dataset(project, DatasetType.TRAIN, DatasetStatus.CREATE_COMPLETE)
    return train.model_copy(update={"contents": make_contents(*OLD)})


def _list_due_folders(table: Table) -> dict[str, int]:
    return {folder.folder: folder.retired_at for folder in retired.list_retired_before(table, DUE)}


def _list_noted_folders(table: Table) -> frozenset[str]:
    return frozenset(item["sk"] for item in table.query_all(TablePartition.RETIRED))


def _find_folders_of_copies(table: Table) -> set[str]:
    return projects.find_folders_of_projects(table, [COPIES])


def _find_folders_of_project(table: Table) -> set[str]:
    return projects.find_folders_of_projects(table, [PROJECT])


_FIND_FOLDERS: dict[str, Callable[[Table], set[str]]] = {
    COPIES: _find_folders_of_copies,
    PROJECT: _find_folders_of_project,
}
