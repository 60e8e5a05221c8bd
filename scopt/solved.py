"""A strategy that was searched, as a small object without its model, and the search that makes one.

A result is put together from up to three of these: the strategy, as-is, and what its saving is measured
against. Each is searched on its own, so they can be shared, kept on disk and made by other processes.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import pyomo.environ as pyo

from scopt.chain import Chain
from scopt.design import tables
from scopt.diagnosis.diagnose import Diagnosis, diagnose
from scopt.diagnosis.facts import Fastest, find_facts
from scopt.errors import UsageError
from scopt.interrupts import held
from scopt.models import build as assemble
from scopt.network import expand
from scopt.progress import Event
from scopt.search.hints import Hints, Start
from scopt.search.method import Options, Search
from scopt.search.solver import Clock, Lp, Scaled, stoppable
from scopt.verify import verify

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pandas as pd

    from scopt.case import Case, Strategy
    from scopt.models import Model
    from scopt.progress import Progress
    from scopt.search.root import Root

__all__ = ["Solved", "chain_of", "search"]


@dataclass(frozen=True, eq=False)
class Solved:
    """What the search of one strategy came to; it pickles, and holds no model.

    Parameters
    ----------
    strategy
        Its name.
    status
        ``optimal``, ``feasible``, ``infeasible`` or ``stopped`` (without a design), as in `Result`.
    costs
        Cost by bucket, money per year; None without a design.
    bound
        Valid lower bound, money per year; None without one.
    gap
        Proven relative gap; None where cost or bound is missing.
    seconds
        Wall time of the search, in s.
    interrupted
        Whether it was stopped from outside before its gap or its time was reached.
    tables
        Tables of the design with its checks; empty without one.
    messages
        What the reader of any result that uses it should know.
    reoptimised
        Cost of today's chain when its flows need not run as observed; None where that was not asked.
    diagnosis
        Why there is no design; None with one, or where that was not asked.
    start
        The design, for other searches to begin with; None without one.
    root
        The relaxation, for other searches to begin with; None where the model was solved as a whole.
    """

    strategy: str
    status: str
    costs: Mapping[str, float] | None
    bound: float | None
    gap: float | None
    seconds: float
    interrupted: bool = False
    tables: Mapping[str, pd.DataFrame] = field(default_factory=dict, repr=False)
    messages: tuple[str, ...] = ()
    reoptimised: float | None = None
    diagnosis: Diagnosis | None = None
    start: Start | None = field(default=None, repr=False)
    root: Root | None = field(default=None, repr=False)

    @property
    def cost(self) -> float | None:
        """Cost of the best design, None without one."""
        return None if self.costs is None else float(sum(self.costs.values()))

    def measure(self, metric: str) -> float:
        """Return a figure of the design's summary by its name."""
        summary = self.tables["summary"]
        return float(summary.loc[summary["metric"] == metric, "value"].iloc[0])


def chain_of(case: Case, strategy: str | Strategy) -> Chain:
    """Return what a strategy may use of a case; one that is not the case's own has no changes of data.

    Raises
    ------
    UsageError
        The case has no such strategy.
    CaseError
        The changes of the strategy make the case invalid.
    """
    own = case.strategies
    if not isinstance(strategy, str):
        return Chain(case.for_strategy(strategy.name) if strategy.name in own else case, strategy)
    if strategy not in own:
        raise UsageError(f"the case has no strategy {strategy!r}; it has {', '.join(own)}")
    return Chain(case.for_strategy(strategy), own[strategy])


@held()
def search(
    case: Case,
    strategy: str | Strategy,
    options: Options,
    *,
    progress: Progress | None = None,
    phase: str = "solving",
    extend: Callable[[Model], None] | None = None,
    model: Model | None = None,
    hints: Hints | None = None,
    asked: Callable[[], bool] | None = None,
    why: bool = True,
) -> Solved:
    """Search one strategy; nothing else is looked at.

    Parameters
    ----------
    case, strategy
        The case, and the name of one of its strategies or a strategy of one's own.
    options
        Gap, time, seed, threads.
    progress, phase
        Called at every event, under this phase.
    extend
        Called with every model of the strategy before it is solved.
    model
        The strategy's model, built before; it is solved as it stands.
    hints
        What searches of kindred strategies found.
    asked
        Tells whether somebody wants the search to end with what it has; called a few times a second.
    why
        Find out why where there is no design; facts that are known beforehand are told anyway.
    """
    work = _Work(options, progress, asked)
    given = model is not None
    if model is None:
        chain = chain_of(case, strategy)
        if facts := find_facts(chain, Fastest(chain)):
            clock = Clock(options.time_limit)
            told = work.diagnose(chain, clock, phase, extend) if why else Diagnosis(tuple(facts))
            return _without_design(chain.strategy.name, clock, told, tuple(work.messages))
        model = assemble(expand(chain))
    clock, observed = Clock(options.time_limit), hasattr(model.pyomo, "deviation")
    with stoppable(clock, asked):
        if observed:
            extend = work.hold_observed(model, clock, extend)
        if extend is not None:
            extend(model)
        fixed = given and extend is None
        found = Search(
            model, options, clock, progress, phase, extend, fixed, hints=Hints() if hints is None else hints
        ).run()
        diagnosis: Diagnosis | None = None
        if found.best is None and why and not clock.stopped and (found.infeasible or clock.left > 0):
            diagnosis = work.diagnose(model.chain, Clock(options.time_limit), phase, extend)
    reoptimised = None
    if observed and found.best is not None and not clock.stopped:
        reoptimised = work.reoptimised(model.chain)
    return replace(_solved(found, tuple(work.messages), reoptimised), diagnosis=diagnosis)


