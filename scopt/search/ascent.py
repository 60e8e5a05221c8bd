r"""Good duals before any linear program: steps to a level of the Lagrangian function of the relaxation.

A step costs two passes over a tenth of the network (`lagrangian`), a small program among the last functions
that the slopes gave (`bundle`) and one for rows without flows (`inner`), however large the linear program
would be, and shows which routes and rows matter. After some steps the best duals are tried on the whole
network, and rows on tiers are looked for that the mean of what the steps did breaks. The level lies above the
best bound; where it turns out to be out of reach it is halved.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from operator import attrgetter
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csc_array, hstack

from scopt.search.bundle import Bundle
from scopt.search.inner import Inner
from scopt.search.rows import stacked
from scopt.search.solver import side_by_side

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from scopt.search.lagrangian import Solution
    from scopt.search.sifting import Sifted

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]

    Routed = tuple[Ints, Ints]

__all__ = ["Climb", "Probe", "ascend", "climb", "probe"]

LEVEL = 0.05
"""How far above the best bound the level lies at first, as a part of it."""

STEPS, PART = 20, 0.1
"""Steps on a part of the columns before the whole network is looked at again, and how large the part is."""

GAIN = 0.1
"""Part of what the level asks for that such steps should bring."""

TRIED, AHEAD = 5, 8.0
"""Such blocks of steps before it is judged whether the bound that is wanted is near; and how many may be to
come if each brings as much as the last one."""

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


@dataclass(frozen=True, eq=False)
class Climb:
    """What steps to a better bound came by.

    Attributes
    ----------
    routes
        Routes that were cheapest at good duals: columns, and for each the number of its route.
    decision
        Values of the decisions in the mean of the last solutions, (decisions,), near those of the relaxation
        (Barahona and Anbil 2000); None without steps.
    """

    routes: list[Routed]
    decision: Floats | None


@dataclass(frozen=True, eq=False)
class Probe:
    """What a relaxation is bounded by under other bounds of whole decisions.

    Attributes
    ----------
    bound
        In money; -inf without one.
    dual
        Duals that give it, (rows,).
    decision
        As in `Climb`.
    """

    bound: float
    dual: Floats
    decision: Floats | None


def ascend(
    sifted: Sifted, start: Floats, little: float, limit: float, report: Callable[[float], None],
    enough: Callable[[], float],
) -> None:  # fmt: skip
    """Begin a relaxation with good duals, and with the routes and rows that matter to them.

    Parameters
    ----------
    sifted
        The relaxation.
    start
        Duals to begin with, unless none at all are better, (rows,).
    little
        Level, as a part of the bound, from which on no more is asked for, unless less is wanting to `enough`.
    limit
        Seconds.
    report
        Called with bounds, in money.
    enough
        Gives the bound from which on no more is asked for, in money; what it gives at first tells how far
        steps go otherwise.
    """
    kept = climb(sifted, start, little, sifted.clock.seconds + limit, report, enough).routes
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
    enough: Callable[[], float] = lambda: np.inf, *, brief: bool = False,
) -> Climb:  # fmt: skip
    """Raise the bound of a relaxation step by step, and keep its best duals; all in a thread of its own.

    Parameters
    ----------
    sifted
        The relaxation; bounds that are found, and their duals, are kept there.
    start
        Duals to begin with, unless none at all are better, (rows,).
    little
        Level, as a part of the bound, from which on no more is asked for, unless less is wanting to `enough`.
    end
        Second of the clock at which to stop.
    report
        Called with bounds, in money.
    enough
        As that of `ascend`.
    brief
        Whether to aim no higher than that, to look for no rows, and to end where it is far (`AHEAD`).
    """
    steps = partial(_climb, sifted, start, little, end, report, enough, brief=brief)
    return side_by_side([steps], 1, sifted.clock)[0]


def _climb(
    sifted: Sifted, start: Floats, little: float, end: float, report: Callable[[float], None],
    enough: Callable[[], float], *, brief: bool,
) -> Climb:  # fmt: skip
    """Climb in this thread (`climb`)."""
    wanted = enough()  # what changes later ends the steps, and turns them nowhere else
    inner, whole = Inner(sifted), sifted.function
    moving = _may_move(sifted, inner)
    best = max((whole.at(dual, inner) for dual in (start, np.zeros(len(start)))), key=attrgetter("value"))
    at, level, bundle = best, LEVEL * abs(best.value), Bundle["Solution"](len(moving))
    kept: list[Routed] = []
    used, blocks = np.zeros(sifted.n, bool), 0
    if brief:
        level = min(level, max(sifted.lean.objective(wanted) - best.value, 2 * little * abs(best.value)))

    def over() -> bool:
        return best.bound >= enough() or sifted.clock.seconds >= end or not sifted.clock.left

    def least() -> float:
        # What little is left to the bound that is wanted takes less time here than a linear program.
        return min(little * abs(best.value), sifted.lean.objective(wanted) - best.value)

    while np.isfinite(best.value) and level > least() and not over():
        kept.append(whole.taken(at))
        used[kept[-1][0]] = True
        function, part, top = whole, whole.part(at, PART, used), at
        bundle.measure(best.dual)
        for _ in range(STEPS):
            if top.bound >= wanted or over():
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
        before, blocks = best.bound, blocks + 1
        if at.value > best.value:
            best = at
            report(best.bound)
        elif not np.isfinite(at.value):
            at = best
        if brief and blocks >= TRIED and wanted - best.bound > AHEAD * (best.bound - before):
            break
        if not brief and level <= NARROW * abs(best.value) and (new := _cut(sifted, bundle)):
            best, at = (replace(one, dual=np.append(one.dual, np.zeros(new))) for one in (best, at))
            whole, moving = sifted.function, _may_move(sifted, inner)
    sifted.keep_bound(best.dual, best.bound)
    weight = bundle.weight
    if not weight.any():
        return Climb(kept, None)
    return Climb(kept, weight @ np.array([one.decision for one in bundle.origin]) / weight.sum())


def probe(
    sifted: Sifted, lower: Floats, upper: Floats, start: Floats, little: float, end: float, enough: float,
    *, brief: bool = False,
) -> Probe:  # fmt: skip
    """Bound a relaxation under other bounds of whole decisions, which it is left with, by steps alone.

    Its own bound and duals stay what they are.

    Parameters
    ----------
    lower, upper
        Bounds of whole decisions, (integer,).
    start, little, end, enough, brief
        As those of `climb`.
    """
    best, center = sifted.best_bound, sifted.center
    sifted.hold(lower, upper)
    sifted.best_bound = -np.inf
    found = climb(sifted, start, little, end, lambda _: None, lambda: enough, brief=brief)
    bound, dual = sifted.best_bound, sifted.center
    rows = len(sifted.center) - len(center)  # that were found
    sifted.best_bound, sifted.center = best, np.append(center, np.zeros(rows))
    return Probe(bound, dual, found.decision)


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
        rows = hstack([sifted.flow_rows[-new:], sifted.decision_rows[-new:]])
        bundle.widen(sifted.lean.row_upper[-new:] - (every @ rows.T).toarray())
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
