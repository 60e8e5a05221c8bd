"""Tie-out: what today's chain costs in the model against what it really cost."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from scopt.errors import UsageError
from scopt.questions.plain import plain, records
from scopt.solving import solve

if TYPE_CHECKING:
    from pathlib import Path

    from pandas import DataFrame

    from scopt.case import Case
    from scopt.progress import Progress
    from scopt.result import Result

__all__ = ["TOLERANCE", "TieOut", "tie_out"]

TOLERANCE = 0.1
"""Share of the actual amount by which the model may miss it without a warning."""


@dataclass(frozen=True, eq=False)
class TieOut:
    """As-is cost by bucket beside the actual one; ``str()`` is what the command line prints.

    Parameters
    ----------
    result
        Today's chain, solved.
    table
        bucket, actual, model, difference (model - actual), share (of the actual), over (whether it is beyond
        the tolerance); amounts in currency/year. Largest differences first, then what has no actual amount.
    total
        The same of all buckets with an actual amount together.
    messages
        What the reader should know before trusting the figures.
    """

    result: Result
    table: DataFrame
    total: dict[str, Any]
    messages: tuple[str, ...] = ()

    def __str__(self) -> str:
        from scopt.report.questions import tie_out_text

        return tie_out_text(self)

    @property
    def warnings(self) -> tuple[str, ...]:
        """One sentence for the whole and for each bucket beyond the tolerance, largest gaps first."""
        rows: list[dict[Any, Any]] = [self.total, *self.table.to_dict("records")]
        return tuple(_warning(row, self.result.currency) for row in rows if row["over"])

    def summary_json(self) -> dict[str, Any]:
        """Return the whole of it as plain values for JSON; a figure that is missing is None."""
        return {
            "status": self.result.status,
            "as_is_cost": self.result.cost,
            "currency": self.result.currency,
            "tolerance": TOLERANCE,
            "total": {name: plain(value) for name, value in self.total.items()},
            "buckets": records(self.table),
            "warnings": list(self.warnings),
            "messages": list(self.messages),
        }

    def to_excel(self, path: str | Path) -> None:
        """Write the tie-out as a workbook, whole or not at all.

        Parameters
        ----------
        path
            File ending in ``.xlsx``.

        Raises
        ------
        UsageError
            The file cannot be written there.
        """
        from scopt.report.questions import write_tie_out

        write_tie_out(self, path)


def tie_out(
    case: Case,
    *,
    gap: float | None = None,
    time_limit: float | None = None,
    seed: int = 0,
    threads: int | None = None,
    progress: Progress | None = None,
) -> TieOut:
    """Lay today's cost by bucket beside the sheet `actuals`.

    Parameters
    ----------
    case
        The case, with actual amounts.
    gap, time_limit, seed, threads
        As in `scopt.solve`.
    progress
        Called at every event.

    Returns
    -------
    TieOut
        Without a design of today's chain its amounts are missing and nothing is beyond the tolerance.

    Raises
    ------
    UsageError
        The case has no actual amounts.
    """
    if case.actuals.empty:
        raise UsageError("the case has no sheet `actuals`: fill in what today's chain cost, by bucket")
    result = solve(
        case, "as_is", gap=gap, time_limit=time_limit, seed=seed, threads=threads, progress=progress
    )
    table = pd.DataFrame({"bucket": case.actuals["bucket"], "actual": case.actuals["amount"].astype(float)})
    if result.cost is None:
        table = table.assign(model=np.nan)
    else:
        costs = result.costs[["bucket", "strategy"]].rename(columns={"strategy": "model"})
        table = costs.merge(table, on="bucket", how="left")
        table = table[table["actual"].notna() | (table["model"] != 0)]
    table = _judged(table[["bucket", "actual", "model"]])
    told = table[table["actual"].notna()]
    whole = told[["actual", "model"]].sum(min_count=len(told)).to_frame().T.assign(bucket="total")
    total = _judged(whole[["bucket", "actual", "model"]]).to_dict("records")[0]
    return TieOut(result, table, {str(k): v for k, v in total.items()}, result.messages)


def _judged(table: DataFrame) -> DataFrame:
    """Add difference, its share of the actual amount and whether that is too much; largest first."""
    difference = table["model"] - table["actual"]
    whole = table["actual"].abs()
    # Of an actual amount of nothing any difference is beyond measure, and none is none.
    nothing = np.where(
        difference == 0, 0.0, np.where(difference.isna(), np.nan, np.copysign(np.inf, difference))
    )
    share = (difference / whole.where(whole > 0)).where(whole != 0, nothing)
    judged = table.assign(difference=difference, share=share, over=share.abs() > TOLERANCE)
    order = difference.abs().sort_values(ascending=False, kind="stable", na_position="last").index
    return judged.loc[order].reset_index(drop=True)


def _warning(row: dict[Any, Any], currency: str) -> str:
    from scopt.report.text import amount, percent

    more = "above" if row["difference"] > 0 else "below"
    share = percent(abs(row["share"])) if math.isfinite(row["share"]) else "infinitely far"
    return (
        f"{row['bucket']}: the model's {amount(row['model'])} is {share} {more} the actual "
        f"{amount(row['actual'])} {currency}/year"
    )
