"""Every named check: one change of the clean case, one finding with its cell."""

from __future__ import annotations

import pytest
from case_frames import case, edited, findings, sheets

from scopt.findings import Findings


def more(name, *rows):
    """Rows of a sheet and further ones."""
    return [*sheets().get(name, []), *rows]


LANE = {"origin": "north", "destination": "M1"}
SITE = {"tier": "x", "place": "P", "status": "keep"}
OPERATORS = [{"operator": "SF"}, {"operator": "JD"}]
PARTLY = edited("channels", 0, min_fill=0.9)

ERRORS = {
    "contract": ({"settings": [{"key": "contract", "value": 2}]}, "settings!B2", "contract"),
    "duplicate id": ({"products": more("products", {"product": "tea"})}, "products!A3", "product"),
    "duplicate lane": ({"lanes": more("lanes", LANE)}, "lanes!A8", "origin"),
    "duplicate lane after defaults": (
        {"lanes": more("lanes", LANE | {"mode": "truck"})},
        "lanes!A8",
        "origin",
    ),
    "duplicate setting": (
        {"settings": [{"key": "mip_gap", "value": 0.1}, {"key": "MIP gap"}]},
        "settings!A3",
        "key",
    ),
    "duplicate tier of a rate": (
        {"rates": [{"subject": "hub", "from_units": 5}, {"subject": "hub", "from_units": 5.0}]},
        "rates!A3",
        "subject",
    ),
    "unknown origin": ({"lanes": edited("lanes", 0, origin="plnt")}, "lanes!A2", "origin"),
    "market as origin": (
        {"lanes": more("lanes", {"origin": "M1", "destination": "M2"})},
        "lanes!A8",
        "origin",
    ),
    "unknown channel of a lane": (
        {"lanes": more("lanes", LANE | {"channel": "tv", "mode": "b"})},
        "lanes!F8",
        "channel",
    ),
    "unknown product of a site": (
        {"site_products": [{"site": "hub", "product": "cha"}]},
        "site_products!B2",
        "product",
    ),
    "unknown product in supply": (
        {"supply": more("supply", {"site": "hub", "product": "x"})},
        "supply!B3",
        "product",
    ),
    "unknown operator": ({"sites": edited("sites", 2, operator="SF")}, "sites!F4", "operator"),
    "unknown baseline": ({"strategies": [{"strategy": "a", "against": "b"}]}, "strategies!B2", "against"),
    "unknown scenario": (
        {"scenarios": [{"scenario": "s"}], "scenario_demand": [{"scenario": "t", "factor": 2}]},
        "scenario_demand!A2",
        "scenario",
    ),
    "site and market": ({"markets": more("markets", {"market": "hub"})}, "markets!A4", "market"),
    "tier called market": ({"sites": edited("sites", 2, tier="market")}, "sites!B4", "tier"),
    "two keep sites": (
        {"sites": more("sites", SITE | {"site": "a"}, SITE | {"site": "b"})},
        "sites!F6",
        "place",
    ),
    "half a coordinate": ({"markets": edited("markets", 1, latitude=30)}, "markets!", "longitude"),
    "no lanes": ({"lanes": None}, "lanes", ""),
    "loop": ({"lanes": more("lanes", {"origin": "hub", "destination": "hub"})}, "lanes!B8", "destination"),
    "same goods, all and a channel": (
        {"lanes": more("lanes", LANE | {"channel": "web"})},
        "lanes!A8",
        "origin",
    ),
    "same goods, all and a product": (
        {"lanes": more("lanes", LANE | {"product": "tea"})},
        "lanes!A8",
        "origin",
    ),
    "same goods, a channel and a product": (
        {
            "lanes": more(
                "lanes", LANE | {"mode": "b", "channel": "web"}, LANE | {"mode": "b", "product": "tea"}
            )
        },
        "lanes!A8",
        "origin",
    ),
    "same goods, a product and both": (
        {
            "lanes": more(
                "lanes",
                LANE | {"mode": "b", "product": "tea"},
                LANE | {"mode": "b", "product": "tea", "channel": "web"},
            )
        },
        "lanes!A9",
        "origin",
    ),
    "no supply": (
        {
            "products": more("products", {"product": "x"}),
            "demand": more("demand", {"market": "M1", "product": "x", "channel": "shop", "units": 1}),
        },
        "products!A3",
        "product",
    ),
    "cv and vmr": ({"demand": edited("demand", 0, cv=0.2)}, "demand!E2", "vmr"),
    "unmet demand without a price": ({"channels": PARTLY}, "channels!", "unmet_cost"),
    "region": (
        {
            "channels": edited("channels", 1, share_scope="region"),
            "markets": edited("markets", 1, region=None),
        },
        "markets!B3",
        "region",
    ),
    "unknown subject": ({"rates": [{"subject": "plant>M1", "from_units": 0}]}, "rates!A2", "subject"),
    "two behaviors": (
        {
            "rates": [
                {"subject": "hub", "from_units": 0},
                {"subject": "hub", "from_units": 9, "behavior": "all_units"},
            ]
        },
        "rates!C3",
        "behavior",
    ),
    "two operators in a tariffed pair": (
        {
            "operators": OPERATORS,
            "lanes": more("lanes", LANE | {"operator": "SF"}),
            "rates": [{"subject": "north > M1", "from_units": 0}],
        },
        "rates!A2",
        "subject",
    ),
    "site called like an operator": (
        {"operators": [{"operator": "hub"}], "rates": [{"subject": "hub", "from_units": 0}]},
        "rates!A2",
        "subject",
    ),
    "min above max": (
        {"limits": [{"limit": "a", "measure": "sites", "min": 2, "max": 1}]},
        "limits!D2",
        "max",
    ),
    "measure": ({"limits": [{"limit": "a", "measure": "site", "max": 1}]}, "limits!B2", "measure"),
    "scope without meaning": (
        {"limits": [{"limit": "a", "measure": "sites", "channel": "web", "max": 1}]},
        "limits!C2",
        "channel",
    ),
    "market of a site": (
        {"limits": [{"limit": "a", "measure": "units", "market": "M1", "site": "hub", "max": 1}]},
        "limits!C2",
        "market",
    ),
    "tier of no site": (
        {"limits": [{"limit": "a", "measure": "sites", "tier": "shop", "max": 1}]},
        "limits!C2",
        "tier",
    ),
    "tier and site apart": (
        {"limits": [{"limit": "a", "measure": "co2", "tier": "plant", "site": "hub", "max": 1}]},
        "limits!C2",
        "tier",
    ),
    "demand of nobody": (
        {"limits": [{"limit": "a", "measure": "units", "market": "M1", "channel": "web", "max": 1}]},
        "limits!D2",
        "channel",
    ),
    "lever of as_is": ({"strategies": [{"strategy": "as_is", "add": "yes"}]}, "strategies!B2", "add"),
    "lever of integrated": (
        {"strategies": [{"strategy": "integrated", "o2o": "no"}]},
        "strategies!B2",
        "o2o",
    ),
}


