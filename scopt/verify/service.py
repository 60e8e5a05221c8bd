"""Service of a design, recomputed: what is met in time, late or not at all, as promised and as priced."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scopt.verify.books import Books, flow_name
from scopt.verify.case import USED, Floats, numbers, positions, tally, texts
from scopt.verify.checks import Check, at_most, none_of, same, worst

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["check_service"]


def check_service(books: Books) -> Iterator[Check]:
    """Demand met in time, late or not at all, as promised and as priced."""
    b, table = books, books.table("service")
    served, on_time, unit_days = b.sold
    n, floor = len(b.demand), np.maximum(1.0, b.demand)
    channel = b.demand_channel

    def where(row: int) -> str:
        at = b.name(markets=int(b.demand_market[row]), channels=int(channel[row]))
        return f"{at}, {b.products[int(b.demand_product[row])]}"

    keys = [("markets", "market"), ("channels", "channel"), ("products", "product")]
    ids = [positions(getattr(b, index), texts(table, column)) for index, column in keys]
    row = b.demand_rows(ids[0], ids[1], ids[2])

    def told(column: str) -> Floats:
        return tally(row, numbers(table, column), n)

    f = b.flows
    stray = (f.market >= 0) & (b.demand_rows(f.market, f.channel, f.product) < 0) & (f.units > USED)
    yield none_of("nothing served without demand", stray, lambda k: flow_name(b, k))
    parts = told("on_time") + told("late") + told("unmet")
    yield worst(
        "demand = on time + late + unmet",
        unknown=none_of("", row < 0, lambda k: f"row {k + 1} of the table"),
        demand=same("", told("demand"), b.demand, where),
        sum=same("", parts, b.demand, where),
    )
    yield worst(
        "service: on time, late, unmet",
        on_time=same("", told("on_time"), on_time, where, scale=floor),
        late=same("", told("late"), served - on_time, where, scale=floor),
        unmet=same("", told("unmet"), b.demand - served, where, scale=floor),
    )

    # Without a promise days need not be told; where they are, they are the true ones.
    days, sold = told("response_days"), served > USED
    counts = sold & ~np.isnan(b.channel("response_days")[channel])
    mean = np.divide(unit_days, served, out=np.zeros(n), where=sold)
    mean, shown = (np.where(counts | ~np.isnan(days), x, 0.0) for x in (mean, days))
    yield same("service: response days", shown, mean, where)
    latest = (b.channel("response_days") + b.channel("max_late_days"))[f.channel]
    arrives = np.where((f.market >= 0) & (f.units > USED), f.days, 0.0)
    yield at_most("latest response", arrives, latest, lambda k: flow_name(b, k))
    yield from _shares(b, served, on_time)
    least = b.channel("min_fill")[channel]
    yield at_most("min_fill", b.demand - served, (1 - least) * b.demand, where, scale=floor)
    free = np.isnan(b.channel("unmet_cost"))[channel] | (least >= 1)
    yield at_most("unmet only where priced", np.where(free, b.demand - served, 0.0), 0.0, where, scale=floor)
    yield from _single_source(b)


def _shares(books: Books, served: Floats, on_time: Floats) -> Iterator[Check]:
    """On-time share of what is served, over market, region or all, per channel and product."""
    b = books
    market, channel, product = b.demand_market, b.demand_channel, b.demand_product
    region = np.unique(texts(b.sheet("markets"), "region").astype(str), return_inverse=True)[1]
    scope = texts(b.sheet("channels"), "share_scope")[channel]
    area = np.where(scope == "market", market, np.where(scope == "region", region[market], 0))
    _, first, code = np.unique(b.key(area, channel, product), return_index=True, return_inverse=True)
    least = np.where(np.isnan(b.channel("response_days")), 0.0, b.channel("on_time_share"))[channel]
    got, asked = tally(code, on_time, len(first)), tally(code, least * served, len(first))

    def where(group: int) -> str:
        row = int(first[group])
        name = str(b.markets[int(market[row])])
        at = {"market": name, "region": f"region of {name}"}.get(str(scope[row]), "all markets")
        return f"{at}, {b.name(channels=int(channel[row]), products=int(product[row]))}"

    yield at_most("on-time share", asked - got, 0.0, where, scale=np.maximum(1.0, asked))


def _single_source(books: Books) -> Iterator[Check]:
    """All products of a (market, channel) come from one site in the last lane."""
    b, f = books, books.flows
    single = b.sheet("channels")
    asked = single["single_source"].to_numpy(dtype=np.bool_) if "single_source" in single else None
    if asked is None or not asked.any():
        return
    rows = (f.market >= 0) & asked[f.channel]
    pair = f.market[rows] * b.n_channels + f.channel[rows]
    links, code = np.unique(np.stack([pair, f.origin[rows]]), axis=1, return_inverse=True)
    amount = tally(code.ravel(), f.units[rows], links.shape[1])
    pairs, group = np.unique(links[0], return_inverse=True)
    most = np.zeros(len(pairs))
    np.maximum.at(most, group, amount)
    total = tally(group, amount, len(pairs))

    def where(k: int) -> str:
        return b.name(markets=int(pairs[k] // b.n_channels), channels=int(pairs[k] % b.n_channels))

    yield at_most("single_source", total - most, 0.0, where, scale=np.maximum(1.0, total))
