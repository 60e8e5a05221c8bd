"""Exhaustive oracle for tiny cases: the least cost of a strategy by a road that shares no code with scopt.

Three steps, all from the words of the contract:

1. every simple route (source, sites, market) with every admissible stock action at each site is listed;
2. the decisions (sites, joined sites, contracts, tariff tiers, lanes, slots, single sources) and the flows of
   the routes form a linear model, in which each root is replaced by its chord over a range of the variance;
3. a branch and bound of our own fixes decisions and splits ranges until bound and true cost agree to ``GAP``;
   only linear programs are left to a solver.

The best design is priced once more by `bill`, which adds up sites, lanes and stock points one after another
and never sees the linear model; both costs must agree.

Left out: lane rules, ``units_today``, scenarios, lever ``share``, sheet ``changes``, least stock values.
"""

from __future__ import annotations

import heapq
import itertools
import math
from collections import defaultdict
from dataclasses import dataclass, field
from statistics import NormalDist
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import highspy
import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    Frames = Mapping[str, pd.DataFrame]
    Levers = Mapping[str, bool]
    Vector = np.ndarray[Any, np.dtype[np.float64]]
    Key = tuple[str, str, str]  # market, channel, product
    Terms = list[tuple[int, float]]  # column, weight

LEVERS = ("remove", "add", "direct", "outsource", "restock", "o2o")
INTEGRATED: dict[str, bool] = dict.fromkeys(LEVERS, True)
AS_IS: dict[str, bool] = {**dict.fromkeys(LEVERS, False), "measured": True}
BUCKETS = [
    *(
        "supply",
        "transport",
        "handling",
        "sites",
        "one_off",
        "replaced",
        "margins",
        "commission",
        "operators",
    ),
    *("stock_slots", "safety_stock", "cycle_stock", "pipeline_stock", "losses", "integration", "platform"),
    *("late", "unmet", "returns", "emissions"),
]
GAP = 1e-7
EPS = 1e-9
TRACE = 1e-7  # smaller flows are rounding noise of the linear programs
TODAY = ("keep", "existing", "close")
INF = math.inf


def only(*levers: str) -> dict[str, bool]:
    """Levers of a strategy in which the named ones alone are switched on."""
    return {name: name in levers for name in LEVERS}


# ------------------------------------------------------------------------------------------ the case as given


def _is_blank(value: Any) -> bool:
    return value is None or value is pd.NA or value == "" or (isinstance(value, float) and math.isnan(value))


def _rows(frames: Frames, sheet: str, **defaults: Any) -> list[SimpleNamespace]:
    """Rows of a sheet with the contract's defaults filled in."""
    if sheet not in frames:
        return []
    given = {name: frames[sheet][name].tolist() for name in frames[sheet]}
    rows = []
    for number in range(len(frames[sheet])):
        record = {name: values[number] for name, values in given.items()}
        if "status" not in defaults and record.get("status") == "exclude":
            continue
        own = {name: record.get(name) for name in defaults}
        rows.append(SimpleNamespace(**{k: defaults[k] if _is_blank(v) else v for k, v in own.items()}))
    return rows


def _zero(names: str) -> dict[str, float]:
    return dict.fromkeys(names.split(), 0.0)


def _round_up(days: float, step: float) -> float:
    return math.ceil(days / step - EPS) * step


@dataclass(frozen=True)
class Tier:
    """One line of a tariff: ``fixed + unit · volume`` in [low, high]; ``paid`` are the fixed costs in it."""

    fixed: float
    unit: float
    low: float
    high: float
    paid: float


