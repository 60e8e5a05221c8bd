"""A trade-off curve as text and as a workbook with its chart."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scopt.report.sheets import open_book
from scopt.report.text import align, amount, percent

if TYPE_CHECKING:
    from pathlib import Path

    from pandas import DataFrame

    from scopt.curves import Sweep

__all__ = ["describe_sweep", "write_sweep"]


def describe_sweep(sweep: Sweep) -> str:
    """Lay a curve out as compact text, one line per point."""
    table, front = sweep.table, bool(sweep.against)
    head = ["value", *(["measure", "efficient"] if front else [])]
    head += ["cost", "gap", "closes", "opens", "on time", "status"]
    rows = [head]
    for row in table.to_dict("records"):
        shown = [f"{row['value']:,.6g}"]
        if front:
            shown += [f"{row['measure']:,.6g}", "yes" if row["efficient"] else ""]
        counts = [amount(row[column]) for column in ("closed", "opened")]
        rows.append([*shown, amount(row["cost"]), percent(row["gap"]), *counts, percent(row["on_time_share"]),
                     row["status"]])  # fmt: skip
    notes = dict.fromkeys(
        f"{value:.6g}: {message}"
        for value, result in sweep.points.items()
        if result.cost is None
        for message in result.messages[:2]
    )
    blocks = [
        sweep.label,
        align(rows, right=range(len(head) - 1)),
        "\n".join(f"note: {note}" for note in notes),
    ]
    return "\n\n".join(block for block in blocks if block)


def write_sweep(sweep: Sweep, path: str | Path) -> None:
    """Write a curve as a workbook: its table, costs by bucket, and a chart.

    Parameters
    ----------
    sweep
        What is written.
    path
        File ending in ``.xlsx``; it appears whole or not at all.

    Raises
    ------
    UsageError
        The file cannot be written there.
    """
    from scopt.comparison import Comparison

    table = sweep.table
    with open_book(path, sweep.label) as book:
        sheet = book.add_table("curve", table)
        named = Comparison({f"{value:.6g}": result for value, result in sweep.points.items()})
        for name in ("costs", "sites", "service"):
            book.add_table(name, getattr(named, name))
        across = table.columns.get_loc("measure" if sweep.against else "value")
        cost = table.columns.get_loc("cost")
        chart = book.book.add_chart({"type": "scatter", "subtype": "straight_with_markers"})
        points = [
            {"fill": {"color": "#1F6F78" if good else "#BDBDBD"}} for good in _marked(table)
        ]  # fmt: skip
        chart.add_series({
            "name": "cost", "categories": ["curve", 1, across, len(table), across],
            "values": ["curve", 1, cost, len(table), cost],
            "marker": {"type": "circle", "size": 8}, "line": {"color": "#1F6F78", "width": 1.5},
            "points": points,
        })  # fmt: skip
        currency = next((result.currency for result in sweep.points.values()), "")
        chart.set_title({"name": sweep.label, "name_font": {"size": 12}})
        chart.set_y_axis(
            {"name": f"cost, {currency} a year", "num_format": "#,##0", "major_gridlines": {"visible": True}}
        )
        chart.set_x_axis({"name": sweep.against or sweep.label})
        chart.set_legend({"none": True})
        chart.set_size({"width": 720, "height": 400})
        sheet.insert_chart(len(table) + 2, 0, chart, {"object_position": 3})


def _marked(table: DataFrame) -> list[bool]:
    """Points that are drawn dark: the efficient ones of a front, all of any other curve."""
    if "efficient" not in table:
        return [True] * len(table)
    return [bool(good) for good in np.asarray(table["efficient"])]
