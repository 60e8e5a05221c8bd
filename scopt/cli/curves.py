"""``scopt sweep``: trade-off curves."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from scopt.cli.batch import Fresh, Jobs, RunFolderPath, Scheduler
from scopt.cli.options import (
    OF_STATUS,
    AsJson,
    CasePath,
    Gap,
    Seed,
    Strategy,
    Threads,
    TimeLimit,
    beside,
    choose_target,
    console,
    read,
    show,
    write,
)
from scopt.errors import UsageError

__all__ = ["sweep"]


def sweep(
    case: CasePath,
    vary: Annotated[
        str | None,
        typer.Option(
            metavar="SHEET[ROW].COLUMN=LOW:HIGH:COUNT",
            help="A number of the case and its values; *= multiplies, += adds, A,B,C lists values.",
        ),
    ] = None,
    front: Annotated[
        str | None,
        typer.Option(
            metavar="MEASURE", help="Pareto front of cost against service, emissions, one_off or changes."
        ),
    ] = None,
    count: Annotated[int, typer.Option(min=2, help="Points of a front, both ends included.")] = 8,
    strategy: Strategy = "integrated",
    gap: Gap = None,
    time_limit: TimeLimit = None,
    seed: Seed = 0,
    threads: Threads = None,
    jobs: Jobs = None,
    scheduler: Scheduler = None,
    run_folder: RunFolderPath = None,
    fresh: Fresh = False,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Workbook; default: CASE.sweep.xlsx beside the case."),
    ] = None,
    as_json: AsJson = False,
) -> int:
    """Draw a trade-off curve: vary one number, or set cost against a measure of the design."""
    if (vary is None) == (front is None):
        raise UsageError("give either --vary or --front")
    target = choose_target(output, case, "sweep.xlsx")
    loaded = read(case)
    from scopt.cli.screen import BatchDisplay
    from scopt.curves import front as draw
    from scopt.curves import sweep as run

    folder = run_folder or beside(case, "scopt-runs")
    with BatchDisplay(console()) as progress:
        how: dict[str, Any] = {
            "gap": gap, "time_limit": time_limit, "seed": seed, "threads": threads, "jobs": jobs,
            "scheduler": scheduler, "run_folder": folder, "fresh": fresh, "progress": progress,
        }  # fmt: skip
        curve = (
            run(loaded, vary, strategy, **how) if vary else draw(loaded, front or "", count, strategy, **how)
        )
    results = curve.points.values()
    summaries = [{"value": value} | result.summary_json() for value, result in curve.points.items()]
    show(curve, summaries if as_json else None)
    write(curve, target, designed=any(result.cost is not None for result in results))
    return min((OF_STATUS[result.status] for result in results), default=OF_STATUS["stopped"])