class Given:
    """The case as one strategy sees it: rows with defaults, what may open, which lanes may be used."""

    def __init__(self, frames: Frames, strategy: Levers) -> None:
        if frames.get("lane_rules") is not None and len(frames["lane_rules"]):
            raise NotImplementedError("the oracle reads explicit lanes only")
        self.measured = bool(strategy.get("measured", False))
        self.lever = {name: bool(strategy.get(name, True)) and not self.measured for name in LEVERS}
        self.settings = {row.key: row.value for row in _rows(frames, "settings", key="", value=None)}
        self.year = float(self.settings.get("days_per_year", 365))
        self.step = float(self.settings.get("time_step_days", 1))
        self.one_off_years = float(self.settings.get("one_off_years", 3))
        self.co2_price = float(self.settings.get("co2_price", 0))
        self._read_products(frames)
        self._read_sites(frames)
        self._read_demand(frames)
        self._read_channels(frames)
        self._read_offers(frames)
        self._read_lanes(frames)

    def _read_products(self, frames: Frames) -> None:
        rows = _rows(
            frames,
            "products",
            product="",
            size=1.0,
            holding_rate=self.settings.get("holding_rate", 0.2),
            service_level=self.settings.get("service_level", 0.95),
            max_stock_days=None,
            max_site_days=None,
            **_zero("value price loss_rate_per_day"),
        )
        self.products = {row.product: row for row in rows}

    def _read_sites(self, frames: Frames) -> None:
        rows = _rows(
            frames,
            "sites",
            **{
                "site": "",
                "tier": "site",
                "place": None,
                "operator": "",
                "status": "candidate",
                "stock": "no",
            },
            **_zero("fixed_cost open_cost close_cost replacement_cost unit_cost margin_rate min_units"),
            **_zero("process_days stock_cost co2_per_unit"),
            capacity=None,
            review_days=self.settings.get("review_days", 7),
            o2o=None,
            o2o_cost=None,
        )
        for row in rows:
            row.place = row.place or row.site
            row.o2o = row.o2o or ("no" if row.o2o_cost is None else "optional")
            row.o2o_cost = row.o2o_cost or 0.0
            row.today = row.status in TODAY
            row.days = _round_up(row.process_days, self.step)
            row.low, row.high = self._opening(row)
        self.sites = {row.site: row for row in rows}
        own = dict.fromkeys(("capacity", "unit_cost", "stock", "stock_cost"))
        rows = _rows(frames, "site_products", site="", product="", **own)
        self.site_products = {(row.site, row.product): row for row in rows}
        rows = _rows(frames, "supply", site="", product="", unit_cost=0.0, capacity=None, lead_days=0.0)
        self.supply = {(row.site, row.product): row for row in rows}

    def _opening(self, site: SimpleNamespace) -> tuple[int, int]:
        """Least and greatest value of the opening decision, apart from the rows on places."""
        if self.measured:
            return int(site.today), int(site.today)
        lever = int(self.lever["outsource" if site.operator else "add"])
        stays = int(not self.lever["remove"])
        return {
            "keep": (1, 1),
            "existing": (0, 1),
            "close": (0, stays),
            "candidate": (0, lever),
            "open": (lever, lever),
            "closed": (0, 0),
        }[site.status]

    def _read_demand(self, frames: Frames) -> None:
        self.region = {row.market: row.region for row in _rows(frames, "markets", market="", region="")}
        rows = _rows(frames, "demand", market="", channel="all", product="", units=0.0, cv=None, vmr=None)
        self.demand: dict[Key, float] = {
            (r.market, r.channel, r.product): r.units for r in rows if r.units > 0
        }
        spread: dict[tuple[str, str], float] = defaultdict(float)
        total: dict[tuple[str, str], float] = defaultdict(float)
        for row in rows:
            vmr = row.vmr if row.vmr is not None else (row.cv or 0.0) ** 2 * row.units / self.year
            spread[row.channel, row.product] += vmr * row.units
            total[row.channel, row.product] += row.units
        self.vmr = {key: spread[key] / units if units else 0.0 for key, units in total.items()}

    def _read_channels(self, frames: Frames) -> None:
        named = list(frames["channels"]["channel"]) if "channels" in frames else []
        extra = dict.fromkeys(channel for _, channel, _ in self.demand if channel not in named)
        sheets = [frames["channels"]] if named else []
        if extra:
            sheets.append(pd.DataFrame({"channel": list(extra)}))
        rows = _rows(
            {"channels": pd.concat(sheets, ignore_index=True)},
            "channels",
            channel="",
            on_time_share=1.0,
            share_scope="market",
            min_fill=1.0,
            unmet_cost=self.settings.get("unmet_cost"),
            single_source="no",
            **_zero("late_cost commission_rate return_rate return_cost"),
            **dict.fromkeys(("response_days", "max_late_days", "pool", "service_level")),
        )
        for row in rows:
            row.pool = row.pool or row.channel
        self.channels = {row.channel: row for row in rows}

    def _read_offers(self, frames: Frames) -> None:
        rows = _rows(
            frames, "operators", operator="", **_zero("contract_cost min_units min_bill"), capacity=None
        )
        self.operators = {row.operator: row for row in rows}
        self.rates: dict[str, list[SimpleNamespace]] = defaultdict(list)
        costs = _zero("from_units fixed_cost unit_cost")
        for row in _rows(frames, "rates", subject="", behavior="incremental", **costs):
            self.rates[row.subject].append(row)
        scope = dict.fromkeys(("tier", "operator", "channel", "product", "site", "market"), "")
        rows = _rows(frames, "limits", limit="", measure="", min=None, max=None, **scope)
        self.limits = [] if self.measured else rows

    def _read_lanes(self, frames: Frames) -> None:
        rows = _rows(
            frames,
            "lanes",
            **{
                "origin": "",
                "destination": "",
                "channel": "",
                "product": "",
                "operator": "",
                "status": "existing",
            },
            **_zero("unit_cost fixed_cost min_units lead_days co2_per_unit damage_rate margin_rate"),
            on_time_rate=1.0,
            capacity=None,
        )
        for row in rows:
            row.to_market = row.destination not in self.sites
            row.days = _round_up(row.lead_days, self.step)
            row.pair = f"{row.origin}>{row.destination}"
            row.usable = self._lane_usable(row)
        self.lanes = rows
        self.out: dict[str, list[int]] = defaultdict(list)
        for number, row in enumerate(rows):
            if row.usable:
                self.out[row.origin].append(number)

    def _lane_usable(self, lane: SimpleNamespace) -> bool:
        ends = [self.sites[name] for name in (lane.origin, lane.destination) if name in self.sites]
        if lane.status == "closed" or not all(site.high for site in ends):
            return False
        if lane.status == "existing":
            return True
        if self.measured:
            return False
        if lane.operator:
            return self.lever["outsource"]
        return self.lever["direct"] or not all(site.status in ("keep", "existing") for site in ends)

    def stock_kind(self, site: str, product: str) -> str:
        own = self.site_products.get((site, product))
        return str(own.stock if own and own.stock else self.sites[site].stock)

    def must_stock(self, site: str, product: str) -> bool:
        kind = self.stock_kind(site, product)
        return kind == "must" or (kind == "existing" and not self.lever["restock"])

    def may_stock(self, site: str, product: str) -> bool:
        optional = self.lever["restock"] and self.stock_kind(site, product) in ("optional", "existing")
        return optional or self.must_stock(site, product)

    def slot_cost(self, site: str, product: str) -> float:
        own = self.site_products.get((site, product))
        return float(self.sites[site].stock_cost if own is None or own.stock_cost is None else own.stock_cost)

    def unit_cost(self, site: str, product: str) -> float:
        """Cost per unit through a site; 0 where rates take its place."""
        if site in self.rates:
            return 0.0
        own = self.site_products.get((site, product))
        return float(self.sites[site].unit_cost if own is None or own.unit_cost is None else own.unit_cost)

    def lane_costs(self, number: int) -> tuple[float, float]:
        """Fixed and unit cost of a lane; 0 where rates of the pair take their place."""
        lane = self.lanes[number]
        return (0.0, 0.0) if lane.pair in self.rates else (lane.fixed_cost, lane.unit_cost)

    def joins(self, site: str) -> str:
        """Whether the pools of an open site are joined: "never", "always" or "free"."""
        kind = self.sites[site].o2o
        if self.lever["o2o"]:
            return "never" if kind == "no" else "free"
        return "always" if kind == "existing" else "never"

    def factor(self, product: str, pool: str | None) -> float:
        """Normal quantile of the highest service level in a pool (None: all pools joined)."""
        own = self.products[product].service_level
        levels = [own if c.service_level is None else c.service_level for c in self._members(pool)]
        return NormalDist().inv_cdf(max(levels))

    def _members(self, pool: str | None) -> list[SimpleNamespace]:
        return [c for c in self.channels.values() if pool is None or c.pool == pool]

    def tiers(self, subject: str) -> list[Tier]:
        rows = sorted(self.rates[subject], key=lambda row: row.from_units)
        edges = [row.from_units for row in rows] + [INF]
        if self.measured:
            edges[0] = 0.0
        tiers = []
        below = paid = 0.0  # unit costs of the full tiers below, fixed costs of all tiers reached
        for number, row in enumerate(rows):
            low, high = edges[number], edges[number + 1]
            start = low if number else 0.0  # the first price also holds below the first tier
            if row.behavior == "all_units":
                tiers.append(Tier(row.fixed_cost, row.unit_cost, low, high, row.fixed_cost))
                continue
            paid += row.fixed_cost
            tiers.append(Tier(paid + below - row.unit_cost * start, row.unit_cost, low, high, paid))
            below += row.unit_cost * (high - start)
        if subject in self.sites and edges[0] > 0:  # open and unused: its fixed cost, no volume
            tiers.append(Tier(rows[0].fixed_cost, 0.0, 0.0, 0.0, rows[0].fixed_cost))
        return tiers

    def closing_cost(self, site: SimpleNamespace) -> float:
        return float(site.close_cost / self.one_off_years + site.replacement_cost) if site.today else 0.0


# ----------------------------------------------------------------------------------------------------- routes


@dataclass(frozen=True)
class Route:
    """A way to a market: sites, lanes (rows of the sheet), stock (site, days quoted, days covered)."""

    market: str
    channel: str
    product: str
    sites: tuple[str, ...]
    lanes: tuple[int, ...]
    stock: tuple[tuple[str, float, float], ...]
    days: float
    on_time: float

    @property
    def key(self) -> Key:
        return self.market, self.channel, self.product

    def __str__(self) -> str:
        held = {site: f"[quotes {quote:g}, covers {cover:g}]" for site, quote, cover in self.stock}
        path = " > ".join(site + held.get(site, "") for site in self.sites)
        goods = f"{self.channel}, {self.product}"
        return f"{path} > {self.market} ({goods}; {self.days:g} days, {self.on_time:.3g} on time)"


