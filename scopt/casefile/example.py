"""The small worked example in the blank workbook.

A factory sells through a wholesaler to a city and a county, in stores and online. A warehouse, run by itself
or by a partner, could replace the wholesaler and serve both channels from one stock.
"""

from __future__ import annotations

from typing import Any, Final

__all__ = ["EXAMPLE"]


def _lane(origin: str, destination: str, unit_cost: float, lead_days: float, **more: Any) -> dict[str, Any]:
    ends = {"origin": origin, "destination": destination}
    return {**ends, "unit_cost": unit_cost, "lead_days": lead_days, "status": "candidate", **more}


EXAMPLE: Final[dict[str, list[dict[str, Any]]]] = {
    "settings": [{"key": "name", "value": "worked example"}],
    "products": [{"product": "tea", "value": 40, "price": 100, "weight_kg": 0.5}],
    "sites": [
        {"site": "factory", "tier": "plant", "status": "keep"},
        {
            "site": "wholesaler", "tier": "wholesaler", "status": "existing",
            "fixed_cost": 60_000, "close_cost": 20_000, "unit_cost": 1, "margin_rate": 0.03,
            "stock": "existing", "stock_cost": 1_000,
        },
        {
            "site": "warehouse", "tier": "warehouse", "place": "river road", "status": "candidate",
            "fixed_cost": 90_000, "open_cost": 120_000, "unit_cost": 1.5, "stock": "optional",
            "stock_cost": 1_000, "o2o": "optional", "o2o_cost": 5_000,
        },
        {
            "site": "partner", "tier": "warehouse", "place": "river road", "operator": "partner logistics",
            "status": "candidate", "unit_cost": 3.5, "stock": "optional", "o2o": "optional",
        },
    ],
    "supply": [{"site": "factory", "product": "tea", "unit_cost": 40, "lead_days": 2}],
    "markets": [{"market": "city"}, {"market": "county"}],
    "channels": [
        {"channel": "store", "response_days": 2, "on_time_share": 0.95, "late_cost": 2},
        {
            "channel": "online", "response_days": 3, "on_time_share": 0.9, "late_cost": 1,
            "return_rate": 0.1, "return_cost": 4,
        },
    ],
    "demand": [
        {"market": "city", "channel": "store", "product": "tea", "units": 30_000, "vmr": 4},
        {"market": "city", "channel": "online", "product": "tea", "units": 20_000, "vmr": 2},
        {"market": "county", "channel": "store", "product": "tea", "units": 10_000, "vmr": 4},
        {"market": "county", "channel": "online", "product": "tea", "units": 5_000, "vmr": 2},
    ],
    "lanes": [
        _lane("factory", "wholesaler", 1.0, 2, status="existing"),
        _lane("wholesaler", "city", 1.2, 1, status="existing"),
        _lane("wholesaler", "county", 1.8, 2, status="existing"),
        _lane("factory", "warehouse", 0.9, 2),
        _lane("warehouse", "city", 0.8, 1),
        _lane("warehouse", "county", 1.6, 2),
        _lane("factory", "partner", 0.9, 2),
        _lane("partner", "city", 0.8, 1),
        _lane("partner", "county", 1.6, 2),
    ],
    "operators": [{"operator": "partner logistics", "contract_cost": 10_000, "min_bill": 50_000}],
    "limits": [{"limit": "budget", "measure": "one_off", "max": 200_000}],
    "strategies": [
        {"strategy": "own", "description": "no outside operators", "outsource": "no"},
        {"strategy": "dear fuel", "description": "transport a fifth dearer"},
    ],
    "changes": [
        {
            "strategy": "dear fuel", "sheet": "lanes", "column": "unit_cost",
            "operation": "multiply", "value": 1.2,
        },
    ],
}  # fmt: skip
