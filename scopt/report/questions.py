"""Answers to questions about a design as text and as workbooks."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pandas as pd

from scopt.report.sheets import AMBER, GREEN, RED, open_book
from scopt.report.text import STATUS, align, amount, percent

if TYPE_CHECKING:
    from pathlib import Path

    from pandas import DataFrame

    from scopt.questions.alternatives import Alternatives
    from scopt.questions.explanation import Explanation
    from scopt.questions.tieout import TieOut
    from scopt.result import Result

__all__ = [
    "alternatives_text", "explanation_text", "tie_out_text", "write_alternatives", "write_explanation",
    "write_tie_out",
]  # fmt: skip

_CHANGES_SHOWN = 30
_POINT = 1e-4
"""An interval narrower than this part of its value is told as a point."""


def _digits(*values: float | None) -> int:
    """Digits after the point of amounts that are shown together."""
    return 0 if any(value is not None and abs(value) >= 10_000 for value in values) else 2


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def _title(result: Result, question: str) -> str:
    return " · ".join(part for part in (result.provenance.get("case", ""), result.strategy, question) if part)


def _blocks(*blocks: str, notes: tuple[str, ...] = ()) -> str:
    return "\n\n".join(block for block in (*blocks, "\n".join(f"note: {note}" for note in notes)) if block)


# -- why -----------------------------------------------------------------------------------------------------


def explanation_text(told: Explanation) -> str:
    """Lay an explanation out as compact text."""
    title = _title(told.base, str(told.decision))
    if told.taken is None:
        return _blocks(title, STATUS.get(told.base.status, told.base.status), notes=told.messages)
    now, other = (told.decision.word(way) for way in (told.taken, not told.taken))
    if told.difference is None:
        status = "not tried" if told.forced is None else STATUS.get(told.forced.status, told.forced.status)
        stops = "\n".join(f"it stays so: {reason}" for reason in told.stops) or f"{other}: {status}"
        return _blocks(f"{title}: {now}", stops, notes=told.messages)
    head = [(name, *_figures(result)) for name, result in ((now, told.base), (other, told.forced)) if result]
    share = percent(told.difference / max(abs(told.base.cost or 0.0), 1e-9))
    digits = _digits(told.base.cost)
    head.append((
        "difference", amount(told.difference, digits=digits, signed=True), f"{told.base.currency}/year", share
    ))  # fmt: skip
    return _blocks(
        f"{title}: {now}", align(head, right=[1]), _costs(told, now, other), _changes(told, now, other),
        _break_even(told), notes=told.messages,
    )  # fmt: skip


def _figures(result: Result) -> tuple[str, str, str]:
    gap = "" if result.gap is None else f"gap {percent(result.gap)}"
    return amount(result.cost, digits=_digits(result.cost)), f"{result.currency}/year", gap


def _costs(told: Explanation, now: str, other: str) -> str:
    costs = told.costs
    used = costs[(costs[["as_decided", "forced"]] != 0).any(axis=1)]
    digits = _digits(told.base.cost)
    total = costs[["as_decided", "forced", "difference"]].sum()
    rows = [("costs by bucket", now, other, "difference")]
    for bucket, *values, difference in [*used.itertuples(index=False), ("total", *total)]:
        shown = (amount(value, digits=digits) for value in values)
        rows.append((bucket, *shown, amount(difference, digits=digits, signed=True)))
    return align(rows, right=[1, 2, 3])


def _changes(told: Explanation, now: str, other: str) -> str:
    rows = [tuple(map(str, row)) for row in told.changes.itertuples(index=False)]
    more = f"\n… and {len(rows) - _CHANGES_SHOWN} more" if len(rows) > _CHANGES_SHOWN else ""
    return align([("with it change", "", now, other), *rows[:_CHANGES_SHOWN]]) + more if rows else ""


def _break_even(told: Explanation) -> str:
    other = told.decision.word(not told.taken)
    return "\n".join(_flip(row, other) for row in told.break_even.to_dict("records"))


def _flip(row: dict[Any, Any], other: str) -> str:
    unit, several = row["unit"], pd.isna(row["now"])
    now = "several values today" if several else f"{_price(row['now'])} {unit} today"
    if pd.isna(row["break_even"]):
        return f"{row['price']} ({now}): {other} at no price, {row['note']}"
    change = "changed by " if several else ""
    low, high, value = row["low"], row["high"], row["break_even"]
    if high - low <= _POINT * max(abs(value), abs(high - low) and abs(row["now"] or 0.0)):
        flip = f"{row['state_below']} below {change}{_price(value)}, {row['state_above']} above"
    else:
        flip = f"{row['state_below']} below {change}{_price(low)}"
        flip += f", {row['state_above']} above {_price(high)}" if math.isfinite(high) else ", then open"
        flip += f", about {_price(value)}"
    tried = {True: "tried on both sides", False: "NOT confirmed when tried on both sides"}.get(
        row["confirmed"], ""
    )
    return "; ".join(part for part in (f"{row['price']} ({now}): {flip}", tried, row["note"]) if part)


def _price(value: float) -> str:
    """Write a price with about five digits."""
    size = abs(value)
    digits = 0 if size >= 10_000 or value == 0 else max(0, 4 - math.floor(math.log10(size)))
    text = f"{value:,.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def write_explanation(told: Explanation, path: str | Path) -> None:
    """Write an explanation as a workbook: what was asked, costs, changes, break-evens, sites of both."""
    with open_book(path, _title(told.base, str(told.decision))) as book:
        rows = [
            (key, value) for key, value in told.summary_json().items() if not isinstance(value, (list, dict))
        ]
        rows += [("stopped by", reason) for reason in told.stops]
        rows += [("message", message) for message in told.messages]
        book.add_table("why", pd.DataFrame(rows, columns=["metric", "value"], dtype=object))
        book.add_table("costs", told.costs)
        book.highlight("costs", told.costs, {"{difference}<0": GREEN, "{difference}>0": RED})
        book.add_table("changes", told.changes)
        book.add_table("break_even", told.break_even)
        for name, result in (("sites as decided", told.base), ("sites forced", told.forced)):
            if result is not None and not result.sites.empty:
                book.add_table(name, result.sites)


# -- what else -----------------------------------------------------------------------------------------------


def alternatives_text(told: Alternatives) -> str:
    """Lay designs out as compact text: figures, then what each decides otherwise."""
    title = _title(told.best, f"designs within {percent(told.within)}")
    if told.best.cost is None:
        return _blocks(title, STATUS.get(told.best.status, told.best.status), notes=told.messages)
    digits = _digits(told.best.cost)
    rows: list[tuple[str, ...]] = [
        ("design", "cost", "extra", "", "apart", "sites", "operators", "stock points")
    ]
    for row in told.table.to_dict("records"):
        name = "best" if row["design"] == 0 else str(row["design"])
        money = amount(row["cost"], digits=digits), amount(row["extra"], digits=digits, signed=True)
        counts = (amount(row[column]) for column in ("apart", "sites", "operators", "stock_points"))
        rows.append((name, *money, percent(row["extra_share"]), *counts))
    blocks = [align(rows, right=range(1, 8))]
    for rank, part in told.differences.groupby("design", sort=False):
        lines = [tuple(map(str, row)) for row in part.drop(columns="design").itertuples(index=False)]
        blocks.append(align([(f"design {rank}", "", "best", f"{rank}"), *lines]))
    end = "proven: no further design lies within it" if told.complete else "there may be further ones"
    end = f"{_count(len(told.found), 'design', 'designs')} within the tolerance; {end}"
    return _blocks(title, *blocks, end, notes=told.messages)


def write_alternatives(told: Alternatives, path: str | Path) -> None:
    """Write designs as a workbook: figures, differences, costs and sites of each."""
    with open_book(path, _title(told.best, "alternatives")) as book:
        book.add_table("alternatives", told.table)
        book.add_table("differences", told.differences)
        book.add_table("costs", told.costs)
        book.add_table("sites", _sites(told))
        end = "yes" if told.complete else "not proven"
        rows = [("within", told.within), ("no further design within it", end)]
        rows += [("message", message) for message in told.messages]
        book.add_table("notes", pd.DataFrame(rows, columns=["metric", "value"], dtype=object))


def _sites(told: Alternatives) -> DataFrame:
    table = pd.DataFrame({"site": []})
    for rank, result in enumerate((told.best, *told.found)):
        if result.sites.empty:
            continue
        if rank == 0:
            table = result.sites[["site", "tier", "operator", "before"]].copy()
        table["best" if rank == 0 else f"design {rank}"] = result.sites["after"].to_numpy()
    return table


# -- tie-out -------------------------------------------------------------------------------------------------


def tie_out_text(told: TieOut) -> str:
    """Lay a tie-out out as compact text, largest gaps first, warnings last."""
    title = _title(told.result, "tie-out with the actual cost")
    digits = _digits(told.total["actual"], told.result.cost)
    rows = [("costs by bucket", "actual", "model", "difference", "")]
    lines: list[dict[Any, Any]] = [*told.table.to_dict("records"), told.total]
    for row in lines:
        money = [amount(row[column], digits=digits) for column in ("actual", "model")]
        share = row["share"] if math.isfinite(row["share"]) else None
        difference = amount(row["difference"], digits=digits, signed=True)
        rows.append((row["bucket"], *money, difference, percent(share)))
    missing = int(told.table["actual"].isna().sum())
    notes = [*told.messages]
    if missing:
        notes.insert(
            0, f"{_count(missing, 'bucket has', 'buckets have')} no actual amount, the total leaves them out"
        )
    if told.result.cost is None:
        notes.insert(0, STATUS.get(told.result.status, told.result.status))
    warnings = "\n".join(f"warning: {warning}" for warning in told.warnings)
    return _blocks(title, align(rows, right=[1, 2, 3, 4]), warnings, notes=tuple(notes))


def write_tie_out(told: TieOut, path: str | Path) -> None:
    """Write a tie-out as a workbook: buckets with the total, and warnings."""
    with open_book(path, _title(told.result, "tie-out")) as book:
        table = pd.concat([told.table, pd.DataFrame([told.total])], ignore_index=True)
        book.add_table("tie-out", table)
        book.highlight("tie-out", table, {"{over}": AMBER})
        notes = [("warning", text) for text in told.warnings] + [("message", text) for text in told.messages]
        book.add_table("notes", pd.DataFrame(notes, columns=["kind", "text"]))
