"""The reference page of the case file, made from the schema."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scopt.casefile.schema import SETTINGS, SHEETS

if TYPE_CHECKING:
    from scopt.casefile.columns import Column

__all__ = ["reference_page"]

_PAGE = """\
<!-- Made by scopt.casefile.template.reference_page from scopt/casefile/schema.py; do not edit. -->

# The case file

One Excel workbook is one case: one sheet per kind of record, one record a row, headers in row 1. The same
sheets can come as a folder of CSV files (`sites.csv`, `lanes.csv`, …; UTF-8, commas) or as DataFrames
(`scopt.Case.from_frames`). `scopt template case.xlsx` writes a workbook with all sheets, notes and a small
example; `scopt check case.xlsx` tells everything that is wrong with one.

- Names of sheets and columns are compared without case, spaces and underscores; the order of columns is free.
- **Bold** columns are required. A blank cell takes the default.
- Ids are text without spaces around, of at most 255 characters and one line: `001` stays `001`. Numbers may
  have thousands separators (`1,200`) and are at most 1e20 in size.
- Every sheet may have `notes`, and `status` = `include` or `exclude` where status has no meaning of its own.
- Sheets and columns that scopt does not know are named in a warning and not read.
- Findings name sheet, cell, value, rule and how to mend it, all in one report. Errors stop, warnings do not.
- *Later*: read and checked, but nothing uses it yet.
"""


_DETAILS = {
    "lanes": """\
Two rows of the same origin, destination, mode and operator may not carry the same goods: where one names a
channel or product and the other leaves it blank, both would, and that is an error.
""",
    "lane_rules": """\
With km = great-circle distance (radius 6371 km) × circuity, a unit costs cost_base + km · (cost_per_km +
cost_per_tonne_km · weight_kg / 1000) and takes max(min_days, km / km_per_day) days. Lanes start and end at
sites that are not closed, never at the same one. max_km is applied first, then nearest, for today's sites
(keep, existing, close) and for candidates (candidate, open) apart; ties go to the smaller id.
""",
    "rates": """\
An incremental tariff of 5 from 0 and 4 from 1000 units makes 1500 units cost 7000, and the fixed costs of
all tiers reached add up. With all_units, the one tier that holds the total sets the price of every unit and
the fixed cost. For a site the tariff replaces its own fixed and unit cost, for a pair those of its lanes, for
an operator its contract_cost. A lowest from_units above 0 is a minimum volume.
""",
    "limits": """\
tier, operator and site select sites, all that are given together. channel and product narrow units and co2,
product also stock_value; market is for units and co2, without tier, operator and site. on_time counts the
units that arrive on time, by channel, product and market. A scope that matches nothing is an error.
""",
    "changes": """\
Changes of settings come first, so that what inherits from them follows; the others act on the sheets with all
defaults filled in, row by row. For settings write key=NAME in where and value in column. A change that
matches no row, or multiplies a blank, is an error. Setting status to exclude leaves rows out.
""",
}


def reference_page() -> str:
    """Return the reference page of the case file in Markdown."""
    parts = [_PAGE]
    for sheet in SHEETS.values():
        marks = [mark for mark, given in (("required", sheet.required), ("later", sheet.later)) if given]
        heading = f"## {sheet.name}" + (f" ({', '.join(marks)})" if marks else "")
        keyed = f" One row per {', '.join(sheet.key)}." if sheet.key else ""
        most = f" At most {sheet.most:,} rows." if sheet.most else ""
        parts.append(f"{heading}\n\n{sheet.meaning}{keyed}{most}\n\n{_table('column', sheet.columns)}")
        if sheet.name in _DETAILS:
            parts.append(_DETAILS[sheet.name])
        if sheet.name == "settings":
            parts.append(_table("key", SETTINGS))
    return "\n".join(parts)


def _table(first: str, columns: tuple[Column, ...]) -> str:
    lines = [f"| {first} | meaning | unit | default | rule |", "|---|---|---|---|---|"]
    for column in columns:
        name = f"**{column.name}**" if column.required else column.name
        meaning = f"{column.meaning} *Later.*" if column.later else column.meaning
        cells = (name, meaning, column.unit, column.default_text, column.rule)
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"
