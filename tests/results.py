"""A result made by hand: a wholesaler goes, an operator takes over one place, stock moves there."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from scopt.result import Result

NAN = np.nan


def costs() -> pd.DataFrame:
    rows = [("supply", 50_000.0, 50_000.0), ("transport", 20_000.0, 24_000.0), ("sites", 30_000.0, 12_000.0)]
    rows += [("one_off", 0.0, -500.0), ("operators", 0.0, 4_500.0), ("emissions", 0.0, 0.0)]
    table = pd.DataFrame(rows, columns=["bucket", "as_is", "strategy"])
    return table.assign(difference=table["strategy"] - table["as_is"])


def sites() -> pd.DataFrame:
    columns = [
        "site",
        "tier",
        "place",
        "operator",
        "before",
        "after",
        "units",
        "volume",
        "utilisation",
        "cost",
    ]
    rows = [
        ("001", "plant", "001", "", "open", "open", 1000.0, 1000.0, 0.5, 10_000.0),
        ("=W1", "wholesaler", "=W1", "", "open", "closed", 0.0, 0.0, NAN, 0.0),
        ("DC", "warehouse", "dc", "", "open", "closed", 0.0, 0.0, NAN, 500.0),
        ("DC by 3PL", "warehouse", "dc", "3PL", "closed", "open", 1000.0, 2000.0, 0.8, 4_000.0),
        ("上海", "store", "上海", "", "closed", "open", 400.0, 400.0, 0.4, 2_000.0),
    ]
    table = pd.DataFrame(rows, columns=columns)
    return table.assign(joined_before=False, joined=[False, False, False, True, False])


def stock() -> pd.DataFrame:
    columns = ["site", "product", "pool", "units", "coverage_days", "variance", "safety", "cycle"]
    rows = [("DC by 3PL", "shirt", "joined", 1000.0, 9.0, 400.0, 33.0, 10.0)]
    table = pd.DataFrame(rows, columns=columns)
    return table.assign(stock_days=43 / 1000 * 365, value=860.0, cost=172.0)


def flows() -> pd.DataFrame:
    columns = ["origin", "destination", "mode", "operator", "channel", "product", "units", "days_out", "days"]
    rows = [
        ("001", "DC by 3PL", "truck", "", "online", "shirt", 1000.0, 0.0, 2.0),
        ("DC by 3PL", "North", "=parcel", "3PL", "online", "shirt", 950.0, 0.0, 1.0),
    ]
    table = pd.DataFrame(rows, columns=columns)
    return table.assign(
        on_time_rate=[1.0, 0.98], from_stock=[False, True], lane=[0, 1], cost=[5_000.0, 19_000.0]
    )


def service() -> pd.DataFrame:
    columns = ["market", "channel", "product", "demand", "on_time", "late", "unmet", "response_days"]
    rows = [
        ("North", "online", "shirt", 600.0, 540.0, 60.0, 0.0, 1.0),
        ("South", "online", "shirt", 400.0, 350.0, 0.0, 50.0, 3.0),
        ("South", "offline", "shirt", 200.0, 200.0, 0.0, 0.0, NAN),
    ]
    return pd.DataFrame(rows, columns=columns)


def tables() -> dict[str, pd.DataFrame]:
    outsourcing = pd.DataFrame(
        [("3PL", "DC by 3PL", 1, 1000.0, 2000.0, 4_000.0, 4_500.0, 500.0, 4_500.0)],
        columns=["operator", "sites", "lanes", "units", "volume", "bill", "min_bill", "top_up", "cost"],
    )
    limits = pd.DataFrame(
        [("few sites", "sites", 3.0, NAN, 4.0, 1.0)],
        columns=["limit", "measure", "value", "min", "max", "slack"],
    )
    checks = pd.DataFrame(
        [("balance", 0.0, 0.0, 0.0, True), ("=cost transport", 24_000.0, 24_000.0, 0.0, True)],
        columns=["check", "model", "recomputed", "difference", "ok"],
    )
    supply = pd.DataFrame(
        [("001", "shirt", "online", 0.0, 1000.0, 50_000.0)],
        columns=["site", "product", "channel", "days", "units", "cost"],
    )
    routes = pd.DataFrame(
        [("DC by 3PL", "shirt", "online", "joined", 2.0, 0.0, 1.0, 9.0, 1000.0)],
        columns=[
            "site",
            "product",
            "channel",
            "pool",
            "days_in",
            "days_out",
            "on_time_rate",
            "coverage",
            "units",
        ],
    )
    return {
        "costs": costs(),
        "sites": sites(),
        "outsourcing": outsourcing,
        "stock": stock(),
        "flows": flows(),
        "service": service(),
        "limits": limits,
        "checks": checks,
        "supply": supply,
        "stock_routes": routes,
    }


def make_result(**fields: Any) -> Result:
    """Cost 90,000 against 100,000 today; any field can be replaced."""
    values: dict[str, Any] = {
        "strategy": "integrated",
        "status": "optimal",
        "cost": 90_000.0,
        "bound": 89_550.0,
        "gap": 0.005,
        "seconds": 1.25,
        "as_is_cost": 100_000.0,
        "saving": 10_000.0,
        "against": "as_is",
        "currency": "CNY",
        "messages": ("=stock of shirt is not limited",),
        "provenance": {"case": "shirts", "scopt": "0.1.0", "seed": "0"},
        "tables": tables(),
    }
    return Result(**(values | fields))
