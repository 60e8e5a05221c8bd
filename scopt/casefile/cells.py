"""Raw cells to typed columns: one kind code per cell, then whole-column conversion.

A cell is whatever a spreadsheet, a CSV file or a DataFrame holds. Every converter returns the typed
column and a mask of the cells that do not fit; those come back blank, so that later checks do not
stumble over them a second time.
"""

from __future__ import annotations

import datetime
import decimal
import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from scopt.casefile.columns import canonical

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Cells", "as_objects", "shown"]

BLANK, NUMBER, TEXT, BOOL, DATE, OTHER = range(6)

_GROUPED = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d*)?")
_PLAIN = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
# What a spreadsheet leaves behind where a formula failed, when cells are saved as text.
_ERRORS = ("#N/A", "#REF!", "#DIV/0!", "#VALUE!", "#NAME?", "#NUM!", "#NULL!")
_DATES = (datetime.date, datetime.time, datetime.timedelta, np.datetime64, np.timedelta64)


class _Codes(dict[type, int]):
    """Kind code of a Python type, found once per type."""

    def __missing__(self, kind: type) -> int:
        if kind is type(None) or kind is type(pd.NA) or kind is type(pd.NaT):
            code = BLANK
        elif issubclass(kind, str):
            code = TEXT
        elif issubclass(kind, (bool, np.bool_)):
            code = BOOL
        elif issubclass(kind, (int, float, np.integer, np.floating, decimal.Decimal)):
            code = NUMBER
        else:
            code = DATE if issubclass(kind, _DATES) else OTHER
        self[kind] = code
        return code


_CODES = _Codes()


def shown(value: object) -> str:
    """Return a cell as a finding shows it."""
    if value is None:
        return ""
    if isinstance(value, (float, np.floating)):
        return _number_text(float(value))
    text = str(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _plain_number(text: str) -> float:
    """Return the number that a text cell means, NaN if it is none: 1200, 1,200, 1.2e3."""
    text = text.replace("\u00a0", " ")
    if _GROUPED.fullmatch(text):
        return float(text.replace(",", ""))
    return float(text) if _PLAIN.fullmatch(text) and text.isascii() else float("nan")


class Cells:
    """One column of raw cells with the kind of each.

    Parameters
    ----------
    values
        The cells, shape (rows,), dtype object.

    Attributes
    ----------
    kinds
        Kind code of each cell; a text of spaces and a NaN are blank. Shape (rows,).
    text
        Text cells trimmed, others empty. Shape (rows,).
    number
        Number cells, others NaN. Shape (rows,).
    """

    def __init__(self, values: NDArray[np.object_]) -> None:
        self.values = values
        codes = map(_CODES.__getitem__, map(type, values))
        self.kinds = np.fromiter(codes, dtype=np.int8, count=len(values))
        self.text = np.full(len(values), "", dtype=object)
        is_text = self.kinds == TEXT
        if is_text.any():
            # Ids repeat: each distinct text is trimmed once.
            codes_of, distinct = pd.factorize(values[is_text])
            trimmed = np.array([str(text).strip() for text in distinct], dtype=object)
            self.text[is_text] = trimmed[codes_of]
            self.kinds[is_text] = np.where(trimmed == "", BLANK, TEXT).astype(np.int8)[codes_of]
        self.number = np.full(len(values), np.nan)
        is_number = self.kinds == NUMBER
        if is_number.any():
            self.number[is_number] = values[is_number].astype(float)
            self.kinds[is_number & np.isnan(self.number)] = BLANK

    def take(self, mask: NDArray[np.bool_]) -> Cells:
        """Return the cells in the mask, shape (rows,)."""
        taken = object.__new__(Cells)
        taken.values, taken.kinds = self.values[mask], self.kinds[mask]
        taken.text, taken.number = self.text[mask], self.number[mask]
        return taken

    @property
    def blank(self) -> NDArray[np.bool_]:
        """Which cells are blank."""
        return np.asarray(self.kinds == BLANK)

    def to_number(self) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Return numbers, NaN for blank, and the mask of cells that are no finite number."""
        number = self.number.copy()
        is_text = self.kinds == TEXT
        if is_text.any():
            codes, distinct = pd.factorize(self.text[is_text])
            number[is_text] = np.array([_plain_number(text) for text in distinct])[codes]
        bad = ~self.blank & ~np.isfinite(number)
        number[bad] = np.nan
        return number, bad

    def to_text(self) -> tuple[NDArray[np.object_], NDArray[np.bool_]]:
        """Return trimmed text, a whole number without its decimals, and the mask of dates and errors."""
        text = self.text.copy()
        is_number = self.kinds == NUMBER
        if is_number.any():
            codes, distinct = pd.factorize(self.number[is_number])
            text[is_number] = np.array([_number_text(number) for number in distinct], dtype=object)[codes]
        is_bool = self.kinds == BOOL
        text[is_bool] = np.where(self.values[is_bool].astype(bool), "TRUE", "FALSE")
        bad = self.kinds >= DATE
        for error in _ERRORS:
            bad |= text == error
        return text, np.asarray(bad)

    def to_choice(self, choices: tuple[str, ...]) -> tuple[NDArray[np.object_], NDArray[np.bool_]]:
        """Return each choice as the contract spells it, empty for blank, and the mask of unknown ones."""
        spelled = {canonical(choice): choice for choice in choices}
        text, bad = self.to_text()
        codes, distinct = pd.factorize(text)
        known = np.array([spelled.get(canonical(word), "") for word in distinct], dtype=object)
        chosen = known[codes] if len(text) else text
        return chosen, bad | ((chosen == "") & ~self.blank)

    def to_yes_no(self) -> tuple[NDArray[np.object_], NDArray[np.bool_]]:
        """Return `yes`, `no` or empty, and the mask of cells that are neither."""
        text, bad = self.to_choice(("yes", "no", "true", "false"))
        text[text == "true"] = "yes"
        text[text == "false"] = "no"
        return text, bad

    def to_any(self) -> tuple[NDArray[np.object_], NDArray[np.bool_]]:
        """Return numbers as floats and the rest as text, and the mask of dates and the like."""
        text, bad = self.to_text()
        is_bool = self.kinds == BOOL
        text[is_bool] = np.where(self.values[is_bool].astype(bool), "yes", "no")
        is_number = (self.kinds == NUMBER) & np.isfinite(self.number)
        text[is_number] = self.number[is_number].astype(object)
        return text, bad | ((self.kinds == NUMBER) & ~is_number)


def _number_text(number: float) -> str:
    whole = np.isfinite(number) and float(number).is_integer() and abs(number) < 1e21
    return str(int(number)) if whole else repr(float(number))


def as_objects(values: Any) -> NDArray[np.object_]:
    """Return a column of any kind as an array of Python objects, shape (rows,)."""
    array = np.empty(len(values), dtype=object)
    array[:] = list(values)
    return array
