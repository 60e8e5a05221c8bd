"""Cells and ranges of a sheet by row and column, and what can be wrong at one."""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["LAST_COLUMN", "LAST_ROW", "Flaw", "Merge", "column_letters", "column_number", "position"]

LAST_ROW, LAST_COLUMN = 1_048_576, 16_384


@dataclass(frozen=True, slots=True)
class Flaw:
    """A cell whose value is an error (`#N/A`) or not a number, or a formula never calculated (empty value).

    Row and column count from 1; both are 0 where the file does not say which cell it is.
    """

    row: int
    column: int
    value: str


@dataclass(frozen=True, slots=True)
class Merge:
    """A merged range, its corners included; rows and columns counted from 1, 0 for what is no cell."""

    top: int
    left: int
    bottom: int
    right: int


def column_letters(number: int) -> str:
    """Return the letters of a column: 1 is A, 27 is AA."""
    letters = ""
    while number > 0:
        number, rest = divmod(number - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def column_number(letters: str) -> int:
    """Return the number of a column: A is 1, AA is 27."""
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - ord("A") + 1
    return number


def position(reference: str) -> tuple[int, int]:
    """Return row and column of a cell that a sheet can have, (0, 0) for any other reference."""
    match = re.fullmatch(r"\$?([A-Za-z]{1,3})\$?([1-9][0-9]{0,6})", reference)
    row, column = (int(match[2]), column_number(match[1])) if match else (0, 0)
    return (row, column) if row <= LAST_ROW and column <= LAST_COLUMN else (0, 0)
