"""Limits of a case: their values in a design recomputed, and held within min and max.

Where the contract leaves a count open (a stock point that covers nothing, say), the value may be anything
between the lower and the upper count.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from scopt.verify.case import STOCK_WORDS, USED, Bools, Floats, Ints, numbers, texts
from scopt.verify.checks import Check, at_least, at_most, none_of, same, worst

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from scopt.verify.books import Books

__all__ = ["check_limits"]


@dataclass(frozen=True)
class Scope:
    """What one limit counts: masks over sites, channels, products and markets, and what was named."""

    site: Bools
    channel: Bools
    product: Bools
    market: Bools
    names_site: bool
    names_good: bool
    names_market: bool

    @property
    def through_sites(self) -> bool:
        """Whether units are counted at sites rather than at markets."""
        return self.names_site or not (self.names_good or self.names_market)


def _scope(books: Books, row: dict[str, str]) -> Scope:
    sites = books.sheet("sites")
    at = np.ones(books.n_sites, dtype=np.bool_)
    for column in ("tier", "operator", "site"):
        if row[column]:
            at &= texts(sites, column) == row[column]

    def mask(ids: str, column: str) -> Bools:
        index = getattr(books, ids).to_numpy(dtype=object)
        return np.asarray(index == row[column]) if row[column] else np.ones(len(index), dtype=np.bool_)

    return Scope(
        at,
        mask("channels", "channel"),
        mask("products", "product"),
        mask("markets", "market"),
        any(row[column] for column in ("tier", "operator", "site")),
        any(row[column] for column in ("channel", "product")),
        bool(row["market"]),
    )


def _openings(books: Books, scope: Scope) -> int:
    opened = books.open & np.isin(books.status, ("candidate", "open"))
    return int((opened & scope.site).sum())


def _closures(books: Books, scope: Scope) -> int:
    gone = ~books.open & np.isin(books.status, ("existing", "close"))
    return int((gone & scope.site).sum())


def _moved_stock(books: Books, scope: Scope) -> tuple[int, int]:
    """Fewest and most stock points (site, product) added or dropped against today."""
    s, shape = books.stocks, (books.n_sites, books.n_products)
    runs, held = np.zeros(shape, dtype=np.bool_), np.zeros(shape, dtype=np.bool_)
    runs[s.site[s.units > USED], s.product[s.units > USED]] = True
    held[s.site[s.held > USED], s.product[s.held > USED]] = True
    named = (books.stock >= STOCK_WORDS["existing"]) & books.today[:, None]
    wide = named & _reached(books, today_only=False)
    # Without a review period coverage may always be 0: such a point never held anything.
    narrow = named & _reached(books, today_only=True) & (books.site("review_days") > 0)[:, None]
    kept = scope.site[:, None] & scope.product[None, :]
    sure = (held & ~wide) | (narrow & ~runs)
    never = (held & narrow) | (~runs & ~wide)
    return int((sure & kept).sum()), int((~never & kept).sum())


def _reached(books: Books, *, today_only: bool) -> Bools:
    """Whether a product can come to a site and go on from there to a market that wants it."""
    b = books
    status = np.isin(b.lane_status, ("existing",) if today_only else ("existing", "candidate"))
    sites = b.today if today_only else b.status != "closed"
    status &= sites[b.lane_origin] & ((b.lane_market >= 0) | sites[b.lane_site])
    found = np.zeros((b.n_sites, b.n_products), dtype=np.bool_)
    for channel in range(b.n_channels):
        fits = status & np.isin(b.lane_channel, (-1, channel))
        wanted = np.zeros((b.n_markets, b.n_products), dtype=np.bool_)
        rows = (b.demand_channel == channel) & (b.demand > 0)
        wanted[b.demand_market[rows], b.demand_product[rows]] = True
        named = b.lane_product[:, None]
        goods = (named < 0) | (named == np.arange(b.n_products))
        inner, last = np.flatnonzero(fits & (b.lane_site >= 0)), np.flatnonzero(fits & (b.lane_market >= 0))
        comes = ~np.isnan(b.supply_lead) & sites[:, None]
        goes = np.zeros_like(comes)
        _mark(goes, b.lane_origin[last], wanted[b.lane_market[last]] & goods[last])
        _spread(comes, b.lane_origin[inner], b.lane_site[inner], goods[inner])
        _spread(goes, b.lane_site[inner], b.lane_origin[inner], goods[inner])
        found |= comes & goes
    return found


def _spread(marked: Bools, start: Ints, end: Ints, goods: Bools) -> None:
    """Carry marks along lanes until nothing changes."""
    while True:
        count = int(marked.sum())
        _mark(marked, end, marked[start] & goods)
        if int(marked.sum()) == count:
            return


def _mark(marked: Bools, rows: Ints, marks: Bools) -> None:
    """Add marks to rows, several of which may be the same (faster than ``logical_or.at``)."""
    if not len(rows):
        return
    order = np.argsort(rows, kind="stable")
    targets, first = np.unique(rows[order], return_index=True)
    marked[targets] |= np.logical_or.reduceat(marks[order], first, axis=0)


def _units(books: Books, scope: Scope) -> float:
    f = books.flows
    if scope.through_sites:
        return float(books.entering(scope.channel)[scope.site][:, scope.product].sum())
    rows = (f.market >= 0) & scope.market[f.market] & scope.channel[f.channel] & scope.product[f.product]
    return float(f.units[rows].sum())


def _on_time(books: Books, scope: Scope) -> float:
    _, on_time, _ = books.sold
    rows = scope.market[books.demand_market] & scope.channel[books.demand_channel]
    return float(on_time[rows & scope.product[books.demand_product]].sum())


def _co2(books: Books, scope: Scope) -> float:
    f = books.flows
    rows = scope.site[f.origin] & scope.channel[f.channel] & scope.product[f.product]
    per_unit = books.lane("co2_per_unit")[f.lane]
    per_unit = per_unit + books.lane("co2_per_tonne")[f.lane] * books.product("weight_kg")[f.product] / 1000
    if scope.names_market:
        rows &= (f.market >= 0) & scope.market[f.market]
        return float(np.sum((per_unit * f.units)[rows]))
    handled = books.entering(scope.channel)[:, scope.product].sum(axis=1)
    at_sites = (books.site("co2_per_unit") * handled)[scope.site].sum()
    return float(np.sum((per_unit * f.units)[rows]) + at_sites)


def _stock_value(books: Books, scope: Scope) -> float:
    s = books.stocks
    rows = scope.site[s.site] & scope.product[s.product]
    return float((books.product("value")[s.product] * s.average)[rows].sum())


def _one_off(books: Books, scope: Scope) -> float:
    opened = books.open & np.isin(books.status, ("candidate", "open")) & scope.site
    gone = ~books.open & np.isin(books.status, ("existing", "close")) & scope.site
    return float(books.site("open_cost")[opened].sum() + books.site("close_cost")[gone].sum())


def _range(books: Books, measure: str, scope: Scope) -> tuple[float, float]:
    """Lowest and highest value of a measure that the contract allows."""
    if measure == "changes":
        o2o = texts(books.sheet("sites"), "o2o")
        turned = (books.joined != ((o2o == "existing") & books.today)) & scope.site
        base = _openings(books, scope) + _closures(books, scope) + int(turned.sum())
        low, high = _moved_stock(books, scope)
        return float(base + low), float(base + high)
    single = {
        "sites": lambda: float((books.open & scope.site).sum()),
        "openings": lambda: float(_openings(books, scope)),
        "closures": lambda: float(_closures(books, scope)),
        "units": lambda: _units(books, scope),
        "on_time": lambda: _on_time(books, scope),
        "one_off": lambda: _one_off(books, scope),
        "co2": lambda: _co2(books, scope),
        "stock_value": lambda: _stock_value(books, scope),
    }[measure]()
    return single, single


def check_limits(books: Books) -> Iterator[Check]:
    """Value of each limit against the limits table, and within min and max (not binding as-is)."""
    sheet, table = books.sheet("limits"), books.table("limits")
    if not len(sheet):
        return
    columns = ("limit", "measure", "tier", "operator", "channel", "product", "site", "market")
    cells = zip(*(texts(sheet, column) for column in columns), strict=True)
    rows = [dict(zip(columns, row, strict=True)) for row in cells]
    ranges = np.array([_range(books, row["measure"], _scope(books, row)) for row in rows])
    low, high = ranges[:, 0], ranges[:, 1]
    names = list(zip(texts(table, "limit"), texts(table, "measure"), strict=True))
    place = {name: k for k, name in enumerate(names)}
    asked = [(row["limit"], row["measure"]) for row in rows]
    at = np.array([place.get(name, -1) for name in asked])
    odd = [name not in asked or place[name] != k for k, name in enumerate(names)]

    def told(column: str) -> Floats:
        values: Floats = np.append(numbers(table, column), np.nan)[at]
        return values

    value, least, most = told("value"), numbers(sheet, "min"), numbers(sheet, "max")

    def where(k: int) -> str:
        return f"{rows[k]['limit']} ({rows[k]['measure']})"

    yield worst(
        "limits: value",
        reported=none_of("", at < 0, where),
        listed_once=none_of("", odd, lambda k: f"{names[k][0]} ({names[k][1]})"),
        value=same("", np.where(at < 0, low, value), _between(value, low, high), where),
        min=_same_or_blank(told("min"), least, where),
        max=_same_or_blank(told("max"), most, where),
        slack=_same_or_blank(told("slack"), np.fmin(most - value, value - least), where),
    )
    binding = not books.strategy.measured
    yield worst(
        "limits: min and max",
        max=at_most("", low, most, where, binding=binding),
        min=at_least("", high, least, where, binding=binding),
    )


def _same_or_blank(told: Floats, due: Floats, where: Callable[[int], str]) -> Check:
    blank = np.isnan(told) & np.isnan(due)
    return same("", np.where(blank, 0.0, told), np.where(blank, 0.0, due), where)


def _between(value: Floats, low: Floats, high: Floats) -> Floats:
    return np.where(np.isnan(value), low, np.clip(value, low, high))
