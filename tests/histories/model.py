"""The API of one project as a sequential object, written from docs/api.md: the possible answers to each call in each state.

The model has the calls that change or show datasets. docs/api.md does not define an order of the reasons for a refusal, so any
valid reason is possible.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from tests.histories.history import UNKNOWN, Call
from tests.histories.state import (
    CREATED,
    CREATING,
    DELETING,
    NOT_CREATED,
    NOTHING,
    SETTLED,
    TYPES,
    UPDATED,
    UPDATING,
    Dataset,
    Splits,
    State,
    Work,
    explore_progress,
)

_GONE = "ResourceNotFoundException"
_IN_USE = "ResourceInUseException"
_NOT_READY = "ResourceNotReadyException"
_INVALID = "InvalidParameterException"
_EXISTS = "ResourceAlreadyExistsException"
_BUSY = (_IN_USE, _NOT_READY)
_CHANGES = (
    "CreateDataset",
    "UpdateDatasetEntries",
    "DistributeDatasetEntries",
    "DeleteDataset",
    "RevertDatasetDistribution",
)
SLOT = "Slot"
"""A project's slot of one type, as DescribeProjects shows it: `request` has the type, `answer` the ARN or None."""


@dataclass(frozen=True)
class ProjectModel:
    """`arns`: datasets possibly created by a call without an answer. `disturbed`: numbers of calls refused as busy during
    another change."""

    splits: Splits
    arns: Sequence[str] = ()
    disturbed: frozenset[int] = frozenset()

    @classmethod
    def from_calls(cls, calls: Sequence[Call]) -> "ProjectModel":
        """Build the model with the choices of the service that the calls show."""
        listed, shown, returned = set(), set(), set()
        for call in calls:
            if call.operation == "ListDatasetEntries" and not call.error:
                listed.add((parse_type(call.request["DatasetArn"]), call.answer["References"]))
            if call.operation == SLOT and call.answer["Arn"]:
                shown.add(call.answer["Arn"])
            if call.operation == "CreateDataset" and not call.error:
                returned.add(call.answer["DatasetArn"])
        return cls(
            Splits(frozenset(listed)), sorted(shown - returned), _find_disturbed_calls(calls)
        )

    def make_initial_state(self) -> State:
        return State()

    def explain(self, state: State, call: Call) -> Iterator[State]:
        """Yield the states after the call, and after any background progress before the call."""
        for now in explore_progress(state, self._find_concerned_datasets(state, call), self.splits):
            yield from self._explain_now(now, call)

    def is_permitted(self, state: State, call: Call) -> bool:
        """A successful revert never counts: now it may repeat an earlier one, but later it may be the call that reverts."""
        if call.operation in _CHANGES and not call.error:
            return False
        return any(after == state for after in self._explain_now(state, call))

    def _find_concerned_datasets(self, state: State, call: Call) -> set[str]:
        request = call.request
        kinds = {
            "CreateDataset": (request.get("DatasetType"),),
            SLOT: (request.get("DatasetType"),),
            "RevertDatasetDistribution": TYPES,
        }.get(call.operation, ())
        named = {request.get("DatasetArn", ""), request.get("SourceArn", "")}
        named |= set(request.get("DatasetArns", ()))
        return named | {dataset.arn for dataset in state.datasets if dataset.type in kinds}

    def _explain_now(self, state: State, call: Call) -> Iterator[State]:
        match call.operation:
            case "DescribeDataset" | "ListDatasetEntries":
                possible = _can_read(state, call)
            case "Slot":
                dataset = state.get_slot(call.request["DatasetType"])
                possible = (dataset.arn if dataset else None) == call.answer["Arn"]
            case _:
                yield from self._change(state, call)
                return
        if possible:
            yield state

    def _change(self, state: State, call: Call) -> Iterator[State]:
        refusals, effects = self._find_effects(state, call)
        if call.is_known and call.error:
            if call.error in refusals or call.number in self.disturbed:
                yield state
        elif not refusals:
            yield from effects

    def _find_effects(self, state: State, call: Call) -> tuple[set[str], Iterator[State]]:
        """Return (reasons to refuse the call, states after the call if there are no reasons)."""
        match call.operation:
            case "CreateDataset":
                return _find_create_refusals(state, call), self._create_dataset(state, call)
            case "UpdateDatasetEntries":
                return _find_update_refusals(state, call), _begin_operation(state, call, "update")
            case "DistributeDatasetEntries":
                return _find_distribute_refusals(state, call), _begin_operation(
                    state, call, "distribute"
                )
            case "DeleteDataset":
                return _find_delete_refusals(state, call), _delete_dataset(state, call)
            case "RevertDatasetDistribution":
                return _find_revert_refusals(state), _revert_distribution(state)
        raise ValueError(f"The model knows no {call.operation}.")

    def _create_dataset(self, state: State, call: Call) -> Iterator[State]:
        arns = (
            [call.answer["DatasetArn"]] if call.is_known else [*self.arns, f"unseen {call.number}"]
        )
        kind, source = (
            call.request["DatasetType"],
            state.find_dataset(call.request.get("SourceArn", "")),
        )
        contents = source.contents if source else NOTHING
        for arn in arns:
            if arn.startswith("unseen") or parse_type(arn) == kind:
                created = Dataset(arn, kind, CREATING if call.lines else CREATED, contents)
                work = Work(call.number, "create", (arn,), call.lines, answered=call.is_known)
                yield (
                    state.put_datasets(created).begin_work(work)
                    if call.lines
                    else state.put_datasets(created)
                )


