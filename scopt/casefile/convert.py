"""One raw sheet to a typed table: kinds, bounds, choices, required cells, columns not used yet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from scopt.casefile.cells import (
    CONTROLS,
    LINES,
    LONG,
    LONGEST_ID,
    LONGEST_TEXT,
    TOO_LONG,
    Cells,
    as_objects,
    shown,
)
from scopt.casefile.columns import canonical
from scopt.casefile.context import Origin
from scopt.casefile.frames import typed_frame
from scopt.casefile.hints import Hints, nearest
from scopt.casefile.read import RawSheet
from scopt.casefile.schema import SETTINGS
from scopt.findings import MOST_OF_A_KIND, Finding, Findings

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from scopt.casefile.columns import Column, Sheet

__all__ = ["convert_cells", "out_of_bounds", "type_sheet"]

LARGEST = 1e20
"""Largest number of a case: what a solver takes for infinite."""
_SETTING = {canonical(column.name): column for column in SETTINGS}
_MEND = {
    "number": "Write a number, with a point as decimal mark and no unit.",
    "integer": "Write a whole number.",
    "yes-no": "Write yes or no.",
    "id": "Write the id as text; Excel turns ids like 1-2 into dates unless the cell is formatted as text.",
    "text": "Write text.",
    "any": "Write a number or text.",
}


def type_sheet(raw: RawSheet, sheet: Sheet, findings: Findings) -> tuple[pd.DataFrame, Origin]:
    """Return a sheet with typed columns, without its excluded rows, and where its rows stand.

    Numbers are float with NaN for blank; the rest is object with empty text for blank.
    """
    raw = _without_excluded(raw, sheet, findings)
    count = len(raw.rows)
    typed: dict[str, NDArray[Any]] = {}
    for column in sheet.columns:
        if column.name in raw.columns:
            typed[column.name] = _type_column(raw, column, findings)
        else:
            typed[column.name] = np.full(count, np.nan) if column.numeric else as_objects([""] * count)
            if column.required and count:
                rule, mend = "the column is missing", "Add it; headers stand in row 1."
                findings.append(Finding("error", sheet.name, "", 0, column.name, "", rule, mend))
    if sheet.name == "settings":
        _type_settings(raw, typed, findings)
    _warn_later(raw, sheet, typed, findings)
    return typed_frame(typed), Origin(raw.rows, raw.letters)


def convert_cells(cells: Cells, column: Column) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Return the typed cells of a column and the mask of those that are not of its kind."""
    if column.numeric:
        number, bad = cells.to_number()
        if column.kind == "integer":
            fraction = np.isfinite(number) & (number != np.round(number))
            number[fraction] = np.nan
            bad |= fraction
        return number, bad
    if column.kind == "choice":
        return cells.to_choice(column.choices)
    if column.kind == "yes-no":
        return cells.to_yes_no()
    text, bad = cells.to_any() if column.kind == "any" else cells.to_text()
    text[bad] = ""
    return text, bad


def out_of_bounds(number: NDArray[np.float64], column: Column) -> NDArray[np.bool_]:
    """Return the mask of the numbers that break the bounds of the column or are absurd; NaN breaks none."""
    low = number <= column.low if column.open_low else number < column.low
    high = number >= column.high if column.open_high else number > column.high
    return np.asarray(low | high | (np.abs(number) > LARGEST))


def _without_excluded(raw: RawSheet, sheet: Sheet, findings: Findings) -> RawSheet:
    if sheet.own_status or "status" not in raw.columns:
        return raw
    column = sheet.column("status")
    kept = _type_column(raw, column, findings) != "exclude"
    cells = {name: cells.take(kept) for name, cells in raw.columns.items()}
    flawed = {name: mask[kept] for name, mask in raw.flawed.items()}
    return RawSheet(raw.name, cells, raw.letters, raw.rows[kept], flawed)


def _type_column(raw: RawSheet, column: Column, findings: Findings) -> NDArray[Any]:
    cells = raw.columns[column.name]
    typed, bad = convert_cells(cells, column)
    _note(raw, column, bad, findings, column.rule, _mend_kind(column))
    if column.numeric:
        huge = np.abs(typed) > LARGEST
        rule, mend = f"a number of at most {LARGEST:g}", "Write the number that is meant; blank is no bound."
        _note(raw, column, huge, findings, rule, mend)
        typed[huge] = np.nan
        outside = out_of_bounds(typed, column)
        _note(raw, column, outside, findings, column.rule, f"Write a number{column.bounds}.")
        typed[outside] = np.nan
    if column.kind in ("id", "text", "any"):
        typed[_note_odd(raw, column, findings)] = ""
    if column.required:
        blank = cells.blank
        if column.name in raw.flawed:
            blank &= ~raw.flawed[column.name]
        _note(raw, column, blank, findings, "the cell is required", "Fill it in, or remove the row.")
    return typed


