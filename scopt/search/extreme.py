"""Least or largest value of a measure over all designs, whatever they cost."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import numpy as np
import pyomo.environ as pyo

from scopt.errors import NoDesignError
from scopt.models import build
from scopt.network import expand
from scopt.search.solver import Clock, Scaled, solve_mip, stoppable

if TYPE_CHECKING:
    from scopt.chain import Chain
    from scopt.search.method import Options

__all__ = ["extreme"]

CLOSE = 1e-6
"""Relative gap at which the value is known."""


def extreme(chain: Chain, limit: str, sense: Literal["min", "max"], options: Options) -> tuple[float, float]:
    r"""Optimise the measure of a limit instead of cost.

    .. math:: \min_{x \in X} m(x) \quad\text{or}\quad \max_{x \in X} m(x)

    Parameters
    ----------
    chain
        What the strategy may use; its case holds the limit.
    limit
        Name of the limit whose measure counts; its measure must be linear (not stock_value).
    sense
        Whether the least or the largest value is wanted.
    options
        Time limit, seed and threads; the gap is a millionth.

    Returns
    -------
    tuple
        Value of a design, and a bound that no design passes, in the unit of the measure.

    Raises
    ------
    NoDesignError
        The strategy has no design, or none was found in time.
    """
    sign = 1.0 if sense == "min" else -1.0
    model = build(expand(chain))
    m = model.pyomo
    m.swept = pyo.Var(within=pyo.Reals)
    m.swept_row = pyo.Constraint(expr=m.swept == sign * m.limited[limit])
    arrays = model.compile()
    cost = np.zeros(len(arrays.cost))
    cost[arrays.place[m.swept.name]] = 1.0
    clock = Clock(options.time_limit)
    with stoppable(clock):
        outcome = solve_mip(
            Scaled.of(replace(arrays, cost=cost, offset=0.0)), ~arrays.lazy, clock, gap=CLOSE,
            seed=options.seed, threads=options.threads,
        )  # fmt: skip
    if not outcome.points:
        raise NoDesignError(
            f"{chain.strategy.name}: no design to measure was found"
            + (
                "; run `scopt solve` to learn why there is none"
                if outcome.status == "infeasible"
                else " in time"
            )
        )
    value = float(outcome.points[-1][arrays.place[m.swept.name]])
    return sign * value, sign * outcome.bound
