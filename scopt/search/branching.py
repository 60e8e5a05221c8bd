"""Branch and bound on the sifted relaxation.

Few decisions carry the gap of a large model: its warehouses, contracts and tiers. A node changes bounds of
decisions and starts from its parent's basis, so it costs a small part of the root. The relaxations of the
children of a node are solved side by side. All bounds are Lagrangian (`sifting`), so the tree may be left at
any time.

Where the linear program is large, children have none as long as steps from the duals of their parent raise
the bound; the mean of what the steps did tells what to branch on then (`ascent`).
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from scopt.search.ascent import probe
from scopt.search.kernel import agree
from scopt.search.solver import side_by_side

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from scopt.search.ascent import Probe
    from scopt.search.master import Basis
    from scopt.search.sifting import Sifted

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]

__all__ = ["Node", "Tree"]

WHOLE = 1e-5
"""Distance from a whole number up to which a decision counts as whole."""

FEW = 40
"""Branchings from which on the rest of a tree is foretold."""

SLIGHT, ROUGH = 2e-5, 0.02
"""Part of the bound that steps should bring at least, and distance from a whole number up to which a decision
counts as whole after them."""

SETTLE_ROUNDS = 20
"""Rounds of routes at most, when the solution of a leaf is kept."""

TURNED, TURN_ROUNDS, ONE = ("open_site", "contract"), 5, 0.25
"""Decisions that are turned; rounds of routes for each, and its part of the time at most."""

LATE = ("stock_point", "line")
"""Decisions that are branched on only when all others are whole."""


@dataclass(order=True, frozen=True)
class Node:
    """A part of the design space.

    Parameters
    ----------
    bound
        No design in it is cheaper, money per year.
    number
        Nodes in the order in which they came up.
    lower, upper
        Bounds of whole decisions, (integer,).
    point
        Their values in the relaxation, (integer,).
    basis
        Basis of the relaxation, or of the next one above it that was solved.
    dual
        Duals to begin steps with, (rows,).
    """

    bound: float
    number: int
    lower: Floats = field(compare=False)
    upper: Floats = field(compare=False)
    point: Floats = field(compare=False)
    basis: Basis = field(compare=False)
    dual: Floats = field(compare=False)


class Tree:
    """Open nodes of a model, the one with the least bound first.

    Parameters
    ----------
    sifted
        The solved relaxation.
    threads
        Relaxations to solve side by side; two at most, as a node has two children.
    gap
        Relative gap at which the relaxation of a node counts as solved.

    Attributes
    ----------
    leaves
        Solutions, in the units of the case, of nodes that need no further branching; whoever takes one
        away from here lets branching go on.
    """

    def __init__(self, sifted: Sifted, threads: int, gap: float) -> None:
        self.clock, self.threads, self.gap = sifted.clock, min(threads, 2), gap
        self.workers = [sifted]
        arrays, columns = sifted.scaled.arrays, sifted.integer
        self.late = np.isin(sifted.kind, LATE)
        self.firm = np.isin(sifted.kind, TURNED)
        price = np.abs(arrays.cost[columns])
        self.price = np.maximum(price, 1e-3 * price.max(initial=1.0))
        # Pseudo-costs: gain of the bound per unit of change, downwards and upwards; sums and counts.
        self.gain, self.seen = np.zeros((2, len(columns))), np.zeros(len(columns))
        self.branched = 1
        self.earlier: list[float] = []  # bounds, before each branching
        self.shut = np.inf
        self.leaves: list[Floats] = []
        self.lower, self.upper = arrays.lower[columns].copy(), arrays.upper[columns].copy()
        self.turned: set[tuple[bytes, int]] = set()  # with the design in which it was
        point, basis = sifted.value[columns].copy(), sifted.basis()
        self.open = [Node(sifted.best_bound, 0, self.lower, self.upper, point, basis, sifted.center)]
        self.cost = sifted.scaled.value(sifted.objective)  # of the relaxation, money per year

    @property
    def bound(self) -> float:
        """No design is cheaper, money per year."""
        return min(self.shut, self.open[0].bound if self.open else np.inf)

    def run(
        self, limit: float, enough: Callable[[], float], report: Callable[[float], None], most: float = np.inf
    ) -> bool:
        """Branch until time is up or a leaf is kept; False when there is no more to be gained.

        That is when the bound is enough or cannot be raised any more.

        Parameters
        ----------
        limit
            Seconds after which no branching is begun.
        enough
            Gives the bound that is wanted; it may change with better designs.
        report
            Called with the bound after every node.
        most
            Branchings to come, by `ahead`, at which it ends as well.
        """
        end, last = self.clock.seconds + limit, self.clock.seconds + self.clock.left
        if self.branched == 1:
            for worker in self.workers:
                worker.moderate()
            if self.open and self.open[0].bound < enough() <= self.cost:
                self._price_on(enough(), last)
        while self.open and self.open[0].bound < min(enough(), self.shut) and not self.clock.stopped:
            before, node = self.bound, heapq.heappop(self.open)
            if not self._branch(node, enough(), last):
                heapq.heappush(self.open, node)
                return self.clock.seconds >= end
            self.earlier.append(before)
            report(self.bound)
            if self.clock.seconds >= end or self.leaves or self.ahead(enough()) > most:
                return True
        return False

    def ahead(self, enough: float) -> float:
        """Branchings until a bound is reached, if it goes on rising as in the last half of them.

        None are foretold of a few (`FEW`).
        """
        half = len(self.earlier) // 2
        left = enough - self.bound
        if half < FEW // 2 or left <= 0:
            return 0.0
        rise = self.bound - self.earlier[half]
        return left * (len(self.earlier) - half) / rise if rise > 0 else np.inf

    def dive(self, limit: float) -> Floats | None:
        """Round step by step from the promising node; None when no design came of it."""
        first = self._gather()
        if not self.open:
            return None
        node = self.promising()
        first.restore(node.basis)
        first.hold(node.lower, node.upper)
        point = first.dive(limit) if first.settle(1, limit) else None
        first.release()
        return point

    def turn(self, relaxed: Floats, design: Floats, limit: float) -> None:
        """Find routes for a design, and for those in which one site or contract is turned that is in doubt.

        Routes were found for the relaxation, which keeps a little of all decisions. Where a site that it
        takes is closed, they leave markets without any: a kernel has no other design in it, however many
        decisions are free, and often not even the one that is known (Sadykov et al. 2019). So routes are
        priced for the design, and with each doubtful one turned, once a design, and all others as in it;
        whatever both agree about is held.

        Parameters
        ----------
        relaxed, design
            Values of whole decisions, (integer,).
        limit
            Seconds for the design, and as many after which no other is begun.
        """
        first = self.workers[0]
        doubtful = ~agree(relaxed, design)
        lower, upper = (np.where(doubtful, bound, design) for bound in (self.lower, self.upper))
        sites = np.flatnonzero(doubtful & self.firm)
        lower[sites] = upper[sites] = design[sites]
        sites = sites[np.argsort(-np.abs(relaxed - design)[sites], kind="stable")]
        key = design[self.firm].tobytes()
        todo = [j for j in sites.tolist() if (key, j) not in self.turned]
        first.hold(design, design)
        first.settle(TURN_ROUNDS, limit)
        basis, end = first.basis(), self.clock.seconds + limit

        def work(worker: Sifted, number: int) -> None:
            worker.restore(basis)
            for j in todo[number :: self.threads]:
                if self.clock.seconds >= end or self.clock.stopped:
                    break
                low, high = lower.copy(), upper.copy()
                low[j] = high[j] = 1.0 - design[j]
                self.turned.add((key, j))
                worker.hold(low, high)
                worker.settle(TURN_ROUNDS, ONE * limit)

        if todo:
            self._side_by_side(work)
        for worker in self.workers:
            worker.release()
        self._gather()

    def _price_on(self, enough: float, end: float) -> None:
        """Show by routes, or by steps, that the relaxation of all, which costs enough, does so."""
        root, first = self.open[0], self.workers[0]
        if first.climbed:
            found = probe(first, root.lower, root.upper, root.dual, SLIGHT, end, enough, brief=True)
            if found.bound > root.bound:
                self.open[0] = replace(root, bound=found.bound, dual=found.dual)
            return
        bound = first.explore(root.lower, root.upper, root.basis, enough, self.gap, end)
        self.open[0] = replace(root, bound=max(root.bound, bound))

    def _branch(self, node: Node, enough: float, end: float) -> bool:
        """Replace a node by its children; False when time ran out first."""
        j = self._choose(node)
        if j is None:
            node = self._keep(node)
            if self._loose(node).any():
                heapq.heappush(self.open, node)
            else:
                self.shut = min(self.shut, node.bound)
            return True
        children = self._solve(node, j, enough, end)
        if len(children) < 2:
            return False
        self._learn(node, j, *children)
        for child in children:
            if child.bound >= enough:
                self.shut = min(self.shut, child.bound)
            else:
                heapq.heappush(self.open, child)
        return True

    def _keep(self, node: Node) -> Node:
        """Keep the solution of a leaf, if it is one with all links and demand; return it as it is then."""
        first = self.workers[0]
        first.restore(node.basis)
        first.hold(node.lower, node.upper)
        if not first.settle(SETTLE_ROUNDS, max(self.clock.left, 1.0)) or first.shortage > 1e-6:
            return node
        bound, point = first.bound(first.dual), first.value[first.integer].copy()
        node = replace(node, bound=max(node.bound, bound), point=point, basis=first.basis())
        if not self._loose(node).any():
            self.leaves.append(first.value * first.scaled.column)
        return node

    def _loose(self, node: Node) -> Bools:
        """Decisions of a node that are not whole, (integer,)."""
        return (np.abs(node.point - np.rint(node.point)) > WHOLE) & (node.lower < node.upper)

    def _choose(self, node: Node) -> int | None:
        """Decision whose children promise the greatest product of gains; None where all are whole.

        Pseudo-costs (Bénichou et al. 1971) with the product score (Achterberg 2007); a decision not branched
        on yet is given the mean gain of the others, in proportion to its cost.
        """
        loose = self._loose(node)
        if (loose & ~self.late).any():
            loose &= ~self.late
        columns = np.flatnonzero(loose)
        if not len(columns):
            return None
        each = self._each()
        x = node.point[columns] - np.floor(node.point[columns])
        least = 1e-9 * abs(node.bound)
        score = np.maximum(each[0, columns] * x, least) * np.maximum(each[1, columns] * (1 - x), least)
        return int(columns[np.argmax(score)])

    def _each(self) -> Floats:
        """Gain of the bound per unit of change of each decision, (down and up, integer)."""
        known = self.seen > 0
        each = np.divide(self.gain, self.seen, out=np.zeros_like(self.gain), where=known)
        ratio = (each / self.price)[:, known].mean(axis=1) if known.any() else np.ones(2)
        return np.where(known, each, np.maximum(ratio, 1e-9)[:, None] * self.price)

    def promising(self) -> Node:
        """Open node whose best design is expected to be the cheapest.

        It costs as much more than the bound as its decisions will gain, each the cheaper way (Forrest, Hirst
        and Tomlin 1974).
        """
        each = np.where(self.late, 0.0, self._each())

        def cost(node: Node) -> float:
            x = node.point - np.floor(node.point)
            return node.bound + float(np.minimum(each[0] * x, each[1] * (1 - x)) @ (x > WHOLE))

        return min(self.open, key=cost)

    def _learn(self, node: Node, j: int, down: Node, up: Node) -> None:
        """Add to the pseudo-costs of a decision what its children gained."""
        x = node.point[j] - np.floor(node.point[j])
        for way, (child, change) in enumerate(((down, x), (up, 1 - x))):
            self.gain[way, j] += (child.bound - node.bound) / max(change, 0.01)
        self.seen[j] += 1

    def _solve(self, node: Node, j: int, enough: float, end: float) -> list[Node]:
        """Children of a node by a decision, down and up, side by side; fewer when time runs out."""
        down, up = node.upper.copy(), node.lower.copy()
        down[j] = np.floor(node.point[j])
        up[j] = down[j] + 1
        parts = [(node.lower, down), (up, node.upper)]
        out: dict[int, Node] = {}

        def work(worker: Sifted, number: int) -> None:
            for way in range(number, len(parts), self.threads):
                lower, upper = parts[way]
                birth, dual = 2 * self.branched + way, node.dual
                if worker.climbed and not self.late[j] and np.isfinite(enough):
                    found = probe(worker, lower, upper, dual, SLIGHT, end, enough, brief=True)
                    if found.bound > node.bound:
                        out[way] = self._bounded(node, birth, lower, upper, found)
                        continue
                bound = worker.explore(lower, upper, node.basis, enough, self.gap, end)
                if np.isfinite(bound):
                    point, basis = worker.value[worker.integer].copy(), worker.basis()
                    out[way] = Node(max(bound, node.bound), birth, lower, upper, point, basis, dual)

        self._side_by_side(work)
        self.branched += 1
        return [out[way] for way in sorted(out)]

    def _bounded(self, node: Node, birth: int, lower: Floats, upper: Floats, found: Probe) -> Node:
        """Child of a node that steps bounded; where none was needed its decisions are those of the node."""
        first, point = self.workers[0], node.point
        if found.decision is not None:
            point = found.decision[first.integer - first.n]
        near = np.abs(point - np.rint(point)) <= ROUGH
        point = np.clip(np.where(near, np.rint(point), point), lower, upper)
        return Node(found.bound, birth, lower, upper, point, node.basis, found.dual)

    def _gather(self) -> Sifted:
        """Return the first relaxation, with the routes of all."""
        first = self.workers[0]
        for other in self.workers[1:]:
            first.adopt(other)
        return first

    def _side_by_side(self, work: Callable[[Sifted, int], None]) -> None:
        """Do some work with each relaxation, which is told its number, in a thread of its own."""
        while len(self.workers) < self.threads:
            self.workers.append(self.workers[0].copy())
        jobs = [partial(work, worker, number) for number, worker in enumerate(self.workers)]
        side_by_side(jobs, len(jobs), self.clock)
