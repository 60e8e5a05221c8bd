r"""The Lagrangian function of a relaxation, on all columns of its network or on a part of them.

At duals :math:`u` every cell of demand takes its cheapest route, and decisions the values that are cheapest
within their bounds, or under the rows among themselves (`inner`):

.. math:: L(u) = \min_{x, y} \; c^\top x + f^\top y + u^\top (b - A x - B y)

On a part of the columns fewer routes can be taken: that function lies nowhere below the whole one, and agrees
with it where the cheapest routes are in the part. To evaluate it takes a tenth of the time.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csc_array

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from scopt.search.inner import Inner
    from scopt.search.sifting import Sifted

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]

__all__ = ["Function", "Lagrangian", "Solution"]


@dataclass(frozen=True, eq=False)
class Lagrangian:
    """The Lagrangian function at some duals.

    Parameters
    ----------
    value, bound
        Its value in the units of the solver and in money; -inf where it has none.
    dual
        Duals at which it is taken, (rows,).
    reduced
        Reduced costs of the columns in the network, or of the part of them.
    best
        Reduced cost of the cheapest route of each (market, channel, product), before demand had its dual.
    length
        Lengths to all balance rows.
    rest, decision
        Reduced costs of the decisions, and their values; 0 of those without a bound.
    """

    value: float
    bound: float
    dual: Floats
    reduced: Floats
    best: Floats
    length: Floats
    rest: Floats
    decision: Floats


@dataclass(frozen=True, eq=False)
class Solution:
    """What would be done if duals were prices, in the units of the solver.

    Parameters
    ----------
    columns, units
        Columns of the network that are used, and how much flows there.
    decision
        Values of all decisions.
    """

    columns: Ints
    units: Floats
    decision: Floats


class Function:
    """The Lagrangian function of a relaxation as it is, but for the bounds of decisions.

    Parameters
    ----------
    sifted
        The relaxation.
    columns
        Part of the columns of the network; all of them if not given.
    beside
        Rows that are looked at besides those that the part is in, (rows,).

    Attributes
    ----------
    rows
        Rows that are looked at: all others have no dual, and nothing to do with the columns.
    last
        Strong rows on last lanes.
    """

    def __init__(self, sifted: Sifted, columns: Ints | None = None, beside: Bools | None = None) -> None:
        self.sifted, self.routes, self.last = sifted, sifted.routes, sifted.last
        lean, free = sifted.lean, ~sifted.balance
        self.columns: Ints | slice = slice(None)
        self.rows: Ints | slice = slice(None)
        self.seat = np.arange(len(lean.row))
        self.flow_columns, self.decision_rows = sifted.flow_columns, sifted.decision_rows
        if columns is not None and beside is not None:
            self.columns, self.routes = columns, sifted.routes.part(columns)
            self.last = sifted.last.part(self.routes)
            entries = csc_array(sifted.flow_columns[:, columns])
            beside = beside.copy()
            beside[entries.indices] = True
            self.rows, self.seat = np.flatnonzero(beside & free), np.cumsum(beside & free) - 1
            self.flow_columns = csc_array(entries[self.rows])
            self.decision_rows = sifted.decision_rows[self.rows]
        self.cost = lean.cost[: sifted.n][self.columns]
        # What duals take off the cost of columns and of decisions.
        self.off_columns, self.off_decisions = self.flow_columns.T, csc_array(self.decision_rows).T
        self.low, self.high = lean.row_lower[self.rows], lean.row_upper[self.rows]
        # Bounds of the duals, and what a unit of a dual of either sign is worth.
        self.least = np.where(free[self.rows] & np.isfinite(self.high), -np.inf, 0.0)
        self.most = np.where(free[self.rows] & np.isfinite(self.low), np.inf, 0.0)
        self.worth = (
            np.where(np.isfinite(self.low), self.low, 0.0),
            np.where(np.isfinite(self.high), self.high, 0.0),
        )
        ends = sifted.routes.last[sifted.routes.first]
        cells, demand_row = self.routes.cells, sifted.demand_row
        self.unit = (lean.row[demand_row] * lean.column[ends])[cells]
        self.demand, self.demand_seat = sifted.demand[cells], self.seat[demand_row[cells]]

    def held_by(self, sifted: Sifted) -> Function:
        """Return the same function for the bounds of another relaxation with the same rows."""
        out = copy(self)
        out.sifted = sifted
        return out

    def part(self, at: Lagrangian, share: float, used: Bools) -> Function:
        """Return it on the columns whose routes are the cheapest ones, or nearly, at some duals.

        Parameters
        ----------
        at
            This function, of all columns, at these duals.
        share
            How many columns, as a part of all.
        used
            Columns to be in it whatever they cost, (columns,).
        """
        spare, count = self.routes.spare(at.reduced, at.length), int(share * (len(at.reduced) - 1))
        # The cheapest routes are in it whatever the rounding.
        most = max(
            np.partition(spare, count)[count],
            1e-9 * (1.0 + np.abs(at.best[np.isfinite(at.best)]).max(initial=0.0)),
        )
        beside = np.ones(len(at.dual), bool)
        beside[self.sifted.lazy] = at.dual[self.sifted.lazy] != 0
        return Function(self.sifted, np.flatnonzero((spare <= most) | used), beside)

    def at(self, dual: Floats, inner: Inner | None = None) -> Lagrangian:
        """Take it at any duals, (rows,), which are clipped to their signs.

        The duals of rows on last lanes are the best for those of demand (`last`); these are set to what makes
        the cheapest route of each cell cost nothing, and those of rows without flows to the best ones, where
        their program is given (`inner`).
        """
        sifted, lean, routes, last = self.sifted, self.sifted.lean, self.routes, self.last
        mine = np.clip(dual[self.rows], self.least, self.most)
        if inner is not None:
            mine[self.seat[inner.rows]] = 0.0
        mine[self.seat[last.rows]] = 0.0
        reduced = self.cost - self.off_columns @ mine
        reduced[sifted.closed[self.columns]] = np.inf
        best, length = routes.cheapest(reduced)
        if len(last.rows):
            own = last.duals(routes.whole(reduced, length))
            mine[self.seat[last.rows]] = own
            reduced[routes.last] += last.spread(own)
            best = routes.best(routes.whole(reduced, length))
        mine[self.demand_seat] += np.where(np.isfinite(best), best, 0.0) / self.unit
        rest = lean.cost[sifted.n :] - self.off_decisions @ mine
        solved = None if inner is None else inner.solve(rest)
        if inner is not None and solved is not None:
            place = self.seat[inner.rows]
            mine[place] = np.clip(solved[1], self.least[place], self.most[place])
            rest -= inner.off @ mine[place]
        lower, upper = sifted.lower[sifted.n :], sifted.upper[sifted.n :]
        free = (np.isinf(upper) & (rest < 0)) | (np.isinf(lower) & (rest > 0))
        decision = np.where(rest > 0, lower, np.where(rest < 0, upper, np.clip(0.0, lower, upper)))
        decision[free] = 0.0
        total = float(rest @ decision + mine @ np.where(mine > 0, *self.worth))
        worth = mine[self.demand_seat]
        wrong = (worth < self.least[self.demand_seat]) | (worth > self.most[self.demand_seat])
        if wrong.any() or (np.abs(rest[free]) > 1e-6).any():
            total = -np.inf
        if inner is not None and solved is not None:
            decision[inner.columns] = solved[0]
        whole = np.zeros(len(dual))
        whole[self.rows] = mine
        return Lagrangian(total, lean.value(total), whole, reduced, best, length, rest, decision)

    def taken(self, at: Lagrangian, cells: Bools | None = None) -> tuple[Ints, Ints]:
        """Routes that are taken there: by some (market, channel, product), and where `last` serves.

        All that can be reached take theirs if none are told.

        Returns
        -------
        tuple
            Columns of all routes, and for each column the number of its route.
        """
        columns, number, _ = self._taken(at, np.isfinite(at.best) if cells is None else cells)
        return (columns if isinstance(self.columns, slice) else self.columns[columns]), number

    def _taken(self, at: Lagrangian, cells: Bools) -> tuple[Ints, Ints, Floats]:
        """Such routes, their columns counted in the part, and what each of them brings."""
        chosen = np.flatnonzero(cells & ~self.last.cells)
        served, amount = self.last.served(at)
        lanes = np.append(self.routes.ends(at.reduced, at.length, chosen), self.routes.last[served])
        columns, number = self.routes.leading_to(lanes, at.reduced, at.length)
        return columns, number, np.append(self.demand[chosen], amount)

    def slope(self, at: Lagrangian, moving: Bools) -> tuple[Ints, Floats, Solution]:
        """By how much rows are short there, as far as their duals may follow: rows, amounts, and of what.

        Parameters
        ----------
        at
            This function at some duals.
        moving
            Rows that count, (rows,).
        """
        columns, number, units = self._taken(at, np.isfinite(at.best))
        flow = np.bincount(columns, units[number], minlength=len(at.reduced))
        used = np.flatnonzero(flow)
        done = self.flow_columns @ flow + self.decision_rows @ at.decision
        dual = at.dual[self.rows]
        wanted = np.where(
            dual > 0, self.low, np.where(dual < 0, self.high, np.clip(done, self.low, self.high))
        )
        place = np.flatnonzero((wanted != done) & moving[self.rows])
        rows = place if isinstance(self.rows, slice) else self.rows[place]
        columns = used if isinstance(self.columns, slice) else self.columns[used]
        return rows, wanted[place] - done[place], Solution(columns, flow[used].astype(float), at.decision)
