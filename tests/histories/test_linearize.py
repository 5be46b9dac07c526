"""The checker of histories refuses those that no order of the calls explains."""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.histories.history import UNKNOWN, History, entry_of, source_ref
from tests.histories.linearize import Refusal, UndecidedError, refute
from tests.histories.model import SLOT, ProjectModel
from tests.job import line

TRAIN, TEST, COPY = (
    f"arn/dataset/{kind}/{number}" for kind, number in (("train", 1), ("test", 2), ("test", 3))
)
OLD = tuple(line(number, "cat") for number in range(10))
MOVED = (2, 7)


class Story(History):
    """A history in which every call ends before the next one begins, unless it is told when it began."""

    def add(
        self,
        operation: str,
        *,
        began: int | None = None,
        error: str = "",
        answer: Mapping[str, Any] | None = None,
        lines: tuple[str, ...] = (),
        **request: Any,
    ) -> None:
        moment = self.begin() if began is None else began
        self.end(moment, operation, request, lines=lines, error=error, answer=answer)

    def create(self, arn: str, lines: tuple[str, ...] = (), **more: Any) -> None:
        kind = arn.split("/")[2].upper()
        self.add("CreateDataset", DatasetType=kind, lines=lines, answer={"DatasetArn": arn}, **more)

    def update(self, arn: str, *lines: str, **more: Any) -> None:
        self.add("UpdateDatasetEntries", DatasetArn=arn, lines=lines, **more)

    def distribute(self, **more: Any) -> None:
        self.add("DistributeDatasetEntries", DatasetArns=(TRAIN, TEST), **more)

    def shows(self, arn: str, status: str, **more: Any) -> None:
        self.add("DescribeDataset", DatasetArn=arn, answer={"Status": status}, **more)

    def lists(self, arn: str, *lines: str, **more: Any) -> None:
        entries = tuple(map(entry_of, lines))
        answer = {"Entries": entries, "References": tuple(map(source_ref, entries))}
        self.add("ListDatasetEntries", DatasetArn=arn, answer=answer, **more)

    def refutation(self) -> Refusal | None:
        return refute(self.calls, ProjectModel.of(self.calls))


@pytest.fixture
def story() -> Story:
    """A training dataset with ten entries and an empty test dataset, both settled."""
    begun = Story()
    begun.create(TRAIN, OLD)
    begun.create(TEST)
    begun.shows(TRAIN, "CREATE_COMPLETE")
    return begun


def moved(*, tested: bool) -> list[str]:
    return [entry for number, entry in enumerate(OLD) if (number in MOVED) == tested]


def test_a_history_of_every_call_is_explained(story: Story) -> None:
    story.distribute()
    story.lists(TEST, *moved(tested=True))
    story.lists(TRAIN, *moved(tested=False))
    story.add("RevertDatasetDistribution")
    story.lists(TRAIN, *OLD)
    story.update(TRAIN, line("new"), line(3, "dog"))
    story.shows(TRAIN, "UPDATE_IN_PROGRESS")
    story.update(TRAIN, line("late"), error="ResourceInUseException")
    story.lists(TRAIN, *OLD[:3], line(3, "dog"), *OLD[4:], line("new"))
    story.add("DeleteDataset", DatasetArn=TEST)
    story.create(COPY, SourceArn=TRAIN)
    story.lists(COPY, *OLD[:3], line(3, "dog"), *OLD[4:], line("new"))
    story.add(SLOT, DatasetType="TEST", answer={"Arn": COPY})
    assert story.refutation() is None


def test_a_lost_update_is_refused(story: Story) -> None:
    """Both updates complete, and only one of them is there."""
    story.update(TRAIN, line("first"))
    story.shows(TRAIN, "UPDATE_COMPLETE")
    story.update(TRAIN, line("second"))
    story.shows(TRAIN, "UPDATE_COMPLETE")
    story.lists(TRAIN, *OLD, line("second"))
    assert story.refutation()


def test_a_stale_list_after_a_complete_update_is_refused(story: Story) -> None:
    story.update(TRAIN, line("new"))
    story.shows(TRAIN, "UPDATE_COMPLETE")
    story.lists(TRAIN, *OLD, line("new"))
    story.lists(TRAIN, *OLD)
    assert story.refutation()


def test_a_stale_status_after_a_claim_is_refused(story: Story) -> None:
    story.update(TRAIN, line("new"))
    story.shows(TRAIN, "CREATE_COMPLETE")
    assert story.refutation()


def test_a_double_distribution_is_refused(story: Story) -> None:
    """The second one would need an empty test dataset."""
    story.distribute()
    story.shows(TEST, "UPDATE_COMPLETE")
    story.lists(TEST, *moved(tested=True))
    story.distribute()
    assert story.refutation()


def test_two_distributions_at_once_are_refused(story: Story) -> None:
    """Each would have moved two entries."""
    began = story.begin()
    story.distribute()
    story.distribute(began=began)
    story.lists(TEST, *OLD[:4])
    story.lists(TRAIN, *OLD[4:])
    assert story.refutation()


@pytest.mark.parametrize(
    "listed",
    [
        pytest.param(moved(tested=True)[:1], id="an entry too few"),
        pytest.param([*moved(tested=True), OLD[0]], id="an entry too many"),
        pytest.param(moved(tested=True)[::-1], id="another order"),
        pytest.param([line(2, "dog"), OLD[7]], id="other labels"),
    ],
)
def test_a_wrong_split_is_refused(story: Story, listed: list[str]) -> None:
    story.distribute()
    story.shows(TEST, "UPDATE_COMPLETE")
    story.lists(TEST, *listed)
    story.lists(TRAIN, *moved(tested=False))
    assert story.refutation()


def test_an_entry_in_both_datasets_is_refused(story: Story) -> None:
    story.distribute()
    story.lists(TEST, *moved(tested=True))
    story.lists(TRAIN, *OLD)
    assert story.refutation()


def test_a_refusal_needs_a_reason(story: Story) -> None:
    story.update(TRAIN, line("new"), error="ResourceInUseException")
    assert story.refutation()


@pytest.mark.parametrize("at_once", [True, False])
def test_only_calls_at_once_have_any_order(story: Story, *, at_once: bool) -> None:
    """The update that ended last was made first."""
    began = story.begin()
    story.update(TRAIN, line("first"))
    story.update(TRAIN, line("second"), began=began if at_once else None)
    story.lists(TRAIN, *OLD, line("second"), line("first"))
    assert (story.refutation() is None) == at_once


def test_a_call_without_an_answer_was_made_or_not(story: Story) -> None:
    story.update(TRAIN, line("unanswered"), error=UNKNOWN)
    story.lists(TRAIN, *OLD)
    assert story.refutation() is None
    story.lists(TRAIN, *OLD, line("unanswered"))
    assert story.refutation() is None
    story.lists(TRAIN, *OLD)
    assert story.refutation()


def test_a_search_without_end_says_so(story: Story) -> None:
    with pytest.raises(UndecidedError):
        refute(story.calls, ProjectModel.of(story.calls), limit=1)


@pytest.mark.parametrize("answered", [True, False])
def test_only_a_creation_without_an_answer_is_taken_back(*, answered: bool) -> None:
    story = Story()
    story.create(TRAIN, OLD, error="" if answered else UNKNOWN)
    for arn in (TRAIN, None):
        story.add(SLOT, DatasetType="TRAIN", answer={"Arn": arn})
    assert (story.refutation() is None) != answered
