"""Flows of a design, recomputed: ids, days, balance at every state.

A state is (site, channel, product, days, on-time rate), before or after the stock of the site.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from scopt.verify.books import Books, flow_name
from scopt.verify.case import DAY, Bools, Floats, Ints, cluster, is_flag, positions, tally, texts
from scopt.verify.checks import Check, at_most, none_of, same, worst

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import ArrayLike

__all__ = ["check_balance", "check_days", "check_ids", "check_shares_today"]

RATE = 1e-9
"""On-time rates closer than this are the same."""


def _good_name(books: Books, site: int, channel: int, product: int) -> str:
    return books.name(sites=site, channels=channel, products=product)


def check_ids(books: Books) -> Iterator[Check]:
    """Every id is of the case, every flow runs on the lane that it names, nothing is negative."""
    f, made, routes = books.flows, books.supplies, books.routes
    lost = np.concatenate(
        [
            np.minimum.reduce([f.origin, np.maximum(f.site, f.market), f.channel, f.product]),
            np.minimum.reduce([made.site, made.product, made.channel]),
            np.minimum.reduce([routes.site, routes.product, routes.channel]),
        ]
    )
    sites = positions(books.sites, texts(books.table("sites"), "site"))
    lost = np.concatenate([lost, sites])
    table = ["flows"] * len(f.units) + ["supply"] * len(made.units) + ["stock_routes"] * len(routes.units)
    table += ["sites"] * len(sites)
    ids = none_of("", lost < 0, lambda row: f"table {table[row]}")
    amounts = np.concatenate([f.units, made.units, routes.units])
    signs = at_most("", -amounts, 0.0, lambda row: f"table {table[row]}")
    words = none_of("", ~is_flag(books.table("flows"), "from_stock"), lambda row: flow_name(books, row))
    yield worst("ids known, nothing negative", ids=ids, negative=signs, from_stock=words)

    at = f.lane
    wrong = (at < 0) | (books.lane_origin[at] != f.origin)
    wrong |= (books.lane_site[at] != f.site) | (books.lane_market[at] != f.market)
    for lane, flow in ((books.lane_channel, f.channel), (books.lane_product, f.product)):
        wrong |= (lane[at] >= 0) & (lane[at] != flow)
    for column in ("mode", "operator"):
        wrong |= texts(books.table("flows"), column) != texts(books.case.lanes, column)[at]
    yield none_of("flows run on their lanes", wrong, lambda row: flow_name(books, row))


def check_days(books: Books) -> Iterator[Check]:
    """Supply and arrival days from rounded lead and process days; none where time plays no role."""
    f, made = books.flows, books.supplies
    idle = np.isnan(books.channel("response_days"))[:, None] & (books.stock.max(axis=0) == 0)[None, :]
    timed = (books.timed & ~idle)[f.channel, f.product]
    due = np.where(timed, f.days_out + books.lane_steps[f.lane], 0.0)
    yield same("days on arrival", f.days, due, lambda row: flow_name(books, row))

    lead = np.nan_to_num(books.supply_lead[made.site, made.product])
    due = np.ceil(lead / books.step - 1e-9) * books.step + books.process_steps[made.site]
    due = np.where(books.timed[made.channel, made.product] | (made.days != 0), due, 0.0)
    yield same(
        "days of supply",
        made.days,
        due,
        lambda row: _good_name(books, int(made.site[row]), int(made.channel[row]), int(made.product[row])),
    )


class Ledger(NamedTuple):
    """Entries (+) to and exits (-) from states; side 0 lies before the stock, 1 after it."""

    side: Ints
    site: Ints
    channel: Ints
    product: Ints
    days: Floats
    rate: Floats
    units: Floats
    known: Bools
    """Whether the rate is known: a lane with on-time rate 0 hides the rate of what it carries."""


def _ledger(books: Books) -> Ledger:
    f, made, routes = books.flows, books.supplies, books.routes
    promised = ~np.isnan(books.channel("response_days"))[f.channel]
    lane_rate = np.where(promised, books.lane("on_time_rate")[f.lane], 1.0)
    hidden = lane_rate <= 0
    rate_out = f.rate / np.where(hidden, 1.0, lane_rate)
    at = f.site >= 0
    goods = [(made.channel, made.product), (f.channel[at], f.product[at]), (f.channel, f.product)]
    goods += [(routes.channel, routes.product)] * 2
    entries: list[tuple[ArrayLike, ...]] = [
        (0, made.site, made.days, 1.0, made.units),
        (0, f.site[at], f.days[at] + books.process_steps[f.site[at]], f.rate[at], f.units[at]),
        (f.from_stock, f.origin, f.days_out, rate_out, -f.units),
        (0, routes.site, routes.days_in, routes.rate, -routes.units),
        (1, routes.site, routes.days_out, routes.rate, routes.units),
    ]
    channel, product = (np.concatenate(part) for part in zip(*goods, strict=True))
    side, site, days, rate, units = (
        np.concatenate(part) for part in zip(*(np.broadcast_arrays(*row) for row in entries), strict=True)
    )
    known = np.ones(len(units), dtype=np.bool_)
    start = len(made.units) + int(at.sum())
    known[start : start + len(hidden)] = ~hidden
    days = np.where(books.timed[channel, product], days, 0.0)
    keep = np.minimum(np.minimum(site, channel), product) >= 0
    return Ledger(
        *(x[keep] for x in (side.astype(np.int64), site, channel, product, days, rate, units, known))
    )


def check_balance(books: Books) -> Iterator[Check]:
    """Balance every state: what enters leaves, by days, and by days and on-time rate."""
    side, site, channel, product, days, rate, units, known = _ledger(books)
    dims = (2, books.n_sites, books.n_channels, books.n_products)
    day = cluster(days, DAY)
    state = np.ravel_multi_index((side, site, channel, product), dims) * (day.max(initial=0) + 1) + day
    scale = np.maximum(1.0, books.total_demand[channel, product])

    def compare(name: str, key: Ints, rows: Bools) -> Check:
        groups, first, code = np.unique(key[rows], return_index=True, return_inverse=True)
        at, amount = np.flatnonzero(rows)[first], units[rows]
        arrives = tally(code, np.maximum(amount, 0.0), len(groups))
        leaves = tally(code, np.maximum(-amount, 0.0), len(groups))

        def where(group: int) -> str:
            row = int(at[group])
            good = _good_name(books, int(site[row]), int(channel[row]), int(product[row]))
            return f"{good}, day {days[row]:g}, {'after' if side[row] else 'before'} stock"

        return same(name, arrives, leaves, where, scale=scale[at])

    yield compare("flow balance", state, np.ones(len(state), np.bool_))
    hidden = np.isin(state, state[~known])
    rates = cluster(rate, RATE)
    carried = compare("", state * (rates.max(initial=0) + 1) + rates, ~hidden)

    f = books.flows
    promised = ~np.isnan(books.channel("response_days"))[f.channel]
    best = np.where(promised, books.lane("on_time_rate")[f.lane], 1.0)
    within = at_most("", f.rate, best, lambda row: flow_name(books, row))
    yield worst("on-time rates", carried_along=carried, above_the_lane=within)


def check_shares_today(books: Books) -> Iterator[Check]:
    """As-is lanes of one origin and scope with `units_today` carry flow in those proportions."""
    told = books.lane("units_today")
    ends = (books.lane_market >= 0) | books.today[books.lane_site]
    rows = ~np.isnan(told) & (books.lane_status == "existing") & books.today[books.lane_origin] & ends
    if not books.strategy.measured or not rows.any():
        return
    lanes = np.flatnonzero(rows)
    scope = np.stack([books.lane_origin[lanes], books.lane_channel[lanes], books.lane_product[lanes]])
    _, code = np.unique(scope, axis=1, return_inverse=True)
    code = code.ravel()
    size = int(code.max()) + 1
    total, run = tally(code, told[lanes], size)[code], tally(code, books.lane_units[lanes], size)[code]
    share = np.divide(told[lanes], total, out=np.zeros(len(lanes)), where=total > 0)
    due = np.where(total > 0, run * share, books.lane_units[lanes])
    yield same(
        "shares of units_today",
        books.lane_units[lanes],
        due,
        lambda row: books.lane_name(int(lanes[row])),
        scale=np.maximum(1.0, run),
    )
