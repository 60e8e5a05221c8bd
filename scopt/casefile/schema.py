"""The case file in one table: every sheet and column with kind, unit, default, rule and meaning.

Validation, the blank workbook and the reference page are all made from this table, so that they cannot
disagree. A capability that needs data adds its columns here first.
"""

from __future__ import annotations

import math
from typing import Any, Final

from scopt.casefile.columns import Column, Sheet

__all__ = ["BUCKETS", "SETTINGS", "SHEETS"]

BUCKETS: Final = (
    "supply", "transport", "handling", "sites", "one_off", "replaced", "margins", "commission", "operators",
    "stock_slots", "safety_stock", "cycle_stock", "pipeline_stock", "losses", "integration", "platform",
    "late", "unmet", "returns", "emissions",
)  # fmt: skip


def _id(name: str, meaning: str, *refers: str, **more: Any) -> Column:
    return Column(name=name, kind="id", meaning=meaning, refers=refers, **more)


def _key(name: str, meaning: str, *refers: str) -> Column:
    return Column(name=name, kind="id", meaning=meaning, refers=refers, required=True, key=True)


def _text(name: str, meaning: str, **more: Any) -> Column:
    return Column(name=name, kind="text", meaning=meaning, **more)


def _number(name: str, unit: str, default: float | None, meaning: str, low: float = 0, **more: Any) -> Column:
    return Column(name=name, kind="number", unit=unit, default=default, meaning=meaning, low=low, **more)


def _share(name: str, default: float | None, meaning: str, **more: Any) -> Column:
    return _number(name, "share", default, meaning, high=1, **more)


def _level(name: str, default: float | None, meaning: str, **more: Any) -> Column:
    return _number(name, "share", default, meaning, low=0.5, high=1, open_high=True, **more)


def _choice(name: str, choices: str, default: str | None, meaning: str, **more: Any) -> Column:
    options = tuple(choices.split())
    return Column(name=name, kind="choice", choices=options, default=default, meaning=meaning, **more)


def _yes_no(name: str, default: bool, meaning: str, **more: Any) -> Column:
    return Column(name=name, kind="yes-no", default=default, meaning=meaning, **more)


SETTINGS: Final = (
    Column(name="contract", kind="integer", default=1, low=1, meaning="Version of this case file format."),
    _text("name", "Name of the case in reports.", inherits="name of the file"),
    _text("currency", "Currency of every amount of money.", default="CNY"),
    _number("days_per_year", "days", 365, "Days on which demand occurs and stock is held.", open_low=True),
    _number("time_step_days", "days", 1, "Lead times are rounded up to multiples of this.", open_low=True),
    _number("one_off_years", "years", 3,
        "Years over which one-off costs are spread, without interest.", open_low=True),
    _number("discount_rate", "per year", 0.08,
        "Interest at which later savings are discounted in the net present value."),
    _number("horizon_years", "years", 5,
        "Years of savings that the net present value counts.", open_low=True),
    _number("holding_rate", "per year", 0.2, "Yearly cost of holding stock as a share of its value."),
    _level("service_level", 0.95, "Cycle service level of stock where a product or channel gives none."),
    _number("review_days", "days", 7, "Review period of stock where a site gives none."),
    _number("circuity", "", 1.2, "Road distance as a multiple of the great-circle distance.", low=1),
    _number("forecast_window_days", "days", None,
        "Days of demand that a forecast looks back on.", open_low=True, later=True),
    _number("stage_lead_days", "days", None,
        "Lead time of a stage by which order variance is amplified.", later=True),
    _number("platform_cost", "currency/year", None, "Yearly cost of the information platform.", later=True),
    _number("co2_price", "currency/kg", 0, "Price of a kilogram of carbon dioxide."),
    _number("unmet_cost", "currency/unit", None,
        "Cost of a unit of unmet demand where a channel gives none."),
    _number("mip_gap", "share", 0.01, "Relative gap at which a design counts as optimal.", high=1),
    _number("time_limit_s", "seconds", 600, "Longest time of one solve.", open_low=True),
)  # fmt: skip

_STOCK = "no optional existing must"