@pytest.mark.parametrize(("changed", "where", "column"), ERRORS.values(), ids=ERRORS)
def test_error(changed, where, column):
    errors = findings(**changed).errors
    assert [(one.where, one.column) for one in errors] == [(where.rstrip("!"), column)], str(errors)


WARNINGS = {
    "two steps": ({"sites": edited("sites", 2, capacity=5, min_units=9)}, "sites!G4", "min_units"),
    "market out of reach": (
        {
            "markets": more("markets", {"market": "M3"}),
            "demand": more(
                "demand", {"market": "M3", "channel": "web", "product": "tea", "units": 1, "vmr": 1}
            ),
        },
        "demand!A4",
        "market",
    ),
    "lane of another channel": (
        {
            "lanes": [
                lane | ({"channel": "shop"} if lane["destination"] == "M2" else {})
                for lane in sheets()["lanes"]
            ]
        },
        "demand!A3",
        "market",
    ),
    "site out of reach": ({"sites": more("sites", {"site": "x"})}, "sites!A5", "site"),
    "price of no unmet demand": (
        {"channels": edited("channels", 0, unmet_cost=5)},
        "channels!C2",
        "unmet_cost",
    ),
    "price of no unmet demand anywhere": (
        {"settings": [{"key": "unmet_cost", "value": 5}]},
        "settings",
        "unmet_cost",
    ),
    "different variance": (
        {
            "demand": more(
                "demand", {"market": "M2", "channel": "shop", "product": "tea", "units": 9, "vmr": 6.1}
            )
        },
        "demand!E4",
        "vmr",
    ),
    "shelf without promise": (
        {"channels": edited("channels", 0, response_days=None)},
        "channels!B2",
        "response_days",
    ),
    "rated site": (
        {
            "rates": [{"subject": "hub", "from_units": 0}],
            "site_products": [{"site": "hub", "product": "tea", "unit_cost": 1}],
        },
        "site_products!C2",
        "unit_cost",
    ),
    "limit without bound": ({"limits": [{"limit": "a", "measure": "sites"}]}, "limits", "max"),
    "forecast window": (
        {"settings": [{"key": "forecast_window_days", "value": 30}]},
        "settings!B2",
        "forecast_window_days",
    ),
    "sharing": ({"sites": edited("sites", 2, share_cost=5)}, "sites!F4", "share_cost"),
    "share lever": ({"strategies": [{"strategy": "a", "share": "yes"}]}, "strategies!B2", "share"),
    "scenarios": ({"scenarios": [{"scenario": "s"}]}, "scenarios", ""),
}


