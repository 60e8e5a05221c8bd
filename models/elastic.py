r"""The elastic copy of a model: every rule of the business may be broken at a price.

Where a case has no feasible design, the least total relaxation tells why. Each row that states a rule gets a
slack r, counted as a part of its right-hand side, so that days, units, counts and money compare:

.. math:: \sum_j a_j x_j \le b + |b|\,r, \qquad \min \sum_i w_i r_i

Rows that state no rule (balance, links, definitions) stay hard. Models of this kind: Chinneck (2008),
Feasibility and Infeasibility in Optimization, chapter 6.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyomo.environ as pyo
from scipy.sparse import coo_array, csr_array

from scopt.chain import position
from scopt.models.lanes import lane_names
from scopt.network import LAST

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scopt.chain import Chain
    from scopt.models.model import Arrays, Floats, Ints, Model

__all__ = ["Elastic", "Slack", "make_elastic"]

PER_UNSERVED = 10.0
"""Price of leaving a market unserved against that of breaking a rule by its whole right-hand side."""

PER_SHARE = 2.0
"""Price of giving up a promised share altogether, which is worse than a promise twice as long."""

LEVELS = 12
"""Promises that are tried for each channel at most."""

SITE_DAYS = (1.1, 1.2, 1.4, 1.7, 2.0, 2.5, 3.0, 4.0, 6.0, 10.0, 20.0)
"""Ceilings on a site's stock days that are tried, over that of the case."""

STEPS = 12
"""Finer steps between two of them."""

HARD = frozenset({
    "site_contract", "join_in_open_site", "stock_in_open_site", "tier_rows", "minimum_bill", "one_line",
    "root_of_variance", "root_on_chord", "taken_over", "observed_outflow", "observed_share", "as_observed",
})  # fmt: skip
"""Constraints among decisions that state no rule of the case."""

Key = tuple[str, ...]


@dataclass(frozen=True)
class Slack:
    """One rule that the elastic model may break.

    Parameters
    ----------
    rule
        What kind of rule it is, as `site_capacity` or `response_days`.
    key
        Ids that tell which one: sites, products, channels…
    before
        Its value in the case, in the unit of the case.
    base
        What a slack of 1 adds to it, in the unit of the case.
    column
        Column in the elastic arrays.
    row
        Row that it relaxes; -1 where it relaxes several.
    """

    rule: str
    key: Key
    before: float
    base: float
    column: int
    row: int = -1


@dataclass(frozen=True, eq=False)
class Elastic:
    """Arrays whose objective is the total relaxation, and what each of its slacks stands for."""

    arrays: Arrays
    slacks: list[Slack]


def make_elastic(
    model: Model, arrays: Arrays, chain: Chain, site_days: Mapping[str, float] | None = None
) -> Elastic:
    """Give every rule of a model a slack.

    Parameters
    ----------
    model, arrays
        A model of the loosened chain, where sites that a status forces are free and later arrivals are
        tolerated, and its arrays.
    chain
        The chain as it is.
    site_days
        Ceilings on stock days at a site that would do, by product: less is tried in finer steps.

    Returns
    -------
    Elastic
        Has a solution unless rows that state no rule contradict each other.
    """
    maker = _Maker(model, arrays)
    _add_demand(maker)
    _add_promises(maker, chain)
    _add_on_time_shares(maker)
    _add_product_capacities(maker)
    _add_stock_days(maker)
    _add_site_days(maker, site_days or {})
    _add_statuses(maker, chain)
    _add_decision_rows(maker)
    return maker.finish()


