"""Independent recomputation of a design, after every solve.

From the case and the result tables alone, sharing nothing with the builder of the model: every cost
bucket, flow balance at every state, and every constraint of the contract, each with the true step function
of a tariff and the true square root of a stock. A design whose checks fail is a defect of scopt.
"""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from scopt.verify.books import Books
from scopt.verify.checks import Check
from scopt.verify.costs import check_costs, check_outsourcing
from scopt.verify.flows import check_balance, check_days, check_ids, check_shares_today
from scopt.verify.limits import check_limits
from scopt.verify.rows import check_row_costs
from scopt.verify.service import check_service
from scopt.verify.sites import (
    check_capacities,
    check_closed,
    check_joined,
    check_lanes,
    check_minimums,
    check_sites,
    check_sites_table,
)
from scopt.verify.stock import check_ceilings, check_quotes, check_stock_points, check_stock_table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from scopt.case import Case, Strategy

__all__ = ["CHECKS", "verify"]

CHECKS: tuple[Callable[[Books], Iterator[Check]], ...] = (
    check_costs,
    check_row_costs,
    check_ids,
    check_days,
    check_balance,
    check_shares_today,
    check_sites,
    check_sites_table,
    check_joined,
    check_closed,
    check_lanes,
    check_capacities,
    check_minimums,
    check_stock_points,
    check_quotes,
    check_stock_table,
    check_ceilings,
    check_service,
    check_outsourcing,
    check_limits,
)


def verify(
    case: Case,
    strategy: Strategy,
    tables: Mapping[str, pd.DataFrame],
    model_costs: Mapping[str, float],
    bound: float | None = None,
) -> pd.DataFrame:
    """Recompute costs and constraints of a design from its tables.

    Parameters
    ----------
    case
        The case as the strategy sees it: the strategy's `changes` applied.
    strategy
        The strategy; where it is `measured` (as-is), limits, ceilings and minimum volumes are reported
        but do not bind, and the place rule does not hold.
    tables
        Result tables by name (flows, supply, sites, stock_routes, stock, service, outsourcing, limits).
    model_costs
        Cost bucket -> money per year, as the model has it.
    bound
        Lower bound on the least cost, money per year; None where there is none to check.

    Returns
    -------
    DataFrame
        One row per named check: `check`; `model` and `recomputed`, the two values (of an inequality the
        value and its bound, of a rule the number of breaches and 0) at the worst place; `difference`,
        relative to the scale of the quantity (an equality's gap, an inequality's excess, a rule's
        breaches); `ok` (difference within 1e-6); `where`, the worst place. Checks of features that the case
        does not use are left out.
    """
    books = Books(case, strategy, tables, model_costs, bound)
    # Unknown ids and empty sums are findings of the checks, not numeric events.
    with np.errstate(all="ignore"):
        rows = [asdict(row) for check in CHECKS for row in check(books)]
    return pd.DataFrame(rows, columns=[field.name for field in fields(Check)])
