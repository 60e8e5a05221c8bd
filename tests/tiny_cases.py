"""Seeded random cases that are small enough for the exhaustive oracle and together touch the whole contract.

Every case has today's chain (source ``S1``, warehouse ``W1``) that can serve all demand, so that as-is nearly
always exists; alternatives, tariffs, stock and limits are put on top, each with modest probability.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

Record = dict[str, Any]


def tiny_case(seed: int) -> dict[str, pd.DataFrame]:
    """Sheets of the case with this seed, blanks as missing values."""
    return _Maker(seed).frames()


class _Maker:
    """Draws one case; each method fills some sheets."""

    def __init__(self, seed: int) -> None:
        self.random = np.random.default_rng(seed)
        self.sheets: dict[str, list[Record]] = {}
        self.step = self.pick([1, 0.5, 2], [0.76, 0.14, 0.1])
        self.markets = [f"M{n + 1}" for n in range(self.pick([1, 2, 3], [0.35, 0.45, 0.2]))]
        self.products = [f"P{n + 1}" for n in range(self.pick([1, 2], [0.65, 0.35]))]
        names = ["shop", "online", "live"]
        self.channels = names[: self.pick([1, 2, 3], [0.33, 0.55, 0.12])]
        self.timed = self.chance(0.85)
        self.operators: dict[str, bool] = {}  # whether the operator works today
        self._settings()
        self._products()
        self._demand()
        self._sites()
        self._lanes()
        self._channels()
        self._rates()
        self._operators()
        self._limits()

    # -- drawing

    def chance(self, share: float) -> bool:
        return bool(self.random.random() < share)

    def pick(self, values: list[Any], weights: list[float] | None = None) -> Any:
        return values[int(self.random.choice(len(values), p=weights))]

    def number(self, low: float, high: float, digits: int = 2) -> float:
        return round(float(self.random.uniform(low, high)), digits)

    def days(self) -> float:
        if not self.timed:
            return 0.0
        return float(self.pick([0, 1, 2, 0.4, 1.5, 2.3], [0.3, 0.3, 0.15, 0.1, 0.1, 0.05]))

    def up(self, days: float) -> float:
        return float(math.ceil(days / self.step - 1e-9) * self.step)

    def add(self, sheet: str, **values: Any) -> Record:
        record = {name: value for name, value in values.items() if value is not None}
        self.sheets.setdefault(sheet, []).append(record)
        return record

    def frames(self) -> dict[str, pd.DataFrame]:
        return {sheet: pd.DataFrame(records) for sheet, records in self.sheets.items()}

    # -- sheets

    def _settings(self) -> None:
        values: Record = {"contract": 1, "name": "tiny"}
        if self.step != 1:
            values["time_step_days"] = self.step
        if self.chance(0.3):
            values["one_off_years"] = self.pick([1, 5])
        if self.chance(0.2):
            values["days_per_year"] = 300
        if self.chance(0.3):
            values["holding_rate"] = self.number(0.1, 0.4)
        if self.chance(0.25):
            values["service_level"] = self.pick([0.9, 0.98])
        if self.chance(0.4):
            values["review_days"] = self.pick([0, 1, 3.5], [0.5, 0.3, 0.2])
        if self.chance(0.2):
            values["co2_price"] = self.number(0.05, 0.5)
        self.carbon = "co2_price" in values or self.chance(0.1)
        self.year = values.get("days_per_year", 365)
        for key, value in values.items():
            self.add("settings", key=key, value=value)

    def _products(self) -> None:
        for name in self.products:
            self.add(
                "products",
                product=name,
                value=self.number(20, 200, 0),
                price=self.number(50, 300, 0),
                size=self.pick([0.5, 2.5]) if self.chance(0.2) else None,
                weight_kg=self.number(0.1, 5) if self.chance(0.1) else None,
                holding_rate=self.number(0.1, 0.5) if self.chance(0.15) else None,
                service_level=self.pick([0.8, 0.99, 0.5], [0.45, 0.45, 0.1]) if self.chance(0.2) else None,
                loss_rate_per_day=self.number(0.0001, 0.001, 5) if self.chance(0.15) else None,
                max_stock_days=self.pick([6, 12, 25]) if self.chance(0.1) else None,
                max_site_days=self.pick([6, 12, 25]) if self.chance(0.1) else None,
            )

    def _demand(self) -> None:
        for name in self.markets:
            self.add("markets", market=name, region=self.pick(["north", "south"]))
        spread = {(c, p): self.number(1, 60) for c in self.channels for p in self.products}
        for market in self.markets:
            for channel in self.channels:
                for product in self.products:
                    if channel != "shop" and self.chance(0.25):
                        continue
                    units = self.number(200, 2000, 0)
                    row = self.add("demand", market=market, channel=channel, product=product, units=units)
                    kind = self.pick(["vmr", "cv", "none"], [0.55, 0.3, 0.15])
                    if kind == "vmr":
                        row["vmr"] = spread[channel, product]
                    elif kind == "cv":
                        row["cv"] = self.number(0.3, 3)
        rows = self.sheets["demand"]
        while len(rows) > 7:
            del rows[int(self.random.integers(1, len(rows)))]
        self.channels = [c for c in self.channels if any(row["channel"] == c for row in rows)]
        self.total = sum(row["units"] for row in rows)
        size = {row["product"]: row.get("size", 1.0) for row in self.sheets["products"]}
        self.volume = sum(row["units"] * size[row["product"]] for row in rows)

    def _site(
        self, name: str, tier: str, status: str, stocks: list[str], weights: list[float], **more: Any
    ) -> Record:
        today = status in ("keep", "existing", "close")
        o2o = len(self.channels) > 1 and self.chance(0.5)
        usual: Record = {"fixed_cost": self.number(300, 4000, 0), "unit_cost": self.number(0.2, 3)}
        site = self.add(
            "sites",
            site=name,
            tier=tier,
            status=status,
            open_cost=None if today or self.chance(0.3) else self.number(500, 5000, 0),
            close_cost=self.number(-3000, 3000, 0) if today and self.chance(0.6) else None,
            replacement_cost=self.number(50, 800, 0) if today and self.chance(0.3) else None,
            margin_rate=self.number(0.01, 0.06) if self.chance(0.15) else None,
            process_days=self.days() if self.chance(0.35) else None,
            stock=self.pick(stocks, weights),
            stock_cost=self.number(20, 500, 0) if self.chance(0.6) else None,
            review_days=self.pick([0, 2, 14]) if self.chance(0.25) else None,
            o2o_cost=self.number(20, 300, 0) if o2o else None,
            o2o="existing" if o2o and self.chance(0.4) else None,
            co2_per_unit=self.number(0.1, 2) if self.carbon else None,
            **{**usual, **more},
        )
        if self.chance(0.2):
            self.add(
                "site_products",
                site=name,
                product=self.pick(self.products),
                capacity=round(self.total * self.number(1.0, 1.4)) if self.chance(0.4) else None,
                unit_cost=self.number(0.2, 4) if self.chance(0.5) else None,
                stock=self.pick(["no", "optional"])
                if self.chance(0.3) and site["stock"] == "optional"
                else None,
                stock_cost=self.number(0, 300, 0) if self.chance(0.4) else None,
            )
        return site

    def _supply(self, name: str, products: list[str]) -> None:
        for product in products:
            self.add(
                "supply",
                site=name,
                product=product,
                unit_cost=self.number(5, 20),
                lead_days=float(self.pick([0, 2, 5, 8.5, 14])) if self.timed else None,
                capacity=round(self.total * self.number(1.0, 1.5)) if self.chance(0.1) else None,
            )

    def _sites(self) -> None:
        self._site(
            "S1", "plant", self.pick(["keep", "existing"]), ["no", "optional", "existing"], [0.5, 0.4, 0.1]
        )
        self._supply("S1", self.products)
        status = self.pick(["existing", "keep", "close"], [0.65, 0.2, 0.15])
        weights = [0.15, 0.2, 0.4, 0.25]
        room = round(self.volume * self.number(1.0, 1.6)) if self.chance(0.2) else None
        operator = self._operator(True) if self.chance(0.08) else None
        kinds = ["no", "optional", "existing", "must"]
        self._site("W1", "depot", status, kinds, weights, capacity=room, operator=operator)
        self.second, self.front = None, False
        if status == "close" or self.chance(0.85):
            self.second = self._second(status)
        if self.chance(0.28):
            status = self.pick(["candidate", "existing"])
            self._site("S2", "plant", status, ["no", "optional"], [0.6, 0.4])
            self._supply("S2", self.products if self.chance(0.6) else self.products[:1])
        if self.chance(0.45):
            status = self.pick(["existing", "candidate"])
            fixed = self.number(100, 900, 0)
            self.front = status == "candidate" or self.chance(0.6)  # else an existing site that nothing uses
            self._site("W3", "store", status, ["no", "optional", "must"], [0.2, 0.5, 0.3], fixed_cost=fixed)

    def _second(self, first: str) -> str:
        kinds = ["takeover", "own", "operator", "existing", "open", "closed"]
        weights = [0.3, 0.22, 0.2, 0.15, 0.06, 0.07]
        if first == "close":
            kinds, weights = ["own", "operator", "open"], [0.5, 0.4, 0.1]
        kind = str(self.pick(kinds, weights))
        if first == "keep" and kind == "takeover":
            kind = "operator"
        status = kind if kind in ("existing", "open", "closed") else "candidate"
        operator = self._operator(False) if kind in ("takeover", "operator") else None
        usual = {"fixed_cost": self.number(50, 800, 0)} if kind == "takeover" else {}
        narrow = self.number(0.4, 1.5) if self.chance(0.2) and first != "close" else None
        self._site(
            "W2",
            "depot",
            status,
            ["no", "optional", "existing", "must"],
            [0.2, 0.6, 0.1, 0.1],
            **usual,
            place="W1" if kind == "takeover" else None,
            operator=operator,
            capacity=None if narrow is None else round(self.volume * narrow),
            min_units=round(self.volume * self.number(0.1, 0.5)) if self.chance(0.12) else None,
        )
        return kind

    def _operator(self, today: bool) -> str:
        name = "O1" if not self.operators or self.chance(0.8) else "O2"
        self.operators[name] = self.operators.get(name, False) or today
        return name

    def _lane(self, origin: str, destination: str, low: float = 1, high: float = 5, **more: Any) -> Record:
        today = more.get("status", "existing") == "existing"
        market = destination in self.markets
        values: Record = {
            "origin": origin,
            "destination": destination,
            "unit_cost": self.number(low, high),
            "fixed_cost": self.number(50, 600, 0) if self.chance(0.12) else None,
            "lead_days": self.days(),
            "on_time_rate": self.pick([0.9, 0.95]) if self.timed and self.chance(0.08) else None,
            "co2_per_unit": self.number(0.1, 3) if self.carbon else None,
            "damage_rate": self.number(0.002, 0.02, 3) if self.chance(0.08) else None,
            "margin_rate": self.number(0.01, 0.05) if self.chance(0.06) else None,
            "capacity": round(self.volume * self.number(0.3, 1.0))
            if not today and self.chance(0.1)
            else None,
            "min_units": round(self.volume * self.number(0.05, 0.3)) if self.chance(0.06) else None,
        }
        values["distance_km"] = self.number(10, 500, 0) if market and self.chance(0.1) else None
        return self.add("lanes", **{**values, **more})

    def _lanes(self) -> None:
        sites = {row["site"]: row for row in self.sheets["sites"]}
        self._lane("S1", "W1", 0.5, 3, operator=self._operator(True) if self.chance(0.08) else None)
        far = 4 if self.front else 0
        for market in self.markets:
            self._lane("W1", market, 1 + far, 5 + far)
        if "W2" in sites:
            self._lane("S1", "W2", 0.5, 3)
            only = self.pick(self.channels) if len(self.channels) > 1 and self.chance(0.2) else None
            for market in self.markets:
                self._lane("W2", market, channel=None if self.second in ("existing", "open") else only)
            if self.chance(0.3) and sites["W1"]["status"] != "close":
                self._lane("W1", "W2", 0.3, 2)
        for market in self.markets:
            self._direct(market)
        if "S2" in sites:
            first = sites["W1"]["status"] != "close"
            self._lane("S2", "W1" if first else "W2", 0.5, 3, status=self.pick(["existing", "candidate"]))
            if self.chance(0.5):
                self._lane("S2", self.pick(self.markets), 3, 9, status="candidate")
        if self.front:
            self._third(sites)

    def _direct(self, market: str) -> None:
        kind = self.pick(["none", "own", "operator", "existing"], [0.5, 0.25, 0.15, 0.1])
        if kind == "none":
            return
        status = "existing" if kind == "existing" else "candidate"
        operator = self._operator(False) if kind == "operator" else None
        self._lane("S1", market, 3, 9, status=status, operator=operator)
        if kind == "own" and self.chance(0.2):
            self._lane("S1", market, 5, 12, status=status, mode="air", lead_days=0.0)

    def _third(self, sites: dict[str, Record]) -> None:
        """A small store near the markets, fed from a warehouse."""
        closing = sites["W1"]["status"] == "close"
        self._lane("W2" if closing else "W1", "W3", 0.3, 2)
        for market in self.markets[:2]:
            self._lane("W3", market, 0.3, 2)

    # -- service, tariffs, limits: drawn so that today's chain passes

    def _channels(self) -> None:
        sure = all(rate == 1 for rate in (row.get("on_time_rate", 1) for row in self.sheets["lanes"]))
        for name in self.channels:
            if name == "shop" and not self.timed and self.chance(0.3):
                continue
            promise = self._promise()
            late = promise is not None and self.chance(0.35)
            hurry = (
                promise is not None and promise > 2 and not late and self.chance(0.4)
            )  # today's chain is late
            patient = sure and not late and not hurry
            share = None if promise is None or (patient and self.chance(0.7)) else self.number(0.2, 0.7)
            if hurry:
                promise, share = self.pick([0, 1, 2]), 0.0
            partial = self.chance(0.15)
            self.add(
                "channels",
                channel=name,
                response_days=None
                if promise is None
                else max(0.0, promise - (self.pick([0, 1]) if late else 0)),
                max_late_days=self.pick([1, 2, 4]) if late and self.chance(0.6) else None,
                late_cost=self.number(0.5, 8)
                if promise is not None and (hurry or self.chance(0.5))
                else None,
                on_time_share=share,
                share_scope=self.pick(["region", "all", "market"]) if share is not None else None,
                min_fill=self.number(0.6, 0.95) if partial else None,
                unmet_cost=self.number(10, 40) if partial else None,
                pool="common" if len(self.channels) > 1 and self.chance(0.3) else None,
                service_level=self.pick([0.9, 0.97]) if self.chance(0.2) else None,
                commission_rate=self.number(0.01, 0.05) if self.chance(0.15) else None,
                return_rate=self.number(0.02, 0.3) if self.chance(0.2) else None,
                return_cost=self.number(1, 10) if self.chance(0.3) else None,
                single_source="yes" if self.chance(0.12) else None,
            )

    def _promise(self) -> float | None:
        """Days that today's chain needs, and some more; blank now and then."""
        if self.chance(0.2):
            return None
        sites = {row["site"]: row for row in self.sheets["sites"]}
        leads = {
            (row["origin"], row["destination"]): self.up(row["lead_days"]) for row in self.sheets["lanes"]
        }
        last = max(leads["W1", market] for market in self.markets)
        make = max(self.up(row.get("lead_days", 0)) for row in self.sheets["supply"] if row["site"] == "S1")
        chain = make + leads["S1", "W1"] + sum(self.up(sites[s].get("process_days", 0)) for s in ("S1", "W1"))
        stocked = sites["W1"]["stock"] in ("existing", "must") and not any(
            row["site"] == "W1" and "stock" in row for row in self.sheets.get("site_products", [])
        )
        need = last if stocked else chain + last
        return float(need + self.pick([0, 1, 2, 0.5], [0.5, 0.2, 0.2, 0.1]))

    def _tariff(self, subject: str, unit: float, fixed: float, bound: bool) -> None:
        behavior = self.pick(["incremental", "all_units"])
        rising = self.chance(0.35)
        start = 0.0 if bound or self.chance(0.5) else round(self.volume * self.number(0.05, 0.3))
        edges = [
            start,
            round(self.volume * self.number(0.35, 0.6)),
            round(self.volume * self.number(0.65, 0.9)),
        ]
        for number, edge in enumerate(edges[: self.pick([2, 3])]):
            factor = 1 + 0.25 * number if rising else 1 - 0.25 * number
            self.add(
                "rates",
                subject=subject,
                from_units=edge,
                unit_cost=round(unit * factor, 2),
                fixed_cost=round(fixed * self.number(0.3, 1), 0) if self.chance(0.5) else None,
                behavior=behavior,
            )

    def _rates(self) -> None:
        if not self.chance(0.4):
            return
        today = {row["site"]: row["status"] in ("keep", "existing", "close") for row in self.sheets["sites"]}
        names = [
            name for name in ("W1", "W2", "S1") if name in today and (name != "W2" or self.second != "open")
        ]
        # a site that takes over a place starts at 0: the contract leaves open whether it may stand idle below
        bound = {name: used or (name == "W2" and self.second == "takeover") for name, used in today.items()}
        subjects = [(name, bound[name], 2.0) for name in names for _ in range(3)]
        lanes = self.sheets["lanes"]
        for lane in lanes:
            same = {
                x.get("operator")
                for x in lanes
                if (x["origin"], x["destination"]) == (lane["origin"], lane["destination"])
            }
            if len(same) == 1:
                existing = lane.get("status", "existing") == "existing"
                subjects.append((f"{lane['origin']}>{lane['destination']}", existing, 4.0))
        subjects += [(name, used, 1.5) for name, used in self.operators.items() for _ in range(6)]
        for number in dict.fromkeys(
            int(self.random.integers(len(subjects))) for _ in range(self.pick([1, 2]))
        ):
            subject, used, unit = subjects[number]
            if not any(row["subject"] == subject for row in self.sheets.get("rates", [])):
                self._tariff(subject, self.number(0.5 * unit, 1.5 * unit), self.number(200, 1500, 0), used)

    def _operators(self) -> None:
        for name, today in self.operators.items():
            self.add(
                "operators",
                operator=name,
                contract_cost=self.number(100, 2000, 0) if self.chance(0.5) else None,
                min_units=round(self.volume * self.number(0.1, 0.8))
                if not today and self.chance(0.2)
                else None,
                min_bill=self.number(500, 8000, 0) if self.chance(0.35) else None,
                capacity=round(self.volume * self.number(0.5, 2.5))
                if not today and self.chance(0.15)
                else None,
            )

    def _limits(self) -> None:
        if not self.chance(0.35):
            return
        measures = ["sites", "openings", "closures", "changes", "units", "one_off", "co2", "stock_value"]
        names = [row["site"] for row in self.sheets["sites"]]
        for number, measure in enumerate(
            dict.fromkeys(self.pick(measures) for _ in range(self.pick([1, 2])))
        ):
            row: Record = {"limit": f"limit {number + 1}", "measure": measure}
            if measure == "sites":
                row["max"] = len(names) - self.pick([0, 1])
                if self.chance(0.3):
                    row.update(tier="depot", min=1, max=None)
            elif measure in ("openings", "closures"):
                row["max"] = self.pick([0, 1])
            elif measure == "changes":
                row["max"] = self.pick([2, 3, 4])
            elif measure == "units":
                self._units_limit(row, names)
            elif measure == "one_off":
                row["max"] = self.number(1000, 6000, 0)
            elif measure == "co2":
                row["max"] = round(self._carbon_today() * self.number(0.95, 1.3))
            else:
                worth = max(product["value"] for product in self.sheets["products"])
                row["max"] = round(worth * self.total / self.year * self.number(3, 20))
            self.add("limits", **row)

    def _units_limit(self, row: Record, names: list[str]) -> None:
        kind = self.pick(["site", "channel", "tier"])
        if kind == "site":
            row.update(site=self.pick(names), max=round(self.total * self.number(0.6, 1.2)))
        elif kind == "channel":
            demand = [x["units"] for x in self.sheets["demand"] if x["channel"] == "shop"]
            row.update(channel="shop", min=round(sum(demand) * 0.5))
        else:
            row.update(tier="depot", product=self.pick(self.products), max=round(self.total * 1.1))

    def _carbon_today(self) -> float:
        """Kilograms of today's chain, an upper end for limits."""
        sites = {row["site"]: row.get("co2_per_unit", 0.0) for row in self.sheets["sites"]}
        lanes = {(x["origin"], x["destination"]): x.get("co2_per_unit", 0.0) for x in self.sheets["lanes"]}
        inbound = sites["S1"] + lanes["S1", "W1"] + sites["W1"]
        demand = self.sheets["demand"]
        return float(sum(row["units"] * (inbound + lanes["W1", row["market"]]) for row in demand))


