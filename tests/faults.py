"""Faults that can be put into any design: each makes its tables, its costs or its bound tell something untrue.

A fault is a name, a kind, and a function that returns the spoiled design, or None where the design has nothing
that it could spoil (no operator, nothing late, …). Where a rule has to be broken, the case that is handed to
the verifier is changed instead of the tables: a capacity a little below what is used, say. Each function picks its
place at random among those that matter, so that several draws try several places.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Callable

    from hand_design import Design

    Spoil: TypeAlias = Callable[[Design, np.random.Generator], Design | None]

__all__ = ["FAULTS", "KINDS", "Fault"]


@dataclass(frozen=True)
class Fault:
    """One way to spoil a design."""

    name: str
    kind: str
    spoil: Spoil


FAULTS: list[Fault] = []


def fault(kind: str, name: str) -> Callable[[Spoil], Spoil]:
    """Put a function on the list."""

    def listed(spoil: Spoil) -> Spoil:
        FAULTS.append(Fault(name, kind, spoil))
        return spoil

    return listed


# -- helpers ----------------------------------------------------------------------------------------------


def get(design: Design, name: str) -> pd.DataFrame:
    """A result table with a plain index; empty where the design has none."""
    return design.tables.get(name, pd.DataFrame()).reset_index(drop=True)


def number(table: pd.DataFrame, column: str) -> np.ndarray:
    """A column as floats; NaN throughout where it is missing."""
    if column not in table:
        return np.full(len(table), np.nan)
    return pd.to_numeric(table[column], errors="coerce").to_numpy(float)


def put(design: Design, name: str, table: pd.DataFrame) -> Design:
    return replace(design, tables=design.tables | {name: table})


def edit(design: Design, name: str, at: int, **values: Any) -> Design:
    """Change cells of one row."""
    table = get(design, name)
    for column, value in values.items():
        cells = table[column].astype(object).tolist()
        cells[at] = value
        table[column] = pd.Series(cells, dtype=object)
    return put(design, name, table)


def sheet(design: Design, name: str, at: Any, **values: Any) -> Design:
    """Change cells of the case; it is not validated again, for nothing but the verifier looks at it."""
    case = design.case
    table = (case.lanes if name == "lanes" else case.tables[name]).reset_index(drop=True)
    for column, value in values.items():
        cells = np.array(table[column].tolist(), dtype=object)
        cells[at] = value
        table[column] = pd.Series(cells.tolist(), dtype=object)
    if name == "lanes":
        return replace(design, case=dataclasses.replace(case, lanes=table))
    return replace(design, case=dataclasses.replace(case, tables=dict(case.tables) | {name: table}))


def draw(random: np.random.Generator, mask: Any) -> int | None:
    """One of the marked places."""
    places = np.flatnonzero(np.asarray(mask, dtype=bool))
    return int(random.choice(places)) if len(places) else None


def matters(design: Design, name: str) -> np.ndarray:
    """Rows that carry more than a thousandth of the demand."""
    units = number(get(design, name), "units")
    return np.asarray(units > 1e-3 * design.case.demand["units"].sum())


def total(design: Design) -> float:
    return float(sum(abs(amount) for amount in design.costs.values()))


def promises(design: Design, column: str = "response_days") -> np.ndarray:
    """A column of the channels, by row of the flows."""
    channels = design.case.channels.set_index("channel")[column]
    return pd.to_numeric(channels).reindex(get(design, "flows")["channel"]).to_numpy(float)


def to_market(design: Design) -> np.ndarray:
    return get(design, "flows")["destination"].isin(design.case.markets["market"]).to_numpy()


def used_by(design: Design, name: str, key: str) -> pd.Series:
    """Units by the key of a table."""
    table = get(design, name)
    return pd.Series(number(table, "units"), index=table[key]).groupby(level=0).sum()


def other(random: np.random.Generator, ids: Any, own: Any) -> Any:
    """Another id than one's own, None where there is none."""
    found = [one for one in ids if one != own]
    return found[int(random.integers(len(found)))] if found else None


def column_of(case_sheet: pd.DataFrame, column: str) -> np.ndarray:
    return pd.to_numeric(case_sheet[column]).to_numpy(float)


# -- cells of the result tables -----------------------------------------------------------------------------


def scaled(name: str, column: str, factor: float) -> Spoil:
    """One cell times a factor, where that changes it."""

    def spoil(design: Design, random: np.random.Generator) -> Design | None:
        table = get(design, name)
        if not len(table) or column not in table:
            return None
        value = number(table, column)
        here = matters(design, name) if name in ("flows", "supply", "stock_routes") else np.ones(len(table))
        at = draw(random, here.astype(bool) & (abs(value) * abs(factor - 1) > 1e-3))
        return None if at is None else edit(design, name, at, **{column: value[at] * factor})

    return spoil


def shifted(name: str, column: str, by: float) -> Spoil:
    """One cell plus an amount, on a row that carries flow."""

    def spoil(design: Design, random: np.random.Generator) -> Design | None:
        table = get(design, name)
        here = matters(design, name)
        if name == "flows":
            here = here & np.isfinite(promises(design))
        at = draw(random, here & np.isfinite(number(table, column)))
        return None if at is None else edit(design, name, at, **{column: number(table, column)[at] + by})

    return spoil


def blank(name: str, column: str) -> Spoil:
    """One number becomes NaN."""

    def spoil(design: Design, random: np.random.Generator) -> Design | None:
        table = get(design, name)
        given = np.isfinite(number(table, column))
        if column == "response_days":  # where nothing is promised, days need not be told: a blank is no fault
            due = design.case.channels.set_index("channel")[column].astype(float)
            given &= np.isfinite(due.reindex(table["channel"]).to_numpy())
        at = draw(random, given)
        return None if at is None else edit(design, name, at, **{column: np.nan})

    return spoil


