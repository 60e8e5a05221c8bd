"""Rows of the result tables as arrays, for the recomputation in :mod:`scopt.verify`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scopt.verify.case import Bools, Floats, Ints

__all__ = ["Flows", "Routes", "Stocks", "Supplies"]


@dataclass(frozen=True)
class Flows:
    """Rows of the flows table: positions (-1: unknown; `market` -1: goes to a site) and amounts."""

    origin: Ints
    site: Ints
    market: Ints
    lane: Ints
    channel: Ints
    product: Ints
    units: Floats
    days_out: Floats
    days: Floats
    rate: Floats
    from_stock: Bools


@dataclass(frozen=True)
class Supplies:
    """Rows of the supply table."""

    site: Ints
    product: Ints
    channel: Ints
    days: Floats
    units: Floats


@dataclass(frozen=True)
class Routes:
    """Rows of the stock_routes table; `pool` as the joined flags and the channels demand it."""

    site: Ints
    product: Ints
    channel: Ints
    pool: Ints
    days_in: Floats
    days_out: Floats
    rate: Floats
    coverage: Floats
    units: Floats


@dataclass(frozen=True)
class Stocks:
    """One entry per (site, product, pool) through which stocked flow runs.

    `units` all stocked flow, `held` its part with coverage above 0 (units/year); `covered` flow × coverage;
    `variance` in units²; `safety` and `cycle` in units.
    """

    site: Ints
    product: Ints
    pool: Ints
    units: Floats
    held: Floats
    covered: Floats
    variance: Floats
    safety: Floats
    cycle: Floats

    @property
    def average(self) -> Floats:
        """Average stock in units, pipeline apart."""
        return self.safety + self.cycle
