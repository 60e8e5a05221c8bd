"""The outcome of one solve: figures, tables, text, workbook."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pandas as pd

from scopt.report.summary import share, summary_rows
from scopt.report.text import describe

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pandas import DataFrame

__all__ = ["TABLES", "Result"]

TABLES = (
    "summary",
    "diagnosis",
    "costs",
    "sites",
    "outsourcing",
    "stock",
    "flows",
    "service",
    "limits",
    "checks",
    "supply",
    "stock_routes",
)
"""Tables of a result, in the order of the workbook's sheets."""


@dataclass(frozen=True, eq=False)
class Result:
    """One strategy, solved; ``str()`` is what the command line prints.

    Parameters
    ----------
    strategy
        Name of the strategy.
    status
        ``optimal`` (within the asked gap), ``feasible``, ``infeasible`` or ``stopped`` (without a design).
    cost
        True cost of the design, with the square root of safety stock itself, in currency/year, or None.
    bound
        Valid lower bound on the least cost, in currency/year; None without one.
    gap
        Cost less bound, over the cost; a share; None where either is missing.
    seconds
        Wall time of the solve, in s.
    as_is_cost
        Cost of the chain as it runs today, in currency/year; None where it keeps no feasible design.
    saving
        Cost of `against` less `cost`, in currency/year; None where either is missing.
    against
        Strategy that the saving is measured against.
    currency
        Currency of every amount.
    messages
        What the reader should know before trusting the figures, in business words.
    provenance
        What made the result: versions, platform, case and its digest, strategy, options of the search.
    tables
        The tables named in `TABLES`; one that is not there reads as empty.
    """

    strategy: str
    status: str
    cost: float | None
    bound: float | None
    gap: float | None
    seconds: float
    as_is_cost: float | None
    saving: float | None
    against: str
    currency: str
    messages: tuple[str, ...] = ()
    provenance: Mapping[str, str] = field(default_factory=dict)
    tables: Mapping[str, DataFrame] = field(default_factory=dict, repr=False)

    def __str__(self) -> str:
        return describe(self)

    @property
    def saving_share(self) -> float | None:
        """Saving over the cost of `against`; None where there is no saving to tell."""
        return (
            None if self.saving is None or self.cost is None else share(self.saving, self.cost + self.saving)
        )

    @property
    def summary(self) -> DataFrame:
        """Metric, value, unit: the head figures, then whatever else the solve measured."""
        derived = pd.DataFrame(summary_rows(self), columns=["metric", "value", "unit"], dtype=object)
        measured = self.tables.get("summary")
        if measured is None or measured.empty:
            return derived
        extra = measured[~measured["metric"].isin(derived["metric"])].astype(object)
        return pd.concat([derived, extra], ignore_index=True)

    @property
    def costs(self) -> DataFrame:
        """Currency/year by bucket: bucket, as_is, strategy, difference (strategy - as_is)."""
        return self._table("costs")

    @property
    def sites(self) -> DataFrame:
        """Every site before and after, with units, utilisation, and cost beside that in today's chain."""
        return self._table("sites")

    @property
    def outsourcing(self) -> DataFrame:
        """Operators under contract, with units, bill and top up to the minimum bill."""
        return self._table("outsourcing")

    @property
    def stock(self) -> DataFrame:
        """Stock by site, product and pool."""
        return self._table("stock")

    @property
    def flows(self) -> DataFrame:
        """Units/year by lane, channel, product and response days."""
        return self._table("flows")

    @property
    def service(self) -> DataFrame:
        """Demand, on time, late and unmet units/year by market, channel and product."""
        return self._table("service")

    @property
    def limits(self) -> DataFrame:
        """Limits of the case with value and slack."""
        return self._table("limits")

    @property
    def checks(self) -> DataFrame:
        """What was recomputed, with the model's value and the recomputed one."""
        return self._table("checks")

    @property
    def supply(self) -> DataFrame:
        """Units/year by source, product and channel."""
        return self._table("supply")

    @property
    def stock_routes(self) -> DataFrame:
        """Stocked flow by site, product, pool and coverage days."""
        return self._table("stock_routes")

    @property
    def diagnosis(self) -> DataFrame:
        """Why there is no design, empty where there is one.

        One row per fact (option 0) and per relaxation of each option, the least first: option, total, rule,
        sheet, where, column, from, to, relative, text.
        """
        return self._table("diagnosis")

    def summary_json(self) -> dict[str, Any]:
        """Return the summary as plain values for JSON; a figure that is missing or not finite is None."""
        checks = self.checks
        return {
            "strategy": self.strategy,
            "status": self.status,
            "cost": _finite(self.cost),
            "bound": _finite(self.bound),
            "gap": _finite(self.gap),
            "seconds": _finite(self.seconds),
            "as_is_cost": _finite(self.as_is_cost),
            "saving": _finite(self.saving),
            "against": self.against,
            "currency": self.currency,
            "checks": {"passed": int(checks["ok"].sum()), "total": len(checks)} if len(checks) else None,
            "messages": list(self.messages),
            "diagnosis": _records(self.diagnosis),
            "provenance": {key: str(value) for key, value in self.provenance.items()},
        }

    def to_excel(self, path: str | Path) -> None:
        """Write the result workbook.

        The file appears whole or not at all: an earlier one of that name stays until the new one is complete.

        Parameters
        ----------
        path
            File ending in ``.xlsx``.

        Raises
        ------
        UsageError
            The file cannot be written there.
        """
        from scopt.report.workbook import write_result

        write_result(self, path)

    def _table(self, name: str) -> DataFrame:
        table = self.tables.get(name)
        return pd.DataFrame() if table is None else table


def _records(table: DataFrame) -> list[dict[str, Any]] | None:
    """Rows as plain values; None where there are none."""
    if table.empty:
        return None
    rows = table.astype(object).where(table.notna(), None).to_dict("records")
    return [{str(key): value for key, value in row.items()} for row in rows]


def _finite(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else float(value)
