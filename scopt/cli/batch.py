"""``scopt compare``: several strategies side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from scopt.cli.options import (
    CLEAN,
    OF_STATUS,
    AsJson,
    CasePath,
    Gap,
    Seed,
    Threads,
    TimeLimit,
    choose_target,
    console,
    read,
    show,
    write,
)

__all__ = ["compare"]


def compare(
    case: CasePath,
    strategies: Annotated[
        str | None,
        typer.Option(
            metavar="A,B,…", help="Strategies; default: all. as_is and integrated are always there."
        ),
    ] = None,
    gap: Gap = None,
    time_limit: TimeLimit = None,
    seed: Seed = 0,
    threads: Threads = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Workbook; default: CASE.comparison.xlsx beside the case."),
    ] = None,
    as_json: AsJson = False,
) -> int:
    """Solve several strategies and lay them side by side."""
    target = choose_target(output, case, "comparison.xlsx")
    loaded = read(case)
    from scopt.cli.screen import ProgressDisplay
    from scopt.comparison import compare as run

    names = None if strategies is None else [name.strip() for name in strategies.split(",") if name.strip()]
    with ProgressDisplay(console()) as progress:
        comparison = run(
            loaded, names, gap=gap, time_limit=time_limit, seed=seed, threads=threads, progress=progress
        )
    results = comparison.results.values()
    show(comparison, [result.summary_json() for result in results] if as_json else None)
    write(comparison, target, designed=any(result.cost is not None for result in results))
    # As-is is there as the yardstick: whether it has a design counts only where it was asked for.
    asked = [result for result in results if result.strategy != "as_is" or "as_is" in (names or ())]
    return max((OF_STATUS[result.status] for result in asked), default=CLEAN)
