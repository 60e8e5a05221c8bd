r"""Stock: which points hold it, what variance they pool, and what the square root of it costs.

A cell is a (site, product, group), where the group is a pool or, at a site that joins its pools, all of them.
Its safety stock is :math:`\zeta\sqrt{V}` with :math:`V = \sum \tau\,\nu_{cp}\,x / N` over the stock arcs it
serves. The root is concave in V; chords between break points lie below it, so the model's bound is a bound on
the truth, and a design is improved and priced with the root itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyomo.environ as pyo

from scopt.chain import EITHER, positions
from scopt.models.network_flow import is_move, is_stock
from scopt.network import LAST, PASSED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from scopt.models.model import Floats, Ints, Model

    Bools = NDArray[np.bool_]
    Cell = tuple[int, int, int]

__all__ = [
    "Cells",
    "add_stock",
    "add_stock_ceilings",
    "add_stock_points",
    "chords",
    "keep_in_use",
    "tangents",
]

IN_USE = 1e-4
"""Part of the reachable demand that has to run through a stock point of today for it to count as kept."""


GRID_UP_TO = 60
"""Cells up to which each gets a grid of tangents."""


def chords(low: float, high: float, breaks: Floats) -> tuple[Floats, Floats]:
    r"""Chords of the square root between break points.

    Their lower envelope lies on or below the root on [low, high] (and is exact at the break points):

    .. math:: \sqrt{V} \ge \sqrt{a} + (V - a)\,\frac{\sqrt{b} - \sqrt{a}}{b - a}, \qquad a \le V \le b

    Parameters
    ----------
    low, high
        Range of the variance.
    breaks
        Break points strictly between them, increasing.

    Returns
    -------
    tuple
        Intercepts and slopes, one a chord.
    """
    points = np.concatenate([[low], breaks, [high]])
    roots = np.sqrt(points)
    slope = 1.0 / (roots[1:] + roots[:-1])
    return roots[:-1] - slope * points[:-1], slope


def tangents(points: Floats) -> tuple[Floats, Floats]:
    r"""Tangents of the square root, which lie on or above it.

    .. math:: \sqrt{V} \le \tfrac12 \sqrt{P} + \frac{V}{2\sqrt{P}}

    Parameters
    ----------
    points
        Variances P > 0 at which the tangents touch.

    Returns
    -------
    tuple
        Intercepts and slopes, one a tangent.
    """
    root = np.sqrt(points)
    return root / 2, 0.5 / root


class Cells:
    """The cells of a network and what each stock column adds to them.

    Parameters
    ----------
    model
        The model; its network tells the stock columns.

    Attributes
    ----------
    site, product, group : (cells,)
        Keys of the cells that have something to cover.
    column : (stock columns,)
        Array columns into stock with coverage.
    of : (stock columns,)
        Cell of each of them.
    weight : (stock columns,)
        Variance that a unit per year adds, units^2 per (unit/year).
    factor : (cells,)
        Standard normal quantile.
    low, high : (cells,)
        Range of the variance where the cell is the one in use at its site.
    alone : (cells,)
        Cells that are always in use: pools of their site are never joined, or always.
    other : (stock columns,)
        Cell that the goods of each of them are in where the pools of the site are joined instead of apart, or
        apart instead of joined; -1 where there is no choice.
    """

    def __init__(self, model: Model) -> None:
        net, chain = model.network, model.chain
        self.column = is_stock(model)
        site, product = net.site[self.column], net.product[self.column]
        products, groups = len(chain.product_ids), len(chain.pool_ids) + 1
        key = (site * products + product) * groups + net.group[self.column]
        cells, self.of = np.unique(key, return_inverse=True)
        self.group = cells % groups
        self.site, self.product = cells // groups // products, cells // groups % products
        channel = net.channel[self.column]
        self.weight = net.coverage[self.column] * chain.vmr[channel, product] / chain.days
        self.factor = chain.safety_factor[self.group, self.product]
        self.low, self.high = self._range(model)
        self.alone = chain.join[self.site] != EITHER
        joined = groups - 1
        turned = np.where(net.group[self.column] == joined, chain.pool[channel], joined)
        self.other = positions(pd.Series((site * products + product) * groups + turned), pd.Index(cells))
        self.envelope = self._envelope(model)

    @property
    def count(self) -> int:
        """Number of cells."""
        return len(self.site)

    @property
    def keys(self) -> list[tuple[int, int, int]]:
        """(site, product, group) of each cell."""
        return list(zip(self.site.tolist(), self.product.tolist(), self.group.tolist(), strict=True))

    def variance(self, flows: Floats) -> Floats:
        """Variance that each cell covers for the given array columns, (cells,)."""
        return np.asarray(np.bincount(self.of, self.weight * flows[self.column], minlength=self.count), float)

    def rejoined(self, flows: Floats) -> Floats:
        """Variance that each cell would cover were its site to join its pools or part them, (cells,)."""
        some = self.other >= 0
        moved = (self.weight * flows[self.column])[some]
        return np.asarray(np.bincount(self.other[some], moved, minlength=self.count), float)

    def least_root(self, flows: Floats) -> Floats:
        """Root of each cell by its envelope, at most the true one, (cells,)."""
        root = np.bincount(self.of, self.envelope * flows[self.column], minlength=self.count)
        return np.asarray(root, dtype=float)

    def touching(
        self, seen: Sequence[Mapping[tuple[int, int, int], float]]
    ) -> dict[tuple[int, int, int], Floats]:
        """Points at which tangents shall touch the root of each cell.

        Parameters
        ----------
        seen
            Variances by cell of solutions at hand; few cells get a grid of points besides.
        """
        breaks: dict[Cell, Floats] = {}
        for n, key in enumerate(self.keys):
            high = self.high[n]
            if high <= 0:
                breaks[key] = np.ones(1)
                continue
            low = max(self.low[n], 1e-3 * high)
            points = np.array([at for variance in seen if (at := variance.get(key, 0.0)) > 0.5 * low])
            if self.count <= GRID_UP_TO:
                count = 1 + int(np.ceil(np.log2(high / low) / 1.5))
                points = np.concatenate([points, np.geomspace(low, high, count)])
            elif not len(points):
                points = np.array([0.25 * high])
            points = np.sort(points)
            breaks[key] = points[np.r_[True, points[1:] > 1.01 * points[:-1]]]
        return breaks

    def _envelope(self, model: Model) -> Floats:
        r"""Root that a unit of each stock column stands for at least, (stock columns,).

        For one commodity the flows of a cell lie in the simplex :math:`\sum_a x_a \le D_c`, over which the
        convex envelope of the concave root is its interpolation at the vertices; commodities are joined by
        the inequality of Cauchy and Schwarz with shares :math:`\alpha_c`, :math:`\sum_c \alpha_c = 1`:

        .. math:: \sqrt{\sum_c V_c} \ge \sum_c \sqrt{\alpha_c V_c}
                  \ge \sum_c \sqrt{\alpha_c} \sum_a x_a \sqrt{\frac{\tau_a \nu_c}{N D_c}}

        The shares are those of the largest variances, so that the bound is exact where all of a cell's demand
        runs through it with one coverage.
        """
        net = model.network
        site, channel, product = (x[self.column] for x in (net.site, net.channel, net.product))
        demand = net.reach_stock[site, channel, product]
        key = self.of * (int(channel.max(initial=0)) + 1) + channel
        pairs, first, group = np.unique(key, return_index=True, return_inverse=True)
        most = np.zeros(len(pairs))
        np.maximum.at(most, group, self.weight * demand)
        total = np.bincount(self.of[first], most, minlength=self.count)
        share = np.divide(most, total[self.of[first]], out=np.zeros(len(pairs)), where=most > 0)
        return np.asarray(np.sqrt(share[group] * self.weight / np.maximum(demand, 1e-300)))

    def _range(self, model: Model) -> tuple[Floats, Floats]:
        """Least and most variance of each cell, from forced and from reachable demand."""
        net, chain = model.network, model.chain
        commodity = net.commodity[self.column]
        key = self.of * (chain.demand.shape[1] * chain.demand.shape[2]) + commodity
        pairs, first, group = np.unique(key, return_index=True, return_inverse=True)
        most, least = np.zeros(len(pairs)), np.full(len(pairs), np.inf)
        np.maximum.at(most, group, self.weight)
        np.minimum.at(least, group, self.weight)
        site, channel, product = (x[self.column][first] for x in (net.site, net.channel, net.product))
        forced = _forced_demand(model)
        high = np.bincount(
            self.of[first], most * net.reach_stock[site, channel, product], minlength=self.count
        )
        low = np.bincount(self.of[first], least * forced[site, channel, product], minlength=self.count)
        return np.asarray(np.minimum(low, high), float), np.asarray(high, float)


def _forced_demand(model: Model) -> Floats:
    """Demand that can only be served out of stock at a site, (sites, channels, products)."""
    net, chain = model.network, model.chain
    last = np.flatnonzero(net.kind == LAST)
    shape = chain.demand.shape
    cell = np.ravel_multi_index((net.market[last], net.channel[last], net.product[last]), shape)
    from_stock = net.out_of[last] >= 0
    lowest = np.full(chain.demand.size, np.iinfo(np.int64).max)
    highest = np.full(chain.demand.size, -1)
    np.minimum.at(lowest, cell, np.where(from_stock, net.site[last], -1))
    np.maximum.at(highest, cell, net.site[last])
    short = np.zeros(chain.demand.size, bool)
    if len(model.notes["unmet_cells"][0]):
        short[np.ravel_multi_index(model.notes["unmet_cells"], shape)] = True
    sure = (lowest == highest) & (highest >= 0) & ~short
    _, c, p = np.unravel_index(np.flatnonzero(sure), shape)
    out = np.zeros((len(chain.site_ids), *shape[1:]))
    np.add.at(out, (highest[sure], c, p), chain.demand.reshape(-1)[sure])
    return out


def add_stock_points(model: Model) -> None:
    r"""Stock at a site needs the site, and costs its slot once a product, however many pools share it.

    .. math:: \sum_{a \in \text{stock}(s,p,c)} x_a \le R^0_{scp}\,y_{sp}, \qquad
              \sum_{a: (s, \text{stocked}) \to j} x_a^{pc} \le R_{jcp}\,y_{sp}, \qquad y_{sp} \le z_s

    ==========  ====================================================  ==============
    symbol      variable or data                                      unit
    ==========  ====================================================  ==============
    y_{sp}      `stock_point`                                         0 or 1
    R^0_{scp}   demand that can be reached out of stock at the site   units per year
    ==========  ====================================================  ==============

    A point that costs nothing and is counted by no limit needs no variable. Points from which a demand has to
    be served whatever the design are fixed.
    """
    net, chain, m = model.network, model.chain, model.pyomo
    column = is_stock(model)
    slot = chain.by_product("stock_cost", chain.site_column("stock_cost"))
    counted = (chain.case.limits["measure"] == "changes").any() and not chain.strategy.measured
    wanted = (slot != 0) | counted
    column = column[wanted[net.site[column], net.product[column]]]
    if not len(column):
        return
    products = len(chain.product_ids)
    keys, which = np.unique(net.site[column] * products + net.product[column], return_inverse=True)
    site, product = keys // products, keys % products
    names = list(zip(chain.site_ids[site], chain.product_ids[product], strict=True))
    m.stock_point = pyo.Var(names, within=pyo.Binary)
    y = list(m.stock_point.values())
    free = chain.bounds[0] < 1
    tied = [names[i] for i in np.flatnonzero(free[site])]
    m.stock_in_open_site = pyo.Constraint(tied, rule=lambda m, s, p: m.stock_point[s, p] <= m.open_site[s])
    for var, cost, where in zip(y, slot[site, product].tolist(), site.tolist(), strict=True):
        if cost:
            model.pay("stock_slots", cost * var, site=where)
    forced = _forced_demand(model).sum(axis=1)[site, product] > 0
    for n in np.flatnonzero(forced).tolist():
        y[n].setlb(1)
    i, c, p = net.site[column], net.channel[column], net.product[column]
    model.link("stock_point", [c], column, net.reach_stock[i, c, p], y, which, lazy=False)
    out = is_move(model)
    out = out[net.out_of[out] >= 0]
    number = np.full(len(chain.site_ids) * products, -1, np.int64)
    number[keys] = np.arange(len(keys))
    seat = number[net.site[out] * products + net.product[out]]
    out, seat = out[seat >= 0], seat[seat >= 0]
    keys_out = [net.destination[out], net.channel[out]]
    model.link("stock_point_tight", keys_out, out, net.reach_destination[out], y, seat, lazy=True)

    def settle(flows: Floats) -> None:
        used = np.bincount(which, flows[column], minlength=len(y)) > 0
        for var, on in zip(y, used.tolist(), strict=True):
            var.set_value(int(on), skip_validation=True)

    model.settlers.append(settle)


def keep_in_use(model: Model, points: Sequence[tuple[str, str]]) -> None:
    r"""Let stock points count as kept only when something runs through them.

    .. math:: \sum_{a \in \text{stock}(s,p)} x_a \ge \varepsilon\, y_{sp} \sum_c R^0_{scp}, \qquad
              \varepsilon = 10^{-4}

    An unused point costs nothing and is none; without these rows a limit on changes could be met by points in
    name only.
    """
    net, chain, m = model.network, model.chain, model.pyomo
    column = is_stock(model)
    ids = pd.MultiIndex.from_arrays(
        [chain.site_ids[net.site[column]], chain.product_ids[net.product[column]]]
    )
    group = pd.MultiIndex.from_tuples(points).get_indexer(ids)
    column, group = column[group >= 0], group[group >= 0]
    least = np.zeros(len(points))
    i, p = net.site[column], net.product[column]
    least[group] = IN_USE * net.reach_stock.sum(axis=1)[i, p]
    switch = [m.stock_point[point] for point in points]
    order = np.arange(len(points))
    model.add_rows(
        "stock_point_in_use",
        group,
        column,
        1.0,
        0.0,
        np.inf,
        count=len(points),
        decisions=(order, switch, order, -least),
    )


def add_stock(model: Model, breaks: dict[tuple[int, int, int], Floats], *, above: bool = False) -> None:
    r"""Safety stock by chords of the root, cycle stock, and what both cost to hold and lose.

    .. math:: r_g = \sum_l \phi_l w_l + \psi_l V_l, \quad V_l = \sum_{a \in l} \tau_a \nu x_a / N, \quad
              \sum_{a \in l} x_a^c \le R^0_{sc} w_l, \quad \sum_l w_l \le 1

    ======  ======================================================================  ==============
    symbol  variable or data                                                        unit
    ======  ======================================================================  ==============
    r_g     `root`: the root of the variance of a cell (approximated from below)    units
    V_l     `variance` covered on a line                                            units^2
    w_l     `line`: the line that a cell uses                                       0 or 1
    phi_l   intercept of the line
    psi_l   slope of the line
    ======  ======================================================================  ==============

    A cell without break points has the envelope of its root (`Cells`) instead of lines and, where demand has
    to run through it, the chord over its whole range, switched by :math:`j_s` where pools may be joined.

    With `above` the lines are tangents at the break points instead of chords between them: a model whose
    designs keep every ceiling on stock, but whose bound is none.

    Holding costs value times holding rate, losses value times the yearly loss rate, per unit of average
    stock. Cycle stock is flow times R/N/2. Sources: Simpson (1958); Graves and Willems (2000); Eppen (1979)
    for pooling.
    """
    net, chain, m = model.network, model.chain, model.pyomo
    _charge_cycle_stock(model)
    cells = Cells(model)
    model.notes["cells"] = cells
    if not cells.count:
        return
    names = [
        (chain.site_ids[s], chain.product_ids[p], g)
        for s, p, g in zip(cells.site, cells.product, _group_names(model, cells.group), strict=True)
    ]
    m.root = pyo.Var(names, within=pyo.NonNegativeReals)
    root = list(m.root.values())
    for var, high in zip(root, cells.high.tolist(), strict=True):
        var.setub(1.01 * high**0.5)
    lines = _lines(cells, breaks, above=above)
    model.notes["lines"] = lines
    keys = [(*names[c], n) for c, n in zip(lines.cell, lines.number, strict=True)]
    seat = lines.start[cells.of] + net.line[cells.column]
    variance = model.meter("variance", keys, seat, cells.column, cells.weight)
    switch = _line_switches(model, cells, lines, names, seat)
    v = list(variance.values())
    flat = np.array([key not in breaks for key in cells.keys], bool)
    envelope = model.meter(
        "envelope", names, cells.of, cells.column, np.where(flat[cells.of], cells.envelope, 0.0)
    )
    by_cell = [
        range(a, b) for a, b in zip(lines.start, np.append(lines.start[1:], len(lines.cell)), strict=True)
    ]

    def root_row(m: pyo.ConcreteModel, *key: Any) -> object:
        mine = by_cell[index[key]]
        if flat[index[key]]:
            return (0.0, m.root[key] - envelope[key], None)
        return m.root[key] == pyo.quicksum(
            float(lines.intercept[i]) * switch[i] + float(lines.slope[i]) * v[i] for i in mine
        )

    index = {key: n for n, key in enumerate(names)}
    m.root_of_variance = pyo.Constraint(names, rule=root_row)
    forced = np.flatnonzero(flat & (cells.low > 0))

    def chord_row(m: pyo.ConcreteModel, *key: Any) -> object:
        n = index[key]
        i = lines.start[n]
        height = float(lines.intercept[i]) * _in_use(model, cells, n)
        return m.root[key] >= height + float(lines.slope[i]) * v[i]

    m.root_on_chord = pyo.Constraint([names[n] for n in forced.tolist()], rule=chord_row)
    value = chain.product_column("value")[cells.product] * cells.factor
    hold = value * chain.product_column("holding_rate")[cells.product]
    lose = value * chain.product_column("loss_rate_per_day")[cells.product] * chain.days
    model.pay("safety_stock", pyo.quicksum(h * r for h, r in zip(hold.tolist(), root, strict=True) if h))
    model.pay("losses", pyo.quicksum(h * r for h, r in zip(lose.tolist(), root, strict=True) if h))

    def settle(flows: Floats) -> None:
        for var, amount in zip(root, np.sqrt(cells.variance(flows)).tolist(), strict=True):
            var.set_value(amount, skip_validation=True)

    model.settlers.append(settle)


def _in_use(model: Model, cells: Cells, n: int) -> Any:
    """Whether a cell with compulsory demand is the one in use at its site: 1, or a Pyomo expression."""
    m, site = model.pyomo, model.chain.site_ids[cells.site[n]]
    if cells.alone[n]:
        return 1
    joined = cells.group[n] == len(model.chain.pool_ids)
    return m.join[site] if joined else m.open_site[site] - m.join[site]


def _group_names(model: Model, group: Ints) -> list[str]:
    pools = [*model.chain.pool_ids.tolist(), "(joined)"]
    return [pools[g] for g in group.tolist()]


class _Lines:
    """Lines of all cells, in the order of the cells."""

    def __init__(self, cell: Ints, number: Ints, intercept: Floats, slope: Floats, cells: int) -> None:
        self.cell, self.number, self.intercept, self.slope = cell, number, intercept, slope
        self.start = np.searchsorted(cell, np.arange(cells))


def _lines(cells: Cells, breaks: dict[tuple[int, int, int], Floats], *, above: bool) -> _Lines:
    cell, number, intercept, slope = [], [], [], []
    for n, key in enumerate(cells.keys):
        if cells.high[n] <= 0:
            phi, psi = np.zeros(1), np.zeros(1)
        elif above:
            phi, psi = tangents(breaks[key])
        else:
            phi, psi = chords(cells.low[n], cells.high[n], breaks.get(key, np.empty(0)))
        cell.append(np.full(len(phi), n))
        number.append(np.arange(len(phi)))
        intercept.append(phi)
        slope.append(psi)
    return _Lines(
        np.concatenate(cell), np.concatenate(number), np.concatenate(intercept), np.concatenate(slope),
        cells.count,
    )  # fmt: skip


def _line_switches(
    model: Model, cells: Cells, lines: _Lines, names: list[tuple[str, str, str]], seat: Ints
) -> list[Any]:
    """Binary per line where a cell has several; 1 where it has a single one."""
    net, m = model.network, model.pyomo
    several = np.bincount(lines.cell, minlength=cells.count)[lines.cell] > 1
    keys = [(*names[c], int(n)) for c, n in zip(lines.cell[several], lines.number[several], strict=True)]
    m.line = pyo.Var(keys, within=pyo.Binary)
    choice = list(m.line.values())
    if choice:
        number = np.cumsum(several) - 1
        groups: dict[tuple[str, str, str], list[Any]] = {}
        for key, var in zip(keys, choice, strict=True):
            groups.setdefault(key[:3], []).append(var)
        m.one_line = pyo.Constraint(
            list(groups), rule=lambda m, *key: pyo.quicksum(groups[key]) <= _line_budget(m, key)
        )
        mine = several[seat]
        column, which = cells.column[mine], number[seat[mine]]
        i, c, p = net.site[column], net.channel[column], net.product[column]
        model.link("line", [c], column, net.reach_stock[i, c, p], choice, which, lazy=False)
        _link_copies(model, several, number, lines, cells, choice)
    switch: list[Any] = [1.0] * len(several)
    for at, var in zip(np.flatnonzero(several).tolist(), choice, strict=True):
        switch[at] = var
    return switch


def _line_budget(m: Any, key: tuple[str, str, str]) -> Any:
    """Return what a line of a cell needs: its stock point or, where that is no decision, its site."""
    if hasattr(m, "stock_point") and key[:2] in m.stock_point:
        return m.stock_point[key[:2]]
    return m.open_site[key[0]]


def _link_copies(
    model: Model, several: Bools, number: Ints, lines: _Lines, cells: Cells, choice: list[Any]
) -> None:
    """Tie every lane out of a copied stocked state to the line behind it, per destination and commodity."""
    net, chain = model.network, model.chain
    out = is_move(model)
    out = out[(net.out_of[out] > PASSED) & net.versions.copied[net.site[out]]]
    separate, _ = net.versions.per_site()
    label, site, product = net.out_of[out], net.site[out], net.product[out]
    joined = label >= separate[site]
    group = np.where(joined, len(chain.pool_ids), chain.pool[net.channel[out]])
    line = np.where(joined, label - separate[site], label)
    key = (cells.site * len(chain.product_ids) + cells.product) * (len(chain.pool_ids) + 1) + cells.group
    wanted = (site * len(chain.product_ids) + product) * (len(chain.pool_ids) + 1) + group
    at = np.minimum(np.searchsorted(key, wanted), len(key) - 1)
    place = lines.start[at] + line
    fits = (key[at] == wanted) & (line < np.bincount(lines.cell, minlength=cells.count)[at])
    fits[fits] &= several[place[fits]]
    out, which = out[fits], number[place[fits]]
    keys = [net.destination[out], net.channel[out]]
    model.link("line_tight", keys, out, net.reach_destination[out], choice, which, lazy=True)


def _charge_cycle_stock(model: Model) -> None:
    chain, net = model.chain, model.network
    column = is_stock(model)
    p = net.product[column]
    average = chain.site_column("review_days")[net.site[column]] / chain.days / 2
    value = chain.product_column("value")[p] * average
    model.charge("cycle_stock", value * chain.product_column("holding_rate")[p], column, at="stock")
    model.charge(
        "losses", value * chain.product_column("loss_rate_per_day")[p] * chain.days, column, at="stock"
    )


def add_stock_ceilings(model: Model) -> None:
    r"""Ceilings on the days that stock lasts, for a product in all and at each site.

    .. math:: \sum_{g} \zeta_g r_g + \sum_{a} \frac{R_s}{2N} x_a \le \frac{\mathrm{days}}{N} \sum_{a} x_a

    Safety plus cycle stock, over the units served (`max_stock_days`) or over the stocked flow of the site
    (`max_site_days`). They do not bind in the as-is chain. With the root from below these rows are a
    relaxation.
    """
    net, chain, m = model.network, model.chain, model.pyomo
    cells: Cells = model.notes["cells"]
    if chain.strategy.measured or not cells.count:
        return
    in_all, at_site = chain.product_column("max_stock_days"), chain.product_column("max_site_days")
    column = cells.column
    p, review = net.product[column], chain.site_column("review_days")[net.site[column]]
    root = list(m.root.values())

    def ceiling(name: str, days: Floats, key: Ints, cell_key: Ints, served: Ints) -> None:
        kept = np.isfinite(days[p])
        rows, group = np.unique(key[kept], return_inverse=True)
        where = np.searchsorted(rows, cell_key)
        fits = (
            (where < len(rows)) & (rows[np.minimum(where, len(rows) - 1)] == cell_key)
            if len(rows)
            else where < 0
        )
        cells_in = np.flatnonzero(fits)
        use = column[kept]
        value = review[kept] / 2
        if len(served):
            served = served[np.isfinite(days[net.product[served]])]
            seat = np.searchsorted(rows, net.product[served])
            ok = (seat < len(rows)) & (rows[np.minimum(seat, len(rows) - 1)] == net.product[served])
            group = np.concatenate([group, seat[ok]])
            use = np.concatenate([use, served[ok]])
            value = np.concatenate([value, -days[net.product[served[ok]]]])
        else:
            value = value - days[p[kept]]
        model.add_rows(
            name, group, use, value, -np.inf, 0.0, count=len(rows),
            decisions=(where[cells_in], root, cells_in, cells.factor[cells_in] * chain.days),
        )  # fmt: skip

    products = len(chain.product_ids)
    last = np.flatnonzero(net.kind == LAST)
    ceiling("max_stock_days", in_all, p, cells.product, last)
    none = np.empty(0, np.int64)
    ceiling(
        "max_site_days", at_site, net.site[column] * products + p, cells.site * products + cells.product, none
    )
