"""The whole decisions that tell the designs of a strategy apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from scopt.models.forcing import USED, could_carry, in_use, let_join
from scopt.models.lanes import lane_names, pair_names
from scopt.models.network_flow import is_move, is_stock
from scopt.models.operators import operator_columns

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from scopt.chain import Chain
    from scopt.models import Model
    from scopt.result import Result

    Ints = NDArray[np.int64]
    Key = tuple[str, Any]
    Design = dict[Key, bool]

__all__ = ["Structure"]

KINDS = {
    "open_site": "site", "contract": "operator", "stock_point": "stock", "join": "pools", "lane_used": "lane",
    "pair_used": "lane",
}  # fmt: skip
"""Binaries of the model that tell designs apart, and what they are called."""


class Structure:
    """The whole decisions of a strategy that tell its designs apart.

    Parameters
    ----------
    model
        The strategy's plain model.

    Attributes
    ----------
    keys
        (component, index) of each binary that is free.
    """

    def __init__(self, model: Model) -> None:
        self.chain = model.chain
        self.keys: list[Key] = []
        for name in KINDS:
            for index, var in getattr(model.pyomo, name, {}).items():
                if not var.fixed and (var.lb or 0) < 1:
                    self.keys.append((name, index))
        lanes = self.chain.lanes["lane"].tolist()
        self.row_of = dict(zip(lane_names(model), lanes, strict=True))
        self.rows_of: dict[str, list[int]] = {}
        for pair, row in zip(pair_names(model), lanes, strict=True):
            self.rows_of.setdefault(pair, []).append(row)

    # -- in a result -----------------------------------------------------------------------------------------

    def volumes(self, result: Result) -> dict[Key, float]:
        """Sizes a year that a design lets run through each decision; 0 where it does not take it."""
        size = self.chain.case.products.set_index("product")["size"]
        sites = result.sites.set_index("site")["volume"]
        bills, stock, flows = result.outsourcing, result.stock, result.flows
        contracts = dict(zip(bills["operator"], bills["volume"], strict=True))
        held: dict[tuple[str, str], float] = {}
        for site, product, units in stock[["site", "product", "units"]].itertuples(index=False):
            held[site, product] = held.get((site, product), 0.0) + units * size[product]
        moved = (flows["units"] * size.reindex(flows["product"]).to_numpy()).groupby(flows["lane"]).sum()
        found: dict[Key, float] = {}
        for name, index in self.keys:
            if name == "open_site":
                amount = sites[index]
            elif name == "contract":
                amount = contracts.get(index, 0.0)
            elif name == "stock_point":
                amount = held.get(index, 0.0)
            elif name == "join":
                amount = 0.0
            else:
                rows = [self.row_of[index]] if name == "lane_used" else self.rows_of[index]
                amount = moved.reindex(rows).fillna(0.0).sum()
            found[name, index] = float(amount)
        return found

    def design(self, result: Result) -> Design:
        """Tell which decisions a design takes."""
        sites = result.sites.set_index("site")
        volumes = self.volumes(result)
        own = {"open_site": sites["after"] == "open", "join": _joined(result, self.chain)}
        contracts = set(result.outsourcing["operator"])
        return {
            (name, index): bool(own[name][index]) if name in own
            else index in contracts if name == "contract"
            else volumes[name, index] > 0
            for name, index in self.keys
        }  # fmt: skip

    def floors(self, best: Result) -> dict[Key, float]:
        """Volume that is enough for a decision to count as taken, as the best design makes do with it."""
        design, volumes = self.design(best), self.volumes(best)
        return {key: 0.5 * volumes[key] if on else np.inf for key, on in design.items()}

    def named(self, design: Design) -> dict[tuple[str, str], bool]:
        """Return a design by (kind, name) as people call its decisions."""
        return {(KINDS[name], _name(name, index)): on for (name, index), on in design.items()}

    # -- in a model ------------------------------------------------------------------------------------------

    def let_use(self, model: Model, most: Mapping[Key, float]) -> None:
        """Let decisions count as taken only when something runs through them, `most` at the most."""
        m = model.pyomo
        for name, (column, which, room) in self._carriers(model).items():
            keys = [index for component, index in self.keys if component == name]
            if not keys:
                continue
            number = {index: n for n, index in enumerate(keys)}
            seat = np.array([number.get(index, -1) for index in room], np.int64)
            usual = USED * np.minimum(
                could_carry(model, column, which, len(room)), np.fromiter(room.values(), float, len(room))
            )
            least = np.ones(len(keys))  # what nothing can run through cannot be taken at all
            least[seat[seat >= 0]] = np.where(usual > 0, usual, 1.0)[seat >= 0]
            least = np.minimum(least, [most[name, index] for index in keys])
            if name == "open_site":
                least[[n for index, n in number.items() if self._may_idle(index)]] = 0.0
            mine = seat[which] >= 0
            switch = [getattr(m, name)[index] for index in keys]
            in_use(model, f"{name}_in_use", column[mine], seat[which[mine]], switch, least)
        if hasattr(m, "join"):
            let_join(model)

    def _may_idle(self, site: str) -> bool:
        """Whether a site of today costs no more idle than removed, so that idle sites are no tokens."""
        row = self.chain.case.sites.set_index("site").loc[site]
        gone = row["close_cost"] / self.chain.case.settings.one_off_years + row["replacement_cost"]
        tariff = self.chain.tariffs.get(site)
        stays = row["fixed_cost"] if tariff is None else tariff["fixed_cost"].iloc[0]
        return bool(self.chain.today[self.chain.site_ids.get_loc(site)] and stays <= gone)

    def _carriers(self, model: Model) -> dict[str, tuple[Ints, Ints, dict[Any, float]]]:
        """Columns of the decisions of each component, the number of the decision, and their capacities."""
        net, chain = model.network, model.chain
        case = chain.case
        enter, held, move = np.flatnonzero(net.enters >= 0), is_stock(model), is_move(model)
        points = [(site, product) for site in chain.site_ids for product in chain.product_ids]
        products = len(chain.product_ids)
        pairs = pd.Index(self.rows_of)
        ends = pairs.get_indexer(pd.Index(pair_names(model)))
        room = {
            "open_site": dict(zip(chain.site_ids, _room(case.sites["capacity"]), strict=True)),
            "contract": dict(zip(chain.operator_ids, _room(case.operators["capacity"]), strict=True)),
            "stock_point": dict.fromkeys(points, np.inf),
            "lane_used": dict(zip(lane_names(model), _room(chain.lanes["capacity"]), strict=True)),
            "pair_used": dict.fromkeys(pairs, np.inf),
        }
        carriers = {
            "open_site": (enter, net.enters[enter]),
            "contract": operator_columns(model),
            "stock_point": (held, net.site[held] * products + net.product[held]),
            "lane_used": (move, net.lane[move]),
            "pair_used": (move, ends[net.lane[move]]),
        }
        return {name: (*carriers[name], room[name]) for name in carriers}


def _joined(result: Result, chain: Chain) -> pd.Series[bool]:
    """Tell by site whether at least two pools share stock there; a joined site with one is joined in name."""
    held = result.stock_routes[result.stock_routes["pool"] == "joined"]
    pool_of = dict(zip(chain.channel_ids, chain.pool_ids[chain.pool], strict=True))
    pools = held["channel"].map(pool_of).groupby(held["site"]).nunique()
    return pools.reindex(chain.site_ids).fillna(0) >= 2


def _room(capacity: pd.Series[float]) -> list[float]:
    return [float(value) for value in capacity.fillna(np.inf)]


def _name(component: str, index: Any) -> str:
    if component == "stock_point":
        return ": ".join(index)
    if component == "lane_used":
        pair, *parts = str(index).split("|")
        return f"{pair} ({', '.join(part for part in parts if part)})"
    return str(index)
