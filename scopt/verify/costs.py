"""Every cost bucket of a design, recomputed from the case and the flows.

Bills come from :mod:`scopt.verify.bills`, stocks from :mod:`scopt.verify.books`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scopt.casefile.schema import BUCKETS
from scopt.verify.bills import Bills
from scopt.verify.case import USED, Floats, Ints, numbers, positions, tally, texts
from scopt.verify.checks import Check, at_most, none_of, same, worst

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scopt.verify.books import Books

__all__ = ["buckets", "check_costs", "check_outsourcing"]


def buckets(books: Books) -> dict[str, float]:
    """Return every bucket in money per year."""
    bills = Bills(books)
    own_site, own_lane = books.site_operator < 0, books.lane_operator < 0
    fixed, unit = bills.sites
    made = books.supplies
    found = dict.fromkeys(BUCKETS, 0.0)
    found["supply"] = float(np.nansum(books.supply_cost[made.site, made.product] * made.units))
    found["transport"] = bills.lanes[own_lane].sum() + sum(x for who, x in bills.pairs() if who < 0)
    found["handling"] = unit[own_site].sum()
    found["sites"] = fixed[own_site].sum()
    found["operators"] = float(np.sum(bills.bill + bills.top_up))
    found.update(_changes(books), **_market_costs(books), **_stock_costs(books), **_flow_costs(books))
    return {bucket: float(found[bucket]) for bucket in BUCKETS}


def _changes(books: Books) -> dict[str, float]:
    years = float(books.case.settings.one_off_years)
    opened = books.open & np.isin(books.status, ("candidate", "open"))
    gone = ~books.open & np.isin(books.status, ("existing", "close"))
    one_off = books.site("open_cost")[opened].sum() + books.site("close_cost")[gone].sum()
    return {
        "one_off": one_off / years,
        "replaced": books.site("replacement_cost")[gone].sum(),
        "integration": books.site("o2o_cost")[books.joined].sum(),
    }


def _market_costs(books: Books) -> dict[str, float]:
    served, on_time, _ = books.sold
    channel = books.demand_channel
    price = books.product("price")[books.demand_product]
    f = books.flows
    damaged = np.where(f.market >= 0, f.units * books.lane("damage_rate")[f.lane], 0.0)
    back = books.channel("return_cost")
    return {
        "commission": np.sum(books.channel("commission_rate")[channel] * price * served),
        "late": np.sum(books.channel("late_cost")[channel] * (served - on_time)),
        "unmet": np.nansum(books.channel("unmet_cost")[channel] * (books.demand - served)),
        "returns": np.sum((books.channel("return_rate") * back)[channel] * served)
        + np.sum(back[f.channel] * damaged),
    }


def _stock_costs(books: Books) -> dict[str, float]:
    stocks = books.stocks
    worth = (books.product("value") * books.product("holding_rate"))[stocks.product]
    slots = np.zeros((books.n_sites, books.n_products), dtype=np.bool_)
    slots[stocks.site[stocks.held > USED], stocks.product[stocks.held > USED]] = True
    return {
        "stock_slots": books.stock_cost[slots].sum(),
        "safety_stock": np.sum(worth * stocks.safety),
        "cycle_stock": np.sum(worth * stocks.cycle),
    }


def _flow_costs(books: Books) -> dict[str, float]:
    f, through, stocks = books.flows, books.through, books.stocks
    price, value = books.product("price"), books.product("value")
    weight = books.product("weight_kg")[f.product] / 1000
    # Pipeline in units: unrounded days of lanes and of every site passed, the source included.
    under_way = tally(f.product, f.units * books.lane("lead_days")[f.lane], books.n_products)
    pipeline = (under_way + books.site("process_days") @ through) / books.year
    stock = pipeline + tally(stocks.product, stocks.average, books.n_products)
    damage = np.sum(value[f.product] * books.lane("damage_rate")[f.lane] * f.units)
    kilograms = books.lane("co2_per_unit")[f.lane] + books.lane("co2_per_tonne")[f.lane] * weight
    co2 = np.sum(kilograms * f.units) + books.site("co2_per_unit") @ through.sum(axis=1)
    margins = books.site("margin_rate") @ (through @ price)
    margins += np.sum(books.lane("margin_rate")[f.lane] * price[f.product] * f.units)
    return {
        "margins": margins,
        "pipeline_stock": np.sum(value * books.product("holding_rate") * pipeline),
        "losses": np.sum(value * books.product("loss_rate_per_day") * books.year * stock) + damage,
        "emissions": float(books.case.settings.co2_price) * co2,
    }


def check_costs(books: Books) -> Iterator[Check]:
    """Every bucket and their total against the model, the bound, and the tables' own cost columns."""
    model = {bucket: float(books.model_costs.get(bucket, 0.0)) for bucket in BUCKETS}
    true = buckets(books)
    scale = max(1.0, sum(abs(amount) for amount in true.values()))
    for bucket in BUCKETS:
        yield same(f"cost: {bucket}", model[bucket], true[bucket], scale=scale)
    total = sum(books.model_costs.values())
    unknown = [name for name in books.model_costs if name not in model]
    yield none_of("cost: known buckets", [True] * len(unknown), lambda k: unknown[k])
    yield same("cost: total", total, sum(true.values()), scale=scale)
    if books.bound is not None:
        yield at_most("bound: at most the cost", books.bound, sum(true.values()), scale=1e-9)

    def column(table: str) -> float:
        return float(np.sum(numbers(books.table(table), "cost")))

    yield worst(
        "cost columns",
        supply=same("", column("supply"), true["supply"], lambda _: "sum", scale=scale),
        outsourcing=same("", column("outsourcing"), true["operators"], lambda _: "sum", scale=scale),
    )


