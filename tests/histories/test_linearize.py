"""The checker refuses a history if no order of the calls explains the outcomes."""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.histories.history import UNKNOWN, History, get_source_ref, summarize_line
from tests.histories.linearize import Refusal, UndecidedError, find_refusal
from tests.histories.model import SLOT, ProjectModel
from tests.support.job import make_line

TRAIN, TEST, COPY = (
    f"arn/dataset/{kind}/{number}" for kind, number in (("train", 1), ("test", 2), ("test", 3))
)
OLD = tuple(make_line(number, "cat") for number in range(10))
MOVED = (2, 7)


class Story(History):
    """A history of sequential calls; a call with an explicit `began` overlaps with earlier calls."""

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
        moment = self.begin_call() if began is None else began
        self.end_call(moment, operation, request, lines=lines, error=error, answer=answer)

    def add_creation(self, arn: str, lines: tuple[str, ...] = (), **more: Any) -> None:
        kind = arn.split("/")[2].upper()
        self.add("CreateDataset", DatasetType=kind, lines=lines, answer={"DatasetArn": arn}, **more)

    def add_update(self, arn: str, *lines: str, **more: Any) -> None:
        self.add("UpdateDatasetEntries", DatasetArn=arn, lines=lines, **more)

    def add_distribution(self, **more: Any) -> None:
        self.add("DistributeDatasetEntries", DatasetArns=(TRAIN, TEST), **more)

    def add_description(self, arn: str, status: str, **more: Any) -> None:
        self.add("DescribeDataset", DatasetArn=arn, answer={"Status": status}, **more)

    def add_list(self, arn: str, *lines: str, **more: Any) -> None:
        entries = tuple(map(summarize_line, lines))
        answer = {"Entries": entries, "References": tuple(map(get_source_ref, entries))}
        self.add("ListDatasetEntries", DatasetArn=arn, answer=answer, **more)

    def find_refusal(self) -> Refusal | None:
        return find_refusal(self.calls, ProjectModel.from_calls(self.calls))


@pytest.fixture
def story() -> Story:
    """A training dataset with ten entries and an empty test dataset, both settled."""
    new_story = Story()
    new_story.add_creation(TRAIN, OLD)
    new_story.add_creation(TEST)
    new_story.add_description(TRAIN, "CREATE_COMPLETE")
    return new_story


def select_entries(*, in_test_set: bool) -> list[str]:
    return [entry for number, entry in enumerate(OLD) if (number in MOVED) == in_test_set]


def test_a_history_of_every_call_is_explained(story: Story) -> None:
    story.add_distribution()
    story.add_list(TEST, *select_entries(in_test_set=True))
    story.add_list(TRAIN, *select_entries(in_test_set=False))
    story.add("RevertDatasetDistribution")
    story.add_list(TRAIN, *OLD)
    story.add_update(TRAIN, make_line("new"), make_line(3, "dog"))
    story.add_description(TRAIN, "UPDATE_IN_PROGRESS")
    story.add_update(TRAIN, make_line("late"), error="ResourceInUseException")
    story.add_list(TRAIN, *OLD[:3], make_line(3, "dog"), *OLD[4:], make_line("new"))
    story.add("DeleteDataset", DatasetArn=TEST)
    story.add_creation(COPY, SourceArn=TRAIN)
    story.add_list(COPY, *OLD[:3], make_line(3, "dog"), *OLD[4:], make_line("new"))
    story.add(SLOT, DatasetType="TEST", answer={"Arn": COPY})
    assert story.find_refusal() is None


def test_a_lost_update_is_refused(story: Story) -> None:
    """Both updates complete, but the list shows only the second."""
    story.add_update(TRAIN, make_line("first"))
    story.add_description(TRAIN, "UPDATE_COMPLETE")
    story.add_update(TRAIN, make_line("second"))
    story.add_description(TRAIN, "UPDATE_COMPLETE")
    story.add_list(TRAIN, *OLD, make_line("second"))
    assert story.find_refusal()


def test_a_stale_list_after_a_complete_update_is_refused(story: Story) -> None:
    story.add_update(TRAIN, make_line("new"))
    story.add_description(TRAIN, "UPDATE_COMPLETE")
    story.add_list(TRAIN, *OLD, make_line("new"))
    story.add_list(TRAIN, *OLD)
    assert story.find_refusal()


def test_a_stale_status_after_a_claim_is_refused(story: Story) -> None:
    story.add_update(TRAIN, make_line("new"))
    story.add_description(TRAIN, "CREATE_COMPLETE")
    assert story.find_refusal()


def test_a_double_distribution_is_refused(story: Story) -> None:
    """The second one would need an empty test dataset."""
    story.add_distribution()
    story.add_description(TEST, "UPDATE_COMPLETE")
    story.add_list(TEST, *select_entries(in_test_set=True))
    story.add_distribution()
    assert story.find_refusal()


def test_two_distributions_at_once_are_refused(story: Story) -> None:
    """Each would have moved two entries."""
    began = story.begin_call()
    story.add_distribution()
    story.add_distribution(began=began)
    story.add_list(TEST, *OLD[:4])
    story.add_list(TRAIN, *OLD[4:])
    assert story.find_refusal()


@pytest.mark.parametrize(
    "listed",
    [
        pytest.param(select_entries(in_test_set=True)[:1], id="an entry too few"),
        pytest.param([*select_entries(in_test_set=True), OLD[0]], id="an entry too many"),
        pytest.param(select_entries(in_test_set=True)[::-1], id="another order"),
        pytest.param([make_line(2, "dog"), OLD[7]], id="other labels"),
    ],
)
def test_a_wrong_split_is_refused(story: Story, listed: list[str]) -> None:
    story.add_distribution()
    story.add_description(TEST, "UPDATE_COMPLETE")
    story.add_list(TEST, *listed)
    story.add_list(TRAIN, *select_entries(in_test_set=False))
    assert story.find_refusal()


