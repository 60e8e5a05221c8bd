"""What each row of the result tables says that it costs, recomputed.

The buckets are sums over all rows (:mod:`scopt.verify.costs`); money moved from one site or lane to another
shows only here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scopt.verify.bills import Bills
from scopt.verify.books import flow_name
from scopt.verify.case import USED, Floats, numbers, positions, tally, texts
from scopt.verify.checks import Check, same, worst

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scopt.verify.books import Books

__all__ = ["check_row_costs"]


def _per_day(books: Books) -> Floats:
    """Return what a day of holding and decay of one unit of each product costs."""
    return books.product("value") * (
        books.product("holding_rate") / books.year + books.product("loss_rate_per_day")
    )


def _flows(books: Books) -> Floats:
    """Money per year of each flow: its lane by unit, and on the last lane what serving the market costs."""
    b, f = books, books.flows
    lane, product, channel = f.lane, f.product, f.channel
    weight = b.product("weight_kg")[product] / 1000
    price, value = b.product("price")[product], b.product("value")[product]
    carried = b.lane("unit_cost")[lane] + b.lane("unit_cost_per_tonne")[lane] * weight
    unit = np.where(Bills(b).priced[lane], 0.0, carried)
    unit = unit + b.lane("margin_rate")[lane] * price + b.lane("lead_days")[lane] * _per_day(b)[product]
    damage = b.lane("damage_rate")[lane]
    kilograms = b.lane("co2_per_unit")[lane] + b.lane("co2_per_tonne")[lane] * weight
    unit = unit + damage * value + float(b.case.settings.co2_price) * kilograms
    on_time = np.where(b.in_time(f.days, channel), f.rate, 0.0)
    late = np.where(np.isnan(b.channel("response_days")[channel]), 0.0, 1.0 - on_time)
    sold = b.channel("commission_rate")[channel] * price + b.channel("late_cost")[channel] * late
    sold = sold + b.channel("return_cost")[channel] * (b.channel("return_rate")[channel] + damage)
    return f.units * (unit + np.where(f.market >= 0, sold, 0.0))


def _sites(books: Books) -> tuple[Floats, Floats]:
    """Money per year of each site, and the sum of its parts without their signs."""
    b, bills = books, Bills(books)
    stocks, per_day, years = b.stocks, _per_day(b), float(b.case.settings.one_off_years)
    slots = np.zeros((b.n_sites, b.n_products), dtype=np.bool_)
    slots[stocks.site[stocks.held > USED], stocks.product[stocks.held > USED]] = True
    opened = b.open & np.isin(b.status, ("candidate", "open"))
    gone = ~b.open & np.isin(b.status, ("existing", "close"))
    parts = [
        *bills.sites,
        b.site("margin_rate") * (b.through @ b.product("price")),
        b.site("process_days") * (b.through @ per_day),
        b.site("co2_per_unit") * float(b.case.settings.co2_price) * b.through.sum(axis=1),
        np.where(slots, b.stock_cost, 0.0).sum(axis=1),
        tally(stocks.site, stocks.average * per_day[stocks.product] * b.year, b.n_sites),
        np.where(opened, b.site("open_cost") / years, 0.0),
        np.where(gone, b.site("close_cost") / years, 0.0),
        np.where(gone, b.site("replacement_cost"), 0.0),
        np.where(b.joined, b.site("o2o_cost"), 0.0),
    ]
    amounts = np.stack(parts)
    return amounts.sum(axis=0), np.abs(amounts).sum(axis=0)


def check_row_costs(books: Books) -> Iterator[Check]:
    """Cost of every row of supply, flows and sites (that of a stock is checked with the stock)."""
    b, made = books, books.supplies
    paid, size = _sites(b)
    site = positions(b.sites, texts(b.table("sites"), "site"))

    def source(row: int) -> str:
        return b.name(sites=int(made.site[row]), products=int(made.product[row]))

    yield worst(
        "cost of each row",
        supply=same(
            "",
            numbers(b.table("supply"), "cost"),
            b.supply_cost[made.site, made.product] * made.units,
            source,
        ),
        flows=same("", numbers(b.table("flows"), "cost"), _flows(b), lambda row: flow_name(b, row)),
        sites=same(
            "",
            tally(site, numbers(b.table("sites"), "cost"), b.n_sites),
            np.where(np.isin(np.arange(b.n_sites), site), paid, 0.0),
            lambda k: b.name(sites=k),
            scale=np.maximum(1.0, size),
        ),
    )
