"""Checks of what is promised and agreed: channels, demand, tariffs, limits, strategies, settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from scopt.casefile.frames import key_codes

if TYPE_CHECKING:
    import pandas as pd

    from scopt.casefile.context import Context

__all__ = [
    "check_contract_version",
    "check_demand_variance",
    "check_fixed_strategies",
    "check_promise_meets_stock",
    "check_regions",
    "check_unmet",
    "check_variance_spread",
]

_SPREAD = 3.0


def check_contract_version(context: Context) -> None:
    """Report a contract that this release does not read."""
    if context.settings.contract != 1:
        positions = np.flatnonzero(context.given["settings"]["key"] == "contract")
        origin = context.origins["settings"]
        cell, row = origin.place(int(positions[0]), "value") if len(positions) else ("", 0)
        where: dict[str, Any] = {"cell": cell, "row": row, "column": "contract"}
        where["value"] = str(context.settings.contract)
        mend = "Bring the file to contract 1, or use a release that reads it."
        context.report_sheet("settings", "this release reads contract 1 only", mend, **where)


def check_demand_variance(context: Context) -> None:
    """Report variance that is given as cv and as vmr."""
    demand = context.tables["demand"]
    both = (demand["cv"].notna() & demand["vmr"].notna()).to_numpy()
    context.report("demand", both, "vmr", "both cv and vmr are given", "Keep one of them.")


def check_unmet(context: Context) -> None:
    """Report demand that may stay unmet without a price, and prices without effect."""
    channels = context.tables["channels"]
    partly = channels["min_fill"] < 1
    free = (partly & channels["unmet_cost"].isna()).to_numpy()
    rule = "min_fill below 1 needs an unmet_cost here or in settings"
    context.report("channels", free, "unmet_cost", rule, "Give unmet_cost, or min_fill 1.")
    given = context.given["channels"]
    idle = given["unmet_cost"].notna() & ~partly[: len(given)]
    rule = "unmet_cost has no effect, for min_fill is 1"
    context.report(
        "channels", idle.to_numpy(), "unmet_cost", rule, "Lower min_fill or leave it blank.", level="warning"
    )
    if not np.isnan(context.settings.unmet_cost) and not partly.any():
        where = {"column": "unmet_cost", "value": f"{context.settings.unmet_cost:g}"}
        rule = "unmet_cost has no effect, for min_fill is 1 in every channel"
        context.report_sheet("settings", rule, "Lower min_fill or leave it blank.", level="warning", **where)


def check_regions(context: Context) -> None:
    """Report markets without region where a share holds by region."""
    channels, demand, markets = (context.tables[name] for name in ("channels", "demand", "markets"))
    regional = set(channels["channel"][channels["share_scope"] == "region"])
    asked = set(demand["market"][demand["channel"].isin(regional) & (demand["units"] > 0)])
    blank = (markets["region"] == "") & markets["market"].isin(asked)
    rule = "a channel with share_scope region sells here and the region is blank"
    context.report("markets", blank.to_numpy(), "region", rule, "Name the region.")


def check_variance_spread(context: Context) -> None:
    """Report channels and products whose markets differ in variance-to-mean ratio, for one stands for all."""
    demand = context.tables["demand"]
    daily = demand["units"] / context.settings.days_per_year
    ratio = demand["vmr"].fillna(demand["cv"] ** 2 * daily).fillna(0.0)
    asked = np.flatnonzero(demand["units"] > 0)
    if not len(asked):
        return
    ratio = ratio.iloc[asked]
    groups = ratio.groupby(key_codes(demand.iloc[asked], ["channel", "product"]))
    wide = groups.transform("max") > _SPREAD * groups.transform("min")
    highest = ratio == groups.transform("max")
    first = groups.cumcount()[wide & highest].index
    codes = key_codes(demand.loc[first], ["channel", "product"])
    _, once = np.unique(codes, return_index=True)
    positions = np.sort(first.to_numpy()[once])
    rule = f"variance-to-mean ratios of this channel and product differ by more than {_SPREAD:g} times"
    mend = "Split the channel by order size and give the parts the same pool."
    by_vmr = demand["vmr"].notna().to_numpy()[positions]
    for column, chosen in (("vmr", by_vmr), ("cv", ~by_vmr)):
        context.report("demand", positions[chosen], column, rule, mend, level="warning")


def check_promise_meets_stock(context: Context) -> None:
    """Report channels without a promise that meet stock points, which they never need."""
    channels, demand = context.tables["channels"], context.tables["demand"]
    stockable = _stockable_products(context)
    stocked = set(demand["channel"][demand["product"].isin(stockable) & (demand["units"] > 0)])
    silent = (channels["response_days"].isna() & channels["channel"].isin(stocked)).to_numpy()
    rule = "the channel promises no response time, so its stock is never needed where sites may stock"
    mend = "Give response_days; a channel served from the shelf has 0."
    context.report("channels", silent, "response_days", rule, mend, level="warning")


def _stockable_products(context: Context) -> set[str]:
    """Return the products that may be stocked at some site that is not closed."""
    sites, own = context.tables["sites"], context.tables["site_products"]
    sites = sites[sites["status"] != "closed"]
    own = own[own["site"].isin(set(sites["site"]))]
    found = set(own["product"][~own["stock"].isin(("", "no"))])
    stocking = set(sites["site"][sites["stock"] != "no"])
    refused = own["product"][(own["stock"] == "no") & own["site"].isin(stocking)].value_counts()
    everywhere = set(refused.index[refused == len(stocking)])
    return found | (set(context.tables["products"]["product"]) - everywhere if stocking else set())


def check_fixed_strategies(context: Context) -> None:
    """Report levers of `as_is` and `integrated`, which are fixed."""
    given: pd.DataFrame = context.given["strategies"]
    for name, wanted in (("as_is", "no"), ("integrated", "yes")):
        rows = (given["strategy"] == name).to_numpy()
        if not rows.any():
            continue
        for lever in ("remove", "add", "direct", "outsource", "restock", "o2o", "share"):
            other = rows & ~given[lever].isin(("", wanted)).to_numpy()
            rule = f"{name} has every lever at {wanted}"
            context.report("strategies", other, lever, rule, "Leave it blank, or choose another name.")
