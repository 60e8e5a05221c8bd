"""The case as arrays, for the recomputation in :mod:`scopt.verify`: ids become positions.

Nothing here is shared with the builder of the model. Units are those of the case file: units per year,
days, money per year.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

if TYPE_CHECKING:
    from scopt.case import Case

__all__ = [
    "CaseArrays",
    "cluster",
    "flags",
    "is_flag",
    "numbers",
    "positions",
    "tally",
    "texts",
    "whole_steps",
]

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]
Bools: TypeAlias = NDArray[np.bool_]
Texts: TypeAlias = NDArray[np.object_]

USED = 1e-6
"""Units per year below which a lane, a route or a site counts as unused."""

DAY = 1e-6
"""Days within which two response times are the same."""

STOCK_WORDS = {"no": 0, "optional": 1, "existing": 2, "must": 3}
TODAY = ("keep", "existing", "close")


def numbers(frame: pd.DataFrame, column: str) -> Floats:
    """Return a column as floats, blanks as NaN; NaN throughout where the column is missing."""
    if column not in frame:
        return np.full(len(frame), np.nan)
    cells = frame[column]
    if cells.dtype != np.float64:
        cells = pd.to_numeric(cells, errors="coerce")
    return cells.to_numpy(dtype=np.float64)


def texts(frame: pd.DataFrame, column: str) -> Texts:
    """Return a column as text, blanks as ""."""
    if column not in frame:
        return np.full(len(frame), "", dtype=object)
    values = frame[column].to_numpy(dtype=object)
    blank = pd.isna(values)
    return np.where(blank, "", values) if blank.any() else values


def flags(frame: pd.DataFrame, column: str) -> Bools:
    """Return a yes/no column as booleans."""
    if column not in frame:
        return np.zeros(len(frame), dtype=np.bool_)
    return frame[column].to_numpy(dtype=np.bool_)


def is_flag(frame: pd.DataFrame, column: str) -> Bools:
    """Whether the cells of a yes/no column are yes or no, and not blank or something between."""
    return np.array([cell in (True, False) for cell in texts(frame, column)], dtype=np.bool_)


def positions(ids: pd.Index, values: Texts) -> Ints:
    """Return the place of each id in `ids`, -1 where it is unknown or blank."""
    return np.asarray(ids.get_indexer(pd.Index(values, dtype=object)), dtype=np.int64)


def tally(codes: Ints, weights: Floats, size: int) -> Floats:
    """Sum `weights` by code; negative codes are left out."""
    known = codes >= 0
    return np.bincount(codes[known], weights[known], minlength=size).astype(np.float64)


def cluster(values: Floats, tolerance: float) -> Ints:
    """Give each distinct value a number; neighbours closer than `tolerance` share a number, NaN is like none.

    Rounding would part two equal values that straddle a rounding edge.
    """
    if not len(values):
        return np.zeros(0, dtype=np.int64)
    order = np.argsort(values, kind="stable")
    codes = np.empty(len(values), dtype=np.int64)
    codes[order] = np.concatenate(([0], np.cumsum(~(np.diff(values[order]) <= tolerance))))
    return codes


def whole_steps(days: Floats, step: float) -> Floats:
    """Round days up to multiples of the time step, forgiving 1e-9 of a step."""
    return np.ceil(days / step - 1e-9) * step


class CaseArrays:
    """Sheets of a case by position: sites, products, channels, markets, operators, pools, lanes.

    Parameters
    ----------
    case
        The case as the strategy sees it (its `changes` applied).
    """

    def __init__(self, case: Case) -> None:
        self.case = case
        self._columns: dict[tuple[str, str], Floats] = {}
        self.year = float(case.settings.days_per_year)
        self.step = float(case.settings.time_step_days)
        self._read_ids()
        self._read_sites()
        self._read_lanes()
        self._read_demand()

    def sheet(self, name: str) -> pd.DataFrame:
        """Return a sheet of the case, empty where it has none."""
        found = self.case.tables.get(name)
        return pd.DataFrame() if found is None else found

    def _column(self, name: str, column: str) -> Floats:
        """Return a numeric column of a sheet (or of all lanes), read once and not to be written to."""
        if (name, column) not in self._columns:
            values = numbers(self.case.lanes if name == "lanes" else self.sheet(name), column)
            values.flags.writeable = False
            self._columns[name, column] = values
        return self._columns[name, column]

    def _read_ids(self) -> None:
        def ids(sheet: str, column: str) -> pd.Index:
            return pd.Index(texts(self.sheet(sheet), column), dtype=object)

        self.sites, self.products = ids("sites", "site"), ids("products", "product")
        self.channels, self.markets = ids("channels", "channel"), ids("markets", "market")
        self.operators = ids("operators", "operator")
        self.pools = ids("channels", "pool").unique()
        self.n_sites, self.n_products = len(self.sites), len(self.products)
        self.n_channels, self.n_markets = len(self.channels), len(self.markets)
        self.joined_pool = len(self.pools)

    def site(self, column: str) -> Floats:
        """Return a numeric column of sheet `sites`."""
        return self._column("sites", column)

    def product(self, column: str) -> Floats:
        """Return a numeric column of sheet `products`."""
        return self._column("products", column)

    def channel(self, column: str) -> Floats:
        """Return a numeric column of sheet `channels`."""
        return self._column("channels", column)

    def lane(self, column: str) -> Floats:
        """Return a numeric column of the lanes, made ones included."""
        return self._column("lanes", column)

    def _read_sites(self) -> None:
        sites, own = self.sheet("sites"), self.sheet("site_products")
        self.status = texts(sites, "status")
        self.today = np.isin(self.status, TODAY)
        self.site_operator = positions(self.operators, texts(sites, "operator"))
        self.place = pd.factorize(pd.Index(texts(sites, "place"), dtype=object))[0].astype(np.int64)
        self.process_steps = whole_steps(self.site("process_days"), self.step)
        row = positions(self.sites, texts(own, "site")), positions(self.products, texts(own, "product"))

        def by_product(column: str, base: Floats) -> Floats:
            grid = np.repeat(base[:, None], self.n_products, axis=1)
            values = numbers(own, column)
            given = ~np.isnan(values)
            grid[row[0][given], row[1][given]] = values[given]
            return grid

        self.unit_cost = by_product("unit_cost", self.site("unit_cost"))
        self.stock_cost = by_product("stock_cost", self.site("stock_cost"))
        self.product_capacity = by_product("capacity", np.full(self.n_sites, np.nan))
        words = np.array([STOCK_WORDS.get(word, 0) for word in texts(sites, "stock")], dtype=np.int64)
        self.stock = np.repeat(words[:, None], self.n_products, axis=1)
        words = np.array([STOCK_WORDS.get(word, -1) for word in texts(own, "stock")], dtype=np.int64)
        self.stock[row[0][words >= 0], row[1][words >= 0]] = words[words >= 0]
        supply = self.sheet("supply")
        row = positions(self.sites, texts(supply, "site")), positions(self.products, texts(supply, "product"))
        blank = np.full((self.n_sites, self.n_products), np.nan)
        self.supply_cost, self.supply_lead, self.supply_capacity = blank, blank.copy(), blank.copy()
        self.supply_cost[row] = numbers(supply, "unit_cost")
        self.supply_lead[row] = numbers(supply, "lead_days")
        self.supply_capacity[row] = numbers(supply, "capacity")

    def _read_lanes(self) -> None:
        lanes = self.case.lanes
        self.n_lanes = len(lanes)
        self.lane_status = texts(lanes, "status")
        self.lane_origin = positions(self.sites, texts(lanes, "origin"))
        self.lane_site = positions(self.sites, texts(lanes, "destination"))
        market = positions(self.markets, texts(lanes, "destination"))
        self.lane_market = np.where(self.lane_site < 0, market, -1)
        self.lane_operator = positions(self.operators, texts(lanes, "operator"))
        self.lane_channel = positions(self.channels, texts(lanes, "channel"))
        self.lane_product = positions(self.products, texts(lanes, "product"))
        self.lane_steps = whole_steps(self.lane("lead_days"), self.step)

    def _read_demand(self) -> None:
        demand = self.sheet("demand")
        market = positions(self.markets, texts(demand, "market"))
        channel = positions(self.channels, texts(demand, "channel"))
        product = positions(self.products, texts(demand, "product"))
        units, cv = numbers(demand, "units"), numbers(demand, "cv")
        vmr = np.nan_to_num(np.where(np.isnan(cv), numbers(demand, "vmr"), cv**2 * units / self.year))
        order = np.argsort(self.key(market, channel, product))
        self.demand_key = self.key(market, channel, product)[order]
        self.demand_market, self.demand_channel = market[order], channel[order]
        self.demand_product, self.demand = product[order], units[order]
        pair = channel * self.n_products + product
        size = self.n_channels * self.n_products
        shape = (self.n_channels, self.n_products)
        total = tally(pair, units, size)
        self.total_demand = total.reshape(shape)
        ratio = np.divide(tally(pair, vmr * units, size), total, out=np.zeros(size), where=total > 0)
        self.variance_ratio = ratio.reshape(shape)

    def key(self, market: Ints, channel: Ints, product: Ints) -> Ints:
        """Return one number per (market, channel, product)."""
        return (market * self.n_channels + channel) * self.n_products + product

    def demand_rows(self, market: Ints, channel: Ints, product: Ints) -> Ints:
        """Return the position of each key among the demands, -1 where nothing is demanded."""
        key = self.key(market, channel, product)
        found = np.minimum(np.searchsorted(self.demand_key, key), max(len(self.demand_key) - 1, 0))
        if not len(self.demand_key):
            return np.full(len(key), -1, dtype=np.int64)
        known = (self.demand_key[found] == key) & (np.minimum(np.minimum(market, channel), product) >= 0)
        return np.where(known, found, -1)

    def name(self, **at: int) -> str:
        """Return the ids at the given positions as one text, e.g. ``name(sites=0, products=1)``."""
        found = []
        for ids, position in at.items():
            index: pd.Index = getattr(self, ids)
            joint = ids == "pools" and position == self.joined_pool
            found.append("joined" if joint else str(index[position]) if 0 <= position < len(index) else "?")
        return ", ".join(found)

    def lane_name(self, lane: int) -> str:
        """Return a lane as ``origin>destination (row)``."""
        if lane < 0:
            return "unknown lane"
        row = self.case.lanes.iloc[lane]
        return f"{row['origin']}>{row['destination']} (lane {lane})"
