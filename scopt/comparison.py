"""Several strategies of one case, solved and laid side by side."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from scopt.errors import UsageError
from scopt.report.summary import by_channel, changes, share, stock_days
from scopt.report.text import compare_text
from scopt.solving import solve

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from pandas import DataFrame

    from scopt.case import Case
    from scopt.progress import Event, Progress
    from scopt.result import Result
    from scopt.solved import Solved

__all__ = ["Comparison", "compare"]

_ALWAYS = ("as_is", "integrated")
_COLUMNS = [
    *("strategy", "status", "against", "cost", "saving", "saving_share", "bound", "gap", "seconds"),
    *("sites", "closed", "opened", "taken_over", "operators", "stock_days", "served_share", "on_time_share"),
]


@dataclass(frozen=True, eq=False)
class Comparison:
    """Results of several strategies; ``str()`` is what the command line prints.

    Parameters
    ----------
    results
        Result by strategy, in the order in which they were solved.
    left
        Strategies that an interrupt left unsolved.
    """

    results: Mapping[str, Result]
    left: tuple[str, ...] = ()

    def __str__(self) -> str:
        return compare_text(self)

    @property
    def table(self) -> DataFrame:
        """One row per strategy: status, cost, saving, gap, what changes, service."""
        return pd.DataFrame([_row(result) for result in self.results.values()], columns=_COLUMNS)

    @property
    def costs(self) -> DataFrame:
        """Currency/year by bucket: bucket, then one column per strategy that has a design."""
        designs = self._designs()
        columns = [result.costs.set_index("bucket")["strategy"] for result in designs.values()]
        if not columns:
            return pd.DataFrame({"bucket": []})
        return pd.concat(columns, axis=1, keys=list(designs), sort=False).rename_axis("bucket").reset_index()

    @property
    def sites(self) -> DataFrame:
        """State of every site: site, tier, operator, before, then one column per strategy with a design."""
        head = ["site", "tier", "operator", "before"]
        designs = self._designs()
        columns = [result.sites.set_index(head)["after"] for result in designs.values()]
        if not columns:
            return pd.DataFrame(columns=head)
        return pd.concat(columns, axis=1, keys=list(designs), sort=False).reset_index()

    @property
    def service(self) -> DataFrame:
        """Service by strategy and channel, with the columns of `scopt.report.summary.by_channel`."""
        parts = [by_channel(result.service).assign(strategy=name) for name, result in self._designs().items()]
        if not parts:
            return pd.DataFrame(columns=["strategy"])
        table = pd.concat(parts, ignore_index=True)
        return table[["strategy", *table.columns.drop("strategy")]]

    def to_excel(self, path: str | Path) -> None:
        """Write the comparison as a workbook, whole or not at all.

        Parameters
        ----------
        path
            File ending in ``.xlsx``.

        Raises
        ------
        UsageError
            The file cannot be written there.
        """
        from scopt.report.workbook import write_comparison

        write_comparison(self, path)

    def _designs(self) -> dict[str, Result]:
        return {name: result for name, result in self.results.items() if result.cost is not None}


def compare(
    case: Case,
    strategies: Iterable[str] | None = None,
    *,
    gap: float | None = None,
    time_limit: float | None = None,
    seed: int = 0,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Comparison:
    """Solve several strategies of a case, one after the other; an interrupt keeps what was found.

    Parameters
    ----------
    case
        The case.
    strategies
        Names of the strategies, all of the case's by default; ``as_is`` and ``integrated`` are always added.
    gap, time_limit, seed, threads
        As in `scopt.solve`, for each strategy.
    progress
        Called at every event; its phase starts with the strategy's name.

    Returns
    -------
    Comparison
        One result per strategy, also of those that have no design; after an interrupt of those that were
        begun.

    Raises
    ------
    UsageError
        The case has no strategy of such a name; nothing was solved.
    """
    known = case.strategies
    names = list(dict.fromkeys([*_ALWAYS, *(known if strategies is None else strategies)]))
    unknown = [name for name in names if name not in known]
    if unknown:
        raise UsageError(f"no strategy {', '.join(map(repr, unknown))}; the case has {', '.join(known)}")
    results: dict[str, Result] = {}
    searches: dict[str, Solved] = {}
    for name in names:
        results[name] = solve(
            case,
            name,
            gap=gap,
            time_limit=time_limit,
            seed=seed,
            threads=threads,
            progress=None if progress is None else _named(progress, name),
            searches=searches,
        )
        if any(solved.interrupted for solved in searches.values()):
            break
    return Comparison(results, tuple(name for name in names if name not in results))


def _named(progress: Progress, strategy: str) -> Progress:
    def report(event: Event) -> None:
        progress(replace(event, phase=f"{strategy}: {event.phase}"))

    return report


def _row(result: Result) -> list[Any]:
    """Return the values of `_COLUMNS`; without a design the later ones are None."""
    figures = [
        result.strategy,
        result.status,
        result.against,
        result.cost,
        result.saving,
        result.saving_share,
    ]
    figures += [result.bound, result.gap, result.seconds]
    if result.cost is None:
        return figures + [None] * (len(_COLUMNS) - len(figures))
    found, service = changes(result.sites), by_channel(result.service)[["demand", "served", "on_time"]].sum()
    return [
        *figures,
        len(result.sites) and int((result.sites["after"] == "open").sum()),
        len(found.closed),
        len(found.opened),
        len(found.taken_over),
        len(result.outsourcing),
        stock_days(result.stock, result.service),
        share(service["served"], service["demand"]),
        share(service["on_time"], service["served"]),
    ]