def _note_odd(raw: RawSheet, column: Column, findings: Findings) -> NDArray[np.bool_]:
    """Report texts that are too long or hold what no name may; return their mask, shape (rows,)."""
    odd = raw.columns[column.name].odd
    wrong, most = (CONTROLS, LONGEST_TEXT) if column.long else (CONTROLS | LINES, LONGEST_ID)
    long = (odd & (TOO_LONG if column.long else LONG)) > 0
    signs = (odd & wrong) > 0
    _note(raw, column, long, findings, f"text of at most {most:,} characters", "Shorten it.")
    rule = "text without control characters" + ("" if column.long else ", line breaks and tabs")
    _note(raw, column, signs & ~long, findings, rule, "Remove the signs that are shown as codes here.")
    return long | signs


def _mend_kind(column: Column) -> str:
    return _MEND.get(column.kind) or f"Write {column.rule}."


def _note(
    raw: RawSheet, column: Column, bad: NDArray[np.bool_], findings: Findings, rule: str, mend: str
) -> None:
    positions, hint = np.flatnonzero(bad), Hints(column.choices)
    for position in positions[:MOST_OF_A_KIND]:
        row = int(raw.rows[position])
        value = shown(raw.columns[column.name].values[position])
        cell = f"{raw.letters[column.name]}{row}"
        advice = f"{hint(value)} {mend}".strip() if column.kind == "choice" and value else mend
        findings.append(Finding("error", raw.name, cell, row, column.name, value, rule, advice))
    if len(positions) > MOST_OF_A_KIND:
        findings.append(findings[-1].others(len(positions) - MOST_OF_A_KIND))


def _type_settings(raw: RawSheet, typed: dict[str, NDArray[Any]], findings: Findings) -> None:
    """Give each setting its name in the contract and its value the kind of that setting, in place."""
    values = raw.columns.get("value") or Cells(as_objects([""] * len(raw.rows)))
    for position, key in enumerate(typed["key"]):
        column = _SETTING.get(canonical(key))
        if column is None:
            if key:
                cell, row = Origin(raw.rows, raw.letters).place(position, "key")
                hint = nearest(key, (column.name for column in SETTINGS)) or "It is not read."
                rule = "no setting has this name"
                findings.append(Finding("warning", "settings", cell, row, "key", key, rule, hint))
            continue
        typed["key"][position] = column.name
        if values.odd[position]:
            continue  # reported as a text that no cell may hold
        this = np.arange(len(raw.rows)) == position
        one = RawSheet("settings", {column.name: values.take(this)}, rows=raw.rows[this])
        one.letters = {column.name: raw.letters.get("value", "")}
        value = _type_column(one, column, findings)[0]
        typed["value"][position] = "" if column.numeric and np.isnan(value) else value


def _warn_later(raw: RawSheet, sheet: Sheet, typed: dict[str, NDArray[Any]], findings: Findings) -> None:
    """Say once per column, sheet or setting that it is read and nothing uses it yet."""
    rule, mend = "read but not used yet", "Nothing in the result depends on it."
    if sheet.later and len(raw.rows):
        findings.append(Finding("warning", sheet.name, "", 0, "", "", rule, mend))
    if sheet.name == "settings":
        _warn_later_settings(raw, typed, findings)
    for column in sheet.columns:
        values = typed[column.name]
        asked = ~np.isnan(values) & (values != 0) if column.numeric else (values != "") & (values != "no")
        if column.later and asked.any():
            first = int(np.flatnonzero(asked)[0])
            cell, row = Origin(raw.rows, raw.letters).place(first, column.name)
            value = shown(values[first])
            findings.append(Finding("warning", sheet.name, cell, row, column.name, value, rule, mend))


def _warn_later_settings(raw: RawSheet, typed: dict[str, NDArray[Any]], findings: Findings) -> None:
    later = {column.name for column in SETTINGS if column.later}
    for position, (key, value) in enumerate(zip(typed["key"], typed["value"], strict=True)):
        if key in later and value != "":
            cell, row = Origin(raw.rows, raw.letters).place(position, "value")
            rule, mend = "read but not used yet", "Nothing in the result depends on it."
            if key == "forecast_window_days":
                mend = "No amplification of orders is computed yet."
            findings.append(Finding("warning", "settings", cell, row, key, shown(value), rule, mend))
