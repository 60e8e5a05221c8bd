"""The restricted master of the relaxation: some routes and some rows of a model in a linear program.

Its columns are whole routes from a source to a market, so flows balance by themselves and need no rows; all
decisions are always there.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING

import highspy
import numpy as np
from scipy.sparse import csc_array, csr_array, hstack, vstack

from scopt.search.paths import Paths
from scopt.search.rows import below
from scopt.search.solver import engine_for, run

if TYPE_CHECKING:
    from typing import Any, Self

    from numpy.typing import NDArray

    from scopt.search.solver import Clock, Scaled

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]

__all__ = ["BASIC", "Basis", "Master"]

CHOOSE, DEVEX = -1, 1
"""Edge weights of the dual simplex method, as HiGHS numbers them."""

DUAL, PRIMAL = 1, 4
"""Simplex methods, as HiGHS numbers them."""

SHORT = 1e-7
"""What is short of a row at most where nothing is."""

STATUS = [highspy.HighsBasisStatus(i) for i in range(5)]
BASIC = int(highspy.HighsBasisStatus.kBasic)


@dataclass(frozen=True, eq=False)
class Basis:
    """Status of all routes, decisions, rows and shortages.

    Routes that were left out are 0 (not basic), rows 1 (basic). Routes that were found later than the basis
    are not basic.
    """

    path: NDArray[np.int8]
    decision: NDArray[np.int8]
    row: NDArray[np.int8]
    artificial: NDArray[np.int8]


class Master:
    """A linear program of some routes and rows.

    Parameters
    ----------
    scaled
        The whole model.
    n
        Number of its columns that are in the network; what comes after them is called decisions here.
    balance
        Rows that say that flows balance.
    clock, seed
        Time budget, and seed of the solver.

    Attributes
    ----------
    value
        Last optimum, (columns,).
    dual
        Last duals, (rows,); 0 for rows that are left out.
    objective, shortage
        Last objective, and by how much rows are broken in it.
    short
        What is short in it of each row that may be broken, (needy,).
    solved
        Whether there is a last optimum.
    passed
        Whether the last run stopped at an objective above what was told.
    penalty, asked
        Price of breaking such a row, and what is asked at present, (needy,).
    """

    def __init__(self, scaled: Scaled, n: int, balance: Bools, clock: Clock, seed: int) -> None:
        self.lean, self.n, self.width, self.clock, self.seed = scaled, n, len(scaled.cost), clock, seed
        self.balance = balance
        self.paths = Paths(n)
        self._read_rows()
        self.solved, self.passed, self.shortage = False, False, np.inf
        self.lower, self.upper = scaled.lower.copy(), scaled.upper.copy()

    def _read_rows(self) -> None:
        """Put the matrix in the orders in which it is asked for."""
        matrix = csr_array(self.lean.matrix)
        self.decision_rows = csr_array(matrix[:, self.n :])
        self.decision_columns = csc_array(self.decision_rows)
        self.flow_rows = csr_array(matrix[:, : self.n].multiply(~self.balance[:, None]))
        self.flow_rows.eliminate_zeros()
        self.flow_columns = csc_array(self.flow_rows)

    def _read_more(self, rows: csr_array) -> None:
        """Put rows that were added at the end of the matrix in these orders as well."""
        flows, decisions = csr_array(rows[:, : self.n]), csr_array(rows[:, self.n :])
        self.decision_rows = csr_array(vstack([self.decision_rows, decisions]))
        self.decision_columns = below(self.decision_columns, decisions)
        self.flow_rows = csr_array(vstack([self.flow_rows, flows]))
        self.flow_columns = below(self.flow_columns, flows)

    def begin(self, rows: Ints, needy: Ints, sign: Floats, penalty: Floats) -> None:
        """Hand the decisions and some rows to the solver.

        Parameters
        ----------
        rows
            Rows to begin with.
        needy, sign, penalty
            Those that may be broken, on which side (1 short, -1 over), and the price of it.
        """
        scaled, beside = self.lean, self.width - self.n
        self.row_order, self.row_seat = rows, np.full(len(scaled.row), -1, np.int64)
        self.row_seat[rows] = np.arange(len(rows))
        self.in_rows = self.row_seat >= 0
        self.artificial = beside + np.arange(len(needy))
        self.needy, self.penalty, self.asked = needy, penalty, penalty.copy()
        short = csc_array(
            (sign, (self.row_seat[needy], np.arange(len(needy)))), shape=(len(rows), len(needy))
        )
        part = csc_array(hstack([self.decision_rows[rows], short], format="csc"))
        none, inf = np.zeros(len(needy)), np.full(len(needy), np.inf)
        self.engine = self._solver()
        self.engine.passModel(
            part.shape[1], len(rows), part.nnz, int(highspy.MatrixFormat.kColwise),
            int(highspy.ObjSense.kMinimize), 0.0, np.r_[scaled.cost[self.n :], penalty],
            np.r_[scaled.lower[self.n :], none], np.r_[scaled.upper[self.n :], inf],
            scaled.row_lower[rows], scaled.row_upper[rows],
            part.indptr.astype(np.int32), part.indices.astype(np.int32), part.data,
            np.zeros(part.shape[1], np.int32),
        )  # fmt: skip
        self.fixed = part.shape[1]  # columns before the routes
        self.order = np.empty(0, np.int64)
        self.shut = np.zeros(0, bool)
        self.taken = csc_array((self.n, 0))

    def _solver(self) -> Any:
        engine = engine_for(self.seed)
        engine.setOptionValue("solver", "simplex")
        engine.setOptionValue("simplex_scale_strategy", 0)  # scaling what is scaled costs steps
        return engine

    def copy(self) -> Self:
        """Return a second one with the same columns, rows and bounds, to be used beside this one."""
        twin = copy(self)
        for name in ("row_seat", "in_rows", "lower", "upper", "asked"):
            setattr(twin, name, getattr(self, name).copy())
        twin.engine = self._solver()
        twin.engine.passModel(self.engine.getLp())
        return twin

    def adopt(self, other: Master) -> None:
        """Take over the routes of another one."""
        self.add_paths(other.order)

    @property
    def inside(self) -> Bools:
        """Columns that some route takes, (columns,); decisions all."""
        inside = np.ones(self.width, bool)
        inside[: self.n] = np.bincount(self.taken.indices, minlength=self.n) > 0
        return inside

    def add_paths(self, numbers: Ints) -> int:
        """Add those of the routes that are not there yet; return how many."""
        numbers = np.setdiff1d(numbers, self.order)
        if not len(numbers):
            return 0
        route = csc_array(self.paths.matrix[:, numbers])
        self._before(route)
        entries = (self.flow_columns @ route).tocoo()
        keep = self.in_rows[entries.row] & (entries.data != 0)
        part = csc_array(
            (entries.data[keep], (self.row_seat[entries.row[keep]], entries.col[keep])),
            shape=(len(self.row_order), len(numbers)),
        )
        count = len(numbers)
        self.engine.addCols(
            count, route.T @ self.lean.cost[: self.n], np.zeros(count), np.full(count, np.inf), part.nnz,
            part.indptr[:-1].astype(np.int32), part.indices.astype(np.int32), part.data,
        )  # fmt: skip
        self.order = np.concatenate([self.order, numbers])
        self.shut = np.concatenate([self.shut, np.zeros(count, bool)])
        self.taken = csc_array(hstack([self.taken, route], format="csc"))
        return count

    def _before(self, route: csc_array) -> None:
        """Do what has to be done before routes are added."""

    def add_rows(self, rows: Ints) -> int:
        """Add those of the rows that are not there yet; return how many."""
        rows = rows[~self.in_rows[rows]]
        if not len(rows):
            return 0
        decisions = self.decision_rows[rows].tocoo()
        flows = (self.flow_rows[rows] @ self.taken).tocoo()
        flows.eliminate_zeros()
        part = csr_array(
            (
                np.concatenate([decisions.data, flows.data]),
                (
                    np.concatenate([decisions.row, flows.row]),
                    np.concatenate([decisions.col, self.fixed + flows.col]),
                ),
            ),
            shape=(len(rows), self.fixed + len(self.order)),
        )
        self.engine.addRows(
            len(rows), self.lean.row_lower[rows], self.lean.row_upper[rows], part.nnz,
            part.indptr[:-1].astype(np.int32), part.indices.astype(np.int32), part.data,
        )  # fmt: skip
        self.row_seat[rows] = len(self.row_order) + np.arange(len(rows))
        self.row_order = np.concatenate([self.row_order, rows])
        self.in_rows[rows] = True
        return len(rows)

    def bound_decisions(self, columns: Ints, lower: Floats, upper: Floats) -> None:
        """Set bounds of decisions."""
        self.lower[columns], self.upper[columns] = lower, upper
        self.engine.changeColsBounds(len(columns), (columns - self.n).astype(np.int32), lower, upper)

    def close(self, closed: Bools) -> None:
        """Close all routes that take some closed column of the network, (n,), and open the others."""
        shut = np.asarray(closed.astype(float) @ self.taken) > 0
        changed = np.flatnonzero(shut != self.shut)
        self.shut = shut
        if len(changed):
            none, most = np.zeros(len(changed)), np.where(shut[changed], 0.0, np.inf)
            self.engine.changeColsBounds(len(changed), (self.fixed + changed).astype(np.int32), none, most)

    def ask(self, penalty: Floats) -> None:
        """Set the price of breaking each row that may be broken, (needy,), in the units of the solver."""
        changed = np.flatnonzero(penalty != self.asked)
        self.asked = penalty
        if len(changed):
            columns = self.artificial[changed].astype(np.int32)
            self.engine.changeColsCost(len(changed), columns, penalty[changed])

    def insist(self) -> bool:
        """Ask the full price where less was asked and something is short; False if that is nowhere."""
        low = (self.short > SHORT) & (self.asked < self.penalty)
        self.ask(np.where(low, self.penalty, self.asked))
        return bool(low.any())

    def run(self, strategy: int, limit: float, *, near: bool = False, most: float = np.inf) -> bool:
        """Run a simplex method (`DUAL`, `PRIMAL`); False without an optimum.

        Where few steps are left to be done (`near`), as after the primal method took back its perturbations,
        the dual method goes without steepest edges: weights for them are made anew after every row that was
        added, and take longer than the steps. It stops where the objective is known to lie above some value
        (`most`): then there are duals, and no optimum (`passed`).
        """
        self.engine.setOptionValue("simplex_strategy", strategy)
        weights = DEVEX if near or strategy == PRIMAL else CHOOSE
        self.engine.setOptionValue("simplex_dual_edge_weight_strategy", weights)
        self.engine.setOptionValue("objective_bound", most)
        self.engine.setOptionValue("time_limit", self.engine.getRunTime() + max(limit, 0.1))
        run(self.engine, self.clock)
        status, solution = self.engine.getModelStatus(), self.engine.getSolution()
        done = status == highspy.HighsModelStatus.kOptimal
        self.passed = status == highspy.HighsModelStatus.kObjectiveBound
        if done or self.passed:
            self.dual = np.zeros(len(self.in_rows))
            self.dual[self.row_order] = np.asarray(solution.row_dual)
        if done:
            self.solved = True
            values = np.asarray(solution.col_value)
            flows = self.taken @ values[self.fixed :]
            self.value = np.concatenate([flows, values[: self.width - self.n]])
            self.short = values[self.artificial]
            self.shortage = float(self.short.sum())
            self.objective = float(self.engine.getInfo().objective_function_value)
        return bool(done)

    def basis(self) -> Basis:
        """Return the basis of the last run, in the numbers of the whole model."""
        basis = self.engine.getBasis()
        status = np.array([int(x) for x in basis.col_status], np.int8)
        path = np.zeros(self.paths.count, np.int8)
        path[self.order] = status[self.fixed :]
        row = np.ones(len(self.in_rows), np.int8)
        row[self.row_order] = [int(x) for x in basis.row_status]
        return Basis(path, status[: self.width - self.n], row, status[self.artificial])

    def restore(self, basis: Basis) -> None:
        """Take up a basis, with the routes and rows that it needs."""
        self.add_paths(np.flatnonzero(basis.path == BASIC))
        self.add_rows(np.flatnonzero(basis.row != BASIC))
        path = np.zeros(self.paths.count, np.int8)
        path[: len(basis.path)] = basis.path
        status = np.concatenate([basis.decision, basis.artificial, path[self.order]])
        taken = highspy.HighsBasis()
        taken.col_status = [STATUS[x] for x in status.tolist()]
        taken.row_status = [STATUS[x] for x in basis.row[self.row_order].tolist()]
        taken.valid = True
        self.engine.setBasis(taken)
