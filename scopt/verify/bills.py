"""Bills of a design, recomputed: tariffs by their true step function, sites, lanes, operators."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from scopt.verify.case import USED, Bools, Floats, Ints, numbers, tally, texts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scopt.verify.books import Books

__all__ = ["Bills", "Tariff", "Tariffs", "tariffs"]

EDGE = 1e-6
"""Share of a tier boundary within which a total lies on it."""


@dataclass(frozen=True)
class Tariff:
    """Tiers of one subject: where they start (units, rising), their yearly fixed and unit prices."""

    starts: tuple[float, ...]
    fixed: tuple[float, ...]
    unit: tuple[float, ...]
    all_units: bool

    def charge(self, total: float) -> tuple[float, float]:
        """Return fixed and unit part of the bill for a year's total.

        ``incremental``: each unit pays the price of its own tier, fixed costs of the tiers reached add up;
        the first tier holds below its start too. ``all_units``: everything pays the tier that holds the
        total. A total on a boundary uses the cheaper tier.
        """
        if np.isnan(total):  # a blank number among the flows: no tier holds it
            return total, total
        edge = [EDGE * max(1.0, abs(start)) for start in self.starts]
        if self.all_units:
            ends = (*self.starts[1:], np.inf)
            slack = (*edge[1:], 0.0)
            holds = [
                k
                for k, (start, end) in enumerate(zip(self.starts, ends, strict=True))
                if (k == 0 or total >= start - edge[k]) and total <= end + slack[k]
            ]
            best = min(holds, key=lambda k: self.fixed[k] + self.unit[k] * total)
            return self.fixed[best], self.unit[best] * total
        reached = [k == 0 or total > start + edge[k] for k, start in enumerate(self.starts)]
        fixed = sum(cost for cost, there in zip(self.fixed, reached, strict=True) if there)
        bounds = pairwise((0.0, *self.starts[1:], np.inf))
        parts = [
            price * (min(total, end) - start)
            for price, (start, end) in zip(self.unit, bounds, strict=True)
            if total > start
        ]
        return fixed, sum(parts)


@dataclass(frozen=True)
class Tariffs:
    """Tariffs by what they price: site, operator, or pair of ends of lanes."""

    site: dict[int, Tariff]
    operator: dict[int, Tariff]
    pair: list[tuple[Ints, int, Tariff]]
    """Rows of the lanes of the pair, the operator of all of them (-1: own), the tariff."""


def tariffs(books: Books) -> Tariffs:
    """Read sheet `rates`."""
    sheet = books.sheet("rates")
    subject, behavior = texts(sheet, "subject"), texts(sheet, "behavior")
    start, fixed, unit = (numbers(sheet, c) for c in ("from_units", "fixed_cost", "unit_cost"))
    found = Tariffs({}, {}, [])
    if not len(sheet):
        return found
    site_at = {name: k for k, name in enumerate(books.sites)}
    operator_at = {name: k for k, name in enumerate(books.operators)}
    pairs = texts(books.case.lanes, "origin") + ">" + texts(books.case.lanes, "destination")
    for name in dict.fromkeys(subject):
        rows = np.flatnonzero(subject == name)
        rows = rows[np.argsort(start[rows], kind="stable")]
        tariff = Tariff(
            tuple(start[rows]),
            tuple(np.nan_to_num(fixed[rows])),
            tuple(np.nan_to_num(unit[rows])),
            behavior[rows[0]] == "all_units",
        )
        if name in site_at:
            found.site[site_at[name]] = tariff
        elif name in operator_at:
            found.operator[operator_at[name]] = tariff
        else:
            lanes = np.flatnonzero(pairs == name)
            runners = set(books.lane_operator[lanes[books.lane_status[lanes] != "closed"]].tolist())
            found.pair.append((lanes, runners.pop() if len(runners) == 1 else -1, tariff))
    return found


class Bills:
    """What sites, lanes and operators cost, split into a fixed and a unit part."""

    def __init__(self, books: Books) -> None:
        self.books = books
        self.tariffs = tariffs(books)
        self.priced = np.zeros(books.n_lanes, dtype=np.bool_)
        for lanes, _, _ in self.tariffs.pair:
            self.priced[lanes] = True

    @cached_property
    def sites(self) -> tuple[Floats, Floats]:
        """Fixed and unit cost by site."""
        b = self.books
        fixed = np.where(b.open, b.site("fixed_cost"), 0.0)
        unit = np.sum(b.unit_cost * b.through, axis=1)
        for site, tariff in self.tariffs.site.items():
            fixed[site], unit[site] = tariff.charge(float(b.volume[site])) if b.open[site] else (0.0, 0.0)
        return fixed, unit

    @cached_property
    def lanes(self) -> Floats:
        """Fixed and unit cost by lane; 0 where a tariff prices the pair."""
        b = self.books
        weight = b.product("weight_kg")[b.flows.product] / 1000
        price = b.lane("unit_cost")[b.flows.lane] + b.lane("unit_cost_per_tonne")[b.flows.lane] * weight
        unit = tally(b.flows.lane, price * b.flows.units, b.n_lanes)
        fixed = np.where(b.lane_units > USED, b.lane("fixed_cost"), 0.0)
        return np.where(self.priced, 0.0, fixed + unit)

    def pairs(self) -> Iterator[tuple[int, float]]:
        """Operator (-1: own) and bill of each pair with a tariff that carries flow."""
        for lanes, operator, tariff in self.tariffs.pair:
            if self.books.lane_units[lanes].sum() > USED:
                yield operator, sum(tariff.charge(float(self.books.lane_volume[lanes].sum())))

    @cached_property
    def taken(self) -> Bools:
        """Operators with an open site or a lane that carries flow."""
        b = self.books
        taken = np.zeros(len(b.operators), dtype=np.bool_)
        taken[b.site_operator[b.open & (b.site_operator >= 0)]] = True
        taken[b.lane_operator[(b.lane_units > USED) & (b.lane_operator >= 0)]] = True
        return taken

    def operated(self, at_sites: Floats, on_lanes: Floats) -> Floats:
        """Sum over each operator's sites, and its lanes that start at a site not its own."""
        b, n = self.books, len(self.books.operators)
        apart = b.lane_operator != b.site_operator[b.lane_origin]
        return tally(b.site_operator, at_sites, n) + tally(np.where(apart, b.lane_operator, -1), on_lanes, n)

    @cached_property
    def volume(self) -> Floats:
        """Size-weighted units of each operator."""
        return self.operated(self.books.volume, self.books.lane_volume)

    @cached_property
    def bill(self) -> Floats:
        """Contract or tariff, sites and lanes of each operator, before its minimum bill."""
        b, n = self.books, len(self.books.operators)
        contract = numbers(b.sheet("operators"), "contract_cost").copy()
        for operator, tariff in self.tariffs.operator.items():
            contract[operator] = sum(tariff.charge(float(self.volume[operator])))
        bill = np.where(self.taken, contract, 0.0)
        bill += tally(b.site_operator, self.sites[0] + self.sites[1], n)
        bill += tally(b.lane_operator, self.lanes, n)
        for operator, amount in self.pairs():
            if operator >= 0:
                bill[operator] += amount
        return bill

    @cached_property
    def top_up(self) -> Floats:
        """What is missing to each operator's minimum bill."""
        least = numbers(self.books.sheet("operators"), "min_bill")
        return np.where(self.taken, np.maximum(least - self.bill, 0.0), 0.0)
