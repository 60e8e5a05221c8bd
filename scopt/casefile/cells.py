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

__all__ = [
    "CONTROLS", "LINES", "LONG", "LONGEST_ID", "LONGEST_TEXT", "TOO_LONG", "Cells", "as_objects", "shown",
    "visible",
]  # fmt: skip

LONG, TOO_LONG, LINES, CONTROLS = 1, 2, 4, 8
"""What is odd about a text: longer than an id or than a cell; line breaks or tabs; signs no file may hold."""
LONGEST_ID, LONGEST_TEXT = 255, 32_767
_LINES = re.compile("[\t\n\r]")
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]")

BLANK, NUMBER, TEXT, BOOL, DATE, OTHER = range(6)

_LONGEST_SHOWN = 60
_LONGEST_NUMBER = 400  # signs; the largest number has 309 digits before its point
_GROUPED = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d*)?")
_PLAIN = re.compile(r"[+-]?(\d++\.?\d*+|\.\d++)([eE][+-]?\d++)?")
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
    """Return a cell as a finding shows it: short, and signs that cannot be seen by their codes."""
    if value is None:
        return ""
    if isinstance(value, (float, np.floating)):
        return _number_text(float(value))
    try:
        text = str(value)
    except Exception:  # an object of anyone's, or a number of more digits than Python writes
        text = f"<{type(value).__name__}>"
    return visible(text if len(text) <= _LONGEST_SHOWN else text[: _LONGEST_SHOWN - 3] + "...")


def visible(text: str) -> str:
    """Return text with signs that a screen does not show, or obeys, written as their codes."""
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in text)


def _plain_number(text: str) -> float:
    """Return the number that a text cell means, NaN if it is none: 1200, 1,200, 1.2e3."""
    if len(text) > _LONGEST_NUMBER:
        return float("nan")
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
    odd
        What is odd about each text cell. Shape (rows,).
    number
        Number cells, others NaN. Shape (rows,).
    """

    def __init__(self, values: NDArray[np.object_]) -> None:
        self.values = values
        codes = map(_CODES.__getitem__, map(type, values))
        self.kinds = np.fromiter(codes, dtype=np.int8, count=len(values))
        self.text = np.full(len(values), "", dtype=object)
        self.odd = np.zeros(len(values), dtype=np.int8)
        is_text = self.kinds == TEXT
        if is_text.any():
            # Ids repeat: each distinct text is trimmed once.
            codes_of, distinct = pd.factorize(values[is_text])
            trimmed = np.array([str(text).strip() for text in distinct], dtype=object)
            self.text[is_text] = trimmed[codes_of]
            self.odd[is_text] = np.fromiter(map(_oddness, trimmed), np.int8, len(trimmed))[codes_of]
            self.kinds[is_text] = np.where(trimmed == "", BLANK, TEXT).astype(np.int8)[codes_of]
        self.number = np.full(len(values), np.nan)
        is_number = self.kinds == NUMBER
        if is_number.any():
            self.number[is_number] = _floats(values[is_number])
            self.kinds[is_number & np.isnan(self.number)] = BLANK

    def take(self, mask: NDArray[np.bool_]) -> Cells:
        """Return the cells in the mask, shape (rows,)."""
        taken = object.__new__(Cells)
        taken.values, taken.kinds = self.values[mask], self.kinds[mask]
        taken.text, taken.number, taken.odd = self.text[mask], self.number[mask], self.odd[mask]
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
        bad = (self.kinds >= DATE) | np.isinf(self.number)
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


def _oddness(text: str) -> int:
    odd = LONG * (len(text) > LONGEST_ID) + TOO_LONG * (len(text) > LONGEST_TEXT)
    if text.isprintable():
        return odd
    return odd + LINES * bool(_LINES.search(text)) + CONTROLS * bool(_CONTROLS.search(text))


def _floats(values: NDArray[np.object_]) -> NDArray[np.float64]:
    """Return numbers of any type as floats; those that are too large as infinite."""
    try:
        return values.astype(float)
    except (OverflowError, ValueError, TypeError):
        return np.array([_float(value) for value in values])


def _float(value: Any) -> float:
    try:
        return float(value)
    except (OverflowError, ValueError, TypeError):
        return float("inf")


def _number_text(number: float) -> str:
    whole = np.isfinite(number) and float(number).is_integer() and abs(number) < 1e21
    return str(int(number)) if whole else repr(float(number))


def as_objects(values: Any) -> NDArray[np.object_]:
    """Return a column of any kind as an array of Python objects, shape (rows,)."""
    array = np.empty(len(values), dtype=object)
    array[:] = list(values)
    return array