def renamed(name: str, column: str, ids: Callable[[Design], Any]) -> Spoil:
    """A label becomes another one of the case."""

    def spoil(design: Design, random: np.random.Generator) -> Design | None:
        table = get(design, name)
        at = draw(
            random, matters(design, name) if name in ("flows", "supply", "stock_routes") else table.index >= 0
        )
        if at is None:
            return None
        new = other(random, ids(design), table[column][at])
        return None if new is None else edit(design, name, at, **{column: new})

    return spoil


def ids_of(name: str, column: str) -> Callable[[Design], list[Any]]:
    return lambda design: design.case.tables[name][column].unique().tolist()


def listed(kind: str, name: str, spoil: Spoil) -> None:
    FAULTS.append(Fault(name, kind, spoil))


listed("a flow changed", "units on a lane", scaled("flows", "units", 1.1))
listed("a flow changed", "units made", scaled("supply", "units", 0.9))
listed("a flow changed", "units through a stock", scaled("stock_routes", "units", 1.1))


@fault("a flow changed", "all flows of the design")
def _(design: Design, random: np.random.Generator) -> Design:
    for name in ("flows", "supply", "stock_routes"):
        table = get(design, name)
        if len(table):
            design = put(design, name, table.assign(units=number(table, "units") * 1.05))
    return design


@fault("a flow relabelled", "lane alone")
def _(design: Design, random: np.random.Generator) -> Design | None:
    at = draw(random, matters(design, "flows"))
    lane = (
        None
        if at is None
        else other(random, range(len(design.case.lanes)), int(get(design, "flows")["lane"][at]))
    )
    return None if at is None or lane is None else edit(design, "flows", at, lane=lane)


@fault("a flow relabelled", "lane with its ends, mode and operator")
def _(design: Design, random: np.random.Generator) -> Design | None:
    flows, lanes = get(design, "flows"), design.case.lanes.reset_index(drop=True)
    at = draw(random, matters(design, "flows"))
    if at is None:
        return None
    ends = lanes[["origin", "destination"]] == flows.loc[at, ["origin", "destination"]]
    lane = draw(random, ~ends.all(axis=1))
    cells = {} if lane is None else lanes.loc[lane, ["origin", "destination", "mode", "operator"]].to_dict()
    return edit(design, "flows", at, lane=lane, **cells) if cells else None


listed("a flow relabelled", "origin", renamed("flows", "origin", ids_of("sites", "site")))
listed("a flow relabelled", "product", renamed("flows", "product", ids_of("products", "product")))
listed("a flow relabelled", "channel", renamed("flows", "channel", ids_of("channels", "channel")))
listed("a flow relabelled", "mode", renamed("flows", "mode", lambda design: ["balloon"]))
listed("a flow relabelled", "operator", renamed("flows", "operator", lambda design: ["", "nobody"]))
listed("a flow relabelled", "product made", renamed("supply", "product", ids_of("products", "product")))
listed("a flow relabelled", "channel made for", renamed("supply", "channel", ids_of("channels", "channel")))
listed(
    "a flow relabelled",
    "channel of a stock",
    renamed("stock_routes", "channel", ids_of("channels", "channel")),
)


def spent(design: Design) -> np.ndarray:
    """Sites whose opening or closing changes cost, or is no free choice anyway."""
    sites = design.case.sites
    priced = (column_of(sites, "fixed_cost") > 0) & ~sites["site"].isin(
        design.case.rates["subject"]
    ).to_numpy()
    return priced | (sites["status"] == "closed").to_numpy() | design.strategy.measured


@fault("a site opened or closed in the table", "a closed site opened")
def _(design: Design, random: np.random.Generator) -> Design | None:
    sites = get(design, "sites")
    counts = pd.Series(spent(design), index=design.case.sites["site"]).reindex(sites["site"]).to_numpy(bool)
    at = draw(random, (sites["after"] == "closed").to_numpy() & counts)
    return None if at is None else edit(design, "sites", at, after="open")


@fault("a site opened or closed in the table", "an open site closed")
def _(design: Design, random: np.random.Generator) -> Design | None:
    sites = get(design, "sites")
    at = draw(random, (sites["after"] == "open") & (number(sites, "units") > 1))
    return None if at is None else edit(design, "sites", at, after="closed")


@fault("a site opened or closed in the table", "before turned round")
def _(design: Design, random: np.random.Generator) -> Design:
    at = int(random.integers(len(get(design, "sites"))))
    old = get(design, "sites")["before"][at]
    return edit(design, "sites", at, before="closed" if old == "open" else "open")


@fault("a site opened or closed in the table", "joined before turned round")
def _(design: Design, random: np.random.Generator) -> Design:
    at = int(random.integers(len(get(design, "sites"))))
    return edit(design, "sites", at, joined_before=not get(design, "sites")["joined_before"][at])


SITE_LABELS = {"site": "nowhere", "tier": "no such tier", "place": "nowhere", "operator": "nobody"}
for _column, _word in SITE_LABELS.items():
    listed("a site misreported", f"its {_column}", renamed("sites", _column, lambda design, w=_word: [w]))
for _column in ("units", "volume", "utilisation"):
    listed("a site misreported", f"its {_column}", scaled("sites", _column, 0.9))

# -- money ----------------------------------------------------------------------------------------------------


@fault("a bucket shifted, total kept", "a hundredth of the cost from one bucket to another")
def _(design: Design, random: np.random.Generator) -> Design:
    source, target = random.choice(list(design.costs), 2, replace=False)
    part = 0.01 * total(design)
    costs = design.costs | {source: design.costs[source] - part, target: design.costs[target] + part}
    return replace(design, costs=costs)


@fault("a bucket shifted, total kept", "two buckets exchanged")
def _(design: Design, random: np.random.Generator) -> Design | None:
    paid = [name for name, amount in design.costs.items() if amount > 1e-4 * total(design)]
    if len(paid) < 2:
        return None
    one, two = random.choice(paid, 2, replace=False)
    if abs(design.costs[one] - design.costs[two]) < 1e-4 * total(design):
        return None
    return replace(design, costs=design.costs | {one: design.costs[two], two: design.costs[one]})


