"""Rules on top of a built model: one decision forced or priced otherwise, and designs kept apart.

Everything here is added by an `extend` function of `scopt.solve`, so it holds in every model of a strategy. A
decision is told by the array columns that carry its goods.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyomo.environ as pyo

from scopt.chain import position
from scopt.models.lanes import settle_switch
from scopt.models.network_flow import is_stock
from scopt.models.stock import IN_USE
from scopt.network import LAST, STOCK

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from scopt.models.model import Floats, Ints, Model

__all__ = ["USED", "add_switches", "could_carry", "forbid", "in_use", "keep_apart", "let_join", "require"]

USED = 0.01
"""Part of what could run through a decision that has to run through it for it to count as taken.

Below that a decision would be taken in name only: a forced lane would carry next to nothing and cost next to
nothing more, and a design would differ from another one by a token.
"""


def reachable(model: Model, column: Ints) -> Floats:
    """Demand of its commodity that a column can serve at most, units per year."""
    net = model.network
    kind, c, p = net.kind[column], net.channel[column], net.product[column]
    out = net.reach[np.maximum(net.enters[column], 0), c, p]
    held = net.reach_stock[net.site[column], c, p]
    sold = model.chain.demand[np.maximum(net.market[column], 0), c, p]
    return np.asarray(np.where(kind == STOCK, held, np.where(kind == LAST, sold, out)), float)


def could_carry(model: Model, column: Ints, which: Ints, count: int) -> Floats:
    r"""Return the volume that could run through each of `count` decisions, sizes per year.

    .. math:: \sum_{pc} \sigma_p \max_{a \in d} R_a^{pc}

    with :math:`R_a^{pc}` the demand that column a can serve. Columns of a commodity that end in different
    markets add up.
    """
    net, chain = model.network, model.chain
    market, commodity = net.market[column] + 1, net.commodity[column]
    keys = np.stack([which, market, commodity])
    kinds, group = np.unique(keys, axis=1, return_inverse=True)
    most = np.zeros(kinds.shape[1])
    np.maximum.at(most, group, reachable(model, column))
    size = chain.product_column("size")[kinds[2] % len(chain.product_ids)]
    return np.asarray(np.bincount(kinds[0], size * most, minlength=count), float)


def require(model: Model, name: str, column: Ints, least: float) -> None:
    r"""Let at least `least` sizes a year run through columns.

    .. math:: \sum_{a} \sigma_p x_a \ge m
    """
    size = model.chain.product_column("size")[model.network.product[column]]
    model.add_rows(name, np.zeros(len(column), np.int64), column, size, least, np.inf, count=1)


def forbid(model: Model, name: str, column: Ints) -> None:
    r"""Let nothing run through columns: a switch on them is held off, which closes them everywhere.

    .. math:: \sum_a x_a \le M w, \qquad w = 0
    """
    switch = pyo.Var(within=pyo.Binary)
    model.pyomo.add_component(name, switch)
    switch.fix(0)
    most, which = np.ones(len(column)), np.zeros(len(column), np.int64)
    model.link(name, [], column, most, [switch], which, lazy=False)


def in_use(model: Model, name: str, column: Ints, which: Ints, switch: Sequence[Any], least: Floats) -> None:
    r"""Let decisions be on only when they carry something.

    .. math:: \sum_{a \in d} \sigma_p x_a \ge m_d\, y_d

    Parameters
    ----------
    column, which
        Columns, and the number of the decision that each belongs to.
    switch, least
        Its binary and the least volume, sizes per year.
    """
    size = model.chain.product_column("size")[model.network.product[column]]
    order = np.arange(len(switch))
    model.add_rows(
        name, which, column, size, 0.0, np.inf, count=len(switch), decisions=(order, switch, order, -least)
    )


def add_switches(model: Model, name: str, column: Ints, which: Ints, count: int) -> list[Any]:
    """Binaries that are on when anything runs through their columns, for decisions that have none."""
    switch = pyo.Var(range(count), within=pyo.Binary)
    model.pyomo.add_component(name, switch)
    binaries = list(switch.values())
    net = model.network
    keys = [net.destination[column], net.commodity[column]]
    model.link(name, keys, column, reachable(model, column), binaries, which, lazy=False)
    model.settlers.append(settle_switch(binaries, column, which))
    return binaries


def let_join(model: Model) -> None:
    r"""Let pools count as joined only where at least two of them have stock.

    .. math:: \sum_{a \in (s, \pi)} \sigma_p x_a \ge m_{s\pi} u_{s\pi}, \qquad \sum_\pi u_{s\pi} \ge 2 j_s
    """
    net, chain, m = model.network, model.chain, model.pyomo
    pools, sites = len(chain.pool_ids), list(m.join)
    column = is_stock(model)
    number = np.full(len(chain.site_ids), -1, np.int64)
    number[[position(site, chain.site_ids) for site in sites]] = np.arange(len(sites))
    column = column[(number[net.site[column]] >= 0) & (net.group[column] == pools)]
    which = number[net.site[column]] * pools + chain.pool[net.channel[column]]
    keys = [(site, pool) for site in sites for pool in chain.pool_ids]
    m.pool_used = pyo.Var(keys, within=pyo.Binary)
    least = IN_USE * could_carry(model, column, which, len(keys))
    least = np.where(least > 0, least, 1.0)  # a pool that cannot be stocked there is not in use
    in_use(model, "pool_in_use", column, which, list(m.pool_used.values()), least)
    m.two_pools = pyo.Constraint(
        sites,
        rule=lambda m, s: pyo.quicksum(m.pool_used[s, pool] for pool in chain.pool_ids) >= 2 * m.join[s],
    )


def keep_apart(model: Model, designs: Iterable[Mapping[tuple[str, Any], bool]], least: int) -> None:
    r"""Keep a design at least `least` whole decisions away from others (Balas and Jeroslow 1972).

    .. math:: \sum_{d: \bar y_d = 0} y_d + \sum_{d: \bar y_d = 1} (1 - y_d) \ge n

    Parameters
    ----------
    designs
        Each tells by (component, index) of a binary whether it is on.
    """
    m = model.pyomo
    m.apart = pyo.ConstraintList()
    for design in designs:
        binaries = [(getattr(m, name)[index], on) for (name, index), on in design.items()]
        m.apart.add(pyo.quicksum(1 - y if on else y for y, on in binaries) >= least)