SHEETS: Final = {sheet.name: sheet for sheet in (
    Sheet("settings", "One value per key for the whole case; a key that is not listed takes its default.", (
        _key("key", "Name of the setting."),
        Column(name="value", kind="any", meaning="Its value; blank takes the default."),
    ), most=1000),
    Sheet("products", "Products or product families.", (
        _key("product", "Id of the product."),
        _number("value", "currency/unit", 0, "Cost value on which holding cost and losses are paid."),
        _number("price", "currency/unit", 0, "Selling price, the base of margins and commission."),
        _number("weight_kg", "kg/unit", 0, "Weight, the base of cost and emissions per tonne-kilometre."),
        _number("size", "per unit", 1, "What a unit counts in capacities, minimum volumes and rates."),
        _number("holding_rate", "per year", None,
                "Yearly holding cost as a share of value.", inherits="settings"),
        _level("service_level", None, "Cycle service level of stock.", inherits="settings"),
        _share("loss_rate_per_day", 0, "Share of stock that is lost or spoils per day."),
        _number("max_stock_days", "days", None,
                "Ceiling on average stock over all sites, in days of units served."),
        _number("max_site_days", "days", None,
                "Ceiling on average stock at each site, in days of its stocked flow."),
    ), required=True),
    Sheet("sites",
            "Plants, warehouses, distributors, wholesalers, stores; a site is a place with who runs it.", (
        _key("site", "Id of the site."),
        _id("tier", "Kind of site; lane rules and limits speak of tiers.", default="site"),
        _id("place",
                "Place of the site; of the sites of one place at most one is open.",
                inherits="the site's own id"),
        _id("operator", "Outside operator who runs the site; blank: own.", "operators"),
        _choice("status", "keep existing close candidate open closed", "candidate",
                "keep: exists and stays; existing: may be removed; close: exists and must go; "
                "candidate: may be opened; open: must be opened; closed: not considered."),
        _number("latitude", "degrees", None,
                "Latitude; needed where a lane rule meets the site.", low=-90, high=90),
        _number("longitude", "degrees", None,
                "Longitude; needed where a lane rule meets the site.", low=-180, high=180),
        _number("fixed_cost", "currency/year", 0, "Cost of being open, used or not."),
        _number("open_cost", "currency", 0, "One-off cost of opening a candidate."),
        _number("close_cost", "currency", 0,
                "One-off cost of removing a site that exists; negative if it earns.", low=-math.inf),
        _number("replacement_cost", "currency/year", 0,
                "Yearly cost of what a removed site did for its customers."),
        _number("unit_cost", "currency/unit", 0, "Cost of a unit that passes the site."),
        _share("margin_rate", 0,
                "Share of the price that the site keeps on every served unit that passes it."),
        _number("capacity", "size/year", None, "Largest volume through the site; blank: none."),
        _number("min_units", "size/year", 0, "Least volume through the site if it is open."),
        _number("process_days", "days", 0, "Time from arrival until a unit is stocked or may leave."),
        _choice("stock", _STOCK, "no",
                "no: units only pass; optional: may hold stock; existing: today's stock point, may be "
                "dropped; must: everything that passes is stocked."),
        _number("stock_cost", "currency/year", 0, "Cost per product of holding stock here at all."),
        _number("review_days", "days", None,
                "Time between two replenishments of stock here.", inherits="settings"),
        _choice("o2o", "no optional existing", None,
                "Whether one stock serves all pools: existing: it does today; optional: it may.",
                inherits="optional where o2o_cost is given, else no"),
        _number("o2o_cost", "currency/year", 0, "Cost of serving all pools from one stock."),
        _text("shares", "Whether the site shares demand information.", later=True),
        _number("share_cost", "currency/year", 0, "Cost of sharing demand information.", later=True),
        _number("co2_per_unit", "kg/unit", 0, "Emissions of a unit that passes the site."),
        _text("participant", "Who bears the site's costs, for the division of gains."),
    ), required=True, most=100_000),
    Sheet("site_products", "What differs by product at a site; a blank cell takes the site's own value.", (
        _key("site", "Site.", "sites"),
        _key("product", "Product.", "products"),
        _number("capacity", "units/year", None,
                "Largest number of units of the product through the site; blank: none."),
        _number("unit_cost", "currency/unit", None,
                "Cost of a unit of the product that passes.", inherits="the site's own"),
        _choice("stock", _STOCK, None, "Whether the product is stocked here.", inherits="the site's own"),
        _number("stock_cost", "currency/year", None,
                "Cost of holding stock of the product here.", inherits="the site's own"),
    )),
    Sheet("supply", "Which site makes or buys which product; a site listed here is a source.", (
        _key("site", "Source.", "sites"),
        _key("product", "Product.", "products"),
        _number("unit_cost", "currency/unit", 0, "Cost of making or buying a unit."),
        _number("capacity", "units/year", None,
                "Largest number of units of the product from this source; blank: none."),
        _number("lead_days", "days", 0, "Days that making to order takes."),
    ), required=True),
    Sheet("markets", "Demand zones.", (
        _key("market", "Id of the market."),
        _number("latitude", "degrees", None,
                "Latitude; needed where a lane rule meets the market.", low=-90, high=90),
        _number("longitude", "degrees", None,
                "Longitude; needed where a lane rule meets the market.", low=-180, high=180),
        _id("region", "Region over which shares may hold."),
    ), required=True),
    Sheet("channels",
            "Sales channels with what they promise; a channel that only demand names takes all defaults.", (
        _key("channel", "Id of the channel."),
        _number("response_days", "days", None,
                "Promised response time; 0 is served from the shelf; blank: no promise."),
        _share("on_time_share", 1, "Share of served demand that is met within the promise."),
        _choice("share_scope", "market region all", "market", "Over what on_time_share holds."),
        _number("max_late_days", "days", None,
                "Days beyond the promise that are still accepted; blank: any lateness."),
        _number("late_cost", "currency/unit", 0, "Cost of a unit served late."),
        _share("min_fill", 1, "Least share of demand that is served; below 1 needs an unmet_cost."),
        _number("unmet_cost", "currency/unit", None, "Cost of a unit of unmet demand.", inherits="settings"),
        _id("pool", "Channels of one pool share one stock at a site.", inherits="the channel's own name"),
        _level("service_level", None,
                "Cycle service level of stock for this channel.", inherits="the product's"),
        _share("commission_rate", 0, "Share of the price paid as commission."),
        _share("return_rate", 0, "Share of served units that come back."),
        _number("return_cost", "currency/unit", 0, "Cost of a returned unit."),
        _yes_no("single_source", False,
                "Whether all products of a market come from one site in the last lane."),
    )),
    Sheet("demand", "What the markets ask for.", (
        _key("market", "Market.", "markets"),
        _id("channel", "Channel.", default="all", key=True),
        _key("product", "Product.", "products"),
        _number("units", "units/year", None, "Demand of a year.", required=True),
        _number("cv", "", None,
                "Coefficient of variation of daily demand; either this or vmr.", inherits="0"),
        _number("vmr", "units", None,
                "Variance-to-mean ratio of daily demand; either this or cv.", inherits="0"),
    ), required=True),
    Sheet("lanes",
            "Lanes from site to site and from site to market; this sheet or lane_rules is needed.", (
        _key("origin", "Site where the lane starts.", "sites"),
        _key("destination", "Site or market where it ends.", "sites", "markets"),
        _id("channel", "Channel that may use it; blank: all.", "channels", key=True),
        _id("product", "Product that may use it; blank: all.", "products", key=True),
        _id("mode", "Means of transport.", default="truck", key=True),
        _id("operator", "Outside operator who runs it; blank: own.", "operators", key=True),
        _choice("status", "existing candidate closed", "existing",
                "existing: used today; candidate: may be used; closed: not considered."),
        _number("unit_cost", "currency/unit", 0, "Cost of a unit on the lane."),
        _number("fixed_cost", "currency/year", 0, "Cost of a year in which anything flows on the lane."),
        _number("capacity", "size/year", None, "Largest volume on the lane; blank: none."),
        _number("min_units", "size/year", 0, "Least volume on the lane if it is used."),
        _number("lead_days", "days", 0, "Time from leaving the origin until arrival."),
        _share("on_time_rate", 1, "Share that arrives within lead_days."),
        _number("distance_km", "km", None, "Distance, for reports and emissions only."),
        _number("co2_per_unit", "kg/unit", 0, "Emissions of a unit on the lane."),
        _share("damage_rate", 0, "Share of units damaged on the way."),
        _share("margin_rate", 0, "Share of the price for agents who touch no goods."),
        _number("units_today", "units/year", None, "Today's flow; blank: not known."),
    )),
    Sheet("lane_rules",
            "Rules that make lanes from coordinates; an explicit lane of the same key replaces one.", (
        _id("from_tier", "Tier of the sites where the lanes start.", required=True),
        _id("to_tier", "Tier of the sites where they end, or market.", required=True),
        _id("channel", "Channel that may use them; blank: all.", "channels"),
        _id("mode", "Means of transport.", default="truck"),
        _id("operator", "Outside operator who runs them; blank: own.", "operators"),
        _choice("status", "existing candidate closed", "existing", "Status of the lanes made."),
        Column(name="nearest", kind="integer", low=1, inherits="all",
               meaning=
               "Lanes only from so many nearest sites of each destination, today's sites and candidates "
               "counted apart."),
        _number("max_km", "km", None, "Longest lane; applied before nearest.", inherits="any length"),
        _number("cost_base", "currency/unit", 0, "Cost of a unit whatever the distance."),
        _number("cost_per_km", "currency/unit/km", 0, "Cost of a unit per kilometre."),
        _number("cost_per_tonne_km", "currency/tonne/km", 0, "Cost of a tonne per kilometre."),
        _number("km_per_day", "km/day", None, "Speed; blank: min_days for all.", open_low=True),
        _number("min_days", "days", 0, "Shortest lead time."),
        _number("fixed_cost", "currency/year", 0, "Cost of a year in which anything flows on a lane."),
        _number("co2_per_tonne_km", "kg/tonne/km", 0, "Emissions of a tonne per kilometre."),
        _share("damage_rate", 0, "Share of units damaged on the way."),
        _share("on_time_rate", 1, "Share that arrives within the lead time."),
    ), most=1000),
    Sheet("operators", "Outside operators and their contracts.", (
        _key("operator", "Id of the operator."),
        _number("contract_cost", "currency/year", 0,
                "Cost of the contract if anything of the operator is used."),
        _number("min_units", "size/year", 0, "Least volume under the contract if it is taken."),
        _number("min_bill", "currency/year", 0,
                "At least this much is paid in all if the contract is taken."),
        _number("capacity", "size/year", None, "Largest volume under the contract; blank: none."),
        _text("participant", "Who bears the costs, for the division of gains."),
    )),
    Sheet("rates", "Volume tariffs of sites, operators or pairs of ends; one tier a row.", (
        _key("subject", "A site, an operator, or origin>destination."),
        _number("from_units", "size/year", None,
                "Volume from which the tier holds; the lowest, if above 0, is a minimum volume if used.",
                required=True, key=True),
        _number("fixed_cost", "currency/year", 0, "Yearly cost of the tier."),
        _number("unit_cost", "currency/size", 0, "Price of the tier per unit of size."),
        _choice("behavior", "incremental all_units", "incremental",
                "incremental: each unit pays the price of the tier it falls in; all_units: all units pay "
                "the price of the tier that holds the total. One per subject."),
    )),
    Sheet("limits",
            "Bounds on counts, volumes, one-off spend, emissions and stock; blank scope columns mean all.", (
        _key("limit", "Name of the limit."),
        _choice("measure",
                "sites openings closures changes units on_time one_off co2 stock_value", None,
                "What is bounded.", required=True),
        _id("tier", "Only sites of this tier."),
        _id("operator", "Only sites of this operator.", "operators"),
        _id("channel", "Only this channel (units, on_time, co2).", "channels"),
        _id("product", "Only this product (units, on_time, co2, stock_value).", "products"),
        _id("site", "Only this site.", "sites"),
        _id("market", "Only this market (units, on_time, co2).", "markets"),
        _number("min", "of the measure", None, "Least value.", low=-math.inf),
        _number("max", "of the measure", None, "Largest value.", low=-math.inf),
    ), most=10_000),
    Sheet("strategies", "Which levers may move; as_is (none) and integrated (all) are always there.", (
        _key("strategy", "Name of the strategy."),
        _text("description", "What it stands for.", long=True),
        _yes_no("remove", True, "Existing sites may close with nothing in their place."),
        _yes_no("add", True, "Own candidate sites may open."),
        _yes_no("direct", True, "Own candidate lanes between ends that exist today may be used."),
        _yes_no("outsource", True, "Candidate sites and lanes of operators may be used."),
        _yes_no("restock", True, "Stock points may move."),
        _yes_no("o2o", True, "Pools may be joined or separated."),
        _yes_no("share", True, "Demand information may be shared.", later=True),
        _id("against", "Strategy against which its saving is measured.", "strategies", default="as_is"),
    ), most=1000),
    Sheet("changes",
            "What a strategy changes in the data, in order and after defaults; the baseline stays.", (
        _id("strategy", "Strategy.", "strategies", required=True),
        _id("sheet", "Sheet that is changed.", required=True),
        _text("where", "Rows that are changed, as column=value; column=value; blank: all rows.",
              long=True),
        _id("column", "Column that is changed.", required=True),
        _choice("operation", "set multiply add", "set", "What is done with the value."),
        Column(name="value", kind="any", meaning="The value.", required=True),
    ), most=10_000),
    Sheet("scenarios", "Scenarios of demand.", (
        _key("scenario", "Id of the scenario."),
        _share("probability", None, "Its probability.", inherits="equal shares"),
    ), later=True),
    Sheet("scenario_demand", "What a scenario does to demand; blank scope columns mean all.", (
        _key("scenario", "Scenario.", "scenarios"),
        _id("market", "Market; blank: all.", "markets", key=True),
        _id("channel", "Channel; blank: all.", "channels", key=True),
        _id("product", "Product; blank: all.", "products", key=True),
        _number("factor", "", 1, "Multiple of the demand."),
    ), later=True),
    Sheet("actuals", "What the as-is chain really cost, for the tie-out.", (
        _choice("bucket", " ".join(BUCKETS), None, "Cost bucket.", required=True, key=True),
        _number("amount", "currency/year", None, "Amount of a year.", low=-math.inf, required=True),
    )),
)}  # fmt: skip
