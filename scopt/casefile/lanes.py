"""Lane rules to lanes: great-circle distances between coordinates, whole tiers at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from scopt.casefile.frames import first_rows, key_codes, records, typed_frame
from scopt.casefile.schema import SHEETS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from scopt.casefile.context import Context

__all__ = ["EARTH_RADIUS_KM", "LANE_KEY", "TODAY", "all_lanes", "haversine"]

EARTH_RADIUS_KM = 6371.0
LANE_KEY = list(SHEETS["lanes"].key)
TODAY = ("keep", "existing", "close")  # states of sites that exist

MARKET = "market"
_MOST_PAIRS = 50_000_000  # distances take 30 bytes each while they are compared
_MOST_LANES = 5_000_000


def haversine(
    latitude: NDArray[np.float64],
    longitude: NDArray[np.float64],
    to_latitude: NDArray[np.float64],
    to_longitude: NDArray[np.float64],
) -> NDArray[np.float64]:
    r"""Return great-circle distances in km on a sphere of radius 6371 km.

    .. math::  d = 2 r \arcsin\sqrt{\sin^2\tfrac{\varphi_2 - \varphi_1}{2}
               + \cos\varphi_1 \cos\varphi_2 \sin^2\tfrac{\lambda_2 - \lambda_1}{2}}

    Parameters
    ----------
    latitude, longitude, to_latitude, to_longitude
        Coordinates :math:`\varphi, \lambda` in degrees, of shapes that broadcast together.

    References
    ----------
    R. W. Sinnott, "Virtues of the haversine", Sky and Telescope 68(2), 1984.
    """
    phi, lam, to_phi, to_lam = (np.radians(x) for x in (latitude, longitude, to_latitude, to_longitude))
    root = np.sin((to_phi - phi) / 2) ** 2 + np.cos(phi) * np.cos(to_phi) * np.sin((to_lam - lam) / 2) ** 2
    distance: NDArray[np.float64] = 2 * EARTH_RADIUS_KM * np.arcsin(np.sqrt(np.clip(root, 0, 1)))
    return distance


@dataclass(frozen=True)
class _Ends:
    """Sites or markets as ends of lanes, each of shape (ends,); coordinates in degrees.

    ``today`` says which exist today, ``row`` where each stands in the table of its sheet.
    """

    sheet: str
    id: NDArray[np.object_]
    latitude: NDArray[np.float64]
    longitude: NDArray[np.float64]
    today: NDArray[np.bool_]
    row: NDArray[np.int64]

    @classmethod
    def of(
        cls, sheet: str, table: pd.DataFrame, today: NDArray[np.bool_], chosen: NDArray[np.bool_]
    ) -> _Ends:
        row = np.flatnonzero(chosen)
        latitude, longitude = (table[name].to_numpy()[row] for name in ("latitude", "longitude"))
        return cls(sheet, table[SHEETS[sheet].key[0]].to_numpy()[row], latitude, longitude, today[row], row)


def all_lanes(context: Context) -> pd.DataFrame:
    """Return the explicit lanes followed by those made from rules; report rules that cannot be carried out.

    Besides the columns of the sheet: ``unit_cost_per_tonne`` (currency/tonne), ``co2_per_tonne`` (kg/tonne)
    and ``rule`` (0 for an explicit lane, else the row of the rule in its sheet, counted from 1). An explicit
    lane replaces a made one of the same key.
    """
    explicit = context.tables["lanes"].copy()
    explicit["unit_cost_per_tonne"] = np.zeros(len(explicit))
    explicit["co2_per_tonne"] = np.zeros(len(explicit))
    explicit["rule"] = np.zeros(len(explicit), dtype=np.int64)
    rules = context.tables["lane_rules"]
    if rules.empty:
        return explicit
    pool = _Pool(context)
    made = [_make(context, pool, number, rule) for number, rule in enumerate(records(rules))]
    lanes = pd.concat([frame for frame in (explicit, *made) if len(frame)] or [explicit], ignore_index=True)
    # Explicit lanes come first: of equal keys the explicit one stays. Two rules of one key are a finding.
    rule_of = lanes["rule"].to_numpy()
    replaced = (rule_of > 0) & (rule_of[first_rows(key_codes(lanes, LANE_KEY))] == 0)
    kept: pd.DataFrame = lanes[~replaced].reset_index(drop=True)
    return kept


class _Pool:
    """Sites by tier and markets, as ends of lanes."""

    def __init__(self, context: Context) -> None:
        self.context = context
        sites = context.tables["sites"]
        self.tier = sites["tier"].to_numpy()
        self.usable = ((sites["status"] != "closed") & (sites["site"] != "")).to_numpy()
        self.today = sites["status"].isin(TODAY).to_numpy()
        self.reported: dict[str, NDArray[np.bool_]] = {}
        self.pairs, self.lanes = 0, 0

    def ends(self, number: int, column: str, tier: str) -> _Ends | None:
        """Return the ends of a tier that can be used, None after a finding."""
        tables = self.context.tables
        if tier == MARKET and column == "to_tier":
            sheet, today = "markets", np.ones(len(tables["markets"]), dtype=bool)
            chosen = (tables[sheet]["market"] != "").to_numpy()
        elif tier in self.tier:
            sheet, today, chosen = "sites", self.today, self.usable & (self.tier == tier)
        else:
            if tier:
                mend = "Write a tier of the sheet sites" + (", or market." if column == "to_tier" else ".")
                self.context.report("lane_rules", [number], column, "no site has this tier", mend)
            return None
        table = tables[sheet]
        no_latitude, no_longitude = (table[name].isna().to_numpy() for name in ("latitude", "longitude"))
        told = self.reported.setdefault(sheet, np.zeros(len(table), dtype=bool))
        rule, mend = f"a lane rule for {tier} needs coordinates here", "Give latitude and longitude."
        new = chosen & ~told
        self.context.report(sheet, new & no_latitude, "latitude", rule, mend)
        self.context.report(sheet, new & no_longitude & ~no_latitude, "longitude", rule, mend)
        told |= chosen
        return _Ends.of(sheet, table, today, chosen & ~no_latitude & ~no_longitude)


def _make(context: Context, pool: _Pool, number: int, rule: dict[str, Any]) -> pd.DataFrame:
    """Return the lanes of one rule."""
    none = context.tables["lanes"].iloc[:0]
    origins = pool.ends(number, "from_tier", rule["from_tier"])
    destinations = pool.ends(number, "to_tier", rule["to_tier"])
    if origins is None or destinations is None:
        return none
    pool.pairs += len(origins.id) * len(destinations.id)
    if pool.pairs > _MOST_PAIRS:
        told = f"lane rules would measure {pool.pairs:,} distances; at most {_MOST_PAIRS:,} are measured"
        mend = "Divide large tiers and name the parts that meet, or list the lanes."
        context.report("lane_rules", [number], "from_tier", told, mend)
        return none
    km = context.settings.circuity * haversine(
        origins.latitude[:, None], origins.longitude[:, None], destinations.latitude, destinations.longitude
    )
    allowed = np.ones(km.shape, dtype=bool)
    if destinations.sheet == "sites":
        allowed = origins.id[:, None] != destinations.id
    if np.isfinite(rule["max_km"]):
        allowed &= km <= rule["max_km"]
    if np.isfinite(rule["nearest"]):
        allowed &= _nearest(origins, km, allowed, int(rule["nearest"]))
    if not allowed.any():
        context.report(
            "lane_rules",
            [number],
            "from_tier",
            "the rule makes no lane",
            "Check tiers and max_km.",
            level="warning",
        )
        return none
    pool.lanes += int(np.count_nonzero(allowed))
    if pool.lanes > _MOST_LANES:
        told = f"lane rules would make {pool.lanes:,} lanes; at most {_MOST_LANES:,} are made"
        context.report("lane_rules", [number], "from_tier", told, "Narrow it by nearest or max_km.")
        return none
    start, end = np.nonzero(allowed)
    return _as_lanes(rule, number, origins.id[start], destinations.id[end], km[start, end])


def _nearest(
    origins: _Ends, km: NDArray[np.float64], allowed: NDArray[np.bool_], count: int
) -> NDArray[np.bool_]:
    """Keep per destination the nearest origins, counted apart among those of today and candidates."""
    kept = np.zeros(km.shape, dtype=bool)
    by_id = np.argsort(origins.id.astype(str), kind="stable")
    for today in (True, False):
        group = by_id[origins.today[by_id] == today]
        if not len(group):
            continue
        far = np.where(allowed[group], km[group], np.inf)
        # A stable sort of origins in the order of their ids settles ties by id.
        order = np.argsort(far, axis=0, kind="stable")[:count]
        kept[group[order], np.arange(km.shape[1])] = True
    return kept & allowed


def _as_lanes(
    rule: dict[str, Any],
    number: int,
    origin: NDArray[np.object_],
    destination: NDArray[np.object_],
    km: NDArray[np.float64],
) -> pd.DataFrame:
    count = len(km)
    days = km / rule["km_per_day"] if np.isfinite(rule["km_per_day"]) else np.zeros(count)
    values: dict[str, Any] = {
        "origin": origin, "destination": destination, "channel": rule["channel"], "product": "",
        "mode": rule["mode"], "operator": rule["operator"], "status": rule["status"],
        "unit_cost": rule["cost_base"] + km * rule["cost_per_km"], "fixed_cost": rule["fixed_cost"],
        "capacity": np.nan, "min_units": 0.0, "lead_days": np.maximum(rule["min_days"], days),
        "on_time_rate": rule["on_time_rate"], "distance_km": km, "co2_per_unit": 0.0,
        "damage_rate": rule["damage_rate"], "margin_rate": 0.0, "units_today": np.nan,
        "unit_cost_per_tonne": km * rule["cost_per_tonne_km"], "co2_per_tonne": km * rule["co2_per_tonne_km"],
        "rule": number + 1,
    }  # fmt: skip
    numeric = {column.name: column.numeric for column in SHEETS["lanes"].columns}
    types = {name: float if numeric.get(name, True) else object for name in values} | {"rule": np.int64}
    return typed_frame(
        {
            name: np.broadcast_to(np.asarray(value, dtype=types[name]), count).copy()
            for name, value in values.items()
        }
    )