@fault("total cost changed", "all buckets a thousandth higher")
def _(design: Design, random: np.random.Generator) -> Design:
    return replace(design, costs={name: amount * 1.001 for name, amount in design.costs.items()})


@fault("total cost changed", "a bucket left out")
def _(design: Design, random: np.random.Generator) -> Design:
    paid = [name for name, amount in design.costs.items() if abs(amount) > 1e-4 * total(design)]
    gone = random.choice(paid)
    return replace(design, costs={name: amount for name, amount in design.costs.items() if name != gone})


@fault("total cost changed", "a bucket that the contract does not know")
def _(design: Design, random: np.random.Generator) -> Design:
    return replace(design, costs=design.costs | {"sundries": 0.001 * total(design)})


@fault("total cost changed", "the bucket of unknown money cancels another")
def _(design: Design, random: np.random.Generator) -> Design:
    part = 0.001 * total(design)
    return replace(design, costs=design.costs | {"sundries": part, "refunds": -part})


for _table in ("supply", "flows", "stock", "sites", "outsourcing"):
    listed("cost of a row changed", f"of {_table}", scaled(_table, "cost", 1.1))


@fault("cost of a row changed", "money moved between two rows of supply")
def _(design: Design, random: np.random.Generator) -> Design | None:
    cost = number(get(design, "supply"), "cost")
    at = draw(random, cost > 1)
    if at is None or len(cost) < 2:
        return None
    to = other(random, range(len(cost)), at)
    return edit(edit(design, "supply", at, cost=cost[at] / 2), "supply", to, cost=cost[to] + cost[at] / 2)


@fault("bound above cost", "by a thousandth")
def _(design: Design, random: np.random.Generator) -> Design:
    cost = sum(design.costs.values())
    return replace(design, bound=cost + 1e-3 * abs(cost))


# -- stock ----------------------------------------------------------------------------------------------------

for _column in ("units", "coverage_days", "variance", "safety", "cycle", "stock_days", "value"):
    listed("a stock halved", _column.replace("_", " "), scaled("stock", _column, 0.5))


@fault("a stock halved", "safety, cycle, days, value and cost together")
def _(design: Design, random: np.random.Generator) -> Design | None:
    stock = get(design, "stock")
    at = draw(random, number(stock, "value") > 1e-2) if len(stock) else None
    if at is None:
        return None
    columns = ("safety", "cycle", "stock_days", "value", "cost")
    return edit(design, "stock", at, **{column: float(stock[column][at]) / 2 for column in columns})


def pools(design: Design) -> list[Any]:
    return [*design.case.channels["pool"].unique(), "joined"]


listed("a pool joined or separated", "pool of a stock", renamed("stock", "pool", pools))
listed("a pool joined or separated", "pool of a stock route", renamed("stock_routes", "pool", pools))


@fault("a pool joined or separated", "joined turned round where stock lies")
def _(design: Design, random: np.random.Generator) -> Design | None:
    sites, routes = get(design, "sites"), get(design, "stock_routes")
    if not len(routes):
        return None
    at = draw(random, sites["site"].isin(routes.loc[matters(design, "stock_routes"), "site"]))
    return None if at is None else edit(design, "sites", at, joined=not sites["joined"][at])


@fault("a pool joined or separated", "two pools of a site told as one")
def _(design: Design, random: np.random.Generator) -> Design | None:
    stock = get(design, "stock")
    if not len(stock):
        return None
    at = draw(random, stock.duplicated(["site", "product"]))
    if at is None:
        return None
    same = (stock["site"] == stock["site"][at]) & (stock["product"] == stock["product"][at])
    first = int(np.flatnonzero(same)[0])
    sums = {
        c: float(stock[c][first]) + float(stock[c][at])
        for c in ("units", "variance", "safety", "cycle", "value")
    }
    return put(design, "stock", get(edit(design, "stock", first, **sums), "stock").drop(index=at))


for _column, _by in (("coverage", -1.0), ("days_out", 0.7), ("days_in", 1.0)):
    listed(
        "coverage or quoted days changed",
        f"{_column} of a stock route",
        shifted("stock_routes", _column, _by),
    )


@fault("coverage or quoted days changed", "a longer quote with the coverage that goes with it")
def _(design: Design, random: np.random.Generator) -> Design | None:
    routes = get(design, "stock_routes")
    at = draw(random, matters(design, "stock_routes")) if len(routes) else None
    if at is None:
        return None
    out, cover = number(routes, "days_out")[at], number(routes, "coverage")[at]
    return edit(design, "stock_routes", at, days_out=out + 0.7, coverage=cover - 0.7)


listed("days or rate of a flow changed", "days on leaving", shifted("flows", "days_out", 0.7))
listed("days or rate of a flow changed", "days on arrival", shifted("flows", "days", 0.7))
listed("days or rate of a flow changed", "days of supply", shifted("supply", "days", 0.7))
listed("days or rate of a flow changed", "on-time rate", shifted("flows", "on_time_rate", -0.1))
listed(
    "days or rate of a flow changed",
    "on-time rate of a stock route",
    shifted("stock_routes", "on_time_rate", -0.1),
)


@fault("days or rate of a flow changed", "from stock turned round")
def _(design: Design, random: np.random.Generator) -> Design | None:
    at = draw(random, matters(design, "flows"))
    return (
        None
        if at is None
        else edit(design, "flows", at, from_stock=not get(design, "flows")["from_stock"][at])
    )


# -- service --------------------------------------------------------------------------------------------------


