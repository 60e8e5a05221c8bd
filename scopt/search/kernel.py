"""The kernel of a relaxation with stock: all decisions, and the routes that were found; designs in it."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csc_array, csr_array, hstack

from scopt.search.solver import Lp, side_by_side, solve_mip

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from scopt.search.sifting import Sifted
    from scopt.search.solver import Clock, Scaled

    Bools = NDArray[np.bool_]
    Floats = NDArray[np.float64]

__all__ = ["Kernel", "agree"]

AGREED = 0.02
"""Distance up to which a relaxation agrees with a design about a decision."""

LARGE, CLOSE, FINER = 20_000, (0.5, 0.25), 1 / 3
"""Columns of a kernel from which on small neighbourhoods come first, in which its linear program and a design
agree but for such distances; and the part of the gap that is asked for there."""


def agree(relaxed: Floats, design: Floats, distance: float = AGREED) -> Bools:
    """Decisions about which the values of a relaxation and of a design agree but for a distance."""
    return np.asarray(np.abs(relaxed - design) <= distance)


@dataclass(frozen=True, eq=False)
class Kernel:
    """A model of all decisions and few routes, in this order of its columns.

    Attributes
    ----------
    scaled
        The model.
    beside
        Column of the whole model that the first decision is.
    routes
        Columns of the network that each route takes, (network, routes).
    """

    scaled: Scaled
    beside: int
    routes: csc_array

    @classmethod
    def of(cls, sifted: Sifted) -> Kernel:
        """Take the routes at hand, open or closed, with all links and the strong rows at hand.

        Rows that were found are left out: they have many entries, and only a bound needs them.
        """
        own = len(sifted.in_rows) - len(sifted.sets)
        rows = np.flatnonzero((sifted.in_rows | sifted.links)[:own])
        lean, n, routes = sifted.lean, sifted.n, sifted.taken
        count = len(sifted.order)
        ends = routes.indices[routes.indptr[:-1]]  # columns of a route are counted in the same units
        whole = np.concatenate([sifted.scaled.arrays.integer[n:], np.zeros(count, bool)])
        matrix = csr_array(hstack([sifted.decision_rows[rows], sifted.flow_rows[rows] @ routes]))
        small = replace(
            lean, arrays=replace(sifted.scaled.arrays, integer=whole), matrix=matrix,
            column=np.r_[lean.column[n:], lean.column[ends]],
            cost=np.r_[lean.cost[n:], routes.T @ lean.cost[:n]],
            lower=np.r_[lean.lower[n:], np.zeros(count)], upper=np.r_[lean.upper[n:], np.full(count, np.inf)],
            row=lean.row[rows], row_lower=lean.row_lower[rows], row_upper=lean.row_upper[rows],
        )  # fmt: skip
        return cls(small, n, routes)

    def improved(
        self, relaxed: Floats, design: dict[int, float], cost: Callable[[Floats], float], clock: Clock, *,
        gap: float, limit: float, seed: int = 0, threads: int | None = None,
    ) -> list[Floats]:  # fmt: skip
        """Look for better designs around one, in neighbourhoods that grow (Mladenović and Hansen 1997).

        In each the decisions are held about which a relaxed solution and the design agree (relaxation induced
        neighbourhood search, Danna, Rothberg and Le Pape 2005): first those of the whole relaxation, then
        besides those of the linear program that this leaves, with several distances side by side (`CLOSE`). A
        few dozen decisions are left, which take seconds; with all that a relaxation leaves open, cuts take
        most of the time and tell of bounds only. So that is searched only where the others bring little, then
        around the best design, or where the kernel is small.

        Parameters
        ----------
        relaxed
            Values of all columns of the whole model, of which those of whole decisions are looked at.
        design
            Values of whole decisions, by their columns in this model.
        cost
            What a solution of the whole model truly costs, money per year; chords leave out a part of it.
        clock
            Time budget.
        gap, limit
            Relative gap at which the widest one is left, and seconds for all.
        seed, threads
            Of the solver.

        Returns
        -------
        list of ndarray
            Solutions of the whole model, in the units of the case, the truly cheapest last.
        """
        end, point = clock.seconds + limit, relaxed[self.beside :]
        rest = self.between(point, design, AGREED)
        every, cores = np.ones(len(rest.scaled.row), bool), threads or os.cpu_count() or 1
        points: list[Floats] = []
        costs: list[float] = []

        def search(distance: float, fine: float, own: int | None) -> list[Floats]:
            left = end - clock.seconds
            if left <= 0:
                return []
            small = rest.between(point, design, distance).scaled
            return solve_mip(
                small, every, clock, start=design, gap=fine, limit=left, seed=seed, threads=own
            ).points

        if len(rest.scaled.cost) >= LARGE:
            found = Lp(rest.scaled, None, clock, seed).solve(limit)
            if found is None:
                return points
            point, own = found, None if threads is None else max(threads // len(CLOSE), 1)
            jobs = [partial(search, distance, FINER * gap, own) for distance in CLOSE]
            points = [one for some in side_by_side(jobs, cores, clock) for one in some]
            costs = [cost(self.whole(one)) for one in points]
        if costs:
            best = points[int(np.argmin(costs))]
            design = {column: float(round(best[column])) for column in design}
        if not costs or min(costs) >= (1 - FINER * gap) * max(costs):
            more = search(AGREED, gap, threads)
            points, costs = points + more, costs + [cost(self.whole(one)) for one in more]
        return [self.whole(points[n]) for n in np.argsort(costs, kind="stable")[::-1].tolist()]

    def around(
        self, relaxed: Floats, design: dict[int, float], clock: Clock, *, gap: float, seed: int = 0
    ) -> list[Floats]:
        """Look for better designs where some values and a design do not agree, in one neighbourhood.

        Parameters and returns are those of `improved`, with the best by what it costs in this model last.
        """
        small = self.between(relaxed[self.beside :], design, AGREED).scaled
        every = np.ones(len(small.row), bool)
        found = solve_mip(small, every, clock, start=design, gap=gap, seed=seed)
        return [self.whole(point) for point in found.points]

    def between(self, point: Floats, design: dict[int, float], distance: float) -> Kernel:
        """Hold the decisions about which a point and a design agree but for a distance; the design is in it.

        Parameters
        ----------
        point
            Values of the columns of this model, or of its decisions alone, which come first.
        design
            Values of whole decisions, by their columns.
        distance
            How far apart both may be, where one unit is all or nothing.
        """
        column = np.fromiter(design, np.int64, len(design))
        value = np.fromiter(design.values(), float, len(design))
        agreed = agree(point[column], value, distance)
        scaled = self.scaled
        lower, upper = scaled.lower.copy(), scaled.upper.copy()
        lower[column[agreed]] = upper[column[agreed]] = value[agreed]
        return replace(self, scaled=replace(scaled, lower=lower, upper=upper))

    def whole(self, point: Floats) -> Floats:
        """Return a solution as one of the whole model, in the units of the case."""
        decisions = len(point) - self.routes.shape[1]
        return np.concatenate([self.routes @ point[decisions:], point[:decisions]])
