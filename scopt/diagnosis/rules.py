"""Rules in the words of the case: where each stands, what relaxing it means, and the case that follows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from scopt.report.text import percent

if TYPE_CHECKING:
    import pandas as pd

    from scopt.case import Case

__all__ = ["Relaxation", "relaxed_case", "round_outward"]

PLACES = {
    "site_capacity": ("sites", "capacity", ("site",)),
    "site_minimum": ("sites", "min_units", ("site",)),
    "site_product_capacity": ("site_products", "capacity", ("site", "product")),
    "supply_capacity": ("supply", "capacity", ("site", "product")),
    "lane_capacity": (
        "lanes",
        "capacity",
        ("origin", "destination", "channel", "product", "mode", "operator"),
    ),
    "lane_minimum": (
        "lanes",
        "min_units",
        ("origin", "destination", "channel", "product", "mode", "operator"),
    ),
    "operator_capacity": ("operators", "capacity", ("operator",)),
    "operator_minimum": ("operators", "min_units", ("operator",)),
    "tier_minimum": ("rates", "from_units", ("subject",)),
    "limit_max": ("limits", "max", ("limit",)),
    "limit_min": ("limits", "min", ("limit",)),
    "max_stock_days": ("products", "max_stock_days", ("product",)),
    "max_site_days": ("products", "max_site_days", ("product",)),
    "on_time_share": ("channels", "on_time_share", ("channel",)),
    "response_days": ("channels", "response_days", ("channel",)),
    "single_source": ("channels", "single_source", ("channel",)),
    "demand": ("demand", "units", ("market", "channel")),
    "status_keep": ("sites", "status", ("site",)),
    "status_open": ("sites", "status", ("site",)),
    "status_close": ("sites", "status", ("site",)),
    "place": ("sites", "place", ("site",)),
}
"""Sheet, column and key columns of each rule; rules of the user's own stand in no sheet."""

LOOSER = {"status_keep": "existing", "status_open": "candidate", "status_close": "existing"}


@dataclass(frozen=True)
class Relaxation:
    """One rule, relaxed.

    Parameters
    ----------
    rule
        Kind of rule, as `site_capacity`.
    key
        Ids that tell which one, in the order of the key columns of its sheet.
    before, after
        Value in the case and the value that would do; text, number or yes/no.
    relative
        Change over the value before; days over the promised ones.
    """

    rule: str
    key: tuple[str, ...]
    before: float | str
    after: float | str
    relative: float

    @property
    def sheet(self) -> str:
        """Sheet of the case that holds the value; empty for a rule of the user's own."""
        return PLACES[self.rule][0] if self.rule in PLACES else ""

    @property
    def column(self) -> str:
        """Column that holds the value."""
        return PLACES[self.rule][1] if self.rule in PLACES else ""

    @property
    def where(self) -> str:
        """Row as `column=value; …`, as in the sheet `changes`."""
        names = PLACES[self.rule][2] if self.rule in PLACES else ()
        return "; ".join(f"{name}={value}" for name, value in zip(names, self.key, strict=False) if value)

    def __str__(self) -> str:
        before, after = _told(self.before), _told(self.after)
        subject = " · ".join(part for part in self.key if part)
        if self.rule == "demand":
            return f"serve {percent(float(self.after))} of the {self.key[1]} demand of {self.key[0]}"
        if self.rule == "place":
            return f"let more than one of {', '.join(self.key)} be open, though they share a place"
        if self.rule.startswith("own_rule"):
            return f"relax your own rule {subject} from {before} to {after}"
        return f"relax {self.column} of {subject} ({self.sheet}) from {before} to {after}"


def _told(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:,.10g}"


def round_outward(value: float, *, up: bool, whole: bool = False) -> float:
    """Round to six digits, or to a whole number, away from the rule; the solver's noise is left out."""
    if value == 0 or not math.isfinite(value):
        return value
    step = 1.0 if whole else 10.0 ** (math.floor(math.log10(abs(value))) - 5)
    steps = value / step
    if abs(steps - round(steps)) <= 0.02:
        steps = round(steps)
    out = (math.ceil(steps) if up else math.floor(steps)) * step
    return float(f"{out:.10g}")


def relaxed_case(case: Case, relaxations: tuple[Relaxation, ...]) -> Case:
    """Return the case with relaxations written into its sheets; those of the user's own rules are left out.

    Parameters
    ----------
    case
        The case of the strategy, its changes already applied.
    """
    tables: dict[str, pd.DataFrame] = {}
    for one in relaxations:
        if one.sheet:
            table = tables.get(one.sheet, case.tables[one.sheet])
            tables[one.sheet] = _write(table.copy(), one)
    return case.replace(**tables) if tables else case


def _write(table: pd.DataFrame, one: Relaxation) -> pd.DataFrame:
    """Write one relaxation into its sheet."""
    if one.rule == "place":
        # Each site but the first of the place gets a place of its own.
        others = table["site"].isin(one.key[1:])
        return table.assign(place=table["place"].where(~others, table["site"]))
    mine = np.ones(len(table), bool)
    for name, value in zip(PLACES[one.rule][2], one.key, strict=True):
        mine &= (table[name] == value).to_numpy()
    column = one.column
    if one.rule == "demand":
        return table.assign(units=table["units"].where(~mine, table["units"] * float(one.after)))
    if one.rule == "tier_minimum":
        mine &= (table["from_units"] == one.before).to_numpy()
    after: object = False if one.rule == "single_source" else one.after
    return table.assign(**{column: table[column].where(~mine, after)})
