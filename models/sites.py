"""Sites and intermediaries: which are open, what closing and opening them costs, what they may carry."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyomo.environ as pyo

from scopt.models.network_flow import is_move
from scopt.network import SUPPLY

if TYPE_CHECKING:
    from scopt.models.model import Model

__all__ = ["add_site_capacity", "add_site_links", "add_sites"]


def add_sites(model: Model) -> None:
    r"""Open, close and replace sites.

    .. math:: \min \sum_i f_i z_i + \sum_{i\,\text{new}} \frac{o_i}{Y} z_i
              + \sum_{i\,\text{today}} \Big(\frac{c_i}{Y} + r_i\Big)(1 - z_i), \qquad
              \sum_{i \in \text{place}} z_i \le 1

    ======  ================================  ===============
    symbol  variable or data                  unit
    ======  ================================  ===============
    z_i     `open_site`                       0 or 1
    f_i     fixed_cost                        money per year
    o_i     open_cost, paid over Y years      money
    c_i     close_cost, paid over Y years     money
    r_i     replacement_cost                  money per year
    ======  ================================  ===============

    A site with a tariff pays its fixed cost through its tiers. With the lever `remove` off, a site of today
    closes only when another one of its place takes over.
    """
    chain, m = model.chain, model.pyomo
    lower, upper = chain.bounds
    m.open_site = pyo.Var(list(chain.site_ids), within=pyo.Binary)
    z = list(m.open_site.values())
    for var, low, high in zip(z, lower.tolist(), upper.tolist(), strict=True):
        if low == high:
            var.fix(low)
    years = chain.case.settings.one_off_years
    fixed = np.where(chain.site_tariff, 0.0, chain.site_column("fixed_cost"))
    opening, closing = chain.site_column("open_cost") / years, chain.site_column("close_cost") / years
    replacing, operator = chain.site_column("replacement_cost"), chain.site_operator
    listed = chain.case.sites["status"].to_numpy(dtype=object) != "closed"
    for i in np.flatnonzero(listed).tolist():
        who = int(operator[i])
        if fixed[i]:
            model.pay("sites" if who < 0 else "operators", fixed[i] * z[i], who, site=i)
        if chain.today[i]:
            if closing[i]:
                model.pay("one_off", closing[i] * (1 - z[i]), site=i)
            if replacing[i]:
                model.pay("replaced", replacing[i] * (1 - z[i]), site=i)
        elif opening[i]:
            model.pay("one_off", opening[i] * z[i], site=i)
    if not chain.strategy.measured:
        _add_places(model)


def _add_places(model: Model) -> None:
    chain, m = model.chain, model.pyomo
    lower, _ = chain.bounds
    sites = chain.site_ids
    members = {place: np.flatnonzero(chain.place == place) for place in np.unique(chain.place)}
    shared = {p: who for p, who in members.items() if chain.usable[who].sum() > 1}

    def one_per_place(m: pyo.ConcreteModel, place: int) -> object:
        who = shared[place]
        return pyo.quicksum(m.open_site[s] for s in sites[who]) <= max(1, int(lower[who].sum()))

    def stays(m: pyo.ConcreteModel, place: int) -> object:
        return pyo.quicksum(m.open_site[s] for s in sites[shared[place]]) >= 1

    m.one_per_place = pyo.Constraint(list(shared), rule=one_per_place)
    kept = [p for p, who in shared.items() if (chain.today & ~chain.removable)[who].any()]
    m.taken_over = pyo.Constraint(kept, rule=stays)


def add_site_links(model: Model) -> None:
    r"""Nothing passes a closed site.

    Core rows per site and product, and the tight rows per destination and commodity, which make the
    relaxation strong (disaggregated links of facility location; Balinski 1965).

    .. math:: \sum_{a \to i} x_a^p \le R_{ip} z_i, \qquad
              \sum_{a: i \to j} x_a^{pc} \le R_{jcp} z_i

    ========  ===============================================  ==============
    symbol    meaning                                          unit
    ========  ===============================================  ==============
    R_{ip}    demand that can be reached through site i        units per year
    R_{jcp}   demand that can be reached through destination   units per year
    ========  ===============================================  ==============
    """
    net, chain = model.network, model.chain
    free = chain.bounds[0] < chain.bounds[1]
    z = list(model.pyomo.open_site.values())
    enter = np.flatnonzero((net.enters >= 0) & free[np.maximum(net.enters, 0)])
    site, p = net.enters[enter], net.product[enter]
    model.link("open_site", [p], enter, net.reach.sum(axis=1)[site, p], z, site, lazy=False)
    move = is_move(model)
    move = move[free[net.site[move]]]
    keys = [net.destination[move], net.commodity[move]]
    model.link("open_site_tight", keys, move, net.reach_destination[move], z, net.site[move], lazy=True)


def add_site_capacity(model: Model) -> None:
    r"""Capacities of sites, of products at sites, and of supply; minimum volumes of open sites.

    .. math:: m_i z_i \le \sum_{a \to i} \sigma_p x_a \le u_i z_i

    with :math:`\sigma_p` the size of a unit. Minimum volumes do not bind in the as-is chain.
    """
    net, chain, m = model.network, model.chain, model.pyomo
    ids, size = chain.site_ids, chain.product_column("size")
    least = np.zeros(len(ids)) if chain.strategy.measured else chain.site_column("min_units")
    most = chain.site_column("capacity")
    enters = np.flatnonzero(net.enters >= 0)
    wanted = chain.usable & (np.isfinite(most) | (least > 0) | chain.site_tariff)
    if wanted.any():
        number = np.cumsum(wanted) - 1
        mine = enters[wanted[net.enters[enters]]]
        model.meter(
            "site_volume", ids[wanted].tolist(), number[net.enters[mine]], mine, size[net.product[mine]]
        )
    for name, bound, sense in (("site_capacity", most, 1), ("site_minimum", least, -1)):
        rows = chain.usable & (np.isfinite(bound) if sense > 0 else bound > 0)
        limit = dict(zip(ids, bound.tolist(), strict=True))

        def rule(m: pyo.ConcreteModel, s: str, limit: dict[str, float] = limit, sense: int = sense) -> object:
            return sense * m.site_volume[s] <= sense * limit[s] * m.open_site[s]

        if rows.any():
            m.add_component(name, pyo.Constraint(ids[rows].tolist(), rule=rule))
    _add_product_capacity(model)
    _add_supply_capacity(model)


def _add_product_capacity(model: Model) -> None:
    """Capacity of a product at a site, in units, while the site is open."""
    net, chain = model.network, model.chain
    bound = chain.by_product("capacity", np.full(len(chain.site_ids), np.inf))
    enter = np.flatnonzero(net.enters >= 0)
    enter = enter[np.isfinite(bound[net.enters[enter], net.product[enter]])]
    site, p = net.enters[enter], net.product[enter]
    model.link(
        "site_product_capacity",
        [p],
        enter,
        bound[site, p],
        list(model.pyomo.open_site.values()),
        site,
        lazy=False,
    )


def _add_supply_capacity(model: Model) -> None:
    """Capacity of a source for a product, in units, while its site is open."""
    net, chain = model.network, model.chain
    bound = chain.supply_capacity
    first = np.flatnonzero(net.kind == SUPPLY)
    first = first[np.isfinite(bound[net.site[first], net.product[first]])]
    i, p = net.site[first], net.product[first]
    model.link(
        "supply_capacity", [p], first, bound[i, p], list(model.pyomo.open_site.values()), i, lazy=False
    )
