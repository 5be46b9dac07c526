"""HiGHS: a mixed-integer programme in, a solution and a bound out.

One thread, a fixed seed and limits that count nodes and the solver's steps: the same programme gives the same answer, on a fast
machine and on a slow one. No clock ends it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import highspy

WORK_LIMIT = 10_000
"""Steps for all programmes of a split together. Hard data takes about 10 ms for each."""

_TOLERANCE = 1e-4
LIMITS = ("node limit", "work limit")
_ENDINGS = {
    "Optimal": "optimal",
    "Infeasible": "infeasible",
    "Solution limit reached": LIMITS[0],
    "Interrupted by user": LIMITS[1],
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

    `ended` is "optimal", "infeasible", "node limit", "work limit" or else HiGHS's word.
    """

    y: Floats | None
    bound: float
    ended: str


class Solver:
    """HiGHS with a budget of steps for all of its programmes together.

    A step is a place at which HiGHS looks whether it should stop: a node, a round of cuts, a heuristic. How many there are and
    in which order depends on the programme alone.
    """

    def __init__(self, work_limit: int = WORK_LIMIT) -> None:
        self.remaining = work_limit

    def minimise(
        self,
        programme: Programme,
        *,
        max_nodes: int,
        gap: float = 1e-7,
        start: Floats | None = None,
    ) -> Answer:
        """Solve to within an absolute `gap`, from a known solution `start` if there is one."""
        answer = self._run(programme, self._options(max_nodes, gap), start)
        if answer is None:
            answer = self._run(programme, self._options(max_nodes, gap), None)
        return answer or Answer(None, -np.inf, "inexact")

    def _run(
        self, programme: Programme, options: Mapping[str, Any], start: Floats | None
    ) -> Answer | None:
        """None where HiGHS gives back columns that do not cost what it says.

        After presolve HiGHS 1.16 can report the objective of a better solution and give back the columns of `start`.
        """
        import highspy

        # The public class greets on standard output before it can be silenced; its base does not.
        highs = highspy._core._Highs()
        for option, setting in options.items():
            highs.setOptionValue(option, setting)
        highs.passModel(_model(programme))
        if start is not None:
            known = highspy.HighsSolution()
            known.col_value = start.tolist()
            highs.setSolution(known)
        highs.setCallback(self._count_step, None)
        highs.startCallback(highspy._core.cb.HighsCallbackType.kCallbackMipInterrupt)
        highs.run()
        info = highs.getInfo()
        ended = highs.modelStatusToString(highs.getModelStatus())
        found = info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
        y = np.array(highs.getSolution().col_value) if found else None
        if y is not None and abs(programme.cost @ y - info.objective_function_value) > _TOLERANCE:
            return None
        bound = info.mip_dual_bound if np.isfinite(info.mip_dual_bound) else -np.inf
        return Answer(y, float(bound), _ENDINGS.get(ended, ended))

    def _count_step(self, kind: Any, message: str, state: Any, answer: Any, data: Any) -> None:
        """Interrupts HiGHS when the budget is used up; once more is asked before it stops."""
        self.remaining -= 1
        answer.user_interrupt = self.remaining < 0

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