class Routes:
    """Lists every simple route of every demand."""

    def __init__(self, given: Given) -> None:
        self.given = given
        self._rest: dict[tuple[str, str, str], tuple[float, ...]] = {}

    def all(self) -> list[Route]:
        found: list[Route] = []
        for key in self.given.demand:
            for site, product in self.given.supply:
                if product == key[2] and self.given.sites[site].high:
                    days = _round_up(self.given.supply[site, product].lead_days, self.given.step)
                    found += self._from(key, site, days, (), (), ())
        return _undominated(found)

    def _usable(self, site: str, channel: str, product: str) -> Iterator[int]:
        for number in self.given.out[site]:
            lane = self.given.lanes[number]
            if lane.channel in ("", channel) and lane.product in ("", product):
                yield number

    def _from(self, key: Key, site: str, days: float, sites: Any, lanes: Any, stock: Any) -> Iterator[Route]:
        """Routes of demand ``key`` whose goods have just reached ``site``."""
        given = self.given
        sites = (*sites, site)
        entered = days + given.sites[site].days
        for quote, cover in self._actions(site, key[1], key[2], entered):
            held = stock if cover is None or cover <= EPS else (*stock, (site, quote, cover))
            for number in self._usable(site, key[1], key[2]):
                lane = given.lanes[number]
                arrival = quote + lane.days
                if lane.destination == key[0]:
                    yield from self._end(key, arrival, sites, (*lanes, number), held)
                elif not lane.to_market and lane.destination not in sites:
                    yield from self._from(key, lane.destination, arrival, sites, (*lanes, number), held)

    def _end(self, key: Key, days: float, sites: Any, lanes: Any, stock: Any) -> Iterator[Route]:
        channel = self.given.channels[key[1]]
        on_time = 1.0
        if channel.response_days is not None:
            late = INF if channel.max_late_days is None else channel.max_late_days
            if days > channel.response_days + late + EPS:
                return
            on_time = math.prod(self.given.lanes[number].on_time_rate for number in lanes)
            if days > channel.response_days + EPS:
                on_time = 0.0
        yield Route(*key, sites, lanes, stock, days, on_time)

    def _actions(
        self, site: str, channel: str, product: str, days: float
    ) -> Iterator[tuple[float, float | None]]:
        """Pass on (coverage None), or stock with each admissible quote."""
        must = self.given.must_stock(site, product)
        if not must:
            yield days, None
        if self.given.may_stock(site, product):
            for quote in self._quotes(site, channel, product, days):
                cover = days - quote + self.given.sites[site].review_days
                if must or cover > EPS:
                    yield quote, cover

    def _quotes(self, site: str, channel: str, product: str, days: float) -> list[float]:
        row = self.given.channels[channel]
        promises = []
        if row.response_days is not None:
            promises.append(row.response_days)
            if row.max_late_days is not None:
                promises.append(row.response_days + row.max_late_days)
        quotes = {0.0}
        for promise, rest in itertools.product(promises, self._remaining(site, channel, product)):
            if -EPS <= promise - rest <= days + EPS:
                quotes.add(min(max(promise - rest, 0.0), days))
        return sorted(quotes)

    def _remaining(self, site: str, channel: str, product: str) -> tuple[float, ...]:
        """Days of every route without stock from a site to a market that wants the product in the channel."""
        key = site, channel, product
        if key not in self._rest:
            self._rest[key] = tuple({round(days, 9) for days in self._walk(key, (site,), 0.0)})
        return self._rest[key]

    def _walk(self, key: Key, visited: tuple[str, ...], days: float) -> Iterator[float]:
        _, channel, product = key
        for number in self._usable(visited[-1], channel, product):
            lane = self.given.lanes[number]
            place = lane.destination
            if lane.to_market:
                if (place, channel, product) in self.given.demand:
                    yield days + lane.days
            elif place not in visited and not self.given.must_stock(place, product):
                yield from self._walk(key, (*visited, place), days + lane.days + self.given.sites[place].days)


def _undominated(routes: list[Route]) -> list[Route]:
    """Drop routes that differ from another one by longer coverages alone: they never cost less."""
    groups: dict[Any, list[Route]] = defaultdict(list)
    for route in dict.fromkeys(routes):
        held = tuple(site for site, _, _ in route.stock)
        group = groups[route.key, route.lanes, held, route.on_time]
        covers = [cover for *_, cover in route.stock]
        if any(all(c <= d for (*_, c), d in zip(other.stock, covers, strict=True)) for other in group):
            continue
        group[:] = [o for o in group if not all(d <= c for (*_, c), d in zip(o.stock, covers, strict=True))]
        group.append(route)
    return [route for group in groups.values() for route in group]


# ------------------------------------------------------------------------------------------- the linear model


class Linear:
    """Columns and rows of a linear model, by number."""

    def __init__(self) -> None:
        self.cost: list[float] = []
        self.low: list[float] = []
        self.high: list[float] = []
        self.binary: list[bool] = []
        self.rows: list[tuple[float, float, dict[int, float]]] = []

    def column(self, cost: float = 0.0, low: float = 0.0, high: float = INF, *, binary: bool = False) -> int:
        self.cost.append(cost)
        self.low.append(low)
        self.high.append(high)
        self.binary.append(binary)
        return len(self.cost) - 1

    def row(self, low: float, high: float, terms: Iterable[tuple[int, float]]) -> int:
        total: dict[int, float] = defaultdict(float)
        for column, value in terms:
            total[column] += value
        self.rows.append((low, high, {c: v for c, v in total.items() if v != 0.0}))
        return len(self.rows) - 1


@dataclass(frozen=True)
class Cell:
    """Stock of a product at a site for one pool (None: all joined); columns of its variance and its root."""

    site: str
    product: str
    pool: str | None
    variance: int
    root: int
    chord: int
    factor: float


@dataclass
class Model:
    """The linear model of a case and the meaning of its columns."""

    given: Given
    routes: list[Route]
    lp: Linear = field(default_factory=Linear)
    offset: float = 0.0
    flow: list[int] = field(default_factory=list)
    unmet: dict[Key, int] = field(default_factory=dict)
    opened: dict[str, int] = field(default_factory=dict)
    joined: dict[str, int] = field(default_factory=dict)
    slot: dict[tuple[str, str], int] = field(default_factory=dict)
    cells: list[Cell] = field(default_factory=list)
    stock_rows: list[int] = field(default_factory=list)
    bills: dict[str, list[tuple[int, float]]] = field(default_factory=lambda: defaultdict(list))

    def flows(self, test: Callable[[Route], Any]) -> list[tuple[int, float]]:
        """Flow columns with the weight that ``test`` gives their route."""
        return [(c, float(w)) for c, r in zip(self.flow, self.routes, strict=True) if (w := test(r))]

    def link(self, switch: int, test: Callable[[Route], bool]) -> None:
        """Routes that pass ``test`` carry nothing unless ``switch`` is on, demand by demand."""
        by_demand: dict[Key, list[int]] = defaultdict(list)
        for column, route in zip(self.flow, self.routes, strict=True):
            if test(route):
                by_demand[route.key].append(column)
        for key, columns in by_demand.items():
            self.lp.row(-INF, 0.0, [(c, 1.0) for c in columns] + [(switch, -self.given.demand[key])])

    def size(self, route: Route) -> float:
        return float(self.given.products[route.product].size)


