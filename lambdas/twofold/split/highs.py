"""HiGHS: a mixed-integer programme in, a solution and a bound out.

One thread, a fixed seed and a limit on nodes: the same programme gives the same answer. The clock
is the last resort, and the solver remembers when it struck.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import highspy

_TIME_LIMIT = "Time limit reached"
_ENDINGS = {
    "Optimal": "optimal",
    "Infeasible": "infeasible",
    "Solution limit reached": "node limit",
    _TIME_LIMIT: "time limit",
}

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Programme:
    """Minimise `cost @ y` with `0 <= y <= room` and `low <= A y <= high`, some of `y` integral.

    `A` is given by its non-zero values: `value` at (`row`, `column`), in any order.
    """

    cost: Floats
    room: Floats
    integral: NDArray[np.bool_]
    row: NDArray[np.int64]
    column: NDArray[np.int64]
    value: Floats
    low: Floats
    high: Floats


@dataclass(frozen=True, slots=True)
class Answer:
    """`y` is None where nothing was found, `bound` is -inf where nothing was proved.

    `ended` is "optimal", "infeasible", "node limit", "time limit" or else HiGHS's word.
    """

    y: Floats | None
    bound: float
    ended: str


class Solver:
    """HiGHS with a budget of seconds for all of its programmes together.

    `struck` tells whether the clock ever ended one: only then may another machine answer otherwise.
    """

    def __init__(self, time_limit: float) -> None:
        self.remaining = time_limit
        self.struck = False

    def minimise(
        self,
        programme: Programme,
        *,
        max_nodes: int,
        gap: float = 1e-7,
        start: Floats | None = None,
    ) -> Answer:
        """Solve to within an absolute `gap`, from a known solution `start` if there is one."""
        import highspy

        # The public class greets on standard output before it can be silenced; its base does not.
        highs = highspy._core._Highs()
        for option, setting in self._options(max_nodes, gap).items():
            highs.setOptionValue(option, setting)
        highs.passModel(_model(programme))
        if start is not None:
            known = highspy.HighsSolution()
            known.col_value = start.tolist()
            highs.setSolution(known)
        highs.run()
        self.remaining -= highs.getRunTime()
        info = highs.getInfo()
        ended = highs.modelStatusToString(highs.getModelStatus())
        self.struck |= ended == _TIME_LIMIT
        found = info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
        y = np.array(highs.getSolution().col_value) if found else None
        bound = info.mip_dual_bound if np.isfinite(info.mip_dual_bound) else -np.inf
        return Answer(y, float(bound), _ENDINGS.get(ended, ended))

    def _options(self, max_nodes: int, gap: float) -> dict[str, bool | float | str]:
        return {
            "log_to_console": False,
            "output_flag": False,
            "threads": 1,
            "parallel": "off",
            "random_seed": 0,
            "mip_rel_gap": 0.0,
            "mip_abs_gap": gap,
            "mip_max_nodes": max_nodes,
            "time_limit": max(0.1, self.remaining),
        }


def _model(programme: Programme) -> highspy.HighsLp:
    import highspy

    order = np.lexsort((programme.row, programme.column))
    counts = np.bincount(programme.column, minlength=len(programme.cost))
    lp = highspy.HighsLp()
    lp.num_col_ = len(programme.cost)
    lp.num_row_ = len(programme.low)
    lp.col_cost_ = programme.cost
    lp.col_lower_ = np.zeros(len(programme.cost))
    lp.col_upper_ = programme.room
    lp.row_lower_ = programme.low
    lp.row_upper_ = programme.high
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    lp.a_matrix_.start_ = np.concatenate(([0], np.cumsum(counts))).astype(np.int32)
    lp.a_matrix_.index_ = programme.row[order].astype(np.int32)
    lp.a_matrix_.value_ = programme.value[order]
    kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
    lp.integrality_ = [kinds[int(flag)] for flag in programme.integral]
    return lp