def lateness(design: Design) -> tuple[np.ndarray, np.ndarray]:
    """Days on arrival and promised days of the flows to markets; NaN elsewhere."""
    due = np.where(to_market(design) & matters(design, "flows"), promises(design), np.nan)
    return np.where(np.isnan(due), np.nan, number(get(design, "flows"), "days")), due


def parts(design: Design, column: str) -> int | None:
    """The row of the service table with the most of something, None where there is none."""
    amount = number(get(design, "service"), column)
    return int(np.argmax(amount)) if len(amount) and amount.max() > 1e-3 else None


@fault("a late flow called on time", "in the service table")
def _(design: Design, random: np.random.Generator) -> Design | None:
    at = parts(design, "late")
    row = get(design, "service")
    return (
        None
        if at is None
        else edit(design, "service", at, on_time=row["on_time"][at] + row["late"][at], late=0.0)
    )


@fault("a late flow called on time", "its days of arrival")
def _(design: Design, random: np.random.Generator) -> Design | None:
    days, due = lateness(design)
    at = draw(random, days > due + 1e-3)
    return None if at is None else edit(design, "flows", at, days=due[at])


@fault("a late flow called on time", "the cost of lateness")
def _(design: Design, random: np.random.Generator) -> Design | None:
    if design.costs["late"] < 1e-4 * total(design):
        return None
    return replace(design, costs=design.costs | {"late": 0.0})


@fault("unmet demand hidden", "called on time")
def _(design: Design, random: np.random.Generator) -> Design | None:
    at, row = parts(design, "unmet"), get(design, "service")
    return (
        None
        if at is None
        else edit(design, "service", at, on_time=row["on_time"][at] + row["unmet"][at], unmet=0.0)
    )


@fault("unmet demand hidden", "taken off the demand")
def _(design: Design, random: np.random.Generator) -> Design | None:
    at, row = parts(design, "unmet"), get(design, "service")
    return (
        None
        if at is None
        else edit(design, "service", at, demand=row["demand"][at] - row["unmet"][at], unmet=0.0)
    )


@fault("unmet demand hidden", "its cost")
def _(design: Design, random: np.random.Generator) -> Design | None:
    return (
        replace(design, costs=design.costs | {"unmet": 0.0})
        if design.costs["unmet"] > 1e-4 * total(design)
        else None
    )


for _column in ("demand", "on_time", "late", "unmet", "response_days"):
    listed("service misreported", _column.replace("_", " "), scaled("service", _column, 1.1))
for _column in ("market", "channel", "product"):
    listed(
        "service misreported", f"its {_column}", renamed("service", _column, ids_of(f"{_column}s", _column))
    )


def of_channel(design: Design, random: np.random.Generator, mask: np.ndarray) -> int | None:
    """Row of the sheet `channels` of a flow drawn among the marked ones."""
    at = draw(random, mask)
    if at is None:
        return None
    return design.case.channels["channel"].tolist().index(get(design, "flows")["channel"][at])


@fault("a promise made shorter", "below the days of a flow")
def _(design: Design, random: np.random.Generator) -> Design | None:
    days, due = lateness(design)
    rate = number(get(design, "flows"), "on_time_rate")
    at = draw(random, (days > 0.1) & (days <= due) & (rate > 0))
    if at is None:
        return None
    channel = design.case.channels["channel"].tolist().index(get(design, "flows")["channel"][at])
    return sheet(design, "channels", channel, response_days=days[at] - 0.1)


@fault("a promise made shorter", "lateness no longer tolerated")
def _(design: Design, random: np.random.Generator) -> Design | None:
    days, due = lateness(design)
    at = of_channel(design, random, days > due + 1e-3)
    return None if at is None else sheet(design, "channels", at, max_late_days=0.0)


@fault("on-time share broken", "asked for more than is in time")
def _(design: Design, random: np.random.Generator) -> Design | None:
    at = parts(design, "late")
    if at is None:
        return None
    channel = design.case.channels["channel"].tolist().index(get(design, "service")["channel"][at])
    return sheet(design, "channels", channel, on_time_share=1.0)


@fault("minimum fill broken", "more asked for than is served")
def _(design: Design, random: np.random.Generator) -> Design | None:
    at = parts(design, "unmet")
    if at is None:
        return None
    row = get(design, "service").loc[at]
    channel = design.case.channels["channel"].tolist().index(row["channel"])
    return sheet(design, "channels", channel, min_fill=1 - 0.99 * row["unmet"] / row["demand"])


@fault("minimum fill broken", "unmet demand without a price")
def _(design: Design, random: np.random.Generator) -> Design | None:
    at = parts(design, "unmet")
    if at is None:
        return None
    channel = design.case.channels["channel"].tolist().index(get(design, "service")["channel"][at])
    return sheet(design, "channels", channel, unmet_cost=np.nan)


def sources(design: Design) -> pd.Series:
    """Number of origins of the last lanes, by row of the flows (0 elsewhere)."""
    flows = get(design, "flows")[to_market(design) & matters(design, "flows")]
    count = flows.groupby(["destination", "channel"])["origin"].transform("nunique")
    return count.reindex(range(len(get(design, "flows"))), fill_value=0)


@fault("single sourcing broken", "asked for where two sites serve")
def _(design: Design, random: np.random.Generator) -> Design | None:
    at = of_channel(design, random, sources(design) > 1)
    return None if at is None else sheet(design, "channels", at, single_source=True)


@fault("single sourcing broken", "a part of the flow from another site")
def _(design: Design, random: np.random.Generator) -> Design | None:
    flows, lanes = get(design, "flows"), design.case.lanes.reset_index(drop=True)
    single = design.case.channels.set_index("channel")["single_source"]
    at = draw(
        random, to_market(design) & matters(design, "flows") & flows["channel"].map(single).astype(bool)
    )
    if at is None:
        return None
    ends = (lanes["destination"] == flows["destination"][at]) & (lanes["origin"] != flows["origin"][at])
    lane = draw(random, ends)
    if lane is None:
        return None
    part = flows["units"][at] * 0.3
    moved = dict(flows.loc[at]) | lanes.loc[lane, ["origin", "mode", "operator"]].to_dict()
    moved |= {"lane": lane, "units": part}
    table = get(edit(design, "flows", at, units=flows["units"][at] - part), "flows")
    return put(design, "flows", pd.concat([table, pd.DataFrame([moved])], ignore_index=True))


