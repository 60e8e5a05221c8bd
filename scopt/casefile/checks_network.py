"""Checks of sites, lanes, supply and demand as one network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from scopt.casefile.frames import key_codes, repeats
from scopt.casefile.lanes import LANE_KEY

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from scopt.casefile.context import Context

__all__ = [
    "check_coordinates",
    "check_lane_ends",
    "check_lane_overlaps",
    "check_lanes_given",
    "check_places",
    "check_ranges_of_volume",
    "check_reached",
    "check_supply",
]


def check_places(context: Context) -> None:
    """Report two sites of one place that must both be open."""
    sites = context.tables["sites"]
    must = sites["status"].isin(("keep", "open")).to_numpy() & (sites["place"] != "").to_numpy()
    again = must.copy()
    again[must] = repeats(key_codes(sites[must], ["place"]))
    rule = "two sites of one place must both be open (status keep or open)"
    context.report("sites", again, "place", rule, "Change the status of one, or give it another place.")


def check_coordinates(context: Context) -> None:
    """Report half a pair of coordinates, unless a lane rule has asked for it already."""
    rule, mend = "only one of latitude and longitude is given", "Give both or none."
    for sheet in ("sites", "markets"):
        table, rows = context.tables[sheet], context.origins[sheet].rows
        for column, other in (("latitude", "longitude"), ("longitude", "latitude")):
            told = [one.row for one in context.findings if (one.sheet, one.column) == (sheet, column)]
            half = (table[column].isna() & table[other].notna()).to_numpy() & ~np.isin(rows, told)
            context.report(sheet, half, column, rule, mend)


def check_lanes_given(context: Context) -> None:
    """Report a case without lanes and rules to make them."""
    if context.tables["lanes"].empty and context.tables["lane_rules"].empty:
        rule = "neither lanes nor lane_rules has a row"
        context.report_sheet("lanes", rule, "Give lanes, or rules to make them from coordinates.")


def check_lane_ends(context: Context) -> None:
    """Report lanes from a site to itself."""
    lanes = context.tables["lanes"]
    loop = (lanes["origin"] == lanes["destination"]) & (lanes["origin"] != "")
    context.report(
        "lanes", loop.to_numpy(), "destination", "origin and destination are the same", "Remove the lane."
    )


def check_ranges_of_volume(context: Context) -> None:
    """Report minimum volumes above the capacity."""
    for sheet in ("sites", "lanes", "operators"):
        table = context.tables[sheet]
        above = (table["min_units"] > table["capacity"]).to_numpy()
        rule = "min_units is above the capacity: it can never be used"
        context.report(sheet, above, "min_units", rule, "Correct one of them.", level="warning")


def check_forced_minimums(context: Context) -> None:
    """Report minimum volumes above all demand where the site or the contract cannot be declined."""
    sites, operators, lanes = context.tables["sites"], context.tables["operators"], context.lanes
    size = context.tables["products"].drop_duplicates("product").set_index("product")["size"]
    demand = context.tables["demand"]
    total = float((demand["units"] * demand["product"].map(size)).sum())
    forced = sites["status"].isin(("keep", "open"))
    rule = f"min_units is above all demand of the case ({total:,.0f})"
    above, why = forced & (sites["min_units"] > total), "and the site has to be open"
    context.report("sites", above.to_numpy(), "min_units", f"{rule}, {why}", "Lower it.")
    if lanes is None or operators.empty:
        return
    # Elsewhere a unit may count twice, at two sites of an operator or on a lane of its own: not judged here.
    owner = sites.drop_duplicates("site").set_index("site")["operator"]
    begins, ends = lanes["origin"].map(owner), lanes["destination"].map(owner)
    twice = {*begins[begins == ends], *lanes.loc[lanes["operator"] != begins, "operator"]}
    held = operators["operator"].isin(sites.loc[forced, "operator"]) & ~operators["operator"].isin(twice)
    above, why = held & (operators["min_units"] > total), "and one of its sites has to be open"
    context.report("operators", above.to_numpy(), "min_units", f"{rule}, {why}", "Lower it.")


def check_lane_overlaps(context: Context) -> None:
    """Report two rows that carry the same goods between the same ends by the same mode and operator."""
    lanes = context.lanes
    if lanes is None or lanes.empty:
        return
    alive = lanes[lanes["status"] != "closed"]
    rule = "another row carries the same goods between the same ends by the same mode and operator"
    mend = "Name channel and product in both rows or in none, or give one another mode."
    _report_lanes(context, alive[_overlapping(alive)], rule, mend)
    # A closed row with other goods than a made lane would be without effect, which nobody expects.
    closed = lanes[(lanes["status"] == "closed") & (lanes["rule"] == 0)]
    if len(closed):
        made = lanes[lanes["rule"] > 0]
        both = pd.concat([made, closed])
        idle = _overlapping(both) & (both["rule"] == 0).to_numpy()
        rule = "the closed row replaces no made lane, for its channel or product differs"
        _report_lanes(context, both[idle], rule, "Give it the channel of the rule and no product.")


def _overlapping(lanes: pd.DataFrame) -> NDArray[np.bool_]:
    """Return the mask of the rows that share goods with another row of the same ends, mode and operator.

    Two rows share goods if their channels are equal or one is blank, and likewise their products. Rows of
    equal keys count only where one of them is made.
    """
    pair = key_codes(lanes, ["origin", "destination", "mode", "operator"])
    no_channel = (lanes["channel"] == "").to_numpy()
    no_product = (lanes["product"] == "").to_numpy()
    size = np.bincount(pair, minlength=1)[pair]

    def pairs_with(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
        return np.isin(pair, pair[mask])

    for_all = no_channel & no_product
    by_product, by_channel, by_both = (
        no_channel & ~no_product,
        ~no_channel & no_product,
        ~(no_channel | no_product),
    )
    overlap = ~for_all & pairs_with(for_all) & (size > 1)
    overlap |= by_channel & pairs_with(by_product)
    for column, partly in (("product", by_product), ("channel", by_channel)):
        codes = key_codes(lanes.assign(pair=pair), ["pair", column])
        overlap |= by_both & np.isin(codes, codes[partly])
    made = (lanes["rule"] > 0).to_numpy()
    return overlap | (repeats(key_codes(lanes, LANE_KEY)) & made)


def _report_lanes(context: Context, lanes: pd.DataFrame, rule: str, mend: str) -> None:
    """Report rows of the lanes: explicit ones by their row, made ones once per rule that makes them."""
    explicit = lanes.index[lanes["rule"] == 0].to_numpy()
    context.report("lanes", explicit, "origin", rule, mend)
    for number in sorted(set(lanes["rule"]) - {0}):
        context.report("lane_rules", [number - 1], "channel", rule, mend)


def check_supply(context: Context) -> None:
    """Report products that are asked for and made nowhere."""
    demand, sites, supply = (context.tables[name] for name in ("demand", "sites", "supply"))
    if supply.empty or demand.empty:
        return
    closed = set(sites["site"][sites["status"] == "closed"])
    made = set(supply["product"][~supply["site"].isin(closed)])
    fill = demand["channel"].map(
        context.tables["channels"].drop_duplicates("channel").set_index("channel")["min_fill"]
    )
    asked = demand[(demand["units"] > 0) & (demand["product"] != "")].assign(must=fill > 0)
    products = context.tables["products"]["product"]
    unmade = products[~products.isin(made) & ~products.duplicated()]
    levels: tuple[Literal["error", "warning"], ...] = ("error", "warning")
    wanted = asked.groupby("product")["must"].any()
    for level, must in zip(levels, (True, False), strict=True):
        positions = unmade.index[unmade.isin(wanted.index[wanted == must])].to_numpy()
        rule = "there is demand for the product and no site supplies it"
        mend = "Add a row to supply at a site that is not closed."
        context.report("products", positions, "product", rule, mend, level=level)


def check_reached(context: Context) -> None:
    """Report demand that no lane may serve, and sites without a lane."""
    lanes = context.lanes
    if lanes is None or lanes.empty:
        return
    alive = lanes[lanes["status"] != "closed"]
    demand = context.tables["demand"]
    served = np.zeros(len(demand), dtype=bool)
    ends = alive[["destination", "channel", "product"]].drop_duplicates()
    lane_keys = pd.MultiIndex.from_frame(ends)
    for channel in (demand["channel"], ""):
        for product in (demand["product"], ""):
            asked = pd.DataFrame({"market": demand["market"], "channel": channel, "product": product})
            served |= pd.MultiIndex.from_frame(asked).isin(lane_keys)
    known = demand["market"].isin(set(context.tables["markets"]["market"])) & (demand["market"] != "")
    missed = ~served & ((demand["units"] > 0) & known).to_numpy()
    rule = "no lane leads to this market for this channel and product"
    context.report(
        "demand", missed, "market", rule, "Add a lane, or no design can serve it.", level="warning"
    )
    sites = context.tables["sites"]
    linked = sites["site"].isin(set(alive["origin"]) | set(alive["destination"]))
    alone = ~linked & (sites["status"] != "closed") & (sites["site"] != "")
    rule = "no lane starts or ends at this site"
    context.report(
        "sites", alone.to_numpy(), "site", rule, "Add lanes, or nothing can pass it.", level="warning"
    )
