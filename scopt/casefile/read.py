"""A case file to raw sheets: cells as they are, columns under their names in the contract, with addresses.

An xlsx workbook, a folder of CSV files and DataFrames all end as `RawCase`. Nothing is converted here;
what is found wrong (unknown names, error values, merged ids) is noted and reading goes on.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from scopt.casefile.cells import Cells, as_objects, shown
from scopt.casefile.columns import Sheet, canonical
from scopt.casefile.container import UnreadableError
from scopt.casefile.places import Flaw, Merge, column_letters
from scopt.casefile.schema import SHEETS
from scopt.casefile.xlsx import open_workbook
from scopt.errors import CaseError
from scopt.findings import Finding, Findings

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["INTRODUCTION", "RawCase", "RawSheet", "nearest", "read_frames", "read_path"]

INTRODUCTION = "introduction"  # a sheet of the template that carries no data
_BY_NAME = {canonical(name): name for name in SHEETS}


@dataclass
class RawSheet:
    """One sheet as it was found.

    ``columns`` holds the cells by contract name; ``letters`` the Excel column of
    each; ``rows`` the Excel row of each record; ``flawed`` the cells (row, column name) that have a
    finding already and count neither as blank nor as a value.
    """

    name: str
    columns: dict[str, Cells] = field(default_factory=dict)
    letters: dict[str, str] = field(default_factory=dict)
    rows: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    flawed: set[tuple[int, str]] = field(default_factory=set)


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


def nearest(name: str, known: Iterable[str]) -> str:
    """Return a sentence with the known name that is most like this one; empty if none is."""
    spelled = {canonical(word): word for word in known}
    match = difflib.get_close_matches(canonical(name), spelled, n=1, cutoff=0.6)
    return f"Did you mean {spelled[match[0]]}?" if match else ""


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
    return _read_workbook(path)


def read_frames(frames: Mapping[str, Any], source: str = "frames") -> RawCase:
    """Take over DataFrames (or anything that a DataFrame can be made of), one per sheet."""
    case = RawCase(source)
    names = _sheet_names(case, list(frames))
    for title, name in names.items():
        given = frames[title]
        frame = given if isinstance(given, pd.DataFrame) else pd.DataFrame(given)
        columns = [as_objects(frame.iloc[:, number]) for number in range(frame.shape[1])]
        _take_sheet(case, SHEETS[name], [str(header) for header in frame.columns], columns)
    return case


def _unreadable(path: Path, rule: str, mend: str) -> CaseError:
    finding = Finding("error", "", "", 0, "", str(path), rule, mend)
    return CaseError(Findings([finding]))


def _read_workbook(path: Path) -> RawCase:
    case = RawCase(path.stem)
    try:
        with open_workbook(path) as book:
            titles = [title for title in book.titles if canonical(title) in _BY_NAME or book.has_values(title)]
            names = _sheet_names(case, titles)
            for title, rows, scan in book.read(list(names)):
                if isinstance(rows, UnreadableError):
                    case.add("error", names[title], rows.rule, rows.mend)
                else:
                    _take_grid(case, SHEETS[names[title]], rows, scan.flaws, scan.merges)
    except UnreadableError as problem:
        raise _unreadable(path, problem.rule, problem.mend) from problem
    return case


def _read_folder(path: Path) -> RawCase:
    case = RawCase(path.resolve().name)
    files = {file.stem: file for file in sorted(path.iterdir()) if file.suffix.lower() == ".csv"}
    if not files:
        raise _unreadable(path, "the folder holds no CSV file", "Put one CSV file per sheet there.")
    for title, name in _sheet_names(case, list(files)).items():
        file = files[title]
        try:
            frame = pd.read_csv(
                file, header=None, dtype=str, keep_default_na=False, skip_blank_lines=False,
                encoding="utf-8-sig", skipinitialspace=True,
            )  # fmt: skip
        except pd.errors.EmptyDataError:
            frame = pd.DataFrame()
        except UnicodeDecodeError:
            case.add("error", name, "the file is not UTF-8 text", "Save it as CSV UTF-8.", value=file.name)
            continue
        except (pd.errors.ParserError, OSError) as problem:
            case.add("error", name, f"the file cannot be read ({problem})", "Mend the line.", value=file.name)
            continue
        grid = [as_objects(frame[number].fillna("")) for number in frame]
        if len(grid) == 1 and len(grid[0]) and ";" in grid[0][0]:
            mend = "Save it with commas between the fields and points as decimal marks."
            case.add("error", name, "fields are separated by semicolons", mend, cell="A1", row=1)
            continue
        _take_sheet(case, SHEETS[name], [str(c[0]) for c in grid], [c[1:] for c in grid])
    return case


def _sheet_names(case: RawCase, titles: Sequence[str]) -> dict[str, str]:
    """Return the contract's name of each known sheet, by its title in the file."""
    names: dict[str, str] = {}
    for title in titles:
        name = _BY_NAME.get(canonical(title))
        if name is None:
            if canonical(title) != INTRODUCTION:
                hint = nearest(title, SHEETS) or "It is not read."
                case.add("warning", str(title), "no sheet of the case file has this name", hint)
        elif name in names.values():
            case.add("error", name, "two sheets have this name", "Join them into one.", value=str(title))
        else:
            names[title] = name
    return names