# -- operators ------------------------------------------------------------------------------------------------

for _column in ("bill", "min_bill", "top_up", "units", "volume", "lanes"):
    listed("an operator's bill misreported", _column.replace("_", " "), scaled("outsourcing", _column, 1.5))
listed("an operator's bill misreported", "sites", renamed("outsourcing", "sites", lambda design: ["nowhere"]))


@fault("an operator's bill misreported", "money moved from the bill to the top up")
def _(design: Design, random: np.random.Generator) -> Design | None:
    table = get(design, "outsourcing")
    at = draw(random, number(table, "bill") > 1) if len(table) else None
    if at is None:
        return None
    return edit(
        design,
        "outsourcing",
        at,
        bill=table["bill"][at] * 0.9,
        top_up=table["top_up"][at] + table["bill"][at] * 0.1,
    )


@fault("a contract dropped", "row and bucket")
def _(design: Design, random: np.random.Generator) -> Design | None:
    table = get(design, "outsourcing")
    at = draw(random, number(table, "cost") > 1) if len(table) else None
    if at is None:
        return None
    left = put(design, "outsourcing", table.drop(index=at))
    return replace(left, costs=design.costs | {"operators": design.costs["operators"] - table["cost"][at]})


@fault("a contract dropped", "row alone")
def _(design: Design, random: np.random.Generator) -> Design | None:
    table = get(design, "outsourcing")
    at = draw(random, (number(table, "cost") > 1) | (number(table, "units") > 1)) if len(table) else None
    return None if at is None else put(design, "outsourcing", table.drop(index=at))


def taken(design: Design, random: np.random.Generator) -> int | None:
    """Row of the sheet `operators` of a contract that is taken."""
    table = get(design, "outsourcing")
    at = draw(random, number(table, "units") > 1) if len(table) else None
    return None if at is None else design.case.operators["operator"].tolist().index(table["operator"][at])


@fault("a contract or tariff of the case not applied", "contract dearer")
def _(design: Design, random: np.random.Generator) -> Design | None:
    at = taken(design, random)
    if at is None or design.case.operators["operator"][at] in set(design.case.rates["subject"]):
        return None
    cost = column_of(design.case.operators, "contract_cost")[at]
    return sheet(design, "operators", at, contract_cost=cost + 0.01 * total(design))


@fault("a contract or tariff of the case not applied", "minimum bill above what is paid")
def _(design: Design, random: np.random.Generator) -> Design | None:
    table = get(design, "outsourcing")
    at = draw(random, number(table, "units") > 1) if len(table) else None
    if at is None:
        return None
    row = design.case.operators["operator"].tolist().index(table["operator"][at])
    return sheet(design, "operators", row, min_bill=table["cost"][at] + 0.01 * total(design))


def volume_of(design: Design, subject: str) -> float:
    """Size-weighted units of what a tariff prices."""
    sites, bills, flows = get(design, "sites"), get(design, "outsourcing"), get(design, "flows")
    size = design.case.products.set_index("product")["size"].astype(float)
    counted = number(flows, "units") * flows["product"].map(size).to_numpy(float)
    if subject in set(sites["site"]):
        return float(number(sites[sites["site"] == subject], "volume").sum())
    if len(bills) and subject in set(bills["operator"]):
        return float(number(bills[bills["operator"] == subject], "volume").sum())
    return float(counted[(flows["origin"] + ">" + flows["destination"] == subject).to_numpy()].sum())


def priced(design: Design, random: np.random.Generator) -> tuple[str, float] | None:
    """A subject of the sheet `rates` with volume, and its volume."""
    found = [(name, volume_of(design, name)) for name in design.case.rates["subject"].unique()]
    found = [one for one in found if one[1] > 1]
    return found[int(random.integers(len(found)))] if found else None


@fault("a contract or tariff of the case not applied", "all tiers dearer")
def _(design: Design, random: np.random.Generator) -> Design | None:
    if (found := priced(design, random)) is None:
        return None
    rates = design.case.rates
    rows = np.flatnonzero(rates["subject"] == found[0])
    unit = column_of(rates, "unit_cost")
    return sheet(design, "rates", rows, unit_cost=np.nan_to_num(unit[rows]) + 0.01 * total(design) / found[1])


@fault("a contract or tariff of the case not applied", "another tier billed")
def _(design: Design, random: np.random.Generator) -> Design | None:
    """The tiers start at twice the volume, or the upper ones at a tenth of it."""
    if (found := priced(design, random)) is None:
        return None
    rates = design.case.rates
    rows = np.flatnonzero(rates["subject"] == found[0])
    start, unit = column_of(rates, "from_units")[rows], np.nan_to_num(column_of(rates, "unit_cost")[rows])
    upper = np.argsort(start)[1:]
    if not len(upper) or abs(unit[upper[0]] - unit[np.argmin(start)]) < 1e-3:
        return None
    held = start[upper[0]] < found[1]
    start[upper] = found[1] * (2 if held else 0.1) * np.arange(1, len(upper) + 1)
    return sheet(design, "rates", rows, from_units=start)


# -- limits ---------------------------------------------------------------------------------------------------

for _column in ("value", "min", "max", "slack"):
    listed("a limit misreported", _column, scaled("limits", _column, 1.1))
for _column in ("limit", "measure"):
    listed("a limit misreported", f"its {_column}", renamed("limits", _column, lambda design: ["none"]))


