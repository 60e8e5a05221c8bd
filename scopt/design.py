"""From a solution to the tables that people read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyomo.environ as pyo

from scopt.chain import EITHER, JOINED
from scopt.models.network_flow import is_move, lane_co2
from scopt.models.operators import operator_columns
from scopt.network import LAST, PASSED, STOCK, SUPPLY

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from scopt.models import Arrays, Model

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

__all__ = ["cost_table", "site_table", "stock_table", "tables"]


def tables(
    model: Model, arrays: Arrays, flows: Floats, values: Mapping[str, float]
) -> dict[str, pd.DataFrame]:
    """Tables of a design.

    Parameters
    ----------
    model, arrays
        The plain model and its arrays.
    flows
        Array columns in units per year.
    values
        Value of every decision by name.

    Returns
    -------
    dict
        sites, supply, flows, stock_routes, stock, outsourcing, service, limits, summary.
    """
    for var in arrays.decisions:
        if not var.fixed:
            var.set_value(values[var.name], skip_validation=True)
    for j, flow in model.pyomo.flow.items():  # those that terms of the user's own name
        flow.set_value(float(flows[j]), skip_validation=True)
    model.settle(flows)
    joined = _joined(model)
    return {
        "sites": _sites(model, flows, joined),
        "supply": _supply(model, flows),
        "flows": _flows(model, flows),
        "stock_routes": _stock_routes(model, flows, joined),
        "stock": stock_table(model, flows),
        "outsourcing": _outsourcing(model, flows),
        "service": _service(model, flows),
        "limits": _limits(model),
        "summary": _measures(model, flows),
    }


def _measures(model: Model, flows: Floats) -> pd.DataFrame:
    """Emissions, and what opening and closing cost in all: metric, value, unit."""
    net, chain = model.network, model.chain
    opened, currency = _open(model), chain.case.settings.currency
    listed = (chain.case.sites["status"] != "closed").to_numpy()
    spend = chain.site_column("open_cost") @ (opened & ~chain.today).astype(float)
    spend += chain.site_column("close_cost") @ (~opened & chain.today & listed).astype(float)
    move, enter = is_move(model), np.flatnonzero(net.enters >= 0)
    emissions = lane_co2(model, move) @ flows[move]
    emissions += chain.site_column("co2_per_unit")[net.enters[enter]] @ flows[enter]
    rows = [("emissions", float(emissions), "kg/year"), ("one-off spend", float(spend), currency)]
    return pd.DataFrame(rows, columns=["metric", "value", "unit"])


def cost_table(as_is: Mapping[str, float] | None, strategy: Mapping[str, float]) -> pd.DataFrame:
    """Cost by bucket of today's chain and of the strategy, in money per year."""
    after = np.fromiter(strategy.values(), float, len(strategy))
    before = np.array([np.nan if as_is is None else as_is[bucket] for bucket in strategy])
    return pd.DataFrame(
        {"bucket": list(strategy), "as_is": before, "strategy": after, "difference": after - before}
    )


def site_table(as_is: pd.DataFrame | None, strategy: pd.DataFrame) -> pd.DataFrame:
    """Sites of the strategy, with their cost in today's chain and the difference, in money per year."""
    before = strategy["cost"] * np.nan
    if as_is is not None:
        before = pd.Series(as_is["cost"].to_numpy(), index=as_is["site"]).reindex(strategy["site"])
    told = strategy.assign(cost_as_is=before.to_numpy(), cost_difference=strategy["cost"] - before.to_numpy())
    head = [*strategy.columns[: [*strategy.columns].index("cost") + 1], "cost_as_is", "cost_difference"]
    return told[[*head, *strategy.columns.difference(head, sort=False)]]


def _open(model: Model) -> NDArray[np.bool_]:
    return np.array([pyo.value(z) > 0.5 for z in model.pyomo.open_site.values()], bool)


def _joined(model: Model) -> NDArray[np.bool_]:
    """Sites whose pools are joined in the design."""
    chain, m = model.chain, model.pyomo
    out = (chain.join == JOINED) & _open(model)
    for i in np.flatnonzero((chain.join == EITHER) & chain.usable).tolist():
        out[i] = pyo.value(m.join[chain.site_ids[i]]) > 0.5
    return np.asarray(out)


def _ids(index: pd.Index, number: Ints) -> NDArray[np.object_]:
    """Ids for numbers; blank for -1."""
    return np.append(index.to_numpy(object), "")[number]


