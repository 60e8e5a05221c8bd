"""Goods on the expanded network: balance, demand, and what every unit costs on its way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from scopt.chain import positions
from scopt.network import LAST, STOCK, SUPPLY

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from scopt.models.model import Floats, Ints, Model

__all__ = ["add_balance", "add_demand", "add_flow_costs", "site_unit_cost"]


def add_balance(model: Model) -> None:
    r"""Balance each state: what enters it leaves it, per commodity.

    .. math:: \sum_{a \in \delta^-(i,e)} x_a = \sum_{a \in \delta^+(i,e)} x_a

    =========  ==============================================  ==============
    symbol     meaning                                         unit
    =========  ==============================================  ==============
    x_a        flow of a commodity on an arc of the expansion  units per year
    =========  ==============================================  ==============
    """
    net = model.network
    into, out = np.flatnonzero(net.head >= 0), np.flatnonzero(net.tail >= 0)
    row = np.concatenate([net.head[into], net.tail[out]])
    value = np.concatenate([np.ones(len(into)), -np.ones(len(out))])
    model.add_rows("balance", row, np.concatenate([into, out]), value, 0.0, 0.0, count=net.rows)


def add_demand(model: Model) -> None:
    r"""Every unit of demand is served or, where that is priced and allowed, left unmet.

    .. math:: \sum_{a \to k} x_a + u_{kcp} = D_{kcp}, \qquad 0 \le u_{kcp} \le (1 - \mathrm{fill}_c) D_{kcp}
    """
    net, chain = model.network, model.chain
    k, c, p = np.nonzero(chain.demand)
    demand = chain.demand[k, c, p]
    number = np.full(chain.demand.shape, -1, np.int64)
    number[k, c, p] = np.arange(len(k))
    last = np.flatnonzero(net.kind == LAST)
    row, column = number[net.market[last], net.channel[last], net.product[last]], last
    price = chain.channel_column("unmet_cost")
    share = np.where(np.isnan(price), 0.0, 1.0 - chain.channel_column("min_fill"))
    short = np.flatnonzero(share[c] > 0)
    model.notes["column_product"] = p[short]
    unmet = model.add_columns("unmet", "unmet", price[c[short]], share[c[short]] * demand[short])
    row, column = np.concatenate([row, short]), np.concatenate([column, unmet])
    model.add_rows("demand", row, column, 1.0, demand, demand, count=len(k))
    model.notes["unmet_cells"] = (k[short], c[short], p[short])


def site_unit_cost(model: Model) -> Floats:
    """Return the unit cost of passing a site, (sites, products); 0 where a tariff tells it instead."""
    chain = model.chain
    cost = chain.by_product("unit_cost", chain.site_column("unit_cost"))
    return np.asarray(np.where(chain.site_tariff[:, None], 0.0, cost))


def add_flow_costs(model: Model) -> None:
    r"""Charge each unit for what it passes.

    Entering a site pays its unit cost and margin once (sources included), a lane its unit cost and margin;
    goods on the way are held at value, :math:`v_p h_p (t_a + T_j) / N`, and decay at
    :math:`v_p \ell_p (t_a + T_j)`; served units pay commission, returns and, when late, the cost of lateness.
    Days are not rounded here.
    """
    _charge_sites(model)
    _charge_lanes(model)
    _charge_service(model)


def _charge_sites(model: Model) -> None:
    net, chain = model.network, model.chain
    enter = np.flatnonzero(net.enters >= 0)
    site, p = net.enters[enter], net.product[enter]
    cost = site_unit_cost(model)[site, p]
    operator = chain.site_operator[site]
    own = operator < 0
    model.charge("handling", cost[own], enter[own], at="site")
    model.charge("operators", cost[~own], enter[~own], operator[~own], at="site")
    price = chain.product_column("price")
    model.charge("margins", chain.site_column("margin_rate")[site] * price[p], enter, at="site")
    _charge_pipeline(model, enter, chain.site_column("process_days")[site], "site")
    co2 = chain.site_column("co2_per_unit")[site]
    model.charge("emissions", co2 * chain.case.settings.co2_price, enter, at="site")
    first = np.flatnonzero(net.kind == SUPPLY)
    supply = np.zeros((len(chain.site_ids), len(chain.product_ids)))
    table = chain.case.supply
    source, made = positions(table["site"], chain.site_ids), positions(table["product"], chain.product_ids)
    supply[source, made] = table["unit_cost"].to_numpy(float)
    model.charge("supply", supply[net.site[first], net.product[first]], first, at="supply")


def lane_co2(model: Model, column: Ints) -> Floats:
    """Emissions of lane columns in kg per unit."""
    lanes = model.chain.lanes
    fixed, by_weight = lanes["co2_per_unit"].to_numpy(float), lanes["co2_per_tonne"].to_numpy(float)
    return _per_unit(model, column, fixed, by_weight)


def _per_unit(model: Model, column: Ints, fixed: Floats, by_weight: Floats) -> Floats:
    """Amount per unit of lane columns, from those per unit and per tonne of each lane."""
    net, lane = model.network, model.network.lane[column]
    if not by_weight.any():
        return np.asarray(fixed[lane])
    tonnes = model.chain.product_column("weight_kg")[net.product[column]] / 1000
    return np.asarray(fixed[lane] + by_weight[lane] * tonnes)


def _charge_lanes(model: Model) -> None:
    net, chain = model.network, model.chain
    column, lanes, operator = is_move(model), chain.lanes, chain.lanes["w"].to_numpy()
    price, value = chain.product_column("price"), chain.product_column("value")
    fixed, by_weight, margin, days, damage = (
        lanes[name].to_numpy(float)
        for name in ("unit_cost", "unit_cost_per_tonne", "margin_rate", "lead_days", "damage_rate")
    )
    priced = ~chain.lane_tariff & ((fixed != 0) | (by_weight != 0))
    some, _ = _charged(column, net.lane, priced & (operator < 0))
    model.charge("transport", _per_unit(model, some, fixed, by_weight), some, at="lane")
    some, lane = _charged(column, net.lane, priced & (operator >= 0))
    model.charge("operators", _per_unit(model, some, fixed, by_weight), some, operator[lane], at="lane")
    some, lane = _charged(column, net.lane, margin)
    model.charge("margins", margin[lane] * price[net.product[some]], some, at="lane")
    some, lane = _charged(column, net.lane, days)
    _charge_pipeline(model, some, days[lane], "lane")
    some, lane = _charged(column, net.lane, damage)
    model.charge("losses", damage[lane] * value[net.product[some]], some, at="lane")
    last = net.kind[some] == LAST
    some, lane = some[last], lane[last]
    model.charge(
        "returns", damage[lane] * chain.channel_column("return_cost")[net.channel[some]], some, at="lane"
    )
    column = column if chain.case.settings.co2_price else column[:0]
    model.charge("emissions", lane_co2(model, column) * chain.case.settings.co2_price, column, at="lane")


def _charged(column: Ints, of: Ints, rate: NDArray[Any]) -> tuple[Ints, Ints]:
    """Those of the columns whose lane or channel (`of`, for all columns) has a rate, and which that is."""
    some = column[(rate != 0)[of[column]]]
    return some, of[some]


def _charge_pipeline(model: Model, column: Ints, days: Floats, at: str) -> None:
    """Charge holding and decay of goods for `days` on the way."""
    chain, p = model.chain, model.network.product[column]
    value = chain.product_column("value")[p] * days
    model.charge(
        "pipeline_stock", value * chain.product_column("holding_rate")[p] / chain.days, column, at=at
    )
    model.charge("losses", value * chain.product_column("loss_rate_per_day")[p], column, at=at)


def _charge_service(model: Model) -> None:
    net, chain = model.network, model.chain
    last = np.flatnonzero(net.kind == LAST)
    commission = chain.channel_column("commission_rate")
    back = chain.channel_column("return_rate") * chain.channel_column("return_cost")
    late = np.where(np.isfinite(chain.promise), chain.channel_column("late_cost"), 0.0)
    some, c = _charged(last, net.channel, commission)
    model.charge(
        "commission", commission[c] * chain.product_column("price")[net.product[some]], some, at="market"
    )
    some, c = _charged(last, net.channel, back)
    model.charge("returns", back[c], some, at="market")
    some, c = _charged(last, net.channel, late)
    model.charge("late", late[c] * (1.0 - net.on_time[some]), some, at="market")


def is_move(model: Model) -> Ints:
    """Columns on lanes."""
    return np.flatnonzero(model.network.lane >= 0)


def is_stock(model: Model) -> Ints:
    """Columns into stock that have something to cover."""
    net = model.network
    return np.flatnonzero((net.kind == STOCK) & (net.coverage > 0))
