"""Check of the levels: the table of balanced members, and the parts of the deviation."""

from fractions import Fraction

from twofold_verify.balance_checks import build_count_cells
from twofold_verify.manifests import is_level_column, name_column
from twofold_verify.runner import Split, require_equal


def check_levels(split: Split) -> str:
    before, test = split.columns
    fraction, claims = split.report.fraction, split.report.raw
    if not split.levels:
        for name in ("levels", "balanceBy", "labelDeviation", "levelDeviation"):
            holders = (claims, claims["parameters"], claims["certificate"])
            require_equal(any(name in claim for claim in holders), False, name)
        return "No balanced members."
    rows = [
        {
            "member": level[0],
            "level": level[1],
            **build_count_cells(before[name_column(level)], test[name_column(level)], fraction),
        }
        for level in split.levels
    ]
    require_equal(claims.get("levels"), rows, "levels")
    deviations = [Fraction(0), Fraction(0)]
    for column, count in before.items():
        deviations[is_level_column(column)] += abs(test[column] - fraction * count)
    for name, deviation in zip(("labelDeviation", "levelDeviation"), deviations, strict=True):
        require_equal(claims["certificate"].get(name), str(deviation), name)
    return f"The table of {len(rows)} levels is right, in every cell; their total deviation: {deviations[1]} images."
