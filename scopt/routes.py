"""Cheapest routes: one pass over the acyclic expanded network, all commodities together, level by level."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING

import numpy as np

from scopt.network import LAST, spread

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from scopt.network import Network

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]

__all__ = ["Routes"]


class Routes:
    """Cheapest routes on the expanded network for any cost of its columns.

    Attributes
    ----------
    depth : (columns,)
        Grows from column to column along every route.
    last
        Last lanes, those to one (market, channel, product) side by side.
    first
        Where those to each (market, channel, product) begin, (cells,).
    lanes, cells
        Number of each last lane, and of each (market, channel, product), among those of all columns.
    """

    def __init__(self, net: Network) -> None:
        self.tail, self.head, self.rows = net.tail, net.head, net.rows
        last = np.flatnonzero(net.kind == LAST)
        cell = net.market[last] * len(net.chain.channel_ids) + net.channel[last]
        cell = cell * len(net.chain.product_ids) + net.product[last]
        order = np.argsort(cell, kind="stable")
        self.last, cell = last[order], cell[order]
        self.first = np.flatnonzero(np.r_[True, cell[1:] != cell[:-1]]) if len(cell) else last
        self.cell = np.repeat(np.arange(len(self.first)), np.diff(np.r_[self.first, len(cell)]))
        self.lanes, self.cells = np.arange(len(last)), np.arange(len(self.first))
        inner = np.flatnonzero(net.kind != LAST)
        level = np.zeros(self.rows + 1, np.int64)
        tail = np.where(net.tail < 0, self.rows, net.tail)
        while True:
            deeper = level.copy()
            np.maximum.at(deeper, net.head[inner], level[tail[inner]] + 1)
            if (deeper == level).all():
                break
            level = deeper
        depth = level[tail[inner]]
        self.steps = [inner[depth == d] for d in range(int(depth.max(initial=-1)) + 1)]
        self.depth = np.full(len(net.head), len(self.steps))
        self.depth[inner] = depth
        self.tail_seat = tail

    def part(self, columns: Ints) -> Routes:
        """Routes on a part of the columns, counted anew."""
        out = copy(self)
        place = np.full(len(self.head), -1, np.int64)
        place[columns] = np.arange(len(columns))
        out.tail, out.head, out.depth = self.tail[columns], self.head[columns], self.depth[columns]
        out.tail_seat = self.tail_seat[columns]
        out.steps = [place[step][place[step] >= 0] for step in self.steps]
        kept = np.flatnonzero(place[self.last] >= 0)
        out.last = place[self.last[kept]]
        number, out.first, out.cell = np.unique(self.cell[kept], return_index=True, return_inverse=True)
        out.lanes, out.cells = self.lanes[kept], self.cells[number]
        return out

    def lengths(self, cost: Floats) -> Floats:
        """Length of the cheapest route from a source to each balance row; the last entry is the source."""
        length = np.full(self.rows + 1, np.inf)
        length[-1] = 0.0
        for step in self.steps:
            np.minimum.at(length, self.head[step], length[self.tail_seat[step]] + cost[step])
        return length

    def cheapest(self, cost: Floats) -> tuple[Floats, Floats]:
        """Cheapest complete route of each (market, channel, product) that can be reached, and all lengths."""
        length = self.lengths(cost)
        return self.best(self.whole(cost, length)), length

    def whole(self, cost: Floats, length: Floats) -> Floats:
        """Cost of the cheapest route by each last lane, in the order of `last`."""
        return np.asarray(length[self.tail_seat[self.last]] + cost[self.last])

    def best(self, whole: Floats) -> Floats:
        """Cost of the cheapest route of each (market, channel, product)."""
        return np.minimum.reduceat(whole, self.first) if len(self.first) else whole

    def cut_out(self, cost: Floats, length: Floats, wanted: Bools, ends: int = 1) -> tuple[Ints, Ints]:
        """Cheapest routes of the wanted (market, channel, product), by so many last lanes each.

        Parameters
        ----------
        cost, length
            Cost of the columns, and lengths that `cheapest` found with it.
        wanted : (cells,)
            What routes are wanted of.
        ends
            Last lanes to be tried for each.

        Returns
        -------
        tuple
            Columns of all routes, and for each column the number of its route.
        """
        if ends > 1:
            whole = self.whole(cost, length)
            order = np.lexsort((whole, self.cell))
            rank = np.arange(len(order)) - self.first[self.cell]
            last = self.last[order[(rank < ends) & wanted[self.cell]]]
        else:
            last = self.ends(cost, length, np.flatnonzero(wanted))
        return self.leading_to(last[np.isfinite(length[self.tail_seat[last]])], cost, length)

    def ends(self, cost: Floats, length: Floats, cells: Ints) -> Ints:
        """Last lane of the cheapest route of each of some (market, channel, product)."""
        whole = self.whole(cost, length)
        lowest = np.flatnonzero(whole == self.best(whole)[self.cell])
        return np.asarray(self.last[lowest[np.searchsorted(self.cell[lowest], cells)]])

    def spare(self, cost: Floats, length: Floats) -> Floats:
        """Return how much more than the cheapest route to where it leads one by each column costs."""
        whole = self.whole(cost, length)
        best = self.best(whole)[self.cell]
        reached = np.isfinite(best)
        out = np.full(len(cost), np.inf)
        out[self.last[reached]] = whole[reached] - best[reached]
        beyond = np.full(self.rows + 1, np.inf)
        ends = self.last[reached]
        np.minimum.at(beyond, self.tail_seat[ends], cost[ends] - best[reached])
        for step in self.steps[::-1]:
            ahead = cost[step] + beyond[self.head[step]]
            out[step] = length[self.tail_seat[step]] + ahead
            np.minimum.at(beyond, self.tail_seat[step], ahead)
        return out

    def within(self, used: Bools) -> tuple[Ints, Ints]:
        """All routes that take some columns only, (columns,).

        Returns
        -------
        tuple
            Columns of all routes, each from its market back to its source, and for each column the number of
            its route.
        """
        last = np.zeros(len(used), bool)
        last[self.last] = True
        inner = np.flatnonzero(used & ~last)
        inner = inner[np.argsort(self.head[inner], kind="stable")]
        way, done = np.flatnonzero(used & last)[:, None], [np.empty((0, 1), np.int64)]
        while len(way):
            node = self.tail_seat[way[:, -1]]
            done.append(way[node == self.rows])
            way, node = way[node < self.rows], node[node < self.rows]
            low, high = (np.searchsorted(self.head[inner], node, side) for side in ("left", "right"))
            each, place = spread(high - low, low)
            way = np.column_stack([way[each], inner[place]])
        count = np.concatenate([np.full(len(one), one.shape[1]) for one in done]).astype(np.int64)
        return np.concatenate([one.ravel() for one in done]), np.repeat(np.arange(len(count)), count)

    def leading_to(self, last: Ints, cost: Floats, length: Floats) -> tuple[Ints, Ints]:
        """Cheapest routes that end in some last lanes, which can be reached.

        Parameters
        ----------
        last
            Columns of last lanes.
        cost, length
            Cost of the columns, and lengths that `cheapest` found with it.

        Returns
        -------
        tuple
            Columns of all routes, and for each column the number of its route.
        """
        into = self._tree(cost, length, last)
        columns, numbers = [last], [np.arange(len(last))]
        while True:
            node = self.tail_seat[columns[-1]]
            more = np.flatnonzero(node < self.rows)
            if not len(more):
                return np.concatenate(columns), np.concatenate(numbers)
            numbers.append(numbers[-1][more])
            columns.append(into[node[more]])

    def _tree(self, cost: Floats, length: Floats, last: Ints) -> Ints:
        """Column by which the cheapest route comes to each balance row on the way to some last lanes."""
        into = np.full(self.rows + 1, -1, np.int64)
        needed = np.zeros(self.rows + 1, bool)
        needed[self.tail_seat[last]] = True
        for step in self.steps[::-1]:
            mine = step[needed[self.head[step]]]
            gap = length[self.tail_seat[mine]] + cost[mine] - length[self.head[mine]]
            mine = mine[gap <= 1e-9 * (1.0 + np.abs(length[self.head[mine]]))]
            into[self.head[mine[::-1]]] = mine[::-1]  # of equal ones the first
            needed[self.tail_seat[mine]] = True
        return into
