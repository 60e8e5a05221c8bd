"""The tables of a design as arrays, for the recomputation in :mod:`scopt.verify`.

The few quantities that several checks need (units through a site, what is served in time, what is pooled
in a stock) are derived anew from the contract.
"""

from __future__ import annotations

from functools import cached_property
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from scopt.verify.case import (
    DAY,
    Bools,
    CaseArrays,
    Floats,
    Ints,
    flags,
    numbers,
    positions,
    tally,
    texts,
)
from scopt.verify.tables import Flows, Routes, Stocks, Supplies

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scopt.case import Case, Strategy

__all__ = ["Books", "flow_name"]


class Books(CaseArrays):
    """Case, strategy and result tables, read once into arrays.

    Parameters
    ----------
    case
        The case as the strategy sees it (its `changes` applied).
    strategy
        The strategy whose design the tables describe.
    tables
        Result tables by name; a missing one is taken as empty.
    model_costs
        Cost bucket -> money per year, as the model reports it.
    bound
        Lower bound on the least cost, money per year; None where there is none.
    """

    def __init__(
        self,
        case: Case,
        strategy: Strategy,
        tables: Mapping[str, pd.DataFrame],
        model_costs: Mapping[str, float],
        bound: float | None = None,
    ) -> None:
        super().__init__(case)
        self.strategy, self.tables, self.model_costs, self.bound = strategy, tables, model_costs, bound

    def table(self, name: str) -> pd.DataFrame:
        """Return a result table, empty where it is missing."""
        return self.tables.get(name, pd.DataFrame())

    @cached_property
    def open(self) -> Bools:
        """Sites that are open in the design."""
        return self._marked("after", "open")

    @cached_property
    def joined(self) -> Bools:
        """Sites whose pools share one stock in the design."""
        return self._marked("joined", True)

    def _marked(self, column: str, word: object) -> Bools:
        table = self.table("sites")
        row = positions(self.sites, texts(table, "site"))
        marked = np.zeros(self.n_sites, dtype=np.bool_)
        marked[row[(row >= 0) & (texts(table, column) == word)]] = True
        return marked

    @cached_property
    def flows(self) -> Flows:
        """The flows table."""
        table = self.table("flows")
        told = numbers(table, "lane")
        lane = np.where(np.isfinite(told) & (told % 1 == 0), told, -1).astype(np.int64)
        lane[(lane < 0) | (lane >= self.n_lanes)] = -1
        site = positions(self.sites, texts(table, "destination"))
        market = positions(self.markets, texts(table, "destination"))
        return Flows(
            positions(self.sites, texts(table, "origin")),
            site,
            np.where(site < 0, market, -1),
            lane,
            positions(self.channels, texts(table, "channel")),
            positions(self.products, texts(table, "product")),
            numbers(table, "units"),
            numbers(table, "days_out"),
            numbers(table, "days"),
            numbers(table, "on_time_rate"),
            flags(table, "from_stock"),
        )

    @cached_property
    def supplies(self) -> Supplies:
        """The supply table."""
        table = self.table("supply")
        return Supplies(
            positions(self.sites, texts(table, "site")),
            positions(self.products, texts(table, "product")),
            positions(self.channels, texts(table, "channel")),
            numbers(table, "days"),
            numbers(table, "units"),
        )

    @cached_property
    def routes(self) -> Routes:
        """The stock_routes table."""
        table = self.table("stock_routes")
        site = positions(self.sites, texts(table, "site"))
        channel = positions(self.channels, texts(table, "channel"))
        pool = positions(self.pools, texts(self.sheet("channels"), "pool"))[channel]
        return Routes(
            site,
            positions(self.products, texts(table, "product")),
            channel,
            np.where(self.joined[site], self.joined_pool, pool),
            numbers(table, "days_in"),
            numbers(table, "days_out"),
            numbers(table, "on_time_rate"),
            numbers(table, "coverage"),
            numbers(table, "units"),
        )

    @cached_property
    def through(self) -> Floats:
        """Units per year that enter each site, made there or brought there; array (sites, products)."""
        return self.entering(np.ones(self.n_channels, dtype=np.bool_))

    def entering(self, channels: Bools) -> Floats:
        """Units per year of the given channels that enter each site; array (sites, products)."""
        size, width = self.n_sites * self.n_products, self.n_products
        flows, made = self.flows, self.supplies
        into = np.where((flows.site >= 0) & channels[flows.channel], flows.site * width + flows.product, -1)
        here = np.where(channels[made.channel], made.site * width + made.product, -1)
        return (tally(into, flows.units, size) + tally(here, made.units, size)).reshape(-1, width)

    @cached_property
    def volume(self) -> Floats:
        """Size-weighted units per year through each site."""
        return self.through @ self.product("size")

    @cached_property
    def lane_units(self) -> Floats:
        """Units per year on each lane."""
        return tally(self.flows.lane, self.flows.units, self.n_lanes)

    @cached_property
    def lane_volume(self) -> Floats:
        """Size-weighted units per year on each lane."""
        size = self.product("size")[self.flows.product]
        return tally(self.flows.lane, self.flows.units * size, self.n_lanes)

    @cached_property
    def timed(self) -> Bools:
        """Whether days are counted for a (channel, product).

        They are not where the channel has no promise, nothing is stocked and the design counts none:
        time then touches neither cost nor feasibility.
        """
        timed = np.repeat(~np.isnan(self.channel("response_days"))[:, None], self.n_products, axis=1)
        timed[self.routes.channel, self.routes.product] = True
        counted = (self.flows.days != 0) | (self.flows.days_out != 0)
        timed[self.flows.channel[counted], self.flows.product[counted]] = True
        return timed

    @cached_property
    def sold(self) -> tuple[Floats, Floats, Floats]:
        """Served units, on-time units and unit-days by row of the demands (see `demand_rows`)."""
        flows, n = self.flows, len(self.demand)
        row = self.demand_rows(flows.market, flows.channel, flows.product)
        on_time = np.where(self.in_time(flows.days, flows.channel), flows.rate, 0.0)
        on_time = np.where(np.isnan(self.channel("response_days"))[flows.channel], 1.0, on_time)
        served = tally(row, flows.units, n)
        return served, tally(row, flows.units * on_time, n), tally(row, flows.units * flows.days, n)

    def in_time(self, days: Floats, channel: Ints) -> Bools:
        """Whether days are within the promise of the channel; always where there is none."""
        promise = self.channel("response_days")[channel]
        return np.isnan(promise) | (days <= promise + DAY)

    @cached_property
    def factors(self) -> Floats:
        """Safety factor by (pool, product); the last row holds for joined pools.

        The standard normal quantile of the highest service level among the channels of the pool, a
        channel without its own taking the product's.
        """
        own = self.channel("service_level")[:, None]
        level = np.where(np.isnan(own), self.product("service_level")[None, :], own)
        pool = positions(self.pools, texts(self.sheet("channels"), "pool"))
        highest = np.zeros((self.joined_pool + 1, self.n_products))
        np.maximum.at(highest, pool, level)
        highest[-1] = level.max(axis=0, initial=0.0)
        values, where = np.unique(highest, return_inverse=True)
        quantile = np.array([NormalDist().inv_cdf(x) if 0 < x < 1 else 0.0 for x in values])
        return quantile[where].reshape(highest.shape)

    @cached_property
    def stocks(self) -> Stocks:
        r"""Stocks recomputed from the stock routes: $V=\sum τ ν f/N$, safety $z\sqrt V$, cycle $fR/(2N)$."""
        routes, width = self.routes, self.joined_pool + 1
        review = self.site("review_days")
        coverage = routes.days_in - routes.days_out + review[routes.site]
        key = (routes.site * self.n_products + routes.product) * width + routes.pool
        known = (routes.site >= 0) & (routes.product >= 0) & (routes.channel >= 0)
        groups, row = np.unique(key[known], return_inverse=True)

        def total(values: Floats) -> Floats:
            return tally(row, values[known], len(groups))

        pair, pool = np.divmod(groups, width)
        site, product = np.divmod(pair, self.n_products)
        ratio = self.variance_ratio[routes.channel, routes.product]
        held = total(np.where(coverage > DAY, routes.units, 0.0))
        variance = total(coverage * ratio * routes.units / self.year)
        safety = self.factors[pool, product] * np.sqrt(np.maximum(variance, 0.0))
        cycle = held * review[site] / self.year / 2
        covered = total(coverage * routes.units)
        return Stocks(site, product, pool, total(routes.units), held, covered, variance, safety, cycle)


def flow_name(books: Books, row: int) -> str:
    """Return a row of the flows table as ``origin>destination, channel, product``."""
    f = books.flows
    end = books.name(markets=int(f.market[row])) if f.market[row] >= 0 else books.name(sites=int(f.site[row]))
    good = books.name(channels=int(f.channel[row]), products=int(f.product[row]))
    return f"{books.name(sites=int(f.origin[row]))}>{end}, {good}"