@pytest.mark.parametrize("label", ["cat", "dog"])
def test_a_moved_entry_that_an_update_adds_again_is_explained(story: Story, label: str) -> None:
    """No list shows the training dataset between the distribution and the update."""
    story.add_distribution()
    story.add_description(TRAIN, "UPDATE_COMPLETE")
    story.add_update(TRAIN, make_line("new"), make_line(MOVED[1], label))
    story.add_description(TRAIN, "UPDATE_COMPLETE")
    kept = select_entries(in_test_set=False)
    story.add_list(TRAIN, *kept, make_line("new"), make_line(MOVED[1], label))
    assert story.find_refusal() is None
    story.add_list(TRAIN, *kept, make_line("new"))
    assert story.find_refusal()


def test_two_distributions_without_a_list_between_them_are_explained(story: Story) -> None:
    story.add_distribution()
    story.add_description(TEST, "UPDATE_COMPLETE")
    story.add("DeleteDataset", DatasetArn=TEST)
    story.add_creation(COPY)
    story.add("DistributeDatasetEntries", DatasetArns=(TRAIN, COPY))
    story.add_list(COPY, OLD[9], OLD[8])
    assert story.find_refusal()
    del story.calls[-1]
    story.add_list(COPY, OLD[4], OLD[8])
    story.add_list(TRAIN, *(line for number, line in enumerate(OLD) if number not in (2, 4, 7, 8)))
    assert story.find_refusal() is None


def test_the_revert_of_a_second_distribution_is_explained(story: Story) -> None:
    """While the second distribution runs, the second revert could be a repetition of the first one."""
    for _ in range(2):
        story.add_distribution()
        began = story.begin_call()
        story.add_list(TEST, *select_entries(in_test_set=True))
        story.add("RevertDatasetDistribution", began=began)
    story.add_list(TRAIN, *OLD)
    assert story.find_refusal() is None


def test_an_entry_in_both_datasets_is_refused(story: Story) -> None:
    story.add_distribution()
    story.add_list(TEST, *select_entries(in_test_set=True))
    story.add_list(TRAIN, *OLD)
    assert story.find_refusal()


def test_a_refusal_needs_a_reason(story: Story) -> None:
    story.add_update(TRAIN, make_line("new"), error="ResourceInUseException")
    assert story.find_refusal()


@pytest.mark.parametrize("at_once", [True, False])
def test_only_calls_at_once_have_any_order(story: Story, *, at_once: bool) -> None:
    """The update that ended last was made first."""
    began = story.begin_call()
    story.add_update(TRAIN, make_line("first"))
    story.add_update(TRAIN, make_line("second"), began=began if at_once else None)
    story.add_list(TRAIN, *OLD, make_line("second"), make_line("first"))
    assert (story.find_refusal() is None) == at_once


def test_a_call_without_an_answer_was_made_or_not(story: Story) -> None:
    story.add_update(TRAIN, make_line("unanswered"), error=UNKNOWN)
    story.add_list(TRAIN, *OLD)
    assert story.find_refusal() is None
    story.add_list(TRAIN, *OLD, make_line("unanswered"))
    assert story.find_refusal() is None
    story.add_list(TRAIN, *OLD)
    assert story.find_refusal()


def test_a_search_without_end_says_so(story: Story) -> None:
    with pytest.raises(UndecidedError):
        find_refusal(story.calls, ProjectModel.from_calls(story.calls), limit=1)


@pytest.mark.parametrize("answered", [True, False])
def test_only_a_creation_without_an_answer_is_taken_back(*, answered: bool) -> None:
    story = Story()
    story.add_creation(TRAIN, OLD, error="" if answered else UNKNOWN)
    for arn in (TRAIN, None):
        story.add(SLOT, DatasetType="TRAIN", answer={"Arn": arn})
    assert (story.find_refusal() is None) != answered


def test_a_distribution_that_keeps_the_test_entries_is_explained(story: Story) -> None:
    tell_growth(story)
    assert story.find_refusal() is None


def test_a_distribution_of_a_filled_test_dataset_without_keep_test_is_refused(story: Story) -> None:
    tell_growth(story, keep=False)
    assert story.find_refusal()


def test_a_kept_entry_that_is_gone_is_refused(story: Story) -> None:
    tell_growth(story, lost=1)
    assert story.find_refusal()


def tell_growth(story: Story, *, keep: bool = True, lost: int = 0) -> None:
    """Distribute ten entries, add five, and distribute again; `lost` of the kept entries are missing in the list at the end."""
    new = [make_line(number, "cat") for number in range(10, 15)]
    story.add_distribution()
    story.add_description(TEST, "UPDATE_COMPLETE")
    story.add_list(TEST, *(OLD[number] for number in MOVED))
    story.add_update(TRAIN, *new)
    story.add_description(TRAIN, "UPDATE_COMPLETE")
    story.add_distribution(**({"KeepTest": True} if keep else {}))
    story.add_description(TEST, "UPDATE_COMPLETE")
    kept = [OLD[number] for number in MOVED][lost:]
    story.add_list(TEST, *kept, new[2])
    story.add_description(TRAIN, "UPDATE_COMPLETE")
    rest = [line for line in (*OLD, *new) if line not in (*[OLD[i] for i in MOVED], new[2])]
    story.add_list(TRAIN, *rest)
