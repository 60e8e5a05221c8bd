"""Figures read off the tables of a result, for its summary and its text."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pandas as pd

if TYPE_CHECKING:
    from pandas import DataFrame

    from scopt.result import Result

__all__ = ["Changes", "by_channel", "by_tier", "changes", "share", "stock_days", "summary_rows"]

Row = tuple[str, object, str]

_SHARES = {
    "served_share": ("served", "demand"),
    "on_time_share": ("on_time", "served"),
    "late_share": ("late", "served"),
    "response_days": ("unit_days", "timed"),
}


class Changes(NamedTuple):
    """What differs from today, by site."""

    closed: tuple[str, ...]
    opened: tuple[str, ...]
    taken_over: tuple[tuple[str, str], ...]
    """(site that closed, site that opened at the same place); in neither of the two lists above."""
    joined: tuple[str, ...]
    separated: tuple[str, ...]


def changes(sites: DataFrame) -> Changes:
    """Tell what became of the sites.

    Parameters
    ----------
    sites
        Table ``sites`` of a result.
    """
    if sites.empty:
        return Changes((), (), (), (), ())
    opens, was_open = sites["after"] == "open", sites["before"] == "open"
    closed, opened = sites[was_open & ~opens], sites[opens & ~was_open]
    pairs = closed.merge(opened, on="place", suffixes=("", "_new"))
    joined, was_joined = sites["joined"].astype(bool), sites["joined_before"].astype(bool)
    return Changes(
        closed=tuple(closed.loc[~closed["site"].isin(pairs["site"]), "site"]),
        opened=tuple(opened.loc[~opened["site"].isin(pairs["site_new"]), "site"]),
        taken_over=tuple(zip(pairs["site"], pairs["site_new"], strict=True)),
        joined=tuple(sites.loc[joined & ~was_joined, "site"]),
        separated=tuple(sites.loc[opens & ~joined & was_joined, "site"]),
    )


def by_tier(sites: DataFrame) -> DataFrame:
    """Sites by tier: tier, before, after, opened, closed (counts), units, cost; tiers as they first occur."""
    if sites.empty:
        return pd.DataFrame(columns=["tier", "before", "after", "opened", "closed", "units", "cost"])
    after, before = sites["after"] == "open", sites["before"] == "open"
    counted = sites.assign(before=before, after=after, opened=after & ~before, closed=before & ~after)
    columns = ["before", "after", "opened", "closed", "units", "cost"]
    return counted.groupby("tier", sort=False)[columns].sum().reset_index()


def by_channel(service: DataFrame) -> DataFrame:
    """Service by channel.

    Returns
    -------
    DataFrame
        channel; demand, served, on_time, late, unmet (units/year); served_share (of demand), on_time_share,
        late_share (of what is served); response_days, the mean over what is served of the markets and
        products that have a response time.
    """
    amounts = ["demand", "served", "on_time", "late", "unmet"]
    if service.empty:
        return pd.DataFrame(columns=["channel", *amounts, *_SHARES])
    days, served = service["response_days"], service["on_time"] + service["late"]
    timed = served.where(days.notna(), 0.0)
    rows = service.assign(served=served, timed=timed, unit_days=timed * days.fillna(0.0))
    sums = rows.groupby("channel", sort=False)[[*amounts, "timed", "unit_days"]].sum().reset_index()
    for column, (part, whole) in _SHARES.items():
        sums[column] = sums[part] / sums[whole].where(sums[whole] > 0)
    return sums[["channel", *amounts, *_SHARES]]


def stock_days(stock: DataFrame, service: DataFrame) -> float | None:
    """Average stock over all sites in days of what is served; None where nothing is served.

    A row's ``stock_days`` are its average stock per unit of its stocked flow, in days, so that times its flow
    they are unit-days; the sum over rows is divided by the units served.
    """
    if service.empty:
        return None
    served = float((service["on_time"] + service["late"]).sum())
    if served <= 0:
        return None
    return float((stock["stock_days"] * stock["units"]).sum()) / served if len(stock) else 0.0


def share(part: float | None, whole: float | None) -> float | None:
    """Part over whole; None where either is missing or the whole is zero."""
    if part is None or whole is None or whole == 0:
        return None
    return part / whole


def summary_rows(result: Result) -> list[Row]:
    """Return (metric, value, unit) of everything that the result's own fields and tables tell."""
    money = f"{result.currency}/year"
    rows: list[Row] = [
        ("case", result.provenance.get("case", ""), ""),
        ("strategy", result.strategy, ""),
        ("status", result.status, ""),
        ("cost", result.cost, money),
        ("bound", result.bound, money),
        ("gap", result.gap, "share"),
        ("seconds", result.seconds, "s"),
        ("as-is cost", result.as_is_cost, money),
        (f"saving against {result.against}", result.saving, money),
    ]
    if result.saving_share is not None:
        rows.append(("saving share", result.saving_share, "share"))
    if result.cost is not None:
        rows += [*_site_rows(result), *_stock_rows(result), *_service_rows(result), *_check_rows(result)]
    rows += [
        (f"made with {key}", str(value), "") for key, value in result.provenance.items() if key != "case"
    ]
    return rows + [("message", message, "") for message in result.messages]


def _site_rows(result: Result) -> list[Row]:
    found, sites = changes(result.sites), result.sites
    if sites.empty:
        return []
    return [
        ("sites open today", int((sites["before"] == "open").sum()), "sites"),
        ("sites open after", int((sites["after"] == "open").sum()), "sites"),
        ("sites closed", len(found.closed), "sites"),
        ("sites opened", len(found.opened), "sites"),
        ("sites taken over", len(found.taken_over), "sites"),
        ("sites that join their pools", int(sites["joined"].sum()), "sites"),
        ("operators under contract", len(result.outsourcing), "operators"),
    ]


def _stock_rows(result: Result) -> list[Row]:
    stock, days = result.stock, stock_days(result.stock, result.service)
    rows: list[Row] = [("stock days", days, "days")] if days is not None else []
    if stock.empty:
        return rows
    points = len(stock[["site", "product"]].drop_duplicates())
    return [
        *rows,
        ("stock points", points, "site and product"),
        ("safety stock", float(stock["safety"].sum()), "units"),
        ("cycle stock", float(stock["cycle"].sum()), "units"),
        ("stock value", float(stock["value"].sum()), result.currency),
    ]


def _service_rows(result: Result) -> list[Row]:
    rows: list[Row] = []
    for row in by_channel(result.service).to_dict("records"):
        rows.append((f"{row['channel']}: served", row["served_share"], "share"))
        rows.append((f"{row['channel']}: on time", row["on_time_share"], "share"))
        if pd.notna(row["response_days"]):
            rows.append((f"{row['channel']}: response time", row["response_days"], "days"))
    return rows


def _check_rows(result: Result) -> list[Row]:
    checks = result.checks
    return [("checks passed", f"{int(checks['ok'].sum())} of {len(checks)}", "")] if len(checks) else []
