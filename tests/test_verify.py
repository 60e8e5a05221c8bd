"""A design worked by hand passes every check; each fault put into it is caught by the check meant for it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
from hand_design import ALL_OFF, Design, as_is, case, frame, frames, integrated

from scopt.case import Strategy
from scopt.schema import BUCKETS
from scopt.verify import verify
from scopt.verify_bills import Tariff

if TYPE_CHECKING:
    from collections.abc import Callable

Fault = "Callable[[Design], Design]"


def checks(design: Design) -> pd.DataFrame:
    return verify(design.case, design.strategy, design.tables, design.costs).set_index("check")


def failed(design: Design) -> list[str]:
    table = checks(design)
    return table.index[~table["ok"]].tolist()


# -- faults: each changes one thing of a design -----------------------------------------------------------


def row(table: pd.DataFrame, **at: Any) -> pd.Series:
    """Mask of the rows whose cells are as given."""
    return pd.concat([table[column] == value for column, value in at.items()], axis=1).all(axis=1)


def cells(name: str, at: dict[str, Any], **changed: Any) -> Fault:
    """Change cells of one result table."""

    def change(design: Design) -> Design:
        table = design.tables[name].copy()
        mask = row(table, **at)
        assert mask.any(), f"no row of {name} is {at}"
        for column, value in changed.items():
            table[column] = table[column].mask(mask, value)
        return replace(design, tables=design.tables | {name: table})

    return change


def more(name: str, *rows: dict[str, Any]) -> Fault:
    """Add rows to one result table, filled up from its first row."""

    def change(design: Design) -> Design:
        table = design.tables[name]
        added = pd.DataFrame([dict(table.iloc[0]) | new for new in rows])
        return replace(design, tables=design.tables | {name: pd.concat([table, added], ignore_index=True)})

    return change


def sheet(name: str, at: dict[str, Any], **changed: Any) -> Fault:
    """Change the case behind the design."""

    def change(design: Design) -> Design:
        table = frames()[name]
        mask = row(table, **at)
        assert mask.any(), f"no row of {name} is {at}"
        for column, value in changed.items():
            table[column] = table[column].mask(mask, value)
        return replace(design, case=case(**{name: table}))

    return change


def bucket(name: str, amount: float) -> Fault:
    return lambda design: replace(design, costs=design.costs | {name: design.costs.get(name, 0.0) + amount})


def lever(**off: bool) -> Fault:
    return lambda design: replace(design, strategy=Strategy(name="some", **off))


def both(*faults: Fault) -> Fault:
    def change(design: Design) -> Design:
        for fault in faults:
            design = fault(design)
        return design

    return change


WEB = {"channel": "online"}
FAULTS = {
    # flows and days
    "flow changed": ("flow balance", cells("flows", {"lane": 1}, units=190)),
    "flow out of stock without stock": ("flow balance", cells("flows", {"lane": 2}, from_stock=False)),
    "stock route's days in": ("flow balance", cells("stock_routes", {"site": "S"}, days_in=2)),
    "process days forgotten": ("flow balance", cells("stock_routes", {"site": "X"}, days_in=5)),
    "days on arrival": ("days on arrival", cells("flows", {"lane": 0}, days=4.5)),
    "days of a timeless good": ("days on arrival", cells("flows", {"lane": 5}, days=10)),
    "days of supply": ("days of supply", cells("supply", WEB, days=2.5)),
    "lane's on-time rate forgotten": ("on-time rates", cells("flows", {"lane": 2}, on_time_rate=1)),
    "rate lost on the way": ("on-time rates", cells("flows", {"lane": 0} | WEB, on_time_rate=0.9)),
    "unknown product": ("ids known, nothing negative", cells("flows", {"lane": 4}, product="P9")),
    "negative flow": ("ids known, nothing negative", cells("flows", {"lane": 4}, units=-200)),
    "lane of other ends": ("flows run on their lanes", cells("flows", {"lane": 2}, lane=9)),
    "lane of another good": ("flows run on their lanes", cells("flows", {"lane": 6}, channel="online")),
    "no such lane": ("flows run on their lanes", cells("flows", {"lane": 2}, lane=99)),
    # sites
    "existing site at a place with another": (
        "one open site per place",
        cells("sites", {"site": "W"}, after="open"),
    ),
    "closed site opened": ("sites: status", more("sites", {"site": "Z", "before": "closed"})),
    "kept site closed": ("sites: status", cells("sites", {"site": "F"}, after="closed")),
    "must go, stays": ("sites: status", sheet("sites", {"site": "S"}, status="close")),
    "must open, is not": ("sites: status", sheet("sites", {"site": "C"}, status="open")),
    "own site opened without add": (
        "sites: levers remove, add, outsource",
        both(cells("sites", {"site": "C"}, after="open"), lever(add=False)),
    ),
    "operator's site opened without outsource": (
        "sites: levers remove, add, outsource",
        lever(outsource=False),
    ),
    "site removed without remove": (
        "sites: levers remove, add, outsource",
        both(sheet("sites", {"site": "W"}, place=""), lever(remove=False)),
    ),
    "before misreported": ("sites: before and after", cells("sites", {"site": "W"}, before="closed")),
    "site listed twice": ("sites: before and after", more("sites", {})),
    "joined before misreported": (
        "sites: before and after",
        cells("sites", {"site": "X"}, joined_before=True),
    ),
    "units of a site": ("sites: units, volume, utilisation", cells("sites", {"site": "X"}, units=579)),
    "size forgotten": ("sites: units, volume, utilisation", cells("sites", {"site": "X"}, volume=580)),
    "utilisation": ("sites: units, volume, utilisation", cells("sites", {"site": "S"}, utilisation=0.5)),
    "joined where it cannot be": ("sites: joined pools", cells("sites", {"site": "S"}, joined=True)),
    "joined without o2o": ("sites: joined pools", lever(o2o=False)),
    "flow through a closed site": (
        "nothing through closed sites",
        cells("sites", {"site": "X"}, after="closed"),
    ),
    "made where there is no source": ("made only at sources", cells("supply", WEB, site="S")),
    # lanes
    "closed lane used": ("lanes: status", cells("flows", {"lane": 6}, lane=12, mode="air")),
    "new own lane without direct": ("lanes: levers direct, outsource", lever(direct=False)),
    "operator's lane without outsource": ("lanes: levers direct, outsource", lever(outsource=False)),
    # volumes
    "source beyond capacity": ("capacity of sources", sheet("supply", {"product": "P1"}, capacity=579)),
    "site beyond capacity": ("capacity of sites", sheet("sites", {"site": "S"}, capacity=399)),
    "product beyond capacity": (
        "capacity of sites",
        sheet("site_products", {"site": "S", "product": "P1"}, capacity=199),
    ),
    "lane beyond capacity": (
        "capacity of lanes",
        sheet("lanes", {"origin": "X", "destination": "M2"}, capacity=559),
    ),
    "operator beyond capacity": (
        "capacity of operators",
        sheet("operators", {"operator": "3PL"}, capacity=1159),
    ),
    "site below minimum": ("min_units", sheet("sites", {"site": "X"}, min_units=1161)),
    "lane below minimum": ("min_units", sheet("lanes", {"origin": "X", "destination": "M2"}, min_units=561)),
    "operator below minimum": ("min_units", sheet("operators", {"operator": "3PL"}, min_units=1161)),
    "tariff below its lowest tier": (
        "lowest from_units of rates",
        sheet("rates", {"subject": "F>X", "from_units": 1000}, subject="X>S"),
    ),
    # stock
    "stock where there is none": (
        "stock only where the site may stock",
        more("stock_routes", {"site": "F", "days_in": 3, "days_out": 0, "coverage": 7, "units": 1}),
    ),
    "stock point added without restock": ("stock points move only with restock", lever(restock=False)),
    "compulsory stock passed": (
        "compulsory stock is not passed",
        cells("flows", {"lane": 4}, from_stock=False),
    ),
    "joined flag flipped": ("pool of each stock route", cells("sites", {"site": "X"}, joined=False)),
    "coverage of a route": ("coverage of stock routes", cells("stock_routes", {"site": "S"}, coverage=2)),
    "quote beyond the days in": (
        "quotes within 0 and days in",
        cells("stock_routes", {"site": "S"}, days_out=1.5),
    ),
    "quote that no promise grants": (
        "quotes granted by a promise",
        cells("stock_routes", {"site": "X", "days_out": 1}, days_out=1.5),
    ),
    "stocked units": ("stock: units and coverage", cells("stock", {"site": "X"}, units=600)),
    "coverage of a stock": ("stock: units and coverage", cells("stock", {"site": "S"}, coverage_days=4)),
    "stock left out": ("stock: units and coverage", cells("stock", {"site": "S"}, site="W")),
    "variance": ("stock: variance", cells("stock", {"site": "S"}, variance=23)),
    "safety stock halved": ("stock: safety and cycle", cells("stock", {"site": "S"}, safety=4.03)),
    "cycle stock halved": ("stock: safety and cycle", cells("stock", {"site": "X"}, cycle=5.8)),
    "stock days": ("stock: stock days and value", cells("stock", {"site": "X"}, stock_days=7)),
    "stock value": ("stock: stock days and value", cells("stock", {"site": "X"}, value=430)),
    "service level ignored": ("stock: safety and cycle", sheet("channels", WEB, service_level=0.98)),
    "variance ratio ignored": ("stock: variance", sheet("demand", {"market": "M2", **WEB}, cv=1.1)),
    "too many stock days": ("max_stock_days", sheet("products", {"product": "P1"}, max_stock_days=9)),
    "too many stock days at a site": ("max_site_days", sheet("products", {"product": "P1"}, max_site_days=7)),
    # service
    "demand misreported": (
        "demand = on time + late + unmet",
        cells("service", {"market": "M2", **WEB}, demand=280, unmet=0),
    ),
    "sum of service": ("demand = on time + late + unmet", cells("service", {"market": "M2", **WEB}, late=60)),
    "late called on time": (
        "service: on time, late, unmet",
        cells("service", {"market": "M2", **WEB}, on_time=280, late=0),
    ),
    "response days": ("service: response days", cells("service", {"market": "M2", **WEB}, response_days=3)),
    "served without demand": ("nothing served without demand", cells("flows", {"lane": 4}, channel="bulk")),
    "later than tolerated": ("latest response", cells("flows", {"lane": 3, "days": 5}, days_out=4, days=6)),
    # 90 + 160 of 380 are in time over the region, 160 of 280 in M2 alone.
    "too few on time": ("on-time share", sheet("channels", WEB, on_time_share=0.66)),
    "too few on time in one market": ("on-time share", sheet("channels", WEB, share_scope="market")),
    "too little served": ("min_fill", sheet("channels", WEB, min_fill=0.94)),
    "unmet without a price": ("unmet only where priced", cells("flows", {"lane": 4}, units=199)),
    "two sources": (
        "single_source",
        both(
            cells("flows", {"lane": 5}, units=400),
            more("flows", BULK := {"origin": "X", "destination": "M1"}),
        ),
    ),
    # operators
    "tariff billed at one price": (
        "outsourcing: bill and top up",
        cells("outsourcing", {"operator": "3PL"}, bill=60 + 1160 + 220 + 100),
    ),
    "no top up": ("outsourcing: bill and top up", cells("outsourcing", {"operator": "3PL"}, top_up=0)),
    "operator's units": (
        "outsourcing: units and volume",
        cells("outsourcing", {"operator": "3PL"}, units=780),
    ),
    # limits
    "limit exceeded": ("limits: min and max", sheet("limits", {"limit": "changes"}, max=4)),
    "limit not reached": ("limits: min and max", sheet("limits", {"limit": "3PL volume"}, min=581)),
    "limit misreported": ("limits: value", cells("limits", {"limit": "carbon"}, value=118)),
    "limit left out": ("limits: value", cells("limits", {"limit": "carbon"}, limit="soot")),
    # money that the tables and the case do not bear out
    "tariff mis-billed": ("cost: transport", sheet("rates", {"subject": "F>X"}, behavior="incremental")),
    "lane's price": ("cost: transport", sheet("lanes", {"origin": "X", "destination": "M2"}, unit_cost=6)),
    "slot paid twice": ("cost: stock_slots", bucket("stock_slots", 15)),
    "unknown bucket": ("cost: total", bucket("misc", 5)),
    "cost column": ("cost columns", cells("supply", WEB, cost=1139)),
}
FAULTS["two sources"] = (
    "single_source",
    both(
        cells("flows", {"lane": 5}, units=400),
        more(
            "flows",
            {**BULK, "lane": 15, "channel": "bulk", "product": "P2", "units": 100, "days": 0, "days_out": 0},
        ),
    ),
)
FAULTS |= {f"bucket {name} shifted": (f"cost: {name}", bucket(name, 1.0)) for name in BUCKETS}

TODAY = {
    "candidate opened": ("sites: status", cells("sites", {"site": "X"}, after="open")),
    "existing site closed": ("sites: status", cells("sites", {"site": "W"}, after="closed")),
    "candidate lane used": ("lanes: status", cells("flows", {"lane": 11}, lane=6, mode="truck")),
    "other shares than today's": ("shares of units_today", cells("flows", {"lane": 9}, units=100)),
    "today's stock passed": ("compulsory stock is not passed", cells("flows", {"lane": 9}, from_stock=False)),
    "pools joined": ("sites: joined pools", cells("sites", {"site": "W"}, joined=True)),
    "promise broken": ("on-time share", sheet("channels", WEB, on_time_share=0.9)),
    "beyond capacity": ("capacity of sites", sheet("sites", {"site": "S"}, capacity=399)),
}


@pytest.mark.parametrize("design", [integrated, as_is])
def test_a_design_worked_by_hand_passes_every_check(design: Callable[[], Design]) -> None:
    table = checks(design())
    assert table.columns.tolist() == ["model", "recomputed", "difference", "ok", "where"]
    assert table.index.is_unique
    assert failed(design()) == []


@pytest.mark.parametrize(("check", "fault"), FAULTS.values(), ids=FAULTS.keys())
def test_a_fault_is_caught_by_its_check(check: str, fault: Fault) -> None:
    table = checks(fault(integrated()))
    assert not table.loc[check, "ok"]
    assert table.loc[check, "difference"] > 1e-6 or pd.isna(table.loc[check, "difference"])


@pytest.mark.parametrize(("check", "fault"), TODAY.values(), ids=TODAY.keys())
def test_a_fault_of_as_is_is_caught_by_its_check(check: str, fault: Fault) -> None:
    assert check in failed(fault(as_is()))
