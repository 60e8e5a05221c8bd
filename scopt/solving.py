"""`build` and `solve`: from a case and a strategy to a model, and from there to a result."""

from __future__ import annotations

import os
import platform
from dataclasses import replace
from importlib.metadata import version
from typing import TYPE_CHECKING

import pandas as pd

from scopt.design import cost_table, site_table
from scopt.diagnosis.rules import relaxed_case
from scopt.errors import UsageError
from scopt.interrupts import asked, held
from scopt.models import build as assemble
from scopt.network import expand
from scopt.report.money import net_present_value, payback_years
from scopt.result import Result
from scopt.search.hints import Hints
from scopt.search.method import Options
from scopt.search.solver import check_version
from scopt.solved import chain_of, search

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from scopt.case import Case
    from scopt.models import Model
    from scopt.progress import Progress
    from scopt.solved import Solved

__all__ = ["build", "options_for", "result_of", "solve"]


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
    return assemble(expand(chain_of(case, strategy)))


@held()
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
    relax: bool = False,
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
        Of the solver; the same ones give the same result unless a step runs out of time.
    progress
        Called with an `Event` whenever something is known.
    extend
        Called with every model of the strategy before it is solved, to add constraints in Pyomo. The method
        may build more than one model, so constraints belong here rather than into one model by hand.
    searches
        Strategies searched before, which this call adds to. Share one dictionary among solves of one case
        with the same options, and as-is (and whatever else is compared against) is searched only once; a
        solve with `extend` begins from the design of the strategy without it.
    relax
        Where the strategy has no design, relax the case as its diagnosis tells and find the best design of
        that; what was relaxed stands in the messages and in the table ``diagnosis``.

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
    options = options_for(case, gap=gap, time_limit=time_limit, seed=seed, threads=threads)
    if strategy not in case.strategies:
        chain_of(case, strategy)
    shared = {} if searches is None else searches

    def find(name: str, phase: str) -> Solved:
        if name == strategy and (model is not None or extend is not None):
            known = shared.get(name)
            hints = Hints()
            if known is not None:
                hints = Hints(() if known.start is None else (known.start,), root=known.root)
            return search(
                case, name, options, progress=progress, phase=phase, extend=extend, model=model, hints=hints
            )
        if name not in shared or shared[name].interrupted:
            shared[name] = search(case, name, options, progress=progress, phase=phase, why=name == strategy)
        return shared[name]

    found = {"as_is": find("as_is", "as-is")}
    against = case.strategies[strategy].against
    # Today's chain is no design of the strategy that was asked for: an interrupt during as-is ends it all.
    for name, phase in ((strategy, strategy), (against, f"{against} (to compare)")):
        if name not in found and not asked() and not any(solved.interrupted for solved in found.values()):
            found[name] = find(name, phase)
    main = found.get(strategy)
    if relax and main is not None and main.diagnosis is not None and main.diagnosis.options and not asked():
        least = main.diagnosis.options[0].relaxations
        eased = relaxed_case(case.for_strategy(strategy), least)
        again = search(
            eased, strategy, options, progress=progress, phase=f"{strategy} relaxed", extend=extend
        )
        found[strategy] = replace(again, diagnosis=main.diagnosis)
    return result_of(case, strategy, options, found)


def options_for(
    case: Case,
    *,
    gap: float | None = None,
    time_limit: float | None = None,
    seed: int = 0,
    threads: int | None = None,
) -> Options:
    """Return the options of a search; what is not given is the case's.

    Raises
    ------
    UsageError
        An option is out of range.
    """
    settings = case.settings
    options = Options(
        gap=float(settings.mip_gap if gap is None else gap),
        time_limit=float(settings.time_limit_s if time_limit is None else time_limit),
        seed=seed,
        threads=threads,
    )
    if options.gap < 0 or options.time_limit <= 0:
        raise UsageError("the gap must not be negative and the time limit must be above 0 seconds")
    return options


def _open(case: Case | Model, strategy: str) -> tuple[Model | None, Case, str]:
    from scopt.models import Model

    if isinstance(case, Model):
        return case, case.chain.case, case.chain.strategy.name
    return None, case, strategy


