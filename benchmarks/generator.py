"""Redesign cases of any size, drawn from a seed.

    python benchmarks/generator.py CASE.xlsx [--markets 80] [--products 3] [--seed 1] [--with capacities …]

A brand sells through distributors and wholesalers to a store in every market, online from its own warehouses,
and by pickup in the store. It may remove intermediaries, ship directly, open regional warehouses, hand them
to two operators, and open front warehouses from which online orders and pickups share one stock.
"""

from __future__ import annotations

import argparse
import datetime
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.spatial import cKDTree

from scopt.case import Case

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Frames = dict[str, pd.DataFrame]

SWITCHES = ("capacities", "tariffs", "minimums")
SIDE, ROAD = 1500.0, 1.2  # km of the square in which everything lies; road against the straight line
UNITS, VALUES = 3e6, (50.0, 120.0, 30.0, 200.0, 80.0, 60.0)
CHANNELS = pd.DataFrame(
    {
        "channel": ["offline", "pickup", "online"],
        "response_days": [0, 0, 2],
        "on_time_share": [1.0, 0.9, 0.9],
        "max_late_days": [0, 1, 1],
        "late_cost": [0.0, 2.0, 2.0],
        "pool": ["shop", "shop", "web"],
    }
)
SHARE, VMR = np.array([0.6, 0.1, 0.3]), np.array([400.0, 400.0, 900.0])  # a product is a family of variants


@dataclass(frozen=True)
class Tier:
    """What the sites of a tier have in common; `count` of them, at random places or `at` the markets."""

    name: str
    count: int
    status: str
    fixed: float
    unit: float
    margin: float = 0.0
    days: int = 1
    stock: str = "optional"
    o2o: float = np.nan
    operator: str = ""
    place: str = ""
    share: float = np.nan  # of all units, what the sites of the tier can carry together


