"""``scopt solve``: the design of least cost for one strategy."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from scopt.cli.options import (
    OF_STATUS,
    AsJson,
    CasePath,
    Gap,
    Seed,
    Strategy,
    Threads,
    TimeLimit,
    choose_target,
    console,
    read,
    show,
    write,
)

__all__ = ["solve"]


def solve(
    case: CasePath,
    strategy: Strategy = "integrated",
    gap: Gap = None,
    time_limit: TimeLimit = None,
    seed: Seed = 0,
    threads: Threads = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="Result workbook; default: CASE.STRATEGY.result.xlsx beside the case."
        ),
    ] = None,
    relax: Annotated[
        bool, typer.Option("--relax", help="Where no design exists, solve under the least relaxation.")
    ] = False,
    as_json: AsJson = False,
) -> int:
    """Find the design of least cost for one strategy."""
    name = re.sub(r"[^\w.-]", "_", strategy)  # a strategy may be named like a path
    target = choose_target(output, case, f"{name}.result.xlsx")
    loaded = read(case)
    from scopt.cli.screen import ProgressDisplay
    from scopt.solving import solve as run

    with ProgressDisplay(console()) as progress:
        result = run(
            loaded,
            strategy,
            gap=gap,
            time_limit=time_limit,
            seed=seed,
            threads=threads,
            progress=progress,
            relax=relax,
        )
    show(result, result.summary_json() if as_json else None)
    write(result, target, designed=result.cost is not None or not result.diagnosis.empty)
    return OF_STATUS[result.status]