def limited(design: Design, random: np.random.Generator) -> tuple[int, float] | None:
    """Row and value of a limit that binds; changes are left out, for their count is not always one number."""
    limits = get(design, "limits")
    if not len(limits) or design.strategy.measured:
        return None
    at = draw(random, (limits["measure"] != "changes").to_numpy())
    return None if at is None else (at, float(limits["value"][at]))


def bounded(design: Design, at: int, low: float, high: float) -> Design:
    """A limit with other bounds, told as they are: nothing but the rule itself is broken."""
    value = float(get(design, "limits")["value"][at])
    told = edit(design, "limits", at, min=low, max=high, slack=float(np.fmin(high - value, value - low)))
    return sheet(told, "limits", at, min=low, max=high)


@fault("a limit broken", "maximum below the value")
def _(design: Design, random: np.random.Generator) -> Design | None:
    found = limited(design, random)
    return found and bounded(design, found[0], np.nan, found[1] - 0.01 * max(1.0, abs(found[1])))


@fault("a limit broken", "minimum above the value")
def _(design: Design, random: np.random.Generator) -> Design | None:
    found = limited(design, random)
    return found and bounded(design, found[0], found[1] + 0.01 * max(1.0, abs(found[1])), np.nan)


# -- rules of the case that the design is made to break -------------------------------------------------------


def open_site(design: Design, random: np.random.Generator) -> tuple[int, float] | None:
    """Row of the sheet `sites` of a site with flow, and its size-weighted units."""
    volume = get(design, "sites").set_index("site")["volume"].astype(float)
    found = volume.reindex(design.case.sites["site"]).fillna(0.0).to_numpy()
    at = draw(random, found > 1)
    return None if at is None else (at, float(found[at]))


def lane_in_use(design: Design, random: np.random.Generator) -> tuple[int, float] | None:
    """Position of a lane with flow, and its size-weighted units."""
    flows = get(design, "flows")
    at = draw(random, matters(design, "flows"))
    if at is None:
        return None
    size = design.case.products.set_index("product")["size"].astype(float)
    same = (flows["lane"] == flows["lane"][at]).to_numpy()
    return int(flows["lane"][at]), float((number(flows, "units") * flows["product"].map(size))[same].sum())


def operator_in_use(design: Design, random: np.random.Generator) -> tuple[int, float] | None:
    at, table = taken(design, random), get(design, "outsourcing")
    if at is None:
        return None
    return at, float(table.set_index("operator")["volume"][design.case.operators["operator"][at]])


def bound_on(name: str, column: str, factor: float, used: Callable[..., tuple[int, float] | None]) -> Spoil:
    """A capacity a little below, or a minimum a little above, what is used."""

    def spoil(design: Design, random: np.random.Generator) -> Design | None:
        if factor > 1 and design.strategy.measured:
            return None
        found = used(design, random)
        return found and sheet(design, name, found[0], **{column: found[1] * factor})

    return spoil


for _name, _used in (("sites", open_site), ("lanes", lane_in_use), ("operators", operator_in_use)):
    listed("a capacity broken", f"of one of the {_name}", bound_on(_name, "capacity", 0.99, _used))
    listed("a minimum volume broken", f"of one of the {_name}", bound_on(_name, "min_units", 1.01, _used))


@fault("a capacity broken", "of a source")
def _(design: Design, random: np.random.Generator) -> Design | None:
    supply, made = design.case.supply, get(design, "supply").groupby(["site", "product"])["units"].sum()
    used = made.reindex(pd.MultiIndex.from_frame(supply[["site", "product"]])).fillna(0.0).to_numpy(float)
    at = draw(random, used > 1)
    return None if at is None else sheet(design, "supply", at, capacity=used[at] * 0.99)


@fault("a capacity broken", "of a product at a site")
def _(design: Design, random: np.random.Generator) -> Design | None:
    flows, sites = get(design, "flows"), design.case.sites["site"]
    into = flows[flows["destination"].isin(sites) & matters(design, "flows")]
    into = into.groupby(["destination", "product"], as_index=False)["units"].sum()
    at = draw(random, into["units"] > 1)
    if at is None:
        return None
    site, product, units = into.loc[at, ["destination", "product", "units"]]
    own = design.case.site_products
    row = {"site": site, "product": product, "capacity": units * 0.99, "stock": ""}
    old = own[(own["site"] == site) & (own["product"] == product)]
    if len(old):
        return sheet(design, "site_products", old.index[0], capacity=row["capacity"])
    table = pd.DataFrame([*own.to_dict("records"), row], columns=own.columns)
    return replace(
        design,
        case=dataclasses.replace(design.case, tables=dict(design.case.tables) | {"site_products": table}),
    )


@fault("a minimum volume broken", "lowest tier of a tariff above the volume")
def _(design: Design, random: np.random.Generator) -> Design | None:
    found = None if design.strategy.measured else priced(design, random)
    if found is None:
        return None
    rates = design.case.rates
    rows = np.flatnonzero(rates["subject"] == found[0])
    return sheet(design, "rates", rows, from_units=column_of(rates, "from_units")[rows] + found[1] * 1.01)


@fault("place held twice", "two open sites at one place")
def _(design: Design, random: np.random.Generator) -> Design | None:
    sites = get(design, "sites")
    opened = np.flatnonzero(design.case.sites["site"].isin(sites.loc[sites["after"] == "open", "site"]))
    if design.strategy.measured or len(opened) < 2:
        return None
    one, two = random.choice(opened, 2, replace=False)
    return sheet(design, "sites", two, place=design.case.sites["place"].iloc[one])


