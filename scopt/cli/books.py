"""``scopt tie-out``: today's chain in the model against the books."""

from __future__ import annotations

from scopt.cli.explain import Output, ready
from scopt.cli.options import (
    OF_STATUS,
    AsJson,
    CasePath,
    Gap,
    Seed,
    Threads,
    TimeLimit,
    console,
    read,
    show,
    write,
)

__all__ = ["tie_out"]


def tie_out(
    case: CasePath,
    gap: Gap = None,
    time_limit: TimeLimit = None,
    seed: Seed = 0,
    threads: Threads = None,
    output: Output = None,
    as_json: AsJson = False,
) -> int:
    """Lay today's cost by bucket beside the actual amounts; gaps above 10 % are warned of, with status 0."""
    ready(output, case)
    loaded = read(case)
    from scopt.cli.screen import ProgressDisplay
    from scopt.questions.tieout import tie_out as run

    with ProgressDisplay(console()) as progress:
        told = run(loaded, gap=gap, time_limit=time_limit, seed=seed, threads=threads, progress=progress)
    show(told, told.summary_json() if as_json else None)
    if output is not None:
        write(told, output, designed=told.result.cost is not None)
    return OF_STATUS[told.result.status]
