"""Tables as the sheets of an Excel workbook.

Every sheet is one table with its headers in row 1, so that other programs read it without guessing. Text is
written as text whatever it looks like: an id such as ``=A1`` is no formula.
"""

from __future__ import annotations

import math
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from xlsxwriter.utility import xl_col_to_name

from scopt.files import whole_workbook

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from pandas import DataFrame, Series
    from xlsxwriter import Workbook
    from xlsxwriter.worksheet import Worksheet

__all__ = ["AMBER", "GREEN", "RED", "Book", "open_book"]

_MAX_ROWS = 1_048_575  # of data: Excel's limit less the header
_MAX_TEXT = 32_767
_LONGEST_TITLE = 100
_WIDTH_SAMPLE = 1000

_COUNT, _DAYS, _SHARE, _EXACT = "#,##0", "0.0", "0.0%", "#,##0.0##"
_PATTERN_OF = {
    **dict.fromkeys(("days", "days_in", "days_out", "coverage", "coverage_days"), _DAYS),
    **dict.fromkeys(("stock_days", "response_days", "seconds", "payback_years"), _DAYS),
    **dict.fromkeys(("utilisation", "on_time_rate", "gap", "saving_share"), _SHARE),
    **dict.fromkeys(("served_share", "on_time_share", "late_share"), _SHARE),
}
"""Number patterns by column; any other column holds money or units."""
_PATTERN_OF_SHEET = {"limits": _EXACT, "checks": _EXACT}  # their rows are of many kinds
_PATTERN_OF_UNIT = {"share": _SHARE, "s": _DAYS, "days": _DAYS, "units": _COUNT}
_TRUTH = '"TRUE";"TRUE";"FALSE"'  # Excel shows this anyway, other programs would show 1 and 0

TEAL, GREEN, RED, AMBER = "#1F6F78", "#D9EFE0", "#F8D9D5", "#FBEBC8"
"""Colours: headers; good or opened; bad or closed; to be watched."""


@contextmanager
def open_book(path: str | Path, title: str) -> Iterator[Book]:
    """Open a workbook that appears at `path` whole, when the block ends without an error, or not at all."""
    with whole_workbook(path) as book:
        book.set_properties({"title": title[:_LONGEST_TITLE], "comments": "Written by scopt"})
        yield Book(book, title)


