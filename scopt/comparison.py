"""Several strategies of one case, solved and laid side by side."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from scopt.batch import RunFolder, Task, cores, executor_for, run
from scopt.case import each_lever_alone
from scopt.errors import UsageError
from scopt.interaction import interaction_of, order_of, tasks_of
from scopt.interrupts import held
from scopt.kinship import in_order
from scopt.report.summary import by_channel, changes, share, stock_days
from scopt.report.text import compare_text
from scopt.search.solver import check_version
from scopt.solving import options_for, result_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pandas import DataFrame

    from scopt.case import Case
    from scopt.interaction import Interaction
    from scopt.progress import Progress
    from scopt.result import Result

__all__ = ["Comparison", "compare", "jobs_for"]

_ALWAYS = ("as_is", "integrated")
_SMALL = 200
"""Lanes below which a case is searched in this process by default."""
_COLUMNS = [
    *("strategy", "status", "against", "cost", "saving", "saving_share", "bound", "gap", "seconds"),
    *("sites", "closed", "opened", "taken_over", "operators", "stock_days", "stock_value", "emissions"),
    *("one_off_spend", "payback_years", "net_present_value", "served_share", "on_time_share"),
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
    interaction
        What levers save alone, one after another and together; None where that was not asked.
    """

    results: Mapping[str, Result]
    left: tuple[str, ...] = ()
    interaction: Interaction | None = None

    def __str__(self) -> str:
        return compare_text(self)

    @property
    def table(self) -> DataFrame:
        """One row per strategy.

        strategy, status, against; cost, saving (currency/year), saving_share, bound, gap, seconds; sites
        (open after), closed, opened, taken_over, operators (counts); stock_days, stock_value (currency),
        emissions (kg/year); one_off_spend (currency, undivided), payback_years and net_present_value (see
        `scopt.report.money`; blank where savings never pay); served_share, on_time_share over all channels;
        then both for each channel, as ``online: served`` and ``online: on time``.
        """
        rows = [dict(zip(_COLUMNS, _row(result), strict=True)) for result in self.results.values()]
        table = pd.DataFrame(rows, columns=_COLUMNS)
        service = self.service
        if not len(service):
            return table
        for channel, part in service.groupby("channel", sort=False):
            shares = part.set_index("strategy")[["served_share", "on_time_share"]]
            for column, name in (("served_share", "served"), ("on_time_share", "on time")):
                table[f"{channel}: {name}"] = table["strategy"].map(shares[column])
        return table

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

    @property
    def waterfall(self) -> DataFrame:
        """From the cost of as-is to that of integrated: step, change, cost (after it), in currency/year.

        The first row is as-is, the last one integrated, between them each bucket that differs; empty without
        both designs.
        """
        costs = self.costs
        if not {"as_is", "integrated"} <= set(costs.columns):
            return pd.DataFrame(columns=["step", "change", "cost"])
        costs = costs.fillna(0.0)
        change = costs["integrated"] - costs["as_is"]
        moved = change.abs() > 1e-9 * max(costs["as_is"].abs().sum(), 1.0)
        cost = costs["as_is"].sum() + change[moved].cumsum()
        ends = [("as_is", 0.0, costs["as_is"].sum()), ("integrated", 0.0, costs["integrated"].sum())]
        steps = list(zip(costs.loc[moved, "bucket"], change[moved], cost, strict=True))
        return pd.DataFrame([ends[0], *steps, ends[1]], columns=["step", "change", "cost"])

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


@held()
def compare(
    case: Case,
    strategies: Iterable[str] | None = None,
    *,
    gap: float | None = None,
    time_limit: float | None = None,
    seed: int = 0,
    threads: int | None = None,
    jobs: int | None = None,
    scheduler: str | None = None,
    run_folder: str | Path | None = None,
    fresh: bool = False,
    sequence: Iterable[str] | None = None,
    progress: Progress | None = None,
) -> Comparison:
    """Search several strategies of a case side by side; an interrupt keeps what was found.

    Parameters
    ----------
    case
        The case.
    strategies
        Names of the strategies, all of the case's by default; ``as_is`` and ``integrated`` are always added.
        A case without any of its own has each lever alone.
    gap, time_limit, seed, threads
        As in `scopt.solve`, for each strategy.
    jobs
        Processes side by side, the cores by default; 1 searches in this process, which is also the default
        for a case so small that starting others would take longer.
    scheduler
        Address of a Dask scheduler to search there, or ``local:N`` for a cluster of N processes started here.
    run_folder
        Folder in which finished strategies are kept: what is there is not searched again. None keeps nothing.
    fresh
        Search again what is kept.
    sequence
        Levers in the order in which they are decided one after another, to tell what deciding jointly gains
        (`Comparison.interaction`). By default it is told, in the order of `scopt.case.ORDER`, where the case
        has no strategies of its own and none were named.
    progress
        Called at every event; it tells its strategy.

    Returns
    -------
    Comparison
        One result per strategy, also of those that have no design; after an interrupt of those that were
        begun.

    Raises
    ------
    UsageError
        The case has no strategy of such a name, a lever of the sequence has no effect, Dask is not there, or
        the folder cannot be written; nothing was searched.
    SolverError
        The solver failed, or a process died again and again; what was finished is kept.
    """
    check_version()
    known = case.strategies
    names = list(dict.fromkeys([*_ALWAYS, *(known if strategies is None else strategies)]))
    unknown = [name for name in names if name not in known]
    if unknown:
        raise UsageError(f"no strategy {', '.join(map(repr, unknown))}; the case has {', '.join(known)}")
    options = options_for(case, gap=gap, time_limit=time_limit, seed=seed, threads=threads)
    needed = list(dict.fromkeys([*names, *(known[name].against for name in names)]))
    tasks = [Task(name, case, known[name], options) for name in needed]
    order = None
    if sequence is not None or (strategies is None and set(each_lever_alone()) <= set(known)):
        order = order_of(sequence)
        tasks += tasks_of(case, options, order, needed)
    folder = None if run_folder is None else RunFolder(Path(run_folder))
    if folder is not None:
        folder.check()
    executor = executor_for(jobs_for(case, len(tasks)) if jobs is None else jobs, scheduler)
    found = run(in_order(tasks, executor), executor, folder=folder, fresh=fresh, progress=progress)
    begun = [name for name in names if name in found]
    return Comparison(
        {name: result_of(case, name, options, found) for name in begun},
        tuple(name for name in names if name not in found),
        None if order is None else interaction_of(case, order, needed, found),
    )


def jobs_for(case: Case, tasks: int) -> int:
    """Return how many processes pay: one where a case is solved sooner than others have started."""
    return 1 if len(case.lanes) < _SMALL else min(cores(), tasks)


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
    measured = dict(zip(result.summary["metric"], result.summary["value"], strict=True))
    return [
        *figures,
        len(result.sites) and int((result.sites["after"] == "open").sum()),
        len(found.closed),
        len(found.opened),
        len(found.taken_over),
        len(result.outsourcing),
        stock_days(result.stock, result.service),
        measured.get("stock value", 0.0),
        measured.get("emissions"),
        measured.get("one-off spend"),
        measured.get("payback"),
        measured.get("net present value"),
        share(service["served"], service["demand"]),
        share(service["on_time"], service["served"]),
    ]