def _sites(model: Model, flows: Floats, joined: NDArray[np.bool_]) -> pd.DataFrame:
    net, chain = model.network, model.chain
    sites, n = chain.case.sites, len(chain.site_ids)
    enter = np.flatnonzero(net.enters >= 0)
    units = np.bincount(net.enters[enter], flows[enter], minlength=n)
    size = chain.product_column("size")[net.product[enter]]
    volume = np.bincount(net.enters[enter], flows[enter] * size, minlength=n)
    cost = np.bincount(net.enters[enter], model.flow_costs_at("site", flows)[enter], minlength=n)
    held = np.flatnonzero(net.kind == STOCK)
    cost += np.bincount(net.site[held], model.flow_costs_at("stock", flows)[held], minlength=n)
    cells = model.notes["cells"]
    if cells.count:
        cost += np.bincount(cells.site, _safety_cost(model, flows), minlength=n)
    for i, terms in model.site_terms.items():
        cost[i] += sum(pyo.value(term) for term in terms)
    capacity = chain.site_column("capacity")
    return pd.DataFrame({
        "site": sites["site"], "tier": sites["tier"], "place": sites["place"], "operator": sites["operator"],
        "before": np.where(chain.today, "open", "closed"), "after": np.where(_open(model), "open", "closed"),
        "units": units, "volume": volume,
        "utilisation": np.divide(volume, capacity, out=np.full(n, np.nan), where=capacity > 0),
        "cost": cost, "joined_before": chain.joined_today, "joined": joined,
    })  # fmt: skip


def _safety_cost(model: Model, flows: Floats) -> Floats:
    """Yearly cost of the safety stock of each cell, decay included."""
    chain, cells = model.chain, model.notes["cells"]
    rate = chain.product_column("holding_rate") + chain.product_column("loss_rate_per_day") * chain.days
    value = (chain.product_column("value") * rate)[cells.product]
    return np.asarray(value * cells.factor * np.sqrt(cells.variance(flows)))


def _gather(frame: pd.DataFrame, amounts: list[str]) -> pd.DataFrame:
    """Sum amounts over rows that are otherwise equal; states that look the same become one."""
    keys = [c for c in frame.columns if c not in amounts]
    sums = frame.groupby(keys, sort=False, as_index=False, dropna=False)[[*amounts]].sum()
    return sums[list(frame.columns)]


def _supply(model: Model, flows: Floats) -> pd.DataFrame:
    net, chain = model.network, model.chain
    j = np.flatnonzero((net.kind == SUPPLY) & (flows[: net.size] > 0))
    frame = pd.DataFrame({
        "site": _ids(chain.site_ids, net.site[j]), "product": _ids(chain.product_ids, net.product[j]),
        "channel": _ids(chain.channel_ids, net.channel[j]), "days": net.ready[j], "units": flows[j],
        "cost": model.flow_costs_at("supply", flows)[j],
    })  # fmt: skip
    return _gather(frame, ["units", "cost"])


def _flows(model: Model, flows: Floats) -> pd.DataFrame:
    net, chain = model.network, model.chain
    j = np.flatnonzero((net.lane >= 0) & (flows[: net.size] > 0))
    lanes = chain.lanes.iloc[net.lane[j]].reset_index(drop=True)
    cost = model.flow_costs_at("lane", flows) + model.flow_costs_at("market", flows)
    frame = pd.DataFrame({
        "origin": lanes["origin"], "destination": lanes["destination"], "mode": lanes["mode"],
        "operator": lanes["operator"], "channel": _ids(chain.channel_ids, net.channel[j]),
        "product": _ids(chain.product_ids, net.product[j]), "units": flows[j], "days_out": net.left[j],
        "days": net.days[j], "on_time_rate": net.rate[j], "from_stock": net.out_of[j] != PASSED,
        "lane": lanes["lane"], "cost": cost[j],
    })  # fmt: skip
    return _gather(frame, ["units", "cost"])


def _pool_names(model: Model, group: Ints) -> NDArray[np.object_]:
    return np.append(model.chain.pool_ids.to_numpy(object), "joined")[group]


def _stock_routes(model: Model, flows: Floats, joined: NDArray[np.bool_]) -> pd.DataFrame:
    net, chain = model.network, model.chain
    j = np.flatnonzero((net.kind == STOCK) & (flows[: net.size] > 0))
    group = np.where(joined[net.site[j]], len(chain.pool_ids), chain.pool[net.channel[j]])
    frame = pd.DataFrame({
        "site": _ids(chain.site_ids, net.site[j]), "product": _ids(chain.product_ids, net.product[j]),
        "channel": _ids(chain.channel_ids, net.channel[j]), "pool": _pool_names(model, group),
        "days_in": net.left[j], "days_out": net.ready[j], "on_time_rate": net.rate[j],
        "coverage": net.coverage[j], "units": flows[j],
    })  # fmt: skip
    return _gather(frame, ["units"])