class Book:
    """A workbook being written: adds tables as sheets.

    Parameters
    ----------
    book
        The open workbook.
    title
        Printed at the head of every page.
    """

    def __init__(self, book: Workbook, title: str) -> None:
        self.book = book
        self.sheets: dict[str, Worksheet] = {}
        # & starts a code in page headers, which are short.
        self._title = title[:_LONGEST_TITLE].replace("&", "&&")
        self._formats: dict[str, Any] = {}
        header = {"bold": True, "font_color": "#FFFFFF", "bg_color": TEAL, "valign": "vcenter"}
        self._header = book.add_format(header)
        self._number_header = book.add_format(
            header | {"align": "right", "indent": 2}
        )  # leaves the filter its button

    def add_table(self, name: str, table: DataFrame) -> Worksheet:
        """Add a table as a sheet, which is returned; rows that do not fit go on on ``name_2`` and so on."""
        first = self._add_sheet(name, name, table.iloc[:_MAX_ROWS])
        for part, start in enumerate(range(_MAX_ROWS, len(table), _MAX_ROWS), start=2):
            self._add_sheet(f"{name}_{part}", name, table.iloc[start : start + _MAX_ROWS])
        return first

    def add_summary(self, summary: DataFrame) -> Worksheet:
        """Add the summary, each value formatted by its unit."""
        sheet = self._add_sheet("summary", "summary", summary)
        for row, (value, unit) in enumerate(zip(summary["value"], summary["unit"], strict=True), start=1):
            if isinstance(value, (int, float)) and math.isfinite(value):
                plain = _COUNT if isinstance(value, int) or abs(value) >= 1000 else "#,##0.00"
                sheet.write_number(row, 1, value, self._format(_PATTERN_OF_UNIT.get(unit, plain)))
        sheet.set_column(0, 0, 30)
        sheet.set_column(1, 1, 24)
        sheet.set_column(2, 2, 16, self.book.add_format({"indent": 1}))
        return sheet

    def highlight(self, name: str, table: DataFrame, rules: Mapping[str, str]) -> None:
        """Colour the rows of a sheet.

        Parameters
        ----------
        name, table
            The sheet, and the table that it shows.
        rules
            Colour by condition; in a condition ``{column}`` stands for the row's cell of that column.
        """
        if table.empty:
            return
        cells = {str(column): f"${xl_col_to_name(at)}2" for at, column in enumerate(table.columns)}
        for condition, colour in rules.items():
            options = {
                "type": "formula",
                "criteria": "=" + condition.format(**cells),
                "format": self.book.add_format({"bg_color": colour}),
            }
            last = min(len(table), _MAX_ROWS)
            self.sheets[name].conditional_format(1, 0, last, len(table.columns) - 1, options)

    def _add_sheet(self, title: str, kind: str, table: DataFrame) -> Worksheet:
        sheet = self.sheets[title] = self.book.add_worksheet(title)
        sheet.add_write_handler(str, _write_text)
        sheet.hide_gridlines(2)
        sheet.set_row(0, 20)
        sheet.freeze_panes(1, 0)
        self._lay_out_page(sheet, title)
        for at, (column, series) in enumerate(table.items()):
            pattern, values = _pattern(kind, series), _cells(series)
            # Cells without a format of their own take the column's, which keeps writing them fast.
            sheet.set_column(at, at, _fit(str(column), values, pattern), self._format(pattern))
            sheet.write_string(0, at, str(column), self._number_header if pattern else self._header)
            sheet.write_column(1, at, values)
        if len(table.columns):
            sheet.autofilter(0, 0, len(table), len(table.columns) - 1)
        return sheet

    def _format(self, pattern: str) -> Any:
        if pattern not in self._formats:
            self._formats[pattern] = self.book.add_format({"num_format": pattern} if pattern else {})
        return self._formats[pattern]

    def _lay_out_page(self, sheet: Worksheet, title: str) -> None:
        sheet.set_landscape()
        sheet.set_paper(9)  # A4
        sheet.fit_to_pages(1, 0)
        sheet.repeat_rows(0)
        sheet.set_header(f"&L{self._title}&R{title}")
        sheet.set_footer("&RPage &P of &N")


def _write_text(sheet: Worksheet, row: int, column: int, text: str, style: Any = None) -> Any:
    """Write text as text, whatever it starts with."""
    return sheet.write_string(row, column, text, style)


def _pattern(kind: str, column: Series[Any]) -> str:
    """Return the number pattern of a column, empty for text."""
    if pd.api.types.is_bool_dtype(column):
        return _TRUTH
    if not pd.api.types.is_numeric_dtype(column):
        return ""
    name = str(column.name)
    if kind == "comparison" and name.endswith((": served", ": on time")):
        return _SHARE
    return _PATTERN_OF_SHEET.get(kind) or _PATTERN_OF.get(name, _COUNT)


def _cells(column: Series[Any]) -> list[Any]:
    """Return the values of a column as cells take them: None for blanks, text for what is no number."""
    values = column.tolist()
    if pd.api.types.is_bool_dtype(column) or pd.api.types.is_integer_dtype(column):
        return values
    return [_cell(value) for value in values]


def _cell(value: Any) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        if math.isnan(value):
            return None
        return value if math.isfinite(value) else str(value)
    if value is None or isinstance(value, (bool, int)):
        return value
    text = str(value)
    return (text if len(text) <= _MAX_TEXT else text[: _MAX_TEXT - 1] + "…") or None


def _fit(header: str, values: Sequence[Any], pattern: str) -> float:
    """Width of a column that shows its header (with the filter's button) and, within reason, its values."""
    sample = [value for value in values[:_WIDTH_SAMPLE] if value is not None]
    texts = [f"{value:,.0f}" if pattern and not isinstance(value, str) else str(value) for value in sample]
    # East Asian characters are twice as wide, and as UTF-8 they take three bytes.
    longest = max(((len(text) + len(text.encode())) // 2 for text in texts), default=0)
    return float(min(max(len(header) + 4, longest + 2, 8), 48))
