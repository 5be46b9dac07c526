from fractions import Fraction

import numpy as np
import pytest

from twofold.split import LabelSets, explain_refusal

AWS = "The manifest file doesn't have enough labeled images to distribute the dataset."


def make_label_sets(
    *label_sets: list[int], names: tuple[str, ...] = ("ant", "bee", "crow")
) -> LabelSets:
    offsets = np.concatenate(([0], np.cumsum([len(labels) for labels in label_sets])))
    labels = np.array([label for labels in label_sets for label in labels], dtype=np.uint32)
    return LabelSets(offsets.astype(np.int64), labels, names)


def make_ids(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.uint32)


def test_two_images_of_a_label_are_enough() -> None:
    assert (
        explain_refusal(label_set=make_ids(0, 0, 1, 1), label_sets=make_label_sets([0], [1]))
        is None
    )


def test_a_share_that_rounds_to_no_entry_is_refused() -> None:
    reason = explain_refusal(label_set=make_ids(0, 0), label_sets=make_label_sets([0]))
    assert reason == f"{AWS} 1/5 of 2 entries leaves the test dataset empty."


def test_a_share_that_rounds_to_every_entry_is_refused() -> None:
    reason = explain_refusal(
        label_set=make_ids(0, 0), label_sets=make_label_sets([0]), fraction=Fraction(9, 10)
    )
    assert reason == f"{AWS} 9/10 of 2 entries leaves the training dataset empty."


@pytest.mark.parametrize("label_set", [make_ids(0, 1, 2), make_ids(3, 3, 3)])
def test_without_a_label_on_two_images_nothing_can_be_balanced(label_set: np.ndarray) -> None:
    reason = explain_refusal(label_set=label_set, label_sets=make_label_sets([0], [1], [2], []))
    assert reason == f"{AWS} No label has two images, so none can be in both datasets."


def test_labels_below_the_asked_minimum_are_named_with_their_images() -> None:
    label_set = make_ids(0, 0, 0, 0, 0, 1, 2)
    label_sets = make_label_sets([0], [1, 0], [2])
    assert explain_refusal(label_set=label_set, label_sets=label_sets) is None
    reason = explain_refusal(label_set=label_set, label_sets=label_sets, min_images_per_label=2)
    assert reason == (
        f"{AWS} Every label must have at least 2 images; fewer have 'bee' (1), 'crow' (1)."
    )


def test_a_long_list_of_rare_labels_is_cut() -> None:
    names = tuple(f"l{i}" for i in range(8))
    reason = explain_refusal(
        label_set=make_ids(*range(8), 0),
        label_sets=make_label_sets(*([i] for i in range(8)), names=names),
        min_images_per_label=2,
    )
    assert reason is not None
    assert reason.endswith("'l1' (1), 'l2' (1), 'l3' (1), 'l4' (1), 'l5' (1) and 2 more.")


def test_labels_that_never_leave_their_group_are_refused() -> None:
    label_set, label_sets = make_ids(0, 0, 0, 1, 1, 2), make_label_sets([0], [1], [])
    apart = np.array([1, 1, 1, 2, 2, 1], dtype=np.uint64)
    shared = np.array([1, 1, 1, 2, 1, 1], dtype=np.uint64)
    reason = explain_refusal(label_set=label_set, label_sets=label_sets, groups=apart)
    assert reason == f"{AWS} No label is in two groups, so none can be in both datasets."
    assert explain_refusal(label_set=label_set, label_sets=label_sets, groups=shared) is None
