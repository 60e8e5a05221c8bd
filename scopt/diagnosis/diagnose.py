"""Why a strategy has no design: facts known beforehand, and the least relaxations that would give it one."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyomo.environ as pyo
from scipy.sparse import csr_array

from scopt.chain import Chain, positions
from scopt.design import stock_table
from scopt.diagnosis.facts import Fact, Fastest, find_facts
from scopt.diagnosis.rules import LOOSER, Relaxation, round_outward
from scopt.models import build
from scopt.models.elastic import Elastic, Slack, make_elastic
from scopt.network import LAST, Versions, expand
from scopt.search.solver import Clock, Scaled, solve_mip

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from numpy.typing import NDArray

    from scopt.models import Model

    Floats = NDArray[np.float64]

__all__ = ["Diagnosis", "Option", "diagnose", "loosened"]

SMALL = 1e-6
"""Slacks up to this are the solver's noise."""

NAMED = 3
"""Markets left unserved that a message names; of more it tells how many."""

EQUAL = 1e-3
"""Totals that differ by less than this part count as equally small."""

MOMENT = 0.5
"""Seconds that the search for other options may take anyway."""

OPTIONS, SOLVES = 6, 10
"""Sets of relaxations that are told, and solves in search of them, at most."""

Part = tuple[str, tuple[str, ...]]
Relaxations = tuple[Relaxation, ...]
Cell = tuple[int, int, int]

COLUMNS = ["option", "total", "rule", "sheet", "where", "column", "from", "to", "relative", "text"]


@dataclass(frozen=True)
class Option:
    """A set of relaxations that together would give a design.

    Parameters
    ----------
    total
        Sum of relative changes, weighted as in the elastic model.
    relaxations
        Largest first.
    """

    total: float
    relaxations: Relaxations


@dataclass(frozen=True)
class Diagnosis:
    """Why there is no design; ``str()`` tells it in business words.

    Parameters
    ----------
    facts
        What no design can mend.
    options
        Sets of relaxations that would give a design, the least first.
    """

    facts: tuple[Fact, ...] = ()
    options: tuple[Option, ...] = ()

    @property
    def table(self) -> pd.DataFrame:
        """One row per relaxation: option, total, rule, sheet, where, column, from, to, relative, text."""
        rows: list[list[object]] = [
            [number, option.total, one.rule, one.sheet, one.where, one.column, one.before, one.after,
             one.relative, str(one)]
            for number, option in enumerate(self.options, 1) for one in option.relaxations
        ]  # fmt: skip
        blank = ["", "", "", "", "", np.nan]
        known: list[list[object]] = [[0, np.nan, fact.kind, *blank, fact.text] for fact in self.facts]
        return pd.DataFrame(known + rows, columns=COLUMNS)

    def plain(self) -> dict[str, list[Any]]:
        """Return it as plain values, for JSON."""
        options = [
            [
                option.total,
                [
                    [one.rule, list(one.key), one.before, one.after, one.relative]
                    for one in option.relaxations
                ],
            ]
            for option in self.options
        ]
        return {"facts": [[fact.kind, fact.text] for fact in self.facts], "options": options}

    @classmethod
    def of(cls, plain: Mapping[str, list[Any]]) -> Diagnosis:
        """Make it again from plain values."""
        options = tuple(
            Option(total, tuple(Relaxation(rule, tuple(key), *rest) for rule, key, *rest in parts))
            for total, parts in plain["options"]
        )
        return cls(tuple(Fact(*fact) for fact in plain["facts"]), options)

    def messages(self) -> list[str]:
        """Facts, then the least relaxations and what else would do."""
        out = [fact.text for fact in self.facts]
        for number, option in enumerate(self.options):
            least = self.options[0].total
            if number == 0:
                head = "least relaxation that gives a design"
            elif option.total <= least * (1 + EQUAL) + SMALL:
                head = "equally small"
            else:
                head = "or"
            out.append(f"{head}: {_together(option.relaxations)}")
        return out

    def __str__(self) -> str:
        return "\n".join(self.messages())


def _together(relaxations: Relaxations) -> str:
    """Tell relaxations in one sentence; of many markets left unserved, how many by channel."""
    unserved = [one for one in relaxations if one.rule == "demand"]
    told = [str(one) for one in relaxations if one.rule != "demand" or len(unserved) <= NAMED]
    if len(unserved) > NAMED:
        count = Counter(one.key[1] for one in unserved)
        told += [f"leave {channel} demand of {number} markets unserved" for channel, number in count.items()]
    return " and ".join(told)