def build(given: Given) -> Model:
    """All columns and rows."""
    model = Model(given, Routes(given).all())
    _add_decisions(model)
    _add_flows(model)
    _add_supply(model)
    for site in given.sites.values():
        if site.high:
            _add_site(model, site)
    for number, lane in enumerate(given.lanes):
        if lane.usable:
            _add_lane(model, number)
    for subject in given.rates:
        if ">" in subject:
            _add_pair(model, subject)
    for row in given.operators.values():
        _add_operator(model, row)
    _add_service(model)
    _add_stock(model)
    _add_limits(model)
    return model


def _add_decisions(model: Model) -> None:
    given, lp = model.given, model.lp
    places: dict[str, list[int]] = defaultdict(list)
    for name, site in given.sites.items():
        fixed = 0.0 if name in given.rates else site.fixed_cost
        opening = 0.0 if site.today else site.open_cost / given.one_off_years
        model.offset += given.closing_cost(site)
        cost = fixed + opening - given.closing_cost(site)
        model.opened[name] = lp.column(cost, site.low, site.high, binary=True)
        places[site.place].append(model.opened[name])
        if site.operator:
            model.bills[site.operator].append((model.opened[name], fixed))
        if site.high and given.joins(name) != "never":
            model.joined[name] = lp.column(site.o2o_cost, 0, 1, binary=True)
            low = 0.0 if given.joins(name) == "always" else -INF
            lp.row(low, 0.0, [(model.joined[name], 1.0), (model.opened[name], -1.0)])
    if given.measured:
        return
    for columns in places.values():
        lp.row(-INF, 1.0, [(c, 1.0) for c in columns])
    for site in given.sites.values():
        if site.status in ("existing", "close") and not given.lever["remove"]:
            lp.row(1.0, INF, [(c, 1.0) for c in places[site.place]])


def _unit_costs(given: Given, route: Route) -> tuple[float, dict[str, float]]:
    """Cost of a unit on a route but for fixed costs, tariffs and safety stock; operators' part of it."""
    product, channel = given.products[route.product], given.channels[route.channel]
    source = given.supply[route.sites[0], route.product]
    cost = source.unit_cost + channel.commission_rate * product.price
    cost += channel.return_rate * channel.return_cost + channel.late_cost * (1.0 - route.on_time)
    carrying = product.value * (product.holding_rate / given.year + product.loss_rate_per_day)  # unit and day
    bill: dict[str, float] = defaultdict(float)
    for name in route.sites:
        site = given.sites[name]
        handling = given.unit_cost(name, route.product)
        cost += handling + site.margin_rate * product.price + site.co2_per_unit * given.co2_price
        cost += carrying * site.process_days
        bill[site.operator] += handling
    for number in route.lanes:
        lane = given.lanes[number]
        freight = given.lane_costs(number)[1]
        cost += freight + lane.margin_rate * product.price + lane.co2_per_unit * given.co2_price
        cost += carrying * lane.lead_days
        cost += lane.damage_rate * (product.value + (channel.return_cost if lane.to_market else 0.0))
        bill[lane.operator] += freight
    for name, _, _ in route.stock:
        cost += carrying * given.sites[name].review_days / 2
    return cost, bill


def _add_flows(model: Model) -> None:
    given, lp = model.given, model.lp
    for route in model.routes:
        cost, bill = _unit_costs(given, route)
        model.flow.append(lp.column(cost))
        for operator, share in bill.items():
            if operator:
                model.bills[operator].append((model.flow[-1], share))
    for key, units in given.demand.items():
        _add_demand(model, key, units)


def _add_demand(model: Model, key: Key, units: float) -> None:
    channel = model.given.channels[key[1]]
    terms = model.flows(lambda r: r.key == key)
    if channel.min_fill < 1 and channel.unmet_cost is not None:
        model.unmet[key] = model.lp.column(channel.unmet_cost, 0.0, (1 - channel.min_fill) * units)
        terms.append((model.unmet[key], 1.0))
    model.lp.row(units, units, terms)


def _add_tariff(model: Model, subject: str, switch: int, volume: Terms, operator: str) -> None:
    """Exactly one tier holds the volume when ``switch`` is on."""
    lp = model.lp
    most = sum(w * model.given.demand[model.routes[model.flow.index(c)].key] for c, w in volume)
    tiers, parts = [], []
    for tier in model.given.tiers(subject):
        chosen = lp.column(tier.fixed, 0, 1, binary=True)
        part = lp.column(tier.unit)
        lp.row(0.0, INF, [(part, 1.0), (chosen, -tier.low)])
        lp.row(-INF, 0.0, [(part, 1.0), (chosen, -min(tier.high, most))])
        tiers.append(chosen)
        parts.append(part)
        if operator:
            model.bills[operator] += [(chosen, tier.fixed), (part, tier.unit)]
    lp.row(0.0, 0.0, [(c, 1.0) for c in tiers] + [(switch, -1.0)])
    lp.row(0.0, 0.0, [(c, 1.0) for c in parts] + [(c, -w) for c, w in volume])


def _add_volume(model: Model, volume: Terms, switch: int, row: SimpleNamespace) -> None:
    if row.capacity is not None:
        model.lp.row(-INF, 0.0, [*volume, (switch, -row.capacity)])
    if row.min_units > 0 and not model.given.measured:
        model.lp.row(0.0, INF, [*volume, (switch, -row.min_units)])


def _add_supply(model: Model) -> None:
    for (site, product), row in model.given.supply.items():
        if row.capacity is not None:
            _cap(model, row.capacity, product, site, source=True)
    for (site, product), row in model.given.site_products.items():
        if row.capacity is not None:
            _cap(model, row.capacity, product, site, source=False)


def _cap(model: Model, capacity: float, product: str, site: str, *, source: bool) -> None:
    """At most so many units of a product made at a site, or through it."""
    places = slice(1 if source else None)
    model.lp.row(-INF, capacity, model.flows(lambda r: r.product == product and site in r.sites[places]))


def _add_site(model: Model, site: SimpleNamespace) -> None:
    name, switch = site.site, model.opened[site.site]
    model.link(switch, lambda r: name in r.sites)
    volume = model.flows(lambda r: model.size(r) * (name in r.sites))
    _add_volume(model, volume, switch, site)
    if name in model.given.rates:
        _add_tariff(model, name, switch, volume, site.operator)


def _add_lane(model: Model, number: int) -> None:
    lane, fixed = model.given.lanes[number], model.given.lane_costs(number)[0]
    volume = model.flows(lambda r: model.size(r) * (number in r.lanes))
    if volume and (fixed > 0 or (lane.min_units > 0 and not model.given.measured)):
        switch = model.lp.column(fixed, 0, 1, binary=True)
        model.link(switch, lambda r: number in r.lanes)
        _add_volume(model, volume, switch, lane)
        if lane.operator:
            model.bills[lane.operator].append((switch, fixed))
    elif lane.capacity is not None:
        model.lp.row(-INF, lane.capacity, volume)


