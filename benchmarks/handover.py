"""From a case workbook to a model in the solver: scopt against plain arrays, linopy and plain Pyomo.

The case is a two-echelon network: plants, depots that may open, markets served from their twenty nearest
depots, ten products. Everybody builds the same rows (demand, balance, one link a depot and product, one tight
link a lane and product) and hands them to HiGHS; nobody solves. Reading is measured apart: scopt reads and
validates the workbook, the others take its sheets by pandas with calamine.
"""

from __future__ import annotations

import gc
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import generator
import numpy as np
import pandas as pd
from measure import Results, figure, peak, repeated, reset_peak, serve, table
from ways import BY, by_scopt, frames

from scopt.case import Case, read_case

if TYPE_CHECKING:
    from collections.abc import Callable

    Record = dict[str, Any]
    Target = tuple[str, str, bool]

SIZES = (10_000, 100_000, 1_000_000, 3_000_000)
WAYS = ("arrays", "scopt", "linopy", "pyomo")
LARGEST = {"pyomo": 1_000_000}
"""Columns beyond which a way is not measured: minutes and tens of gigabytes."""


# -- in the process of the measurement -----------------------------------------------------------------------


def work(job: Record) -> Record:
    """Read a workbook, or build a model and hand it over."""
    if job["step"] == "read":
        return _read(job)
    sheets = frames(job["columns"])
    make: Callable[[], tuple[Any, Callable[[], Any]]]
    # What is imported on the way does not count.
    if job["way"] == "scopt":
        by_scopt(Case.from_frames(frames(1000)))[1]()
        case = Case.from_frames(sheets)
        sheets.clear()
        make = lambda: by_scopt(case)  # noqa: E731
    else:
        BY[job["way"]](frames(1000))[1]()
        make = lambda: BY[job["way"]](sheets)  # noqa: E731
    gc.collect()
    _touch(job["columns"])
    before = reset_peak()
    begin = time.perf_counter()
    model, hand = make()
    built = time.perf_counter()
    engine = hand()
    done = time.perf_counter()
    assert engine is not None
    assert model is not None
    high = peak()
    # Peak memory of the whole process counts what was touched before.
    took = {"build": built - begin, "hand": done - built}
    return took | {"peak": high, "above": high - before, "peak_mb": high}