def _take_grid(
    case: RawCase, sheet: Sheet, grid: list[list[Any]], flaws: list[Flaw], merges: list[Merge]
) -> None:
    columns = [as_objects(column) for column in zip(*grid, strict=True)]
    headers = [shown(column[0]).strip() for column in columns]
    raw = _take_sheet(case, sheet, headers, [column[1:] for column in columns])
    names = {letter: name for name, letter in raw.letters.items()}
    for flaw in flaws:
        _note_flaw(case, raw, flaw, names.get(column_letters(flaw.column), ""))
    for merge in merges:
        _note_merge(case, raw, merge, names)


def _note_flaw(case: RawCase, raw: RawSheet, flaw: Flaw, column: str) -> None:
    if flaw.row == 1 or (flaw.row and not column) or column == "notes":
        return  # an unknown column has its warning
    if flaw.value:
        rule, mend = "an error value is no value", "Mend the formula or write the value."
    else:
        rule = "the formula has no stored value"
        mend = "Open the file in Excel and save it, or write the value in place of the formula."
    cell = f"{column_letters(flaw.column)}{flaw.row}" if flaw.row else ""
    case.add("error", raw.name, rule, mend, cell=cell, row=flaw.row, column=column, value=flaw.value)
    raw.flawed.add((flaw.row, column))


def _note_merge(case: RawCase, raw: RawSheet, merge: Merge, names: dict[str, str]) -> None:
    for number in range(merge.left, merge.right + 1):
        column = names.get(column_letters(number), "")
        top = max(merge.top, 2)
        if not column or column == "notes" or merge.bottom < top:
            continue
        first, last = (f"{column_letters(number)}{row}" for row in (top, merge.bottom))
        rule = "merged cells hold one value for the first cell only"
        mend = "Unmerge the cells and write the value in each."
        value = f"{first}:{last}" if first != last else first
        case.add("error", raw.name, rule, mend, cell=first, row=top, column=column, value=value)
        covered = range(top, merge.bottom + 1)
        raw.flawed.update((row, column) for row in covered if (row, number) != (merge.top, merge.left))


def _take_sheet(
    case: RawCase, sheet: Sheet, headers: list[str], columns: list[NDArray[np.object_]]
) -> RawSheet:
    """Put the columns of one sheet under their contract names and leave out empty rows."""
    raw = RawSheet(sheet.name)
    count = len(columns[0]) if columns else 0
    filled = np.zeros(count, dtype=bool)
    by_name = {canonical(column.name): column.name for column in sheet.every_column}
    for number, (header, values) in enumerate(zip(headers, columns, strict=True), start=1):
        letter = column_letters(number)
        name = by_name.get(canonical(header))
        cells = Cells(values)
        has_value = ~cells.blank
        if name is not None and name not in raw.columns:
            filled |= has_value
            raw.columns[name], raw.letters[name] = cells, letter
        elif name is not None:
            mend = "Keep one of them."
            where = {"cell": f"{letter}1", "row": 1, "column": name, "value": header}
            case.add("error", sheet.name, "two columns have this name", mend, **where)
        elif header or has_value.any():
            filled |= has_value
            rule = "no column of this sheet has this name" if header else "the column has no header in row 1"
            hint = nearest(header, by_name.values()) if header else ""
            where = {"cell": f"{letter}1", "row": 1, "column": header}
            case.add("warning", sheet.name, rule, hint or "It is not read.", **where)
    if not filled.all():
        raw.columns = {name: cells.take(filled) for name, cells in raw.columns.items()}
    raw.rows = np.flatnonzero(filled) + 2
    case.sheets[sheet.name] = raw
    return raw