def _add_pair(model: Model, pair: str) -> None:
    """Rates of a pair, which hold for all its lanes together."""
    lanes = {
        number: lane for number, lane in enumerate(model.given.lanes) if lane.usable and lane.pair == pair
    }
    operators = {lane.operator for lane in lanes.values()}
    if len(operators) > 1:
        raise NotImplementedError(f"rates of {pair}: lanes of several operators")
    if lanes:
        switch = model.lp.column(0.0, 0, 1, binary=True)
        model.link(switch, lambda r: any(number in lanes for number in r.lanes))
        volume = model.flows(lambda r: model.size(r) * sum(number in lanes for number in r.lanes))
        _add_tariff(model, pair, switch, volume, operators.pop())


def operator_units(given: Given, operator: str, route: Route) -> int:
    """How often an operator counts a unit: at its sites, and on its lanes from sites not its own."""
    sites = [name for name in route.sites if given.sites[name].operator == operator]
    lanes = [given.lanes[number] for number in route.lanes]
    return len(sites) + len([x for x in lanes if x.operator == operator and x.origin not in sites])


def _add_operator(model: Model, row: SimpleNamespace) -> None:
    given, lp, name = model.given, model.lp, row.operator
    fixed = 0.0 if name in given.rates else row.contract_cost
    switch = lp.column(fixed, 0, 1, binary=True)
    model.bills[name].append((switch, fixed))
    for site in given.sites.values():
        if site.operator == name:
            lp.row(0.0, INF, [(switch, 1.0), (model.opened[site.site], -1.0)])
    model.link(switch, lambda r: any(given.lanes[number].operator == name for number in r.lanes))
    volume = model.flows(lambda r: model.size(r) * operator_units(given, name, r))
    _add_volume(model, volume, switch, row)
    if name in given.rates:
        _add_tariff(model, name, switch, volume, name)
    if row.min_bill > 0:
        top_up = lp.column(1.0)
        lp.row(0.0, INF, [(top_up, 1.0), *model.bills[name], (switch, -row.min_bill)])


def _add_service(model: Model) -> None:
    given, lp = model.given, model.lp
    groups: dict[tuple[str, str, str], list[tuple[int, float]]] = defaultdict(list)
    for column, route in zip(model.flow, model.routes, strict=True):
        channel = given.channels[route.channel]
        where = {"market": route.market, "region": given.region[route.market], "all": ""}[channel.share_scope]
        groups[route.channel, route.product, where].append((column, route.on_time - channel.on_time_share))
    for terms in groups.values():
        lp.row(0.0, INF, terms)
    for customer in dict.fromkeys(key[:2] for key in given.demand):
        if given.channels[customer[1]].single_source == "yes":
            _add_single_source(model, customer)


def _add_single_source(model: Model, customer: tuple[str, str]) -> None:
    """One site alone is the origin of the last lane to a market in a channel."""
    sites = dict.fromkeys(route.sites[-1] for route in model.routes if route.key[:2] == customer)
    chosen = [(_last_site_switch(model, customer, site), 1.0) for site in sites]
    model.lp.row(-INF, 1.0, chosen)


def _last_site_switch(model: Model, customer: tuple[str, str], site: str) -> int:
    switch = model.lp.column(0.0, 0, 1, binary=True)
    model.link(switch, lambda r: r.key[:2] == customer and r.sites[-1] == site)
    return switch


# ---------------------------------------------------------------------------------------------- stock, limits


def _stocked(route: Route, site: str, product: str) -> bool:
    return route.product == product and any(name == site for name, _, _ in route.stock)


def _variance(given: Given, route: Route, site: str) -> float:
    """Variance that a unit of yearly flow on a route adds to the stock at a site."""
    vmr = given.vmr[route.channel, route.product]
    return sum(cover * vmr / given.year for name, _, cover in route.stock if name == site)


def _add_stock(model: Model) -> None:
    points = sorted(_points(model))
    for point in points:
        _add_slot(model, point)
        _add_cells(model, *point)
    for product in [] if model.given.measured else model.given.products.values():
        _add_ceilings(model, product, [point for point in points if point[1] == product.product])


def _points(model: Model) -> set[tuple[str, str]]:
    return {(name, r.product) for r in model.routes for name, _, _ in r.stock}


def _add_slot(model: Model, point: tuple[str, str]) -> None:
    cost = model.given.slot_cost(*point)
    if cost > 0 or any(limit.measure == "changes" for limit in model.given.limits):
        switch = model.slot[point] = model.lp.column(cost, 0, 1, binary=True)
        model.link(switch, lambda r: _stocked(r, *point))
        model.lp.row(-INF, 0.0, [(switch, 1.0), (model.opened[point[0]], -1.0)])


def _add_ceilings(model: Model, product: SimpleNamespace, points: list[tuple[str, str]]) -> None:
    """Average stock within so many days of what is served, or of what each point stocks."""
    lp, year, name = model.lp, model.given.year, product.product
    if product.max_stock_days is not None:
        served = model.flows(lambda r: -product.max_stock_days / year * (r.product == name))
        held = [term for point in points for term in average_stock(model, *point)]
        model.stock_rows.append(lp.row(-INF, 0.0, served + held))
    if product.max_site_days is not None:
        for point in points:
            stocked = [(c, -product.max_site_days / year) for c, _ in model.flows(_stocked_at(point))]
            model.stock_rows.append(lp.row(-INF, 0.0, stocked + average_stock(model, *point)))


def _stocked_at(point: tuple[str, str]) -> Callable[[Route], bool]:
    return lambda r: _stocked(r, *point)


def average_stock(model: Model, site: str, product: str) -> list[tuple[int, float]]:
    """Safety and cycle stock at a point as terms of a row."""
    given = model.given
    cycle = given.sites[site].review_days / given.year / 2
    flows = [(c, cycle) for c, _ in model.flows(lambda r: _stocked(r, site, product))]
    return flows + [(c.root, c.factor) for c in model.cells if (c.site, c.product) == (site, product)]


def _add_cells(model: Model, site: str, product: str) -> None:
    """Variances of the pools of a point, apart and joined, each with its root."""
    given, lp = model.given, model.lp
    pools: dict[str, list[tuple[int, float]]] = defaultdict(list)
    most: dict[str, float] = defaultdict(float)
    for key, units in given.demand.items():
        if key[2] != product:
            continue
        weights = []
        for column, route in zip(model.flow, model.routes, strict=True):
            if route.key == key and (weight := _variance(given, route, site)):
                weights.append(weight)
                pools[given.channels[key[1]].pool].append((column, weight))
        most[given.channels[key[1]].pool] += units * max(weights, default=0.0)
    pools = {pool: terms for pool, terms in pools.items() if terms}
    join = model.joined.get(site)
    if join is None:
        for pool, terms in pools.items():
            _add_cell(model, site, product, pool, terms, most[pool])
        return
    if given.joins(site) == "always":
        terms = [term for pool in pools for term in pools[pool]]
        _add_cell(model, site, product, None, terms, sum(most.values()))
        return
    together = []
    for pool, terms in pools.items():
        apart, joint = lp.column(), lp.column()
        lp.row(0.0, 0.0, [*terms, (apart, -1.0), (joint, -1.0)])
        lp.row(-INF, most[pool], [(apart, 1.0), (join, most[pool])])
        lp.row(-INF, 0.0, [(joint, 1.0), (join, -most[pool])])
        _add_cell(model, site, product, pool, [(apart, 1.0)], most[pool])
        together.append((joint, 1.0))
    _add_cell(model, site, product, None, together, sum(most.values()))


