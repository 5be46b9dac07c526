"""The API of one project as a sequential object, written from docs/api.md: what each call may answer in each state.

It knows the calls that change or show datasets. The page leaves open in which order a refusal's reasons are looked at, so any
reason that holds may be given.
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
    progress,
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
    """`arns` are those of datasets that a call without an answer may have created. `disturbed` are the numbers of calls that
    were refused as busy while another call changed something."""

    splits: Splits
    arns: Sequence[str] = ()
    disturbed: frozenset[int] = frozenset()

    @classmethod
    def of(cls, calls: Sequence[Call]) -> "ProjectModel":
        """With the choices that the calls themselves show."""
        listed, seen, returned = set(), set(), set()
        for call in calls:
            if call.operation == "ListDatasetEntries" and not call.error:
                references = frozenset(call.answer["References"])
                listed.add((type_of(call.request["DatasetArn"]), references))
            if call.operation == SLOT and call.answer["Arn"]:
                seen.add(call.answer["Arn"])
            if call.operation == "CreateDataset" and not call.error:
                returned.add(call.answer["DatasetArn"])
        return cls(Splits(frozenset(listed)), sorted(seen - returned), _disturbed(calls))

    def initial(self) -> State:
        return State()

    def explain(self, state: State, call: Call) -> Iterator[State]:
        """The states after the call and what went on by itself before it."""
        for now in progress(state, self._concerned(state, call), self.splits):
            yield from self._explain(now, call)

    def permits(self, state: State, call: Call) -> bool:
        return any(after == state for after in self._explain(state, call))

    def _concerned(self, state: State, call: Call) -> set[str]:
        request = call.request
        kinds = {
            "CreateDataset": (request.get("DatasetType"),),
            SLOT: (request.get("DatasetType"),),
            "RevertDatasetDistribution": TYPES,
        }.get(call.operation, ())
        named = {request.get("DatasetArn", ""), request.get("SourceArn", "")}
        named |= set(request.get("DatasetArns", ()))
        return named | {dataset.arn for dataset in state.datasets if dataset.type in kinds}

    def _explain(self, state: State, call: Call) -> Iterator[State]:
        match call.operation:
            case "DescribeDataset" | "ListDatasetEntries":
                possible = _read(state, call)
            case "Slot":
                dataset = state.in_slot(call.request["DatasetType"])
                possible = (dataset.arn if dataset else None) == call.answer["Arn"]
            case _:
                yield from self._change(state, call)
                return
        if possible:
            yield state

    def _change(self, state: State, call: Call) -> Iterator[State]:
        refusals, effects = self._possible(state, call)
        if call.known and call.error:
            if call.error in refusals or call.number in self.disturbed:
                yield state
        elif not refusals:
            yield from effects

    def _possible(self, state: State, call: Call) -> tuple[set[str], Iterator[State]]:
        """(reasons to refuse the call, states after it if there are none)."""
        match call.operation:
            case "CreateDataset":
                return _create_refusals(state, call), self._created(state, call)
            case "UpdateDatasetEntries":
                return _update_refusals(state, call), _begun(state, call, "update")
            case "DistributeDatasetEntries":
                return _distribute_refusals(state, call), _begun(state, call, "distribute")
            case "DeleteDataset":
                return _delete_refusals(state, call), _deleted(state, call)
            case "RevertDatasetDistribution":
                return _revert_refusals(state), _reverted(state)
        raise ValueError(f"The model knows no {call.operation}.")

    def _created(self, state: State, call: Call) -> Iterator[State]:
        arns = [call.answer["DatasetArn"]] if call.known else [*self.arns, f"unseen {call.number}"]
        kind, source = call.request["DatasetType"], state.find(call.request.get("SourceArn", ""))
        contents = source.contents if source else NOTHING
        for arn in arns:
            if arn.startswith("unseen") or type_of(arn) == kind:
                created = Dataset(arn, kind, CREATING if call.lines else CREATED, contents)
                work = Work(call.number, "create", (arn,), call.lines, answered=call.known)
                yield state.put(created).begin(work) if call.lines else state.put(created)


def _disturbed(calls: Sequence[Call]) -> frozenset[int]:
    changes = [call for call in calls if call.operation in _CHANGES and call.error in ("", UNKNOWN)]
    busy = [call for call in calls if call.operation in _CHANGES and call.error in _BUSY]
    return frozenset(
        call.number
        for call in busy
        if any(call.began < other.ended and other.began < call.ended for other in changes)
    )


def type_of(arn: str) -> str:
    return arn.split("/")[-2].upper()


def _read(state: State, call: Call) -> bool:
    dataset = state.find(call.request["DatasetArn"])
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


def _create_refusals(state: State, call: Call) -> set[str]:
    refusals = {_EXISTS} if state.in_slot(call.request["DatasetType"]) else set()
    if arn := call.request.get("SourceArn"):
        source = state.find(arn)
        if source is None:
            refusals.add(_GONE)
        elif source.status not in SETTLED:
            refusals.add(_INVALID)
    return refusals


def _update_refusals(state: State, call: Call) -> set[str]:
    dataset = state.find(call.request["DatasetArn"])
    if dataset is None:
        return {_GONE}
    if dataset.status == NOT_CREATED:
        return {_INVALID}
    return set() if dataset.status in SETTLED else {_IN_USE}


def _distribute_refusals(state: State, call: Call) -> set[str]:
    datasets = [state.find(arn) for arn in call.request["DatasetArns"]]
    refusals = {_GONE} if None in datasets else set()
    for dataset in filter(None, datasets):
        if dataset.status not in SETTLED:
            refusals.add(_NOT_READY)
        if bool(dataset.contents.entries) != (dataset.type == "TRAIN"):
            refusals.add(_INVALID)
    return refusals


def _delete_refusals(state: State, call: Call) -> set[str]:
    dataset = state.find(call.request["DatasetArn"])
    if dataset is None:
        return {_GONE}
    return set() if dataset.status in (*SETTLED, NOT_CREATED) else {_IN_USE}


def _revert_refusals(state: State) -> set[str]:
    if state.last is None:
        return {_INVALID}
    if state.last.reverted:
        return set()
    refusals = set()
    for arn, _, after in state.last.sides:
        dataset = state.find(arn)
        if dataset is None or dataset.status == DELETING or dataset.contents != after:
            refusals.add(_INVALID)
        if dataset and dataset.status not in SETTLED:
            refusals.add(_NOT_READY)
    return refusals


def _begun(state: State, call: Call, kind: str) -> Iterator[State]:
    arns = tuple(call.request.get("DatasetArns") or (call.request["DatasetArn"],))
    datasets = [dataset for arn in arns if (dataset := state.find(arn))]
    work = Work(call.number, kind, arns, call.lines, bool(call.request.get("DryRun")))
    yield state.put(*(replace(dataset, status=UPDATING) for dataset in datasets)).begin(work)


def _deleted(state: State, call: Call) -> Iterator[State]:
    dataset = state.find(call.request["DatasetArn"])
    if dataset:
        yield state.put(replace(dataset, status=DELETING))


def _reverted(state: State) -> Iterator[State]:
    if state.last is None or state.last.reverted:
        yield state
        return
    datasets = [
        replace(dataset, status=UPDATED, contents=before)
        for arn, before, _ in state.last.sides
        if (dataset := state.find(arn))
    ]
    yield replace(state.put(*datasets), last=replace(state.last, reverted=True))