def stock_table(model: Model, flows: Floats) -> pd.DataFrame:
    """Stock by site, product and pool: units a year through it, safety and cycle stock, days, value, cost."""
    net, chain, cells = model.network, model.chain, model.notes["cells"]
    n = cells.count
    units = np.bincount(cells.of, flows[cells.column], minlength=n)
    days = np.bincount(cells.of, flows[cells.column] * net.coverage[cells.column], minlength=n)
    variance = cells.variance(flows)
    safety = cells.factor * np.sqrt(variance)
    cycle = units * chain.site_column("review_days")[cells.site] / chain.days / 2
    value = (safety + cycle) * chain.product_column("value")[cells.product]
    own = np.bincount(cells.of, model.flow_costs_at("stock", flows)[cells.column], minlength=n)
    cost = own + (_safety_cost(model, flows) if n else 0.0)
    used = units > 0
    per_day = np.divide(units, chain.days)
    return pd.DataFrame({
        "site": _ids(chain.site_ids, cells.site), "product": _ids(chain.product_ids, cells.product),
        "pool": _pool_names(model, cells.group), "units": units,
        "coverage_days": np.divide(days, units, out=np.zeros(n), where=used), "variance": variance,
        "safety": safety, "cycle": cycle,
        "stock_days": np.divide(safety + cycle, per_day, out=np.zeros(n), where=used), "value": value,
        "cost": cost,
    })[used].reset_index(drop=True)  # fmt: skip


def _outsourcing(model: Model, flows: Floats) -> pd.DataFrame:
    net, chain, m = model.network, model.chain, model.pyomo
    columns = ["operator", "sites", "lanes", "units", "volume", "bill", "min_bill", "top_up", "cost"]
    rows: list[dict[str, Any]] = []
    if not len(chain.operator_ids):
        return pd.DataFrame(rows, columns=columns)
    column, who = operator_columns(model)
    n = len(chain.operator_ids)
    size = chain.product_column("size")[net.product[column]]
    units = np.bincount(who, flows[column], minlength=n)
    volume = np.bincount(who, flows[column] * size, minlength=n)
    bill = np.zeros(n)
    for billed, cost in model.bills:
        mine = billed >= 0
        bill += np.bincount(billed[mine], (cost * flows[: len(cost)])[mine], minlength=n)
    opened = _open(model)
    carrier = chain.lanes["w"].to_numpy()
    used = np.zeros(len(carrier), bool)
    used[net.lane[(net.lane >= 0) & (flows[: net.size] > 0)]] = True
    floor = chain.case.operators["min_bill"].to_numpy(float)
    for o, name in enumerate(chain.operator_ids):
        if pyo.value(m.contract[name]) < 0.5:
            continue
        total = bill[o] + sum(pyo.value(term) for term in model.bill_terms.get(o, []))
        top_up = float(pyo.value(m.top_up[name])) if floor[o] > 0 else 0.0
        rows.append({
            "operator": name, "sites": ", ".join(chain.site_ids[opened & (chain.site_operator == o)]),
            "lanes": int((used & (carrier == o)).sum()), "units": units[o], "volume": volume[o],
            "bill": total, "min_bill": floor[o], "top_up": top_up, "cost": total + top_up,
        })  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def _service(model: Model, flows: Floats) -> pd.DataFrame:
    net, chain = model.network, model.chain
    shape = chain.demand.shape
    k, c, p = np.nonzero(chain.demand)
    last = np.flatnonzero(net.kind == LAST)
    cell = np.ravel_multi_index((net.market[last], net.channel[last], net.product[last]), shape)
    wanted = np.ravel_multi_index((k, c, p), shape)

    def total(amount: Floats) -> Floats:
        return np.asarray(np.bincount(cell, amount, minlength=int(np.prod(shape)))[wanted], float)

    served = total(flows[last])
    on_time = total(flows[last] * net.on_time[last])
    days = total(flows[last] * net.days[last])
    unmet = np.zeros(shape)
    first = model.starts["unmet"]
    cells = model.notes["unmet_cells"]
    unmet[cells] = flows[first : first + len(cells[0])]
    timed = (served > 0) & (net.days[last].any() or np.isfinite(chain.promise[c]))
    return pd.DataFrame({
        "market": _ids(chain.market_ids, k), "channel": _ids(chain.channel_ids, c),
        "product": _ids(chain.product_ids, p), "demand": chain.demand[k, c, p], "on_time": on_time,
        "late": served - on_time, "unmet": unmet[k, c, p],
        "response_days": np.divide(days, served, out=np.full(len(k), np.nan), where=timed),
    })  # fmt: skip


def _limits(model: Model) -> pd.DataFrame:
    limits = model.chain.case.limits
    value = np.array([float(pyo.value(model.pyomo.limited[name])) for name in limits["limit"]], float)
    low, high = limits["min"].to_numpy(float), limits["max"].to_numpy(float)
    slack = np.fmin(high - value, value - low)
    return pd.DataFrame({
        "limit": limits["limit"], "measure": limits["measure"], "value": value, "min": low, "max": high,
        "slack": slack,
    })  # fmt: skip
