"""The same case in other units of money and goods, by the units that the schema gives every column.

Goods are counted in `goods` times as many pieces: volumes grow, what a unit costs, weighs or counts shrinks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from scopt.casefile.schema import SETTINGS, SHEETS

if TYPE_CHECKING:
    from collections.abc import Mapping

Frames = dict[str, pd.DataFrame]

MONEY_LIMITS, VOLUME_LIMITS = ("one_off", "stock_value"), ("units",)


def in_units(frames: Frames, money: float = 1.0, goods: float = 1.0) -> Frames:
    """All money times `money`, all volumes times `goods`; a unit still counts its size in capacities."""
    out = {}
    for name, frame in frames.items():
        frame = frame.copy()
        for column in SHEETS[name].columns:
            if column.name in frame and column.kind == "number" and column.unit != "of the measure":
                frame[column.name] = frame[column.name].astype(float) * _factor(column.unit, money, goods)
        out[name] = frame
    _scale_settings(out, money, goods)
    _scale_limits(out, money, goods)
    return out


def _factor(unit: str, money: float, goods: float) -> float:
    factor = money if unit.startswith("currency") else 1.0
    if unit in ("units", "units/year", "size/year"):
        return goods
    return factor / goods if "/unit" in unit or "/size" in unit else factor


def _scale_settings(frames: Frames, money: float, goods: float) -> None:
    if "settings" not in frames:
        return
    factor = {s.name: _factor(s.unit, money, goods) for s in SETTINGS if s.kind == "number"}
    rows = frames["settings"].to_dict("records")
    for row in rows:
        if factor.get(row["key"], 1.0) != 1.0:
            row["value"] = float(row["value"]) * factor[row["key"]]
    frames["settings"] = pd.DataFrame(rows)


def _scale_limits(frames: Frames, money: float, goods: float) -> None:
    if "limits" not in frames:
        return
    limits = frames["limits"]
    factor = limits["measure"].map(dict.fromkeys(MONEY_LIMITS, money) | dict.fromkeys(VOLUME_LIMITS, goods))
    for column in {"min", "max"} & set(limits):
        limits[column] = limits[column].astype(float) * factor.fillna(1.0)


def by_product(frames: Frames) -> Frames:
    """The case less what cannot be told product by product, with the rest of it told so."""
    products = frames["products"]["product"].tolist()
    out = {name: frame.copy() for name, frame in frames.items()}
    dropped = {
        "sites": {"co2_per_unit"},
        "channels": {"late_cost", "min_fill", "unmet_cost", "return_cost"},
    }
    for name, columns in dropped.items():
        if name in out:
            out[name] = out[name].drop(columns=[*columns & set(out[name])])
    if "limits" in out:
        out["limits"] = out["limits"][out["limits"]["measure"] != "units"]
        if out["limits"].empty:
            del out["limits"]
    out["site_products"] = _site_products(out, products)
    out["sites"] = out["sites"].drop(columns=[*{"unit_cost"} & set(out["sites"])])
    if len(products) > 1:
        lanes = out["lanes"].drop(columns=[*{"fixed_cost", "capacity", "min_units"} & set(out["lanes"])])
        out["lanes"] = pd.concat([lanes.assign(product=name) for name in products], ignore_index=True)
    else:
        out["lanes"]["product"] = products[0]
    return out


def _site_products(frames: Frames, products: list[str]) -> pd.DataFrame:
    told: dict[tuple[str, str], dict[str, Any]] = {}
    for site in frames["sites"].to_dict("records"):
        for product in products:
            cost = site.get("unit_cost")
            told[site["site"], product] = {"site": site["site"], "product": product, "unit_cost": cost}
    if "site_products" in frames:
        for row in frames["site_products"].to_dict("records"):
            told[row["site"], row["product"]] |= {k: v for k, v in row.items() if pd.notna(v)}
    return pd.DataFrame(list(told.values()))


def mixed_units(frames: Frames, money: float, goods: Mapping[str, float]) -> Frames:
    """A case `by_product` with each product counted in `goods` times as many pieces of as much less size."""
    out = in_units(frames, money)
    for name, frame in out.items():
        if "product" not in frame:
            continue
        factor = frame["product"].map(goods)
        for column in SHEETS[name].columns:
            if column.name not in frame or column.kind != "number":
                continue
            if column.unit in ("units", "units/year"):
                frame[column.name] = frame[column.name] * factor
            elif "/unit" in column.unit or column.unit == "per unit":
                frame[column.name] = frame[column.name] / factor
        if name == "products" and "size" not in frame:
            frame["size"] = 1.0 / factor
        elif name == "products":
            frame["size"] = frame["size"].fillna(1.0 / factor)
    return out
