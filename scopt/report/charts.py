"""Title block and charts beside the summary of a result workbook."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from scopt.report.summary import by_channel, changes, share
from scopt.report.text import amount, percent

if TYPE_CHECKING:
    from pandas import DataFrame
    from xlsxwriter import Workbook
    from xlsxwriter.worksheet import Worksheet

    from scopt.result import Result

__all__ = [
    "CORNER", "add_cost_chart", "add_service_chart", "add_tier_chart", "add_title", "add_waterfall_chart",
    "bars",
]  # fmt: skip

CORNER = (7, 4)
"""Where the charts of a result start: below the title, in the first column right of the summary and a gap."""
_LEFT = CORNER[1]
_WIDTH, _CHART_WIDTH = 960, 474  # of the title block and of a chart, in pixels
Corner = tuple[int, int]
_PALETTE = (
    "#1F6F78", "#7FB7BE", "#D98E32", "#F0C987", "#5B6C9D",
    "#A9B4D0", "#8C4A5B", "#CFA3AE", "#5F8A4C", "#B4CFA4",
    "#6B6B6B", "#BDBDBD", "#2E4A8A", "#C4B13A", "#7A4FA3",
    "#C3ABDA", "#B5523B", "#E3A796", "#3F8F6B", "#A3D3BD",
)  # fmt: skip


def add_title(sheet: Worksheet, result: Result) -> None:
    """Put a banner and the key figures beside the summary."""
    case = result.provenance.get("case", "")
    banner = _Box(x=0, width=_WIDTH, height=44, size=18, ink="#FFFFFF", fill="#17323A")
    banner.put(sheet, 0, " · ".join(part for part in (case, result.strategy) if part))
    step = (_WIDTH + 12) // 4
    for at, (label, figure) in enumerate(_key_figures(result)):
        card = _Box(x=at * step, width=step - 12, height=58, size=11, ink="#17323A", fill="#E4EEF0")
        card.put(sheet, 3, f"{label}\n{figure}")


def _key_figures(result: Result) -> list[tuple[str, str]]:
    if result.cost is None:
        return [("Status", result.status)]
    found = changes(result.sites)
    served = by_channel(result.service)[["on_time", "late"]].sum()
    saved = "-" if result.saving is None else f"{amount(result.saving)} ({percent(result.saving_share)})"
    return [
        (
            f"Cost, {result.currency} a year",
            f"{amount(result.cost)} ({result.status}, gap {percent(result.gap)})",
        ),
        (f"Saving against {result.against}", saved),
        ("Sites", f"{len(found.closed)} close, {len(found.opened)} open, {len(found.taken_over)} taken over"),
        ("On time", percent(share(served["on_time"], served.sum()))),
    ]


@dataclass(frozen=True)
class _Box:
    """A box of text that floats over the cells; lengths in pixels, `size` in points."""

    x: int
    width: int
    height: int
    size: int
    ink: str
    fill: str

    def put(self, sheet: Worksheet, row: int, text: str) -> None:
        options = {
            "x_offset": self.x,
            "y_offset": 4,
            "width": self.width,
            "height": self.height,
            "object_position": 3,  # filters and column widths move nothing
            "fill": {"color": self.fill},
            "line": {"none": True},
            "font": {"bold": True, "size": self.size, "color": self.ink},
            "align": {"vertical": "middle"},
        }
        sheet.insert_textbox(row, _LEFT, text, options)


def add_cost_chart(book: Workbook, sheet: Worksheet, costs: DataFrame, title: str, corner: Corner) -> None:
    """Stack the cost buckets of several designs beside each other; reads the sheet ``costs``.

    Parameters
    ----------
    book, sheet
        The workbook, and the sheet that takes the chart.
    costs
        The first columns of that sheet: the bucket, then one column of amounts per design.
    title
        Of the chart.
    corner
        Row and column of its upper left corner.
    """
    used = np.flatnonzero((costs.iloc[:, 1:].fillna(0.0) != 0).any(axis=1))
    if not len(used):
        return
    chart, last = book.add_chart({"type": "column", "subtype": "stacked"}), len(costs.columns) - 1
    for row in used.tolist():
        chart.add_series(
            {
                "name": ["costs", row + 1, 0],
                "categories": ["costs", 0, 1, 0, last],
                "values": ["costs", row + 1, 1, row + 1, last],
                "fill": {"color": _PALETTE[row % len(_PALETTE)]},
                "gap": 60,
            }
        )
    _finish(chart, title, legend="right", pattern="#,##0")
    sheet.insert_chart(*corner, chart, {"object_position": 3})


def add_tier_chart(book: Workbook, sheet: Worksheet, tiers: DataFrame, corner: Corner) -> None:
    """Show the open sites by tier, today and after, right of the cost chart; reads the sheet ``tiers``."""
    if tiers.empty:
        return
    chart = book.add_chart({"type": "column"})
    for column, name, colour in ((1, "today", "#A9B4BB"), (2, "after", "#1F6F78")):
        chart.add_series(
            {
                "name": name,
                "categories": ["tiers", 1, 0, len(tiers), 0],
                "values": ["tiers", 1, column, len(tiers), column],
                "fill": {"color": colour},
                "data_labels": {"value": True},
                "gap": 80,
                "overlap": -5,
            }
        )
    _finish(chart, "Open sites by tier", legend="bottom", pattern="0")
    sheet.insert_chart(*corner, chart, {"x_offset": _WIDTH - _CHART_WIDTH, "object_position": 3})


def bars(waterfall: DataFrame) -> DataFrame:
    """Add to the steps of a waterfall what its bars are stacked of: base (unseen), total, less, more."""
    out, change = waterfall.copy(), waterfall["change"]
    end = np.isin(np.arange(len(out)), [0, len(out) - 1])
    out["base"] = np.where(end, 0.0, np.minimum(out["cost"], out["cost"] - change))
    out["total"] = np.where(end, out["cost"], 0.0)
    out["less"], out["more"] = np.maximum(-change, 0.0), np.maximum(change, 0.0)
    return out


def add_waterfall_chart(book: Workbook, sheet: Worksheet, rows: int, title: str, corner: Corner) -> None:
    """Show bucket by bucket how one cost becomes another, right of the cost chart; reads ``waterfall``."""
    chart = book.add_chart({"type": "column", "subtype": "stacked"})
    parts = ((3, "base", ""), (4, "cost", "#5B6C9D"), (5, "less", "#5F8A4C"), (6, "more", "#B5523B"))
    for column, name, colour in parts:
        chart.add_series(
            {
                "name": name,
                "categories": ["waterfall", 1, 0, rows, 0],
                "values": ["waterfall", 1, column, rows, column],
                "fill": {"color": colour} if colour else {"none": True},
                "gap": 30,
            }
        )
    _finish(chart, title, legend="bottom", pattern="#,##0")
    chart.set_legend({"position": "bottom", "delete_series": [0]})
    sheet.insert_chart(*corner, chart, {"x_offset": _CHART_WIDTH + 12, "object_position": 3})


def add_service_chart(book: Workbook, sheet: Worksheet, service: DataFrame, corner: Corner) -> None:
    """Show the share served on time by channel and strategy, right of the waterfall; reads ``service``."""
    if service.empty:
        return
    strategies = service["strategy"].drop_duplicates()
    first = service.index[service["strategy"] == strategies.iloc[0]]
    chart, column = book.add_chart({"type": "column"}), service.columns.get_loc("on_time_share")
    for number, strategy in enumerate(strategies):
        rows = service.index[service["strategy"] == strategy]
        chart.add_series(
            {
                "name": strategy,
                "categories": ["service", int(first[0]) + 1, 1, int(first[-1]) + 1, 1],
                "values": ["service", int(rows[0]) + 1, column, int(rows[-1]) + 1, column],
                "fill": {"color": _PALETTE[number % len(_PALETTE)]},
                "gap": 80,
            }
        )
    _finish(chart, "On time, share of what is served", legend="bottom", pattern="0%")
    sheet.insert_chart(*corner, chart, {"x_offset": 2 * (_CHART_WIDTH + 12), "object_position": 3})


def _finish(chart: Any, title: str, *, legend: str, pattern: str) -> None:
    chart.set_title({"name": title, "overlay": False, "name_font": {"size": 12}})
    chart.set_legend({"position": legend})
    chart.set_x_axis({"label_position": "low"})
    chart.set_y_axis(
        {"num_format": pattern, "major_gridlines": {"visible": True, "line": {"color": "#E3E8E9"}}}
    )
    chart.set_size({"width": _CHART_WIDTH, "height": 400})
    chart.set_chartarea({"border": {"color": "#D5DDDF"}})
