"""Trade-off curves: one number of the case varied, or cost against a measure of the design.

A point is a strategy of a case that differs from the given one by one row: of the sheet ``changes`` where a
number is varied, of the sheet ``limits`` where a measure is bounded (the epsilon-constraint method, Haimes,
Lasdon and Wismer 1971). So points are searched, kept and compared like any other strategy.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from scopt.batch import RunFolder, Task, executor_for, run
from scopt.casefile.schema import SHEETS
from scopt.comparison import Comparison, jobs_for
from scopt.errors import CaseError, UsageError
from scopt.interrupts import held
from scopt.report.curve import describe_sweep
from scopt.search.extreme import extreme
from scopt.search.hints import Hints
from scopt.search.solver import check_version
from scopt.solved import chain_of
from scopt.solving import options_for, result_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pandas import DataFrame

    from scopt.case import Case
    from scopt.progress import Progress
    from scopt.result import Result
    from scopt.search.method import Options
    from scopt.solved import Solved

__all__ = ["MEASURES", "Sweep", "Vary", "front", "sweep"]

MEASURES: dict[str, tuple[str, Literal["min", "max"], str]] = {
    "service": ("on_time", "max", "share of demand on time"),
    "emissions": ("co2", "min", "kg a year"),
    "one_off": ("one_off", "min", "currency, undivided"),
    "changes": ("changes", "min", "changes"),
}
"""What cost can be set against: measure of the sheet `limits`, the better direction, unit."""

SWEPT = "(swept)"
"""Name of the limit that a front adds."""

LOOSE = 1e-7
"""Part by which the end of a front gives way, so that rounding does not make it impossible."""

Points = dict[float, "Result"]


@dataclass(frozen=True)
class Vary:
    """A number of the case and the values that it takes.

    Parameters
    ----------
    sheet, where, column, operation
        As in the sheet ``changes``.
    values
        What is set, multiplied by or added.
    """

    sheet: str
    where: str
    column: str
    operation: str
    values: tuple[float, ...]

    @classmethod
    def parse(cls, text: str) -> Vary:
        """Read ``sheet[row].column=low:high:count``.

        The row is an id, or conditions as in the sheet ``changes``; without it, or as ``*``, all rows are
        meant. Values are ``low:high:count`` or a list ``a,b,c``; ``*=`` multiplies and ``+=`` adds. Settings
        are written ``settings.co2_price=0:1:5``.

        Raises
        ------
        UsageError
            The text reads otherwise.
        """
        match = re.fullmatch(r"\s*(\w+)(?:\[(.*)\])?\.(\w+)\s*([*+]?=)\s*(.+)", text)
        if match is None:
            raise UsageError(f"{text}: write SHEET[ROW].COLUMN=LOW:HIGH:COUNT, or a list of values A,B,C")
        sheet, row, column, sign, values = match.groups()
        operation = {"=": "set", "*=": "multiply", "+=": "add"}[sign]
        where = (row or "").strip().removeprefix("*")
        if sheet == "settings" and not where:
            where, column = f"key={column}", "value"
        elif where and "=" not in where:
            key = SHEETS[sheet].key if sheet in SHEETS else ()
            where = f"{key[0] if key else sheet}={where}"
        return cls(sheet, where, column, operation, _values(values))

    def at(self, case: Case, strategy: str, value: float) -> Case:
        """Return the case in which a strategy has the value.

        Raises
        ------
        UsageError
            The case has no such number, or cannot hold the value.
        """
        row = {
            "strategy": strategy, "sheet": self.sheet, "where": self.where, "column": self.column,
            "operation": self.operation, "value": f"{value:.15g}",
        }  # fmt: skip
        try:
            return case.replace(changes=pd.concat([case.changes, pd.DataFrame([row])], ignore_index=True))
        except CaseError as error:
            first = error.findings.errors[0]
            raise UsageError(f"{self}: {first.rule} ({value:g}). {first.mend}") from error

    def __str__(self) -> str:
        sign = {"set": "", "multiply": " times", "add": " plus"}[self.operation]
        row = f"[{self.where}]" if self.where else ""
        return f"{self.sheet}{row}.{self.column}{sign}"


def _values(text: str) -> tuple[float, ...]:
    try:
        if ":" in text:
            low, high, count = text.split(":")
            return tuple(np.linspace(float(low), float(high), int(count)).round(12).tolist())
        return tuple(float(part) for part in text.split(","))
    except ValueError as error:
        raise UsageError(f"{text}: values are LOW:HIGH:COUNT or a list A,B,C of numbers") from error


@dataclass(frozen=True, eq=False)
class Sweep:
    """A trade-off curve; ``str()`` is what the command line prints.

    Parameters
    ----------
    label
        What was varied or bounded.
    points
        Result by value, in the order of the curve.
    against
        Measure that cost is set against, a key of `MEASURES`; empty where a number was varied.
    scale
        What a measure of 1 is in the limits table (all demand for service).
    """

    label: str
    points: Mapping[float, Result]
    against: str = ""
    scale: float = 1.0

    def __str__(self) -> str:
        return describe_sweep(self)

    @cached_property
    def table(self) -> DataFrame:
        """One row per point.

        value (set, or the bound on the measure); for fronts also measure (of the design) and efficient (no
        other point has at most its cost and a measure at least as good); then the columns of
        `Comparison.table`.
        """
        names = {f"{value:.12g}": result for value, result in self.points.items()}
        figures = Comparison(names).table.drop(columns="strategy")
        table = pd.concat([pd.DataFrame({"value": list(self.points)}), figures], axis=1)
        if not self.against:
            return table
        measure = np.array([_measured(result) for result in self.points.values()]) / self.scale
        table.insert(1, "measure", measure)
        table.insert(2, "efficient", _efficient(table["cost"], measure, MEASURES[self.against][1]))
        return table

    def to_excel(self, path: str | Path) -> None:
        """Write the curve as a workbook with its chart, whole or not at all.

        Raises
        ------
        UsageError
            The file cannot be written there.
        """
        from scopt.report.curve import write_sweep

        write_sweep(self, path)


def _measured(result: Result) -> float:
    limits = result.limits
    if limits.empty:
        return np.nan
    return float(limits.loc[limits["limit"] == SWEPT, "value"].iloc[0])


def _efficient(cost: Any, measure: Any, sense: str) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Points that no other one dominates; of equal ones the first counts."""
    price = np.asarray(cost, float)
    worth = np.asarray(measure, float) * (1.0 if sense == "min" else -1.0)
    there = ~np.isnan(price) & ~np.isnan(worth)
    better = (price[None] <= price[:, None]) & (worth[None] <= worth[:, None])
    strictly = (price[None] < price[:, None]) | (worth[None] < worth[:, None])
    order = np.arange(len(price))
    beaten = better & (strictly | (order[None] < order[:, None])) & there[None]
    return np.asarray(there & ~beaten.any(axis=1))


