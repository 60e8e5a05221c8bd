"""Outside operators: contracts, minimum volumes, minimum bills, capacity."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyomo.environ as pyo

from scopt.chain import position
from scopt.models.lanes import add_switch
from scopt.models.network_flow import is_move
from scopt.models.offers import add_tiers, largest_volume

if TYPE_CHECKING:
    from scopt.models.model import Floats, Ints, Model

__all__ = ["add_operators", "operator_columns"]


def operator_columns(model: Model) -> tuple[Ints, Ints]:
    """Columns that count as an operator's units, and their operator; a column may occur twice.

    Every unit at each of its sites, and every unit on its lanes that start at a site not its own.
    """
    net, chain = model.network, model.chain
    enter = np.flatnonzero(net.enters >= 0)
    who = chain.site_operator[net.enters[enter]]
    move = is_move(model)
    carrier = chain.lanes["w"].to_numpy()[net.lane[move]]
    outside = (carrier >= 0) & (carrier != chain.site_operator[net.site[move]])
    return np.concatenate([enter[who >= 0], move[outside]]), np.concatenate([who[who >= 0], carrier[outside]])


def add_operators(model: Model) -> None:
    r"""Contracts with operators.

    .. math:: z_i \le k_o, \quad x_a \le R\,k_o, \quad m_o k_o \le q_o \le u_o k_o, \quad
              \min\; C_o k_o + t_o, \quad t_o \ge B_o k_o - \mathrm{bill}_o

    ======  =============================================================================  ===============
    symbol  variable or data                                                               unit
    ======  =============================================================================  ===============
    k_o     `contract`: taken when a site of the operator is open or a lane carries flow   0 or 1
    q_o     `operator_volume`                                                              sizes per year
    C_o     contract_cost, or the operator's tariff                                        money per year
    B_o     min_bill; bill_o holds contract, tariffs, fixed and unit costs                 money per year
    t_o     `top_up` to the minimum bill                                                   money per year
    ======  =============================================================================  ===============
    """
    chain, m = model.chain, model.pyomo
    ids = chain.operator_ids
    if not len(ids):
        return
    m.contract = pyo.Var(ids.tolist(), within=pyo.Binary)
    _tie_contracts(model)
    column, who = operator_columns(model)
    size = chain.product_column("size")[model.network.product[column]]
    model.meter("operator_volume", ids.tolist(), who, column, size)
    move = is_move(model)
    carrier = chain.lanes["w"].to_numpy()[model.network.lane[move]]
    table = chain.case.operators.set_index("operator")
    for number, o in enumerate(ids):
        row = table.loc[o]
        if o in chain.tariffs:
            most = largest_volume(model, column[who == number])
            lanes = move[(chain.site_operator[model.network.site[move]] == number) | (carrier == number)]
            fixed, rest = add_tiers(model, o, m.operator_volume[o], m.contract[o], most, lanes)
            model.pay("operators", fixed + rest, number)
        elif row["contract_cost"]:
            model.pay("operators", float(row["contract_cost"]) * m.contract[o], number)
    _add_volumes(model, table)
    _add_minimum_bills(model, table)


def _tie_contracts(model: Model) -> None:
    net, chain, m = model.network, model.chain, model.pyomo
    held = np.flatnonzero((chain.site_operator >= 0) & chain.usable)
    owner = dict(zip(chain.site_ids[held], chain.operator_ids[chain.site_operator[held]], strict=True))
    m.site_contract = pyo.Constraint(list(owner), rule=lambda m, s: m.open_site[s] <= m.contract[owner[s]])
    move = is_move(model)
    carrier = chain.lanes["w"].to_numpy()[net.lane[move]]
    move, carrier = move[carrier >= 0], carrier[carrier >= 0]
    contract = list(m.contract.values())
    add_switch(model, "lane_contract", contract, move, carrier)

    def settle(flows: Floats) -> None:
        used = np.bincount(carrier, flows[move], minlength=len(contract)) > 0
        for site, o in owner.items():
            used[chain.operator_ids.get_loc(o)] |= pyo.value(m.open_site[site]) > 0.5
        for var, on in zip(contract, used.tolist(), strict=True):
            var.set_value(int(on), skip_validation=True)

    model.settlers.append(settle)


def _add_volumes(model: Model, table: Any) -> None:
    m, measured = model.pyomo, model.chain.strategy.measured
    most = table["capacity"].dropna()
    least = table["min_units"][(table["min_units"] > 0) & (not measured)]
    m.operator_capacity = pyo.Constraint(
        most.index.tolist(), rule=lambda m, o: m.operator_volume[o] <= float(most[o]) * m.contract[o]
    )
    m.operator_minimum = pyo.Constraint(
        least.index.tolist(), rule=lambda m, o: m.operator_volume[o] >= float(least[o]) * m.contract[o]
    )


def _add_minimum_bills(model: Model, table: Any) -> None:
    chain, m = model.chain, model.pyomo
    floor = table["min_bill"][table["min_bill"] > 0]
    if floor.empty:
        return
    names = floor.index.tolist()
    number = {position(o, chain.operator_ids): n for n, o in enumerate(names)}
    groups, columns, values = [], [], []
    for billed, cost in model.bills:
        charged = np.flatnonzero(cost != 0)
        mine = charged[np.isin(billed[charged], list(number))]
        groups.append(np.array([number[b] for b in billed[mine].tolist()], np.int64))
        columns.append(mine)
        values.append(cost[mine])
    none = np.empty(0, np.int64)
    meter = model.meter(
        "operator_unit_costs", names, np.concatenate([none, *groups]), np.concatenate([none, *columns]),
        np.concatenate([np.empty(0), *values]),
    )  # fmt: skip
    m.top_up = pyo.Var(names, bounds=lambda m, o: (0.0, float(floor[o])))
    shortfall = {}
    for o in names:
        terms = model.bill_terms.get(position(o, chain.operator_ids), [])
        shortfall[o] = float(floor[o]) * m.contract[o] - meter[o] - pyo.quicksum(terms)
        model.pay("operators", m.top_up[o])
    m.minimum_bill = pyo.Constraint(names, rule=lambda m, o: m.top_up[o] >= shortfall[o])

    def settle(flows: Floats) -> None:
        for o in names:
            m.top_up[o].set_value(max(0.0, float(pyo.value(shortfall[o]))), skip_validation=True)

    model.settlers.append(settle)