def result_of(case: Case, strategy: str, options: Options, found: Mapping[str, Solved]) -> Result:
    """Put a result together from strategies that were searched.

    Parameters
    ----------
    case, strategy
        The case, and the strategy whose result it is.
    options
        With which they were searched.
    found
        By name: the strategy, as-is, and what its saving is measured against; what is missing was not
        searched and leaves the figures that need it out.
    """
    main, as_is = found.get(strategy), found.get("as_is")
    against = found.get(case.strategies[strategy].against)
    out: dict[str, pd.DataFrame] = {} if main is None else dict(main.tables)
    measured = [*_money(case, main, against), *_as_run(case, as_is)]
    if measured:
        more = pd.DataFrame(measured, columns=["metric", "value", "unit"])
        out["summary"] = pd.concat([out["summary"], more], ignore_index=True) if "summary" in out else more
    if main is not None and main.costs is not None:
        out["costs"] = cost_table(None if as_is is None else as_is.costs, main.costs)
        out["sites"] = site_table(None if as_is is None else as_is.tables.get("sites"), out["sites"])
    if main is not None and main.diagnosis is not None:
        out["diagnosis"] = main.diagnosis.table
    cost, yardstick = (None if solved is None else solved.cost for solved in (main, against))
    return Result(
        strategy=strategy,
        status="stopped" if main is None else main.status,
        cost=cost,
        bound=None if main is None else main.bound,
        gap=None if main is None else main.gap,
        seconds=next((solved.seconds for solved in (main, as_is) if solved is not None), 0.0),
        as_is_cost=None if as_is is None else as_is.cost,
        saving=None if yardstick is None or cost is None else yardstick - cost,
        against=case.strategies[strategy].against,
        currency=case.settings.currency,
        messages=(
            *_of_strategy(main),
            *_of_as_is(as_is, asked=strategy == "as_is"),
            *(str(warning) for warning in case.warnings),
        ),
        provenance=_provenance(case, strategy, options),
        tables=out,
    )


def _as_run(case: Case, as_is: Solved | None) -> list[tuple[str, object, str]]:
    if as_is is None or as_is.reoptimised is None:
        return []
    unit = f"{case.settings.currency}/year"
    return [("as-is as run", as_is.cost, unit), ("as-is re-optimised", as_is.reoptimised, unit)]


def _money(case: Case, main: Solved | None, against: Solved | None) -> list[tuple[str, object, str]]:
    """Payback and net present value of a strategy against another one."""
    if main is None or against is None or main.costs is None or against.costs is None:
        return []
    spend = float(main.measure("one-off spend") - against.measure("one-off spend"))
    running = [sum(costs.values()) - costs["one_off"] for costs in (against.costs, main.costs)]
    settings, saving = case.settings, float(running[0] - running[1])
    value = net_present_value(spend, saving, settings.discount_rate, settings.horizon_years)
    return [
        ("saving before one-off costs", saving, f"{settings.currency}/year"),
        ("payback", payback_years(spend, saving), "years"),
        ("net present value", value, settings.currency),
    ]


def _of_strategy(main: Solved | None) -> list[str]:
    """Tell why a strategy has no design, or what was relaxed to give it one."""
    if main is None:
        return []
    told = list(main.messages) if main.strategy != "as_is" else []
    if main.diagnosis is None:
        return told
    if main.costs is None:
        return [*told, *main.diagnosis.messages()]
    least = main.diagnosis.options[0].relaxations
    return [
        *told,
        f"the case has no design as it stands; this one needs: {'; '.join(str(one) for one in least)}",
    ]


def _of_as_is(as_is: Solved | None, *, asked: bool) -> list[str]:
    """Tell what of today's chain bears on the figures."""
    if as_is is not None and as_is.costs is not None:
        return list(as_is.messages)
    why = (
        "today's sites and lanes cannot keep the promises, capacities or fill rates of the case"
        if as_is is not None and as_is.status == "infeasible"
        else "the search was stopped before a design was found"
    )
    told = [] if as_is is None else as_is.messages
    if as_is is not None and as_is.diagnosis is not None and not asked:
        why = "; ".join(fact.text for fact in as_is.diagnosis.facts) or why
    return [*told, f"no as-is design: {why}, so there is no as-is cost and no saving"]


def _provenance(case: Case, strategy: str, options: Options) -> dict[str, str]:
    """Record what it takes to make a result again."""
    packages = ("scopt", "highspy", "pyomo", "numpy", "pandas", "scipy")
    return {
        **{name: version(name) for name in packages},
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cores": str(os.cpu_count() or 1),  # the threads of a search that takes them all
        "case": case.source,
        "case digest": case.digest,
        "strategy": strategy,
        "gap": f"{options.gap:.15g}",
        "time limit (s)": f"{options.time_limit:.15g}",
        "seed": str(options.seed),
        "threads": "all" if options.threads is None else str(options.threads),
    }
