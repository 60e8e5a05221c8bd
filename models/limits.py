"""Limits that the user sets on counts, volumes, money, emissions and stock."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyomo.environ as pyo

from scopt.chain import EITHER, JOINED, Chain, position
from scopt.models.network_flow import is_move, lane_co2
from scopt.models.stock import keep_in_use
from scopt.network import LAST, STOCK, expand

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from scopt.models.model import Floats, Ints, Model

    Bools = NDArray[np.bool_]

__all__ = ["add_limits"]


def add_limits(model: Model) -> None:
    r"""Rows `min <= measure <= max` of the `limits` sheet.

    ============  ============================================================================================
    measure       meaning
    ============  ============================================================================================
    sites         open sites in scope
    openings      candidates opened
    closures      sites of today closed
    changes       openings, closures, stock points added or dropped, sites joined or separated
    units         units through sites in scope; units served where only channel, product or market is named
    one_off       opening and closing cost, undivided
    on_time       units that arrive on time in scope; without a promise all units do
    co2           kg from handling at the sites in scope and from lanes that start there
    stock_value   value of safety and cycle stock at the sites in scope
    ============  ============================================================================================

    Limits do not bind in the as-is chain; there they are only reported.
    """
    m = model.pyomo
    m.limit = pyo.Constraint(pyo.Any)
    m.limited = pyo.Expression(pyo.Any)
    for row in model.chain.case.limits.to_dict("records"):
        value = MEASURES[row["measure"]](model, {str(k): v for k, v in row.items()})
        m.limited[row["limit"]] = value
        if model.chain.strategy.measured:
            continue
        low = None if np.isnan(row["min"]) else float(row["min"])
        high = None if np.isnan(row["max"]) else float(row["max"])
        if isinstance(value, (int, float)):
            # Nothing to decide: the row holds or the model must say that it cannot.
            value = value + 0 * next(iter(m.open_site.values()))
        m.limit[row["limit"]] = pyo.inequality(low, value, high)


def sites_in_scope(model: Model, row: dict[str, Any]) -> Bools:
    """Sites that tier, operator and site of a limit select; blank selects all."""
    sites = model.chain.case.sites
    scope = np.ones(len(sites), bool)
    for column in ("tier", "operator", "site"):
        if row[column] != "":
            scope &= (sites[column] == row[column]).to_numpy()
    return scope


def _columns_in_scope(model: Model, row: dict[str, Any], column: Ints) -> Ints:
    """Of the given array columns those of the channel, product and market of a limit."""
    net, chain = model.network, model.chain
    keep = np.ones(len(column), bool)
    if row["channel"] != "":
        keep &= net.channel[column] == chain.channel_ids.get_loc(row["channel"])
    if row["product"] != "":
        keep &= net.product[column] == chain.product_ids.get_loc(row["product"])
    if row["market"] != "":
        keep &= net.market[column] == chain.market_ids.get_loc(row["market"])
    return column[keep]


def _meter(model: Model, row: dict[str, Any], column: Ints, value: Floats | float = 1.0) -> Any:
    key = f"limit_{row['limit']}"
    return model.meter(key, [row["limit"]], np.zeros(len(column), np.int64), column, value)[row["limit"]]


def _sites(model: Model, row: dict[str, Any]) -> Any:
    z = list(model.pyomo.open_site.values())
    return pyo.quicksum(z[i] for i in np.flatnonzero(sites_in_scope(model, row)).tolist())


def _openings(model: Model, row: dict[str, Any]) -> Any:
    z = list(model.pyomo.open_site.values())
    scope = sites_in_scope(model, row) & ~model.chain.today & model.chain.usable
    return pyo.quicksum(z[i] for i in np.flatnonzero(scope).tolist())


def _closures(model: Model, row: dict[str, Any]) -> Any:
    z = list(model.pyomo.open_site.values())
    scope = sites_in_scope(model, row) & model.chain.today
    return pyo.quicksum(1 - z[i] for i in np.flatnonzero(scope).tolist())


def _changes(model: Model, row: dict[str, Any]) -> Any:
    chain, m = model.chain, model.pyomo
    scope = sites_in_scope(model, row)
    total = _openings(model, row) + _closures(model, row)
    if chain.strategy.measured:
        return total
    today = {point for point in _points_today(model) if scope[position(point[0], chain.site_ids)]}
    points = m.stock_point if hasattr(m, "stock_point") else {}
    total += len(today - set(points))
    kept = []
    for point, y in points.items():
        if point in today:
            total += 1 - y
            kept.append(point)
        elif scope[position(point[0], chain.site_ids)]:
            total += y
    if kept:
        keep_in_use(model, kept)
    z = list(m.open_site.values())
    for i in np.flatnonzero(scope & chain.usable).tolist():
        site = chain.site_ids[i]
        joined = m.join[site] if chain.join[i] == EITHER else (z[i] if chain.join[i] == JOINED else 0)
        total += 1 - joined if chain.joined_today[i] else joined
    return total


def _points_today(model: Model) -> set[tuple[str, str]]:
    """Stock points (site, product) of today: those that today's sites and lanes bring goods to."""
    chain = model.chain
    if "points_today" not in model.notes:
        net = expand(Chain(chain.case, chain.case.strategies["as_is"]))
        held = np.flatnonzero((net.kind == STOCK) & (net.coverage > 0))
        sites, products = chain.site_ids[net.site[held]], chain.product_ids[net.product[held]]
        model.notes["points_today"] = set(zip(sites, products, strict=True))
    points: set[tuple[str, str]] = model.notes["points_today"]
    return points


