"""Make the three example cases: small.xlsx, apparel.xlsx and fresh.xlsx.

    python cases/make_cases.py [FOLDER]

The given numbers of each case are typed in small.md, apparel.md and fresh.md beside this script, one table a
sheet. The script adds coordinates and populations from cities.csv (real; GeoNames, CC BY 4.0) and draws
demand and local cost differences from one seed, so it always writes the same cells. Companies, costs and
demand are invented. docs/cases.md tells the stories, docs/case-file.md explains every column.
"""

import csv
import datetime
import math
import random
import sys
from pathlib import Path
from typing import Any

import xlsxwriter

Row = dict[str, Any]
Sheets = dict[str, list[Row]]

HERE = Path(__file__).resolve().parent
SEED = 20
EARTH_RADIUS_KM = 6371.0
SHEETS = (
    *("settings", "products", "sites", "site_products", "supply", "markets", "channels", "demand"),
    *("lanes", "lane_rules", "operators", "rates", "limits", "strategies", "changes", "actuals"),
)


# ------------------------------------------------------------------------------------- reading the given
def read_tables(name: str) -> Sheets:
    """Return the tables of ``<name>.md`` by heading; an empty field is a blank cell, numbers are numbers."""
    sheets: Sheets = {}
    for section in (HERE / f"{name}.md").read_text(encoding="utf-8").split("\n## ")[1:]:
        title, *lines = section.splitlines()
        fields = [[f.strip() for f in line[1:-1].split("|")] for line in lines if line.startswith("| ")]
        sheets[title.strip()] = [
            {k: _number(v) for k, v in zip(fields[0], row, strict=True) if v} for row in fields[1:]
        ]
    return sheets


def _number(text: str) -> str | float:
    try:
        return float(text) if "." in text else int(text)
    except ValueError:
        return text


