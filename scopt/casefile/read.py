"""A case file to raw sheets: cells as they are, columns under their names in the contract, with addresses.

An xlsx workbook, a folder of CSV files and DataFrames all end as `RawCase`. Nothing is converted here;
what is found wrong (unknown names, error values, merged ids) is noted and reading goes on.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from scopt.casefile.cells import Cells, as_objects, shown, visible
from scopt.casefile.columns import Sheet, canonical
from scopt.casefile.container import UnreadableError
from scopt.casefile.csv_sheet import read_csv
from scopt.casefile.flaws import note_flaws
from scopt.casefile.hints import Hints
from scopt.casefile.places import column_letters
from scopt.casefile.schema import SHEETS
from scopt.casefile.xlsx import open_workbook
from scopt.errors import CaseError, UsageError
from scopt.findings import Finding, Findings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["INTRODUCTION", "RawCase", "RawSheet", "read_frames", "read_path"]

INTRODUCTION = "introduction"  # a sheet of the template that carries no data
_MOST_NAMED = 100  # unknown sheets, and columns of a sheet, that are named one by one
_BY_NAME = {canonical(name): name for name in SHEETS}


@dataclass
class RawSheet:
    """One sheet as it was found.

    ``columns`` holds the cells by contract name; ``letters`` the Excel column of
    each; ``rows`` the Excel row of each record; ``flawed`` the records whose cell of a column has a
    finding already and counts neither as blank nor as a value, shape (rows,).
    """

    name: str
    columns: dict[str, Cells] = field(default_factory=dict)
    letters: dict[str, str] = field(default_factory=dict)
    rows: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    flawed: dict[str, NDArray[np.bool_]] = field(default_factory=dict)

    def mark(self, column: str, top: int, bottom: int) -> None:
        """Mark the cells of a column from one Excel row to another as flawed."""
        mask = self.flawed.setdefault(column, np.zeros(len(self.rows), dtype=bool))
        first, after = np.searchsorted(self.rows, [top, bottom + 1])
        mask[first:after] = True


@dataclass
class RawCase:
    """All sheets that were found, and what is wrong with the file so far."""

    source: str
    sheets: dict[str, RawSheet] = field(default_factory=dict)
    findings: Findings = field(default_factory=Findings)

    def add(self, level: str, sheet: str, rule: str, mend: str, **where: Any) -> None:
        """Note a finding."""
        place = {"cell": "", "row": 0, "column": "", "value": ""} | where
        self.findings.append(Finding(level=level, sheet=sheet, rule=rule, mend=mend, **place))  # type: ignore[arg-type]


def read_path(path: Path) -> RawCase:
    """Read a workbook or a folder of CSV files.

    Raises
    ------
    CaseError
        With one finding, if there is no such file or it cannot be read at all.
    """
    if path.is_dir():
        return _read_folder(path)
    if not path.exists():
        raise _unreadable(path, "there is no such file", "Check the path.")
    if not path.is_file():
        raise _unreadable(path, "it is no ordinary file", "Name a workbook or a folder of CSV files.")
    return _read_workbook(path)


def read_frames(frames: Mapping[str, Any], source: str = "frames") -> RawCase:
    """Take over DataFrames (or anything that a DataFrame can be made of), one per sheet."""
    case = RawCase(source)
    names = _sheet_names(case, list(frames))
    for title, name in names.items():
        given = frames[title]
        frame = given if isinstance(given, pd.DataFrame) else _frame(given, title)
        columns = [
            np.concatenate([as_objects([shown(header)]), as_objects(frame.iloc[:, number])])
            for number, header in enumerate(frame.columns)
        ]
        _take_sheet(case, SHEETS[name], columns)
    return case


def _frame(given: Any, title: str) -> pd.DataFrame:
    try:
        return pd.DataFrame(given)
    except (ValueError, TypeError) as problem:
        what = f"no DataFrame can be made of {type(given).__name__}"
        raise UsageError(f"{title}: {what} ({problem})") from problem


def _unreadable(path: Path, rule: str, mend: str) -> CaseError:
    finding = Finding("error", "", "", 0, "", visible(str(path)), rule, mend)
    return CaseError(Findings([finding]))


def _read_workbook(path: Path) -> RawCase:
    case = RawCase(visible(path.stem))
    try:
        with open_workbook(path) as book:
            titles = (
                title for title in book.titles if canonical(title) in _BY_NAME or book.has_values(title)
            )
            names = _sheet_names(case, list(titles))
            for title, rows, scan in book.read(list(names)):
                if isinstance(rows, UnreadableError):
                    case.add("error", names[title], rows.rule, rows.mend)
                    continue
                columns = [as_objects(column) for column in zip(*rows, strict=True)]
                raw = _take_sheet(case, SHEETS[names[title]], columns)
                note_flaws(case, raw, scan)
    except UnreadableError as problem:
        raise _unreadable(path, problem.rule, problem.mend) from problem
    except OSError as problem:
        rule = f"the file cannot be read ({problem.strerror})"
        raise _unreadable(path, rule, "Check the path and who may read it.") from problem
    return case


def _read_folder(path: Path) -> RawCase:
    case = RawCase(visible(path.resolve().name))
    files = {file.stem: file for file in sorted(path.iterdir()) if file.suffix.lower() == ".csv"}
    if not files:
        raise _unreadable(path, "the folder holds no CSV file", "Put one CSV file per sheet there.")
    for title, name in _sheet_names(case, list(files)).items():
        try:
            _take_sheet(case, SHEETS[name], read_csv(files[title]))
        except UnreadableError as problem:
            case.add("error", name, problem.rule, problem.mend, value=shown(files[title].name))
    return case


def _sheet_names(case: RawCase, titles: Sequence[str]) -> dict[str, str]:
    """Return the contract's name of each known sheet, by its title in the file."""
    names: dict[str, str] = {}
    unknown, hint = [], Hints(SHEETS)
    for title in titles:
        name = _BY_NAME.get(canonical(title))
        if name is None:
            if canonical(title) != INTRODUCTION:
                unknown.append(title)
        elif name in names.values():
            case.add("error", name, "two sheets have this name", "Join them into one.", value=shown(title))
        else:
            names[title] = name
    for title in unknown[:_MOST_NAMED]:
        rule = "no sheet of the case file has this name"
        case.add("warning", shown(title), rule, hint(title, "It is not read."))
    if len(unknown) > _MOST_NAMED:
        rule = f"no sheet of the case file has the names of {len(unknown) - _MOST_NAMED:,} more sheets"
        case.add("warning", "", rule, "They are not read.")
    return names


