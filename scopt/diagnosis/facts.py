"""What is known before anything is solved: demand that no route reaches, or reaches in time, or can carry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from scopt.chain import NO, positions
from scopt.network import commodity_classes, round_up
from scopt.report.text import amount, percent

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from scopt.chain import Chain

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]

__all__ = ["Fact", "Fastest", "find_facts"]

NAMED = 4
"""Markets that a fact names; of more it tells how many."""


@dataclass(frozen=True)
class Fact:
    """Something that no design can mend.

    Parameters
    ----------
    kind
        ``no_route``, ``too_slow``, ``unreliable`` or ``short``.
    text
        The fact in business words, with its numbers.
    """

    kind: str
    text: str


class Fastest:
    r"""Fastest and most reliable route to each demand, whatever it costs and whatever flows beside it.

    A stock point may quote no days at all, so days count from the last one on the way:

    .. math:: e_j = \min_{a = (i,j)} (e_i + t_a) + T_j, \qquad e_j = 0 \text{ where } j \text{ may stock}

    Attributes
    ----------
    days : (markets, channels, products)
        Response days; inf where there is no route, or no demand.
    site : (markets, channels, products)
        Last site of the fastest route; -1 where there is none.
    rate : (markets, channels, products)
        Best on-time rate of a route; 0 where there is none.
    """

    def __init__(self, chain: Chain) -> None:
        lanes, step = chain.lanes, chain.case.settings.time_step_days
        self.origin, self.to, self.market = (lanes[k].to_numpy(np.int64) for k in "odm")
        self.lead = round_up(lanes["lead_days"].to_numpy(float), step)
        self.reliable = lanes["on_time_rate"].to_numpy(float)
        self.process = round_up(chain.site_column("process_days"), step)
        shape = chain.demand.shape
        self.days, self.rate = np.full(shape, np.inf), np.zeros(shape)
        self.site = np.full(shape, -1, np.int64)
        classes = commodity_classes(chain)
        for row, (channel, products) in enumerate(zip(classes.channel, classes.products, strict=True)):
            timeless = bool(classes.timeless[row])
            days, rate = self._leave(
                classes.lane_ok[row], classes.lead[row], classes.stock[row] != NO, timeless=timeless
            )
            self._arrive(classes.lane_ok[row], days, rate, int(channel), products)
        none = chain.demand <= 0
        self.days[none], self.rate[none], self.site[none] = np.inf, 0.0, -1

    def _leave(self, ok: Bools, lead: Floats, holds: Bools, *, timeless: bool) -> tuple[Floats, Floats]:
        """Fewest days used and best on-time rate on leaving each site."""
        made = ~np.isnan(lead)
        days = np.where(made, np.nan_to_num(lead) + self.process, np.inf)
        rate = made.astype(float)
        across = np.flatnonzero(ok & (self.to >= 0))
        o, d = self.origin[across], self.to[across]
        while True:
            days = np.where(holds & np.isfinite(days), 0.0, days)
            before = days.copy(), rate.copy()
            np.minimum.at(days, d, days[o] + self.lead[across] + self.process[d])
            np.maximum.at(rate, d, rate[o] * self.reliable[across])
            days = np.where(holds & np.isfinite(days), 0.0, days)
            if (days == before[0]).all() and (rate == before[1]).all():
                return np.where(np.isfinite(days), 0.0, np.inf) if timeless else days, rate

    def _arrive(self, ok: Bools, days: Floats, rate: Floats, channel: int, products: Ints) -> None:
        last = np.flatnonzero(ok & (self.market >= 0))
        arrival = days[self.origin[last]] + self.lead[last]
        order = last[np.argsort(-arrival, kind="stable")]  # the fastest comes last and stays
        best, site = np.full(len(self.days), np.inf), np.full(len(self.days), -1, np.int64)
        best[self.market[order]] = days[self.origin[order]] + self.lead[order]
        site[self.market[order]] = np.where(np.isfinite(best[self.market[order]]), self.origin[order], -1)
        reliable = np.zeros(len(self.days))
        np.maximum.at(reliable, self.market[last], rate[self.origin[last]] * self.reliable[last])
        self.days[:, channel, products] = best[:, None]
        self.site[:, channel, products] = site[:, None]
        self.rate[:, channel, products] = reliable[:, None]


def find_facts(chain: Chain, fastest: Fastest) -> list[Fact]:
    """Facts that leave a strategy without a design, in the order of the checks."""
    return [
        *_no_route(chain, fastest),
        *_too_slow(chain, fastest),
        *_unreliable(chain, fastest),
        *_short_supply(chain),
        *_short_sites(chain),
    ]


def _name_markets(chain: Chain, markets: Ints) -> str:
    names = [str(name) for name in chain.market_ids[markets]]
    return (
        ", ".join(names)
        if len(names) <= NAMED
        else f"{', '.join(names[:NAMED])} and {len(names) - NAMED} more"
    )


def _no_route(chain: Chain, fastest: Fastest) -> list[Fact]:
    facts = []
    lost = (chain.required > 0) & np.isinf(fastest.days)
    lanes = chain.case.lanes
    for c in np.flatnonzero(lost.any(axis=(0, 2))).tolist():
        channel = str(chain.channel_ids[c])
        carries = lanes[lanes["channel"].isin(["", channel]) & (lanes["status"] != "closed")]
        usable = chain.lanes[chain.lanes["channel"].isin(["", channel])]
        markets = np.flatnonzero(lost[:, c].any(axis=1))
        ids = chain.market_ids[markets]
        reached, used = ids.isin(carries["destination"]), ids.isin(usable["destination"])
        for mine, why in (
            (~reached, "no lane carries it there"),
            (reached & ~used, f"no lane there, or no site behind it, may be used in {chain.strategy.name}"),
            (used, "no supply reaches the sites that serve it"),
        ):
            if mine.any():
                where = _name_markets(chain, markets[mine])
                facts.append(Fact("no_route", f"{channel} demand of {where} has no route: {why}"))
    return facts


def _days(days: float) -> str:
    return f"{days:g} day{'' if days == 1 else 's'}"


def _too_slow(chain: Chain, fastest: Fastest) -> list[Fact]:
    facts = []
    scope, beta = (
        chain.case.channels["share_scope"].to_numpy(dtype=object),
        chain.channel_column("on_time_share"),
    )
    latest = chain.promise + chain.lateness
    for c in np.flatnonzero(np.isfinite(chain.promise)).tolist():
        days = fastest.days[:, c]
        # Where lateness is tolerated, only what every market has to get in time is certain.
        due = chain.promise[c] if scope[c] == "market" and beta[c] > 0 else latest[c]
        slow = (chain.required[:, c] > 0) & np.isfinite(days) & (days > due + 1e-9)
        if slow.any():
            days = np.where(slow, days, -np.inf)
            worst, product = divmod(int(days.argmax()), days.shape[1])
            markets = np.flatnonzero(slow.any(axis=1))
            others = f" (and that of {len(markets) - 1} more markets)" if len(markets) > 1 else ""
            facts.append(Fact(
                "too_slow",
                f"{chain.channel_ids[c]} demand of {chain.market_ids[worst]}{others} cannot be met in "
                f"{_days(due)}: the fastest route, from {chain.site_ids[fastest.site[worst, c, product]]}, "
                f"takes {_days(days[worst, product])}",
            ))  # fmt: skip
    return facts


def _unreliable(chain: Chain, fastest: Fastest) -> list[Fact]:
    facts = []
    beta = chain.channel_column("on_time_share")
    for c in np.flatnonzero(np.isfinite(chain.promise)).tolist():
        rate = fastest.rate[:, c]
        short = (chain.required[:, c] > 0) & (rate > 0) & (rate < beta[c] - 1e-9)
        markets = np.flatnonzero(short.any(axis=1))
        if len(markets) and chain.case.channels["share_scope"].iloc[c] == "market":
            best = percent(float(np.where(short, rate, np.inf).min()))
            facts.append(Fact(
                "unreliable",
                f"{chain.channel_ids[c]} demand of {_name_markets(chain, markets)}: no route is on time more "
                f"often than {best}, and {percent(float(beta[c]))} is promised",
            ))  # fmt: skip
    return facts


def _short_supply(chain: Chain) -> list[Fact]:
    wanted = chain.required.sum(axis=(0, 1))
    table = chain.case.supply
    listed = np.zeros(chain.supply_capacity.shape, bool)
    site, product = positions(table["site"], chain.site_ids), positions(table["product"], chain.product_ids)
    listed[site, product] = True
    there = np.where(listed & chain.usable[:, None], chain.supply_capacity, 0.0).sum(axis=0)
    return [
        Fact(
            "short",
            f"supply capacity for {chain.product_ids[p]} is {amount(wanted[p] - there[p])} units short: "
            f"{amount(there[p])} a year for a demand of {amount(wanted[p])}",
        )
        for p in np.flatnonzero(wanted > there * (1 + 1e-9)).tolist()
    ]


def _short_sites(chain: Chain) -> list[Fact]:
    """Demand against the capacity of all sites with lanes to its markets: every unit leaves one of them."""
    size = chain.product_column("size")
    facts = []
    last = chain.lanes[chain.lanes["m"] >= 0]
    capacity = np.nan_to_num(chain.site_column("capacity"), nan=np.inf)
    for c in range(len(chain.channel_ids)):
        serves = last[last["c"].isin([-1, c])]
        sites = np.unique(serves["o"].to_numpy(np.int64))
        there = float(capacity[sites].sum()) if len(sites) else np.inf
        wanted = float(chain.required[:, c].sum(axis=0) @ size)
        if wanted > there * (1 + 1e-9):
            facts.append(Fact(
                "short",
                f"the sites that serve {chain.channel_ids[c]} are {amount(wanted - there)} units short of "
                f"capacity: {amount(there)} a year for a demand of {amount(wanted)}",
            ))  # fmt: skip
    return facts