def _units(model: Model, row: dict[str, Any]) -> Any:
    net = model.network
    through = row["market"] == "" and (
        any(row[c] != "" for c in ("tier", "operator", "site"))
        or (row["channel"] == "" and row["product"] == "")
    )
    if through:
        enter = np.flatnonzero((net.enters >= 0) & sites_in_scope(model, row)[np.maximum(net.enters, 0)])
        return _meter(model, row, _columns_in_scope(model, row, enter))
    return _meter(model, row, _columns_in_scope(model, row, np.flatnonzero(net.kind == LAST)))


def _on_time(model: Model, row: dict[str, Any]) -> Any:
    net = model.network
    last = _columns_in_scope(model, row, np.flatnonzero(net.kind == LAST))
    return _meter(model, row, last, net.on_time[last])


def _one_off(model: Model, row: dict[str, Any]) -> Any:
    chain = model.chain
    z = list(model.pyomo.open_site.values())
    scope = sites_in_scope(model, row)
    opening, closing = chain.site_column("open_cost"), chain.site_column("close_cost")
    new, old = scope & ~chain.today & chain.usable, scope & chain.today
    total = pyo.quicksum(float(opening[i]) * z[i] for i in np.flatnonzero(new).tolist())
    return total + pyo.quicksum(float(closing[i]) * (1 - z[i]) for i in np.flatnonzero(old).tolist())


def _co2(model: Model, row: dict[str, Any]) -> Any:
    net, chain = model.network, model.chain
    scope = sites_in_scope(model, row)
    move = is_move(model)
    move = _columns_in_scope(model, row, move[scope[net.site[move]]])
    enter = np.flatnonzero((net.enters >= 0) & scope[np.maximum(net.enters, 0)])
    enter = enter[:0] if row["market"] != "" else _columns_in_scope(model, row, enter)
    handling = chain.site_column("co2_per_unit")[net.enters[enter]]
    return _meter(
        model, row, np.concatenate([move, enter]), np.concatenate([lane_co2(model, move), handling])
    )


def _stock_value(model: Model, row: dict[str, Any]) -> Any:
    net, chain, m = model.network, model.chain, model.pyomo
    cells, scope = model.notes["cells"], sites_in_scope(model, row)
    value = chain.product_column("value")
    column = _columns_in_scope(model, row, cells.column[scope[net.site[cells.column]]])
    cycle = chain.site_column("review_days")[net.site[column]] / chain.days / 2
    total = _meter(model, row, column, value[net.product[column]] * cycle)
    product = None if row["product"] == "" else chain.product_ids.get_loc(row["product"])
    weight = cells.factor * value[cells.product]
    for n, root in enumerate(m.root.values() if cells.count else []):
        if scope[cells.site[n]] and product in (None, cells.product[n]):
            total += float(weight[n]) * root
    return total


MEASURES: dict[str, Callable[[Model, dict[str, Any]], Any]] = {
    "sites": _sites, "openings": _openings, "closures": _closures, "changes": _changes, "units": _units,
    "on_time": _on_time, "one_off": _one_off, "co2": _co2, "stock_value": _stock_value,
}  # fmt: skip
"""What each measure of the `limits` sheet adds up, as a Pyomo expression."""
