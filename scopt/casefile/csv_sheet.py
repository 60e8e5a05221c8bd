"""One sheet of a case as a CSV file, read in bounded time and memory."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

import pandas as pd

from scopt.casefile.cells import as_objects
from scopt.casefile.container import MEGABYTE, UnreadableError, size_text
from scopt.casefile.places import LAST_COLUMN
from scopt.casefile.sheet_scan import MOST_CELLS

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

__all__ = ["read_csv"]

_LARGEST = 512 * MEGABYTE
_NO_TEXT = "Save it as CSV UTF-8."


def read_csv(path: Path) -> list[NDArray[np.object_]]:
    """Return the columns of a CSV file, their headers first; cells are text.

    Raises
    ------
    UnreadableError
        It is no CSV file in UTF-8, damaged, or too large to be held in memory.
    """
    if not path.is_file():
        rule = "there is no such file, or it is no ordinary one"
        raise UnreadableError(rule, "Put the CSV file itself there.")
    try:
        _check(path)
        frame = pd.read_csv(
            path, header=None, dtype=str, keep_default_na=False, skip_blank_lines=False, encoding="utf-8-sig",
            skipinitialspace=True,
        )  # fmt: skip
    except pd.errors.EmptyDataError:
        return []
    except UnicodeDecodeError as problem:
        raise UnreadableError("the file is not UTF-8 text", _NO_TEXT) from problem
    except (pd.errors.ParserError, OSError, OverflowError) as problem:
        raise UnreadableError(f"the file cannot be read ({problem})", "Mend the line.") from problem
    columns = [as_objects(frame[number].fillna("")) for number in frame]
    if len(columns) == 1 and len(columns[0]) and ";" in columns[0][0]:
        mend = "Save it with commas between the fields and points as decimal marks."
        raise UnreadableError("fields are separated by semicolons", mend)
    return columns


def _check(path: Path) -> None:
    """Refuse what is no text, or too much of it; UnreadableError if so."""
    size = path.stat().st_size
    if size > _LARGEST:
        rule = f"the file has {size_text(size)}; at most {size_text(_LARGEST)} are read"
        raise UnreadableError(rule, "Leave out what the case does not need.")
    fields = lines = 0
    with path.open("rb") as file:
        head = file.read(MEGABYTE)
        piece = head
        while piece:
            if b"\0" in piece or piece[:2] in (b"\xff\xfe", b"\xfe\xff"):
                raise UnreadableError("the file is not UTF-8 text", _NO_TEXT)
            lines += piece.count(b"\n") + piece.count(b"\r")
            fields += piece.count(b",")
            piece = file.read(MEGABYTE)
    columns = _columns(head, whole=size <= len(head))
    if columns > LAST_COLUMN:
        raise UnreadableError(f"the file has more than {LAST_COLUMN:,} columns", "Leave out columns.")
    if max(columns * (lines + 1), fields) > MOST_CELLS:
        rule = f"the file has {lines:,} lines of {columns:,} columns"
        mend = "Leave out rows and columns that the case does not need."
        raise UnreadableError(f"{rule}, more than {MOST_CELLS // 10**6} million cells", mend)


def _columns(head: bytes, *, whole: bool) -> int:
    """Count the fields of the first line."""
    text = head.decode("utf-8", "replace")
    reader = csv.reader(io.StringIO(text, newline=""), skipinitialspace=True)
    try:
        count = len(next(reader, []))
    except csv.Error as problem:
        raise UnreadableError(f"the headers cannot be read ({problem})", "Shorten them.") from problem
    if not whole and reader.line_num and io.StringIO(text, newline="").readline() == text:
        mend = f"At most {LAST_COLUMN:,} columns are read."
        raise UnreadableError("the first line is longer than a megabyte", mend)
    return count
