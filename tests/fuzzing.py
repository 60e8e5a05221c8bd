"""Hostile cases made at random: the clean case with cells, columns and sheets that nobody expects."""

from __future__ import annotations

import datetime
import decimal
import json

import numpy as np
import pandas as pd
from case_frames import sheets
from hypothesis import strategies as st

from scopt.case import Case
from scopt.casefile.convert import type_sheet
from scopt.casefile.read import read_frames
from scopt.casefile.schema import SETTINGS, SHEETS
from scopt.errors import CaseError, UsageError

__all__ = ["CASES", "SHEETS_OF_ROWS", "build", "convert"]

IDS = sorted(
    {cell for rows in sheets().values() for one in rows for cell in one.values() if isinstance(cell, str)}
)
CHOICES = sorted(
    {choice for sheet in SHEETS.values() for column in sheet.columns for choice in column.choices}
)
KEYS = [column.name for column in SETTINGS]
COLUMNS = sorted({column.name for sheet in SHEETS.values() for column in sheet.every_column})
ODD = (
    "=HYPERLINK(\"x\")", "+cmd|' /C calc'!A0", "@SUM", "../x", "a>b", "plant>hub", "a=b;c=d", "key=name", "1,200", "1e400",
    "-0", "nan", "#N/A", "001", "market", "as_is", "integrated", "\x00", "\ud800", "\uffff", "x\ny", "_x0000_", "👩🏽‍🚀", "תל\u200f",
    "x" * 256, "x" * 40_000, "9" * 5000, "%s{0}", "true", "yes", "no", "exclude", "closed", "", " ",
)  # fmt: skip
TEXTS = st.one_of(
    st.sampled_from([*IDS, *CHOICES, *ODD, *KEYS, *COLUMNS, *SHEETS]),
    st.text(st.characters(exclude_categories=()), max_size=8),
)
NUMBERS = st.one_of(
    st.integers(-5, 50), st.floats(), st.sampled_from([0.5, 0.95, 1.0, 1e9, 1e308, -1e308, 5e-324, 10**400, -(10**400)])
)  # fmt: skip
OTHERS = st.sampled_from(
    [
        None, True, False, pd.NA, pd.NaT, np.nan, np.float32(1.5), np.int64(3), np.bool_(True), b"bytes", 1j, (), [1], {},
        decimal.Decimal("1.5"), decimal.Decimal("sNaN"), datetime.date(2024, 1, 2), datetime.time(1), object,
        datetime.timedelta(days=2), pd.Timestamp("2024-01-02"), np.datetime64("2024-01-02"), np.str_("hub"),
    ]
)  # fmt: skip
CELLS = st.one_of(TEXTS, NUMBERS, OTHERS)


@st.composite
def rows_of(draw, name):
    """Rows of a sheet: cells of its own columns, now and then of one that it does not have."""
    own = [column.name for column in SHEETS[name].every_column] if name in SHEETS else COLUMNS
    columns = draw(st.lists(st.one_of(st.sampled_from(own), TEXTS), max_size=5))
    return draw(st.lists(st.dictionaries(st.sampled_from(columns), CELLS), max_size=4)) if columns else []


@st.composite
def cases(draw):
    """The clean case with a few cells changed, rows added, and sheets replaced, added or left out."""
    frames = {name: [dict(one) for one in rows] for name, rows in sheets().items()}
    for _ in range(draw(st.integers(0, 4))):
        name = draw(st.sampled_from(list(SHEETS)))
        column = draw(st.sampled_from(SHEETS[name].every_column)).name
        rows = frames.setdefault(name, [])
        at = draw(st.integers(0, len(rows)))
        if at == len(rows):
            rows.append({})
        rows[at][column] = draw(CELLS)
    for name in draw(st.lists(st.one_of(st.sampled_from(list(SHEETS)), TEXTS), max_size=2)):
        frames[name] = draw(rows_of(name))
    for name in draw(st.lists(st.sampled_from(list(SHEETS)), max_size=1)):
        frames.pop(name, None)
    return frames


CASES = cases()
SHEETS_OF_ROWS = st.sampled_from(list(SHEETS)).flatmap(lambda name: st.tuples(st.just(name), rows_of(name)))


def convert(name, rows) -> None:
    """Read and type the rows of one sheet: cells become numbers and text that can be told, or findings."""
    try:
        raw = read_frames({name: rows})
    except UsageError as error:
        str(error).encode()
        return
    findings = raw.findings
    table, _ = type_sheet(raw.sheets[name], SHEETS[name], findings)
    told(findings)
    for column in SHEETS[name].columns:
        for cell in table[column.name].tolist():
            if column.numeric:
                assert isinstance(cell, float)
                assert np.isnan(cell) or np.isfinite(cell)
            elif isinstance(cell, str):
                cell.encode()
                assert not set(cell) & set("\0\x1b\x7f\x9b\uffff")
                assert len(cell) <= (32_767 if column.long else 255)
            else:
                assert column.kind == "any"


def build(frames) -> Case | None:
    """Make the case, or None after findings that can be told; whatever else is raised is a defect."""
    findings = None
    try:
        case = Case.from_frames(frames)
        for name in case.strategies:
            case.for_strategy(name)
    except CaseError as error:
        findings = error.findings
    except UsageError as error:
        str(error).encode()
        return None
    if findings is not None:
        assert findings.errors
        told(findings)
        return None
    told(case.warnings)
    str(repr(case)).encode()
    assert len(case.digest) == 64
    return case


def told(findings) -> None:
    """Findings can be printed on any terminal, and as JSON."""
    text = str(findings)
    assert text.replace("\n", "").isprintable()
    table = json.loads(findings.to_frame().to_json(orient="records", force_ascii=False))
    assert len(table) == len(findings)
    assert all(one.rule and one.mend and one.level in ("error", "warning") for one in findings)
