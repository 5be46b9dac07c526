"""An independent formulation of the split: a binary variable for each entry or group, and |.| as two inequalities.

It starts from the entries and shares only the solver library with the product.
"""

from collections.abc import Sequence
from fractions import Fraction

import highspy

from tests.split.entries import Entry


def solve_least_deviation(
    entries: Sequence[Entry], fraction: Fraction, size: int, *, grouped: bool = False
) -> float:
    """The least total deviation of any test set of `size` entries."""
    model = highspy.Highs()  # type: ignore[no-untyped-call]
    model.setOptionValue("output_flag", False)
    # HiGHS has one scheduler in a process; the split under test asks for one thread too.
    model.setOptionValue("threads", 1)
    model.setOptionValue("mip_rel_gap", 0.0)
    owners = {entry: entry.group if grouped else entry.source for entry in entries}
    chosen = {owner: model.addBinary() for owner in sorted(set(owners.values()))}
    model.addConstr(sum(chosen[owners[entry]] for entry in entries) == size)
    total = None
    for name in sorted({name for entry in entries for name in entry.labels} | {""}):
        carriers = [e for e in entries if (name in e.labels if name else not e.labels)]
        if carriers:
            off = model.addVariable(lb=0)
            share = float(fraction * len(carriers))
            count = sum(chosen[owners[entry]] for entry in carriers)
            model.addConstr(count - off <= share)
            model.addConstr(count + off >= share)
            total = off if total is None else total + off
    model.minimize(total)
    assert model.getModelStatus() == highspy.HighsModelStatus.kOptimal
    return float(model.getInfo().objective_function_value)