def _take_sheet(case: RawCase, sheet: Sheet, columns: list[NDArray[np.object_]]) -> RawSheet:
    """Put the columns of one sheet, headers first, under their contract names and leave out empty rows."""
    raw = RawSheet(sheet.name)
    filled = np.zeros(max(len(columns[0]) - 1, 0) if columns else 0, dtype=bool)
    unknown: dict[str, str] = {}
    by_name = {canonical(column.name): column.name for column in sheet.every_column}
    for number, values in enumerate(columns, start=1):
        header, letter = _header(values), column_letters(number)
        name, cells = by_name.get(canonical(header)), Cells(values[1:])
        has_value = ~cells.blank
        if name is not None and name in raw.columns:
            where = {"cell": f"{letter}1", "row": 1, "column": name, "value": shown(header)}
            case.add("error", sheet.name, "two columns have this name", "Keep one of them.", **where)
            continue
        filled |= has_value
        if name is not None:
            raw.columns[name], raw.letters[name] = cells, letter
        elif header or has_value.any():
            unknown[letter] = header
    _warn_unknown(case, sheet, unknown)
    rows = np.flatnonzero(filled)
    if sheet.most and len(rows) > sheet.most:
        rule = f"the sheet has {len(rows):,} rows; at most {sheet.most:,} are read"
        case.add("error", sheet.name, rule, "Leave out the rows that are not needed.")
        filled[rows[sheet.most] :] = False
    if not filled.all():
        raw.columns = {name: cells.take(filled) for name, cells in raw.columns.items()}
    raw.rows = np.flatnonzero(filled) + 2
    case.sheets[sheet.name] = raw
    return raw


def _header(values: NDArray[np.object_]) -> str:
    first = values[0] if len(values) else ""
    return (first if isinstance(first, str) else shown(first)).strip()


def _warn_unknown(case: RawCase, sheet: Sheet, headers: dict[str, str]) -> None:
    """Report columns that the sheet does not have, by their letters."""
    hint = Hints(column.name for column in sheet.every_column)
    for letter, header in list(headers.items())[:_MOST_NAMED]:
        rule = "no column of this sheet has this name" if header else "the column has no header in row 1"
        where = {"cell": f"{letter}1", "row": 1, "column": shown(header)}
        mend = hint(header, "It is not read.") if header else "It is not read."
        case.add("warning", sheet.name, rule, mend, **where)
    if len(headers) > _MOST_NAMED:
        rule = f"no column of this sheet has the names of {len(headers) - _MOST_NAMED:,} more columns"
        case.add("warning", sheet.name, rule, "They are not read.")
