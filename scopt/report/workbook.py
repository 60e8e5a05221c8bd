"""The result workbook: one sheet a table, title and charts beside the summary."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scopt.report.charts import (
    CORNER,
    add_cost_chart,
    add_service_chart,
    add_tier_chart,
    add_title,
    add_waterfall_chart,
    bars,
)
from scopt.report.sheets import AMBER, GREEN, RED, open_book
from scopt.report.summary import by_tier

if TYPE_CHECKING:
    from pathlib import Path

    from scopt.comparison import Comparison
    from scopt.result import Result

__all__ = ["write_comparison", "write_result"]

_HIGHLIGHTS = {
    "costs": {"{difference}<0": GREEN, "{difference}>0": RED},
    "sites": {
        'AND({before}="open",{after}="closed")': RED,
        'AND({before}="closed",{after}="open")': GREEN,
    },
    "service": {"{unmet}>0": RED, "{late}>0": AMBER},
    "limits": {"AND(ISNUMBER({slack}),{slack}<0)": RED},
    "checks": {"NOT({ok})": RED},
}
"""What a reader looks for: colour of a row by condition, by sheet."""


def write_result(result: Result, path: str | Path) -> None:
    """Write a result as a workbook.

    Parameters
    ----------
    result
        What is written: its summary and its tables, each on a sheet of its own.
    path
        File ending in ``.xlsx``; it appears whole or not at all.

    Raises
    ------
    UsageError
        The file cannot be written there.
    """
    from scopt.result import TABLES

    with open_book(path, f"{result.provenance.get('case', '')} {result.strategy}".strip()) as book:
        summary = book.add_summary(result.summary)
        for name in TABLES[1:]:
            table = getattr(result, name)
            if not table.empty or (name != "diagnosis" and result.cost is not None):
                book.add_table(name, table)
        add_title(summary, result)
        if result.cost is None:
            return
        tiers = by_tier(result.sites)
        book.add_table("tiers", tiers)
        if not result.costs.empty:
            costs = result.costs[["bucket", "as_is", "strategy"]]
            add_cost_chart(book.book, summary, costs, f"Cost by bucket, {result.currency} a year", CORNER)
        add_tier_chart(book.book, summary, tiers, CORNER)
        for name, rules in _HIGHLIGHTS.items():
            book.highlight(name, getattr(result, name), rules)


def write_comparison(comparison: Comparison, path: str | Path) -> None:
    """Write a comparison as a workbook.

    Parameters
    ----------
    comparison
        What is written: its figures; costs, sites and service by strategy; the way from as-is to integrated;
        what levers save alone, one after another and together. Each is on a sheet of its own.
    path
        File ending in ``.xlsx``; it appears whole or not at all.

    Raises
    ------
    UsageError
        The file cannot be written there.
    """
    with open_book(path, "Comparison of strategies") as book:
        table, currency = comparison.table, next(iter(comparison.results.values())).currency
        first = book.add_table("comparison", table)
        for name in ("costs", "sites", "service"):
            book.add_table(name, getattr(comparison, name))
        corner, waterfall = (len(table) + 3, 0), comparison.waterfall
        add_cost_chart(book.book, first, comparison.costs, f"Cost by bucket, {currency} a year", corner)
        if len(waterfall):
            book.add_table("waterfall", bars(waterfall))
            title = f"From as-is to integrated, {currency} a year"
            add_waterfall_chart(book.book, first, len(waterfall), title, corner)
        add_service_chart(book.book, first, comparison.service, corner)
        if comparison.interaction is not None:
            book.add_table("levers", comparison.interaction.table)
            book.add_table("interaction", comparison.interaction.summary)