def diagnose(
    chain: Chain,
    clock: Clock,
    *,
    seed: int = 0,
    threads: int | None = None,
    extend: Callable[[Model], None] | None = None,
) -> Diagnosis:
    """Find out why a strategy has no design.

    Parameters
    ----------
    chain
        What the strategy may use.
    clock
        Time budget.
    extend
        Applied to the elastic model: constraints of the user's own, which may be relaxed, too.

    Returns
    -------
    Diagnosis
        Without options where time ran out before any was found, or where nothing has to be relaxed.
    """
    fastest = Fastest(chain)
    facts = find_facts(chain, fastest)
    lost = (chain.required > 0) & np.isinf(fastest.days)
    given_up = _unreachable(chain, lost)
    loose = loosened(chain, fastest, lost)
    if not (loose.demand > 0).any():
        return Diagnosis(tuple(facts), (Option(_weight(given_up), given_up),))
    work = _Work.of(loose, chain, clock, seed, threads, extend)
    found = work.options()
    ceilings = {(slack.rule, slack.key) for slack in work.stock_slacks}
    if found and ceilings & found[0].support and clock.left > 0:
        # What stock needs is told from above, so that a design under the relaxed ceilings is there.
        enough = {one.key[0]: float(one.after) for one in found[0].relaxations if one.rule == "max_site_days"}
        points = work.touching(found[0].point)
        above = _Work.of(loose, chain, clock, seed, threads, extend, points, enough)
        found[:1] = above.only(found[0].support) or found[:1]
        found = found if found[0].support else []
    options = [
        Option(one.total + _weight(given_up), given_up + one.relaxations)
        for one in found
        if one.support or given_up
    ]
    return Diagnosis(tuple(facts), tuple(options))


def _weight(relaxations: Relaxations) -> float:
    return float(sum(one.relative for one in relaxations))


def _unreachable(chain: Chain, lost: NDArray[np.bool_]) -> Relaxations:
    """Demand that no route reaches at all, as relaxations."""
    k, c = np.nonzero(lost.any(axis=2))
    pairs = zip(chain.market_ids[k], chain.channel_ids[c], strict=True)
    return tuple(
        Relaxation("demand", (str(market), str(channel)), 1.0, 0.0, 1.0) for market, channel in pairs
    )


def loosened(chain: Chain, fastest: Fastest, lost: NDArray[np.bool_]) -> Chain:
    """Chain in which forced sites are free, later arrivals are tolerated, and lost demand is gone."""
    case = chain.case
    sites = case.sites.assign(
        status=case.sites["status"].replace({rule.removeprefix("status_"): to for rule, to in LOOSER.items()})
    )
    reachable = np.where(np.isfinite(fastest.days) & (chain.demand > 0), fastest.days, 0.0).max(axis=(0, 2))
    horizon = np.maximum(reachable, 2.0 * chain.promise)
    promised = np.isfinite(chain.promise)
    spare = horizon - np.where(promised, chain.promise, 0.0)
    late = np.where(promised, np.maximum(chain.lateness, spare), chain.lateness)
    channels = case.channels.assign(max_late_days=np.where(np.isfinite(late), late, np.nan))
    market = positions(case.demand["market"], chain.market_ids)
    channel = positions(case.demand["channel"], chain.channel_ids)
    gone = np.asarray(lost.any(axis=2))[market, channel]
    demand = case.demand[~gone].reset_index(drop=True)
    tables = MappingProxyType({**case.tables, "sites": sites, "channels": channels, "demand": demand})
    return Chain(replace(case, tables=tables), chain.strategy)


@dataclass(frozen=True, eq=False)
class _Found:
    """A solution of an elastic model."""

    total: float
    relaxations: Relaxations
    point: Floats

    @property
    def support(self) -> frozenset[Part]:
        """What it relaxes."""
        return frozenset(_part(one.rule, one.key) for one in self.relaxations)


