"""Reading and writing workbooks: scopt against calamine and XlsxWriter alone.

Read: a case with a sheet of so many lanes; scopt reads, validates and completes it, calamine takes the cells
as lists. Written: the same case as a template with notes and rules of what may be typed, and the table of
flows of a result that long; XlsxWriter alone writes the same cells, row by row in constant memory.
"""

from __future__ import annotations

import gc
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import generator
import pandas as pd
import python_calamine
import ways
from measure import Results, figure, peak, repeated, reset_peak, serve, table

import scopt
from scopt.case import Case, read_case
from scopt.casefile.template import write_template
from scopt.report.sheets import open_book

if TYPE_CHECKING:
    from collections.abc import Callable

    Record = dict[str, Any]

ROWS = (20_000, 200_000)
JOBS = (
    ("read a case", "scopt", "calamine"),
    ("write a case", "scopt", "xlsxwriter"),
    ("write a result", "scopt", "xlsxwriter"),
)


def work(job: Record) -> Record:
    """Read or write once."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "book.xlsx"
        _prepared(job | {"rows": 500}, path)()  # what is imported on the way does not count
        act = _prepared(job, path)
        gc.collect()
        before = reset_peak()
        begin = time.perf_counter()
        act()
        seconds = time.perf_counter() - begin
        high = peak()
        size = path.stat().st_size / (1 << 20)
        return {"seconds": seconds, "peak": high, "above": high - before, "file_mb": size}


def _prepared(job: Record, path: Path) -> Callable[[], Any]:
    ours = job["way"] == "scopt"
    if job["what"] == "write a result":
        return _result(job["rows"], path, ours=ours)
    lanes = round(job["rows"] / ways.NEAREST) * ways.NEAREST
    sheets = ways.frames(lanes * ways.PRODUCTS)
    if job["what"] == "read a case":
        generator.write(path, sheets)
        return (lambda: read_case(path)) if ours else (lambda: _cells(path))
    if ours:
        case = Case.from_frames(sheets)
        return lambda: write_template(path, case)
    return lambda: generator.write(path, sheets)


def _cells(path: Path) -> list[list[Any]]:
    book = python_calamine.CalamineWorkbook.from_path(str(path))
    return [book.get_sheet_by_name(name).to_python() for name in book.sheet_names]


def _result(rows: int, path: Path, *, ours: bool) -> Callable[[], Any]:
    """Write the flows of a small design, repeated to so many rows."""
    some = scopt.solve(generator.case(4, 1), gap=0.05).flows
    flows = pd.concat([some] * (rows // len(some) + 1), ignore_index=True).iloc[:rows]

    def write() -> None:
        with open_book(path, "benchmark") as book:
            book.add_table("flows", flows)

    return write if ours else lambda: generator.write(path, {"flows": flows})


def measure(asked: Any) -> None:
    """Measure every size, subject and way."""
    kept = Results("workbooks")
    for rows in ROWS:
        for what, *both in JOBS:
            for way in both:
                job = {"part": "workbooks", "what": what, "way": way, "rows": rows}
                small = rows <= (asked.most or rows)
                if small and asked.only in f"{what} {way} {rows}" and (asked.again or not kept.get(job)):
                    kept.put(job, repeated("workbooks", job, asked.repeats, seconds=600))


def page(kept: Results) -> str:
    """Table of times and memory."""
    found = {tuple(one["job"][k] for k in ("what", "rows", "way")): one for one in kept.records}
    lines = []
    for rows in ROWS:
        for what, ours, alone in JOBS:
            pair = [found.get((what, rows, way)) for way in (ours, alone)]
            if pair[0] is None or pair[1] is None or any("failed" in one for one in pair if one):
                continue
            mine, other = pair
            ratio = figure(mine["seconds"] / other["seconds"], " ×")
            cells = [figure(one[key]) for one in (mine, other) for key in ("seconds", "peak", "file_mb")]
            lines.append([f"{what}, {rows:,} rows, {alone} alone", *cells, ratio])
    measures = ("s", "peak MB", "file MB")
    head = ("", *(f"{who} {one}" for who in ("scopt", "alone") for one in measures), "time")
    return table(head, lines)


if __name__ == "__main__":
    serve(work)
