"""A small clean case in the contract's words, and how to write it as a workbook or as CSV files.

One plant, today's wholesaler and a candidate warehouse serve two markets in two channels.
"""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, Any

import openpyxl

from scopt.case import Case
from scopt.errors import CaseError

if TYPE_CHECKING:
    from pathlib import Path

    from scopt.findings import Findings

Rows = list[dict[str, Any]]


def sheets(**changed: Rows | None) -> dict[str, Rows]:
    """Sheets of the case; keyword arguments replace a sheet, None leaves it out."""
    case: dict[str, Rows] = {
        "settings": [{"key": "holding_rate", "value": 0.25}],
        "products": [{"product": "tea", "value": 40, "price": 100, "weight_kg": 2}],
        "sites": [
            {"site": "plant", "tier": "plant", "status": "keep"},
            {"site": "north", "tier": "wholesaler", "status": "existing", "stock": "existing"},
            {"site": "hub", "tier": "warehouse", "status": "candidate", "stock": "optional", "o2o_cost": 10},
        ],
        "supply": [{"site": "plant", "product": "tea", "lead_days": 3}],
        "markets": [{"market": "M1", "region": "east"}, {"market": "M2", "region": "west"}],
        "channels": [{"channel": "shop", "response_days": 2}, {"channel": "web", "response_days": 4}],
        "demand": [
            {"market": "M1", "channel": "shop", "product": "tea", "units": 100, "vmr": 2},
            {"market": "M2", "channel": "web", "product": "tea", "units": 50, "vmr": 1},
        ],
        "lanes": [
            {"origin": "plant", "destination": "north", "unit_cost": 1},
            {"origin": "plant", "destination": "hub", "unit_cost": 1, "status": "candidate"},
            {"origin": "north", "destination": "M1", "unit_cost": 2, "lead_days": 1},
            {"origin": "north", "destination": "M2", "unit_cost": 3, "lead_days": 2},
            {"origin": "hub", "destination": "M1", "unit_cost": 2, "status": "candidate"},
            {"origin": "hub", "destination": "M2", "unit_cost": 2, "status": "candidate"},
        ],
    }
    case |= {name: rows for name, rows in changed.items() if rows is not None}
    return {name: rows for name, rows in case.items() if name not in changed or changed[name] is not None}


def case(**changed: Rows | None) -> Case:
    """The case itself."""
    return Case.from_frames(sheets(**changed))


def edited(name: str, row: int, **cells: Any) -> Rows:
    """Rows of a sheet with cells of one row changed."""
    rows = [dict(record) for record in sheets()[name]]
    rows[row] |= cells
    return rows


def findings(**changed: Rows | None) -> Findings:
    """All findings of the case, whether it can be built or not."""
    try:
        return case(**changed).warnings
    except CaseError as error:
        return error.findings


def header(rows: Rows) -> list[str]:
    """Columns in the order of their first appearance."""
    return list(dict.fromkeys(column for row in rows for column in row))


def write_workbook(path: Path, content: dict[str, Rows]) -> openpyxl.Workbook:
    """Write sheets to an xlsx file and return the workbook, for further damage."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in content.items():
        page = book.create_sheet(name)
        columns = header(rows)
        page.append(columns)
        for row in rows:
            page.append([row.get(column) for column in columns])
    book.save(path)
    return book


def write_folder(path: Path, content: dict[str, Rows]) -> None:
    """Write sheets as CSV files."""
    path.mkdir(exist_ok=True)
    for name, rows in content.items():
        with (path / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, header(rows))
            writer.writeheader()
            writer.writerows(rows)
