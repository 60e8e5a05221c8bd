"""`build` and `solve`: from a case and a strategy to a model, and from there to a result."""

from __future__ import annotations

import platform
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyomo.environ as pyo

from scopt.chain import Chain
from scopt.design import cost_table, site_table, tables
from scopt.errors import UsageError
from scopt.models import build as assemble
from scopt.network import expand
from scopt.result import Result
from scopt.search.method import BOUND_NOISE, Options, Search
from scopt.search.solver import Clock, Lp, Scaled, check_version, stoppable
from scopt.verify import verify

if TYPE_CHECKING:
    from collections.abc import Callable

    from scopt.case import Case, Strategy
    from scopt.models import Model
    from scopt.progress import Progress

__all__ = ["build", "solve"]


def build(case: Case, strategy: str = "integrated") -> Model:
    """Build the model of a strategy, to be read and extended before it is solved.

    Parameters
    ----------
    case
        A validated case.
    strategy
        Name of a strategy of the case.

    Returns
    -------
    Model
        Its Pyomo part is ``model.pyomo``: ``open_site[site]``, ``stock_point[site, product]``,
        ``join[site]``, ``contract[operator]`` and more; ``model.flow(origin, destination, channel, product)``
        is an expression of units per year. Pass the model on to `solve`.

    Raises
    ------
    UsageError
        The case has no such strategy.
    CaseError
        The changes of the strategy make the case invalid.
    """
    return assemble(expand(_chain(case, strategy)))


def _chain(case: Case, name: str) -> Chain:
    if name not in case.strategies:
        known = ", ".join(case.strategies)
        raise UsageError(f"the case has no strategy {name!r}; it has {known}")
    return Chain(case.for_strategy(name), case.strategies[name])


def solve(
    case: Case | Model,
    strategy: str = "integrated",
    *,
    gap: float | None = None,
    time_limit: float | None = None,
    seed: int = 0,
    threads: int | None = None,
    progress: Progress | None = None,
    extend: Callable[[Model], None] | None = None,
    searches: dict[str, Solved] | None = None,
) -> Result:
    """Find the cheapest design of a strategy, with a proven bound.

    Parameters
    ----------
    case
        A case, or a model made by `build` (then `strategy` is that of the model).
    strategy
        Name of a strategy of the case.
    gap
        Relative gap to prove; the case's ``mip_gap`` by default.
    time_limit
        Seconds for the strategy; as-is, and another strategy that the saving is measured against, each have
        as long again. The case's ``time_limit_s`` by default.
    seed, threads
        Of the solver; the same ones give the same result unless time runs out.
    progress
        Called with an `Event` whenever something is known.
    extend
        Called with every model of the strategy before it is solved, to add constraints in Pyomo. The method
        may build more than one model, so constraints belong here rather than into one model by hand.
    searches
        Strategies searched before, which this call adds to. Share one dictionary among solves of one case
        with the same options, and as-is (and whatever else is compared against) is searched only once.

    Returns
    -------
    Result
        Status ``optimal``, ``feasible``, ``infeasible`` or ``stopped``; an interrupt returns the best design.

    Raises
    ------
    UsageError
        The case has no such strategy, or an option is out of range.
    SolverError
        HiGHS failed or is too old.
    """
    check_version()
    model, case, strategy = _open(case, strategy)
    settings = case.settings
    options = Options(
        gap=float(settings.mip_gap if gap is None else gap),
        time_limit=float(settings.time_limit_s if time_limit is None else time_limit),
        seed=seed,
        threads=threads,
    )
    if options.gap < 0 or options.time_limit <= 0:
        raise UsageError("the gap must not be negative and the time limit must be above 0 seconds")
    work = _Work(case, strategy, options, progress, extend, {} if searches is None else searches)
    return work.run(model)


def _open(case: Case | Model, strategy: str) -> tuple[Model | None, Case, str]:
    from scopt.models import Model

    if isinstance(case, Model):
        return case, case.chain.case, case.chain.strategy.name
    return None, case, strategy


@dataclass(eq=False)
class Solved:
    """A searched strategy with its tables."""

    search: Search
    strategy: Strategy
    case: Case
    tables: dict[str, pd.DataFrame] = field(default_factory=dict)
    messages: list[str] = field(default_factory=list)
    reoptimised: float | None = None

    @property
    def interrupted(self) -> bool:
        """Whether it was stopped before its gap or its time was reached."""
        return self.search.clock.stopped

    @property
    def cost(self) -> float | None:
        """Cost of the best design, None without one."""
        return None if self.search.best is None else self.search.best.cost


