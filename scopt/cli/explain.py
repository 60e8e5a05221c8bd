"""``scopt why`` and ``scopt alternatives``: questions about the design of a strategy."""

from __future__ import annotations

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
    console,
    read,
    show,
    write,
)

__all__ = ["alternatives", "why"]

Output = Annotated[
    Path | None, typer.Option("--output", "-o", help="Workbook (.xlsx) to write; default: none.")
]


def why(
    case: CasePath,
    site: Annotated[str | None, typer.Option(help="Site that is asked about.")] = None,
    lane: Annotated[str | None, typer.Option(metavar="ORIGIN>DESTINATION", help="Lane.")] = None,
    stock: Annotated[str | None, typer.Option(metavar="SITE[:PRODUCT]", help="Stock of a site.")] = None,
    operator: Annotated[
        str | None, typer.Option(help="Operator; beside --lane, who runs the lane (blank: own).")
    ] = None,
    mode: Annotated[str | None, typer.Option(help="Means of transport of the lane.")] = None,
    product: Annotated[str | None, typer.Option(help="Only this product at the site or on the lane.")] = None,
    channel: Annotated[str | None, typer.Option(help="Only this channel at the site or on the lane.")] = None,
    strategy: Strategy = "integrated",
    price: Annotated[
        str | None,
        typer.Option(metavar="A,B,…", help="Prices whose break-even is asked for; default: the one it has."),
    ] = None,
    check: Annotated[bool, typer.Option(help="Try break-evens on both sides (two solves each).")] = True,
    gap: Gap = None,
    time_limit: TimeLimit = None,
    seed: Seed = 0,
    threads: Threads = None,
    output: Output = None,
    as_json: AsJson = False,
) -> int:
    """Tell why a decision is as it is: force it the other way, and find the price at which it flips."""
    ready(output, case)
    loaded = read(case)
    from scopt.cli.screen import ProgressDisplay
    from scopt.questions.explain import why as run

    names = None if price is None else [name.strip() for name in price.split(",") if name.strip()]
    with ProgressDisplay(console()) as progress:
        told = run(
            loaded, site=site, lane=lane, stock=stock, operator=operator, mode=mode, product=product,
            channel=channel, strategy=strategy, price=names, check=check, gap=gap, time_limit=time_limit,
            seed=seed, threads=threads, progress=progress,
        )  # fmt: skip
    show(told, told.summary_json() if as_json else None)
    if output is not None:
        write(told, output, designed=told.base.cost is not None)
    return OF_STATUS[told.base.status]


def alternatives(
    case: CasePath,
    count: Annotated[int, typer.Option(min=1, help="Designs at most, the best one not counted.")] = 5,
    within: Annotated[
        float, typer.Option(min=0.0, help="What they may cost more, as a share of the best.")
    ] = 0.01,
    strategy: Strategy = "integrated",
    gap: Gap = None,
    time_limit: TimeLimit = None,
    seed: Seed = 0,
    threads: Threads = None,
    output: Output = None,
    as_json: AsJson = False,
) -> int:
    """Find designs of another structure, at least two decisions apart, that cost nearly as much."""
    ready(output, case)
    loaded = read(case)
    from scopt.cli.screen import ProgressDisplay
    from scopt.questions.alternatives import alternatives as run

    with ProgressDisplay(console()) as progress:
        told = run(
            loaded, count=count, within=within, strategy=strategy, gap=gap, time_limit=time_limit, seed=seed,
            threads=threads, progress=progress,
        )  # fmt: skip
    show(told, told.summary_json() if as_json else None)
    if output is not None:
        write(told, output, designed=told.best.cost is not None)
    return OF_STATUS[told.best.status]


def ready(output: Path | None, case: Path) -> None:
    """Make sure beforehand that a workbook that is asked for can be written."""
    from scopt.files import check_target

    if output is not None:
        check_target(output, case)
