r"""Strong rows on last lanes in the Lagrangian function: their best duals follow from those of demand.

A row :math:`\sum_{e \in r} a_e x_e \le M y` on lanes to one (market, channel, product) that is worth
:math:`v` a unit, which the cheapest route by lane :math:`e` brings for :math:`p_e`, has the dual

.. math:: w_r = \max_{e \in r} \max(0, v - p_e) / a_e

whatever else is asked: less would leave a route that costs less than what it brings, more takes from the
decision for nothing. Only the duals of demand have to be looked for then, as in the relaxation of facility
location by its demand (Cornuejols, Fisher and Nemhauser 1977).
"""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_array

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from scopt.routes import Routes
    from scopt.search.lagrangian import Lagrangian
    from scopt.search.sifting import Sifted

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]

__all__ = ["LastRows"]


class LastRows:
    """Strong rows of which every last lane to a (market, channel, product) has one.

    Attributes
    ----------
    rows
        The rows, by their numbers in the model.
    cells
        Whether all last lanes to a (market, channel, product) are in such rows, (cells,).
    """

    def __init__(self, sifted: Sifted) -> None:
        routes, lean = sifted.routes, sifted.lean
        place = np.full(sifted.n, -1, np.int64)
        place[routes.last] = np.arange(len(routes.last))
        # With stock a last lane is in rows of its site, its stock point and its pool; to know the dual of
        # one of them brings nothing.
        strong = sifted.scaled.arrays.lazy & np.isinf(lean.row_lower) & (lean.row_upper == 0)
        lazy = np.flatnonzero(strong & (not sifted.stocked))
        matrix = csr_array(sifted.flow_rows[lazy])
        row = np.repeat(np.arange(len(lazy)), np.diff(matrix.indptr))
        lane, entry = place[matrix.indices], matrix.data
        # Lanes to one (market, channel, product) alone, in rows that limit them.
        cell = np.where(lane >= 0, routes.cell[lane], -1)
        of_row = np.full(len(lazy), -1, np.int64)
        of_row[row] = cell
        apart = np.bincount(row, (cell < 0) | (cell != of_row[row]) | (entry <= 0), minlength=len(lazy))
        kept = (apart == 0)[row]
        # Of several rows of a lane the first.
        at, first = np.unique(lane[kept], return_index=True)
        row, entry = row[kept][first], entry[kept][first]
        having = np.bincount(routes.cell[at], minlength=len(routes.first))
        self.cells = having == np.bincount(routes.cell, minlength=len(routes.first))
        kept = self.cells[routes.cell[at]]
        order = np.argsort(row[kept], kind="stable")
        self.lane, self.entry = at[kept][order], entry[kept][order]
        number, self.start, self.seat = np.unique(row[kept][order], return_index=True, return_inverse=True)
        self.rows = lazy[number]
        self.decisions = csr_array(sifted.decision_rows[self.rows])
        self.routes = routes

    def part(self, routes: Routes) -> LastRows:
        """Rows on the last lanes of a part of the routes."""
        out = copy(self)
        place = np.full(len(self.routes.last), -1, np.int64)
        place[routes.lanes] = np.arange(len(routes.lanes))
        kept = np.flatnonzero(place[self.lane] >= 0)
        out.routes, out.cells = routes, self.cells[routes.cells]
        out.lane, out.entry = place[self.lane[kept]], self.entry[kept]
        number, out.start, out.seat = np.unique(self.seat[kept], return_index=True, return_inverse=True)
        out.rows, out.decisions = self.rows[number], self.decisions[number]
        return out

    def duals(self, whole: Floats) -> Floats:
        """Best duals of the rows where routes by the last lanes cost so much less what demand is worth."""
        if not len(self.rows):
            return np.zeros(0)
        return np.minimum(np.minimum.reduceat(whole[self.lane] / self.entry, self.start), 0.0)

    def spread(self, dual: Floats) -> Floats:
        """Return what duals of the rows add to the cost of each last lane."""
        more = -self.entry * dual[self.seat]
        return np.bincount(self.lane, more, minlength=len(self.routes.last)).astype(float)

    def switched_by(self, decisions: Bools) -> Ints:
        """Last lanes whose rows have some of all decisions in them."""
        switched: Bools = abs(self.decisions) @ decisions.astype(float) > 0
        return np.asarray(self.lane[switched[self.seat]])

    def served(self, at: Lagrangian) -> tuple[Ints, Floats]:
        """Last lanes that bring something at some duals, as many as decisions let them, and how much."""
        if not len(self.rows):
            return self.rows, np.zeros(0)
        # A lane that brings nothing may be used or not: the cheapest is, if its decision lets it.
        whole = self.routes.whole(at.reduced, at.length)
        cheap = np.isfinite(whole) & (whole <= at.best[self.routes.cell] + 1e-9)
        chosen = np.flatnonzero(cheap[self.lane])
        chosen = chosen[np.diff(self.seat[chosen], prepend=-1) > 0]  # one of each row
        amount = -(self.decisions @ at.decision)[self.seat[chosen]] / self.entry[chosen]
        used = amount > 0
        return self.lane[chosen[used]], amount[used]