@dataclass(eq=False)
class _Batch:
    """How points are searched."""

    case: Case
    strategy: str
    options: Options
    jobs: int | None
    scheduler: str | None
    folder: RunFolder | None
    fresh: bool
    progress: Progress | None

    def run(
        self, cases: Mapping[str, Case], found: Mapping[str, Solved], bound: float | None = None
    ) -> dict[str, Solved]:
        """Search the strategy in each case from what was found before; a bound may hold for all."""
        known = [one for name, one in found.items() if name != "as_is"]
        starts = [one.start for one in known if one.start is not None]
        root = next((one.root for one in known if one.root is not None), None)
        hints = Hints(tuple(starts[:2]), -np.inf if bound is None else bound, root)
        tasks = [
            Task(name, case, case.strategies[self.strategy], self.options, hints)
            for name, case in cases.items()
        ]
        if "as_is" not in found:
            # As-is is searched in the case as it is: what a curve varies is no fact of today.
            tasks.insert(0, Task("as_is", self.case, self.case.strategies["as_is"], self.options))
        executor = executor_for(
            jobs_for(self.case, len(tasks)) if self.jobs is None else self.jobs, self.scheduler
        )
        tasks = [replace(task, threads=executor.threads) for task in tasks]
        new = run(tasks, executor, folder=self.folder, fresh=self.fresh, progress=self.progress)
        return {**found, **new}

    def results(self, cases: Mapping[str, Case], found: Mapping[str, Solved]) -> dict[str, Result]:
        """Results of the points that were searched."""
        return {
            name: result_of(
                case, self.strategy, self.options, {self.strategy: found[name], "as_is": found["as_is"]}
            )
            for name, case in cases.items()
            if name in found and "as_is" in found
        }


@held()
def sweep(
    case: Case,
    vary: str | Vary,
    strategy: str = "integrated",
    *,
    gap: float | None = None,
    time_limit: float | None = None,
    seed: int = 0,
    threads: int | None = None,
    jobs: int | None = None,
    scheduler: str | None = None,
    run_folder: str | Path | None = None,
    fresh: bool = False,
    progress: Progress | None = None,
) -> Sweep:
    """Solve a strategy for several values of one number of its case.

    Parameters
    ----------
    case, strategy
        The case and the strategy whose data change; as-is and the baseline stay as they are.
    vary
        The number and its values, as text (see `Vary.parse`) or made by hand.
    gap, time_limit, seed, threads, jobs, scheduler, run_folder, fresh, progress
        As in `scopt.compare`.

    Returns
    -------
    Sweep
        A point per value; values without a design have their diagnosis.

    Raises
    ------
    UsageError
        The case has no such number or strategy, or cannot hold a value; nothing was searched.
    """
    work = _open(case, strategy, gap, time_limit, seed, threads, jobs, scheduler, run_folder, fresh, progress)
    made = Vary.parse(vary) if isinstance(vary, str) else vary
    cases = {f"{made} = {value:.12g}": made.at(case, strategy, value) for value in made.values}
    first = dict([next(iter(cases.items()))])
    found = work.run(first, {})
    found = work.run({name: one for name, one in cases.items() if name not in first}, found)
    results = work.results(cases, found)
    points = {value: results[name] for value, name in zip(made.values, cases, strict=True) if name in results}
    return Sweep(str(made), points)