def check_outsourcing(books: Books) -> Iterator[Check]:
    """Units, volume, bill and top up of each operator against the outsourcing table."""
    if not len(books.operators):
        return
    bills, table = Bills(books), books.table("outsourcing")
    row = positions(books.operators, texts(table, "operator"))

    def told(column: str) -> Floats:
        return tally(row, numbers(table, column), len(books.operators))

    def where(operator: int) -> str:
        return books.name(operators=operator)

    units = bills.operated(books.through.sum(axis=1), books.lane_units)
    # Terms of one operator share a scale: its bill as a whole.
    money = np.maximum(1.0, np.abs(bills.bill))
    yield worst(
        "outsourcing: units and volume",
        units=same("", told("units"), units, where),
        volume=same("", told("volume"), bills.volume, where),
    )
    yield _check_contracts(books, bills, row)
    yield worst(
        "outsourcing: bill and top up",
        bill=same("", told("bill"), bills.bill, where, scale=money),
        top_up=same("", told("top_up"), bills.top_up, where, scale=money),
        cost=same("", told("cost"), bills.bill + bills.top_up, where, scale=money),
    )


def _check_contracts(books: Books, bills: Bills, row: Ints) -> Check:
    """Each contract that is taken is listed once, with the sites, lanes and minimum bill that it has."""
    b, table, n = books, books.table("outsourcing"), len(books.operators)
    rows = np.bincount(row[row >= 0], minlength=n)
    listed = none_of("", (rows > 1) | (bills.taken & (rows == 0)), lambda k: b.name(operators=k))

    def where(k: int) -> str:
        return b.name(operators=int(row[k]))

    sites = [", ".join(b.sites[b.open & (b.site_operator == k)]) for k in range(n)]
    due = np.array([*sites, ""], dtype=object)[row]
    fewest, most = (
        tally(b.lane_operator, (b.lane_units > least).astype(np.float64), n)[row] for least in (USED, 0.0)
    )
    lanes = numbers(table, "lanes")
    # A lane with next to nothing on it may count as used or not.
    return worst(
        "outsourcing: sites, lanes and minimum bill",
        listed_once=listed,
        unknown=none_of("", row < 0, where),
        sites=none_of("", texts(table, "sites") != due, where),
        lanes=same("", lanes, np.fmin(np.fmax(lanes, fewest), most), where),
        min_bill=same("", numbers(table, "min_bill"), numbers(b.sheet("operators"), "min_bill")[row], where),
    )