def _add_cell(model: Model, site: str, product: str, pool: str | None, terms: Terms, most: float) -> None:
    given, lp = model.given, model.lp
    factor = given.factor(product, pool)
    goods = given.products[product]
    price = goods.value * (goods.holding_rate + goods.loss_rate_per_day * given.year) * factor
    variance = lp.column(0.0, 0.0, most)
    root = lp.column(price, 0.0, math.sqrt(most))
    lp.row(0.0, 0.0, [*terms, (variance, -1.0)])
    chord = lp.row(0.0, INF, [(root, 1.0), (variance, -1.0)])
    model.cells.append(Cell(site, product, pool, variance, root, chord, factor))


def _in_scope(limit: SimpleNamespace, site: SimpleNamespace) -> bool:
    wanted = ((limit.tier, site.tier), (limit.operator, site.operator), (limit.site, site.site))
    return all(name in ("", own) for name, own in wanted)


def _add_limits(model: Model) -> None:
    for limit in model.given.limits:
        if limit.measure == "stock_value" and limit.min is not None:
            raise NotImplementedError("a least stock value")
        constant, terms = _measure(model, limit)
        low = -INF if limit.min is None else limit.min - constant
        high = INF if limit.max is None else limit.max - constant
        number = model.lp.row(low, high, terms)
        if limit.measure == "stock_value":
            model.stock_rows.append(number)


def _measure(model: Model, limit: SimpleNamespace) -> tuple[float, list[tuple[int, float]]]:
    """A limit's measure as a constant and terms."""
    given = model.given
    sites = [site for site in given.sites.values() if _in_scope(limit, site)]
    if limit.measure == "sites":
        return 0.0, [(model.opened[s.site], 1.0) for s in sites]
    if limit.measure == "one_off":
        closing = sum(s.close_cost for s in sites if s.today)
        weights = [(s.site, -s.close_cost if s.today else s.open_cost) for s in sites]
        return closing, [(model.opened[name], weight) for name, weight in weights]
    if limit.measure in ("openings", "closures", "changes"):
        today = [s for s in sites if s.today and limit.measure != "openings"]
        new = [s for s in sites if not s.today and limit.measure != "closures"]
        terms = [(model.opened[s.site], -1.0) for s in today] + [(model.opened[s.site], 1.0) for s in new]
        constant, more = _switches(model, sites) if limit.measure == "changes" else (0.0, [])
        return len(today) + constant, terms + more
    names = {s.site for s in sites}
    if limit.measure == "stock_value":
        points = [(s, p) for s, p in sorted(_points(model)) if s in names and limit.product in ("", p)]
        values = [(p, average_stock(model, s, p)) for s, p in points]
        return 0.0, [(c, w * given.products[p].value) for p, terms in values for c, w in terms]
    weigh = {"units": _units, "co2": _co2}[limit.measure]
    return 0.0, model.flows(lambda r: weigh(given, limit, names, r))


def _served_in_scope(limit: SimpleNamespace, route: Route) -> bool:
    wanted = ((limit.market, route.market), (limit.channel, route.channel), (limit.product, route.product))
    return all(name in ("", own) for name, own in wanted)


def _units(_: Given, limit: SimpleNamespace, names: set[str], route: Route) -> int:
    """Units through the sites in scope; units served where only channel, product or market is named."""
    if not _served_in_scope(limit, route):
        return 0
    by_site = limit.tier or limit.operator or limit.site
    if not by_site and (limit.market or limit.channel or limit.product):
        return 1
    return sum(name in names for name in route.sites)


def _co2(given: Given, limit: SimpleNamespace, names: set[str], route: Route) -> float:
    """Kilograms of site handling and of lanes whose origin is in scope; with a market, of lanes into it."""
    if not _served_in_scope(limit, route):
        return 0.0
    lanes = [given.lanes[number] for number in route.lanes]
    total = sum(x.co2_per_unit for x in lanes if x.origin in names and limit.market in ("", x.destination))
    if not limit.market:
        total += sum(given.sites[name].co2_per_unit for name in route.sites if name in names)
    return float(total)


def _switches(model: Model, sites: list[SimpleNamespace]) -> tuple[float, list[tuple[int, float]]]:
    """Stock points added or dropped and sites joined or separated, against today."""
    constant, terms = 0.0, []
    reached = todays_products(model.given)
    for site in sites:
        for product in model.given.products:
            kind = model.given.stock_kind(site.site, product)
            before = site.today and kind in ("existing", "must") and (site.site, product) in reached
            constant += before
            if (site.site, product) in model.slot:
                terms.append((model.slot[site.site, product], -1.0 if before else 1.0))
        before = site.today and site.o2o == "existing"
        constant += before
        if site.site in model.joined:
            terms.append((model.joined[site.site], -1.0 if before else 1.0))
    return constant, terms


def todays_products(given: Given) -> set[tuple[str, str]]:
    """Pairs (site, product) that goods can reach over today's sites and lanes."""
    reached = {key for key in given.supply if given.sites[key[0]].today}
    old = [lane for lane in given.lanes if lane.status == "existing" and not lane.to_market]
    for _ in given.sites:
        for lane in old:
            if given.sites[lane.destination].today:
                carried = {p for site, p in reached if site == lane.origin and lane.product in ("", p)}
                reached |= {(lane.destination, product) for product in carried}
    return reached


# ------------------------------------------------------------------------------------------- branch and bound