def read_cities() -> dict[str, Row]:
    """Return cities.csv as name -> row, the most populous first."""
    with (HERE / "cities.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    numbers = {"latitude": float, "longitude": float, "population": int}
    cities = [{k: numbers.get(k, str)(v) for k, v in row.items()} for row in rows]
    return {row["city"]: row for row in sorted(cities, key=lambda row: -row["population"])}


CITIES = read_cities()


def at(city: str, north: float = 0.0, east: float = 0.0) -> Row:
    """Coordinates of a city, moved by some degrees (a warehouse rarely stands on the town square)."""
    row = CITIES[city]
    return {"latitude": round(row["latitude"] + north, 4), "longitude": round(row["longitude"] + east, 4)}


def km(a: str, b: str) -> float:
    """Great-circle distance between two cities in km."""
    la, oa = math.radians(CITIES[a]["latitude"]), math.radians(CITIES[a]["longitude"])
    lb, ob = math.radians(CITIES[b]["latitude"]), math.radians(CITIES[b]["longitude"])
    h = math.sin((lb - la) / 2) ** 2 + math.cos(la) * math.cos(lb) * math.sin((ob - oa) / 2) ** 2
    return 2 * EARTH_RADIUS_KM * math.asin(math.sqrt(h))


# -------------------------------------------------------------------------------------- expanding it
def draw(rng: random.Random, cell: Any) -> Any:
    """Draw a cell like ``200000 ± 25%`` uniformly, to three significant digits; leave any other as it is."""
    if not (isinstance(cell, str) and "±" in cell):
        return cell
    middle, spread = (float(part.strip(" %")) for part in cell.split("±"))
    value = middle * rng.uniform(1 - spread / 100, 1 + spread / 100)
    return float(f"{value:.3g}")


def make_sites(rng: random.Random, kinds: list[Row], largest: list[str]) -> list[Row]:
    """Make one site per kind and city; ``1 to 30`` stands for the thirty largest cities."""
    sites = []
    for kind in kinds:
        first, _, last = kind["cities"].partition(" to ")
        cities = largest[int(first) - 1 : int(last)] if last else kind["cities"].split(", ")
        columns = {k: v for k, v in kind.items() if k not in ("kind", "cities", "north", "east")}
        for city in cities:
            site = {"site": f"{kind['kind']} {city}", **at(city, kind.get("north", 0), kind.get("east", 0))}
            site |= {k: draw(rng, v) for k, v in columns.items()}
            if site.get("place") == "front":  # the own and the operated front of a city share a building
                site["place"] = f"front {city}"
            sites.append(site)
    return sites


def make_lane_rules(tables: Sheets) -> list[Row]:
    """Join the rules with the price list that their last column names."""
    prices = {row["price"]: row for row in tables.pop("prices")}
    return [
        {k: v for k, v in (rule | prices[rule["price"]]).items() if k != "price"}
        for rule in tables["lane_rules"]
    ]


# ----------------------------------------------------------------------------------------------- small
def small() -> Sheets:
    """Return eight sites and four markets, with numbers that can be worked by hand."""
    tables = read_tables("small")
    for row in (*tables["sites"], *tables["markets"]):
        row |= at(row.pop("city"))
    return tables


# --------------------------------------------------------------------------------------------- apparel
APPAREL_UNITS = 6_000_000
FLAGSHIPS = 30  # largest cities, whose stores may send parcels
FAMILY_SHARE = {  # outerwear, knitwear, basics in a region's demand: the colder, the more outerwear
    "northeast": (0.34, 0.36, 0.30), "north": (0.30, 0.36, 0.34), "northwest": (0.30, 0.36, 0.34),
    "central": (0.22, 0.38, 0.40), "east": (0.22, 0.38, 0.40), "southwest": (0.20, 0.38, 0.42),
    "south": (0.10, 0.34, 0.56),
}  # fmt: skip
ONLINE_SHARE = {"east": 0.38, "south": 0.38, "north": 0.34}  # 0.30 elsewhere; pickup takes 0.10 everywhere
# A family is sold in many sizes and colours. K like variants need sqrt(K) times the safety stock of one
# product of the family's volume, which a variance-to-mean ratio of K times the variant's expresses.
FAMILY_VMR = {"offline": (150, 100, 60), "pickup": (150, 100, 60), "online": (210, 140, 90)}


def apparel_demand(rng: random.Random, cities: list[str], families: list[str]) -> list[Row]:
    """Yearly units of every city, channel and family, by population with local taste."""
    weight = {c: CITIES[c]["population"] ** 0.9 * math.exp(rng.uniform(-0.25, 0.25)) for c in cities}
    total = sum(weight.values())
    rows = []
    for city in cities:
        region = CITIES[city]["region"]
        online = ONLINE_SHARE.get(region, 0.30)
        for channel, share in (("offline", 0.9 - online), ("pickup", 0.10), ("online", online)):
            for p, family in enumerate(families):
                units = APPAREL_UNITS * weight[city] / total * share * FAMILY_SHARE[region][p]
                key = {"market": city, "channel": channel, "product": family}
                rows.append({**key, "units": max(10, round(units / 10) * 10), "vmr": FAMILY_VMR[channel][p]})
    return rows


def bought_online(demand: list[Row], products: list[Row]) -> dict[str, float]:
    """Yearly volume (units x size) that each city orders online."""
    size = {p["product"]: p["size"] for p in products}
    total = dict.fromkeys((row["market"] for row in demand), 0.0)
    for row in demand:
        total[row["market"]] += row["units"] * size[row["product"]] * (row["channel"] == "online")
    return total


def parcel_from_store(city: str, price: Row) -> Row:
    """Return the lane on which a flagship store sends parcels within its own city."""
    return {
        "origin": f"store {city}",
        "destination": city,
        "channel": "online",
        "mode": "parcel",
        "status": "candidate",
        "unit_cost": price["cost_base"],
        "lead_days": price["min_days"],
        "on_time_rate": price["on_time_rate"],
    }


def agent_lane(origin: str, destination: str, pallet: Row) -> Row:
    """Return the lane of an agent who never touches the goods and earns half a percent of price."""
    road, tonnes = 1.25 * km(origin, destination), 0.75e-3  # the case's circuity, a unit's average weight
    cost = pallet["cost_base"] + road * (pallet["cost_per_km"] + pallet["cost_per_tonne_km"] * tonnes)
    return {
        "origin": f"brand {origin}",
        "destination": f"distributor {destination}",
        "mode": "truck",
        "status": "existing",
        "unit_cost": round(cost, 2),
        "lead_days": math.ceil(road / pallet["km_per_day"]),
        "distance_km": round(road),
        "co2_per_unit": round(road * pallet["co2_per_tonne_km"] * tonnes, 3),
        "margin_rate": 0.005,
    }


def apparel() -> Sheets:
    """Return a national apparel brand that sells through distributors and wholesalers, and online."""
    rng = random.Random(SEED)
    tables = read_tables("apparel")
    products = tables["products"]
    cities = [c for c, row in CITIES.items() if row["region"]]
    demand = apparel_demand(rng, cities, [p["product"] for p in products])
    sites = make_sites(rng, tables.pop("kinds"), cities)
    prices = {row["price"]: row for row in tables["prices"]}
    online = bought_online(demand, products)
    for site in sites:
        if site.get("place", "").startswith("front"):  # half as much again as the city buys online
            site["capacity"] = math.ceil(1.5 * online[site["place"].removeprefix("front ")] / 1000) * 1000
    return tables | {
        "sites": sites,
        "markets": [{"market": c, **at(c), "region": CITIES[c]["region"]} for c in cities],
        "demand": demand,
        "lanes": [
            *(agent_lane("Beijing", city, prices["pallet"]) for city in ("Harbin", "Xi'an")),
            *(parcel_from_store(city, prices["from store"]) for city in cities[:FLAGSHIPS]),
        ],
        "lane_rules": make_lane_rules(tables),
    }


# ----------------------------------------------------------------------------------------------- fresh
KG_PER_HEAD = 1.5
CHAIN_STRENGTH = {"inner": 1.0, "outer": 0.8, "neighbour": 0.4}
GROCERY_SHARE = (0.5, 0.3, 0.2)  # leafy, dairy, frozen
GROCERY_CHANNELS = {  # share by zone; variance-to-mean ratio by product
    "store": ({"inner": 0.45, "outer": 0.52, "neighbour": 0.60}, (90, 40, 60)),
    "instant": ({"inner": 0.40, "outer": 0.28, "neighbour": 0.18}, (110, 48, 75)),
    "next_morning": ({"inner": 0.15, "outer": 0.20, "neighbour": 0.22}, (100, 44, 70)),
}


def fresh_demand(rng: random.Random, zones: dict[str, str], products: list[str]) -> list[Row]:
    """Yearly kilograms of every district, channel and product."""
    rows = []
    for city, zone in zones.items():
        kg = CITIES[city]["population"] * CHAIN_STRENGTH[zone] * KG_PER_HEAD * rng.uniform(0.9, 1.1)
        for channel, (share, vmr) in GROCERY_CHANNELS.items():
            for p, product in enumerate(products):
                units = round(kg * share[zone] * GROCERY_SHARE[p] / 100) * 100
                key = {"market": city, "channel": channel, "product": product}
                rows.append({**key, "units": units, "vmr": vmr[p]})
    return rows


def fresh() -> Sheets:
    """Return a fresh grocery chain in one metropolitan region, counted in steps of three hours."""
    rng = random.Random(SEED + 1)
    tables = read_tables("fresh")
    zones = {c: row["zone"] for c, row in CITIES.items() if row["zone"]}
    return tables | {
        "sites": make_sites(rng, tables.pop("kinds"), list(zones)),
        "markets": [{"market": c, **at(c), "region": zone} for c, zone in zones.items()],
        "demand": fresh_demand(rng, zones, [p["product"] for p in tables["products"]]),
        "lane_rules": make_lane_rules(tables),
    }


# ------------------------------------------------------------------------------------------- workbooks
CASES = {"small": small, "apparel": apparel, "fresh": fresh}


def write(path: Path, sheets: Sheets) -> None:
    """Write one case workbook: bold frozen header, text as text, widths that fit."""
    book = xlsxwriter.Workbook(str(path), {"strings_to_formulas": False, "strings_to_urls": False})
    book.set_properties({"title": path.stem, "created": datetime.datetime(2024, 1, 1)})  # same bytes each run
    head = book.add_format({"bold": True, "bg_color": "#DDE6EE", "bottom": 1})
    text = book.add_format({"num_format": "@"})
    for name in sorted(sheets, key=SHEETS.index):
        rows = sheets[name]
        columns = list(dict.fromkeys(k for row in rows for k in row))
        sheet = book.add_worksheet(name)
        sheet.freeze_panes(1, 0)
        sheet.autofilter(0, 0, len(rows), len(columns) - 1)
        for j, column in enumerate(columns):
            width = max(len(str(row.get(column, ""))) for row in [{column: column}, *rows])
            sheet.set_column(j, j, min(width, 60) + 2)
            sheet.write_string(0, j, column, head)
            for i, row in enumerate(rows, start=1):
                if isinstance(row.get(column), str):
                    sheet.write_string(i, j, row[column], text)
                elif column in row:
                    sheet.write_number(i, j, row[column])
    book.close()


def main(folder: Path = HERE) -> None:
    """Write every case into ``folder``."""
    for name, make in CASES.items():
        write(folder / f"{name}.xlsx", make())
        print(folder / f"{name}.xlsx")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE)
