"""Branch and bound on the sifted relaxation.

Few decisions carry the gap of a large model: its warehouses, contracts and tiers. A node changes bounds of
decisions and starts from its parent's basis, so it costs a small part of the root. The relaxations of the
children of a node are solved side by side. All bounds are Lagrangian (`sifting`), so the tree may be left at
any time.
"""

from __future__ import annotations

import heapq
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from scopt.search.sifting import Basis, Sifted

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]

__all__ = ["Node", "Tree"]

WHOLE = 1e-5
"""Distance from a whole number up to which a decision counts as whole."""

RELIABLE = 2
"""Children after which the gains of a decision are taken from experience."""

TRIED = 1
"""Decisions whose children are solved before one of them is chosen; experience comes soon enough."""

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
        Basis of the relaxation.
    """

    bound: float
    number: int
    lower: Floats = field(compare=False)
    upper: Floats = field(compare=False)
    point: Floats = field(compare=False)
    basis: Basis = field(compare=False)


class Tree:
    """Open nodes of a model, the one with the least bound first.

    Parameters
    ----------
    sifted
        The solved relaxation.
    threads
        Relaxations to solve side by side.
    gap
        Relative gap at which the relaxation of a node counts as solved.

    Attributes
    ----------
    leaves
        Whole decisions, (integer,), of nodes that need no further branching.
    """

    def __init__(self, sifted: Sifted, threads: int, gap: float) -> None:
        self.clock, self.threads, self.gap = sifted.clock, threads, gap
        self.workers = [sifted]
        arrays = sifted.scaled.arrays
        columns = sifted.integer
        kind = np.array([v.parent_component().local_name for v in arrays.decisions], dtype=object)
        self.late = np.isin(kind[columns - arrays.flows], LATE)
        price = np.abs(arrays.cost[columns])
        self.price = np.maximum(price, 1e-3 * price.max(initial=1.0))
        # Gain of a bound per unit of change, downwards and upwards: sums and counts.
        self.gain, self.seen = np.zeros((2, len(columns))), np.zeros((2, len(columns)))
        self.count = 0
        self.shut = np.inf
        self.leaves: list[Floats] = []
        lower, upper = arrays.lower[columns].copy(), arrays.upper[columns].copy()
        root = Node(sifted.best_bound, 0, lower, upper, sifted.value[columns].copy(), sifted.basis())
        self.open = [root]

    @property
    def bound(self) -> float:
        """No design is cheaper, money per year."""
        return min(self.shut, self.open[0].bound if self.open else np.inf)

    def run(self, limit: float, enough: Callable[[], float], report: Callable[[float], None]) -> bool:
        """Branch until time is up; False when the bound is enough or cannot be raised any more.

        Parameters
        ----------
        limit
            Seconds.
        enough
            Gives the bound that is wanted; it may change with better designs.
        report
            Called with the bound after every node.
        """
        end = self.clock.seconds + limit
        while len(self.workers) < self.threads:
            self.workers.append(self.workers[0].copy())
        while self.open and self.open[0].bound < min(enough(), self.shut) and not self.clock.stopped:
            node = heapq.heappop(self.open)
            if not self._branch(node, enough(), end):
                heapq.heappush(self.open, node)
                return self.clock.seconds >= end
            report(self.bound)
            if self.clock.seconds >= end:
                return True
        return False

    def dive(self, limit: float) -> Floats | None:
        """Round step by step from the node with the least bound; None when no design came of it."""
        first = self.workers[0]
        for other in self.workers[1:]:
            first.adopt(other)
        if not self.open:
            return None
        node = self.open[0]
        first.restore(node.basis)
        first.hold(node.lower, node.upper)
        point = first.dive(limit) if first.settle(1, limit) else None
        first.release()
        return point

    def _branch(self, node: Node, enough: float, end: float) -> bool:
        """Replace a node by its children; False when time ran out first."""
        tried = self._candidates(node)
        if not len(tried):
            self.shut = min(self.shut, node.bound)
            self.leaves.append(node.point)
            return True
        lower, upper = node.lower.copy(), node.upper.copy()
        pairs = self._solve(node, tried, enough, end)
        if pairs is None:
            return False
        best, chosen, bound = -1.0, 0, node.bound
        for n, (j, (down, up)) in enumerate(zip(tried.tolist(), pairs, strict=True)):
            self._learn(node, j, down, up)
            bound = max(bound, min(down.bound, up.bound))
            gains = [max(child.bound - node.bound, 1e-6 * abs(node.bound)) for child in (down, up)]
            score = min(gains[0], enough - node.bound) * min(gains[1], enough - node.bound)
            if score > best:
                best, chosen = score, n
        for n, (j, (down, up)) in enumerate(zip(tried.tolist(), pairs, strict=True)):
            # What one side of another decision cannot better is left out of the chosen children.
            if n != chosen and max(down.bound, up.bound) >= enough > min(down.bound, up.bound):
                self.shut = min(self.shut, max(down.bound, up.bound))
                lower[j], upper[j] = (1.0, 1.0) if down.bound >= enough else (0.0, 0.0)
        j = int(tried[chosen])
        for child in pairs[chosen]:
            low, high = lower.copy(), upper.copy()
            low[j], high[j] = child.lower[j], child.upper[j]
            self.count += 1
            least = max(bound, child.bound)
            if least >= enough:
                self.shut = min(self.shut, least)
            else:
                heapq.heappush(self.open, Node(least, self.count, low, high, child.point, child.basis))
        return True

    def _candidates(self, node: Node) -> Ints:
        """Decisions worth trying, the most promising first."""
        away = np.abs(node.point - np.rint(node.point))
        loose = (away > WHOLE) & (node.lower < node.upper)
        if (loose & ~self.late).any():
            loose &= ~self.late
        columns = np.flatnonzero(loose)
        if not len(columns):
            return columns
        known = self.seen.min(axis=0) > 0
        each = np.divide(self.gain, self.seen, out=np.zeros_like(self.gain), where=self.seen > 0)
        ratio = (each / self.price)[:, known].mean(axis=1) if known.any() else np.ones(2)
        each = np.where(known, each, np.maximum(ratio, 1e-9)[:, None] * self.price)
        x = node.point[columns] - np.floor(node.point[columns])
        least = 1e-9 * abs(node.bound)
        score = np.maximum(each[0, columns] * x, least) * np.maximum(each[1, columns] * (1 - x), least)
        columns = columns[np.argsort(-score, kind="stable")]
        return columns[:1] if self.seen[:, columns[0]].min() >= RELIABLE else columns[:TRIED]

    def _learn(self, node: Node, j: int, down: Node, up: Node) -> None:
        x = node.point[j] - np.floor(node.point[j])
        for way, (child, change) in enumerate(((down, x), (up, 1 - x))):
            self.gain[way, j] += max(child.bound - node.bound, 0.0) / max(change, 0.01)
            self.seen[way, j] += 1

    def _solve(self, node: Node, tried: Ints, enough: float, end: float) -> list[tuple[Node, Node]] | None:
        """Both children of every decision that is tried, in parallel; None when time ran out."""
        tasks = []
        for j in tried.tolist():
            for way in (0, 1):
                lower, upper = node.lower.copy(), node.upper.copy()
                if way == 0:
                    upper[j] = np.floor(node.point[j])
                else:
                    lower[j] = np.floor(node.point[j]) + 1
                tasks.append((lower, upper))
        out: dict[int, Node] = {}

        def work(number: int) -> None:
            worker = self.workers[number]
            for t in range(number, len(tasks), len(self.workers)):
                if self.clock.seconds >= end or self.clock.stopped:
                    return
                lower, upper = tasks[t]
                bound = worker.explore(lower, upper, node.basis, enough, self.gap, end)
                if np.isfinite(bound):
                    point = worker.value[worker.integer].copy()
                    out[t] = Node(max(bound, node.bound), 0, lower, upper, point, worker.basis())

        with ThreadPoolExecutor(len(self.workers)) as pool:
            jobs = [pool.submit(work, number) for number in range(len(self.workers))]
            waiting = set(jobs)
            while waiting:
                try:
                    waiting = wait(waiting, timeout=0.2).not_done
                except KeyboardInterrupt:
                    self.clock.stopped = True
        for job in jobs:
            job.result()
        if len(out) < len(tasks):
            return None
        return [(out[n], out[n + 1]) for n in range(0, len(tasks), 2)]
