"""Promised service: shares served on time and single sourcing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyomo.environ as pyo

from scopt.network import LAST

if TYPE_CHECKING:
    from scopt.models.model import Floats, Model

__all__ = ["add_on_time_shares", "add_single_sourcing"]


def add_on_time_shares(model: Model) -> None:
    r"""Let the promised share of what is served arrive within the promise.

    .. math:: \sum_{k \in S} \sum_{a \to k} \rho_a x_a \ge \beta_c \sum_{k \in S} \sum_{a \to k} x_a

    =========  =======================================================================  =====
    symbol     meaning                                                                  unit
    =========  =======================================================================  =====
    rho_a      on-time rate of the route where its days are within the promise, else 0  share
    beta_c     on_time_share of the channel                                             share
    S          a market, the markets of a region, or all markets (share_scope)
    =========  =======================================================================  =====
    """
    net, chain = model.network, model.chain
    share = chain.channel_column("on_time_share")
    scope = chain.case.channels["share_scope"].to_numpy(dtype=object)
    binding = np.isfinite(chain.promise) & (share > 0)
    last = np.flatnonzero((net.kind == LAST) & binding[net.channel])
    slack = net.on_time[last] - share[net.channel[last]]
    region = pd.factorize(chain.case.markets["region"].astype(object))[0].astype(np.int64)
    market = net.market[last]
    wide = scope[net.channel[last]]
    where = np.where(wide == "market", market, np.where(wide == "region", region[market], 0))
    key = (net.commodity[last] * (len(region) + 1)) + where
    rows, group = np.unique(key, return_inverse=True)
    harmless = np.bincount(group, slack < 0, minlength=len(rows)) == 0
    keep = ~harmless[group]
    number = np.cumsum(~harmless) - 1
    # A row is scaled by its slackest coefficient: only the sign of the sum matters.
    model.add_rows(
        "on_time_share",
        number[group[keep]],
        last[keep],
        slack[keep],
        0.0,
        np.inf,
        count=int((~harmless).sum()),
    )


def add_single_sourcing(model: Model) -> None:
    r"""Serve all products of a market and channel from one last site, where the channel asks for it.

    .. math:: \sum_{a: i \to (k,c,p)} x_a \le D_{kcp}\,s_{kci}, \qquad \sum_i s_{kci} \le 1
    """
    net, chain, m = model.network, model.chain, model.pyomo
    single = chain.case.channels["single_source"].to_numpy(dtype=bool)
    last = np.flatnonzero((net.kind == LAST) & single[net.channel])
    if not len(last):
        return
    k, c, i = net.market[last], net.channel[last], net.site[last]
    shape = len(chain.market_ids), len(chain.channel_ids), len(chain.site_ids)
    which, codes = pd.factorize(np.ravel_multi_index((k, c, i), shape))
    ids = chain.market_ids, chain.channel_ids, chain.site_ids
    at = np.unravel_index(codes, shape)
    keys = list(zip(*(names[n].tolist() for names, n in zip(ids, at, strict=True)), strict=True))
    m.source = pyo.Var(keys, within=pyo.Binary)
    groups: dict[tuple[str, str], list[str]] = {}
    for market, channel, site in keys:
        groups.setdefault((market, channel), []).append(site)
    # With whole demand served, exactly one source; where demand may stay unmet, at most one.
    m.one_source = pyo.Constraint(
        list(groups), rule=lambda m, k, c: pyo.quicksum(m.source[k, c, i] for i in groups[k, c]) <= 1
    )
    most = chain.demand[k, c, net.product[last]]
    switch = list(m.source.values())
    model.link("single_source", [net.product[last]], last, most, switch, which.astype(np.int64), lazy=False)

    def settle(flows: Floats) -> None:
        used = np.bincount(which, flows[last], minlength=len(switch)) > 0
        for var, on in zip(switch, used.tolist(), strict=True):
            var.set_value(int(on), skip_validation=True)

    model.settlers.append(settle)
