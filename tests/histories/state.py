"""The state of a project in the model: datasets with contents, operations in progress, the last distribution."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from tests.histories.history import Entries, get_source_ref

TYPES = ("TRAIN", "TEST")
CREATING, CREATED, NOT_CREATED = "CREATE_IN_PROGRESS", "CREATE_COMPLETE", "CREATE_FAILED"
UPDATING, UPDATED, NOT_UPDATED = "UPDATE_IN_PROGRESS", "UPDATE_COMPLETE", "UPDATE_FAILED"
DELETING = "DELETE_IN_PROGRESS"
SETTLED = (CREATED, UPDATED, NOT_UPDATED)


@dataclass(frozen=True, slots=True)
class Contents:
    """`writer` is the number of the call that wrote the contents. Equal entries of two writers are different contents."""

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
    """An operation in progress on the datasets `arns`, begun by call number `call`. If the call was not `answered`, the service
    may delete the created dataset."""

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
    """`datasets` includes deleted datasets while DescribeDataset shows them."""

    datasets: tuple[Dataset, ...] = ()
    work: tuple[Work, ...] = ()
    last: Distribution | None = None

    def find_dataset(self, arn: str) -> Dataset | None:
        return next((dataset for dataset in self.datasets if dataset.arn == arn), None)

    def get_slot(self, kind: str) -> Dataset | None:
        filled = (item for item in self.datasets if item.type == kind and item.status != DELETING)
        return next(filled, None)

    def put_datasets(self, *changed: Dataset) -> "State":
        arns = {dataset.arn for dataset in changed}
        unchanged = (dataset for dataset in self.datasets if dataset.arn not in arns)
        ordered = sorted((*unchanged, *changed), key=lambda dataset: dataset.arn)
        return replace(self, datasets=tuple(ordered))

    def remove_dataset(self, arn: str) -> "State":
        return replace(
            self, datasets=tuple(dataset for dataset in self.datasets if dataset.arn != arn)
        )

    def begin_work(self, work: Work) -> "State":
        return replace(self, work=(*self.work, work))


@dataclass(frozen=True, slots=True)
class Splits:
    """The choices of a distribution. docs/api.md defines the number of moved entries; a recorded list shows the
    selected entries. `listed` has the type of the dataset and the source-refs of each recorded list, in order."""

    listed: frozenset[tuple[str, tuple[str, ...]]]

    def iterate_choices(self, entries: Entries) -> Iterator[tuple[Entries, Entries]]:
        """Yield (training, test) entries for each choice that fits the recorded lists, and for an arbitrary choice."""
        number = (2 * len(entries) + 5) // 10
        positions = {get_source_ref(entry): position for position, entry in enumerate(entries)}
        choices = {frozenset(range(number))}
        missing = set[frozenset[int]]()
        for kind, references in self.listed:
            entry_count = number if kind == "TEST" else len(entries) - number
            listed_positions = _find_first_positions(positions, references[:entry_count])
            if kind == "TEST":
                choices.add(listed_positions)
            else:
                missing.add(frozenset(range(len(entries))) - listed_positions)
        # Of the missing entries of a training dataset, a second distribution may have moved some, which its test dataset has.
        choices |= {
            _take_first(gone - later, number)
            for gone in missing
            for later in (frozenset[int](), *(choices if len(gone) > number else ()))
        }
        for moved in sorted(map(sorted, choices)):
            if len(moved) == number:
                training_entries = (
                    entry for position, entry in enumerate(entries) if position not in moved
                )
                yield tuple(training_entries), tuple(entries[position] for position in moved)


def _find_first_positions(
    positions: Mapping[str, int], references: Iterable[str]
) -> frozenset[int]:
    """Return the positions of the listed entries that a distribution selected.

    A list begins with these entries, in order. Later updates append entries, and may add a moved entry to the training
    dataset again.
    """
    listed_positions: list[int] = []
    for reference in references:
        position = positions.get(reference, -1)
        if position <= (listed_positions[-1] if listed_positions else -1):
            break
        listed_positions.append(position)
    return frozenset(listed_positions)


def _take_first(positions: frozenset[int], number: int) -> frozenset[int]:
    return frozenset(sorted(positions)[:number])


def apply_changes(entries: Entries, changes: Entries) -> Entries:
    """Replace the entries of changed images, and append the other changes. The first change of an image counts."""
    new: dict[str, str] = {}
    for line in changes:
        new.setdefault(get_source_ref(line), line)
    replaced = tuple(new.pop(get_source_ref(entry), entry) for entry in entries)
    return (*replaced, *new.values())


def explore_progress(state: State, arns: Iterable[str], splits: Splits) -> set[State]:
    """Return all states that background progress may reach: operations on these datasets end, deleted datasets disappear."""
    concerned = frozenset(arns)
    states, waiting = {state}, [state]
    while waiting:
        current = waiting.pop()
        after = {
            end
            for work in current.work
            if not concerned.isdisjoint(work.arns)
            for end in _end_work(current, work, splits)
        }
        after |= {
            current.remove_dataset(dataset.arn)
            for dataset in current.datasets
            if dataset.arn in concerned and dataset.status == DELETING
        }
        waiting += after - states
        states |= after
    return states


def _end_work(state: State, work: Work, splits: Splits) -> Iterator[State]:
    over = replace(state, work=tuple(other for other in state.work if other != work))
    datasets = [dataset for dataset in state.datasets if dataset.arn in work.arns]
    failed = NOT_CREATED if work.kind == "create" else NOT_UPDATED
    yield over.put_datasets(*(replace(dataset, status=failed) for dataset in datasets))
    if work.kind == "create" and not work.answered:
        yield over.remove_dataset(work.arns[0])
    if work.kind == "distribute":
        yield from _end_distribution(over, work, splits)
        return
    (dataset,) = datasets
    complete = CREATED if work.kind == "create" else UPDATED
    contents = Contents(work.call, apply_changes(dataset.contents.entries, work.lines))
    yield over.put_datasets(replace(dataset, status=complete, contents=contents))


def _end_distribution(over: State, work: Work, splits: Splits) -> Iterator[State]:
    before = [dataset for arn in work.arns if (dataset := over.find_dataset(arn))]
    if work.dry:
        yield over.put_datasets(*(replace(dataset, status=UPDATED) for dataset in before))
        return
    # The training dataset comes first. The entries of a test dataset are kept, and come first in the order of both.
    for sides in splits.iterate_choices(before[1].contents.entries + before[0].contents.entries):
        after = [
            replace(dataset, status=UPDATED, contents=Contents(work.call, entries))
            for dataset, entries in zip(before, sides, strict=True)
        ]
        moved = zip(before, after, strict=True)
        last = Distribution(tuple((old.arn, old.contents, new.contents) for old, new in moved))
        yield replace(over.put_datasets(*after), last=last)
