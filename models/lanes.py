"""Lanes that cost something as such: contract fees, capacities, minimum volumes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyomo.environ as pyo

from scopt.models.network_flow import is_move
from scopt.network import joint_key

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from scopt.models.model import Floats, Ints, Model

__all__ = ["add_lanes", "add_switch", "lane_names", "pair_names"]


def lane_names(model: Model) -> list[str]:
    """One readable, unique key for each usable lane row."""
    lanes = model.chain.lanes
    parts = [lanes[k].astype(str) for k in ("channel", "product", "mode", "operator")]
    name = model.chain.pair_names
    for part in parts:
        name = name + "|" + part
    return name.tolist()


def pair_names(model: Model) -> list[str]:
    """`origin>destination` of each usable lane row."""
    return model.chain.pair_names.tolist()


def add_switch(model: Model, name: str, switch: Sequence[object], column: Ints, which: Ints) -> None:
    r"""Lanes need their switch: core rows per product, tight rows per destination and commodity.

    .. math:: \sum_{j,c} \sum_{a \to j} x_a^{pc} \le w \sum_{j,c} R_{jcp}, \qquad
              \sum_{a \to j} x_a^{pc} \le R_{jcp}\,w

    Parameters
    ----------
    switch, which
        Binary variables, and the number of the one that each column needs.
    column
        Columns on lanes.
    """
    if not len(column):
        return
    net = model.network
    product, most = net.product[column], net.reach_destination[column]
    keys = [net.destination[column], net.commodity[column]]
    _, first = np.unique(joint_key(which, *keys), return_index=True)
    total = np.zeros((len(switch), len(model.chain.product_ids)))
    np.add.at(total, (which[first], product[first]), most[first])
    model.link(name, [product], column, total[which, product], switch, which, lazy=False)
    model.link(f"{name}_tight", keys, column, most, switch, which, lazy=True)


def settle_switch(switch: Sequence[object], column: Ints, which: Ints) -> Callable[[Floats], None]:
    """Turn a switch on exactly where something flows."""

    def settle(flows: Floats) -> None:
        used = np.bincount(which, flows[column], minlength=len(switch)) > 0
        for var, on in zip(switch, used.tolist(), strict=True):
            var.set_value(int(on), skip_validation=True)  # type: ignore[attr-defined]

    return settle


def add_lanes(model: Model) -> None:
    r"""Add fixed cost, capacity and minimum volume of each lane row.

    .. math:: m_a w_a \le \sum_{p,c,e} \sigma_p x_{a,e}^{pc} \le u_a w_a, \qquad \min \sum_a f_a w_a

    A lane is used (`lane_used`) when anything flows on it. Minimum volumes do not bind in the as-is chain;
    lanes of a pair with a tariff pay no fixed cost of their own.
    """
    net, chain, m = model.network, model.chain, model.pyomo
    lanes = chain.lanes
    fixed = np.where(chain.lane_tariff, 0.0, lanes["fixed_cost"].to_numpy(float))
    least = np.zeros(len(lanes)) if chain.strategy.measured else lanes["min_units"].to_numpy(float)
    most = lanes["capacity"].to_numpy(float)
    move = is_move(model)
    busy = np.zeros(len(lanes), bool)
    busy[net.lane[move]] = True
    switched = busy & ((fixed != 0) | (least > 0))
    bounded = busy & (switched | np.isfinite(most))
    if not bounded.any():
        return
    names = np.array(lane_names(model), dtype=object)
    number = np.cumsum(bounded) - 1
    mine = move[bounded[net.lane[move]]]
    size = chain.product_column("size")[net.product[mine]]
    model.meter("lane_volume", names[bounded].tolist(), number[net.lane[mine]], mine, size)
    if switched.any():
        _add_used(model, names, switched, fixed, least, move)
    rows = bounded & np.isfinite(most)
    limit = dict(zip(names, most.tolist(), strict=True))
    used = set(names[switched])

    def capacity(m: pyo.ConcreteModel, a: str) -> object:
        return m.lane_volume[a] <= limit[a] * (m.lane_used[a] if a in used else 1)

    if rows.any():
        m.lane_capacity = pyo.Constraint(names[rows].tolist(), rule=capacity)


def _add_used(model: Model, names: Ints, switched: Ints, fixed: Floats, least: Floats, move: Ints) -> None:
    net, m = model.network, model.pyomo
    keys = names[switched].tolist()
    m.lane_used = pyo.Var(keys, within=pyo.Binary)
    used = list(m.lane_used.values())
    number = np.cumsum(switched) - 1
    mine = move[switched[net.lane[move]]]
    which = number[net.lane[mine]]
    add_switch(model, "lane_used", used, mine, which)
    model.settlers.append(settle_switch(used, mine, which))
    operator = model.chain.lanes["w"].to_numpy()[switched]
    for var, cost, who in zip(used, fixed[switched].tolist(), operator.tolist(), strict=True):
        if cost:
            model.pay("transport" if who < 0 else "operators", cost * var, who)
    floor = {k: v for k, v in zip(keys, least[switched].tolist(), strict=True) if v > 0}
    if floor:
        m.lane_minimum = pyo.Constraint(
            list(floor), rule=lambda m, a: m.lane_volume[a] >= floor[a] * m.lane_used[a]
        )
