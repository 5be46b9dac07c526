"""Check of the coverage: enough images of each label on each side, and the cost in deviation."""

from collections.abc import Mapping
from typing import Any

from twofold_verify.balance_checks import compute_total_deviation, read_bound
from twofold_verify.floors import compute_floor
from twofold_verify.runner import Split, WrongError, require_equal


def check_coverage(split: Split) -> str:
    minimum, claimed = split.report.min_per_label, split.report.raw.get("coverage")
    if claimed is None or not minimum:
        require_equal(
            (claimed, "minPerLabel" in split.report.parameters), (None, False), "coverage"
        )
        return "No number of images on each side is demanded."
    images, test = split.images
    few = [label for label in split.label_order if images[label] < 2 * minimum]
    require_equal(claimed["labelsWithTooFewImages"], few, "labels with too few images")
    for label in split.label_order:
        if images[label] >= 2 * minimum and not minimum <= test[label] <= images[label] - minimum:
            raise WrongError(
                f"The label {label!r} has {test[label]} of {images[label]} images in the test set; "
                f"{minimum} are demanded on each side."
            )
    _check_coverage_cost(split, claimed)
    return (
        f"{len(split.label_order) - len(few)} labels have at least {minimum} images on each side, "
        f"{len(few)} have too few images; cost: {claimed['cost']} images of deviation."
    )


def _check_coverage_cost(split: Split, claimed: Mapping[str, Any]) -> None:
    fraction = split.report.fraction
    deviation = compute_total_deviation(*split.columns, fraction)
    without = read_bound(claimed["deviationWithout"], fraction)
    floor = compute_floor(split, minimum=0)
    if not floor <= without <= deviation:
        raise WrongError(
            f"The deviation without coverage, {without}, is not between {floor} and {deviation}."
        )
    require_equal(claimed["cost"], str(deviation - without), "cost of the coverage")
    if floor < without:
        split.unchecked.append(
            f"coverage.deviationWithout: {without} is the deviation of a split that the report does not have."
        )
