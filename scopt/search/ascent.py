r"""Good duals before any linear program: steps to a level of the Lagrangian function of the relaxation.

A step costs two passes over a tenth of the network (`lagrangian`), a small program among the last functions
that the slopes gave (`bundle`) and one for rows without flows (`inner`), however large the linear program
would be, and shows which routes and rows matter. After some steps the best duals are tried on the whole
network, and rows on tiers are looked for that the mean of what the steps did breaks. The level lies above the
best bound; where it turns out to be out of reach it is halved.
"""

from __future__ import annotations

from dataclasses import replace
from operator import attrgetter
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csc_array, csr_array

from scopt.search.bundle import Bundle
from scopt.search.inner import Inner
from scopt.search.rows import stacked

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from scopt.search.lagrangian import Solution
    from scopt.search.sifting import Sifted

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]

    Routed = tuple[Ints, Ints]

__all__ = ["ascend", "climb"]

LEVEL = 0.05
"""How far above the best bound the level lies at first, as a part of it."""

STEPS, PART = 20, 0.1
"""Steps on a part of the columns before the whole network is looked at again, and how large the part is."""

GAIN = 0.1
"""Part of what the level asks for that such steps should bring."""

NARROW = 0.01
"""Level, as a part of the bound, from which on rows on tiers are looked for."""

SPARE, WIDE = 0.02, 0.1
"""Reduced cost, as a part of its cost, up to which such a route is taken along.

The second where the rows of last lanes have their best duals, so that few routes look cheap.
"""

DEAR = 0.005
"""Reduced cost, as a part of the bound, from which on a decision is left out at first."""

SLIGHT = 0.3
"""Part of the median dual from which on a row is taken along."""


def ascend(
    sifted: Sifted, start: Floats, little: float, limit: float, report: Callable[[float], None], enough: float
) -> None:
    """Begin a relaxation with good duals, and with the routes and rows that matter to them.

    Parameters
    ----------
    sifted
        The relaxation.
    start
        Duals to begin with, unless none at all are better, (rows,).
    little
        Level, as a part of the bound, from which on no more is asked for.
    limit
        Seconds.
    report
        Called with bounds, in money.
    enough
        Bound from which on no more is asked for, in money.
    """
    kept = climb(sifted, start, little, sifted.clock.seconds + limit, report, enough)
    if not kept:
        return
    first = np.cumsum([0, *(route.max(initial=-1) + 1 for _, route in kept)])
    columns = np.concatenate([column for column, _ in kept])
    route = np.concatenate([one + at for (_, one), at in zip(kept, first, strict=False)])
    numbers = np.unique(sifted.paths.add(columns, route))
    best, taken = sifted.function.at(sifted.center), csc_array(sifted.paths.matrix[:, numbers])
    # As demand has its dual, the cheapest route of a cell costs nothing.
    spare, cost = best.reduced @ taken, sifted.lean.cost[: sifted.n] @ taken
    served = sifted.routes.cut_out(best.reduced, best.length, np.isfinite(best.best))
    # The routes that it began with are only in the way, and so are those to sites that will not open.
    last = sifted.last
    if last.cells.all():
        shut = np.zeros(sifted.n)
        shut[sifted.routes.last[last.switched_by(best.rest > DEAR * abs(best.value))]] = 1.0
        near = (spare <= WIDE * np.abs(cost)) & (shut @ taken == 0)
        sifted.begin_with(np.union1d(numbers[near], sifted.paths.add(*served)))
        return
    sifted.begin_with(np.union1d(numbers[spare <= SPARE * np.abs(cost)], sifted.paths.add(*served)))
    weight = np.abs(best.dual[sifted.lazy])
    if weight.any():
        sifted.add_rows(sifted.lazy[weight > SLIGHT * np.median(weight[weight > 0])])


