"""What a strategy may use of a case: levers turned into arrays, in one place.

`Chain` is the numeric view of a case under one strategy. Everything that a lever allows or freezes is decided
here; the network and the formulations after it only read the outcome.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, cast

import numpy as np
import pandas as pd
from scipy.special import ndtri

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from scopt.case import Case, Strategy

__all__ = ["EITHER", "JOINED", "MUST", "NO", "OPTIONAL", "SEPARATE", "Chain", "position", "positions"]

NO, OPTIONAL, MUST = 0, 1, 2
"""Whether a product may, or has to, be stocked at a site."""

SEPARATE, EITHER, JOINED = 0, 1, 2
"""Whether the pools of a site stand apart, may be joined, or are joined whenever the site is open."""

TODAY = ("keep", "existing", "close")


def position(name: object, index: pd.Index) -> int:
    """Return the position of one id in `index`."""
    return cast("int", index.get_loc(name))


def positions(values: pd.Series, index: pd.Index) -> NDArray[np.int64]:
    """Return the position of each id in `index`; -1 where the cell is blank."""
    return index.get_indexer(pd.Index(values.astype(object))).astype(np.int64)


def _ids(values: pd.Series) -> pd.Index:
    return cast("pd.Index", pd.Index(values.astype(object)))


@dataclass(frozen=True)
class Chain:
    """A case as arrays, restricted to what a strategy may use.

    Parameters
    ----------
    case
        The case with the changes of the strategy already applied.
    strategy
        Levers; `strategy.measured` marks the as-is chain.
    """

    case: Case
    strategy: Strategy

    def allows_all_of(self, other: Chain) -> bool:
        """Whether every design of `other` is one of this chain too, the data of the cases being the same.

        Today's chain as it is measured is set apart: limits and minimum volumes do not bind in it.
        """
        if self.strategy.measured or other.strategy.measured:
            return False
        lower, upper = (theirs - mine for mine, theirs in zip(self.bounds, other.bounds, strict=True))
        free = self.stock == OPTIONAL
        return bool(
            (lower >= 0).all()
            and (upper <= 0).all()
            and (~self.removable <= ~other.removable).all()
            and other.lanes["lane"].isin(self.lanes["lane"]).all()
            and (free | (self.stock == other.stock)).all()
            and ((self.join == EITHER) | (self.join == other.join)).all()
        )

    # -- index sets ------------------------------------------------------------------------------------------

    @cached_property
    def site_ids(self) -> pd.Index:
        """Site ids in the order of the sheet."""
        return _ids(self.case.sites["site"])

    @cached_property
    def product_ids(self) -> pd.Index:
        """Product ids in the order of the sheet."""
        return _ids(self.case.products["product"])

    @cached_property
    def market_ids(self) -> pd.Index:
        """Market ids in the order of the sheet."""
        return _ids(self.case.markets["market"])

    @cached_property
    def channel_ids(self) -> pd.Index:
        """Channel ids; channels that occur only in `demand` are included."""
        return _ids(self.case.channels["channel"])

    @cached_property
    def operator_ids(self) -> pd.Index:
        """Operator ids in the order of the sheet."""
        return _ids(self.case.operators["operator"])

    # -- sites -----------------------------------------------------------------------------------------------

    @cached_property
    def site_operator(self) -> NDArray[np.int64]:
        """Operator of each site, -1 for our own."""
        return positions(self.case.sites["operator"], self.operator_ids)

    @cached_property
    def place(self) -> NDArray[np.int64]:
        """Number of the place of each site."""
        return pd.factorize(self.case.sites["place"].astype(object))[0].astype(np.int64)

    @cached_property
    def today(self) -> NDArray[np.bool_]:
        """Sites that exist today."""
        return self.case.sites["status"].isin(TODAY).to_numpy()

    @cached_property
    def bounds(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Smallest and largest value of `open_site`, (sites,) each.

        A lever that is off freezes its sites at today's; a site of today may then only close when another
        site of its place takes over (`takes_over`).
        """
        status = self.case.sites["status"].to_numpy(dtype=object)
        if self.strategy.measured:
            state = self.today.astype(np.int64)
            return state, state
        outside = self.site_operator >= 0
        lever = np.where(outside, self.strategy.outsource, self.strategy.add).astype(bool)
        settled = np.where(outside, self._settled("outsource"), self._settled("add")).astype(bool)
        new = np.isin(status, ["candidate", "open"]) & lever & (~settled | self._found_open)
        may_close = self.removable | np.isin(self.place, self.place[new])
        lower = np.where(status == "keep", 1, 0)
        lower = np.where(np.isin(status, ["existing", "close"]) & ~may_close, 1, lower)
        lower = np.where(((status == "open") & lever) | (new & settled), 1, lower)
        upper = np.where(self.today | new, 1, 0)
        if self.strategy.remove:
            upper = np.where(status == "close", 0, upper)
        if self._settled("remove"):
            upper = np.where(self.today & ~self._found_open, 0, upper)
        return lower.astype(np.int64), upper.astype(np.int64)

    @cached_property
    def removable(self) -> NDArray[np.bool_]:
        """Sites that may close with nothing in their place, where their status allows it, (sites,)."""
        if not self.strategy.remove:
            return np.zeros(len(self.site_ids), bool)
        return ~self._found_open if self._settled("remove") else np.ones(len(self.site_ids), bool)

    def _settled(self, lever: str) -> bool:
        """Whether the decisions of a lever are taken already."""
        return self.strategy.decided is not None and lever in self.strategy.decided.levers

    @cached_property
    def _found_open(self) -> NDArray[np.bool_]:
        """Sites open in the design whose decisions are taken over, (sites,)."""
        decided = self.strategy.decided
        return np.asarray(self.site_ids.isin(list(decided.open_sites) if decided else []))

    @cached_property
    def usable(self) -> NDArray[np.bool_]:
        """Sites that may be open under the strategy."""
        return self.bounds[1] > 0

    @cached_property
    def stock(self) -> NDArray[np.int64]:
        """NO, OPTIONAL or MUST for each site and product, (sites, products)."""
        words = np.repeat(
            self.case.sites["stock"].to_numpy(dtype=object)[:, None], len(self.product_ids), axis=1
        )
        own = self.case.site_products
        given = own["stock"].to_numpy(dtype=object) != ""
        site = positions(own["site"], self.site_ids)[given]
        product = positions(own["product"], self.product_ids)[given]
        words[site, product] = own["stock"].to_numpy(dtype=object)[given]
        must = words == "must"
        if self.strategy.decided is not None and self._settled("restock"):
            found = np.zeros(words.shape, bool)
            pairs = self.strategy.decided.stock_points
            found[
                self.site_ids.get_indexer(pd.Index([site for site, _ in pairs])),
                self.product_ids.get_indexer(pd.Index([product for _, product in pairs])),
            ] = True
            return np.where(must, MUST, np.where(found, OPTIONAL, NO))
        if self.strategy.restock and not self.strategy.measured:
            return np.where(must, MUST, np.where(words == "no", NO, OPTIONAL))
        return np.where(must | (words == "existing"), MUST, NO)

    @cached_property
    def join(self) -> NDArray[np.int64]:
        """SEPARATE, EITHER or JOINED for each site, (sites,)."""
        o2o = self.case.sites["o2o"].to_numpy(dtype=object)
        if self.strategy.decided is not None and self._settled("o2o"):
            return np.where(self.site_ids.isin(list(self.strategy.decided.joined)), JOINED, SEPARATE)
        if self.strategy.o2o and not self.strategy.measured:
            return np.where(o2o == "no", SEPARATE, EITHER)
        return np.where(o2o == "existing", JOINED, SEPARATE)

    @cached_property
    def joined_today(self) -> NDArray[np.bool_]:
        """Sites whose pools are joined today, (sites,)."""
        return self.today & (self.case.sites["o2o"] == "existing").to_numpy()

    # -- lanes -----------------------------------------------------------------------------------------------

    @cached_property
    def lanes(self) -> pd.DataFrame:
        """Usable lanes with numbers for their ends; column `lane` is the row in `case.lanes`."""
        lanes = self.case.lanes.copy()
        lanes["lane"] = np.arange(len(lanes))
        lanes["o"] = positions(lanes["origin"], self.site_ids)
        lanes["d"] = positions(lanes["destination"], self.site_ids)
        lanes["m"] = positions(lanes["destination"], self.market_ids)
        lanes["c"] = positions(lanes["channel"], self.channel_ids)
        lanes["p"] = positions(lanes["product"], self.product_ids)
        lanes["w"] = positions(lanes["operator"], self.operator_ids)
        return lanes[self._allowed(lanes)].reset_index(drop=True)

    def _allowed(self, lanes: pd.DataFrame) -> NDArray[np.bool_]:
        o, d = lanes["o"].to_numpy(), lanes["d"].to_numpy()
        ends = self.usable[o] & ((d < 0) | self.usable[d])
        existing = (lanes["status"] == "existing").to_numpy()
        if self.strategy.measured:
            return np.asarray(ends & existing)
        candidate = (lanes["status"] == "candidate").to_numpy()
        old_ends = self.today[o] & ((d < 0) | self.today[d])
        own = (lanes["w"] < 0).to_numpy()
        lever = np.where(own, ~old_ends | self.strategy.direct, self.strategy.outsource).astype(bool)
        if self.strategy.decided is not None:
            settled = np.where(own, old_ends & self._settled("direct"), self._settled("outsource")).astype(
                bool
            )
            lever &= ~settled | np.isin(lanes["lane"].to_numpy(), list(self.strategy.decided.lanes))
        return np.asarray(ends & (existing | (candidate & lever)))

    # -- demand and promises ---------------------------------------------------------------------------------

    @cached_property
    def demand(self) -> NDArray[np.float64]:
        """Units per year, (markets, channels, products)."""
        table = self.case.demand
        units = np.zeros((len(self.market_ids), len(self.channel_ids), len(self.product_ids)))
        np.add.at(units, self._demand_cells, table["units"].to_numpy(float))
        return units

    @cached_property
    def _demand_cells(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        table = self.case.demand
        return (
            positions(table["market"], self.market_ids),
            positions(table["channel"], self.channel_ids),
            positions(table["product"], self.product_ids),
        )

    @cached_property
    def vmr(self) -> NDArray[np.float64]:
        r"""Variance-to-mean ratio of daily demand, (channels, products), in units.

        .. math:: \nu_{cp} = \sum_k \nu_{kcp} D_{kcp} / \sum_k D_{kcp}, \qquad
                  \nu_{kcp} = \mathrm{cv}^2 D_{kcp} / N
        """
        table = self.case.demand
        units = table["units"].to_numpy(float)
        cv = table["cv"].to_numpy(float)
        ratio = np.where(
            np.isnan(cv),
            np.nan_to_num(table["vmr"].to_numpy(float)),
            np.nan_to_num(cv) ** 2 * units / self.days,
        )
        _, c, p = self._demand_cells
        weighted = np.zeros(self.demand.shape[1:])
        np.add.at(weighted, (c, p), ratio * units)
        total = self.demand.sum(axis=0)
        return np.asarray(np.divide(weighted, total, out=np.zeros_like(weighted), where=total > 0))

    @property
    def days(self) -> float:
        """Days per year, N."""
        return float(self.case.settings.days_per_year)

    @cached_property
    def promise(self) -> NDArray[np.float64]:
        """Promised response time W of each channel in days; inf where nothing is promised."""
        return self.case.channels["response_days"].fillna(np.inf).to_numpy(float)

    @cached_property
    def lateness(self) -> NDArray[np.float64]:
        """Tolerated lateness of each channel in days; inf where any lateness is."""
        return self.case.channels["max_late_days"].fillna(np.inf).to_numpy(float)

    @cached_property
    def required(self) -> NDArray[np.float64]:
        """Demand that has to be served, (markets, channels, products), in units per year."""
        priced = ~np.isnan(self.channel_column("unmet_cost"))
        fill = np.where(priced, self.channel_column("min_fill"), 1.0)
        return np.asarray(self.demand * fill[None, :, None])

    # -- pools -----------------------------------------------------------------------------------------------

    @cached_property
    def pool_ids(self) -> pd.Index:
        """Names of the stock pools."""
        return pd.Index(pd.unique(self.case.channels["pool"].astype(object)))

    @cached_property
    def pool(self) -> NDArray[np.int64]:
        """Pool of each channel."""
        return positions(self.case.channels["pool"], self.pool_ids)

    @cached_property
    def safety_factor(self) -> NDArray[np.float64]:
        """Standard normal quantile of the service level, (pools + 1, products); joined pools come last."""
        level = self.case.channels["service_level"].to_numpy(float)[:, None]
        level = np.where(np.isnan(level), self.case.products["service_level"].to_numpy(float)[None, :], level)
        best = np.full((len(self.pool_ids) + 1, level.shape[1]), 0.5)
        np.maximum.at(best, self.pool, level)
        best[-1] = level.max(axis=0, initial=0.5)
        return np.asarray(ndtri(best), dtype=float)

    # -- per product at a site -------------------------------------------------------------------------------

    def by_product(self, column: str, default: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return what `site_products` gives per site and product, else `default`, (sites, products)."""
        out = np.repeat(default[:, None], len(self.product_ids), axis=1)
        own = self.case.site_products
        value = own[column].to_numpy(float)
        given = ~np.isnan(value)
        site = positions(own["site"], self.site_ids)[given]
        out[site, positions(own["product"], self.product_ids)[given]] = value[given]
        return out

    @cached_property
    def supply_capacity(self) -> NDArray[np.float64]:
        """Capacity of each source in units per year, inf where there is none, (sites, products)."""
        table = self.case.supply
        out = np.full((len(self.site_ids), len(self.product_ids)), np.inf)
        site, product = positions(table["site"], self.site_ids), positions(table["product"], self.product_ids)
        out[site, product] = table["capacity"].fillna(np.inf).to_numpy(float)
        return out

    @cached_property
    def tariffs(self) -> dict[str, pd.DataFrame]:
        """Tiers of each subject of the `rates` sheet, ordered by from_units."""
        rates = self.case.rates
        return {
            str(subject): tiers.sort_values("from_units").reset_index(drop=True)
            for subject, tiers in rates.groupby("subject", sort=False)
        }

    @cached_property
    def site_tariff(self) -> NDArray[np.bool_]:
        """Sites whose costs are told by a tariff."""
        return np.asarray(self.site_ids.isin(list(self.tariffs)))

    @cached_property
    def lane_tariff(self) -> NDArray[np.bool_]:
        """Lanes whose costs are told by a tariff of their two ends, (lanes,)."""
        if not self.tariffs:
            return np.zeros(len(self.lanes), bool)
        return self.pair_names.isin(list(self.tariffs)).to_numpy()

    @property
    def pair_names(self) -> pd.Series:
        """`origin>destination` of each lane."""
        return self.lanes["origin"].astype(str) + ">" + self.lanes["destination"].astype(str)

    def site_column(self, name: str) -> NDArray[np.float64]:
        """Return a numeric column of the sites sheet, (sites,)."""
        return self.case.sites[name].to_numpy(float)

    def product_column(self, name: str) -> NDArray[np.float64]:
        """Return a numeric column of the products sheet, (products,)."""
        return self.case.products[name].to_numpy(float)

    def channel_column(self, name: str) -> NDArray[np.float64]:
        """Return a numeric column of the channels sheet, (channels,)."""
        return self.case.channels[name].to_numpy(float)