def _without_design(name: str, clock: Clock, diagnosis: Diagnosis, messages: tuple[str, ...]) -> Solved:
    """Return a strategy that facts leave without a design: there is nothing to search."""
    return Solved(
        name, "infeasible", None, None, None, clock.seconds,
        interrupted=clock.stopped, messages=messages, diagnosis=diagnosis,
    )  # fmt: skip


def _solved(found: Search, messages: tuple[str, ...], reoptimised: float | None) -> Solved:
    """Keep of a search what outlives its model."""
    model, best = found.model, found.best
    out: dict[str, pd.DataFrame] = {}
    if best is not None:
        out = tables(model, found.arrays, best.flows, best.values)
        out["checks"] = verify(model.chain.case, model.chain.strategy, out, best.costs, float(found.bound))
    return Solved(
        strategy=model.chain.strategy.name,
        status=found.status,
        costs=None if best is None else best.costs,
        bound=float(found.bound) if np.isfinite(found.bound) else None,
        gap=found.gap,
        seconds=found.seconds,
        interrupted=found.clock.stopped,
        tables=out,
        messages=messages,
        reoptimised=reoptimised,
        start=None if best is None else Start.of(best, found.arrays, model.chain),
        root=found.root,
    )


@dataclass(eq=False)
class _Work:
    """What goes on around a search: today's chain runs as observed, and a missing design is explained."""

    options: Options
    progress: Progress | None
    asked: Callable[[], bool] | None
    messages: list[str] = field(default_factory=list)

    def diagnose(
        self, chain: Chain, clock: Clock, phase: str, extend: Callable[[Model], None] | None
    ) -> Diagnosis:
        """Find out why a strategy has no design; after an interrupt it is what is known by then."""
        if self.progress is not None:
            self.progress(Event(f"{phase}: why there is no design", 0.0))
        with stoppable(clock, self.asked):
            told = diagnose(chain, clock, seed=self.options.seed, threads=self.options.threads, extend=extend)
        if clock.stopped:
            self.messages.append(
                "the search for relaxations was stopped: "
                + ("smaller ones may exist" if told.options else "none was found by then")
            )
        return told

    def reoptimised(self, chain: Chain) -> float | None:
        """Cost of today's chain when its flows are free to run otherwise than observed."""
        case = chain.case.replace(lanes=chain.case.tables["lanes"].assign(units_today=np.nan))
        model = assemble(expand(Chain(case, chain.strategy)))
        clock = Clock(self.options.time_limit)
        with stoppable(clock, self.asked):
            found = Search(model, self.options, clock, self.progress, "as-is re-optimised").run()
        return None if found.best is None else found.best.cost

    def hold_observed(
        self, model: Model, clock: Clock, extend: Callable[[Model], None] | None
    ) -> Callable[[Model], None] | None:
        """Run today's chain as observed: the least deviation from the observed shares comes before cost."""
        arrays = model.compile()
        cost = arrays.cost * 0.0
        m = model.pyomo
        columns = [arrays.place[part.name] for part in (*m.over.values(), *m.under.values())]
        cost[columns] = 1.0
        lp = Lp(Scaled.of(replace(arrays, cost=cost, offset=0.0)), ~arrays.lazy, clock, self.options.seed)
        point = lp.solve(clock.left)
        if point is None:
            return extend
        least = float(point[columns].sum())
        moved = float(model.chain.case.lanes["units_today"].fillna(0.0).sum())
        if least > 1e-3 * moved:
            self.messages.append(
                f"as-is: the observed flows (units_today) do not fit the demand of the case; {least:,.0f} "
                "units a year had to run elsewhere than observed"
            )

        def as_observed(other: Model) -> None:
            if extend is not None:
                extend(other)
            m = other.pyomo
            m.as_observed = pyo.Constraint(expr=m.deviation <= least + 1e-7 * max(1.0, moved))

        return as_observed
