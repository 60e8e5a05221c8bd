"""The solution method: bound from below by chords, designs improved at their own variances, chords refined.

1. The model with the envelope of each root gives a bound on the truth. A small one is solved as a whole, or
   on the decisions that its relaxation leaves open (`narrow`); a large one is relaxed and sifted (`sifting`),
   rounded by a dive, solved on what mattered (its kernel), and branched on in a tree of our own (`branching`)
   or, where that takes many nodes, by the solver.
2. Its solutions are improved with their decisions held (`improve`), which prices them with the true root.
3. While the gap is too wide and roots are the reason, cells counted far below their root get chords with a
   break point at the variance of the solution, and so do cells that the next solution may use; stocked states
   are copied per line, and the model is solved again from the best design.

Bound and cost only ever improve, so a solve may stop at any time.
"""

from __future__ import annotations

import os
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from threadpoolctl import threadpool_limits

from scopt.chain import position
from scopt.models import build
from scopt.network import STOCK, Versions, expand
from scopt.progress import Event
from scopt.search.branching import Tree
from scopt.search.cover import covered
from scopt.search.hints import Hints
from scopt.search.improve import Design, Improver, price
from scopt.search.kernel import Kernel
from scopt.search.narrow import solve_narrowed, sourced_whole
from scopt.search.root import Root, follow
from scopt.search.sifting import Sifted
from scopt.search.solver import Clock, Outcome, Scaled, beside, solve_mip

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from numpy.typing import NDArray

    from scopt.chain import Chain
    from scopt.models import Arrays, Model
    from scopt.progress import Progress

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]
    Cell = tuple[int, int, int]

__all__ = ["BOUND_NOISE", "Options", "Search", "relative_gap"]

BOUND_NOISE = 1e-6
"""A bound may lie above a cost by this part of it, the solver's tolerance; anything more is a defect."""

CHORD_SHARE = 0.5
"""Part of the asked gap at which branch and bound stops while chords may still be refined."""

NEAR = 3.0
"""Multiple of the asked gap up to which the bound is worked on before other designs are looked for."""

SOON = 1.25
"""Multiple of the asked gap up to which branching alone is expected to reach it soon."""

SOONER = 1.5
"""Such a multiple where kernels brought a better design already."""

RISING = 2.0
"""Multiple of what branching with stock has just brought that may be left for it to go on alone."""

COUNTS = 0.1
"""Part of the asked gap by which a design has to be cheaper for its neighbourhood to be looked at."""

QUICK = 15_000
"""Rows of a refined linear program up to which there is a dive in it in any case, and a kernel is searched
beside steps: in a larger one it takes longer than they do."""

BEFORE = 0.5
"""Time for the kernel of a relaxation that is to be refined, as a part of what it took."""

TURNING = 0.4
"""Time in which routes for a kernel may be found, as a part of that for the kernel itself."""

MOSTLY = 0.5
"""Part of the gap that chords are to blame for from which on they are refined before anything else."""

WORTH = 0.9
"""Part of the error of all chords that is refined at once; the rest is in many small cells."""

ALIKE = 0.2
"""Part of its error that has to be left at a variance for another break point there."""

QUARTER = 0.25
"""Variance of a cell that no solution uses, as a part of the most that it can have."""

PART, CHEAP = 0.07, 0.25
"""What the chord of such a cell leaves out at least, as a part of the asked gap; and what
opening it may cost, as a part of what the chord leaves out."""

SIFT_FROM = 2000
"""Strong rows from which on the relaxation is sifted; below, branch and bound on everything is quicker."""

MANY = 60
"""Branchings to come at which a tree without stock counts as one of many small nodes."""

NARROW_FROM = 200
"""Whole decisions from which on a relaxation of its own pays before branch and bound on everything."""