@dataclass(eq=False)
class _Work:
    """Solves of one elastic model."""

    model: Model
    elastic: Elastic
    clock: Clock
    seed: int
    threads: int | None
    scaled: Scaled = field(init=False)

    def __post_init__(self) -> None:
        self.scaled = Scaled.of(self.elastic.arrays)

    @classmethod
    def of(
        cls, loose: Chain, chain: Chain, clock: Clock, seed: int, threads: int | None,
        extend: Callable[[Model], None] | None, breaks: dict[Cell, Floats] | None = None,
        site_days: Mapping[str, float] | None = None,
    ) -> _Work:  # fmt: skip
        """Make the elastic model, with roots from below or, with points to touch, from above."""
        count = {cell: len(points) for cell, points in (breaks or {}).items()}
        model = build(expand(loose, Versions.of(loose, count)), breaks, above=breaks is not None)
        if extend is not None:
            extend(model)
        return cls(model, make_elastic(model, model.compile(), chain, site_days), clock, seed, threads)

    def touching(self, point: Floats) -> dict[Cell, Floats]:
        """Points at which tangents shall touch the roots, those of a solution among them."""
        arrays, cells = self.model.compile(), self.model.notes["cells"]
        flows = self.model.load(arrays, point[: len(arrays.cost)])
        seen = dict(zip(cells.keys, cells.variance(flows).tolist(), strict=True))
        breaks: dict[Cell, Floats] = cells.touching([seen])
        return breaks

    def options(self) -> list[_Found]:
        """Find sets of relaxations, least first: the best one, then the best without each part of it."""
        found: dict[frozenset[Part], _Found] = {}
        queue: list[frozenset[Part]] = [frozenset()]
        tried: set[frozenset[Part]] = set()
        begin, end = self.clock.seconds, self.clock.limit
        while queue and len(found) < OPTIONS and len(tried) < SOLVES and self.clock.seconds < end:
            without = queue.pop(0)
            if without in tried:
                continue
            tried.add(without)
            one = self._solve(without, end - self.clock.seconds)
            if len(tried) == 1:
                # Other options may take as long as the first one, or a moment.
                end = self.clock.seconds + max(self.clock.seconds - begin, MOMENT)
            if one is None:
                continue
            found.setdefault(one.support, one)
            if not one.support:
                break
            queue += [without | {part} for part in sorted(one.support)]
        least = min((one.total for one in found.values()), default=0.0) * (1 + EQUAL) + SMALL
        # Of equally small ones those that touch fewest rules come first; one that adds to another is none.
        ranked = sorted(
            found.values(), key=lambda one: (max(one.total, least), len(one.support), len(one.relaxations))
        )
        return [
            one
            for rank, one in enumerate(ranked)
            if not any(better.support < one.support for better in ranked[:rank])
        ]

    def only(self, support: frozenset[Part]) -> list[_Found]:
        """Relax nothing but the given rules; empty where that is not enough."""
        parts = {_part(slack.rule, slack.key) for slack in self.elastic.slacks}
        one = self._solve(frozenset(parts - support))
        return [] if one is None else [one]

    def _solve(self, without: frozenset[Part], limit: float | None = None) -> _Found | None:
        """Least total relaxation without some rules; None where there is none, or time ran out."""
        arrays = self.elastic.arrays
        closed = np.zeros(len(arrays.cost), bool)
        for slack in self.elastic.slacks:
            closed[slack.column] = _part(slack.rule, slack.key) in without
        outcome = solve_mip(
            self.scaled, ~arrays.lazy, self.clock, gap=EQUAL, seed=self.seed, threads=self.threads,
            closed=closed, limit=limit,
        )  # fmt: skip
        return self._read(outcome.points[-1]) if outcome.points else None

    def _read(self, point: Floats) -> _Found:
        """Total and relaxations of a solution; rules on stock are held against its true roots."""
        weight, amounts = self.elastic.arrays.cost, {}
        for slack in self.elastic.slacks:
            if point[slack.column] > SMALL:
                amounts[slack] = float(point[slack.column])
        needed = self._true_stock(point) if self.stock_slacks else {}
        for slack in self.stock_slacks:
            amount = (needed.get((slack.rule, slack.key), slack.before) - slack.before) / slack.base
            amounts = {one: x for one, x in amounts.items() if (one.rule, one.key) != (slack.rule, slack.key)}
            if amount > SMALL:
                amounts[slack] = amount
        for slack, share in self._true_shares(point, amounts).items():
            amounts[slack] = (share - slack.before) / slack.base
        told = [_relaxation(one, x, whole=one.key in self._counted) for one, x in amounts.items()]
        total = float(sum(weight[one.column] * x for one, x in amounts.items()))
        return _Found(total, tuple(sorted(told, key=lambda one: -one.relative)), point)

    def _true_shares(self, point: Floats, used: Iterable[Slack]) -> dict[Slack, float]:
        """Shares that a solution keeps on time, of what it serves, for each promise that it breaks.

        A row of the elastic model counts the slack on all demand, though less may be served.
        """
        arrays, net = self.elastic.arrays, self.model.network
        first = 0
        for name, count in arrays.row_blocks:
            if name == "on_time_share":
                break
            first += count
        else:
            return {}
        rows = csr_array(arrays.matrix[first : first + count])
        part = rows[:, : net.size].tocoo()
        served = np.bincount(part.row, point[part.col], minlength=count)
        channel = np.zeros(count, np.int64)
        channel[part.row] = net.channel[part.col]
        out = {}
        for slack in used:
            if slack.rule != "on_time_share":
                continue
            mine = (self.model.chain.channel_ids[channel] == slack.key[0]) & (served > 0)
            excess = (rows @ point - rows[:, [slack.column]].toarray().ravel() * point[slack.column])[mine]
            out[slack] = slack.before + min(float((excess / served[mine]).min(initial=0.0)), 0.0)
        return out

    @cached_property
    def stock_slacks(self) -> list[Slack]:
        """One slack for each ceiling on stock."""
        limits = self.model.chain.case.limits
        worth = {(str(name),) for name in limits.loc[limits["measure"] == "stock_value", "limit"]}
        return list({
            (slack.rule, slack.key): slack for slack in self.elastic.slacks
            if slack.rule in ("max_stock_days", "max_site_days")
            or (slack.rule == "limit_max" and slack.key in worth)
        }.values())  # fmt: skip

    @cached_property
    def _counted(self) -> set[tuple[str, ...]]:
        """Limits on counts."""
        limits = self.model.chain.case.limits
        counts = limits["measure"].isin(("sites", "openings", "closures", "changes"))
        return {(str(name),) for name in limits.loc[counts, "limit"]}

    def _true_stock(self, point: Floats) -> dict[Part, float]:
        """Stock days and stock value of a solution, with the square root itself, by rule."""
        model, chain = self.model, self.model.chain
        arrays = model.compile()
        flows = model.load(arrays, point[: len(arrays.cost)])
        stock = stock_table(model, flows)
        held = (stock["safety"] + stock["cycle"]) * chain.days
        net = model.network
        last = np.flatnonzero(net.kind == LAST)
        total = np.bincount(net.product[last], flows[last], minlength=len(chain.product_ids))
        served = pd.Series(total, index=chain.product_ids)
        in_all = held.groupby(stock["product"]).sum()
        pair = [stock["site"], stock["product"]]
        at_site = (held.groupby(pair).sum() / stock["units"].groupby(pair).sum()).groupby(level=1).max()
        limits = chain.case.limits
        worth = limits.loc[limits["measure"] == "stock_value", "limit"]
        return {
            **{("max_stock_days", (str(p),)): float(days) for p, days in (in_all / served).dropna().items()},
            **{("max_site_days", (str(p),)): float(days) for p, days in at_site.dropna().items()},
            **{("limit_max", (str(n),)): float(pyo.value(model.pyomo.limited[n])) for n in worth},
        }


def _part(rule: str, key: tuple[str, ...]) -> Part:
    """Return what is forbidden together in the search for another option: all demand, say."""
    return (rule, ()) if rule == "demand" or rule in LOOSER else (rule, key)


def _relaxation(slack: Slack, amount: float, *, whole: bool) -> Relaxation:
    """Say in the case's terms what a slack of this amount means."""
    rule, key = slack.rule, slack.key
    if rule in LOOSER:
        return Relaxation(rule, key, rule.removeprefix("status_"), LOOSER[rule], amount)
    if rule == "single_source":
        return Relaxation(rule, key, "yes", "no", 1.0)
    if rule == "place":
        return Relaxation(rule, key, 1.0, 1.0 + round(amount), amount)
    change = slack.base * amount
    after = round_outward(slack.before + change, up=change > 0, whole=whole)
    if abs(after) <= SMALL * abs(slack.before):
        after = 0.0
    relative = abs(after - slack.before) / abs(slack.before) if slack.before else amount
    return Relaxation(rule, key, slack.before, after, relative)