def climb(
    sifted: Sifted, start: Floats, little: float, end: float, report: Callable[[float], None],
    enough: float = np.inf,
) -> list[Routed]:  # fmt: skip
    """Raise the bound of a relaxation step by step, and keep its best duals.

    Parameters
    ----------
    sifted
        The relaxation; bounds that are found, and their duals, are kept there.
    start
        Duals to begin with, unless none at all are better, (rows,).
    little
        Level, as a part of the bound, from which on no more is asked for.
    end
        Second of the clock at which to stop.
    report
        Called with bounds, in money.
    enough
        Bound from which on no more is asked for, in money.

    Returns
    -------
    list
        Routes that were cheapest at good duals: columns, and for each the number of its route.
    """
    inner, whole = Inner(sifted), sifted.function
    moving = _may_move(sifted, inner)
    best = max((whole.at(dual, inner) for dual in (start, np.zeros(len(start)))), key=attrgetter("value"))
    at, level, bundle = best, LEVEL * abs(best.value), Bundle["Solution"](len(moving))
    kept: list[Routed] = []
    used = np.zeros(sifted.n, bool)

    def over() -> bool:
        return best.bound >= enough or sifted.clock.seconds >= end or not sifted.clock.left

    while np.isfinite(best.value) and level > little * abs(best.value) and not over():
        kept.append(whole.taken(at))
        used[kept[-1][0]] = True
        function, part, top = whole, whole.part(at, PART, used), at
        bundle.measure(best.dual)
        for _ in range(STEPS):
            if top.bound >= enough or over():
                break
            rows, slope, solution = function.slope(at, moving)
            bundle.add(rows, slope, at.value - float(slope @ at.dual[rows]), solution)
            at = part.at(at.dual + bundle.step(at.dual, max(best.value, top.value) + level), inner)
            function, top = part, max(top, at, key=attrgetter("value"))
            if not np.isfinite(at.value):
                break
        at = whole.at(top.dual, inner)
        if not at.value > best.value + GAIN * level:
            level *= 0.5
        if at.value > best.value:
            best = at
            report(best.bound)
        elif not np.isfinite(at.value):
            at = best
        if level <= NARROW * abs(best.value) and (new := _cut(sifted, bundle)):
            best, at = (replace(one, dual=np.append(one.dual, np.zeros(new))) for one in (best, at))
            whole, moving = sifted.function, _may_move(sifted, inner)
    sifted.keep_bound(best.dual, best.bound)
    return kept


def _cut(sifted: Sifted, bundle: Bundle[Solution]) -> int:
    """Add the rows on tiers that the mean of the last solutions breaks; return how many.

    At good duals the functions that lead a step are those that a solution of the relaxation is a mean of
    (Barahona and Anbil 2000).
    """
    if not sifted.tiers.tariffs or not bundle.weight.any():
        return 0
    beside = np.arange(sifted.width - len(bundle.origin[0].decision), sifted.width)
    every = stacked(
        [(np.append(one.columns, beside), np.append(one.units, one.decision)) for one in bundle.origin],
        sifted.width,
    )
    mean = every.T @ (bundle.weight / bundle.weight.sum())
    sifted.replaced.fill(mean)
    if new := sifted.cut_by(sifted.tiers, mean):
        matrix, most = csr_array(sifted.lean.matrix[-new:]), sifted.lean.row_upper[-new:]
        bundle.widen(most - (every @ matrix.T).toarray())
    return new


def _may_move(sifted: Sifted, inner: Inner) -> Bools:
    """Rows whose duals are moved, (rows,).

    What is wanted is worth its cheapest route, unless the duals of last lanes follow from it, and the inner
    program finds its own duals. A dual that a decision without bounds depends on has to stay what it was, or
    there is no bound at all.
    """
    out = ~sifted.balance
    out[sifted.demand_row[~sifted.last.cells]] = False
    out[inner.rows] = out[sifted.last.rows] = False
    unbounded = np.isinf(sifted.lower[sifted.n :]) | np.isinf(sifted.upper[sifted.n :])
    out[sifted.decision_columns[:, np.flatnonzero(unbounded)].indices] = False
    return out
