"""The root relaxation by sifting: columns by path pricing, strong rows when they are broken.

Only a few percent of the columns and strong rows matter at the optimum of the relaxation. Each round prices
whole routes: one pass over the acyclic network with costs less the duals of all rows but balance gives, for
every commodity and market, the cheapest route; the columns of routes that would lower the cost enter. Rows
enter with their first column, strong rows when a solution breaks them.

The bound is Lagrangian: duals are clipped to their signs, the duals of demand are lowered until no route has
a negative reduced cost, and what the remaining columns can add within their bounds is taken off. It is valid
whatever the state of the linear program, so the search may stop at any time.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import highspy
import numpy as np
from scipy.sparse import csc_array, csr_array, hstack

from scopt.routes import Routes
from scopt.search.solver import Clock, Scaled, engine_for, run
from scopt.search.switches import Switches
from scopt.search.through import Through

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from scopt.models import Model

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]

__all__ = ["Basis", "Sifted"]

SMOOTHING = 0.5
"""Weight of the best duals in pricing."""

EXPLORE_ROUNDS = 3
"""Rounds of strong rows at a node of branch and bound."""

START_COLUMNS, MOST_ENDS = 25_000, 20
"""Last lanes to begin with, in all and for each cell of demand at most: a small model is given a choice."""

EAGER_ROWS = 10_000
"""Strong rows of the first columns up to which a model without stock begins with all of them."""

CHOOSE, DEVEX = -1, 1
"""Edge weights of the dual simplex method, as HiGHS numbers them."""

STATUS = [highspy.HighsBasisStatus(i) for i in range(5)]
BASIC = int(highspy.HighsBasisStatus.kBasic)


@dataclass(frozen=True, eq=False)
class Basis:
    """Status of all columns and rows; 0 and 1 (not basic, basic) where a relaxation left them out."""

    column: NDArray[np.int8]
    row: NDArray[np.int8]
    artificial: NDArray[np.int8]


class Sifted:
    """The relaxation of a model with columns and strong rows on demand.

    Parameters
    ----------
    model, scaled
        A model and its scaled arrays.
    clock
        Time budget.
    seed
        Of the solver.
    known
        Marks of columns that mattered in an earlier relaxation (`known`), to start with.
    """

    def __init__(
        self, model: Model, scaled: Scaled, clock: Clock, seed: int = 0, known: Ints | None = None
    ) -> None:
        self.model, self.scaled, self.clock = model, scaled, clock
        self.routes = Routes(model.network)
        arrays = scaled.arrays
        self.n, self.width = model.network.size, len(arrays.cost)
        self._read_rows()
        self.sets: list[Ints] = []
        self.lazy = np.flatnonzero(arrays.lazy)
        self.lazy_matrix = csr_array(scaled.matrix[self.lazy])
        self.switches = Switches(arrays)
        self.seed, self.integer = seed, np.flatnonzero(arrays.integer)
        names = [arrays.decisions[j].parent_component().local_name for j in self.integer - arrays.flows]
        self.kind = np.array(names, dtype=object)
        self.lower, self.upper = scaled.lower.copy(), scaled.upper.copy()
        self.closed = np.zeros(self.n, bool)
        self._find_special_rows()
        # Without stock most strong rows of columns at hand are tight: they enter with their columns.
        self.stocked = model.notes["cells"].count > 0
        self.entering = self.balance if self.stocked else self.balance | arrays.lazy
        self._start(known)
        self.warm = known is not None  # columns are known that mattered, but no basis
        self.best_bound, self.shortage = -np.inf, np.inf
        self.center, self.dual = np.zeros((2, len(scaled.row)))
        self.solved = False  # whether `value` holds the optimum of some restricted master

    def _read_rows(self) -> None:
        """Put the matrix in the orders in which it is asked for."""
        matrix = self.scaled.matrix
        self.balance = np.zeros(matrix.shape[0], bool)
        self.balance[: self.model.network.rows] = True
        self.by_row, self.by_column = csr_array(matrix), csc_array(matrix)
        self.transposed = csr_array(csr_array(matrix.multiply(~self.balance[:, None])).T)

    def copy(self) -> Sifted:
        """Return a second engine with the same columns, rows and bounds, to be used beside this one."""
        twin = copy(self)
        for name in ("inside", "seat", "row_seat", "in_rows", "lower", "upper", "closed"):
            setattr(twin, name, getattr(self, name).copy())
        twin.engine = engine_for(self.seed)
        twin.engine.passModel(self.engine.getLp())
        return twin

    def adopt(self, other: Sifted) -> None:
        """Take over the columns of another one."""
        columns = np.flatnonzero(other.inside & ~self.inside)
        if len(columns):
            self._add_columns(columns)

    def known(self) -> Ints:
        """Return the marks of the columns at hand, the same for every version of a stock point."""
        return np.unique(self.marks[self.inside[: self.n]])

    @cached_property
    def marks(self) -> Ints:
        """Mark each column so that it differs from all others but versions of its stock point."""
        net, lane = self.model.network, self.model.chain.lanes["lane"].to_numpy()
        mark = net.commodity.astype(np.uint64)
        # A strategy has some of the lanes of its case; those that it has keep their numbers.
        of_case = np.where(net.lane >= 0, lane[net.lane], -1) if len(lane) else net.lane
        places = (net.kind, net.site, net.to_site, net.market, of_case, net.group)
        parts = (*places, net.left * 1e6, net.ready * 1e6)
        for part in parts:
            mark = mark * np.uint64(0x9E3779B97F4A7C15) + np.rint(part).astype(np.int64).astype(np.uint64)
            mark ^= mark >> np.uint64(29)
        return mark.astype(np.int64)

    @cached_property
    def row_marks(self) -> Ints:
        """Mark each strong row by the columns in it, versions of a stock point alike, (strong rows,)."""
        entries = self.lazy_matrix.indices
        marks = np.append(self.marks, np.zeros(self.width - self.n, np.int64)).view(np.uint64)[entries]
        marks[entries >= self.n] = 0
        start = self.lazy_matrix.indptr[:-1]
        least, most = (np.zeros(len(self.lazy), np.uint64) for _ in range(2))
        filled = np.diff(self.lazy_matrix.indptr) > 0
        most[filled] = np.maximum.reduceat(marks, start[filled])
        marks[entries >= self.n] = most.max(initial=0)
        least[filled] = np.minimum.reduceat(marks, start[filled])
        return (most * np.uint64(0x9E3779B97F4A7C15) ^ least).astype(np.int64)

    def _find_special_rows(self) -> None:
        """Demand row of each (market, channel, product), and the row that defines each meter."""
        arrays = self.scaled.arrays
        first: dict[str, tuple[int, int]] = {}
        at = 0
        for name, count in arrays.row_blocks:
            first.setdefault(name, (at, count))
            at += count
        net, chain = self.model.network, self.model.chain
        start, _ = first.get("demand", (0, 0))
        number = np.full(chain.demand.shape, -1, np.int64)
        wanted = np.nonzero(chain.demand)
        number[wanted] = start + np.arange(len(wanted[0]))
        ends = self.routes.last[self.routes.first]
        self.demand_row = number[net.market[ends], net.channel[ends], net.product[ends]]
        wanted_there = chain.demand[net.market[ends], net.channel[ends], net.product[ends]]
        self.demand = wanted_there / self.scaled.column[ends]
        place, m = arrays.place, self.model.pyomo
        meters = [
            (place[var.name], first[name][0] + i)
            for name, _ in self.model.meters
            for i, var in enumerate(getattr(m, name).values())
        ]
        self.meter_column = np.array([c for c, _ in meters], np.int64)
        self.meter_row = np.array([r for _, r in meters], np.int64)

    # -- restricted master -----------------------------------------------------------------------------------

    def _start(self, known: Ints | None) -> None:
        scaled = self.scaled
        inside = np.zeros(self.width, bool)
        inside[self.n :] = True
        share = self.switches.spread(scaled.cost[scaled.arrays.flows :])[: self.n]
        own = scaled.cost[: self.n]
        cells = len(self.routes.first)
        ends = min(max(START_COLUMNS // max(cells, 1), 1), MOST_ENDS)
        for weight in (0.0, 0.3, 1.0, 2.0, 4.0, 10.0):
            cost = own + weight * share
            best, length = self.routes.cheapest(cost)
            inside[self.routes.columns(cost, length, np.ones(cells, bool), ends)] = True
        if known is not None:
            inside[: self.n] |= np.isin(self.marks, known)
        self.inside = inside
        columns = np.flatnonzero(inside)
        low, high = scaled.row_lower, scaled.row_upper
        touched = np.zeros(len(low), bool)
        touched[self.by_column[:, columns[columns < self.n]].indices] = True  # decisions are in most rows
        strong = scaled.arrays.lazy & self.entering & touched
        first = ~scaled.arrays.lazy & (touched | ~self.balance)
        rows = np.flatnonzero(first | strong if strong.sum() <= EAGER_ROWS else first)
        self.row_seat = np.full(len(low), -1, np.int64)
        self.row_seat[rows] = np.arange(len(rows))
        self.in_rows = np.zeros(len(low), bool)
        self.in_rows[rows] = True
        self.row_order = rows
        # What all demand costs on dear routes: more than breaking a rule among decisions can save.
        needy, sign, penalty = self._shortages(float(self.demand @ np.where(np.isfinite(best), best, 0.0)))
        extra = csc_array(
            (sign, (self.row_seat[needy], np.arange(len(needy)))), shape=(len(rows), len(needy))
        )
        part = csc_array(self.by_row[rows][:, columns])
        part = csc_array(hstack([part, extra], format="csc"))
        self.artificial = np.arange(len(columns), len(columns) + len(needy))
        self.column_order = np.concatenate([columns, np.full(len(needy), -1)])
        none, inf = np.zeros(len(needy)), np.full(len(needy), np.inf)
        self.engine = engine_for(self.seed)
        self.engine.passModel(
            part.shape[1], len(rows), part.nnz, int(highspy.MatrixFormat.kColwise),
            int(highspy.ObjSense.kMinimize), 0.0, np.r_[scaled.cost[columns], penalty],
            np.r_[scaled.lower[columns], none], np.r_[scaled.upper[columns], inf], low[rows], high[rows],
            part.indptr.astype(np.int32), part.indices.astype(np.int32), part.data,
            np.zeros(part.shape[1], np.int32),
        )  # fmt: skip
        self.seat = np.full(self.width, -1, np.int64)
        self.seat[columns] = np.arange(len(columns))

    def _shortages(self, dear: float) -> tuple[Ints, Floats, Floats]:
        """Rows that the columns at hand may break, on which side (1 short, -1 over), and the price of it.

        These are rows that nothing at all would break, and rows among decisions alone, which no column mends.
        """
        scaled = self.scaled
        low, high = scaled.row_lower, scaled.row_upper
        core = ~scaled.arrays.lazy & ~self.balance
        entries = csr_array(abs(scaled.matrix))
        whole = entries[:, self.integer].sum(axis=1) > 0
        whole &= entries[:, : scaled.arrays.flows].sum(axis=1) == 0
        short = np.flatnonzero(core & np.isfinite(low) & ((low > 0) | whole))
        over = np.flatnonzero(core & np.isfinite(high) & ((high < 0) | whole))
        rows = np.concatenate([short, over])
        sign = np.concatenate([np.ones(len(short)), -np.ones(len(over))])
        usual = 20.0 * max(1.0, float(np.abs(scaled.cost[: self.n]).max(initial=1.0)))
        return rows, sign, np.where(whole[rows], max(usual, 2.0 * dear), usual)

    def _add_columns(self, columns: Ints) -> None:
        scaled = self.scaled
        rows = np.unique(self.by_column[:, columns].indices).astype(np.int64)
        self.add_rows(rows[self.entering[rows]])
        part = csc_array(self.by_column[:, columns])
        coo = part.tocoo()
        keep = self.in_rows[coo.row]
        part = csc_array(
            (coo.data[keep], (self.row_seat[coo.row[keep]], coo.col[keep])),
            shape=(len(self.row_order), len(columns)),
        )
        self.engine.addCols(
            len(columns), scaled.cost[columns], scaled.lower[columns], scaled.upper[columns], part.nnz,
            part.indptr[:-1].astype(np.int32), part.indices.astype(np.int32), part.data,
        )  # fmt: skip
        self.seat[columns] = len(self.column_order) + np.arange(len(columns))
        self.column_order = np.concatenate([self.column_order, columns])
        self.inside[columns] = True

    def add_rows(self, rows: Ints) -> int:
        """Add those of the rows that are not there yet; return how many."""
        rows = rows[~self.in_rows[rows]]
        if not len(rows):
            return 0
        coo = csr_array(self.by_row[rows]).tocoo()
        keep = self.inside[coo.col]
        part = csr_array(
            (coo.data[keep], (coo.row[keep], self.seat[coo.col[keep]])),
            shape=(len(rows), len(self.column_order)),
        )
        self.engine.addRows(
            len(rows), self.scaled.row_lower[rows], self.scaled.row_upper[rows], part.nnz,
            part.indptr[:-1].astype(np.int32), part.indices.astype(np.int32), part.data,
        )  # fmt: skip
        self.row_seat[rows] = len(self.row_order) + np.arange(len(rows))
        self.row_order = np.concatenate([self.row_order, rows])
        self.in_rows[rows] = True
        return len(rows)

    def _run(self, strategy: int, limit: float, solver: str = "simplex", *, near: bool = False) -> bool:
        """Run the simplex method (strategy 1 dual, 4 primal) or another solver; False without an optimum.

        Where few steps are left to be done (`near`) the dual method goes without steepest edges: weights for
        them are made anew after every row that was added, and take longer than the steps.
        """
        self.engine.setOptionValue("solver", solver)
        self.engine.setOptionValue("simplex_strategy", strategy)
        self.engine.setOptionValue("simplex_dual_edge_weight_strategy", DEVEX if near else CHOOSE)
        self.engine.setOptionValue("time_limit", self.engine.getRunTime() + max(limit, 0.1))
        run(self.engine, self.clock)
        done = self.engine.getModelStatus() == highspy.HighsModelStatus.kOptimal
        if done:
            self.solved = True
            solution = self.engine.getSolution()
            self.value = np.zeros(self.width)
            real = self.column_order >= 0
            values = np.asarray(solution.col_value)
            self.value[self.column_order[real]] = values[real]
            self.shortage = float(values[self.artificial].sum())
            self.objective = float(self.engine.getInfo().objective_function_value)
            self.dual = np.zeros(len(self.in_rows))
            self.dual[self.row_order] = np.asarray(solution.row_dual)
        return bool(done)

    # -- pricing and bound -----------------------------------------------------------------------------------

    def _price(self, weight: float = 0.0) -> int:
        """Add the columns of open routes with negative reduced cost; return how many.

        Parameters
        ----------
        weight
            Weight of the best duals so far against the present ones (smoothing, Wentges 1997): it keeps the
            duals from swinging. Without a new column there, the present duals are priced.
        """
        for share in (weight, 0.0) if weight > 0 else (0.0,):
            dual = share * self.center + (1 - share) * self.dual
            reduced = (self.scaled.cost - self.transposed @ dual)[: self.n]
            reduced = np.where(self.closed, np.inf, reduced)
            if share > 0:
                self.raise_bound(dual)
            best, length = self.routes.cheapest(reduced)
            wanted = best < -1e-6
            if not wanted.any():
                continue
            new = self.routes.columns(reduced, length, wanted)
            new = np.unique(new[~self.inside[new]])
            if len(new):
                self._add_columns(new)
                return len(new)
        return 0

    def raise_bound(self, dual: Floats) -> None:
        """Keep the better of the best bound and that of the given duals."""
        value = self.bound(dual)
        if value > self.best_bound:
            self.best_bound, self.center = value, dual

    def bound(self, dual: Floats) -> float:
        """Lagrangian bound for any duals and the present bounds of decisions, in money; -inf without one."""
        scaled = self.scaled
        low, high = scaled.row_lower, scaled.row_upper
        dual = np.where(np.isinf(high) & (dual < 0), 0.0, dual)
        dual = np.where(np.isinf(low) & (dual > 0), 0.0, dual)
        reduced = scaled.cost - self.transposed @ dual
        meters = self.meter_column
        short = np.minimum(reduced[meters], 0.0) * np.isinf(scaled.upper[meters])
        dual[self.meter_row] -= short / (scaled.row[self.meter_row] * scaled.column[meters])
        reduced = scaled.cost - self.transposed @ dual
        best, _ = self.routes.cheapest(np.where(self.closed, np.inf, reduced[: self.n]))
        low_routes = np.where(np.isfinite(best), np.minimum(best, 0.0), 0.0)
        ends = self.routes.last[self.routes.first]
        dual[self.demand_row] += low_routes / (scaled.row[self.demand_row] * scaled.column[ends])
        reduced = (scaled.cost - self.transposed @ dual)[self.n :]
        lower, upper = self.lower[self.n :], self.upper[self.n :]
        free = (np.isinf(upper) & (reduced < 0)) | (np.isinf(lower) & (reduced > 0))
        if (np.abs(reduced[free]) > 1e-6).any():
            return -np.inf
        moved = (reduced != 0) & ~free
        total = float(reduced[moved] @ np.where(reduced > 0, lower, upper)[moved])
        priced = (dual != 0) & ~self.balance
        total += float(dual[priced] @ np.where(dual > 0, low, high)[priced])
        return scaled.value(total)

    def _cut(self) -> int:
        """Add the strong rows that the solution breaks; return how many."""
        activity = self.lazy_matrix @ self.value
        return self.add_rows(self.lazy[activity > self.scaled.row_upper[self.lazy] + 1e-6])

    def _cut_through(self) -> int:
        """Add rows on what goes through sites that the solution breaks; return how many."""
        return self.add_sets(self.through.broken(self.value * self.scaled.column))

    @cached_property
    def through(self) -> Through:
        """Rows on what goes through sites."""
        return Through(self.model, self.scaled.arrays, self.marks)

    def add_sets(self, sets: list[Ints]) -> int:
        """Add the rows of those sets on what goes through sites that are known here; return how many."""
        sets = [one for one in sets if self.through.knows(one)]
        if not sets:
            return 0
        rows, before, count = self.through.rows(sets), len(self.in_rows), len(sets)
        self.sets += sets
        self.scaled = self.scaled.with_rows("through", rows)
        self._read_rows()
        none, nought = np.zeros(count, bool), np.zeros(count)
        self.in_rows, self.entering = np.append(self.in_rows, none), np.append(self.entering, none)
        self.center, self.dual = np.append(self.center, nought), np.append(self.dual, nought)
        self.row_seat = np.append(self.row_seat, np.full(count, -1))
        return self.add_rows(before + np.arange(count))

    def solve(
        self, gap: float, limit: float, report: Callable[[float], None], enough: float = np.inf
    ) -> bool:
        """Solve the relaxation; False when time ran out first (the bounds that were reported stay valid).

        Parameters
        ----------
        gap
            Relative gap between restricted master and Lagrangian bound that is good enough.
        limit
            Seconds.
        report
            Called with every bound, in money.
        enough
            Bound from which on no more is asked for.
        """
        end, little, level = self.clock.seconds + limit, 0.2 * gap, -np.inf
        # From columns that mattered before, the interior point method finds a basis much sooner.
        if not self._run(1, limit, "ipm" if self.warm else "simplex"):
            return False
        self.raise_bound(self.dual)
        while True:
            for _ in range(3):
                new = self._price(SMOOTHING)
                report(self.best_bound)
                if not new or self.best_bound >= enough:
                    break
                if not self._run(4, end - self.clock.seconds):
                    return False
            if self.best_bound >= enough:
                return True
            before = self.objective
            cuts = self._cut()
            if cuts and not self._run(1, end - self.clock.seconds, near=True):
                return False
            self.raise_bound(self.dual)
            report(self.best_bound)
            cost = self.scaled.value(self.objective)
            tight = cost - self.best_bound <= gap * abs(cost)
            still = self.objective - before <= little * abs(self.objective)
            if (not cuts or still) and (not new or tight):
                # Rows on what goes through sites come last: before, duals have not settled. With stock they
                # make every step dearer than branching on sites, which raises the bound as well.
                risen = self.objective - level > gap * abs(self.objective)
                if self.stocked or not risen or not self._cut_through():
                    return True
                level = self.objective
                if not self._run(1, end - self.clock.seconds, near=True):
                    return False

    def hold(self, lower: Floats, upper: Floats) -> None:
        """Set bounds of whole decisions, (integer,), and close the columns that they switch off."""
        arrays, columns = self.scaled.arrays, self.integer
        self.lower[columns], self.upper[columns] = lower, upper
        self.engine.changeColsBounds(len(columns), self.seat[columns].astype(np.int32), lower, upper)
        least, most = arrays.lower[arrays.flows :].copy(), arrays.upper[arrays.flows :].copy()
        least[columns - arrays.flows], most[columns - arrays.flows] = lower, upper
        # Switches are whole decisions: what else has no bound does not count.
        least, most = (np.where(np.isfinite(bound), bound, 0.0) for bound in (least, most))
        self.closed = self.switches.closed(least, most)[: self.n]

    def unsupported(self, point: Floats) -> Bools:
        """Whole decisions that a relaxed point (of all columns) does not take, and the columns they close."""
        arrays = self.scaled.arrays
        least, most = (np.where(np.isfinite(b), b, 0.0) for b in (arrays.lower, arrays.upper))
        off = np.zeros(self.width, bool)
        off[self.integer] = (point[self.integer] <= 1e-6) & (arrays.lower[self.integer] <= 0)
        most = np.where(off, 0.0, most)
        off[: arrays.flows] = self.switches.closed(least[arrays.flows :], most[arrays.flows :])
        return off

    def strong_rows(self, open_: Bools) -> Bools:
        """Strong rows that have to do with the open ones of all columns: some lane and some decision."""
        out = np.zeros(len(self.in_rows), bool)
        has = abs(self.lazy_matrix)
        flow, decision = (has[:, part] @ open_[part] > 0 for part in (slice(self.n), slice(self.n, None)))
        out[self.lazy] = flow & decision
        return out

    def release(self) -> None:
        """Give whole decisions back their bounds."""
        arrays = self.scaled.arrays
        self.hold(arrays.lower[self.integer], arrays.upper[self.integer])

    def basis(self) -> Basis:
        """Return the basis of the last run, in the numbers of the whole model."""
        basis = self.engine.getBasis()
        status = np.array([int(x) for x in basis.col_status], np.int8)
        column = np.zeros(self.width, np.int8)
        real = self.column_order >= 0
        column[self.column_order[real]] = status[real]
        row = np.ones(len(self.in_rows), np.int8)
        row[self.row_order] = [int(x) for x in basis.row_status]
        return Basis(column, row, status[self.artificial])

    def restore(self, basis: Basis) -> None:
        """Take up a basis, with the columns and rows that it needs."""
        columns = np.flatnonzero((basis.column == BASIC) & ~self.inside)
        if len(columns):
            self._add_columns(columns)
        self.add_rows(np.flatnonzero(basis.row != BASIC))
        status = np.zeros(len(self.column_order), np.int8)
        real = self.column_order >= 0
        status[real] = basis.column[self.column_order[real]]
        status[self.artificial] = basis.artificial
        taken = highspy.HighsBasis()
        taken.col_status = [STATUS[x] for x in status.tolist()]
        taken.row_status = [STATUS[x] for x in basis.row[self.row_order].tolist()]
        taken.valid = True
        self.engine.setBasis(taken)
        self.warm = False

    def explore(
        self, lower: Floats, upper: Floats, basis: Basis, enough: float, gap: float, end: float
    ) -> float:
        """Bound under other bounds of whole decisions, in money; valid even when time runs out.

        Parameters
        ----------
        lower, upper
            Bounds of whole decisions, (integer,).
        basis
            Where to start from.
        enough
            Bound from which on no more is asked for.
        gap
            Relative gap between restricted master and bound that is good enough.
        end
            Second of the clock at which to stop.
        """
        self.restore(basis)
        self.hold(lower, upper)
        bound = -np.inf
        if not self._run(1, end - self.clock.seconds):
            return bound
        for _ in range(EXPLORE_ROUNDS):
            while True:
                bound = max(bound, self.bound(self.dual))
                cost = self.scaled.value(self.objective)
                if bound >= min(enough, cost - gap * abs(cost)) or not self._price():
                    break
                if not self._run(4, end - self.clock.seconds):
                    return bound
            if bound >= enough or not self._cut():
                break
            if not self._run(1, end - self.clock.seconds, near=True):
                return bound
        return max(bound, self.bound(self.dual))

    def settle(self, rounds: int, limit: float) -> bool:
        """Solve again after bounds changed, pricing only columns that are not closed."""
        end = self.clock.seconds + limit
        if not self._run(1, limit, near=True):
            return False
        for _ in range(rounds):
            if not self._price():
                break
            if not self._run(4, end - self.clock.seconds):
                return False
        return True

    def dive(self, limit: float) -> Floats | None:
        """Round the whole decisions step by step, solving in between; lines of roots are left as they are.

        Sites, offers and joined pools come first, stock points last.

        Parameters
        ----------
        limit
            Seconds.

        Returns
        -------
        ndarray or None
            A solution whose decisions are whole, in the units of the case; None when no design came of it.
        """
        integer = self.integer
        rounded, hold_last = self.kind != "line", self.kind == "stock_point"
        lower, upper = self.lower[integer].copy(), self.upper[integer].copy()
        first = lower.copy(), upper.copy()
        end = self.clock.seconds + limit
        for group, threshold in ((rounded & ~hold_last, 0.5), (hold_last, 0.25)):
            cautious = False
            while ((lower < upper) & group).any():
                if self.clock.seconds > end:
                    self.hold(*first)
                    return None
                before = lower.copy(), upper.copy()
                x, open_ = self.value[integer], (lower < upper) & group
                up, down = open_ & (x >= 0.9), open_ & (x <= 0.02)
                rest = open_ & ~up & ~down
                if group is hold_last or (not cautious and rest.sum() == 0):
                    up, down = open_ & (x >= threshold), open_ & (x < threshold)
                elif not up.any():
                    pick = np.flatnonzero(rest if rest.any() else open_)
                    pick = pick[np.argsort(-x[pick])][: max(1, len(pick) // 4)]
                    up[pick] = True
                lower[up] = 1.0
                if not cautious:
                    upper[down] = 0.0
                if self._try(lower, upper, end):
                    cautious = False
                    continue
                if not cautious and group is not hold_last:
                    lower, upper = before
                    cautious = True
                    if self._try(lower, upper, end):
                        continue
                self.hold(*first)
                return None
        self.hold(*first)
        return self.value * self.scaled.column

    def _try(self, lower: Floats, upper: Floats, end: float) -> bool:
        self.hold(lower, upper)
        return self.settle(6, end - self.clock.seconds) and self.shortage <= 1e-6