class _Maker:
    """Collects slack columns, their entries in the rows of the model, and rows of their own."""

    def __init__(self, model: Model, arrays: Arrays) -> None:
        self.model, self.arrays = model, arrays
        self.width, self.height = len(arrays.cost), len(arrays.row_lower)
        self.matrix = csr_array(arrays.matrix)
        self.seat = {id(var): arrays.flows + n for n, var in enumerate(arrays.decisions)}
        self.slacks: list[Slack] = []
        self.weight: list[float] = []
        self.most: list[float] = []
        self.whole: list[bool] = []
        self.entries: list[tuple[Any, Any, Any]] = []
        self.low: list[Floats] = []
        self.high: list[Floats] = []
        self.count = self.height
        self.levels: dict[int, tuple[Floats, list[int]]] = {}

    def columns(self, most: Floats, weight: float = 0.0, *, whole: bool = False) -> Ints:
        """Append columns between 0 and `most` and return their numbers."""
        first = self.width + len(self.weight)
        self.weight += [weight] * len(most)
        self.most += most.tolist()
        self.whole += [whole] * len(most)
        return first + np.arange(len(most))

    def slack(
        self, rule: str, key: Key, before: float, base: float, row: int = -1, *, weight: float = 1.0,
        most: float = np.inf, whole: bool = False,
    ) -> int:  # fmt: skip
        """Append a named slack and return its column."""
        column = int(self.columns(np.array([most]), weight, whole=whole)[0])
        self.slacks.append(Slack(rule, key, before, base, column, row))
        return column

    def relax(self, rule: str, key: Key, row: int, before: float, base: float, **more: Any) -> None:
        """Relax one row on the side on which it binds: upwards where `base` is positive."""
        column = self.slack(rule, key, before, base, row, **more)
        upper = np.isfinite(self.arrays.row_upper[row])
        self.enter(row, column, -abs(base) if upper else abs(base))

    def enter(self, rows: Any, columns: Any, values: Any) -> None:
        """Add entries."""
        parts = np.broadcast_arrays(rows, columns, values)
        self.entries.append((np.ravel(parts[0]), np.ravel(parts[1]), np.ravel(parts[2])))

    def rows(self, low: Any, high: Any, count: int) -> Ints:
        """Append rows and return their numbers."""
        self.low.append(np.broadcast_to(np.asarray(low, float), (count,)))
        self.high.append(np.broadcast_to(np.asarray(high, float), (count,)))
        self.count += count
        return np.arange(self.count - count, self.count)

    def block(self, name: str) -> Ints:
        """Rows of an array block."""
        at = 0
        for other, count in self.arrays.row_blocks:
            if other == name:
                return np.arange(at, at + count)
            at += count
        return np.empty(0, np.int64)

    def flows_of(self, rows: Ints) -> tuple[Ints, Ints]:
        """Entries of rows on columns of the network: number within `rows`, column."""
        part = self.matrix[rows].tocoo()
        inside = part.col < self.model.network.size
        return part.row[inside].astype(np.int64), part.col[inside].astype(np.int64)

    def first_flow(self, rows: Ints) -> Ints:
        """One column of the network in each row."""
        row, column = self.flows_of(rows)
        out = np.zeros(len(rows), np.int64)
        out[row] = column
        return out

    def finish(self) -> Elastic:
        """Join the rows and columns of the model with those added."""
        arrays, extra, more = self.arrays, len(self.weight), self.count - self.height
        old = self.matrix.tocoo()
        row, column, value = (np.concatenate(part) for part in zip(*self.entries, strict=True))
        matrix = coo_array(
            (np.r_[old.data, value], (np.r_[old.row, row], np.r_[old.col, column])),
            shape=(self.count, self.width + extra),
        )
        elastic = replace(
            arrays, cost=np.r_[np.zeros(self.width), self.weight], offset=0.0,
            lower=np.r_[arrays.lower, np.zeros(extra)], upper=np.r_[arrays.upper, self.most],
            integer=np.r_[arrays.integer, np.array(self.whole, bool)], matrix=csr_array(matrix),
            row_lower=np.concatenate([arrays.row_lower, *self.low]),
            row_upper=np.concatenate([arrays.row_upper, *self.high]),
            lazy=np.r_[arrays.lazy, np.zeros(more, bool)],
            row_blocks=[*arrays.row_blocks, ("elastic", more)],
        )  # fmt: skip
        return Elastic(elastic, self.slacks)


