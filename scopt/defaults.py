"""Blank cells to defaults: constants of the schema first, then values that come from elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from scopt.schema import SETTINGS, SHEETS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from scopt.columns import Column

__all__ = ["Settings", "add_channels", "empty_table", "fill_constants", "resolve", "settings_of"]

# A blank cell of these takes the site's own value, which is looked up where it is needed.
_STAY_BLANK = {("site_products", "stock")}


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The settings of a case, one field per key; NaN where a number is blank and has no default."""

    contract: int = 1
    name: str = ""
    currency: str = "CNY"
    days_per_year: float = 365.0
    time_step_days: float = 1.0
    one_off_years: float = 3.0
    holding_rate: float = 0.2
    service_level: float = 0.95
    review_days: float = 7.0
    circuity: float = 1.2
    forecast_window_days: float = float("nan")
    stage_lead_days: float = float("nan")
    platform_cost: float = float("nan")
    co2_price: float = 0.0
    unmet_cost: float = float("nan")
    mip_gap: float = 0.01
    time_limit_s: float = 600.0


def empty_table(columns: Iterable[Column]) -> pd.DataFrame:
    """Return a table without rows, its columns typed as in a table that has been read."""
    kinds = {column.name: float if column.numeric else object for column in columns}
    return pd.DataFrame({name: pd.Series([], dtype=kind) for name, kind in kinds.items()})


def settings_of(given: pd.DataFrame, source: str) -> Settings:
    """Return the settings from the typed sheet; keys that are unknown or blank keep their default."""
    values: dict[str, Any] = {"name": source}
    for key, value in zip(given["key"], given["value"], strict=True):
        if value != "" and any(key == column.name for column in SETTINGS):
            values[key] = int(value) if key == "contract" else value
    return Settings(**values)


def resolve(given: Mapping[str, pd.DataFrame], settings: Settings) -> dict[str, pd.DataFrame]:
    """Return the sheets with every default filled in.

    Parameters
    ----------
    given
        The typed sheets as they were written: NaN and empty text where a cell is blank.
    settings
        The settings, whose values some columns inherit.

    Returns
    -------
    dict of DataFrame
        Every sheet of the contract. ``yes/no`` columns are bool. ``channels`` lists also the channels that
        only demand names, ``settings`` every key.
    """
    tables = {name: fill_constants(name, given[name]) for name in SHEETS}
    tables["settings"] = _all_settings(settings)
    products, sites = tables["products"], tables["sites"]
    products["holding_rate"] = products["holding_rate"].fillna(settings.holding_rate)
    products["service_level"] = products["service_level"].fillna(settings.service_level)
    sites["place"] = sites["place"].where(sites["place"] != "", sites["site"])
    sites["review_days"] = sites["review_days"].fillna(settings.review_days)
    joinable = np.where(given["sites"]["o2o_cost"].notna(), "optional", "no").astype(object)
    sites["o2o"] = sites["o2o"].where(sites["o2o"] != "", pd.Series(joinable, dtype=object))
    tables["demand"][["cv", "vmr"]] = given["demand"][["cv", "vmr"]]
    tables["channels"] = add_channels(tables["channels"], tables["demand"], settings)
    return tables


def fill_constants(name: str, given: pd.DataFrame) -> pd.DataFrame:
    """Return a sheet with the constant defaults of the schema filled in."""
    table = given.copy()
    for column in SHEETS[name].columns:
        cells = table[column.name]
        if column.kind == "yes-no":
            answer = cells.where(cells != "", "yes" if column.default else "no")
            table[column.name] = (answer == "yes").astype(bool)
        elif column.default is None or (name, column.name) in _STAY_BLANK:
            continue
        elif column.numeric:
            table[column.name] = cells.fillna(float(column.default))
        else:
            table[column.name] = cells.where(cells != "", column.default)
    return table


def _all_settings(settings: Settings) -> pd.DataFrame:
    keys = [column.name for column in SETTINGS]
    values = pd.Series([getattr(settings, key) for key in keys], dtype=object)
    return pd.DataFrame({"key": pd.Series(keys, dtype=object), "value": values})


def add_channels(channels: pd.DataFrame, demand: pd.DataFrame, settings: Settings) -> pd.DataFrame:
    """Add the channels that only demand names and fill in what channels inherit."""
    listed = set(channels["channel"])
    missing = [channel for channel in dict.fromkeys(demand["channel"]) if channel and channel not in listed]
    if missing:
        new = empty_table(SHEETS["channels"].columns).reindex(range(len(missing)))
        for column in SHEETS["channels"].columns:
            if not column.numeric:
                new[column.name] = pd.Series([""] * len(missing), dtype=object)
        new["channel"] = pd.Series(missing, dtype=object)
        new = fill_constants("channels", new)
        channels = new if channels.empty else pd.concat([channels, new], ignore_index=True)
    channels["pool"] = channels["pool"].where(channels["pool"] != "", channels["channel"])
    channels["unmet_cost"] = channels["unmet_cost"].fillna(settings.unmet_cost)
    return channels
