"""The blank case workbook, made from the schema.

The workbook explains itself: an introduction, a note on every header, drop-downs where there is a choice.
It holds a small worked example, or a copy of another case. What comes from a case is written as text,
never as a formula or a link.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from scopt.casefile.cells import LONGEST_TEXT, TOO_LONG, shown
from scopt.casefile.convert import convert_cells
from scopt.casefile.example import EXAMPLE
from scopt.casefile.read import INTRODUCTION, RawSheet, read_path
from scopt.casefile.reference import reference_page
from scopt.casefile.schema import SETTINGS, SHEETS
from scopt.casefile.validate import validate
from scopt.errors import CaseError
from scopt.files import whole_workbook
from scopt.findings import MOST_OF_A_KIND, Finding, Findings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from xlsxwriter import Workbook

    from scopt.case import Case
    from scopt.casefile.columns import Column, Sheet

__all__ = ["reference_page", "write_template"]

Cell = str | float | None
Content = dict[str, list[dict[str, Cell]]]

_NO_SIGNS = re.compile("[\ud800-\udfff\ufffe\uffff]")  # a note may hold what no workbook can
_LAST_ROW = 1_048_575
_LONGEST_LIST = 255  # characters of a drop-down that Excel takes
_WAYS = (
    "One record a row, headers in row 1. The order of columns is free.",
    "Bold headers are required columns; a blank cell takes the default that the note on its header gives.",
    "Grey headers are read and checked, and nothing uses them yet.",
    "Sheets that a case does not need can stay empty or be deleted; products, sites, supply, markets and "
    "demand are required, and lanes or lane_rules.",
    "Every sheet may have a column notes, and a row can be left out with status exclude where status has no "
    "meaning of its own.",
    "Ids are text: 001 stays 001. Numbers may have thousands separators.",
    "The sheets hold an example. Replace its rows by your own, then run: scopt check FILE",
)


def write_template(path: str | Path, example: Case | str | Path | None = None) -> None:
    """Write a blank case workbook with notes, drop-downs and an example.

    Parameters
    ----------
    path
        File to write, ending in ``.xlsx``; it appears whole or not at all.
    example
        Case, or file or folder of one, to copy in place of the small worked example.

    Raises
    ------
    CaseError
        If the file to copy is no case or has errors.
    UsageError
        If the workbook cannot be written.
    """
    content = _content(example)
    with whole_workbook(path) as book:
        _write_introduction(book)
        for sheet in SHEETS.values():
            _write_sheet(book, sheet, content.get(sheet.name, []))


def _content(example: Case | str | Path | None) -> Content:
    """Return the rows to write, blank cells left out, with every settings key listed."""
    content: Content
    if example is None:
        content = {name: [dict(row) for row in rows] for name, rows in EXAMPLE.items()}
    elif isinstance(example, (str, Path)):
        raw = read_path(Path(example))
        findings = validate(raw).findings
        if findings.errors:
            raise CaseError(findings)
        too_long = Findings(finding for sheet in raw.sheets.values() for finding in _too_long(sheet))
        if too_long:
            raise CaseError(too_long)
        content = {name: _rows(_as_written(sheet)) for name, sheet in raw.sheets.items()}
    else:
        content = {name: _rows(table.to_dict("list")) for name, table in example.given.items()}
    settings = content.setdefault("settings", [])
    listed = {str(row.get("key", "")) for row in settings}
    for column in SETTINGS:
        note = f"{column.meaning} {_hint(column)}".strip()
        for row in settings:
            if row.get("key") == column.name:
                row.setdefault("notes", note)
        if column.name not in listed:
            settings.append({"key": column.name, "notes": note})
    return content


def _hint(column: Column) -> str:
    default = column.default_text
    unit = f"Unit: {column.unit}. " if column.unit else ""
    return unit + (f"Default: {default}." if default else "")


def _too_long(raw: RawSheet) -> list[Finding]:
    """Return the notes, of whatever column, that a cell of a workbook cannot take."""
    rule = f"the cell of a workbook holds at most {LONGEST_TEXT:,} characters"
    found = []
    for name, cells in raw.columns.items():
        for position in np.flatnonzero(cells.odd & TOO_LONG)[:MOST_OF_A_KIND]:
            row, value = int(raw.rows[position]), shown(cells.values[position])
            cell = f"{raw.letters[name]}{row}"
            found.append(Finding("error", raw.name, cell, row, name, value, rule, "Shorten the text."))
    return found


def _as_written(raw: RawSheet) -> dict[str, list[Any]]:
    """Return the columns of a sheet with its cells as they were written, numbers as numbers."""
    columns = {}
    for column in SHEETS[raw.name].every_column:
        if column.name in raw.columns:
            cells = raw.columns[column.name]
            typed, bad = convert_cells(cells, column)
            columns[column.name] = [
                typed_value if not wrong else value if isinstance(value, str) else shown(value)
                for value, typed_value, wrong in zip(cells.values, typed.tolist(), bad, strict=True)
            ]
    return columns


def _rows(columns: Mapping[Any, list[Any]]) -> list[dict[str, Cell]]:
    records = zip(*columns.values(), strict=True)
    return [
        {
            str(name): value
            for name, value in zip(columns, record, strict=True)
            if value != "" and value == value
        }
        for record in records
    ]


def _write_introduction(book: Workbook) -> None:
    page = book.add_worksheet(INTRODUCTION)
    title, bold = book.add_format({"bold": True, "font_size": 14}), book.add_format({"bold": True})
    wrap = book.add_format({"text_wrap": True, "valign": "top"})
    page.set_column(0, 0, 18)
    page.set_column(1, 1, 11)
    page.set_column(2, 2, 100)
    page.write_string(0, 0, "Supply chain redesign case", title)
    for row, line in enumerate(_WAYS, start=2):
        page.merge_range(row, 0, row, 2, "", wrap)
        page.write_string(row, 0, line, wrap)
        page.set_row(row, 15 * (1 + len(line) // 125))
    top = len(_WAYS) + 3
    for column, header in enumerate(("sheet", "", "what it holds")):
        page.write_string(top, column, header, bold)
    for row, sheet in enumerate(SHEETS.values(), start=top + 1):
        page.write_url(row, 0, f"internal:'{sheet.name}'!A1", string=sheet.name)
        page.write_string(row, 1, "required" if sheet.required else "later" if sheet.later else "")
        page.write_string(row, 2, sheet.meaning)


def _write_sheet(book: Workbook, sheet: Sheet, rows: list[dict[str, Cell]]) -> None:
    page = book.add_worksheet(sheet.name)
    bold, plain = book.add_format({"bold": True, "bottom": 1}), book.add_format({"bottom": 1})
    grey, text = book.add_format({"font_color": "#808080", "bottom": 1}), book.add_format({"num_format": "@"})
    page.freeze_panes(1, 0)
    for number, column in enumerate(sheet.every_column):
        header = bold if column.required else grey if column.later or sheet.later else plain
        cells = [row.get(column.name) for row in rows]
        widest = max(len(column.name), *(len(str(cell)) for cell in cells if cell is not None), 8)
        width = 60 if column.name == "notes" and sheet.name == "settings" else min(widest + 2, 40)
        # Text cells keep ids as they are typed: 001 stays 001, 1-2 becomes no date.
        page.set_column(number, number, width, text if column.kind in ("id", "text") else None)
        page.write_string(0, number, column.name, header)
        page.write_comment(0, number, _note(column), {"x_scale": 2, "y_scale": 1.3, "author": "scopt"})
        choices = ("yes", "no") if column.kind == "yes-no" else column.choices
        if choices and len(",".join(choices)) <= _LONGEST_LIST:
            page.data_validation(1, number, _LAST_ROW, number, {"validate": "list", "source": list(choices)})
        for row, cell in enumerate(cells, start=1):
            if isinstance(cell, str):
                page.write_string(row, number, _NO_SIGNS.sub("\ufffd", cell), text)
            elif cell is not None:
                page.write_number(row, number, cell)


def _note(column: Column) -> str:
    """Return the note on a header: meaning, unit, default, rule."""
    lines = [column.meaning, _hint(column), f"Rule: {column.rule}."]
    lines += ["Required."] if column.required else []
    lines += ["Read, but not used yet."] if column.later else []
    return "\n".join(line for line in lines if line)
