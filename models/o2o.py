"""O2O integration: joining the stock pools of a site."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyomo.environ as pyo

from scopt.chain import EITHER, JOINED, position
from scopt.models.network_flow import is_move, is_stock

if TYPE_CHECKING:
    from scopt.models.model import Model

__all__ = ["add_joining"]


def add_joining(model: Model) -> None:
    r"""One shared stock for all pools of a site, or a stock for each.

    .. math:: \sum_{a \in \text{joined}} x_a^{pc} \le R^0_{scp}\,j_s, \qquad
              \sum_{a \in \text{separate}} x_a^{pc} \le R^0_{scp}\,(z_s - j_s), \qquad j_s \le z_s

    with `join` :math:`j_s` at the yearly cost `o2o_cost`. Tight rows per destination hold at sites whose
    stocked states are copied. Joined stock pools independent variances (Eppen 1979) at the highest service
    level of all.
    """
    net, chain, m = model.network, model.chain, model.pyomo
    cost = chain.site_column("o2o_cost")
    z = m.open_site
    ids = chain.site_ids
    for i in np.flatnonzero((chain.join == JOINED) & chain.usable).tolist():
        if cost[i]:
            model.pay("integration", float(cost[i]) * z[ids[i]], site=i)
    open_to_choice = (chain.join == EITHER) & chain.usable
    if not open_to_choice.any():
        return
    names = ids[open_to_choice].tolist()
    m.join = pyo.Var(names, within=pyo.Binary)
    m.join_in_open_site = pyo.Constraint(names, rule=lambda m, s: m.join[s] <= m.open_site[s])
    for s, price in zip(names, cost[open_to_choice].tolist(), strict=True):
        if price:
            model.pay("integration", price * m.join[s], site=position(s, ids))
    join, opened = list(m.join.values()), [z[s] for s in names]
    number = np.cumsum(open_to_choice) - 1
    pools = len(chain.pool_ids)
    column = is_stock(model)
    column = column[open_to_choice[net.site[column]]]
    i, c, p = net.site[column], net.channel[column], net.product[column]
    most, which, together = net.reach_stock[i, c, p], number[i], net.group[column] == pools
    keys = net.commodity[column]
    model.link(
        "joined", [keys[together]], column[together], most[together], join, which[together], lazy=False
    )
    apart = ~together
    model.link(
        "separate", [keys[apart]], column[apart], most[apart], opened, which[apart], lazy=False, less=join
    )
    out = is_move(model)
    out = out[(net.out_of[out] >= 0) & (open_to_choice & net.versions.copied)[net.site[out]]]
    separate, _ = net.versions.per_site()
    together = net.out_of[out] >= separate[net.site[out]]
    most, which = net.reach_destination[out], number[net.site[out]]
    keys = [net.destination[out], net.commodity[out]]
    model.link(
        "joined_tight", [k[together] for k in keys], out[together], most[together], join, which[together],
        lazy=True,
    )  # fmt: skip
    model.link(
        "separate_tight", [k[~together] for k in keys], out[~together], most[~together], opened,
        which[~together], lazy=True, less=join,
    )  # fmt: skip