@fault("compulsory stock passed", "stock made compulsory where flow passes")
def _(design: Design, random: np.random.Generator) -> Design | None:
    flows, case = get(design, "flows"), design.case
    own = set(
        map(tuple, case.site_products.loc[case.site_products["stock"] != "", ["site", "product"]].to_numpy())
    )
    told = np.array([pair in own for pair in zip(flows["origin"], flows["product"], strict=True)], dtype=bool)
    review = case.sites.set_index("site")["review_days"].astype(float).reindex(flows["origin"]).to_numpy()
    passing = matters(design, "flows") & ~flows["from_stock"].astype(bool).to_numpy() & ~told & (review > 0)
    at = draw(random, passing)
    return (
        None
        if at is None
        else sheet(design, "sites", case.sites["site"].tolist().index(flows["origin"][at]), stock="must")
    )


@fault("compulsory stock passed", "stock taken away where it lies")
def _(design: Design, random: np.random.Generator) -> Design | None:
    routes = get(design, "stock_routes")
    at = draw(random, matters(design, "stock_routes")) if len(routes) else None
    if at is None:
        return None
    own, site = design.case.site_products, routes["site"][at]
    if ((own["site"] == site) & (own["stock"] != "")).any():
        return None
    return sheet(design, "sites", design.case.sites["site"].tolist().index(site), stock="no")


@fault("fractional site", "half open")
def _(design: Design, random: np.random.Generator) -> Design:
    return edit(design, "sites", int(random.integers(len(get(design, "sites")))), after=0.5)


@fault("fractional site", "half joined")
def _(design: Design, random: np.random.Generator) -> Design:
    return edit(design, "sites", int(random.integers(len(get(design, "sites")))), joined=0.5)


@fault("fractional site", "half of the fixed cost paid")
def _(design: Design, random: np.random.Generator) -> Design | None:
    bucket = "sites" if design.costs["sites"] > 1 else "operators"
    paid = design.costs[bucket]
    return replace(design, costs=design.costs | {bucket: paid / 2}) if paid > 1e-4 * total(design) else None


@fault("supply from a site without supply", "made at another site")
def _(design: Design, random: np.random.Generator) -> Design | None:
    at, case = draw(random, matters(design, "supply")), design.case
    product = None if at is None else get(design, "supply")["product"][at]
    without = [
        s
        for s in case.sites["site"]
        if s not in set(case.supply.loc[case.supply["product"] == product, "site"])
    ]
    return None if at is None or not without else edit(design, "supply", at, site=str(random.choice(without)))


@fault("supply from a site without supply", "the source is none")
def _(design: Design, random: np.random.Generator) -> Design | None:
    at, supply = draw(random, matters(design, "supply")), design.case.supply
    if at is None:
        return None
    made = get(design, "supply").loc[at, ["site", "product"]]
    left = supply[~(supply[["site", "product"]] == made).all(axis=1)].reset_index(drop=True)
    return replace(
        design, case=dataclasses.replace(design.case, tables=dict(design.case.tables) | {"supply": left})
    )


@fault("a lane that the strategy may not use", "closed")
def _(design: Design, random: np.random.Generator) -> Design | None:
    found = lane_in_use(design, random)
    return found and sheet(design, "lanes", found[0], status="closed")


@fault("a lane that the strategy may not use", "a candidate in today's chain")
def _(design: Design, random: np.random.Generator) -> Design | None:
    found = lane_in_use(design, random) if design.strategy.measured else None
    return found and sheet(design, "lanes", found[0], status="candidate")


@fault("a lane that the strategy may not use", "a new one without its lever")
def _(design: Design, random: np.random.Generator) -> Design | None:
    flows, lanes = get(design, "flows"), design.case.lanes.reset_index(drop=True)
    used = lanes.iloc[flows.loc[matters(design, "flows"), "lane"].astype(int)]
    standing = design.case.sites.loc[design.case.sites["status"].isin(("keep", "existing")), "site"]
    ends = used["origin"].isin(standing) & (
        used["destination"].isin(standing) | used["destination"].isin(design.case.markets["market"])
    )
    new = (used["status"] == "candidate") & (ends | (used["operator"] != ""))
    at = draw(random, new)
    if at is None:
        return None
    lever = "outsource" if used["operator"].iloc[at] != "" else "direct"
    return replace(design, strategy=replace(design.strategy, **{lever: False}))


@fault("a lever that was off", "a site opened or removed, stock or pools moved")
def _(design: Design, random: np.random.Generator) -> Design | None:
    """All levers off in a design in which some site opened; today's chain has nothing that moved."""
    sites, case = get(design, "sites"), design.case
    status = case.sites.set_index("site")["status"].reindex(sites["site"]).to_numpy()
    if not ((sites["after"] == "open") & np.isin(status, ("candidate", "open"))).any():
        return None
    off = dict.fromkeys(("remove", "add", "direct", "outsource", "restock", "o2o"), False)
    return replace(design, strategy=replace(design.strategy, **off))


@fault("a flow through a closed site", "closed in the case")
def _(design: Design, random: np.random.Generator) -> Design | None:
    found = open_site(design, random)
    return found and sheet(design, "sites", found[0], status="closed")


@fault("a flow through a closed site", "left out of the sites table")
def _(design: Design, random: np.random.Generator) -> Design | None:
    sites = get(design, "sites")
    at = draw(random, number(sites, "units") > 1)
    return None if at is None else put(design, "sites", sites.drop(index=at))


# -- a figure of the case that the costs or tables do not go with ---------------------------------------------


def dearer(name: str, column: str, add: float, used: Callable[..., tuple[int, float] | None]) -> Spoil:
    """A price of something in use a little higher: the costs told are no longer those of the case."""

    def spoil(design: Design, random: np.random.Generator) -> Design | None:
        found = used(design, random)
        if found is None:
            return None
        subjects = set(design.case.rates["subject"])
        source = design.case.lanes if name == "lanes" else design.case.tables[name]
        row = source.iloc[found[0]]
        own = design.case.site_products
        if name == "sites" and own.loc[own["site"] == row["site"], "unit_cost"].notna().any():
            return None
        subject = f"{row['origin']}>{row['destination']}" if name == "lanes" else row[name[:-1]]
        if subject in subjects:
            return None
        by = add * total(design) / (found[1] if "unit" in column else 1.0)
        return sheet(design, name, found[0], **{column: float(row[column]) + by})

    return spoil