@dataclass(eq=False)
class _Work:
    """One call of `solve`."""

    case: Case
    name: str
    options: Options
    progress: Progress | None
    extend: Callable[[Model], None] | None
    searches: dict[str, Solved]
    messages: list[str] = field(default_factory=list)

    def run(self, model: Model | None) -> Result:
        if self.name not in self.case.strategies:
            _chain(self.case, self.name)
        against_name = self.case.strategies[self.name].against
        as_is = self._find("as_is", "as-is")
        self._say_as_is(as_is)
        if self.name == "as_is":
            return self._result(as_is, as_is, as_is, against_name)
        if as_is.search.clock.stopped:
            # Today's chain is no design of the strategy that was asked for.
            return self._result(None, as_is, as_is, against_name)
        main = self._find(self.name, self.name, model)
        against = as_is
        if against_name == self.name:
            against = main
        elif against_name != "as_is" and not main.search.clock.stopped:
            against = self._find(against_name, f"{against_name} (to compare)")
        return self._result(main, as_is, against, against_name)

    def _find(self, name: str, phase: str, model: Model | None = None) -> Solved:
        """Search a strategy, or take it from the searches before."""
        own = model is not None or (self.extend is not None and name == self.name)
        if own:
            return self._search(name, phase, model)
        if name not in self.searches or self.searches[name].interrupted:
            self.searches[name] = self._search(name, phase, None)
        return self.searches[name]

    def _search(self, name: str, phase: str, model: Model | None) -> Solved:
        extend, given = self.extend if name == self.name else None, model is not None
        if model is None:
            model = assemble(expand(_chain(self.case, name)))
        clock = Clock(self.options.time_limit)
        messages: list[str] = []
        if hasattr(model.pyomo, "deviation"):
            extend = self._hold_observed(model, clock, extend, messages)
        if extend is not None:
            extend(model)
        fixed = given and extend is None
        with stoppable(clock):
            search = Search(model, self.options, clock, self.progress, phase, extend, fixed).run()
        solved = Solved(search, model.chain.strategy, model.chain.case, messages=messages)
        if search.best is not None:
            solved.tables = tables(model, search.arrays, search.best.flows, search.best.values)
        return solved

    def _reoptimised(self) -> float | None:
        """Cost of today's chain when its flows are free to run otherwise than observed."""
        case = self.case.for_strategy("as_is")
        case = case.replace(lanes=case.tables["lanes"].assign(units_today=np.nan))
        model = assemble(expand(Chain(case, self.case.strategies["as_is"])))
        clock = Clock(self.options.time_limit)
        with stoppable(clock):
            search = Search(model, self.options, clock, self.progress, "as-is re-optimised").run()
        return None if search.best is None else search.best.cost

    def _hold_observed(
        self, model: Model, clock: Clock, extend: Callable[[Model], None] | None, messages: list[str]
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
            messages.append(
                f"as-is: the observed flows (units_today) do not fit the demand of the case; {least:,.0f} "
                "units a year had to run elsewhere than observed"
            )

        def as_observed(other: Model) -> None:
            if extend is not None:
                extend(other)
            m = other.pyomo
            m.as_observed = pyo.Constraint(expr=m.deviation <= least + 1e-7 * max(1.0, moved))

        return as_observed

    def _say_as_is(self, as_is: Solved) -> None:
        self.messages += as_is.messages
        if as_is.search.best is None:
            why = (
                "today's sites and lanes cannot keep the promises, capacities or fill rates of the case"
                if as_is.search.infeasible
                else "the search was stopped before a design was found"
            )
            self.messages.append(f"no as-is design: {why}, so there is no as-is cost and no saving")

    def _result(self, main: Solved | None, as_is: Solved, against: Solved, against_name: str) -> Result:
        if main is None:
            return self._make(
                "stopped", None, None, None, as_is.search.seconds, as_is, None, against_name, {}
            )
        search, best = main.search, main.search.best
        out = dict(main.tables)
        observed = self.case.lanes["units_today"].notna().any()
        if observed and as_is.cost is not None and not as_is.search.clock.stopped:
            unit = f"{self.case.settings.currency}/year"
            if as_is.reoptimised is None:
                as_is.reoptimised = self._reoptimised()
            rows = [("as-is as run", as_is.cost, unit), ("as-is re-optimised", as_is.reoptimised, unit)]
            out["summary"] = pd.DataFrame(rows, columns=["metric", "value", "unit"])
        if best is not None:
            before = None if as_is.search.best is None else as_is.search.best.costs
            out["costs"] = cost_table(before, best.costs)
            checks = verify(main.case, main.strategy, out, best.costs)
            out["checks"] = pd.concat([checks, _bound_check(search.bound, checks)], ignore_index=True)
            out["sites"] = site_table(as_is.tables.get("sites"), out["sites"])
        saving = None if against.cost is None or main.cost is None else against.cost - main.cost
        bound = search.bound if abs(search.bound) < np.inf else None
        return self._make(
            search.status, main.cost, bound, search.gap, search.seconds, as_is, saving, against_name, out
        )

    def _make(
        self,
        status: str,
        cost: float | None,
        bound: float | None,
        gap: float | None,
        seconds: float,
        as_is: Solved,
        saving: float | None,
        against_name: str,
        out: dict[str, pd.DataFrame],
    ) -> Result:
        return Result(
            strategy=self.name,
            status=status,
            cost=cost,
            bound=bound,
            gap=gap,
            seconds=seconds,
            as_is_cost=as_is.cost,
            saving=saving,
            against=against_name,
            currency=self.case.settings.currency,
            messages=(*self.messages, *(str(w) for w in self.case.warnings)),
            provenance=self._provenance(),
            tables=out,
        )

    def _provenance(self) -> dict[str, str]:
        return {
            "scopt": version("scopt"),
            "highspy": version("highspy"),
            "pyomo": version("pyomo"),
            "python": platform.python_version(),
            "case": self.case.source,
            "case digest": self.case.digest,
            "gap": f"{self.options.gap:g}",
            "time limit (s)": f"{self.options.time_limit:g}",
            "seed": str(self.options.seed),
            "threads": "all" if self.options.threads is None else str(self.options.threads),
        }


def _bound_check(bound: float, checks: pd.DataFrame) -> pd.DataFrame:
    """Check that the bound does not lie above the cost that was recomputed from the tables."""
    cost = float(checks.loc[checks["check"] == "cost: total", "recomputed"].iloc[0])
    above = (bound - cost) / max(abs(cost), 1e-9)
    row = {
        "check": "bound: at most the cost",
        "model": bound,
        "recomputed": cost,
        "difference": max(above, 0.0),
    }
    return pd.DataFrame([row | {"ok": above <= BOUND_NOISE, "where": ""}])[list(checks.columns)]
