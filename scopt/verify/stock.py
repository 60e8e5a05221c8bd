"""Stock of a design, recomputed: routes into and out of stock, pools, quantities and ceilings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from scopt.verify.case import (
    DAY,
    STOCK_WORDS,
    USED,
    Bools,
    Floats,
    Ints,
    cluster,
    numbers,
    positions,
    tally,
    texts,
)
from scopt.verify.checks import Check, at_most, none_of, same, worst

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scopt.verify.books import Books

__all__ = ["check_ceilings", "check_quotes", "check_stock_points", "check_stock_table", "forced"]

TINY = 1e-9


def forced(books: Books) -> Bools:
    """Points (site, product) that no unit passes: `must`, and `existing` where stock may not move."""
    least = STOCK_WORDS["must"] if books.strategy.restock else STOCK_WORDS["existing"]
    return books.stock >= least


def _route_name(books: Books, row: int) -> str:
    r = books.routes
    return books.name(sites=int(r.site[row]), channels=int(r.channel[row]), products=int(r.product[row]))


def check_stock_points(books: Books) -> Iterator[Check]:
    """Stock lies only where it may, compulsory points are never passed, pools are as joined."""
    r, f = books.routes, books.flows
    setting = books.stock[r.site, r.product]
    yield none_of("stock only where the site may stock", setting == 0, lambda k: _route_name(books, k))
    idle = (setting == STOCK_WORDS["optional"]) & (not books.strategy.restock) & (r.units > USED)
    yield none_of("stock points move only with restock", idle, lambda k: _route_name(books, k))

    passing = ~f.from_stock & forced(books)[f.origin, f.product] & (f.units > USED)
    # With neither days nor a review period there is nothing to cover, hence nothing to hold.
    passing &= (f.days_out > DAY) | (books.site("review_days")[f.origin] > 0)
    yield none_of(
        "compulsory stock is not passed",
        passing,
        lambda k: books.name(sites=int(f.origin[k]), channels=int(f.channel[k]), products=int(f.product[k])),
    )
    pool = texts(books.table("stock_routes"), "pool")
    due = np.append(books.pools.to_numpy(dtype=object), "joined")[r.pool]
    yield none_of("pool of each stock route", pool != due, lambda k: _route_name(books, k))


def check_quotes(books: Books) -> Iterator[Check]:
    """Days quoted out of stock lie in 0..days_in, are granted by a promise, and give the coverage."""
    r = books.routes
    coverage = r.days_in - r.days_out + books.site("review_days")[r.site]
    yield same("coverage of stock routes", r.coverage, coverage, lambda k: _route_name(books, k))
    beyond = np.maximum(-r.days_out, r.days_out - r.days_in)
    yield at_most("quotes within 0 and days in", beyond, 0.0, lambda k: _route_name(books, k))
    open_rows = np.flatnonzero((r.days_out > DAY) & (r.units > USED))
    open_rows = open_rows[~_witnessed(books, open_rows)]
    granted = np.ones(len(r.units), dtype=np.bool_)
    for pair in set(zip(r.channel[open_rows].tolist(), r.product[open_rows].tolist(), strict=True)):
        rows = open_rows[(r.channel[open_rows] == pair[0]) & (r.product[open_rows] == pair[1])]
        granted[rows] = _granted(books, rows, *pair)
    yield none_of("quotes granted by a promise", ~granted, lambda k: _route_name(books, k))


def _grants(books: Books, channel: Ints | int) -> tuple[Floats, Floats]:
    """Promised days and the latest tolerated ones (NaN: no such day)."""
    promise = books.channel("response_days")[channel]
    return promise, promise + books.channel("max_late_days")[channel]


def _witnessed(books: Books, rows: Ints) -> Bools:
    """Whether a flow of the design leaves stock with these days, passes on and arrives on the last day.

    Cheap, and true of nearly every quote; the few others are looked for among all lanes of the case.
    """
    f, r = books.flows, books.routes
    promise, latest = _grants(books, f.channel)
    just = (f.market >= 0) & ((abs(f.days - promise) < DAY) | (abs(f.days - latest) < DAY))
    inner = f.site >= 0
    arrival = np.where(inner, f.days + books.process_steps[f.site], 0.0)
    day = cluster(np.concatenate([f.days_out, arrival, r.days_out[rows]]), DAY)
    out, into, quote = np.split(day, [len(f.units), 2 * len(f.units)])

    def state(site: Ints, channel: Ints, product: Ints, days: Ints) -> Ints:
        place = (site * books.n_channels + channel) * books.n_products + product
        return place * (int(day.max(initial=0)) + 1) + days

    leaves = state(f.origin, f.channel, f.product, out)
    enters = np.where(inner, state(f.site, f.channel, f.product, into), -1)
    while True:
        good = np.unique(leaves[just & ~f.from_stock])
        more = just | (inner & np.isin(enters, good))
        if (more == just).all():
            break
        just = more
    quoted = state(r.site[rows], r.channel[rows], r.product[rows], quote)
    return np.isin(quoted, leaves[just & f.from_stock])


def _granted(books: Books, rows: Ints, channel: int, product: int) -> Bools:
    """Whether some route without further stock takes exactly the days that the promise leaves.

    Days of such routes are built backwards from the markets, lane by lane.
    """
    b, r = books, books.routes
    promise, latest = (float(days) for days in _grants(b, channel))
    longest = np.nanmax([promise, latest, -1.0])
    fits = np.isin(b.lane_channel, (-1, channel)) & np.isin(b.lane_product, (-1, product))
    fits &= b.lane_status != "closed"
    wanted = np.zeros(b.n_markets, dtype=np.bool_)
    wanted[b.demand_market[(b.demand_channel == channel) & (b.demand_product == product)]] = True
    last = fits & (b.lane_market >= 0) & wanted[b.lane_market]
    can_pass = ~forced(b)[:, product] & (b.status != "closed")
    inner = fits & (b.lane_site >= 0) & can_pass[b.lane_site]
    hops = pd.DataFrame(
        {
            "site": b.lane_site[inner],
            "origin": b.lane_origin[inner],
            "add": (b.lane_steps + b.process_steps[b.lane_site])[inner],
        }
    ).drop_duplicates()
    seen = pd.DataFrame({"site": b.lane_origin[last], "days": b.lane_steps[last].round(6)})
    seen = fresh = seen[seen["days"] <= longest + DAY].drop_duplicates()
    while len(fresh):
        step = fresh.merge(hops, on="site")
        step = pd.DataFrame({"site": step["origin"], "days": (step["days"] + step["add"]).round(6)})
        both = pd.concat([seen, step[step["days"] <= longest + DAY]]).drop_duplicates()
        seen, fresh = both, both.iloc[len(seen) :]
    granted = np.zeros(len(rows), dtype=np.bool_)
    for k, row in enumerate(rows):
        left = seen.loc[seen["site"] == r.site[row], "days"].to_numpy()
        quote = r.days_out[row]
        granted[k] = any(np.any(abs(grant - left - quote) < 10 * DAY) for grant in (promise, latest))
    return granted


def _pool_positions(books: Books, table: pd.DataFrame, site: Ints) -> Ints:
    """Place of the pools named in a table; "joined" means joined only at a joined site."""
    word = texts(table, "pool")
    return np.where((word == "joined") & books.joined[site], books.joined_pool, positions(books.pools, word))


def check_stock_table(books: Books) -> Iterator[Check]:
    """Units, coverage, variance, safety, cycle, stock days and value of each stock."""
    table, s = books.table("stock"), books.stocks
    site = positions(books.sites, texts(table, "site"))
    product = positions(books.products, texts(table, "product"))
    pool = _pool_positions(books, table, site)
    width = books.joined_pool + 1
    told_key = (site * books.n_products + product) * width + pool
    told_key = np.where(np.minimum(np.minimum(site, product), pool) < 0, -1, told_key)
    true_key = (s.site * books.n_products + s.product) * width + s.pool
    keys = np.union1d(told_key, true_key)
    told_row, true_row = np.searchsorted(keys, told_key), np.searchsorted(keys, true_key)

    def told(column: str) -> Floats:
        return tally(told_row, numbers(table, column), len(keys))

    def true(values: Floats) -> Floats:
        return tally(true_row, values, len(keys))

    def where(k: int) -> str:
        if keys[k] < 0:
            return "unknown site, product or pool"
        pair, at_pool = divmod(int(keys[k]), width)
        return books.name(sites=pair // books.n_products, products=pair % books.n_products, pools=at_pool)

    repeated = np.bincount(told_row, minlength=len(keys)) > 1
    units = told("units")
    # Flow that needs no cover may be left out of the table: nothing is held for it.
    yield worst(
        "stock: units and coverage",
        listed_once=none_of("", repeated | (keys < 0), where),
        units=same("", units, np.clip(units, true(s.held), true(s.units)), where),
        coverage=same("", told("coverage_days") * units, true(s.covered), where),
    )
    yield same("stock: variance", told("variance"), true(s.variance), where, scale=TINY)
    yield worst(
        "stock: safety and cycle",
        safety=same("", told("safety"), true(s.safety), where, scale=TINY),
        cycle=same("", told("cycle"), true(s.cycle), where, scale=TINY),
    )
    average = true(s.average)
    days = np.divide(average * books.year, units, out=np.zeros(len(keys)), where=units > 0)
    rate = books.product("holding_rate") + books.product("loss_rate_per_day") * books.year
    value = average * books.product("value")[keys // width % books.n_products]
    yield worst(
        "stock: stock days and value",
        stock_days=same("", told("stock_days"), days, where, scale=TINY),
        value=same("", told("value"), value, where, scale=TINY),
        cost=same("", told("cost"), value * rate[keys // width % books.n_products], where, scale=TINY),
    )


def check_ceilings(books: Books) -> Iterator[Check]:
    """Average stock of a product within its days, over all sites and at each site."""
    s, binding = books.stocks, not books.strategy.measured
    ceiling, site_ceiling = books.product("max_stock_days"), books.product("max_site_days")
    if not np.isnan(ceiling).all():
        held = tally(s.product, s.average, books.n_products)
        served = tally(books.demand_product, books.sold[0], books.n_products)
        bound = ceiling / books.year * served
        yield at_most("max_stock_days", held, bound, lambda k: str(books.products[k]), binding=binding)
    if not np.isnan(site_ceiling).all():
        at = np.unique(s.site * books.n_products + s.product, return_inverse=True)
        held, flow = tally(at[1], s.average, len(at[0])), tally(at[1], s.units, len(at[0]))
        site, product = np.divmod(at[0], books.n_products)
        bound = site_ceiling[product] / books.year * flow
        yield at_most(
            "max_site_days",
            held,
            bound,
            lambda k: books.name(sites=int(site[k]), products=int(product[k])),
            binding=binding,
        )
