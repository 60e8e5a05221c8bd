"""``scopt compare``: several strategies side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from scopt.cli.options import (
    CLEAN,
    OF_STATUS,
    STOPPED,
    AsJson,
    CasePath,
    Gap,
    Seed,
    Threads,
    TimeLimit,
    beside,
    choose_target,
    console,
    read,
    say,
    show,
    write,
)

__all__ = ["Fresh", "Jobs", "RunFolderPath", "Scheduler", "compare"]


Jobs = Annotated[
    int | None, typer.Option(min=1, help="Strategies searched side by side; default: one for each core.")
]
RunFolderPath = Annotated[
    Path | None,
    typer.Option(
        "--run-folder", metavar="DIR", file_okay=False,
        help="Where finished strategies are kept; default: CASE.scopt-runs beside the case.",
    ),
]  # fmt: skip
Fresh = Annotated[bool, typer.Option("--fresh", help="Search again what is kept.")]
Scheduler = Annotated[
    str | None,
    typer.Option(metavar="ADDRESS", help="Dask scheduler to search there; local:N starts N processes here."),
]


def compare(
    case: CasePath,
    strategies: Annotated[
        str | None,
        typer.Option(
            metavar="A,B,…", help="Strategies; default: all. as_is and integrated are always there."
        ),
    ] = None,
    sequence: Annotated[
        str | None,
        typer.Option(
            metavar="LEVER,…",
            help="Also decide these levers one after another, and tell what deciding jointly gains; "
            "`all` takes every lever.",
        ),
    ] = None,
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
        typer.Option("--output", "-o", help="Workbook; default: CASE.comparison.xlsx beside the case."),
    ] = None,
    as_json: AsJson = False,
) -> int:
    """Solve several strategies and lay them side by side; what is finished is kept and not done again."""
    target = choose_target(output, case, "comparison.xlsx")
    loaded = read(case)
    from scopt.case import ORDER
    from scopt.cli.screen import BatchDisplay
    from scopt.comparison import compare as run

    names = _names(strategies)
    with BatchDisplay(console()) as progress:
        comparison = run(
            loaded, names, gap=gap, time_limit=time_limit, seed=seed, threads=threads, jobs=jobs,
            scheduler=scheduler, run_folder=run_folder or beside(case, "scopt-runs"), fresh=fresh,
            sequence=list(ORDER) if sequence == "all" else _names(sequence), progress=progress,
        )  # fmt: skip
    results = comparison.results.values()
    show(comparison, [result.summary_json() for result in results] if as_json else None)
    write(comparison, target, designed=any(result.cost is not None for result in results))
    if comparison.left:
        say(f"stopped before {', '.join(comparison.left)}; run again to go on from here", CLEAN)
    # As-is is there as the yardstick: whether it has a design counts only where it was asked for.
    asked = [result for result in results if result.strategy != "as_is" or "as_is" in (names or ())]
    worst = max((OF_STATUS[result.status] for result in asked), default=CLEAN)
    return max(worst, STOPPED) if comparison.left else worst


def _names(text: str | None) -> list[str] | None:
    return None if text is None else [name.strip() for name in text.split(",") if name.strip()]