def relative_gap(cost: float | None, bound: float | None) -> float | None:
    """Return (cost - bound) / max(abs(cost), 1e-9), None where either is missing."""
    if cost is None or bound is None or not np.isfinite(bound):
        return None
    return (cost - bound) / max(abs(cost), 1e-9)


@dataclass(frozen=True)
class Options:
    """How hard to try.

    Parameters
    ----------
    gap
        Proven relative gap at which to stop.
    time_limit
        Seconds.
    seed, threads
        Passed to the solver; the same seed and threads give the same run unless something runs out of time,
        as a search beside others does when these end.
    """

    gap: float = 0.01
    time_limit: float = 600.0
    seed: int = 0
    threads: int | None = None


@dataclass(eq=False)
class Search:
    """One strategy's search for a design.

    Parameters
    ----------
    model
        The plain model: the envelope of every root, possibly extended by its user.
    options
        Gap, time, seed, threads.
    clock
        Time budget; may already run.
    phase
        Word for progress reports.
    extend
        Applied to every model that is built for this search (a user's own constraints).
    fixed
        Solve the model as it stands, without refined copies of it (its user's constraints are not in them).
    hints
        What searches of kindred strategies found.
    """

    model: Model
    options: Options
    clock: Clock
    progress: Progress | None = None
    phase: str = "solving"
    extend: Callable[[Model], None] | None = None
    fixed: bool = False
    hints: Hints = field(default_factory=Hints)

    best: Design | None = field(default=None, init=False)
    bound: float = field(default=-np.inf, init=False)
    infeasible: bool = field(default=False, init=False)
    root: Root | None = field(default=None, init=False)
    seconds: float = field(default=0.0, init=False)

    def run(self) -> Search:
        """Search until the gap is reached, time is up, or nothing is left to refine."""
        # Products here are small, and threads of BLAS are in the way of those that run side by side.
        with threadpool_limits(1, "blas"):
            self._run()
        if self.best is not None and self.bound <= self.best.cost + BOUND_NOISE * abs(self.best.cost):
            self.bound = min(self.bound, self.best.cost)
        self.seconds = self.clock.seconds
        return self

    def _run(self) -> None:
        self.arrays = self.model.compile()
        self.cells = self.model.notes["cells"]
        self.breaks: dict[Cell, Floats] = {}
        self.known: Root | None = self.hints.root
        self.refinements, self.settled = 0, -np.inf
        self.opening: dict[str, float] = {}
        self.relaxed: dict[str, float] = {}  # decisions in the last relaxation
        self.improved: set[tuple[object, ...]] = set()  # decisions and variances that were improved from
        self.whole = False
        # Part of the gap is left to the chords, unless there is no root to approximate.
        self.share = CHORD_SHARE if self.cells.count else 0.99
        self._weigh_cells()
        self._begin()
        if self._done():
            return
        outcome = self._round(self.model, self.arrays)
        if outcome.status == "infeasible":
            self.infeasible = True
            return
        while not self._done() and self.clock.left > 0:
            if self._has_ceilings() and self.points and not self.fixed:
                self._design_from_above()
            if not self.fixed and self._refine():
                self.share = CHORD_SHARE
            elif not self.whole:
                self.whole = True  # nothing left to refine: branch and bound has to close the gap
                self.share = min(self.share, 0.1)
            elif self.share > 0.05:
                self.share *= 0.2
            else:
                break
            refined = self.model if self.fixed else self._build(self.breaks)
            outcome = self._round(refined, refined.compile())
            if outcome.status == "infeasible":
                self.infeasible = self.best is None
                break

    def _begin(self) -> None:
        """Take up what kindred searches found: their bound, and their designs priced in this model."""
        self._raise(self.hints.bound)
        for start in self.hints.starts:
            self._take(self.improver.improve(start.decisions(self.arrays), start.cells(self.chain)))
        if self.hints.starts:
            self._report()

    def _weigh_cells(self) -> None:
        """Keys of the cells, and what a unit of safety stock in each costs a year."""
        cells, chain = self.cells, self.chain
        value = chain.product_column("value")[cells.product] * cells.factor
        rate = chain.product_column("holding_rate") + chain.product_column("loss_rate_per_day") * chain.days
        self.weight = np.maximum(value * rate[cells.product], 1e-12 * cells.factor)
        self.keys: list[Cell] = cells.keys

    @cached_property
    def improver(self) -> Improver:
        """Improves designs of this model."""
        return Improver(self.model, self.arrays, self.clock, self.options.seed)

    @property
    def chain(self) -> Chain:
        """What the strategy may use."""
        return self.model.chain

    @property
    def status(self) -> str:
        """``optimal``, ``feasible``, ``infeasible`` or ``stopped``."""
        if self.best is None:
            return "infeasible" if self.infeasible else "stopped"
        return "optimal" if self._done() else "feasible"

    @property
    def gap(self) -> float | None:
        """Proven relative gap."""
        return relative_gap(None if self.best is None else self.best.cost, self.bound)

    def _done(self) -> bool:
        gap = self.gap
        return gap is not None and -BOUND_NOISE <= gap <= self.options.gap + 1e-12

    def _near(self, times: float = NEAR) -> bool:
        """Whether the design at hand leaves more to the bound than to better designs.

        A relaxation whose rounds ended tells what its bound can soon be raised to.
        """
        gap = relative_gap(None if self.best is None else self.best.cost, max(self.bound, self.settled))
        return gap is not None and gap <= times * self.options.gap

    def _raise(self, bound: float) -> None:
        """Raise the bound; an infinite one tells of infeasibility and proves nothing about a cost."""
        if np.isfinite(bound):
            self.bound = max(self.bound, bound)

    def _report(self, phase: str | None = None) -> None:
        if self.progress is not None:
            cost = None if self.best is None else self.best.cost
            bound = None if not np.isfinite(self.bound) else self.bound
            self.progress(Event(phase or self.phase, self.clock.seconds, cost, bound, self.gap))

    # -- one round -------------------------------------------------------------------------------------------

    def _build(self, breaks: dict[Cell, Floats], *, above: bool = False) -> Model:
        count = {cell: len(points) + (0 if above else 1) for cell, points in breaks.items()}
        network = expand(self.chain, Versions.of(self.chain, count))
        model = build(network, breaks, above=above)
        if self.extend is not None:
            self.extend(model)
        return model

    def _round(self, model: Model, arrays: Arrays) -> Outcome:
        """Solve one lower model, raise the bound, improve what it found."""
        arrays = covered(model, arrays)
        self.points: list[tuple[dict[Cell, float], dict[Cell, float], Floats]] = []
        if arrays.lazy.sum() > SIFT_FROM and not self.whole:
            doubtful = self._sift(model, arrays)
            if doubtful or (self.best is None and self.clock.left > 0):
                outcome = self._any_design(model, arrays)
                if outcome.status == "infeasible":
                    return outcome
            if not doubtful:
                return Outcome("feasible", [], self.bound)

        return self._branch(model, arrays)

    def _branch(self, model: Model, arrays: Arrays, *, strong: bool = True) -> Outcome:
        """Branch and bound by the solver on all columns, and on strong rows or without them."""

        def watch(point: Floats | None, bound: float) -> None:
            self._raise(bound)
            if point is not None and model is self.model:
                self._take(price(model, arrays, point))
            self._report()

        effort: dict[str, Any] = {
            "gap": self.options.gap * self.share, "seed": self.options.seed, "threads": self.options.threads,
            "start": self._start(arrays), "watch": watch,
        }  # fmt: skip
        if strong and arrays.integer.sum() >= NARROW_FROM:
            outcome = solve_narrowed(Scaled.of(sourced_whole(model, arrays)), self.clock, **effort)
        else:
            # What a chord lets a design cost is not what it costs.
            known = np.isfinite(self.bound) and not self.cells.count
            target = self.bound + effort["gap"] * abs(self.bound) if known else None
            outcome = solve_mip(Scaled.of(arrays), ~arrays.lazy | strong, self.clock, target=target, **effort)
        self._raise(outcome.bound)
        self._improve(model, arrays, outcome.points)
        return outcome

    def _any_design(self, model: Model, arrays: Arrays) -> Outcome:
        """Look for any design, whatever it costs: without costs and strong rows that shows soon."""
        self._report(f"{self.phase}: any design")
        free = Scaled.of(replace(arrays, cost=np.zeros(len(arrays.cost)), offset=0.0))
        outcome = solve_mip(
            free, ~arrays.lazy, self.clock, gap=0.0, seed=self.options.seed, threads=self.options.threads
        )
        self._improve(model, arrays, outcome.points[-1:])
        return outcome

    def _improve(self, model: Model, arrays: Arrays, points: list[Floats], *, tell: bool = True) -> None:
        """Improve the decisions of solutions, the last one first, until the gap is reached.

        Where somebody else reports (`tell`), what is found is only kept.
        """
        for point in points[::-1]:
            model.load(arrays, point)
            variance = self._variance(model)
            values = arrays.values()
            cells, flows = model.notes["cells"], point[: arrays.flows]
            least = dict(zip(self.keys, cells.least_root(flows).tolist(), strict=True))
            self.points.append((variance, least, cells.rejoined(flows)))
            start = (*(round(values.get(name, 0.0)) for name in self.improver.names),
                     *(f"{at:.5g}" for at in variance.values()))  # fmt: skip
            if start in self.improved:
                continue
            self.improved.add(start)
            apart = self._without_idle_joins(model, flows, values, variance)
            design = None if apart is None else self.improver.improve(*apart)
            if design is None:
                design = self.improver.improve(values, variance)
            if design is None and model is self.model:
                self._take(price(model, arrays, point))  # stopped before it could be improved
            self._take(design)
            if design is not None:
                after = design.flows, design.values, design.variance
                if (apart := self._without_idle_joins(self.model, *after)) is not None:
                    self._take(self.improver.improve(*apart))
            if tell:
                self._report()
            if self._done():
                break

    def _without_idle_joins(
        self, model: Model, flows: Floats, values: dict[str, float], variance: dict[Cell, float]
    ) -> tuple[dict[str, float], dict[Cell, float]] | None:
        """Decisions and variances of a design less joins of a single stocked pool; None without any.

        Parameters
        ----------
        model, flows
            Model that it comes from, and its flows there, (array columns,).
        values, variance
            Its decisions by name, and its variance by cell.
        """
        net, chain = model.network, self.chain
        held = np.flatnonzero((net.kind == STOCK) & (flows[: net.size] > 0))
        pools = np.zeros((len(chain.site_ids), len(chain.pool_ids)), bool)
        pools[net.site[held], chain.pool[net.channel[held]]] = True
        join = getattr(self.model.pyomo, "join", {})
        single = np.flatnonzero(pools.sum(axis=1) <= 1).tolist()
        name = {site: join[chain.site_ids[site]].name for site in single if chain.site_ids[site] in join}
        idle = {site for site in name if values[name[site]] > 0.5}
        if not idle:
            return None
        values = values | {name[site]: 0.0 for site in idle}
        alone, joined = pools.argmax(axis=1), len(chain.pool_ids)
        moved = {
            (site, product, int(alone[site]) if site in idle and group == joined else group): variance
            for (site, product, group), variance in sorted(variance.items())
            if not (site in idle and group != joined)
        }
        return values, moved

    def _sift(self, model: Model, arrays: Arrays) -> bool:
        """Bound by the sifted relaxation and branch and bound on it; designs by diving and by kernels.

        Returns
        -------
        bool
            Whether the model may have no solution at all, so that the whole of it has to be solved.
        """

        def report(bound: float, what: str = "relaxation") -> None:
            self._raise(bound)
            self._report(f"{self.phase}: {what}")

        known = self.known
        sifted = Sifted(model, Scaled.of(arrays), self.clock, self.options.seed)
        if known is not None:
            known.lead(sifted)
        precise, begun = max(0.2 * self.options.gap, 1e-7), self.clock.seconds
        threads = self.options.threads or os.cpu_count() or 1

        def meanwhile() -> AbstractContextManager[None]:
            if threads == 1 or len(sifted.row_order) > QUICK:
                return nullcontext()
            return self._kernel_beside(model, arrays, sifted)

        def between() -> bool:
            if not self.cells.count or self.best is None or not self._near(SOON):
                return False
            # The bound of the steps may be all that is needed: the rounds to come seldom raise it.
            self._follow(sifted)
            took, scaled = self.clock.seconds - begun, sifted.scaled
            self._kernel(model, scaled.arrays, scaled, sifted, sifted.value.copy(), took)
            return self._done()

        done = sifted.solve(precise, 0.5 * self.clock.left, report, self._enough, meanwhile, between)
        if not sifted.solved:  # out of time, or bounded well enough before any linear program
            self.root = self.root or known
            return False
        if done and sifted.shortage > 1e-6 and not self._done():  # it ends early where the bound is enough
            return True
        scaled, arrays = sifted.scaled, sifted.scaled.arrays  # with the rows that were found
        self.known, self.settled = Root.of(sifted), scaled.value(sifted.objective) if done else -np.inf
        if self.refinements == 0:
            self.root, self.opening = self.known, sifted.reduced_costs()
        relaxed, took = sifted.value.copy(), max(self.clock.seconds - begun, 1.0)
        self.relaxed = dict(zip(arrays.names, relaxed[arrays.flows :].tolist(), strict=True))
        tree = Tree(sifted, threads, 0.05 * self.options.gap)
        if not self._done() and (self.refinements > 0 or not self._near()):
            refined = self.refinements > 0 and self.cells.count and self.best is not None
            # A dive solves a dozen linear programs; where they are large a kernel brings more, unless
            # branching is expected to do without one.
            rounded = not refined or len(sifted.row_order) <= QUICK or self._near(SOON)
            if rounded and (point := tree.dive(0.3 * self.clock.left)) is not None:
                self._improve(model, arrays, [point])
            if self.cells.count and (not self._near(SOON) if refined else self._chord_share() < MOSTLY):
                limit = took if refined else BEFORE * took
                self._kernel(model, arrays, scaled, sifted, relaxed, limit, tree)
        self.refinements += 1
        if self._done():
            return False
        if self.refinements <= 1 and self._chord_share() >= 0.25:
            return False
        more = True
        while more and not self._done() and self.clock.left > 0:
            # Unless branching alone is expected to reach the gap, designs are looked for in between: far from
            # it with as much effort as goes into the bound, closer by sooner.
            half, begun = max(0.5 * self.clock.left, 5.0), self.bound
            alone = not self.cells.count and self._near()
            times = 1.0 if self._near() else 2.0
            limit = min(half if alone else max(times * took, 5.0), half, self.clock.left)
            most = np.inf if self.cells.count else MANY
            more = tree.run(limit, self._enough, lambda b: report(b, "branching"), most)
            self._raise(tree.bound)
            if tree.leaves:
                self._improve(model, arrays, tree.leaves)
                tree.leaves.clear()
                continue
            left, risen = self._enough() - self.bound, self.bound - begun
            if self.cells.count and more and self._near(SOON) and left <= RISING * risen:
                continue
            if tree.ahead(self._enough()) > most and not self._done():
                # Many small nodes are what the solver is made for.
                self._report(f"{self.phase}: branch and bound on everything")
                self._branch(model, arrays, strong=False)
                break
            share = 0.3 if self.best is None else 0.1
            if not self._done() and (point := tree.dive(share * self.clock.left)) is not None:
                self._improve(model, arrays, [point])
            took *= 2
            if self.cells.count and tree.open:  # where the cheapest designs may be
                relaxed[sifted.integer] = tree.promising().point
            self._kernel(model, arrays, scaled, sifted, relaxed, took, tree)
        if not self._done():
            self.known = Root.of(sifted)
        return False

    def _kernel_beside(self, model: Model, arrays: Arrays, sifted: Sifted) -> AbstractContextManager[None]:
        """Look for better designs while the bound of a refined relaxation is looked for.

        There is no solution of it yet: the decisions are held about which the relaxation before it and the
        best design agree, lines of roots excepted, with the routes that it begins with and those of the
        design. That keeps another core busy, and a better design makes do with less of a bound.
        """
        start = self._start(arrays)
        if start is None or not self.relaxed:
            return nullcontext()
        self._follow(sifted)
        kernel, point = Kernel.of(sifted), np.full(len(arrays.cost), 0.5)
        for j, kind in zip(sifted.integer.tolist(), sifted.kind.tolist(), strict=True):
            if kind != "line":
                point[j] = self.relaxed.get(arrays.names[j - arrays.flows], 0.5)
        known = {j - kernel.beside: value for j, value in start.items()}

        def work(clock: Clock) -> None:
            points = kernel.around(point, known, clock, gap=0.3 * self.options.gap, seed=self.options.seed)
            others = [one for one in points[-1:] if (np.rint(one[list(start)]) != list(start.values())).any()]
            self._improve(model, arrays, others, tell=False)

        return beside(work, self.clock)

    def _follow(self, sifted: Sifted) -> None:
        """Add the routes of the best design to a relaxation."""
        if self.best is not None:
            net = self.model.network
            columns, number = net.routes.within(self.best.flows[: net.size] > 0)
            follow(sifted, net.marks[columns], np.bincount(number))

    def _kernel(
        self, model: Model, arrays: Arrays, scaled: Scaled, sifted: Sifted, relaxed: Floats, limit: float,
        tree: Tree | None = None,
    ) -> None:  # fmt: skip
        """Look for designs among what mattered (kernel search, Angelelli, Mansini and Speranza 2010).

        With stock that are the routes of the relaxation, with its rows, and the decisions about which it and
        the best design disagree, with routes for it and for each such site turned if there is a tree
        (`Tree.turn`), a part of these decisions at a time (`Kernel.improved`); without, where a site serves
        whom it likes, all columns of the decisions that the relaxation takes. There strong rows are left out,
        which make every step dearer and tell of bounds only, and branching comes first, as it raises the
        bound besides. The first time it may take as long (`limit`, in seconds) as the relaxation took, then
        twice as long, and so on: branching may find designs sooner.
        """
        if self._done():
            return
        self._report(f"{self.phase}: kernel")
        limit = min(limit, 0.15 * self.clock.left)
        effort: dict[str, Any] = {
            "gap": 0.3 * self.options.gap, "limit": limit,
            "seed": self.options.seed, "threads": self.options.threads,
        }  # fmt: skip
        before, start = self.best, self._start(arrays)
        if tree is not None and start is not None and self.cells.count:
            tree.turn(relaxed[sifted.integer], np.array(list(start.values())), TURNING * limit)
        end = self.clock.seconds + limit
        if self.cells.count:
            kernel = Kernel.of(sifted)
            if start is None:
                rows = np.ones(len(kernel.scaled.row), bool)
                points = solve_mip(kernel.scaled, rows, self.clock, **effort).points
                points = [kernel.whole(point) for point in points]
            else:
                known = {j - kernel.beside: value for j, value in start.items()}

                def cost(point: Floats) -> float:
                    design = price(model, arrays, point)
                    return np.inf if design is None else design.cost

                points = kernel.improved(relaxed, known, cost, self.clock, **effort)
        else:
            closed = sifted.unsupported(relaxed)
            points = solve_mip(scaled, ~arrays.lazy, self.clock, start=start, closed=closed, **effort).points
        self._improve(model, arrays, points[-1 if self.cells.count else -2 :])
        left, better = end - self.clock.seconds, before is not None and self._cheaper(before)
        again = self.cells.count and self.refinements > 0 and better and not self._near(SOONER)
        if again and left > 0:  # another design has another neighbourhood
            self._kernel(model, arrays, scaled, sifted, relaxed, left, tree)

    def _cheaper(self, than: Design) -> bool:
        """Whether the best design costs less by so much that it counts."""
        least = COUNTS * self.options.gap * abs(than.cost)
        return self.best is not None and than.cost - self.best.cost > least

    def _enough(self) -> float:
        """Bound at which the gap is reached with the best design."""
        if self.best is None:
            return np.inf
        return self.best.cost - self.options.gap * abs(self.best.cost)

    def _chord_share(self) -> float:
        """Part of the gap that chords at the best design are to blame for."""
        if self.best is None:
            return 0.0
        error = sum(
            weight * (at**0.5 - self._least_root(n, key, at, self.best.envelope[key]))
            for n, (key, weight) in enumerate(zip(self.keys, self.weight.tolist(), strict=True))
            if (at := self.best.variance.get(key, 0.0)) > 0
        )
        # A relaxation that was left early is bounded less well than it could be.
        return float(error / max(self.best.cost - max(self.bound, self.settled), 1e-9))

    def _variance(self, model: Model) -> dict[Cell, float]:
        cells = model.notes["cells"]
        keys = cells.keys
        roots = model.pyomo.root.values() if cells.count else []
        return {key: root.value**2 for key, root in zip(keys, roots, strict=True)}

    def _take(self, design: Design | None) -> None:
        """Keep a design of the plain model when it is the cheapest so far."""
        if design is not None and (self.best is None or design.cost < self.best.cost):
            self.best = design

    def _start(self, arrays: Arrays) -> dict[int, float] | None:
        """Whole decisions of the best design, with the line that each of its cells uses."""
        if self.best is None:
            return None
        values = dict(self.best.values)
        names = self.chain
        out: dict[int, float] = {}
        for number, var in enumerate(arrays.decisions):
            if not arrays.integer[arrays.flows + number]:
                continue
            if var.parent_component().local_name == "line":
                site, product, group, line = var.index()
                pools = names.pool_ids
                g = position(group, pools) if group in pools else len(pools)
                cell = (position(site, names.site_ids), position(product, names.product_ids), g)
                at = self.best.variance.get(cell, 0.0)
                mine = int(np.searchsorted(self.breaks.get(cell, np.empty(0)), at))
                out[arrays.flows + number] = float(at > 0 and line == mine)
            else:
                out[arrays.flows + number] = float(round(values.get(var.name, 0.0)))
        return out

    # -- refinement ------------------------------------------------------------------------------------------

    def _refine(self) -> bool:
        """Add break points where chords lie furthest below the root; False when there is nothing to add."""
        cells, keys, weight = self.cells, self.keys, self.weight
        if not cells.count:
            return False
        sources = self.points[:2]
        if self.best is not None:
            other = cells.rejoined(self.best.flows)
            sources.append((self.best.variance, self.best.envelope, other))
        wanted: list[tuple[float, int, float]] = []
        for variance, least, other in sources:
            for n, key in enumerate(keys):
                at, known = variance.get(key, 0.0), least[key]
                if at <= 0:
                    # Else the next solution joins the pools, or parts them, only to have no break point.
                    at, known = float(other[n]), float(other[n] / max(cells.high[n], 1e-300) ** 0.5)
                if at > 0:
                    error = weight[n] * (np.sqrt(at) - self._least_root(n, key, at, known))
                    wanted.append((error, n, at))
        wanted.sort(reverse=True)
        total = sum(error for error, _, _ in wanted)
        done, added = 0.0, False
        for error, n, at in wanted:
            if error <= 1e-12 * max(1.0, abs(total)) or done > WORTH * total:
                break
            done += error
            points = self.breaks.get(keys[n], np.empty(0))
            left = weight[n] * (np.sqrt(at) - self._least_root(n, keys[n], at, 0.0)) if len(points) else error
            if self._inside(n, at) and left > ALIKE * error:  # no point lies close by
                self.breaks[keys[n]] = np.sort(np.append(points, at))
                added = True
        if self.refinements == 1 and self.best is not None:
            added |= self._break_unused({n for _, n, _ in wanted})
        return added

    def _inside(self, n: int, at: float) -> bool:
        """Whether a variance lies within the range of a cell."""
        return bool(self.cells.low[n] * (1 + 1e-6) < at < self.cells.high[n] * (1 - 1e-6))

    def _break_unused(self, used: set[int]) -> bool:
        """Add break points to cells that no solution uses but the next one may; False without any.

        Where only cells in use are refined, all others look cheaper than they are, and solutions turn to
        them. What a chord leaves out in the middle of its range counts where it is part of the gap (`PART`)
        and opening the cell costs less than that (`CHEAP`) at the duals of the relaxation.
        """
        cells, ids, added = self.cells, self.chain, False
        error = QUARTER**0.5 * (1 - QUARTER**0.5) * self.weight * cells.high**0.5
        most = PART * self.options.gap * abs(0.0 if self.best is None else self.best.cost)
        for n in np.flatnonzero(error > most).tolist():
            number, product, group = self.keys[n]
            site, at = ids.site_ids[number], QUARTER * cells.high[n]
            switches = [f"open_site[{site}]", f"stock_point[{site},{ids.product_ids[product]}]"]
            if group == len(ids.pool_ids):
                switches.append(f"join[{site}]")
            price = sum(max(self.opening.get(name, 0.0), 0.0) for name in switches)
            if n not in used and self._inside(n, at) and price <= CHEAP * error[n]:
                self.breaks[self.keys[n]] = np.array([at])
                added = True
        return added

    def _least_root(self, n: int, key: Cell, at: float, envelope: float) -> float:
        """Root that the model counts for a variance: by its chords or, without break points, the envelope."""
        low, high = self.cells.low[n], self.cells.high[n]
        points = np.concatenate([[low], self.breaks.get(key, np.empty(0)), [high]])
        chord = float(np.interp(at, points, np.sqrt(points))) if key in self.breaks or low > 0 else 0.0
        return min(max(chord, 0.0 if key in self.breaks else envelope), float(np.sqrt(at)))

    def _has_ceilings(self) -> bool:
        """Whether rows hold stock down, so that a design of the lower model may break them."""
        measures = self.chain.case.limits["measure"]
        blocks = {name for name, count in self.arrays.row_blocks if count}
        return bool({"max_stock_days", "max_site_days"} & blocks or (measures == "stock_value").any())

    def _design_from_above(self) -> None:
        """Look for a design under ceilings on stock in the model whose roots are approximated from above.

        Tangents touch at the variances of the last solution and of the best design; a small model gets a grid
        of them besides.
        """
        seen = [*(v for v, _, _ in self.points[-1:]), *([] if self.best is None else [self.best.variance])]
        breaks = self.cells.touching(seen)
        model = self._build(breaks, above=True)
        arrays = model.compile()
        scaled = Scaled.of(arrays)
        outcome = solve_mip(
            scaled, np.ones(len(scaled.row), bool), self.clock, gap=max(0.5 * self.options.gap, 1e-7),
            limit=self.clock.left / 3, seed=self.options.seed, threads=self.options.threads,
        )  # fmt: skip
        for point in outcome.points[::-1]:
            model.load(arrays, point)
            values = arrays.values()
            self._take(self.improver.improve(values, self._variance(model)))
        self._report()