def _find_disturbed_calls(calls: Sequence[Call]) -> frozenset[int]:
    changes = [call for call in calls if call.operation in _CHANGES and call.error in ("", UNKNOWN)]
    busy = [call for call in calls if call.operation in _CHANGES and call.error in _BUSY]
    return frozenset(
        call.number
        for call in busy
        if any(call.began < other.ended and other.began < call.ended for other in changes)
    )


def parse_type(arn: str) -> str:
    return arn.split("/")[-2].upper()


def _can_read(state: State, call: Call) -> bool:
    dataset = state.find_dataset(call.request["DatasetArn"])
    if dataset is None:
        return call.error == _GONE
    entries = dataset.contents.entries
    if call.operation == "DescribeDataset":
        number = call.answer.get("TotalEntries", len(entries))
        shown = (dataset.status, len(entries))
        return not call.error and shown == (call.answer["Status"], number)
    busy = {DELETING: _IN_USE, CREATING: _NOT_READY}.get(dataset.status, "")
    if busy or call.error:
        return call.error == busy
    return bool(entries == call.answer["Entries"])


def _find_create_refusals(state: State, call: Call) -> set[str]:
    refusals = {_EXISTS} if state.get_slot(call.request["DatasetType"]) else set()
    if arn := call.request.get("SourceArn"):
        source = state.find_dataset(arn)
        if source is None:
            refusals.add(_GONE)
        elif source.status not in SETTLED:
            refusals.add(_INVALID)
    return refusals


def _find_update_refusals(state: State, call: Call) -> set[str]:
    dataset = state.find_dataset(call.request["DatasetArn"])
    if dataset is None:
        return {_GONE}
    if dataset.status == NOT_CREATED:
        return {_INVALID}
    return set() if dataset.status in SETTLED else {_IN_USE}


def _find_distribute_refusals(state: State, call: Call) -> set[str]:
    datasets = [state.find_dataset(arn) for arn in call.request["DatasetArns"]]
    refusals = {_GONE} if None in datasets else set()
    for dataset in filter(None, datasets):
        if dataset.status not in SETTLED:
            refusals.add(_NOT_READY)
        is_empty, keeps = not dataset.contents.entries, bool(call.request.get("KeepTest"))
        if is_empty if dataset.type == "TRAIN" else not (is_empty or keeps):
            refusals.add(_INVALID)
    return refusals


def _find_delete_refusals(state: State, call: Call) -> set[str]:
    dataset = state.find_dataset(call.request["DatasetArn"])
    if dataset is None:
        return {_GONE}
    return set() if dataset.status in (*SETTLED, NOT_CREATED) else {_IN_USE}


def _find_revert_refusals(state: State) -> set[str]:
    if state.last is None:
        return {_INVALID}
    if state.last.reverted:
        return set()
    refusals = set()
    for arn, _, after in state.last.sides:
        dataset = state.find_dataset(arn)
        if dataset is None or dataset.status == DELETING or dataset.contents != after:
            refusals.add(_INVALID)
        if dataset and dataset.status not in SETTLED:
            refusals.add(_NOT_READY)
    return refusals


def _begin_operation(state: State, call: Call, kind: str) -> Iterator[State]:
    arns = tuple(call.request.get("DatasetArns") or (call.request["DatasetArn"],))
    datasets = [dataset for arn in arns if (dataset := state.find_dataset(arn))]
    work = Work(call.number, kind, arns, call.lines, bool(call.request.get("DryRun")))
    yield state.put_datasets(
        *(replace(dataset, status=UPDATING) for dataset in datasets)
    ).begin_work(work)


def _delete_dataset(state: State, call: Call) -> Iterator[State]:
    dataset = state.find_dataset(call.request["DatasetArn"])
    if dataset:
        yield state.put_datasets(replace(dataset, status=DELETING))


def _revert_distribution(state: State) -> Iterator[State]:
    if state.last is None or state.last.reverted:
        yield state
        return
    datasets = [
        replace(dataset, status=UPDATED, contents=before)
        for arn, before, _ in state.last.sides
        if (dataset := state.find_dataset(arn))
    ]
    yield replace(state.put_datasets(*datasets), last=replace(state.last, reverted=True))
