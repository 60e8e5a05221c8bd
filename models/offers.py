"""The offer: pay `fixed` once if taken, `unit` for every unit, stay within a range.

Tariffs are sets of offers of which at most one is taken: the multiple-choice form of a piecewise linear cost
(Croxton, Gendron and Magnanti 2003), which is as tight as any and serves rising and falling prices alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyomo.environ as pyo

from scopt.models.lanes import add_switch, pair_names, settle_switch
from scopt.models.network_flow import is_move

if TYPE_CHECKING:
    import pandas as pd

    from scopt.models.model import Floats, Ints, Model

__all__ = ["Tariff", "Tiers", "add_pair_tariffs", "add_site_tariffs", "add_tiers"]


class Tiers:
    r"""Tiers of one tariff as offers: within [low_t, high_t] the year costs `fixed_t + unit_t * volume`.

    For `all_units` the tier's own fixed cost and price hold. For `incremental` every unit pays the price of
    the tier it falls in and the fixed costs of all tiers reached add up:

    .. math:: F_t = \sum_{s \le t} f_s + \sum_{1 \le s \le t} (u_{s-1} - u_s)\, b_s

    with :math:`b_s` the from_units of tier s. `entry` is the part of F that is a fixed cost on the price
    list, the rest belongs to the units.
    """

    def __init__(self, table: pd.DataFrame, most: float, *, measured: bool) -> None:
        start = table["from_units"].to_numpy(float)
        price, fee = table["unit_cost"].to_numpy(float), table["fixed_cost"].to_numpy(float)
        self.low = start.copy()
        self.high = np.append(start[1:], max(most, start[-1]))
        self.unit = price
        if (table["behavior"] == "incremental").all():
            self.entry = np.cumsum(fee)
            self.fixed = self.entry + np.concatenate([[0.0], np.cumsum((price[:-1] - price[1:]) * start[1:])])
        else:
            self.entry = self.fixed = fee
        if measured:
            # Minimum volumes do not bind in the as-is chain: the first tier then holds from zero.
            self.low[0] = 0.0

    def best(self, volume: float) -> int:
        """Cheapest tier that holds a volume; on a boundary either tier may."""
        slack = 1e-9 * max(1.0, abs(volume))
        holds = (self.low - slack <= volume) & (volume <= self.high + slack)
        if not holds.any():
            return int(np.argmin(np.minimum(np.abs(self.low - volume), np.abs(self.high - volume))))
        cost = np.where(holds, self.fixed + self.unit * volume, np.inf)
        return int(np.argmin(cost))


@dataclass(frozen=True, eq=False)
class Tariff:
    """Tiers of a model.

    Parameters
    ----------
    subject
        Key in the `rates` sheet.
    tiers
        The price list.
    choice, part
        Pyomo variables of each tier: whether it is taken, and the volume in it.
    lanes
        Columns on lanes that are never more, in sizes, than the volume.
    """

    subject: str
    tiers: Tiers
    choice: list[Any]
    part: list[Any]
    lanes: Ints


def add_tiers(
    model: Model, subject: str, volume: Any, taken: Any, most: float, lanes: Ints
) -> tuple[Any, Any]:
    r"""Choose one tier of a tariff for a volume.

    .. math:: \sum_t y_t = z, \quad \sum_t q_t = q, \quad b_t y_t \le q_t \le b_{t+1} y_t, \quad
              \min \sum_t F_t y_t + u_t q_t

    Parameters
    ----------
    subject
        Key in the `rates` sheet.
    volume
        Pyomo expression q in sizes per year.
    taken
        Pyomo expression z: whether the subject is used at all.
    most
        Largest volume that can occur.
    lanes
        Columns on lanes that are never more, in sizes, than the volume.

    Returns
    -------
    tuple
        Pyomo expressions of the fixed costs and of the rest, in money per year.
    """
    m, chain = model.pyomo, model.chain
    tiers = Tiers(chain.tariffs[subject], most, measured=chain.strategy.measured)
    if not hasattr(m, "tier"):
        m.tier = pyo.Var(pyo.Any, dense=False, within=pyo.Binary)
        m.tier_volume = pyo.Var(pyo.Any, dense=False, within=pyo.NonNegativeReals)
        m.tier_rows = pyo.ConstraintList()
        m.tier_minimum = pyo.Constraint(pyo.Any)
    count = range(len(tiers.low))
    choice, part = [m.tier[subject, t] for t in count], [m.tier_volume[subject, t] for t in count]
    model.notes.setdefault("tariffs", []).append(Tariff(subject, tiers, choice, part, lanes))
    for t in count:
        part[t].setub(float(tiers.high[t]))
    m.tier_rows.add(pyo.quicksum(choice) == taken)
    m.tier_rows.add(pyo.quicksum(part) == volume)
    for t in count:
        m.tier_rows.add(part[t] <= tiers.high[t] * choice[t])
        if tiers.low[t] > 0 and t > 0:
            m.tier_rows.add(part[t] >= tiers.low[t] * choice[t])
    if tiers.low[0] > 0:
        m.tier_minimum[subject] = part[0] >= tiers.low[0] * choice[0]

    def settle(flows: Floats) -> None:
        amount, on = float(pyo.value(volume)), float(pyo.value(taken)) > 0.5
        pick = tiers.best(amount) if on else -1
        for t in count:
            choice[t].set_value(int(t == pick), skip_validation=True)
            part[t].set_value(amount if t == pick else 0.0, skip_validation=True)

    model.settlers.append(settle)
    fixed = pyo.quicksum(float(tiers.entry[t]) * choice[t] for t in count)
    rest = pyo.quicksum(
        float(tiers.unit[t]) * part[t] + float(tiers.fixed[t] - tiers.entry[t]) * choice[t] for t in count
    )
    return fixed, rest


def largest_volume(model: Model, column: Ints) -> float:
    """Largest size-weighted volume that can pass columns: all demand on the routes that pass most of them."""
    net, chain = model.network, model.chain
    passed = np.zeros(net.size)
    np.add.at(passed, column, chain.product_column("size")[net.product[column]])
    routes = net.routes
    most, _ = routes.cheapest(-passed)
    last = routes.last[routes.first]
    demand = chain.demand[net.market[last], net.channel[last], net.product[last]]
    return float(-most[np.isfinite(most)] @ demand[np.isfinite(most)])


def add_site_tariffs(model: Model) -> None:
    """Tariffs whose subject is a site take the place of its fixed and unit cost."""
    chain, m = model.chain, model.pyomo
    capacity, move = chain.site_column("capacity"), is_move(model)
    for i in np.flatnonzero(chain.site_tariff & chain.usable).tolist():
        site, who = str(chain.site_ids[i]), int(chain.site_operator[i])
        most = min(largest_volume(model, np.flatnonzero(model.network.enters == i)), capacity[i])
        leave = move[model.network.site[move] == i]
        fixed, rest = add_tiers(model, site, m.site_volume[site], m.open_site[site], most, leave)
        model.pay("sites" if who < 0 else "operators", fixed, who, site=i)
        model.pay("handling" if who < 0 else "operators", rest, who, site=i)


def add_pair_tariffs(model: Model) -> None:
    """Tariffs whose subject is `origin>destination` take the place of the costs of all lanes of the pair."""
    net, chain, m = model.network, model.chain, model.pyomo
    if not chain.lane_tariff.any():
        return
    pairs = np.array(pair_names(model), dtype=object)
    present = set(pairs)
    subjects = [s for s in chain.tariffs if s in present]
    number = {s: n for n, s in enumerate(subjects)}
    of_lane = np.array([number.get(p, -1) for p in pairs], np.int64)
    move = is_move(model)
    move = move[of_lane[net.lane[move]] >= 0]
    which = of_lane[net.lane[move]]
    m.pair_used = pyo.Var(subjects, within=pyo.Binary)
    used = list(m.pair_used.values())
    add_switch(model, "pair_used", used, move, which)
    model.settlers.append(settle_switch(used, move, which))
    size = chain.product_column("size")
    volume = model.meter("pair_volume", subjects, which, move, size[net.product[move]])
    for n, subject in enumerate(subjects):
        who = int(chain.lanes["w"].to_numpy()[of_lane == n][0])
        most = largest_volume(model, move[which == n])
        fixed, rest = add_tiers(model, subject, volume[subject], m.pair_used[subject], most, move[which == n])
        model.pay("transport" if who < 0 else "operators", fixed + rest, who)