class Tree:
    """Best-first branch and bound over decisions and over ranges of variance."""

    def __init__(self, model: Model) -> None:
        self.model = model
        lp = model.lp
        self.cost = np.array(lp.cost)
        self.low, self.high = np.array(lp.low), np.array(lp.high)
        self.binary = np.flatnonzero(lp.binary)
        self.cells = model.cells
        self.variance = np.array([c.variance for c in self.cells], dtype=int)
        self.root = np.array([c.root for c in self.cells], dtype=int)
        self.weight = self.cost[self.root] if self.cells else np.zeros(0)
        self.best = INF
        self.design: Vector | None = None
        self.nodes = 0
        self._load(lp)

    def _load(self, lp: Linear) -> None:
        self.solver = highspy.Highs()
        for option, value in (("output_flag", False), ("threads", 1), ("presolve", "off")):
            self.solver.setOptionValue(option, value)
        for option in ("primal_feasibility_tolerance", "dual_feasibility_tolerance"):
            self.solver.setOptionValue(option, EPS)
        data = highspy.HighsLp()
        data.num_col_, data.num_row_ = len(lp.cost), len(lp.rows)
        data.col_cost_, data.col_lower_, data.col_upper_ = self.cost, self.low, self.high
        data.row_lower_ = np.array([low for low, _, _ in lp.rows])
        data.row_upper_ = np.array([high for _, high, _ in lp.rows])
        data.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
        data.a_matrix_.start_ = np.cumsum([0] + [len(terms) for _, _, terms in lp.rows])
        data.a_matrix_.index_ = np.array([c for _, _, terms in lp.rows for c in terms], dtype=int)
        data.a_matrix_.value_ = np.array([v for _, _, terms in lp.rows for v in terms.values()], dtype=float)
        self.solver.passModel(data)
        self.columns = np.arange(len(lp.cost), dtype=np.int32)
        self.lines = [(math.nan, math.nan)] * len(self.cells)

    def _set_lines(self, slopes: Vector, bases: Vector) -> None:
        """Root of each cell ≥ base + slope · variance."""
        for number, line in enumerate(zip(slopes.tolist(), bases.tolist(), strict=True)):
            if line != self.lines[number]:
                cell = self.cells[number]
                self.solver.changeCoeff(cell.chord, cell.variance, -line[0])
                self.solver.changeRowBounds(cell.chord, line[1], INF)
                self.lines[number] = line

    def _chords(self, low: Vector, high: Vector) -> None:
        a, b = np.sqrt(np.maximum(low[self.variance], 0.0)), np.sqrt(np.maximum(high[self.variance], 0.0))
        slopes = np.where(b > 0, 1.0 / np.maximum(a + b, 1e-3), 0.0)
        self._set_lines(slopes, a - slopes * a * a)

    def _solve(self, low: Vector, high: Vector) -> tuple[float, Vector] | None:
        self.solver.changeColsBounds(len(low), self.columns, low, high)
        for presolve in ("off", "on"):  # a stumbling simplex starts afresh
            self.solver.setOptionValue("presolve", presolve)
            self.solver.run()
            status = self.solver.getModelStatus()
            if status in (highspy.HighsModelStatus.kOptimal, highspy.HighsModelStatus.kInfeasible):
                break
            self.solver.clearSolver()
        if status == highspy.HighsModelStatus.kInfeasible:
            return None
        if status != highspy.HighsModelStatus.kOptimal:
            raise RuntimeError(f"linear program ended with {status}")
        return self.solver.getInfo().objective_function_value, np.array(self.solver.getSolution().col_value)

    def true_point(self, point: Vector) -> Vector:
        """The same design with the roots themselves."""
        point = point.copy()
        point[self.root] = np.sqrt(np.maximum(point[self.variance], 0.0))
        return point

    def _broken(self, point: Vector) -> list[int]:
        """Rows on stock that the true roots break."""
        rows = []
        for number in self.model.stock_rows:
            _, high, terms = self.model.lp.rows[number]
            scale = max([1.0, abs(high)] + [abs(v * point[c]) for c, v in terms.items()])
            if sum(v * point[c] for c, v in terms.items()) > high + 1e-7 * scale:
                rows.append(number)
        return rows

    def _offer(self, point: Vector) -> bool:
        true = self.true_point(point)
        if self._broken(true):
            return False
        cost = float(self.cost @ true)
        if cost < self.best:
            self.best, self.design = cost, true
            return True
        return False

    def improve(self, point: Vector) -> None:
        """Offer designs with the decisions of ``point``, each root replaced by its tangent."""
        low, high = self.low.copy(), self.high.copy()
        low[self.binary] = high[self.binary] = np.round(point[self.binary])
        for _ in range(4):
            at = np.maximum(point[self.variance], 1e-4 * self.high[self.variance])
            root = np.sqrt(np.maximum(at, 1e-4))
            self._set_lines(0.5 / root, root / 2)
            solved = self._solve(low, high)
            if solved is None:
                return
            point = solved[1]
            if not self._offer(point):
                return

    def tighten(self) -> bool:
        """Greatest variance of each cell by a linear program; False where there is no design at all."""
        self._chords(self.low, self.high)
        if self._solve(self.low, self.high) is None:
            return False
        zeros = np.zeros_like(self.cost)
        for column in self.variance:
            costs = zeros.copy()
            costs[column] = -1.0
            self.solver.changeColsCost(len(costs), self.columns, costs)
            solved = self._solve(self.low, self.high)
            if solved is not None:
                self.high[column] = min(self.high[column], max(-solved[0], 0.0) * (1 + EPS))
        self.solver.changeColsCost(len(self.cost), self.columns, self.cost)
        return True

    def run(self, most_nodes: int = 200_000) -> None:
        if not self.tighten():
            return
        counter = itertools.count()
        heap: list[tuple[float, int, Vector, Vector]] = [(-INF, next(counter), self.low, self.high)]
        while heap:
            bound, _, low, high = heapq.heappop(heap)
            if bound >= self._cut():
                return
            self.nodes += 1
            if self.nodes > most_nodes:
                raise RuntimeError("the case is too large for the oracle")
            for child in self._children(low, high):
                heapq.heappush(heap, (child[0], next(counter), child[1], child[2]))

    def _cut(self) -> float:
        return self.best - GAP * abs(self.best + self.model.offset) if self.best < INF else INF

    def _children(self, low: Vector, high: Vector) -> Iterator[tuple[float, Vector, Vector]]:
        self._chords(low, high)
        solved = self._solve(low, high)
        if solved is None or solved[0] >= self._cut():
            return
        bound, point = solved
        column, value = self._branch(point, low, high)
        if column < 0:
            return
        for side in range(2):
            one, two = low.copy(), high.copy()
            if self.model.lp.binary[column]:
                one[column] = two[column] = side
            elif side:
                one[column] = value
            else:
                two[column] = value
            yield bound, one, two

    def _branch(self, point: Vector, low: Vector, high: Vector) -> tuple[int, float]:
        """Column to branch on and where; -1 where bound and true cost agree."""
        away = np.abs(point[self.binary] - np.round(point[self.binary]))
        if len(away) and away.max() > 1e-6:
            score = away * (1.0 + np.abs(self.cost[self.binary]))
            score[away <= 1e-6] = -1.0
            if self.best == INF:
                self.improve(np.where(point > 1e-6, np.ceil(point), 0.0))
            return int(self.binary[np.argmax(score)]), 0.5
        if not len(away) or away.max() <= EPS:
            self._offer(point)
        self.improve(point)
        true = self.true_point(point)
        short = (true - point)[self.root] if self.cells else np.zeros(0)
        if not len(short):
            return -1, 0.0
        loss = np.maximum(self.weight * short, 0.0)
        broken = self._broken(true)
        total = abs(float(self.cost @ true) + self.model.offset)
        if not broken and loss.sum() <= GAP / 2 * max(total, EPS):
            return -1, 0.0
        if broken:
            terms = self.model.lp.rows[broken[0]][2]
            loss = np.array([terms.get(c, 0.0) for c in self.root]) * short
        number = int(np.argmax(loss))
        column = int(self.variance[number])
        return column, float(point[column])


# ------------------------------------------------------------------------------------------- the second price


@dataclass(frozen=True)
class Design:
    """A design: flows by route, decisions, units unmet."""

    flows: tuple[tuple[Route, float], ...]
    opened: frozenset[str]
    joined: frozenset[str]
    unmet: tuple[tuple[Key, float], ...]


def _tariff(tiers: list[Tier], volume: float) -> tuple[float, float]:
    """Fixed and unit part of the cheapest tier that may hold a volume."""
    slack = 1e-6 * max(1.0, volume)
    fits = [tier for tier in tiers if tier.low - slack <= volume <= tier.high + slack]
    best = min(fits, key=lambda tier: tier.fixed + tier.unit * volume)
    return best.paid, best.fixed + best.unit * volume - best.paid


def bill(given: Given, design: Design) -> dict[str, float]:
    """Price a design bucket by bucket, from its units at sites, on lanes and in stock."""
    out = dict.fromkeys(BUCKETS, 0.0)
    owed: dict[str, float] = defaultdict(float)  # fixed and unit costs of an operator's sites and lanes
    _bill_sites(given, design, out, owed)
    _bill_lanes(given, design, out, owed)
    _bill_operators(given, design, out, owed)
    _bill_service(given, design, out)
    _bill_stock(given, design, out)
    return out


