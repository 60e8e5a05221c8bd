"""Whether the table of all cells of a sheet, up to the last one, and their texts can be held in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scopt.casefile.container import MEGABYTE, UnreadableError
from scopt.casefile.marks import reference_of
from scopt.casefile.places import LAST_ROW, column_letters, position
from scopt.casefile.sheet_scan import MOST_CELLS, whole_cells

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from scopt.casefile.marks import Marks
    from scopt.casefile.sheet_scan import Scan

__all__ = ["check_extent", "check_texts"]

_MOST_TEXT = 512 * MEGABYTE


def check_extent(sheet: Scan, pieces: Iterable[bytes]) -> None:
    """Make sure that the table up to the last cell with content has no absurd size.

    Parameters
    ----------
    sheet
        What the scan of the sheet has shown; nothing more is looked at where that is enough.
    pieces
        The XML of the sheet once more.

    Raises
    ------
    UnreadableError
        It has.
    """
    if sheet.columns * LAST_ROW <= MOST_CELLS:
        return
    extent = _Extent(sheet.columns)
    for marks, body in whole_cells(pieces):
        extent.take(body, marks)
    rows, columns = extent.last
    if rows * columns > MOST_CELLS:
        last = f"{column_letters(columns)}{rows}"
        rule = f"the sheet reaches to {last}: a table of {rows:,} rows and {columns:,} columns"
        mend = "Delete the cells that stand apart; in Excel, Ctrl+End goes to the last one."
        raise UnreadableError(f"{rule}, more than {MOST_CELLS // 10**6} million cells", mend)


class _Extent:
    """The last row and column with content; without references a cell or row follows the one before."""

    def __init__(self, widest: int) -> None:
        self._widest, self._row, self._column = widest, 0, 0
        self._numbered, self._unnumbered, self._loose = 0, 0, False

    @property
    def last(self) -> tuple[int, int]:
        if not self._loose:
            return self._row, self._column
        return max(self._row, self._numbered + self._unnumbered), self._widest

    def take(self, body: bytes, marks: Marks) -> None:
        for tag in marks.filled.findall(body):
            reference = reference_of(tag)
            if reference is None:
                self._loose = True
                continue
            row, column = position(reference.decode("utf-8", "replace"))
            self._row, self._column = max(self._row, row), max(self._column, column)
        numbers = [int(number) for number in marks.row_numbers.findall(body)]
        self._numbered = max(self._numbered, *numbers, 0)
        self._unnumbered += body.count(marks.row) - len(numbers)


def check_texts(sheet: Scan, pieces: Iterable[bytes], lengths: NDArray[np.int32]) -> None:
    """Make sure that the texts of all cells, a shared one as often as it occurs, have no absurd length.

    Parameters
    ----------
    sheet
        What the scan of the sheet has shown; nothing more is looked at where that is enough.
    pieces
        The XML of the sheet once more.
    lengths
        Bytes of the shared texts, shape (texts,).

    Raises
    ------
    UnreadableError
        They have.
    """
    long = sheet.size > _MOST_TEXT
    if not long and sheet.shared * int(lengths.max(initial=0)) <= _MOST_TEXT:
        return
    total = 0
    for marks, body in whole_cells(pieces):
        numbers = np.array(marks.text_numbers.findall(body), dtype="S9").astype(np.int64)
        total += int(lengths[numbers[numbers < len(lengths)]].sum(dtype=np.int64))
        total += sum(map(len, marks.inline.findall(body))) if long else 0
        if total > _MOST_TEXT:
            rule = f"the texts of the sheet together are longer than {_MOST_TEXT // MEGABYTE} MB"
            raise UnreadableError(rule, "Shorten the long ones.")
