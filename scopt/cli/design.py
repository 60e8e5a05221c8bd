"""``scopt solve``: the design of least cost for one strategy."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any

import typer

from scopt.cli.options import (
    CLEAN,
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
    say,
    show,
    write,
)
from scopt.errors import UsageError
from scopt.interrupts import held

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
    model_file: Annotated[
        Path | None,
        typer.Option(
            "--write-model",
            metavar="FILE.mps|.lp",
            help="Also write the model for other solvers: stock counted from below and, beside it, above.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> int:
    """Find the design of least cost for one strategy."""
    name = re.sub(r"[^\w.-]", "_", strategy)[:40]  # a strategy may be named like a path
    target = choose_target(output, case, f"{name}.result.xlsx")
    if model_file is not None and model_file.suffix.lower() not in (".mps", ".lp"):
        raise UsageError(f"{model_file}: models are written as .mps or .lp")
    if model_file is not None and not model_file.absolute().parent.is_dir():
        raise UsageError(f"{model_file}: there is no such folder")
    loaded = read(case)
    from scopt.cli.screen import ProgressDisplay
    from scopt.solving import solve as run

    if model_file is not None:
        from scopt.audit import write_model

    searches: dict[str, Any] = {}
    with held():  # from here on there is something to lose
        with ProgressDisplay(console()) as progress:
            result = run(
                loaded, strategy, gap=gap, time_limit=time_limit, seed=seed, threads=threads,
                progress=progress, relax=relax, searches=searches,
            )  # fmt: skip
        show(result, result.summary_json() if as_json else None)
        write(result, target, designed=result.cost is not None or not result.diagnosis.empty)
    if model_file is not None:
        start = searches[strategy].start if strategy in searches else None
        for path in write_model(loaded, model_file, strategy, start=start):
            say(f"wrote {path}", CLEAN)
    return OF_STATUS[result.status]
