r"""Good duals before any linear program: subgradient steps on the Lagrangian function of the relaxation.

At duals :math:`u` every cell of demand takes its cheapest route, and decisions the values that are cheapest
under the rows among themselves (`inner`); :math:`g = b - A x(u)`, by how much each other row is short, is a
subgradient. A step costs two passes over the network and a small linear program, however large that of the
relaxation would be, and shows which routes and rows matter.

Steps go along deflected subgradients (Camerini, Fratta and Maffioli 1975), each row measured by what it has
been short so far (in the manner of Duchi, Hazan and Singer 2011, with the root of their weights), as far as
would reach a level above the best bound, were the function linear (Polyak 1969). A level that is not reached
is halved, and the steps begin again from the best duals.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csc_array

from scopt.search.inner import Inner

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from scopt.search.sifting import Lagrangian, Sifted

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]

    Routed = tuple[Ints, Ints]

__all__ = ["ascend", "climb"]

LEVEL = 0.05
"""How far above the best bound the level lies at first, as a part of it."""

PATIENCE = 20
"""Steps that may follow each other without a twentieth of what the level asks for.

Twice as many from the duals of another relaxation.
"""

DEFLECTION = 1.5
"""Weight of the last direction where the new subgradient turns against it."""

KEPT = 10
"""Of so many steps one leaves its routes behind."""

SPARE, WIDE = 0.005, 0.1
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
    patience = PATIENCE if sifted.guess is None else 2 * PATIENCE
    kept = climb(sifted, start, little, sifted.clock.seconds + limit, report, enough, patience)
    if not kept:
        return
    first = np.cumsum([0, *(route.max(initial=-1) + 1 for _, route in kept)])
    columns = np.concatenate([column for column, _ in kept])
    route = np.concatenate([one + at for (_, one), at in zip(kept, first, strict=False)])
    numbers = np.unique(sifted.paths.add(columns, route))
    best, taken = sifted.lagrangian(sifted.center), csc_array(sifted.paths.matrix[:, numbers])
    # As demand has its dual, the cheapest route of a cell costs nothing.
    spare, cost = best.reduced @ taken, sifted.lean.cost[: sifted.n] @ taken
    last = sifted.last
    if last.cells.all():
        # Routes to sites that will not open, and those it began with, are only in the way.
        shut = np.zeros(sifted.n)
        shut[sifted.routes.last[last.switched_by(best.rest > DEAR * abs(best.value))]] = 1.0
        near = (spare <= WIDE * np.abs(cost)) & (shut @ taken == 0)
        served = sifted.routes.cut_out(best.reduced, best.length, np.isfinite(best.best))
        sifted.begin_with(np.union1d(numbers[near], sifted.paths.add(*served)))
        return
    sifted.add_paths(numbers[spare <= SPARE * np.abs(cost)])
    weight = np.abs(best.dual[sifted.lazy])
    if weight.any():
        sifted.add_rows(sifted.lazy[weight > SLIGHT * np.median(weight[weight > 0])])


def climb(
    sifted: Sifted, start: Floats, little: float, end: float, report: Callable[[float], None],
    enough: float = np.inf, patience: int = PATIENCE,
) -> list[Routed]:  # fmt: skip
    r"""Raise the bound of a relaxation by subgradient steps, and keep its best duals.

    .. math:: d \leftarrow S^{-1} g + \beta d, \qquad
              \beta = 1.5 \max(0, -g^\top d) / d^\top S d, \qquad
              u \leftarrow u + \frac{\bar L - L(u)}{d^\top S d} d

    with the level :math:`\bar L`, and in the diagonal of :math:`S` roots of what rows were short on average.
    Where hardly more than the duals of demand are looked for, it holds the squares: then units do not matter.

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
    patience
        Steps that may follow each other without a twentieth of what the level asks for.

    Returns
    -------
    list
        Routes that were cheapest at good duals: columns, and for each the number of its route.
    """
    inner = Inner(sifted)
    moving = np.flatnonzero(_may_move(sifted, inner))
    both = (sifted.lagrangian(dual, inner) for dual in (start, np.zeros(len(start))))
    at = max(both, key=lambda one: one.value)
    best, level, idle = at, LEVEL * abs(at.value), 0
    power = 1.0 if sifted.last.cells.all() else 0.25
    kept: list[Routed] = []
    direction, squares, count = np.zeros(len(moving)), np.zeros(len(moving)), 0
    while np.isfinite(best.value) and level > little * abs(best.value):
        if best.bound >= enough or sifted.clock.seconds >= end or not sifted.clock.left:
            break
        short, routed = _short(sifted, at, moving)
        if count % KEPT == 0 and at.value > best.value - level:
            kept.append(routed)
        squares += short**2
        count += 1
        size = (squares / count) ** power
        size = size + 0.01 * size.sum() / max(np.count_nonzero(size), 1) + 1e-300
        against = min(float(short @ direction), 0.0) / max(float(size @ direction**2), 1e-300)
        direction = short / size - DEFLECTION * against * direction
        dual = at.dual.copy()
        dual[moving] += (best.value + level - at.value) / max(float(size @ direction**2), 1e-300) * direction
        at = sifted.lagrangian(dual, inner)
        idle = 0 if at.value > best.value + 0.05 * level else idle + 1
        if at.value > best.value:
            best = at
            report(best.bound)
        if idle >= patience or not np.isfinite(at.value):
            level, idle, at = 0.5 * level, 0, best
            direction[:] = 0.0
    sifted.keep_bound(best.dual, best.bound)
    return kept


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


def _short(sifted: Sifted, at: Lagrangian, moving: Ints) -> tuple[Floats, Routed]:
    """By how much rows are short, as far as their duals may follow, and the routes that are taken."""
    columns, route, units = sifted.taken_at(at, np.isfinite(at.best))
    flow = np.bincount(columns, units[route], minlength=sifted.n)
    used = np.flatnonzero(flow)
    done = sifted.flow_columns[:, used] @ flow[used] + sifted.decision_rows @ at.decision
    done, dual = done[moving], at.dual[moving]
    low, high = sifted.lean.row_lower[moving], sifted.lean.row_upper[moving]
    wanted = np.where(dual > 0, low, np.where(dual < 0, high, np.clip(done, low, high)))
    return wanted - done, (columns, route)