def _touch(columns: int) -> None:
    """Have the machine's memory at hand, for every way alike.

    A virtual machine gives memory that lies idle back to its host. Having it back costs several times a page
    fault of its own, and falls on whoever is the first to use it: unequal from run to run by more than the
    ways differ. No way but Pyomo takes more than this, two kilobytes a column.
    """
    np.ones(columns * 2048 // 8)


def _read(job: Record) -> Record:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "case.xlsx"
        for columns in (1000, job["columns"]):  # first a small one: imports do not count
            generator.write(path, frames(columns))
            gc.collect()
            _touch(columns)
            before = reset_peak()
            begin = time.perf_counter()
            found = read_case(path) if job["way"] == "scopt" else pd.read_excel(path, None, engine="calamine")
            seconds = time.perf_counter() - begin
            assert found is not None
        high = peak()
        return {"read": seconds, "peak": high, "above": high - before, "peak_mb": high}


# -- what is measured ----------------------------------------------------------------------------------------


def measure(asked: Any) -> None:
    """Measure all sizes and ways."""
    kept = Results("handover")
    for columns in SIZES:
        for step, ways in (("read", ("scopt", "others")), ("build", WAYS)):
            for way in ways:
                job = {"part": "handover", "step": step, "columns": columns, "way": way}
                small = columns <= min(LARGEST.get(way, columns), asked.most or columns)
                if small and asked.only in f"{step} {way} {columns}" and (asked.again or not kept.get(job)):
                    kept.put(job, repeated("handover", job, asked.repeats, seconds=900))


def page(kept: Results) -> str:
    """Tables of times and memory, and how they grow."""
    found, rows = _found(kept), []
    for columns in SIZES:
        plain = found.get(("build", columns, "arrays"))
        for way in WAYS:
            one = found.get(("build", columns, way))
            if one is None or plain is None:
                continue
            read = found.get(("read", columns, way if way == "scopt" else "others"), {}).get("read")
            rows.append(
                [
                    f"{columns:,} {way}", figure(read), figure(one["build"]), figure(one["hand"]),
                    figure(_both(one) / _both(plain), " ×"),
                    figure(None if read is None else read + _both(one)), figure(one["peak"]),
                    figure(one["peak"] / plain["peak"], " ×"), figure(one["above"]),
                    figure(one["above"] / max(plain["above"], 1.0), " ×"),
                ]
            )  # fmt: skip
    head = (
        "columns, way", "read s", "build s", "hand over s", "build + hand over", "in all s", "peak MB",
        "against arrays", "above its start MB", "against arrays",
    )  # fmt: skip
    steps = ", ".join(f"{a:,} to {b:,}" for a, b in pairwise(SIZES))
    told = f"Growth exponents from one size to the next ({steps}):"
    growth = [[name, *map(_told, slopes)] for name, *slopes in _growth(found)]
    return "\n\n".join([table(head, rows), told, table(("", "seconds", "memory above its start"), growth)])


def _found(kept: Results) -> dict[tuple[str, int, str], Record]:
    return {
        (one["job"]["step"], one["job"]["columns"], one["job"]["way"]): one
        for one in kept.records
        if "failed" not in one
    }


def _both(one: Record) -> float:
    return float(one["read"] if "read" in one else one["build"] + one["hand"])


def _growth(found: dict[tuple[str, int, str], Record]) -> list[tuple[str, list[float], list[float]]]:
    """Exponents of time and memory from size to size, for each way and step."""
    out = []
    for way in (*WAYS, "others"):
        for step, told in (("build", "build and hand over"), ("read", "read")):
            sizes = [n for n in SIZES if (step, n, way) in found]
            values = [found[step, n, way] for n in sizes]
            if len(sizes) > 1:
                seconds, memory = [_both(one) for one in values], [one["above"] for one in values]
                out.append((f"{way}: {told}", _slopes(sizes, seconds), _slopes(sizes, memory)))
    return out


def _slopes(sizes: list[int], values: list[float]) -> list[float]:
    rise = np.diff(np.log(np.maximum(values, 1e-3))) / np.diff(np.log(sizes))
    return [float(slope) for slope in rise]


def _told(slopes: list[float]) -> str:
    return ", ".join(f"{slope:.2f}" for slope in slopes)


def targets(kept: Results) -> list[Target]:
    """Time and memory at a million columns, and how they grow."""
    found, out = _found(kept), []
    plain, ours, linopy = (found.get(("build", 1_000_000, way)) for way in ("arrays", "scopt", "linopy"))
    if plain and ours:
        time_ratio = _both(ours) / _both(plain)
        told = "a million columns built and handed over in at most 3 × plain arrays"
        out.append((told, figure(time_ratio, " ×"), time_ratio <= 3))
        if linopy:
            against = _both(ours) / _both(linopy)
            out.append(("… and not slower than linopy", figure(against, " ×"), against <= 1))
        memory = ours["peak"] / plain["peak"]
        told = f"{figure(memory, ' ×')}; {figure(ours['above'] / plain['above'], ' ×')} above the start"
        out.append(("… in at most 2 × the memory", told, memory <= 2))
    for name, *slopes in _growth(found):
        if name.startswith("scopt"):
            worst = [max(some) for some in slopes]
            told = f"{worst[0]:.2f} in time, {worst[1]:.2f} in memory"
            out.append((f"growth of {name}: exponents at most 1.1", told, max(worst) <= 1.1))
    return out


if __name__ == "__main__":
    serve(work)