# --------------------------------------------------------------------------------------------------- features


Sheets = dict[str, dict[str, list[Any]]]


def features(frames: dict[str, pd.DataFrame]) -> set[str]:
    """Names of the contract's features that a case uses, for counting coverage."""
    sheets = {sheet: {str(name): frame[name].tolist() for name in frame} for sheet, frame in frames.items()}
    found = {f"sheet {sheet}" for sheet in sheets}
    found |= {f"{sheet}.{name}" for sheet in sheets for name in sheets[sheet] if _given(sheets, sheet, name)}
    return found | _words(sheets) | _chains(sheets) | _tariffs(sheets)


def _column(sheets: Sheets, sheet: str, column: str) -> list[Any]:
    """All cells of a column, blanks as None; empty where the sheet or the column is missing."""
    cells = sheets.get(sheet, {}).get(column)
    if cells is None:
        return [None] * len(next(iter(sheets[sheet].values()))) if sheet in sheets else []
    return [None if isinstance(cell, float) and math.isnan(cell) else cell for cell in cells]


def _given(sheets: Sheets, sheet: str, column: str) -> list[Any]:
    return [cell for cell in _column(sheets, sheet, column) if cell is not None]


def _words(sheets: Sheets) -> set[str]:
    """Values of columns that hold words, and settings that are given."""
    choices = [("sites", "status"), ("sites", "stock"), ("sites", "o2o"), ("site_products", "stock")]
    choices += [
        ("lanes", "status"),
        ("channels", "share_scope"),
        ("limits", "measure"),
        ("rates", "behavior"),
    ]
    found = {
        f"{sheet}.{column}={value}" for sheet, column in choices for value in _given(sheets, sheet, column)
    }
    found |= {f"settings {key}" for key in _given(sheets, "settings", "key")}
    channels = set(_given(sheets, "demand", "channel"))
    return found | {f"{len(_given(sheets, 'sites', 'site'))} sites", f"{len(channels)} channels"}


