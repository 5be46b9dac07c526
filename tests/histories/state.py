"""What a project is in the model of its API: datasets with their contents, operations under way, the last distribution."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from tests.histories.history import Entries, source_ref

TYPES = ("TRAIN", "TEST")
CREATING, CREATED, NOT_CREATED = "CREATE_IN_PROGRESS", "CREATE_COMPLETE", "CREATE_FAILED"
UPDATING, UPDATED, NOT_UPDATED = "UPDATE_IN_PROGRESS", "UPDATE_COMPLETE", "UPDATE_FAILED"
DELETING = "DELETE_IN_PROGRESS"
SETTLED = (CREATED, UPDATED, NOT_UPDATED)


@dataclass(frozen=True, slots=True)
class Contents:
    """`writer` is the number of the call that made them: equal entries of another writer are other contents."""

    writer: int
    entries: Entries


NOTHING = Contents(-1, ())


@dataclass(frozen=True, slots=True)
class Dataset:
    arn: str
    type: str
    status: str
    contents: Contents


@dataclass(frozen=True, slots=True)
class Work:
    """An operation under way on the datasets `arns`, that a call with this number began. What a call that was not `answered`
    created may be taken back."""

    call: int
    kind: str
    arns: tuple[str, ...]
    lines: Entries = ()
    dry: bool = False
    answered: bool = True


@dataclass(frozen=True, slots=True)
class Distribution:
    """(dataset, contents before, contents after) of both datasets."""

    sides: tuple[tuple[str, Contents, Contents], ...]
    reverted: bool = False


@dataclass(frozen=True, slots=True)
class State:
    """`datasets` has deleted ones, too, as long as they are described."""

    datasets: tuple[Dataset, ...] = ()
    work: tuple[Work, ...] = ()
    last: Distribution | None = None

    def find(self, arn: str) -> Dataset | None:
        return next((dataset for dataset in self.datasets if dataset.arn == arn), None)

    def in_slot(self, kind: str) -> Dataset | None:
        filled = (one for one in self.datasets if one.type == kind and one.status != DELETING)
        return next(filled, None)

    def put(self, *changed: Dataset) -> "State":
        arns = {dataset.arn for dataset in changed}
        kept = (dataset for dataset in self.datasets if dataset.arn not in arns)
        ordered = sorted((*kept, *changed), key=lambda dataset: dataset.arn)
        return replace(self, datasets=tuple(ordered))

    def without(self, arn: str) -> "State":
        return replace(self, datasets=tuple(one for one in self.datasets if one.arn != arn))

    def begin(self, work: Work) -> "State":
        return replace(self, work=(*self.work, work))


@dataclass(frozen=True, slots=True)
class Splits:
    """Which entries a distribution may move. The API's page says how many; which ones is its choice, and a list that was seen
    shows it. `listed` are the entries of such lists."""

    listed: frozenset[tuple[str, frozenset[str]]]

    def of(self, entries: Entries) -> Iterator[tuple[Entries, Entries]]:
        """(training, test) entries: each choice that a list has shown, and one that nobody has seen."""
        number = (2 * len(entries) + 5) // 10
        choices = {entries[:number]}
        for kind, references in self.listed:
            moved = tuple(
                entry for entry in entries if (source_ref(entry) in references) == (kind == "TEST")
            )
            if len(moved) == number:
                choices.add(moved)
        for moved in sorted(choices):
            yield tuple(entry for entry in entries if entry not in moved), moved


def updated(entries: Entries, changes: Entries) -> Entries:
    """A change replaces the entry of its `source-ref`, or is appended; of changes of one image the first counts."""
    new: dict[str, str] = {}
    for line in changes:
        new.setdefault(source_ref(line), line)
    replaced = tuple(new.pop(source_ref(entry), entry) for entry in entries)
    return (*replaced, *new.values())


def progress(state: State, arns: Iterable[str], splits: Splits) -> set[State]:
    """The states that what goes on by itself may lead to: operations on these datasets end, deleted ones are forgotten."""
    concerned = frozenset(arns)
    states, waiting = {state}, [state]
    while waiting:
        now = waiting.pop()
        after = {
            end
            for work in now.work
            if not concerned.isdisjoint(work.arns)
            for end in _ends(now, work, splits)
        }
        after |= {
            now.without(dataset.arn)
            for dataset in now.datasets
            if dataset.arn in concerned and dataset.status == DELETING
        }
        waiting += after - states
        states |= after
    return states


def _ends(state: State, work: Work, splits: Splits) -> Iterator[State]:
    over = replace(state, work=tuple(one for one in state.work if one != work))
    datasets = [dataset for dataset in state.datasets if dataset.arn in work.arns]
    failed = NOT_CREATED if work.kind == "create" else NOT_UPDATED
    yield over.put(*(replace(dataset, status=failed) for dataset in datasets))
    if work.kind == "create" and not work.answered:
        yield over.without(work.arns[0])
    if work.kind == "distribute":
        yield from _distributed(over, work, splits)
        return
    (dataset,) = datasets
    complete = CREATED if work.kind == "create" else UPDATED
    contents = Contents(work.call, updated(dataset.contents.entries, work.lines))
    yield over.put(replace(dataset, status=complete, contents=contents))


def _distributed(over: State, work: Work, splits: Splits) -> Iterator[State]:
    before = [dataset for arn in work.arns if (dataset := over.find(arn))]
    if work.dry:
        yield over.put(*(replace(dataset, status=UPDATED) for dataset in before))
        return
    for sides in splits.of(before[0].contents.entries):
        after = [
            replace(dataset, status=UPDATED, contents=Contents(work.call, entries))
            for dataset, entries in zip(before, sides, strict=True)
        ]
        moved = zip(before, after, strict=True)
        last = Distribution(tuple((old.arn, old.contents, new.contents) for old, new in moved))
        yield replace(over.put(*after), last=last)
