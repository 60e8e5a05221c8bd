r"""Good duals before any linear program: subgradient steps on the Lagrangian function of the relaxation.

At duals :math:`u` every cell of demand takes its cheapest route and every decision the bound that is
cheaper; :math:`g = b - A x(u)`, by how much each row is short, is a subgradient. A step costs two passes over
the network, however large the linear program would be, and shows which routes and rows matter.

Steps go along deflected subgradients (Camerini, Fratta and Maffioli 1975), each row measured by what it has
been short so far (in the manner of Duchi, Hazan and Singer 2011, with the root of their weights), as far as
would reach a level above the best bound, were the function linear (Polyak 1969). A level that is not reached
is halved, and the steps begin again from the best duals.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from scopt.search.sifting import Lagrangian, Sifted

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]

    Routed = tuple[Ints, Ints]

__all__ = ["ascend"]

LEVEL = 0.05
"""How far above the best bound the level lies at first, as a part of it."""

PATIENCE = 20
"""Steps that may follow each other without a twentieth of what the level asks for."""

DEFLECTION = 1.5
"""Weight of the last direction where the new subgradient turns against it."""

KEPT = 10
"""Of so many steps one leaves its routes behind."""


def ascend(
    sifted: Sifted, start: Floats, little: float, end: float, report: Callable[[float], None]
) -> list[Routed]:
    """Raise the bound of a relaxation by subgradient steps, and keep its best duals.

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

    Returns
    -------
    list
        Routes that were cheapest at good duals: columns, and for each the number of its route.
    """
    moving = np.flatnonzero(~sifted.balance)
    moving = moving[~np.isin(moving, sifted.demand_row)]  # what is wanted is worth its cheapest route
    at = max(sifted.lagrangian(start), sifted.lagrangian(np.zeros(len(start))), key=lambda one: one.value)
    best, level, idle = at, LEVEL * abs(at.value), 0
    kept: list[Routed] = []
    direction, squares, count = np.zeros(len(moving)), np.zeros(len(moving)), 0
    while np.isfinite(best.value) and level > little * abs(best.value) and sifted.clock.seconds < end:
        short, routed = _short(sifted, at, moving)
        if count % KEPT == 0 and at.value > best.value - level:
            kept.append(routed)
        squares += short**2
        count += 1
        size = np.sqrt(squares / count)
        size = np.sqrt(size + 0.01 * size.sum() / max(np.count_nonzero(size), 1) + 1e-300)
        against = min(float(short @ direction), 0.0) / max(float(size @ direction**2), 1e-300)
        direction = short / size - DEFLECTION * against * direction
        dual = at.dual.copy()
        dual[moving] += (best.value + level - at.value) / max(float(size @ direction**2), 1e-300) * direction
        at = sifted.lagrangian(dual)
        idle = 0 if at.value > best.value + 0.05 * level else idle + 1
        if at.value > best.value:
            best = at
            report(best.bound)
        if idle >= PATIENCE or not np.isfinite(at.value):
            level, idle, at = 0.5 * level, 0, best
            direction[:] = 0.0
    sifted.keep_bound(best.dual, best.bound)
    return kept


def _short(sifted: Sifted, at: Lagrangian, moving: Ints) -> tuple[Floats, Routed]:
    """By how much rows are short, as far as their duals may follow, and the routes that are taken."""
    cells = np.flatnonzero(np.isfinite(at.best))
    columns, route = sifted.routes.cut_out(at.reduced, at.length, np.isfinite(at.best))
    flow = np.bincount(columns, sifted.demand[cells[route]], minlength=sifted.n)
    used = np.flatnonzero(flow)
    lower, upper = sifted.lower[sifted.n :], sifted.upper[sifted.n :]
    decision = np.where(at.rest > 0, lower, np.where(at.rest < 0, upper, np.clip(0.0, lower, upper)))
    done = sifted.flow_columns[:, used] @ flow[used] + sifted.decision_rows @ decision
    done, dual = done[moving], at.dual[moving]
    low, high = sifted.lean.row_lower[moving], sifted.lean.row_upper[moving]
    wanted = np.where(dual > 0, low, np.where(dual < 0, high, np.clip(done, low, high)))
    return wanted - done, (columns, route)
