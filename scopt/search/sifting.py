"""The root relaxation by sifting: routes by path pricing, rows when they are broken.

Only a few percent of the columns and rows matter at the optimum of the relaxation. Each round prices whole
routes: one pass over the acyclic network with costs less the duals of all rows but balance gives, for every
commodity and market, the cheapest route; routes that would lower the cost enter the restricted master
(`master`). Rows enter when a solution breaks them.

The bound is Lagrangian: duals are clipped to their signs, the duals of demand are set to what the cheapest
routes cost, and what the decisions can add within their bounds is taken off. It is valid whatever the
state of the linear program, so the search may stop at any time. A large model begins with good duals
(`ascent`), and one with stock goes on from such where rounds bring no better ones.
"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Self

import numpy as np
from scipy.sparse import csr_array, vstack

from scopt.search.ascent import ascend
from scopt.search.lagrangian import Function
from scopt.search.lastrows import LastRows
from scopt.search.lean import Lean
from scopt.search.master import DUAL, PRIMAL, Basis, Master
from scopt.search.rows import stacked, with_rows
from scopt.search.switches import Switches
from scopt.search.through import Through
from scopt.search.tiers import TierRows

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from numpy.typing import NDArray
    from scipy.sparse import csc_array

    from scopt.models import Model
    from scopt.search.solver import Clock, Scaled

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]

__all__ = ["FOUND", "Sifted"]

FOUND = "found"
"""Name of the rows that were found to be broken and are not in the model."""

SMOOTHING = 0.5
"""Weight of the best duals in pricing."""

EXPLORE_ROUNDS = 1
"""Rounds of strong rows at a node of branch and bound."""

DEARER = 1.5
"""Multiple of the dual of demand that leaving it unmet costs at first."""

PAST = 5e-4
"""Part of the bound that is wanted by which the objective has to pass it before it is looked at."""

ASCEND_FROM, AGAIN = 900, 2 / 3
"""(market, channel, product) with demand from which on good duals come before the linear program; and the
part of them that is enough where steps begin from the duals of another relaxation."""

EASY, FINE = 20, 5e-5
"""Last lanes that count as much, where their rows have their best duals, as the linear program is easy there;
and part of the bound that steps should bring at least. Without them a looser program takes longer."""

CLOSE, ROUGH = 0.1, 0.5
"""Parts of the gap that steps should bring at least with stock: in a refined model, and in one before it."""

NEAR, SLOW = 10.0, 0.5
"""Multiples of the gap: distance to the bound, and what a round brings, at which a refined model or branching
brings more."""

FAR, COARSE = 0.01, 5e-4
"""Distance to the bound at which rounds that bring no better duals make way for steps, and what these should
bring at least, as parts of the objective and of the bound."""

ROUGHLY = 2.5
"""Multiple of the gap: distance to the bound that is good enough before a model with stock is refined; of a
large one where routes of a solution were hard to find."""

RISE, ROUGH_RISE = 0.2, 0.5
"""Parts of the gap by which broken rows should raise the objective; the second in a refined model."""

GAINED = 1e-4
"""Part of the cost that a round of routes should bring in a dive."""

START_COLUMNS, MOST_ENDS = 25_000, 20
"""Last lanes to begin with, in all and for each cell of demand at most: a small model is given a choice."""

EAGER_ROWS = 10_000
"""Strong rows of the first columns up to which a model without stock begins with all of them."""


class Sifted(Master):
    """The relaxation of a model with routes and rows on demand.

    Parameters
    ----------
    model, scaled
        A model and its scaled arrays.
    clock
        Time budget.
    seed
        Of the solver.

    Attributes
    ----------
    lean
        Scaled arrays in which quantities are replaced (`Lean`); of rows that were found only units and
        bounds.
    led
        Whether it begins from the basis of another one.
    climbed
        Whether steps came before its linear programs, as these are large, and there is stock.
    guess
        Duals to begin with, from another one, (rows,).
    """

    def __init__(self, model: Model, scaled: Scaled, clock: Clock, seed: int = 0) -> None:
        self.model, self._scaled = model, scaled
        self._later: list[csr_array] = []  # rows that were found and are not in it yet
        self.replaced = Lean.of(model, scaled)
        balance = np.zeros(len(scaled.row), bool)
        balance[: model.network.rows] = True
        super().__init__(self.replaced.scaled, model.network.size, balance, clock, seed)
        self.routes = model.network.routes
        arrays = scaled.arrays
        self.switches = Switches(arrays)
        self.integer = np.flatnonzero(arrays.integer)
        names = [arrays.decisions[j].parent_component().local_name for j in self.integer - arrays.flows]
        self.kind = np.array(names, dtype=object)
        self.sets: list[Ints] = []
        self.led, self.climbed = False, False
        self.guess: Floats | None = None
        self.closed = np.zeros(self.n, bool)
        self._find_demand()
        # Without stock most strong rows of columns at hand are tight: they enter with their columns.
        self.stocked = model.notes["cells"].count > 0
        self.links = self._find_links()
        self.lazy = np.flatnonzero(arrays.lazy | self.links if self.stocked else arrays.lazy)
        self.lazy_matrix = csr_array(self.lean.matrix[self.lazy])
        self.function = Function(self)
        self._start()
        self.best_bound = -np.inf
        self.center, self.dual = np.zeros((2, len(scaled.row)))

    @property
    def scaled(self) -> Scaled:
        """The scaled arrays, with the rows that were found."""
        if self._later:
            rows, self._later = csr_array(vstack(self._later)), []
            low, high = np.full(rows.shape[0], -np.inf), np.zeros(rows.shape[0])
            arrays = with_rows(self._scaled.arrays, FOUND, rows, low, high, lazy=True)
            self._scaled = self._scaled.with_rows(arrays)
        return self._scaled

    @property
    def marks(self) -> Ints:
        """Marks of the columns of the network, (network,)."""
        return self.model.network.marks

    @cached_property
    def row_marks(self) -> Ints:
        """Mark each row that may be left out by the columns in it, versions of a stock point alike."""
        entries = self.lazy_matrix.indices
        marks = np.append(self.marks, np.zeros(self.width - self.n, np.int64)).view(np.uint64)[entries]
        marks[entries >= self.n] = 0
        start = self.lazy_matrix.indptr[:-1]
        least, most = (np.zeros(len(self.lazy), np.uint64) for _ in range(2))
        filled = np.diff(self.lazy_matrix.indptr) > 0
        most[filled] = np.maximum.reduceat(marks, start[filled])
        marks[entries >= self.n] = most.max(initial=0)
        least[filled] = np.minimum.reduceat(marks, start[filled])
        return (most * np.uint64(0x9E3779B97F4A7C15) ^ least).astype(np.int64)

    def _find_demand(self) -> None:
        """Demand row of each (market, channel, product), and how much is wanted there."""
        net, chain = self.model.network, self.model.chain
        number = np.full(chain.demand.shape, -1, np.int64)
        wanted = np.nonzero(chain.demand)
        number[wanted] = self.scaled.arrays.first_rows.get("demand", 0) + np.arange(len(wanted[0]))
        ends = self.routes.last[self.routes.first]
        place = net.market[ends], net.channel[ends], net.product[ends]
        self.demand_row = number[place]
        self.demand = chain.demand[place] / self.scaled.column[ends]

    def _find_links(self) -> Bools:
        """Rows ``flows <= decisions`` that are not strong rows, (rows,)."""
        lean = self.lean
        none = (lean.row_upper == 0) & np.isinf(lean.row_lower) & ~self.scaled.arrays.lazy & ~self.balance
        return np.asarray(none & self._has(slice(self.scaled.arrays.flows)))

    def _has(self, columns: slice | Ints) -> Bools:
        """Rows of the model, before anything is replaced, in which some of the columns are, (rows,)."""
        return np.asarray(np.diff(csr_array(self.scaled.matrix[:, columns]).indptr) > 0)

    # -- restricted master -----------------------------------------------------------------------------------

    def _start(self) -> None:
        """Begin with cheap routes where closed sites are dear, a little and much, and with their rows."""
        lean, arrays = self.lean, self.scaled.arrays
        share = self.switches.spread(lean.cost[arrays.flows :])[: self.n]
        own = lean.cost[: self.n]
        cells = len(self.routes.first)
        ends = min(max(START_COLUMNS // max(cells, 1), 1), MOST_ENDS)
        first = []
        for weight in (0.0, 0.3, 1.0, 2.0, 4.0, 10.0):
            cost = own + weight * share
            best, length = self.routes.cheapest(cost)
            first.append(self.paths.add(*self.routes.cut_out(cost, length, np.ones(cells, bool), ends)))
        # What all demand costs on dear routes: more than breaking a rule among decisions can save.
        self.dear = float(self.demand @ np.where(np.isfinite(best), best, 0.0))
        self.begin_with(np.unique(np.concatenate(first)))

    def begin_with(self, numbers: Ints) -> None:
        """Begin with some routes, which serve everything that can be served, and with their rows."""
        lean, arrays = self.lean, self.scaled.arrays
        touched = np.zeros(len(lean.row), bool)
        touched[self.flow_columns[:, np.unique(self.paths.matrix[:, numbers].indices)].indices] = True
        rows = ~arrays.lazy & ~self.balance
        rows &= ~self.links if self.stocked else (touched | (np.diff(self.decision_rows.indptr) > 0))
        strong = arrays.lazy & touched
        if not self.stocked and strong.sum() <= EAGER_ROWS:
            rows |= strong
        rows[self.replaced.rows] = False
        rows[len(rows) - len(self.sets) :] = True
        self.begin(np.flatnonzero(rows), *self._shortages(rows, self.dear))
        self.add_paths(numbers)

    def _before(self, route: csc_array) -> None:
        if not self.stocked and len(self.order):
            self.add_rows(np.unique(self.flow_columns[:, np.unique(route.indices)].indices).astype(np.int64))

    def _shortages(self, core: Bools, dear: float) -> tuple[Ints, Floats, Floats]:
        """Rows that the routes at hand may break, on which side (1 short, -1 over), and the price of it.

        These are rows that nothing at all would break, and rows among decisions alone, which no route mends.
        """
        low, high = self.lean.row_lower, self.lean.row_upper
        whole = self._has(self.integer) & ~self._has(slice(self.scaled.arrays.flows))
        short = np.flatnonzero(core & np.isfinite(low) & ((low > 0) | whole))
        over = np.flatnonzero(core & np.isfinite(high) & ((high < 0) | whole))
        rows = np.concatenate([short, over])
        sign = np.concatenate([np.ones(len(short)), -np.ones(len(over))])
        usual = 20.0 * max(1.0, float(np.abs(self.lean.cost[: self.n]).max(initial=1.0)))
        return rows, sign, np.where(whole[rows], max(usual, 2.0 * dear), usual)

    def run(self, strategy: int, limit: float, *, near: bool = False, most: float = np.inf) -> bool:
        """Run the solver on the master, and tell what was replaced (`Master.run`)."""
        done = super().run(strategy, limit, near=near, most=most)
        if done:
            self.replaced.fill(self.value)
        return done

    def moderate(self) -> None:
        """Ask little more for unmet demand than the best duals do, until something stays short (`insist`).

        Few rows are at hand that share the cost of a site among those whom it serves. Without a limit one of
        them may bear all of it, each time another one, until all have other routes (du Merle et al. 1999).
        """
        best = self.function.at(self.center).dual[self.needy]
        most = np.where(np.isin(self.needy, self.demand_row), DEARER * np.maximum(best, 0.0), np.inf)
        self.ask(np.minimum(self.penalty, most + 1e-3 * best.max(initial=0.0)))

    def copy(self) -> Self:
        """Return a twin with a solver and bounds of its own; routes that either finds are known to both."""
        twin = super().copy()
        twin.function = self.function.held_by(twin)
        return twin

    # -- pricing and bound -----------------------------------------------------------------------------------

    def _price(self, dual: Floats, enough: float = np.inf) -> tuple[int, float]:
        """Add open routes whose reduced cost is negative; return how many, and the bound of the duals.

        None are added where the bound is `enough`.
        """
        at = self.function.at(dual)
        if at.bound >= enough:
            return 0, at.bound
        columns, route = self.function.taken(at, at.best < -1e-6)
        return (self.add_paths(self.paths.add(columns, route)) if len(columns) else 0), at.bound

    def bound(self, dual: Floats) -> float:
        """Lagrangian bound for any duals and the present bounds of decisions, in money; -inf without one."""
        return self.function.at(dual).bound

    def _cut(self) -> int:
        """Add the rows that the solution breaks; return how many."""
        return self.add_rows(self._broken(self.lazy, self.lazy_matrix))

    def _broken(self, rows: Ints, matrix: csr_array) -> Ints:
        broken: Bools = matrix @ self.value > self.lean.row_upper[rows] + 1e-6
        return rows[broken]

    @cached_property
    def last(self) -> LastRows:
        """Strong rows on last lanes."""
        return LastRows(self)

    @cached_property
    def through(self) -> Through:
        """Rows on what goes through sites."""
        return Through(self.model, self.scaled.arrays, self.marks)

    @cached_property
    def tiers(self) -> TierRows:
        """Rows on the tiers of tariffs."""
        return TierRows(self.model, self.scaled.arrays)

    def cut_by(self, rows: Through | TierRows, value: Floats) -> int:
        """Add rows of a kind that some values of all columns break; return how many."""
        return self.add_sets(rows.broken(value * self.lean.column))

    def add_sets(self, sets: list[Ints]) -> int:
        """Add the rows of sets that `through` or `tiers` found, if they are known here; return how many.

        Those that are here already are left out: values may be no solution, and break them again.
        """
        here = {one.tobytes() for one in self.sets}
        sets = [one for one in sets if one.tobytes() not in here]
        kinds = [(self.tiers if one[0] < 0 else self.through, one) for one in sets]
        kinds = [(kind, one) for kind, one in kinds if kind.knows(one)]
        if not kinds:
            return 0
        rows = stacked([kind.row(one) for kind, one in kinds], self.width)
        before, count, lean = len(self.in_rows), len(kinds), self.lean
        self.sets += [one for _, one in kinds]
        self._later = [*self._later, rows]
        none, nought, free = np.zeros(count, bool), np.zeros(count), np.full(count, -np.inf)
        scale, more = lean.scaled_rows(rows)
        self.lean = replace(
            lean, row=np.append(lean.row, scale), row_lower=np.append(lean.row_lower, free),
            row_upper=np.append(lean.row_upper, nought),
        )  # fmt: skip
        for name in ("in_rows", "balance", "links"):
            setattr(self, name, np.append(getattr(self, name), none))
        self.center, self.dual = np.append(self.center, nought), np.append(self.dual, nought)
        self.row_seat = np.append(self.row_seat, np.full(count, -1))
        self._read_more(more)
        self.function = Function(self)
        return self.add_rows(before + np.arange(count))

    def solve(
        self, gap: float, limit: float, report: Callable[[float], None],
        enough: Callable[[], float] = lambda: np.inf,
        meanwhile: Callable[[], AbstractContextManager[None]] = nullcontext,
        between: Callable[[], bool] = bool,
    ) -> bool:  # fmt: skip
        """Solve the relaxation; False when time ran out first (the bounds that were reported stay valid).

        A large model with stock is left at a wider gap (`NEAR`) once rounds bring little (`SLOW`), a smaller
        one that is not refined yet once it has settled near its bound (`ROUGHLY`). Duals of another
        relaxation may give a bound that is `enough` before any linear program is solved.

        Parameters
        ----------
        gap
            Relative gap between restricted master and Lagrangian bound that is good enough.
        limit
            Seconds.
        report
            Called with every bound, in money.
        enough
            Gives the bound from which on no more is asked for; it may fall while steps are taken.
        meanwhile
            Gives what is done beside the steps of a refined program.
        between
            Called when a refined program was solved once after steps, and knows their bound; tells whether
            that was enough.
        """
        end, level = self.clock.seconds + limit, -np.inf
        size = len(self.routes.last) / EASY if self.last.cells.all() else len(self.demand)
        climbs = size >= ASCEND_FROM * (1 if self.guess is None else AGAIN) and not self.led
        self.climbed = self.stocked and climbs
        first = self.stocked and self.guess is None
        little = (ROUGH_RISE if self.climbed and not first else RISE) * gap
        fine = min(gap, FINE) if self.last.cells.all() else (ROUGH if first else CLOSE) * gap
        if climbs and self.guess is not None:
            with meanwhile():
                ascend(self, self.guess, fine, 0.5 * limit, report, enough)
            if self.best_bound >= enough():
                return True
        if not self.run(DUAL, end - self.clock.seconds):
            return False
        self.keep_bound(self.dual, self.bound(self.dual))
        if climbs and self.guess is not None and between():
            return True
        if climbs and self.guess is None:
            ascend(self, self.dual, fine, 0.5 * limit, report, enough)
            if not self.run(DUAL, end - self.clock.seconds):
                return False
        good = (ROUGHLY if first and not climbs else 1.0) * gap
        # Where routes had to be found first, rounds are long, and cuts may take the solution away again.
        strained, still = first and climbs and self.shortage > 1e-6, False
        while True:
            begun = self.objective
            for _ in range(3):
                if self.last.cells.all() and self._within(gap) and self.shortage <= 1e-6:
                    new = 0  # the duals that were found beforehand are good enough, and so are the routes
                    break
                new = self._price_smoothly()
                report(self.best_bound)
                if not new or self.best_bound >= enough():
                    break
                if not self.run(PRIMAL, end - self.clock.seconds):
                    return False
            if self.best_bound >= enough():
                return True
            if strained and self._within(ROUGHLY * gap) and self.shortage <= 1e-6:
                return True
            # Where rows and routes brought little, more rows would only take a whole solution away.
            near = self.climbed and self._within(NEAR * gap)
            slow = begun - self.objective <= SLOW * gap * abs(self.objective)
            if near and slow and still and self.shortage <= 1e-6:
                return True
            before, cuts = self.objective, self._cut()
            if cuts and not self.run(DUAL, end - self.clock.seconds, near=True):
                return False
            # Rows on tiers have many entries and make every step dearer: they wait for the others.
            if not self._rose(before, little) and (more := self.cut_by(self.tiers, self.value)):
                cuts += more
                if not self.run(DUAL, end - self.clock.seconds, near=True):
                    return False
            still = not self._rose(before, little)
            # What the last rows left short may only need other routes: nothing is done before it has them.
            whole = self.shortage <= 1e-6
            if first and still and whole and not (climbs or self.led or self._within(FAR)):
                # Each round has other duals, and none are better: many solutions cost nearly as much.
                climbs = True
                ascend(self, self.center, max(fine, COARSE), 0.5 * limit, report, enough)
                if not self.run(DUAL, end - self.clock.seconds):
                    return False
                continue
            if near and slow and still and whole:
                return True
            if (not cuts or (still and whole)) and (not new or (self._within(good) and whole)):
                # Rows on what goes through sites come last: before, duals have not settled. With stock they
                # make every step dearer than branching on sites, which raises the bound as well.
                if self.stocked or not self._rose(level, gap) or not self.cut_by(self.through, self.value):
                    return True
                level = self.objective
                if not self.run(DUAL, end - self.clock.seconds, near=True):
                    return False

    def _within(self, gap: float) -> bool:
        """Whether the objective lies so close to the bound."""
        cost = self.lean.value(self.objective)
        return bool(cost - self.best_bound <= gap * abs(cost))

    def _rose(self, level: float, part: float) -> bool:
        """Whether the objective lies above a level by more than a part of it."""
        return self.objective - level > part * abs(self.objective)

    def reduced_costs(self) -> dict[str, float]:
        """Reduced cost of each decision at the best duals, in money."""
        rest = self.function.at(self.center).rest[self.scaled.arrays.flows - self.n :]
        worth = rest / self.scaled.column[self.scaled.arrays.flows :] * self.lean.money
        return dict(zip(self.scaled.arrays.names, worth.tolist(), strict=True))

    def _price_smoothly(self) -> int:
        """Add routes by the mean of the best and the present duals or, where that gives none, by these.

        Smoothing (Wentges 1997) keeps the duals from swinging.
        """
        for share in (SMOOTHING, 0.0):
            dual = share * self.center + (1 - share) * self.dual
            new, bound = self._price(dual)
            self.keep_bound(dual, bound)
            if new:
                return new
        return 0

    def keep_bound(self, dual: Floats, bound: float) -> None:
        """Keep duals, and their bound in money, if it is the best so far."""
        if bound > self.best_bound:
            self.best_bound, self.center = bound, dual

    def hold(self, lower: Floats, upper: Floats) -> None:
        """Set bounds of whole decisions, (integer,), and close the columns that they switch off."""
        arrays, columns = self.scaled.arrays, self.integer
        self.bound_decisions(columns, lower, upper)
        least, most = arrays.lower[arrays.flows :].copy(), arrays.upper[arrays.flows :].copy()
        least[columns - arrays.flows], most[columns - arrays.flows] = lower, upper
        # Switches are whole decisions: what else has no bound does not count.
        least, most = (np.where(np.isfinite(bound), bound, 0.0) for bound in (least, most))
        self.closed = self.switches.closed(least, most)[: self.n]
        self.close(self.closed)

    def unsupported(self, point: Floats) -> Bools:
        """Whole decisions that a relaxed point (of all columns) does not take, and the columns they close."""
        arrays = self.scaled.arrays
        least, most = (np.where(np.isfinite(b), b, 0.0) for b in (arrays.lower, arrays.upper))
        off = np.zeros(self.width, bool)
        off[self.integer] = (point[self.integer] <= 1e-6) & (arrays.lower[self.integer] <= 0)
        most = np.where(off, 0.0, most)
        off[: arrays.flows] = self.switches.closed(least[arrays.flows :], most[arrays.flows :])
        return off

    def release(self) -> None:
        """Give whole decisions back their bounds."""
        arrays = self.scaled.arrays
        self.hold(arrays.lower[self.integer], arrays.upper[self.integer])

    def explore(
        self, lower: Floats, upper: Floats, basis: Basis, enough: float, gap: float, end: float
    ) -> float:
        """Bound under other bounds of whole decisions, in money; valid even when time runs out.

        Parameters
        ----------
        lower, upper
            Bounds of whole decisions, (integer,).
        basis
            Where to start from.
        enough
            Bound from which on no more is asked for.
        gap
            Relative gap between restricted master and bound that is good enough.
        end
            Second of the clock at which to stop.
        """
        self.restore(basis)
        self.hold(lower, upper)
        bound = -np.inf
        most = self.lean.objective(enough + PAST * abs(enough))
        done = self.run(DUAL, end - self.clock.seconds, most=most)
        if self.passed:
            bound = self.bound(self.dual)
            if bound >= enough:
                return bound
            done = self.run(DUAL, end - self.clock.seconds)
        if not done:
            return bound
        for _ in range(EXPLORE_ROUNDS):
            while True:
                cost = self.lean.value(self.objective)
                new, found = self._price(self.dual, min(enough, cost - gap * abs(cost)))
                bound = max(bound, found)
                if not new and (bound >= enough or not self.insist()):
                    break
                if not self.run(PRIMAL, end - self.clock.seconds):
                    return bound
            if bound >= enough or not self._cut():
                return bound
            if not self.run(DUAL, end - self.clock.seconds, near=True):
                return bound
        return max(bound, self.bound(self.dual))

    def settle(self, rounds: int, limit: float, little: float = 0.0) -> bool:
        """Solve again after bounds changed, pricing only routes that are not closed, with all links kept.

        Parameters
        ----------
        rounds
            Rounds of routes at most.
        limit
            Seconds.
        little
            Part of the objective that a round should bring for another one.
        """
        end = self.clock.seconds + limit
        if not self.run(DUAL, limit, near=True):
            return False
        while True:
            rounds -= 1
            before, new = self.objective, rounds >= 0 and self._price(self.dual)[0]
            if new or self.insist():
                if not self.run(PRIMAL, end - self.clock.seconds):
                    return False
                if new and before - self.objective < little * abs(before):
                    rounds = 0
            elif not self.add_rows(self._broken(*self._link_rows)):
                return True
            elif not self.run(DUAL, end - self.clock.seconds, near=True):
                return False

    @cached_property
    def _link_rows(self) -> tuple[Ints, csr_array]:
        rows = self.lazy[~self.scaled.arrays.lazy[self.lazy]]
        return rows, csr_array(self.lean.matrix[rows])

    def dive(self, limit: float) -> Floats | None:
        """Round the whole decisions step by step, solving in between; lines of roots are left as they are.

        Sites, offers and joined pools come first, stock points last.

        Parameters
        ----------
        limit
            Seconds.

        Returns
        -------
        ndarray or None
            A solution whose decisions are whole, in the units of the case; None when no design came of it.
        """
        integer = self.integer
        rounded, hold_last = self.kind != "line", self.kind == "stock_point"
        lower, upper = self.lower[integer].copy(), self.upper[integer].copy()
        first = lower.copy(), upper.copy()
        end = self.clock.seconds + limit
        for group, threshold in ((rounded & ~hold_last, 0.5), (hold_last, 0.25)):
            cautious, most = False, len(integer)
            while ((lower < upper) & group).any():
                if self.clock.seconds > end:
                    self.hold(*first)
                    return None
                before = lower.copy(), upper.copy()
                x, open_ = self._settled(), (lower < upper) & group
                up, down = open_ & (x >= 0.9), open_ & (x <= 0.02)
                rest = open_ & ~up & ~down
                if group is hold_last or (not cautious and rest.sum() == 0):
                    up, down = open_ & (x >= threshold), open_ & (x < threshold)
                elif not up.any():
                    pick = np.flatnonzero(rest if rest.any() else open_)
                    pick = pick[np.argsort(-x[pick])][: max(1, len(pick) // 4)]
                    up[pick] = True
                    # Where nothing is mostly taken, closing all of them may be the cheaper way.
                    if not cautious and x[pick[0]] < threshold:
                        one = self._cost(np.where(up, 1.0, lower), np.where(down, 0.0, upper), end)
                        basis = self.basis()
                        if self._cost(lower, np.where(open_, 0.0, upper), end, one) <= one:
                            up, down = np.zeros(len(x), bool), open_
                        else:
                            self.restore(basis)
                surest = np.flatnonzero(up)[np.argsort(-x[up], kind="stable")]
                up[surest[most:]] = False
                lower[up] = 1.0
                if not cautious:
                    upper[down] = 0.0
                if self._try(lower, upper, end):
                    cautious, most = False, len(integer)
                    continue
                if group is not hold_last:
                    lower, upper = before
                    if cautious:  # together they leave no solution: half of them might, and one is closed
                        if up.sum() == 1:
                            upper[up] = 0.0
                        most = max(int(up.sum()) // 2, 1)
                    cautious = True
                    if self._try(lower, upper, end):
                        continue
                self.hold(*first)
                return None
        self.hold(*first)
        return self.value * self.scaled.column

    def _cost(self, lower: Floats, upper: Floats, end: float, most: float = np.inf) -> float:
        """Objective under other bounds of whole decisions; infinite where they leave no solution.

        It is so as well where its bound tells that it is above `most`, in the units of the solver.
        """
        if np.isfinite(most):
            self.hold(lower, upper)
            self.run(DUAL, end - self.clock.seconds, near=True, most=most)
            if self.passed and self.bound(self.dual) >= self.lean.value(most):
                return np.inf
        return self.objective if self._try(lower, upper, end) else np.inf

    def _settled(self) -> Floats:
        """Values of whole decisions; of a tariff that is taken, the tier that holds its volume.

        The tier has to be open; where it is not, the values stay as they are.
        """
        out, value = self.value[self.integer], self.value * self.scaled.column
        for one in self.tiers.tariffs.values():
            tier = one.tiers.best(float(value[one.volume].sum()))
            mixed = value[one.choice].sum() > 0.5 and value[one.choice].max() < 1 - 1e-6
            if mixed and self.upper[one.choice[tier]] > 0:
                out[np.searchsorted(self.integer, one.choice)] = np.arange(len(one.choice)) == tier
        return out

    def _try(self, lower: Floats, upper: Floats, end: float) -> bool:
        self.hold(lower, upper)
        return self.settle(6, end - self.clock.seconds, GAINED) and self.shortage <= 1e-6