def _book(out: dict[str, float], owed: dict[str, float], operator: str, bucket: str, amount: float) -> None:
    if operator:
        out["operators"] += amount
        owed[operator] += amount
    else:
        out[bucket] += amount


def _bill_sites(given: Given, design: Design, out: dict[str, float], owed: dict[str, float]) -> None:
    for name, site in given.sites.items():
        if name not in design.opened:
            if site.today:
                out["one_off"] += site.close_cost / given.one_off_years
                out["replaced"] += site.replacement_cost
            continue
        if not site.today:
            out["one_off"] += site.open_cost / given.one_off_years
        if name in design.joined:
            out["integration"] += site.o2o_cost
        through: dict[str, float] = defaultdict(float)
        for route, units in design.flows:
            if name in route.sites:
                through[route.product] += units
        fixed, unit = site.fixed_cost, sum(given.unit_cost(name, p) * units for p, units in through.items())
        if name in given.rates:
            volume = sum(given.products[p].size * units for p, units in through.items())
            fixed, unit = _tariff(given.tiers(name), volume)
        _book(out, owed, site.operator, "sites", fixed)
        _book(out, owed, site.operator, "handling", unit)
        for product, units in through.items():
            goods = given.products[product]
            out["margins"] += site.margin_rate * goods.price * units
            out["emissions"] += given.co2_price * site.co2_per_unit * units
            pipeline = units * site.process_days / given.year
            out["pipeline_stock"] += goods.value * goods.holding_rate * pipeline
            out["losses"] += goods.value * goods.loss_rate_per_day * given.year * pipeline


def _bill_lanes(given: Given, design: Design, out: dict[str, float], owed: dict[str, float]) -> None:
    pairs: dict[str, float] = defaultdict(float)
    for number, lane in enumerate(given.lanes):
        flows = [(route, units) for route, units in design.flows if number in route.lanes]
        if not flows:
            continue
        pairs[lane.pair] += sum(given.products[route.product].size * units for route, units in flows)
        if lane.pair not in given.rates:
            units = sum(units for _, units in flows)
            _book(out, owed, lane.operator, "transport", lane.fixed_cost + lane.unit_cost * units)
        for route, units in flows:
            goods = given.products[route.product]
            out["margins"] += lane.margin_rate * goods.price * units
            out["emissions"] += given.co2_price * lane.co2_per_unit * units
            pipeline = units * lane.lead_days / given.year
            out["pipeline_stock"] += goods.value * goods.holding_rate * pipeline
            out["losses"] += goods.value * goods.loss_rate_per_day * given.year * pipeline
            out["losses"] += goods.value * lane.damage_rate * units
            if lane.to_market:
                out["returns"] += given.channels[route.channel].return_cost * lane.damage_rate * units
    for pair, volume in pairs.items():
        if pair in given.rates:
            operator = next(x.operator for x in given.lanes if x.pair == pair and x.usable)
            _book(out, owed, operator, "transport", sum(_tariff(given.tiers(pair), volume)))


def _bill_operators(given: Given, design: Design, out: dict[str, float], owed: dict[str, float]) -> None:
    for name, row in given.operators.items():
        lanes = {number for route, _ in design.flows for number in route.lanes}
        taken = any(given.sites[site].operator == name for site in design.opened)
        if not taken and not any(given.lanes[number].operator == name for number in lanes):
            continue
        contract = row.contract_cost
        if name in given.rates:
            sizes = [(r, given.products[r.product].size * units) for r, units in design.flows]
            volume = sum(size * operator_units(given, name, route) for route, size in sizes)
            contract = sum(_tariff(given.tiers(name), volume))
        out["operators"] += max(contract, row.min_bill - owed[name])


def _bill_service(given: Given, design: Design, out: dict[str, float]) -> None:
    for route, units in design.flows:
        channel, goods = given.channels[route.channel], given.products[route.product]
        out["supply"] += given.supply[route.sites[0], route.product].unit_cost * units
        out["commission"] += channel.commission_rate * goods.price * units
        out["returns"] += channel.return_rate * channel.return_cost * units
        out["late"] += channel.late_cost * units * (1 - route.on_time)
    for key, units in design.unmet:
        out["unmet"] += given.channels[key[1]].unmet_cost * units


def _bill_stock(given: Given, design: Design, out: dict[str, float]) -> None:
    stocked: dict[tuple[str, str], float] = defaultdict(float)
    variance: dict[tuple[str, str, str | None], float] = defaultdict(float)
    for route, units in design.flows:
        for site, _, cover in route.stock:
            stocked[site, route.product] += units
            pool = None if site in design.joined else given.channels[route.channel].pool
            variance[site, route.product, pool] += (
                cover * given.vmr[route.channel, route.product] * units / given.year
            )
    held = [
        (product, "safety_stock", given.factor(product, pool) * math.sqrt(v))
        for (_, product, pool), v in variance.items()
    ]
    for (site, product), units in stocked.items():
        out["stock_slots"] += given.slot_cost(site, product)
        held.append((product, "cycle_stock", units * given.sites[site].review_days / given.year / 2))
    for product, bucket, average in held:
        goods = given.products[product]
        out[bucket] += goods.value * goods.holding_rate * average
        out["losses"] += goods.value * goods.loss_rate_per_day * given.year * average


# ------------------------------------------------------------------------------------------------- front door


def find_design(frames: Frames, strategy: Levers) -> tuple[float, Given, Design] | None:
    """Least cost, the case as read, and a design of that cost; None where no design exists."""
    given = Given(frames, strategy)
    model = build(given)
    tree = Tree(model)
    tree.run()
    if tree.design is None:
        return None
    point = tree.design
    flows = tuple((r, point[c]) for c, r in zip(model.flow, model.routes, strict=True) if point[c] > TRACE)
    opened = frozenset(name for name, c in model.opened.items() if point[c] > 0.5)
    joined = frozenset(name for name, c in model.joined.items() if point[c] > 0.5)
    unmet = tuple((key, point[c]) for key, c in model.unmet.items() if point[c] > TRACE)
    design = Design(flows, opened, joined, unmet)
    cost, priced = tree.best + model.offset, sum(bill(given, design).values())
    counted = any(limit.measure == "changes" for limit in given.limits)  # keeps slots for the asking
    if priced > cost + 1e-6 * max(1.0, abs(cost)) or (
        not counted and priced < cost - 1e-6 * max(1.0, abs(cost))
    ):
        raise AssertionError(f"linear model {cost}, second price {priced}")
    return cost, given, design


def best_cost(frames: Frames, strategy: Levers) -> float | None:
    """Least yearly cost of a strategy (a dict of levers; ``AS_IS`` is measured); None: no design."""
    found = find_design(frames, strategy)
    return None if found is None else found[0]


def best_design(
    frames: Frames, strategy: Levers
) -> tuple[float, dict[str, float], list[tuple[Route, float]]] | None:
    """Least cost, its buckets, and the routes of a best design with their units; None: no design."""
    found = find_design(frames, strategy)
    if found is None:
        return None
    cost, given, design = found
    return cost, bill(given, design), list(design.flows)
