"""A result as text: what ``str(result)`` and the command line show."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

import pandas as pd

from scopt.report.summary import by_channel, changes, stock_days

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from scopt.comparison import Comparison
    from scopt.result import Result

__all__ = ["STATUS", "align", "amount", "compare_text", "describe", "percent"]

STATUS = {
    "optimal": "optimal within the asked gap",
    "feasible": "feasible, the asked gap was not reached",
    "infeasible": "no feasible design exists",
    "stopped": "stopped before a design was found",
}
_NAMES_SHOWN = 6
_SMALL = 10_000  # amounts below this are shown with decimals


def describe(result: Result) -> str:
    """Lay a result out as compact text, one block per subject."""
    case = result.provenance.get("case", "")
    title = " · ".join(
        part for part in (case, result.strategy, STATUS.get(result.status, result.status)) if part
    )
    blocks = [title, _figures(result)]
    if result.cost is not None:
        blocks += [_costs(result), _service(result), _design(result)]
    blocks.append("\n".join(f"note: {message}" for message in result.messages))
    return "\n\n".join(block for block in blocks if block)


def amount(value: float | None, *, digits: int = 0, signed: bool = False) -> str:
    """Write a number with thousands separators; ``-`` where there is none."""
    if value is None or pd.isna(value):
        return "-"
    rounded = round(float(value), digits) + 0.0  # + 0.0 turns -0.0 into 0.0
    return f"{rounded:+,.{digits}f}" if signed and rounded else f"{rounded:,.{digits}f}"


def percent(value: float | None) -> str:
    """Write a share in per cent, ``-`` where there is none."""
    if value is None or pd.isna(value):
        return "-"
    return f"{100 * value:.{2 if 0 < abs(value) < 0.01 else 1}f} %"


def align(rows: Iterable[Sequence[str]], *, right: Iterable[int] = ()) -> str:
    """Align rows of cells in columns; wide (East Asian) characters count as two."""
    cells = [list(row) for row in rows]
    if not cells:
        return ""
    to_right = set(right)
    widths = [max(_width(row[at]) for row in cells) for at in range(len(cells[0]))]
    lines = []
    for row in cells:
        padded = []
        for at, (text, width) in enumerate(zip(row, widths, strict=True)):
            space = " " * (width - _width(text))
            padded.append(space + text if at in to_right else text + space)
        lines.append("  ".join(padded).rstrip())
    return "\n".join(lines)


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text)


def _digits(*values: float | None) -> int:
    """Digits after the point that suit all of these amounts together."""
    return 0 if any(value is not None and abs(value) >= _SMALL for value in values) else 2


def _figures(result: Result) -> str:
    money, digits = f"{result.currency}/year", _digits(result.cost, result.as_is_cost, result.bound)
    rows = []
    if result.cost is not None:
        rows.append(("cost", amount(result.cost, digits=digits), money, f"found in {result.seconds:.1f} s"))
    if result.bound is not None:
        gap = "" if result.gap is None else f"gap {percent(result.gap)}"
        rows.append(("bound", amount(result.bound, digits=digits), money, gap))
    if result.as_is_cost is not None and result.strategy != "as_is":
        rows.append(("as-is", amount(result.as_is_cost, digits=digits), money, ""))
    if result.saving is not None and result.strategy != result.against:
        part = f"{percent(result.saving_share)} of {result.against}"
        rows.append(("saving", amount(result.saving, digits=digits), money, part))
    return align(rows, right=[1])


def _costs(result: Result) -> str:
    costs = result.costs
    if costs.empty:
        return ""
    used = costs[(costs[["as_is", "strategy"]].fillna(0.0) != 0).any(axis=1)]
    digits = _digits(result.cost, result.as_is_cost)
    # A missing as-is stays missing in the total, hence min_count.
    total = costs[["as_is", "strategy", "difference"]].sum(min_count=1)
    lines = [*used[["bucket", *total.index]].itertuples(index=False), ("total", *total)]
    rows = [["costs by bucket", "as-is", result.strategy, "difference"]]
    for bucket, as_is, strategy, difference in lines:
        changed = amount(difference, digits=digits, signed=True)
        rows.append([bucket, amount(as_is, digits=digits), amount(strategy, digits=digits), changed])
    shown = 2 if result.strategy == "as_is" else 4
    return align([row[:shown] for row in rows], right=range(1, shown))


def _service(result: Result) -> str:
    channels = by_channel(result.service)
    if channels.empty:
        return ""
    rows = [("service", "demand", "served", "on time", "late", "response days")]
    for row in channels.to_dict("records"):
        shares = [percent(row[f"{part}_share"]) for part in ("served", "on_time", "late")]
        days = "-" if pd.isna(row["response_days"]) else f"{row['response_days']:.1f}"
        rows.append((row["channel"], amount(row["demand"]), *shares, days))
    return align(rows, right=[1, 2, 3, 4, 5])


def _design(result: Result) -> str:
    found = changes(result.sites)
    rows = [
        ("closes", _names(found.closed)),
        ("opens", _names(found.opened)),
        ("taken over", _names([f"{old} -> {new}" for old, new in found.taken_over])),
        ("outsourced", _names(_operators(result))),
        ("joins pools", _names(found.joined)),
        ("separates", _names(found.separated)),
        ("stock", _stock(result)),
        ("checks", _checks(result)),
    ]
    return align([row for row in rows if row[1]])


def _names(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_NAMES_SHOWN])
    return shown if len(names) <= _NAMES_SHOWN else f"{shown}, … ({len(names)} in all)"


def _operators(result: Result) -> list[str]:
    return [
        f"{row['operator']} ({amount(row['units'])} units, {amount(row['cost'])} a year)"
        for row in result.outsourcing.to_dict("records")
    ]


def _stock(result: Result) -> str:
    stock = result.stock
    if stock.empty:
        return ""
    sites = stock["site"].nunique()
    units, value = (stock["safety"] + stock["cycle"]).sum(), stock["value"].sum()
    days = stock_days(stock, result.service)
    text = f"{amount(units)} units at {sites} {'site' if sites == 1 else 'sites'}"
    return f"{text}, worth {amount(value)} {result.currency}" + ("" if days is None else f", {days:.1f} days")


def _checks(result: Result) -> str:
    checks = result.checks
    if checks.empty:
        return ""
    failed = checks.loc[~checks["ok"].astype(bool), "check"].astype(str).tolist()
    passed = f"{len(checks) - len(failed)} of {len(checks)} passed"
    return f"{passed}; failed: {_names(failed)}" if failed else passed


def compare_text(comparison: Comparison) -> str:
    """Lay a comparison out as compact text: figures by strategy, costs by bucket, notes."""
    table, costs = comparison.table, comparison.costs
    digits = _digits(*table["cost"].dropna())
    rows = [("strategy", "cost", "saving", "", "gap", "closes", "opens", "on time", "status")]
    for row in table.to_dict("records"):
        money = [amount(row[column], digits=digits) for column in ("cost", "saving")]
        counts = [amount(row[column]) for column in ("closed", "opened")]
        saved, gap, on_time = (percent(row[column]) for column in ("saving_share", "gap", "on_time_share"))
        rows.append((row["strategy"], *money, saved, gap, *counts, on_time, row["status"]))
    used = costs[(costs.iloc[:, 1:].fillna(0.0) != 0).any(axis=1)]
    buckets = [("costs by bucket", *costs.columns[1:])]
    for bucket, *values in used.itertuples(index=False):
        buckets.append((bucket, *(amount(value, digits=digits) for value in values)))
    notes = dict.fromkeys(message for result in comparison.results.values() for message in result.messages)
    if comparison.left:
        notes[f"stopped before {', '.join(comparison.left)}"] = None
    blocks = [
        align(rows, right=range(1, 8)),
        align(buckets, right=range(1, len(costs.columns))) if len(used) else "",
        _interaction(comparison, digits),
        "\n".join(f"note: {message}" for message in notes),
    ]
    return "\n\n".join(block for block in blocks if block)


def _interaction(comparison: Comparison, digits: int) -> str:
    told = comparison.interaction
    if told is None:
        return ""
    rows = [("savings by lever", "alone", "in its turn", "so far")]
    for row in told.table.to_dict("records"):
        rows.append((row["lever"], *(amount(row[c], digits=digits) for c in ("alone", "step", "sequence"))))
    lines = [
        (row["figure"], amount(row["value"], digits=digits), row["meaning"])
        for row in told.summary.to_dict("records")
    ]
    return align(rows, right=[1, 2, 3]) + "\n\n" + align(lines, right=[1])