for _name, _used in (("sites", open_site), ("lanes", lane_in_use)):
    listed(
        "a price of the case not applied", f"unit_cost of {_name}", dearer(_name, "unit_cost", 0.01, _used)
    )
    listed(
        "a price of the case not applied", f"fixed_cost of {_name}", dearer(_name, "fixed_cost", 0.01, _used)
    )


@fault("a price of the case not applied", "demand of a market")
def _(design: Design, random: np.random.Generator) -> Design:
    units = column_of(design.case.demand, "units")
    at = int(np.argmax(units))
    return sheet(design, "demand", at, units=units[at] * 1.1)


@fault("a price of the case not applied", "variance of demand")
def _(design: Design, random: np.random.Generator) -> Design | None:
    stock, demand = get(design, "stock"), design.case.demand
    varied = (np.nan_to_num(column_of(demand, "cv")) > 0) | (np.nan_to_num(column_of(demand, "vmr")) > 0)
    held = set(stock.loc[number(stock, "variance") > 1e-2, "product"]) if len(stock) else set()
    routes = get(design, "stock_routes")
    pairs = set(zip(routes["channel"], routes["product"], strict=True)) if len(routes) else set()
    mine = [
        pair in pairs and pair[1] in held for pair in zip(demand["channel"], demand["product"], strict=True)
    ]
    at = draw(random, varied & np.array(mine, dtype=bool))
    if at is None:
        return None
    column = "vmr" if np.isnan(column_of(demand, "cv")[at]) else "cv"
    return sheet(design, "demand", at, **{column: column_of(demand, column)[at] * 1.5})


# -- rows and cells that cannot be -----------------------------------------------------------------------------

for _name in ("flows", "supply", "stock_routes"):
    listed("a negative flow", f"in {_name}", scaled(_name, "units", -1.0))


def against(name: str) -> Spoil:
    """A row split into more than it was and a negative rest: every sum is kept."""

    def spoil(design: Design, random: np.random.Generator) -> Design | None:
        table = get(design, name)
        at = draw(random, matters(design, name)) if len(table) else None
        if at is None:
            return None
        units = number(table, "units")[at]
        more = get(edit(design, name, at, units=units * 1.5), name)
        rest = pd.DataFrame([dict(table.loc[at]) | {"units": -0.5 * units}])
        return put(design, name, pd.concat([more, rest], ignore_index=True))

    return spoil


for _name in ("flows", "supply", "stock_routes"):
    listed("a negative flow", f"hidden in {_name} by a larger one", against(_name))

NUMBERS = {
    "flows": ("units", "days_out", "days", "on_time_rate", "lane", "from_stock", "cost"),
    "supply": ("units", "days", "cost"),
    "stock_routes": ("units", "days_in", "days_out", "on_time_rate", "coverage"),
    "stock": ("units", "coverage_days", "variance", "safety", "cycle", "stock_days", "value", "cost"),
    "sites": ("units", "volume", "utilisation", "joined", "joined_before", "cost"),
    "service": ("demand", "on_time", "late", "unmet", "response_days"),
    "outsourcing": ("lanes", "units", "volume", "bill", "min_bill", "top_up", "cost"),
    "limits": ("value", "min", "max", "slack"),
}
for _name, _columns in NUMBERS.items():
    for _column in _columns:
        listed("NaN", f"{_name}.{_column}", blank(_name, _column))


@fault("NaN", "a bucket")
def _(design: Design, random: np.random.Generator) -> Design:
    return replace(design, costs=design.costs | {str(random.choice(list(design.costs))): float("nan")})


def counted(design: Design, name: str) -> np.ndarray:
    """Rows that may not be missing: closed sites and stock that needs no cover may be."""
    table = get(design, name)
    if name == "sites":
        return np.asarray((table["before"] == "open") | (table["after"] == "open"))
    if name == "stock":
        return np.asarray(number(table, "value") > 1e-2)
    if name in ("flows", "supply", "stock_routes"):
        return matters(design, name)
    return np.ones(len(table), dtype=bool) if name != "outsourcing" else np.asarray(number(table, "cost") > 1)


def dropped(name: str) -> Spoil:
    def spoil(design: Design, random: np.random.Generator) -> Design | None:
        table = get(design, name)
        at = draw(random, counted(design, name)) if len(table) else None
        return None if at is None else put(design, name, table.drop(index=at))

    return spoil


def doubled(name: str) -> Spoil:
    def spoil(design: Design, random: np.random.Generator) -> Design | None:
        table = get(design, name)
        at = draw(random, counted(design, name)) if len(table) else None
        return (
            None if at is None else put(design, name, pd.concat([table, table.loc[[at]]], ignore_index=True))
        )

    return spoil


def stray(name: str, column: str) -> Spoil:
    """A further row about something that is not in the case."""

    def spoil(design: Design, random: np.random.Generator) -> Design | None:
        table = get(design, name)
        if not len(table):
            return None
        row = dict(table.loc[int(random.integers(len(table)))]) | {column: "nobody knows"}
        if name == "sites":
            row |= {"before": "closed", "after": "closed"}
        return put(design, name, pd.concat([table, pd.DataFrame([row])], ignore_index=True))

    return spoil


FIRST = {"flows": "channel", "supply": "site", "stock_routes": "site", "stock": "site", "sites": "site",
         "service": "market", "outsourcing": "operator", "limits": "limit"}  # fmt: skip
for _name, _column in FIRST.items():
    listed("one row dropped", f"of {_name}", dropped(_name))
    listed("one row duplicated", f"of {_name}", doubled(_name))
    listed("a row about nothing in the case", f"in {_name}", stray(_name, _column))

KINDS = tuple(dict.fromkeys(one.kind for one in FAULTS))