def tiers(markets: int) -> list[Tier]:
    """Sites in number and cost by the number of markets."""
    few, half = max(4, markets // 12), (markets + 1) // 2
    return [
        Tier("plant", 2, "keep", 0, 0, days=0, stock="no"),
        Tier("dc", 3, "existing", 300e3, 1.0, stock="existing", o2o=20e3, share=1.8),
        Tier("agent", max(2, markets // 16), "existing", 5e3, 0.0, 0.005, 0, "no"),
        Tier("distributor", max(4, markets // 8), "existing", 60e3, 0.8, 0.05, stock="existing", share=1.5),
        Tier("wholesaler", max(6, markets // 3), "existing", 15e3, 0.5, 0.06, stock="existing", share=1.6),
        Tier("rdc", few, "candidate", 150e3, 0.9, o2o=10e3, share=1.4),
        Tier("hub", few, "candidate", 10e3, 2.2, o2o=5e3, operator="Harbour", share=0.8),
        Tier("store", markets, "keep", 0, 1.0, days=0, stock="must", o2o=2e3, place="market"),
        Tier("front", half, "candidate", 30e3, 0.7, days=0, o2o=3e3, place="market", share=0.6),
        Tier("pod", half // 2, "candidate", 4e3, 1.6, days=0, operator="Citybox", place="market", share=0.3),
    ]


SLOT = {"store": 1000.0, "front": 1500.0, "pod": 500.0}  # cost of a stocked product a year; 2000 elsewhere

LANES = (  # origin, destination, how many nearest origins of each, cost per km, existing today
    ("plant", "dc", 2, 0.002, True), ("plant", "rdc", 2, 0.002, False), ("plant", "hub", 2, 0.002, False),
    ("dc", "agent", 2, 0.003, True), ("agent", "distributor", 1, 0.003, True),
    ("dc", "distributor", 3, 0.003, False), ("distributor", "wholesaler", 3, 0.004, True),
    ("wholesaler", "store", 3, 0.005, True), ("distributor", "store", 2, 0.005, False),
    ("dc", "store", 3, 0.005, False), ("rdc", "store", 3, 0.005, False), ("hub", "store", 3, 0.005, False),
    *((a, b, 2, 0.005, False) for a in ("dc", "rdc", "hub") for b in ("front", "pod")),
)  # fmt: skip

PARCELS = (("dc", 2, True), ("rdc", 3, False), ("hub", 3, False), ("front", 2, False), ("pod", 1, False))


def frames(
    markets: int, products: int, seed: int = 1, *, capacities: bool = False, tariffs: bool = False,
    minimums: bool = False,
) -> Frames:  # fmt: skip
    """Sheets of a case.

    Parameters
    ----------
    markets, products, seed
        Size, and what everything is drawn from; the switches change none of what is drawn.
    capacities
        Sites, sources and contracts carry a limited volume.
    tariffs
        Operators and regional warehouses cost by tiers that get cheaper with volume.
    minimums
        Candidates need a least volume, and a contract a least bill.
    """
    rng = np.random.default_rng(seed)
    where = rng.uniform(0, SIDE, (markets, 2))
    kinds = tiers(markets)
    spot = [
        where[_among(markets, kind.count)] + rng.normal(0, 6, (kind.count, 2))
        if kind.place
        else rng.uniform(0, SIDE, (kind.count, 2))
        for kind in kinds
    ]
    demand = _demand(rng, markets, products)
    sites = _sites(kinds, products, capacities=capacities, minimums=minimums)
    out = {
        "settings": pd.DataFrame({"key": ["mip_gap"], "value": [0.01]}),
        "products": _products(products),
        "sites": sites,
        "supply": _supply(products, capacities=capacities),
        "markets": pd.DataFrame({"market": _names("M", markets)}),
        "channels": CHANNELS,
        "demand": demand,
        "lanes": _lanes(dict(zip((k.name for k in kinds), spot, strict=True)), where),
        "operators": _operators(capacities=capacities, minimums=minimums),
    }
    if tariffs:
        out["rates"] = _rates(sites)
    return out


def case(markets: int, products: int, seed: int = 1, **switches: bool) -> Case:
    """Return the case of `frames`, validated."""
    name = " ".join([f"{markets}x{products}", *(k for k, on in switches.items() if on)])
    return Case.from_frames(frames(markets, products, seed, **switches), f"{name} seed {seed}")


def _names(word: str, count: int) -> NDArray[Any]:
    return np.array([f"{word}{n}" for n in range(count)], dtype=object)


def _among(markets: int, count: int) -> Ints:
    """Markets, spread evenly, at which `count` sites lie."""
    return np.linspace(0, markets, count, endpoint=False).astype(np.int64)


def _products(products: int) -> pd.DataFrame:
    value = np.resize(VALUES, products)
    return pd.DataFrame({"product": _names("A", products), "value": value, "price": 1.5 * value})


def _supply(products: int, *, capacities: bool) -> pd.DataFrame:
    site, product = np.repeat(_names("plant", 2), products), np.tile(_names("A", products), 2)
    most = 0.7 * UNITS / products if capacities else np.nan
    return pd.DataFrame({"site": site, "product": product, "unit_cost": 1.0, "capacity": most})


def _demand(rng: np.random.Generator, markets: int, products: int) -> pd.DataFrame:
    """Yearly units: heavy-tailed markets, channels by their share, local taste."""
    weight = rng.pareto(1.5, markets) + 0.3
    units = weight[:, None, None] * SHARE[:, None] * np.exp(rng.normal(0, 0.5, (markets, 3, products)))
    units *= UNITS / units.sum()
    k, c, p = (part.ravel() for part in np.indices(units.shape))
    return pd.DataFrame(
        {
            "market": _names("M", markets)[k],
            "channel": CHANNELS["channel"].to_numpy(object)[c],
            "product": _names("A", products)[p],
            "units": units.ravel(),
            "vmr": VMR[c],
        }
    )


def _sites(kinds: list[Tier], products: int, *, capacities: bool, minimums: bool) -> pd.DataFrame:
    parts = []
    for kind in kinds:
        volume = UNITS * kind.share / max(kind.count, 1)
        candidate = kind.status == "candidate"
        slot = SLOT.get(kind.name, 2000.0) * 3 / products if kind.stock != "no" else 0.0
        row = {
            "tier": kind.name, "status": kind.status, "operator": kind.operator, "fixed_cost": kind.fixed,
            "unit_cost": kind.unit, "margin_rate": kind.margin, "process_days": kind.days,
            "stock": kind.stock, "stock_cost": slot, "o2o_cost": kind.o2o,
            "capacity": volume if capacities else np.nan,
            "min_units": 0.1 * volume if minimums and candidate else 0.0,
        }  # fmt: skip
        parts.append(pd.DataFrame({"site": _names(kind.name, kind.count)} | row))
    return pd.concat(parts, ignore_index=True)


def _operators(*, capacities: bool, minimums: bool) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "operator": ["Harbour", "Citybox"],
            "contract_cost": [20e3, 10e3],
            "min_units": [0.02 * UNITS, 0.005 * UNITS] if minimums else 0.0,
            "min_bill": [100e3, 30e3] if minimums else 0.0,
            "capacity": [0.6 * UNITS, 0.2 * UNITS] if capacities else np.nan,
        }
    )


def _rates(sites: pd.DataFrame) -> pd.DataFrame:
    """Price lists of the two operators, and of every regional warehouse in place of its own costs."""
    rdc = sites.loc[sites["tier"] == "rdc", "site"].to_numpy(object)
    steps = np.array([0.0, 0.02, 0.06]) * UNITS
    lists = [
        pd.DataFrame(
            {"subject": name, "from_units": steps, "fixed_cost": [fee, 0.0, 0.0], "unit_cost": price}
        )
        for name, fee, price in (("Harbour", 20e3, (0.6, 0.3, 0.1)), ("Citybox", 10e3, (0.5, 0.4, 0.2)))
    ]
    own = pd.DataFrame({"subject": np.repeat(rdc, 3), "from_units": np.tile(steps, len(rdc))})
    own["fixed_cost"], own["unit_cost"] = np.tile([150e3, 0, 0], len(rdc)), np.tile([1.1, 0.8, 0.6], len(rdc))
    return pd.concat([*lists, own], ignore_index=True)


def _nearest(origins: Floats, ends: Floats, count: int) -> tuple[Ints, Ints, Floats]:
    """Numbers of the nearest origins of every end, the ends, and the road between them in km."""
    count = min(count, len(origins))
    far, who = cKDTree(origins).query(ends, k=[*range(1, count + 1)])
    return who.ravel().astype(np.int64), np.repeat(np.arange(len(ends)), count), ROAD * far.ravel()


def _lanes(spots: dict[str, Floats], where: Floats) -> pd.DataFrame:
    """Lanes between sites, to the store's own market in all channels, and parcels to customers."""
    markets = _names("M", len(where))
    parts = []
    for origin, end, count, per_km, today in LANES:
        o, d, km = _nearest(spots[origin], spots[end], count)
        names = _names(origin, len(spots[origin]))[o], _names(end, len(spots[end]))[d]
        cost, days = 0.2 + per_km * km, np.maximum(1, np.ceil(km / 400))
        parts.append(_part(*names, "", cost, days, today=today))
    stores = _names("store", len(where))
    for channel, cost, days in (("offline", 0.0, 0), ("pickup", 0.1, 0), ("online", 4.0, 1)):
        parts.append(_part(stores, markets, channel, cost, days, today=True))
    for origin, count, today in PARCELS:
        o, k, km = _nearest(spots[origin], where, count)
        names = _names(origin, len(spots[origin]))[o], markets[k]
        close = origin in ("front", "pod")
        cost = 2.0 + 0.01 * km if close else 3.0 + 0.006 * km
        days = np.where(km < 60, 0, 1) if close else np.maximum(1, np.ceil(km / 500))
        parts.append(_part(*names, "online", cost, days, today=today))
        if close:
            parts.append(_part(*names, "pickup", 1.0 + 0.01 * km, days, today=False))
    return pd.concat(parts, ignore_index=True)


def _part(origin: Any, destination: Any, channel: str, cost: Any, days: Any, *, today: bool) -> pd.DataFrame:
    status = "existing" if today else "candidate"
    return pd.DataFrame(
        {
            "origin": origin, "destination": destination, "channel": channel, "status": status,
            "unit_cost": cost, "lead_days": days,
        }
    )  # fmt: skip


def write(path: str | Path, sheets: Frames) -> None:
    """Write sheets as a workbook, row by row so that large ones fit in memory; the same bytes each time."""
    import xlsxwriter

    book = xlsxwriter.Workbook(str(path), {"constant_memory": True, "strings_to_urls": False})
    book.set_properties({"created": datetime.datetime(2024, 1, 1)})
    for name, frame in sheets.items():
        page = book.add_worksheet(name)
        page.write_row(0, 0, list(frame.columns))
        columns = [frame[c].astype(object).where(frame[c].notna(), None).tolist() for c in frame.columns]
        for number, row in enumerate(zip(*columns, strict=True), start=1):
            page.write_row(number, 0, row)
    book.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("path")
    parser.add_argument("--markets", type=int, default=80)
    parser.add_argument("--products", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--with", nargs="*", default=[], choices=SWITCHES, dest="switches")
    asked = parser.parse_args()
    switches = dict.fromkeys(asked.switches, True)
    write(asked.path, frames(asked.markets, asked.products, asked.seed, **switches))


if __name__ == "__main__":
    main()
