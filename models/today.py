"""Today's chain as it is run: lanes carry the shares that were observed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyomo.environ as pyo

from scopt.models.network_flow import is_move

if TYPE_CHECKING:
    from scopt.models.model import Floats, Model

__all__ = ["add_observed_shares"]


def add_observed_shares(model: Model) -> None:
    r"""Let lanes with `units_today` share what leaves their origin as observed, up to a least deviation.

    .. math:: q_a - s_a \sum_{b} q_b = d_a^+ - d_a^-, \qquad s_a = u_a / \sum_b u_b

    where a and b run over the observed lane rows of one origin, channel and product scope. Only the as-is
    chain has these rows; `deviation` sums the absolute differences in units.
    """
    net, chain, m = model.network, model.chain, model.pyomo
    lanes = chain.lanes
    seen = lanes["units_today"].notna().to_numpy()
    if not (chain.strategy.measured and seen.any()):
        return
    units = lanes["units_today"].fillna(0.0).to_numpy(float)
    group = pd.factorize(pd.MultiIndex.from_frame(lanes.loc[seen, ["origin", "channel", "product"]]))[0]
    total = np.bincount(group, units[seen])
    share = np.divide(units[seen], total[group], out=np.zeros(len(group)), where=total[group] > 0)
    number = np.cumsum(seen) - 1
    move = is_move(model)
    move = move[seen[net.lane[move]]]
    keys = list(range(len(group)))
    today = model.meter("observed", keys, number[net.lane[move]], move)
    m.over, m.under = pyo.Var(keys, within=pyo.NonNegativeReals), pyo.Var(keys, within=pyo.NonNegativeReals)
    members = [np.flatnonzero(group == g).tolist() for g in range(len(total))]
    m.outflow = pyo.Var(list(range(len(members))), within=pyo.NonNegativeReals)
    m.observed_outflow = pyo.Constraint(
        list(m.outflow), rule=lambda m, g: m.outflow[g] == pyo.quicksum(today[a] for a in members[g])
    )
    m.observed_share = pyo.Constraint(
        keys,
        rule=lambda m, a: today[a] - float(share[a]) * m.outflow[int(group[a])] == m.over[a] - m.under[a],
    )

    def settle(flows: Floats) -> None:
        for g in m.outflow:
            m.outflow[g].set_value(sum(today[a].value for a in members[g]), skip_validation=True)
        for a in keys:
            gap = today[a].value - float(share[a]) * m.outflow[int(group[a])].value
            m.over[a].set_value(max(gap, 0.0), skip_validation=True)
            m.under[a].set_value(max(-gap, 0.0), skip_validation=True)

    model.settlers.append(settle)
    m.deviation = pyo.Expression(expr=pyo.quicksum(m.over.values()) + pyo.quicksum(m.under.values()))
