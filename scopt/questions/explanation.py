"""The answer to a question why: figures, tables, text, workbook."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from scopt.questions.designs import differences, taken
from scopt.questions.plain import plain, records

if TYPE_CHECKING:
    from pathlib import Path

    from pandas import DataFrame

    from scopt.questions.breakeven import Answer
    from scopt.questions.decision import Decision
    from scopt.questions.prices import Price
    from scopt.result import Result

__all__ = ["Explanation"]


@dataclass(frozen=True, eq=False)
class Explanation:
    """Why a decision is as it is; ``str()`` is what the command line prints.

    Parameters
    ----------
    decision
        What was asked about.
    base
        The strategy as it is.
    taken
        Whether `base` takes the decision; None where it has no design.
    forced
        The strategy with the decision forced the other way; None where the case rules that out beforehand.
    stops
        What keeps the decision from going the other way; empty where it can.
    answers
        The prices asked about and where each makes the decision flip.
    messages
        What the reader should know before trusting the figures.
    """

    decision: Decision
    base: Result
    taken: bool | None
    forced: Result | None = None
    stops: tuple[str, ...] = ()
    answers: tuple[tuple[Price, Answer], ...] = ()
    messages: tuple[str, ...] = ()

    def __str__(self) -> str:
        from scopt.report.questions import explanation_text

        return explanation_text(self)

    @property
    def difference(self) -> float | None:
        """What forcing the decision costs, in currency/year; None where there is no forced design."""
        if self.base.cost is None or self.forced is None or self.forced.cost is None:
            return None
        return self.forced.cost - self.base.cost

    @property
    def costs(self) -> DataFrame:
        """Currency/year by bucket: bucket, as_decided, forced, difference (forced - as_decided)."""
        table = pd.DataFrame({"bucket": [], "as_decided": [], "forced": [], "difference": []})
        if self.base.costs.empty:
            return table
        table = self.base.costs[["bucket", "strategy"]].rename(columns={"strategy": "as_decided"})
        forced = np.full(len(table), np.nan)
        if self.difference is not None and self.forced is not None:
            forced = self.forced.costs["strategy"].to_numpy(float)
        return table.assign(forced=forced, difference=forced - table["as_decided"].to_numpy(float))

    @property
    def changes(self) -> DataFrame:
        """What else is decided differently: kind, decision, as_decided, forced."""
        both = (
            [taken(self.base), taken(self.forced)]
            if self.difference is not None and self.forced
            else [{}, {}]
        )
        return differences(both[0], both[1], ("as_decided", "forced"))

    @property
    def break_even(self) -> DataFrame:
        """Where a price makes the decision flip.

        Returns
        -------
        DataFrame
            price, unit; now, what the case says (missing where it says several things: the next three are
            then changes of each); break_even, missing where there is none; low, high, between which the flip
            is proven to lie; state_below, state_above, what the decision then is; tried_below, tried_above,
            the prices at which the free problem was solved; confirmed, whether it flipped; note.
        """
        return pd.DataFrame([self._row(price, answer) for price, answer in self.answers], columns=_BREAK_EVEN)

    def _row(self, price: Price, answer: Answer) -> list[Any]:
        now = 0.0 if price.now is None else price.now
        paying, other = self.decision.word(price.when_taken), self.decision.word(not price.when_taken)
        changes = (math.nan if answer.change is None else answer.change, answer.low, answer.high)
        values = [now + change for change in changes]
        tried = [now + change for change in answer.tried]
        return [
            price.name, price.unit, math.nan if price.now is None else price.now, *values, paying, other,
            *tried, answer.confirmed, answer.reason,
        ]  # fmt: skip

    def summary_json(self) -> dict[str, Any]:
        """Return the whole of it as plain values for JSON; a figure that is missing is None."""
        forced = self.forced
        return {
            "question": str(self.decision),
            "strategy": self.base.strategy,
            "decided": None if self.taken is None else self.decision.word(self.taken),
            "forced": None if self.taken is None else self.decision.word(not self.taken),
            "status": self.base.status,
            "cost": plain(self.base.cost),
            "bound": plain(self.base.bound),
            "forced_status": None if forced is None else forced.status,
            "forced_cost": None if forced is None else plain(forced.cost),
            "forced_bound": None if forced is None else plain(forced.bound),
            "difference": plain(self.difference),
            "stops": list(self.stops),
            "costs": records(self.costs),
            "changes": records(self.changes),
            "break_even": records(self.break_even),
            "currency": self.base.currency,
            "messages": list(self.messages),
        }

    def to_excel(self, path: str | Path) -> None:
        """Write the explanation as a workbook, whole or not at all.

        Parameters
        ----------
        path
            File ending in ``.xlsx``.

        Raises
        ------
        UsageError
            The file cannot be written there.
        """
        from scopt.report.questions import write_explanation

        write_explanation(self, path)


_BREAK_EVEN = [
    "price", "unit", "now", "break_even", "low", "high", "state_below", "state_above", "tried_below",
    "tried_above", "confirmed", "note",
]  # fmt: skip
