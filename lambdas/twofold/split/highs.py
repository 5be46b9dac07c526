"""HiGHS: solve a mixed-integer programme and return a solution and a bound.

One thread, a fixed seed, and limits on nodes and steps rather than time: a programme has the same solution on a fast and on a
slow machine.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from twofold.label_sets import compute_offsets

if TYPE_CHECKING:
    import highspy

WORK_LIMIT = 10_000
"""Steps for all programmes of a split together. Hard data takes about 10 ms a step."""

LP_WORK = 300_000_000
"""Iterations of the simplex method for a linear relaxation, times its non-zero values: a few seconds."""

ITERATION_WORK = 10_000
"""Iterations of the simplex method, times the rows of the programme, that count as a step."""

LIMITS = ("node limit", "work limit")
_TOLERANCE = 1e-4
_MAX_ITERATIONS = 1 << 30
_STATUSES = {
    "Optimal": "optimal",
    "Infeasible": "infeasible",
    "Solution limit reached": LIMITS[0],
    "Interrupted by user": LIMITS[1],
}

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class MipModel:
    """Minimize `cost @ y` subject to `0 <= y <= upper` and `row_lower <= A y <= row_upper`; `integral` marks integer columns.

    `A` has the non-zero values `value` at (`row`, `column`), in any order.
    """

    cost: Floats
    upper: Floats
    integral: NDArray[np.bool_]
    row: NDArray[np.int64]
    column: NDArray[np.int64]
    value: Floats
    row_lower: Floats
    row_upper: Floats


@dataclass(frozen=True, slots=True)
class MipSolution:
    """`y` is None if HiGHS found no solution, `bound` is -inf if HiGHS proved no bound.

    `status` is "optimal", "infeasible", "node limit", "work limit", "inexact", or another status in HiGHS's words.
    """

    y: Floats | None
    bound: float
    status: str

    @property
    def limit_reached(self) -> bool:
        return self.status in LIMITS


class HighsSolver:
    """HiGHS with a budget of steps for all of its programmes together.

    A step is a place at which HiGHS checks for an interrupt: a node, a round of cuts, a heuristic. The number and the order of
    steps depend on the programme alone.
    """

    def __init__(self, work_limit: int = WORK_LIMIT) -> None:
        self.remaining = work_limit

    def minimize(
        self,
        model: MipModel,
        *,
        max_nodes: int,
        gap: float = 1e-7,
        start: Floats | None = None,
    ) -> MipSolution:
        """Solve to within an absolute `gap`, from the solution `start` if given."""
        options = _build_options(max_nodes, gap)
        solution = self._run(model, options, start)
        if solution is None:
            # Without a start, HiGHS has nothing to return in place of the better solution.
            solution = self._run(model, options, None)
        return solution or MipSolution(None, -np.inf, "inexact")

    def relax(self, model: MipModel) -> Relaxation:
        """The linear relaxation of a programme, within the same budget."""
        return Relaxation(model, self)

    def _run(
        self, model: MipModel, options: Mapping[str, Any], start: Floats | None
    ) -> MipSolution | None:
        """Return None if the columns of the solution do not have the objective that HiGHS reports.

        After presolve HiGHS 1.16 can report the objective of a better solution and return the columns of `start`.
        """
        import highspy

        # The public class prints a banner on standard output before it can be silenced; its base class does not.
        highs = highspy._core._Highs()
        for option, setting in options.items():
            highs.setOptionValue(option, setting)
        highs.passModel(_build_highs_model(model))
        if start is not None:
            start_solution = highspy.HighsSolution()
            start_solution.col_value = start.tolist()
            highs.setSolution(start_solution)
        highs.setCallback(self._count_step, None)
        highs.startCallback(highspy._core.cb.HighsCallbackType.kCallbackMipInterrupt)
        highs.run()
        info = highs.getInfo()
        status = highs.modelStatusToString(highs.getModelStatus())
        feasible = info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
        y = np.array(highs.getSolution().col_value) if feasible else None
        # Check the objective of the returned columns.
        if y is not None and abs(model.cost @ y - info.objective_function_value) > _TOLERANCE:
            return None
        bound = info.mip_dual_bound if np.isfinite(info.mip_dual_bound) else -np.inf
        return MipSolution(y, float(bound), _STATUSES.get(status, status))

    def _count_step(self, kind: Any, message: str, state: Any, control: Any, data: Any) -> None:
        """Interrupt HiGHS when the budget is used up. HiGHS calls this once more before it stops."""
        self.remaining -= 1
        control.user_interrupt = self.remaining < 0


def compute_row_duals(model: MipModel) -> Floats | None:
    """The dual value of each row in the linear relaxation, or None if HiGHS needs more than LP_WORK."""
    import highspy

    highs = highspy._core._Highs()
    for option, setting in _build_options(max_nodes=0, gap=0.0).items():
        highs.setOptionValue(option, setting)
    highs.setOptionValue("simplex_iteration_limit", LP_WORK // len(model.value))
    highs.passModel(_build_highs_model(replace(model, integral=np.zeros_like(model.integral))))
    highs.run()
    if highs.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        return None
    return np.array(highs.getSolution().row_dual)


class Relaxation:
    """The linear relaxation of a programme, solved again and again while columns are fixed.

    Each solution starts from the basis of the solution before. Its iterations are taken from the budget of the solver.
    """

    def __init__(self, model: MipModel, solver: HighsSolver) -> None:
        import highspy

        self._solver = solver
        self._iterations_a_step = max(1, ITERATION_WORK // len(model.row_lower))
        self._highs = highspy._core._Highs()
        for option, setting in _build_options(max_nodes=0, gap=0.0).items():
            self._highs.setOptionValue(option, setting)
        relaxed = replace(model, integral=np.zeros_like(model.integral))
        self._highs.passModel(_build_highs_model(relaxed))

    def fix(self, columns: NDArray[np.int64], values: Floats) -> None:
        """Fix columns at values."""
        indices = columns.astype(np.int32)
        self._highs.changeColsBounds(len(indices), indices, values, values)

    def solve(self) -> Floats | None:
        """The values of the columns, or None if there is no solution or the budget is used up."""
        import highspy

        if self._solver.remaining <= 0:
            return None
        limit = min(self._solver.remaining * self._iterations_a_step, _MAX_ITERATIONS)
        self._highs.setOptionValue("simplex_iteration_limit", limit)
        self._highs.run()
        iterations = self._highs.getInfo().simplex_iteration_count
        self._solver.remaining -= -(-iterations // self._iterations_a_step)
        if self._highs.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            return None
        return np.array(self._highs.getSolution().col_value)


def _build_options(max_nodes: int, gap: float) -> dict[str, bool | float | str]:
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


def _build_highs_model(model: MipModel) -> highspy.HighsLp:
    import highspy

    # HiGHS takes the matrix by columns (CSC).
    order = np.lexsort((model.row, model.column))
    counts = np.bincount(model.column, minlength=len(model.cost))
    lp = highspy.HighsLp()
    lp.num_col_ = len(model.cost)
    lp.num_row_ = len(model.row_lower)
    lp.col_cost_ = model.cost
    lp.col_lower_ = np.zeros(len(model.cost))
    lp.col_upper_ = model.upper
    lp.row_lower_ = model.row_lower
    lp.row_upper_ = model.row_upper
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    lp.a_matrix_.start_ = compute_offsets(counts).astype(np.int32)
    lp.a_matrix_.index_ = model.row[order].astype(np.int32)
    lp.a_matrix_.value_ = model.value[order]
    types = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
    lp.integrality_ = [types[int(flag)] for flag in model.integral]
    return lp