def _add_demand(maker: _Maker) -> None:
    r"""Let a part of a market's demand in a channel go unserved, the same of all its products.

    .. math:: \sum_a x_a + u + e = D, \qquad e \le D f_{kc}
    """
    chain, rows = maker.model.chain, maker.block("demand")
    k, c, p = np.nonzero(chain.demand)
    wanted = chain.demand[k, c, p]
    left = maker.columns(wanted)
    maker.enter(rows, left, 1.0)
    pair, which = np.unique(k * len(chain.channel_ids) + c, return_inverse=True)
    share = np.array([
        maker.slack("demand", (str(market), str(channel)), 1.0, -1.0, weight=PER_UNSERVED, most=1.0)
        for market, channel in zip(
            chain.market_ids[pair // len(chain.channel_ids)],
            chain.channel_ids[pair % len(chain.channel_ids)], strict=True,
        )
    ])  # fmt: skip
    new = maker.rows(-np.inf, 0.0, len(rows))
    maker.enter(new, left, 1.0)
    maker.enter(new, share[which], -wanted)


def _add_promises(maker: _Maker, chain: Chain) -> None:
    r"""Let a channel promise more days: one of the arrivals that the network knows.

    .. math:: \sum_{a: t_a > W_c + L_c} x_a \le D_{kcp} \sum_{l: W_l + L_c \ge t_a} \lambda_{cl}, \qquad
              \sum_l \lambda_{cl} \le 1, \qquad w_l = \frac{W_l - W_c}{\max(W_c, 1)}

    W is the promise, L the tolerated lateness. Arrivals within a level count as on time in
    `_add_on_time_shares`.
    """
    net = maker.model.network
    last = np.flatnonzero(net.kind == LAST)
    for channel in np.flatnonzero(np.isfinite(chain.promise)).tolist():
        promise, late = float(chain.promise[channel]), float(chain.lateness[channel])
        mine = last[(net.channel[last] == channel) & (net.days[last] > promise + 1e-9)]
        level = np.unique(np.r_[net.days[mine], net.days[mine] - (late if np.isfinite(late) else 0.0)])
        level = level[level > promise + 1e-9]
        if not len(level):
            continue
        level = level[np.unique(np.linspace(0, len(level) - 1, min(len(level), LEVELS)).round().astype(int))]
        name, unit = (str(chain.channel_ids[channel]),), max(promise, 1.0)
        taken = [
            maker.slack(
                "response_days", name, promise, days - promise, weight=(days - promise) / unit, most=1.0,
                whole=True,
            )
            for days in level.tolist()
        ]  # fmt: skip
        maker.levels[channel] = level, taken
        one = maker.rows(-np.inf, 1.0, 1)
        maker.enter(one, taken, 1.0)
        if np.isfinite(late):
            mine = mine[net.days[mine] > promise + late + 1e-9]
            _allow(maker, mine, np.searchsorted(level + late, net.days[mine] - 1e-9), taken)


def _allow(maker: _Maker, column: Ints, need: Ints, taken: list[int]) -> None:
    """Open columns from the level on that they need, per market and commodity."""
    net, chain = maker.model.network, maker.model.chain
    cell = net.market[column] * (net.commodity.max(initial=0) + 1) + net.commodity[column]
    key, group = np.unique(cell * len(taken) + need, return_inverse=True)
    new = maker.rows(-np.inf, 0.0, len(key))
    maker.enter(new[group], column, 1.0)
    wanted = np.zeros(len(key))
    wanted[group] = chain.demand[net.market[column], net.channel[column], net.product[column]]
    for number, at in enumerate(taken):
        granted = np.flatnonzero(key % len(taken) <= number)
        maker.enter(new[granted], at, -wanted[granted])


def _add_on_time_shares(maker: _Maker) -> None:
    r"""Let a channel keep less of its promise, or count what is on time under a longer one.

    .. math:: \sum_a (\rho_a - \beta_c) x_a + \beta_c r_c D_S + \sum_l g_l \ge 0, \qquad
              g_l \le \sum_{a: t_a \in l} \rho'_a x_a, \qquad g_l \le D_S \sum_{m \ge l} \lambda_{cm}
    """
    net, chain, rows = maker.model.network, maker.model.chain, maker.block("on_time_share")
    if not len(rows):
        return
    row, column = maker.flows_of(rows)
    channel, product = net.channel[column], net.product[column]
    _, first = np.unique(np.stack([row, net.market[column]]), axis=1, return_index=True)
    demand = np.bincount(
        row[first], chain.demand[net.market[column], channel, product][first], minlength=len(rows)
    )
    of_row = np.zeros(len(rows), np.int64)
    of_row[row] = channel
    share = chain.channel_column("on_time_share")
    for c in np.unique(of_row).tolist():
        mine = np.flatnonzero(of_row == c)
        slack = maker.slack(
            "on_time_share", (str(chain.channel_ids[c]),), share[c], -share[c], weight=PER_SHARE, most=1.0
        )
        maker.enter(rows[mine], slack, share[c] * demand[mine])
        if c not in maker.levels:
            continue
        level, taken = maker.levels[c]
        late = (channel == c) & (net.days[column] > chain.promise[c] + 1e-9)
        need = np.searchsorted(level, net.days[column] - 1e-9)
        late &= need < len(level)
        key, group = np.unique(row[late] * len(level) + need[late], return_inverse=True)
        credit = maker.columns(demand[key // len(level)])
        maker.enter(rows[key // len(level)], credit, 1.0)
        arrived = maker.rows(-np.inf, 0.0, len(key))
        maker.enter(arrived, credit, 1.0)
        maker.enter(arrived[group], column[late], -net.rate[column[late]])
        granted = maker.rows(-np.inf, 0.0, len(key))
        maker.enter(granted, credit, 1.0)
        for number, at in enumerate(taken):
            open_ = np.flatnonzero(key % len(level) <= number)
            maker.enter(granted[open_], at, -demand[key[open_] // len(level)])


def _add_product_capacities(maker: _Maker) -> None:
    """Let supply and products at sites exceed their capacity."""
    net, chain = maker.model.network, maker.model.chain
    for rule, bound in (
        ("site_product_capacity", chain.by_product("capacity", np.full(len(chain.site_ids), np.inf))),
        ("supply_capacity", chain.supply_capacity),
    ):
        rows = maker.block(rule)
        column = maker.first_flow(rows)
        site = np.where(net.enters[column] >= 0, net.enters[column], net.site[column])
        for row, i, p in zip(rows.tolist(), site.tolist(), net.product[column].tolist(), strict=True):
            most = float(bound[i, p])
            key = (str(chain.site_ids[i]), str(chain.product_ids[p]))
            maker.relax(rule, key, row, most, most or float(chain.demand[:, :, p].sum()))


def _add_stock_days(maker: _Maker) -> None:
    """Let stock in all last longer than the ceiling of its product, in days of what is served."""
    net, chain, rows = maker.model.network, maker.model.chain, maker.block("max_stock_days")
    for row, p in zip(rows.tolist(), net.product[maker.first_flow(rows)].tolist(), strict=True):
        days = float(chain.product_column("max_stock_days")[p])
        slack = maker.slack("max_stock_days", (str(chain.product_ids[p]),), days, days or 1.0)
        maker.enter(row, slack, -(days or 1.0) * float(chain.demand[:, :, p].sum()))


def _add_site_days(maker: _Maker, enough: Mapping[str, float]) -> None:
    r"""Let stock at sites last longer than the ceiling of its product: one of some ceilings d_l.

    .. math:: \sum_g \zeta_g N r_g + \sum_a (R_s / 2 - d_l) x_a \le M (1 - \lambda_l), \qquad
              \sum_l \lambda_l \le 1

    What flows through the site is not known beforehand, so a slack in days would not be linear. The ceiling
    of the case holds where no level is taken.
    """
    net, chain, rows = maker.model.network, maker.model.chain, maker.block("max_site_days")
    product = net.product[maker.first_flow(rows)]
    part = maker.matrix[rows].tocoo()
    most = np.where(np.isfinite(maker.arrays.upper), maker.arrays.upper, 0.0)
    flow = part.col < net.size
    column = part.col[flow]
    reach = np.where(flow, 0.0, part.data * most[part.col])
    reach[flow] = (
        np.maximum(part.data[flow], 0.0)
        * net.reach_stock[net.site[column], net.channel[column], net.product[column]]
    )
    big = np.bincount(part.row, np.maximum(reach, 0.0), minlength=len(rows))
    for p in np.unique(product).tolist():
        days, mine = float(chain.product_column("max_site_days")[p]), np.flatnonzero(product == p)
        levels = _site_levels(days or 1.0, enough.get(str(chain.product_ids[p])))
        taken = [
            maker.slack(
                "max_site_days", (str(chain.product_ids[p]),), days, level - days,
                weight=(level - days) / (days or 1.0), most=1.0, whole=True,
            )
            for level in levels
        ]  # fmt: skip
        maker.enter(maker.rows(-np.inf, 1.0, 1), taken, 1.0)
        for slack in taken:
            maker.enter(rows[mine], slack, -big[mine])
        place = np.full(len(rows), -1)
        place[mine] = np.arange(len(mine))
        entries = place[part.row] >= 0
        for level, slack in zip(levels, taken, strict=True):
            new = maker.rows(-np.inf, big[mine], len(mine))
            value = part.data - np.where(flow, level - days, 0.0)
            maker.enter(new[place[part.row[entries]]], part.col[entries], value[entries])
            maker.enter(new, slack, big[mine])


def _site_levels(days: float, enough: float | None) -> list[float]:
    """Ceilings to try: coarse ones, or fine ones from the coarse one before what would do."""
    coarse = days * np.array(SITE_DAYS)
    if enough is None:
        return [float(level) for level in coarse]
    low = float(np.max(coarse, where=coarse < enough * (1 - 1e-6), initial=days))
    return [float(level) for level in np.linspace(low, max(enough, low * 1.01), STEPS + 1)[1:]]


def _add_statuses(maker: _Maker, chain: Chain) -> None:
    r"""Let sites that a status forces be otherwise: :math:`z + r \ge 1`, or :math:`z - r \le 0`."""
    lower, upper = maker.model.chain.bounds
    m, words = maker.model.pyomo, chain.case.sites["status"].to_numpy(dtype=object)
    for i in np.flatnonzero((lower < upper) & (chain.bounds[0] == chain.bounds[1])).tolist():
        site, must = str(chain.site_ids[i]), float(chain.bounds[0][i])
        slack = maker.slack(f"status_{words[i]}", (site,), must, 1.0 - 2.0 * must, most=1.0)
        row = maker.rows(1.0 if must else -np.inf, np.inf if must else 0.0, 1)
        maker.enter(row, [maker.seat[id(m.open_site[site])], slack], [1.0, 1.0 if must else -1.0])


def _add_decision_rows(maker: _Maker) -> None:
    """Relax the constraints among decisions that state a rule, and those that the user added."""
    model, chain = maker.model, maker.model.chain
    sources: dict[str, int] = {}
    lanes = dict(zip(lane_names(model), range(len(chain.lanes)), strict=True))
    for con in model.pyomo.component_data_objects(pyo.Constraint, active=True, descend_into=True):
        family, index, row = con.parent_component().local_name, con.index(), maker.arrays.row_of(con)
        if family in HARD:
            continue
        if family == "one_source":
            channel = str(index[1])
            if channel not in sources:
                sources[channel] = maker.slack("single_source", (channel,), 1.0, -1.0, most=1.0, whole=True)
            maker.enter(row, sources[channel], -float(len(chain.site_ids)))
        elif family == "one_per_place":
            members = chain.site_ids[(chain.place == index) & chain.usable]
            maker.relax("place", tuple(map(str, members)), row, 1.0, 1.0)
        elif family in _COLUMNS:
            number = lanes[index] if family.startswith("lane_") else index
            key, value = _value(chain, family, number)
            base = value or _all_demand(chain)
            most, base = (1.0, -base) if family.endswith("minimum") else (np.inf, base)
            maker.relax(family, key, row, value, base, most=most)
        elif family == "limit":
            _relax_both(maker, "limit", row, con, str(index))
        else:
            _relax_both(maker, "own_rule", row, con, con.name)


_COLUMNS = {
    "site_capacity": ("sites", "capacity"), "site_minimum": ("sites", "min_units"),
    "lane_capacity": ("lanes", "capacity"), "lane_minimum": ("lanes", "min_units"),
    "operator_capacity": ("operators", "capacity"), "operator_minimum": ("operators", "min_units"),
    "tier_minimum": ("rates", "from_units"),
}  # fmt: skip
"""Sheet and column that hold the value of a rule, by the name of its rows."""


def _value(chain: Chain, family: str, index: Any) -> tuple[Key, float]:
    """Key of a rule and its value in the case."""
    sheet, column = _COLUMNS[family]
    if sheet == "lanes":
        lane = chain.lanes.iloc[index]
        parts = ("origin", "destination", "channel", "product", "mode", "operator")
        return tuple(str(lane[part]) for part in parts), float(lane[column])
    if sheet == "rates":
        return (str(index),), float(chain.tariffs[index][column].iloc[0])
    ids = chain.site_ids if sheet == "sites" else chain.operator_ids
    table = chain.case.sites if sheet == "sites" else chain.case.operators
    return (str(index),), float(table[column].to_numpy(float)[position(index, ids)])


def _all_demand(chain: Chain) -> float:
    """All demand in sizes: the scale of a rule whose right-hand side is 0."""
    return max(float(chain.demand.sum(axis=(0, 1)) @ chain.product_column("size")), 1.0)


def _relax_both(maker: _Maker, rule: str, row: int, con: Any, name: str) -> None:
    """Relax a constraint on either side; where its bound is 0, by what its entries can add up to."""
    arrays, part = maker.arrays, maker.matrix[[row]]
    most = np.where(np.isfinite(arrays.upper[part.indices]), arrays.upper[part.indices], 0.0)
    counts = bool((np.abs(part.data) == 1.0).all() and arrays.integer[part.indices].all())
    reach = 1.0 if counts else float(np.abs(part.data) @ most) or _all_demand(maker.model.chain)
    for side, bound, sign in (("max", con.upper, 1.0), ("min", con.lower, -1.0)):
        if bound is not None:
            value = float(pyo.value(bound))
            base = sign * (abs(value) or reach)
            maker.enter(row, maker.slack(f"{rule}_{side}", (name,), value, base, row), -base)
