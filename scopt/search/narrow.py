r"""Branch and bound on what the relaxation leaves open.

The relaxation costs z, and a unit of a column that rests at a bound costs :math:`|d_j|` more, its reduced
cost. A solution in which a whole column leaves its bound therefore costs at least

.. math:: z + |d_j|

and where that is no less than a target T the column can be held. With U the cost of a solution and
:math:`T = U - g\,|U|`, all solutions are bounded by the least of T and of the bound of what is left (Crowder,
Johnson and Padberg 1983, section 3). A first solution comes from holding nearly everything, the kernel of the
relaxation (Angelelli, Mansini and Speranza 2010).

Where a market has one source for all it buys, the reduced cost of the source is that of being served by it:

.. math:: d_s + \sum_p D_p \min_{a \in p} d_a
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import csr_array

from scopt.search.solver import Clock, Lp, Outcome, Scaled, solve_mip

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from scopt.models import Arrays, Model

    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]

__all__ = ["reduced_costs", "solve_narrowed", "sourced_whole"]

NOISE = 1e-7
"""Part of the relaxation's cost up to which a reduced cost is 0, the tolerance of the solver."""

CLOSE = 0.003
"""Part of the relaxation's cost from which on a reduced cost keeps a column out of the kernel."""

KERNEL = 0.2
"""Part of the time left that the kernel may take."""


def sourced_whole(model: Model, arrays: Arrays) -> Arrays:
    """Return the arrays with rows of single sources as equations, where nothing may stay unmet.

    A source that serves a market at all serves all that it buys; the model says only that it serves no more.
    """
    first = arrays.first_rows.get("single_source")
    if first is None or not all(row.active for row in model.pyomo.one_source.values()):
        return arrays
    count, net = dict(arrays.row_blocks)["single_source"], model.network
    rows = arrays.matrix[first : first + count]
    flow = rows.indices[rows.indptr[:-1]]  # flows come before decisions
    unmet = np.zeros(model.chain.demand.shape, bool)
    unmet[model.notes["unmet_cells"]] = True
    whole = ~unmet[net.market[flow], net.channel[flow], net.product[flow]]
    lower = arrays.row_lower.copy()
    lower[first + np.flatnonzero(whole)] = 0.0
    return replace(arrays, row_lower=lower)


def reduced_costs(model: Scaled, reduced: Floats) -> Floats:
    """Reduced costs of whole columns, those of what comes with them counted, in the units of the solver.

    Parameters
    ----------
    reduced
        Reduced costs of all columns at the solution of the relaxation.

    Returns
    -------
    NDArray
        Of all columns; 0 where they are not whole.
    """
    arrays = model.arrays
    out = np.where(arrays.integer, reduced, 0.0)
    first = arrays.first_rows.get("single_source")
    if first is None:
        return out
    count = dict(arrays.row_blocks)["single_source"]
    rows = csr_array(model.matrix[first : first + count])
    tied = model.row_upper[first : first + count] == model.row_lower[first : first + count]
    row = np.repeat(np.arange(count), np.diff(rows.indptr))
    source = arrays.integer[rows.indices]
    each = np.full(count, np.inf)
    np.minimum.at(each, row[~source], reduced[rows.indices[~source]] / rows.data[~source])
    served = tied[row[source]]
    np.add.at(out, rows.indices[source][served], (-rows.data[source] * each[row[source]])[served])
    return out


def _held(model: Scaled, cost: Floats, least: float) -> Scaled:
    """Hold whole columns at their bounds where leaving them costs no less than `least`."""
    dear, lower, upper = np.abs(cost) >= least, model.lower.copy(), model.upper.copy()
    lower[dear & (cost < 0)] = model.upper[dear & (cost < 0)]
    upper[dear & (cost > 0)] = model.lower[dear & (cost > 0)]
    return replace(model, lower=lower, upper=upper)


def solve_narrowed(
    model: Scaled,
    clock: Clock,
    *,
    gap: float,
    seed: int = 0,
    threads: int | None = None,
    start: dict[int, float] | None = None,
    watch: Callable[[Floats | None, float], None] | None = None,
) -> Outcome:
    """Branch and bound on all rows, as by `solve_mip`, and on the whole columns that may matter.

    Parameters
    ----------
    gap, seed, threads, start, watch
        As those of `solve_mip`.
    """
    rows = np.ones(len(model.row), bool)
    effort: dict[str, Any] = {"gap": gap, "seed": seed, "threads": threads}
    lp = Lp(model, None, clock, seed)
    if lp.solve(clock.left) is None:
        return solve_mip(model, rows, clock, start=start, watch=watch, **effort)
    least, cost = model.value(lp.objective), reduced_costs(model, lp.reduced)

    def tell(bound: float) -> Callable[[Floats | None, float], None] | None:
        return None if watch is None else lambda point, found: watch(point, min(found, bound))

    if watch is not None:
        watch(None, least)
    near = _held(model, cost, CLOSE * abs(lp.objective))
    small = solve_mip(near, rows, clock, limit=KERNEL * clock.left, start=start, watch=tell(least), **effort)
    if not small.points:
        return solve_mip(model, rows, clock, start=start, watch=watch, **effort)
    point = small.points[-1]
    worth = float(model.arrays.cost @ point) + model.arrays.offset
    target = worth - gap * abs(worth)
    if least >= target:
        return Outcome("optimal", small.points, least)
    rest = _held(model, cost, (target - least) / model.money + NOISE * abs(lp.objective))
    whole = np.flatnonzero(model.arrays.integer)
    begin = dict(zip(whole.tolist(), np.rint(point[whole]).tolist(), strict=True))
    final = solve_mip(rest, rows, clock, start=begin, watch=tell(target), **effort)
    if final.status == "infeasible":
        return Outcome("optimal", small.points, target)
    points = sorted([*small.points, *final.points], key=lambda point: -float(model.arrays.cost @ point))
    status = "feasible" if final.status == "stopped" else final.status
    return Outcome(status, points, max(least, min(final.bound, target)))