@held()
def front(
    case: Case,
    against: str,
    count: int = 8,
    strategy: str = "integrated",
    *,
    gap: float | None = None,
    time_limit: float | None = None,
    seed: int = 0,
    threads: int | None = None,
    jobs: int | None = None,
    scheduler: str | None = None,
    run_folder: str | Path | None = None,
    fresh: bool = False,
    progress: Progress | None = None,
) -> Sweep:
    r"""Draw the Pareto front of cost against service, emissions, one-off spend or the number of changes.

    One end is the cheapest design, the other the cheapest of those with the best measure :math:`m^*`; between
    them the measure is bounded in equal steps:

    .. math:: \min\; \mathrm{cost}(x) \quad \text{s.t.} \quad m(x) \le \varepsilon_i, \qquad
              \varepsilon_i \in [m^*, m(x_{\text{cheapest}})]

    Parameters
    ----------
    case, strategy
        The case and one of its strategies.
    against
        A key of `MEASURES`.
    count
        Points, both ends included.
    gap, time_limit, seed, threads, jobs, scheduler, run_folder, fresh, progress
        As in `scopt.compare`.

    Raises
    ------
    UsageError
        There is no such measure or strategy, or fewer than two points are asked for.
    NoDesignError
        The strategy has no design at all.
    """
    if against not in MEASURES or count < 2:
        raise UsageError(f"cost is set against {', '.join(MEASURES)}, in 2 points or more")
    work = _open(case, strategy, gap, time_limit, seed, threads, jobs, scheduler, run_folder, fresh, progress)
    measure, sense, _ = MEASURES[against]
    scale = float(case.demand["units"].sum()) if against == "service" else 1.0
    free = _bounded(case, measure, sense, None)
    best, _ = extreme(chain_of(free, strategy), SWEPT, sense, work.options)
    cases = {f"{against}: cheapest": free, f"{against}: best": _bounded(case, measure, sense, best)}
    found = work.run(cases, {})
    results = work.results(cases, found)
    ends = list(results.values())
    if len(ends) < 2 or ends[0].cost is None:
        return Sweep(
            f"cost against {against}", dict(zip((np.inf, best / scale), ends, strict=False)), against, scale
        )
    values = np.linspace(_measured(ends[0]), best, count)[1:-1].tolist()
    between = {f"{against} = {one / scale:.6g}": _bounded(case, measure, sense, one) for one in values}
    if abs(_measured(ends[0]) - best) <= LOOSE * max(abs(best), 1.0):
        between = {}
    if between:
        # Whatever else they have to keep, designs between the ends cost no less than the cheapest one.
        found = work.run(between, found, found[f"{against}: cheapest"].bound)
    inner = work.results(between, found)
    label = f"cost against {against}"
    points = {_measured(ends[0]) / scale: ends[0]}
    points |= {v / scale: inner[name] for v, name in zip(values, between, strict=False) if name in inner}
    return Sweep(label, points | {best / scale: ends[1]}, against, scale)


def _open(
    case: Case, strategy: str, gap: float | None, time_limit: float | None, seed: int, threads: int | None,
    jobs: int | None, scheduler: str | None, run_folder: str | Path | None, fresh: bool,
    progress: Progress | None,
) -> _Batch:  # fmt: skip
    check_version()
    chain_of(case, strategy)
    options = options_for(case, gap=gap, time_limit=time_limit, seed=seed, threads=threads)
    folder = None if run_folder is None else RunFolder(Path(run_folder))
    if folder is not None:
        folder.check()
    return _Batch(case, strategy, options, jobs, scheduler, folder, fresh, progress)


def _bounded(case: Case, measure: str, sense: str, bound: float | None) -> Case:
    """Return the case with a limit on the measure; one that never binds where there is no bound."""
    side = "max" if sense == "min" else "min"
    far = 1e15 if sense == "min" else 0.0
    give = LOOSE * max(abs(bound or 0.0), 1e-3) * (1.0 if sense == "min" else -1.0)
    row = {"limit": SWEPT, "measure": measure, side: far if bound is None else bound + give}
    return case.replace(limits=pd.concat([case.limits, pd.DataFrame([row])], ignore_index=True))
