"""Blank cells to defaults: constants of the schema first, then values that come from elsewhere."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from scopt.casefile.cells import as_objects
from scopt.casefile.frames import typed_frame
from scopt.casefile.schema import SETTINGS, SHEETS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from scopt.casefile.columns import Column

__all__ = ["Settings", "add_channels", "as_given", "empty_table", "fill_constants", "resolve", "settings_of"]

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
    discount_rate: float = 0.08
    horizon_years: float = 5.0
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


def empty_table(name: str) -> pd.DataFrame:
    """Return the sheet of this name without rows, its columns typed as when they are read."""
    return _empty(name, resolved=False).copy()


@functools.cache
def _empty(name: str, *, resolved: bool) -> pd.DataFrame:
    def kind(column: Column) -> type:
        return float if column.numeric else bool if resolved and column.kind == "yes-no" else object

    return typed_frame({column.name: np.zeros(0, dtype=kind(column)) for column in SHEETS[name].columns})


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
    strategies, rates = tables["strategies"], tables["rates"]
    levers = [column.name for column in SHEETS["strategies"].columns if column.kind == "yes-no"]
    strategies.loc[strategies["strategy"] == "as_is", levers] = False
    rates["subject"] = as_objects([_subject(subject) for subject in rates["subject"]])
    return tables


def _subject(subject: str) -> str:
    """Return `origin > destination` without the spaces."""
    return ">".join(part.strip() for part in subject.split(">"))


def as_given(tables: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Return resolved tables as if they had been written that way: yes/no as text again."""
    given = {}
    for name, table in tables.items():
        columns = {}
        for column in SHEETS[name].columns:
            cells = table[column.name].to_numpy()
            answers = column.kind == "yes-no"
            columns[column.name] = np.where(cells, "yes", "no").astype(object) if answers else cells
        given[name] = typed_frame(columns)
    return given


def fill_constants(name: str, given: pd.DataFrame) -> pd.DataFrame:
    """Return a sheet with the constant defaults of the schema filled in."""
    if given.empty:
        return _empty(name, resolved=True).copy()
    filled: dict[str, NDArray[Any]] = {}
    for column in SHEETS[name].columns:
        cells = given[column.name].to_numpy()
        if column.kind == "yes-no":
            default = "yes" if column.default else "no"
            cells = np.where(cells == "", default, cells) == "yes"
        elif column.default is not None and (name, column.name) not in _STAY_BLANK:
            blank = np.isnan(cells) if column.numeric else cells == ""
            cells = np.where(blank, column.default, cells).astype(cells.dtype)
        filled[column.name] = cells.copy()
    return typed_frame(filled)


def _all_settings(settings: Settings) -> pd.DataFrame:
    keys = [column.name for column in SETTINGS]
    values = pd.Series([getattr(settings, key) for key in keys], dtype=object)
    return pd.DataFrame({"key": pd.Series(keys, dtype=object), "value": values})


def add_channels(channels: pd.DataFrame, demand: pd.DataFrame, settings: Settings) -> pd.DataFrame:
    """Add the channels that only demand names and fill in what channels inherit."""
    listed = set(channels["channel"])
    missing = [channel for channel in dict.fromkeys(demand["channel"]) if channel and channel not in listed]
    if missing:
        blank = {
            column.name: np.full(
                len(missing), np.nan if column.numeric else "", dtype=float if column.numeric else object
            )
            for column in SHEETS["channels"].columns
        }
        blank["channel"] = as_objects(missing)
        new = fill_constants("channels", typed_frame(blank))
        channels = new if channels.empty else pd.concat([channels, new], ignore_index=True)
    channels["pool"] = channels["pool"].where(channels["pool"] != "", channels["channel"])
    channels["unmet_cost"] = channels["unmet_cost"].fillna(settings.unmet_cost)
    return channels