@pytest.mark.parametrize(("changed", "where", "column"), WARNINGS.values(), ids=WARNINGS)
def test_warning(changed, where, column):
    found = findings(**changed)
    assert [(one.level, one.where, one.column) for one in found] == [("warning", where, column)], str(found)


CLEAN = {
    "the case itself": {},
    "unmet demand at a price": {"channels": edited("channels", 0, min_fill=0.9, unmet_cost=5)},
    "unmet demand at the price of the settings": {
        "channels": PARTLY,
        "settings": [{"key": "unmet_cost", "value": 5}],
    },
    "equal variance through cv": {
        "demand": [
            # vmr = cv² · units / days: 2² · 73 / 365 = 0.8 and 1 · 365 / 365 = 1
            {"market": "M1", "channel": "shop", "product": "tea", "units": 73, "cv": 2},
            {"market": "M2", "channel": "shop", "product": "tea", "units": 365, "cv": 1},
        ]
    },
    "lanes by product": {
        "lanes": more(
            "lanes",
            LANE | {"mode": "b", "product": "tea"},
            LANE | {"mode": "b", "channel": "web", "product": "x"},
        ),
        "products": more("products", {"product": "x"}),
    },
    "lanes by operator": {"operators": OPERATORS, "lanes": more("lanes", LANE | {"operator": "SF"})},
    "a closed lane carries nothing": {"lanes": more("lanes", LANE | {"status": "closed", "channel": "web"})},
    "a place shared by a candidate": {"sites": edited("sites", 2, place="north")},
    "close_cost may earn": {"sites": edited("sites", 1, close_cost=-5)},
    "a rate of a pair": {"rates": [{"subject": "north>M1", "from_units": 0, "unit_cost": 3}]},
    "a limit on units to a market": {
        "limits": [{"limit": "a", "measure": "units", "market": "M1", "channel": "shop", "min": 1}]
    },
    "a market without demand": {"markets": more("markets", {"market": "M3"})},
    "as_is listed": {"strategies": [{"strategy": "as_is", "description": "today"}]},
    "share lever off": {"strategies": [{"strategy": "a", "share": "no"}]},
}


@pytest.mark.parametrize("changed", CLEAN.values(), ids=CLEAN)
def test_clean(changed):
    assert findings(**changed) == Findings()


BOUNDS = [
    ("products", "service_level", 0.49), ("products", "service_level", 1), ("products", "value", -1),
    ("products", "loss_rate_per_day", 1.1), ("sites", "margin_rate", 1.5), ("sites", "latitude", 91),
    ("sites", "longitude", -181), ("sites", "replacement_cost", -1), ("sites", "process_days", -0.5),
    ("supply", "capacity", -1), ("channels", "on_time_share", 1.01), ("channels", "return_rate", 2),
    ("channels", "min_fill", -0.1), ("demand", "units", -1), ("lanes", "on_time_rate", 1.2),
    ("lanes", "damage_rate", -0.1), ("lanes", "units_today", -1),
]  # fmt: skip


@pytest.mark.parametrize(("sheet", "column", "value"), BOUNDS)
def test_bounds(sheet, column, value):
    cells = {column: value} | ({"longitude": 0} if column == "latitude" else {})
    cells |= {"latitude": 0} if column == "longitude" else {}
    errors = findings(**{sheet: edited(sheet, 0, **cells)}).errors
    assert [(one.sheet, one.row, one.column) for one in errors if one.value] == [(sheet, 2, column)]


def test_unmet_supply_is_a_warning_where_demand_may_stay_unmet():
    found = findings(
        products=more("products", {"product": "x"}),
        channels=[
            *sheets()["channels"],
            {"channel": "spare", "min_fill": 0, "unmet_cost": 1, "response_days": 1},
        ],
        demand=more("demand", {"market": "M1", "channel": "spare", "product": "x", "units": 1}),
    )
    assert [(one.level, one.where) for one in found] == [("warning", "products!A3")]


def test_a_site_that_stocks_only_other_products_meets_no_channel():
    own = [{"site": site, "product": "tea", "stock": "no"} for site in ("north", "hub")]
    assert not case(channels=edited("channels", 0, response_days=None), site_products=own).warnings