def _chains(sheets: Sheets) -> set[str]:
    status = dict(zip(_column(sheets, "sites", "site"), _column(sheets, "sites", "status"), strict=True))
    today = {site for site, word in status.items() if word in ("keep", "existing", "close")}
    origins, ends = _column(sheets, "lanes", "origin"), _column(sheets, "lanes", "destination")
    candidate = [word == "candidate" for word in _column(sheets, "lanes", "status")]
    sources = set(_given(sheets, "supply", "site"))
    pools = {channel: channel for channel in _given(sheets, "demand", "channel")}
    rows = zip(_column(sheets, "channels", "channel"), _column(sheets, "channels", "pool"), strict=True)
    pools.update({channel: pool for channel, pool in rows if pool is not None})
    by_site = zip(_column(sheets, "sites", "site"), _column(sheets, "sites", "operator"), strict=True)
    by_lane = zip(candidate, _column(sheets, "lanes", "operator"), strict=True)
    checks = {
        "promise above zero": any(days > 0 for days in _given(sheets, "channels", "response_days")),
        "promise zero": any(days == 0 for days in _given(sheets, "channels", "response_days")),
        "several pools": len(set(pools.values())) > 1,
        "shared pool": len(set(pools.values())) < len(pools),
        "no review": any(days == 0 for days in _given(sheets, "sites", "review_days")),
        "negative closing cost": any(cost < 0 for cost in _given(sheets, "sites", "close_cost")),
        "unused existing site": bool(today - set(origins) - set(ends)),
        "take over": bool(_given(sheets, "sites", "place")),
        "direct candidate lane": any(
            new and start in sources and end not in status
            for start, end, new in zip(origins, ends, candidate, strict=True)
        ),
        "operator today": any(operator and site in today for site, operator in by_site)
        or any(operator and not new for new, operator in by_lane),
        "two sources": len(sources) > 1,
    }
    return {name for name, holds in checks.items() if holds}


def _tariffs(sheets: Sheets) -> set[str]:
    found: set[str] = set()
    operators = set(_given(sheets, "operators", "operator"))
    columns = ("subject", "from_units", "unit_cost", "behavior")
    rows = list(zip(*(_column(sheets, "rates", column) for column in columns), strict=True))
    for subject in dict.fromkeys(row[0] for row in rows):
        tiers = [row for row in rows if row[0] == subject]
        found.add(
            "tariff on " + ("pair" if ">" in subject else "operator" if subject in operators else "site")
        )
        slope = "rising" if tiers[-1][2] > tiers[0][2] else "falling"
        found.add(f"tariff {tiers[0][3]} {slope}")
        if tiers[0][1] > 0:
            found.add("lowest from_units above 0")
    return found
