r"""What goes through a site to a market: rows that a relaxation breaks, found as minimum cuts.

A site that is open a little lets a little of everything through in a relaxation, all of it for the same few
markets. Yet to a market :math:`m` no more than its demand can go through it. For any set :math:`U` of states
and markets

.. math:: \sum_{a \in E_i(U)} x_a \le \sum_{a \in A(U)} x_a + z_i \sum_{m \in U} D_m

where :math:`E_i(U)` are the lanes from site i into U and :math:`A(U)` all arcs that leave U: what the site
sends into U either leaves it or ends in a market of U. That is the projection of a model with a flow for each
market (Rardin and Wolsey 1993), known as dicut inequalities (Ortega and Wolsey 2003). The set that a point
breaks most is the near side of a minimum cut between the site and the markets, where an arc carries what
flows on it and a market takes :math:`D_m z_i`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import breadth_first_order, maximum_flow

from scopt.network import LANE, LAST

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from scopt.models import Arrays, Model

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]

__all__ = ["Through"]

BROKEN = 1e-4
"""Part of what goes through a site by which a row has to be broken."""

STEPS = 1e9
"""Capacities of a cut are whole numbers; what goes through the site is this many."""


class Through:
    """Rows of a model on what goes through its sites to markets, on demand.

    Parameters
    ----------
    model, arrays
        A model and its arrays.
    marks
        Marks of the columns that other models of the case know, (columns,).
    """

    def __init__(self, model: Model, arrays: Arrays, marks: Ints) -> None:
        net, chain = model.network, model.chain
        self.net = net
        place, z = arrays.place, model.pyomo.open_site
        column = np.array([place.get(z[site].name, -1) for site in chain.site_ids], np.int64)
        column[(column >= 0) & (arrays.lower[column] >= arrays.upper[column])] = -1
        move = np.flatnonzero((net.kind == LANE) | (net.kind == LAST))
        move = move[column[net.site[move]] >= 0]
        commodities = len(chain.channel_ids) * len(chain.product_ids)
        key = net.site[move] * commodities + net.commodity[move]
        order = np.argsort(key, kind="stable")
        self.move, keys = move[order], key[order]
        self.first = np.flatnonzero(np.r_[True, keys[1:] != keys[:-1]]) if len(keys) else keys
        self.end = np.r_[self.first[1:], len(keys)]
        self.key = keys[self.first]
        self.where = {key: number for number, key in enumerate(self.key.tolist())}
        self.switch = column[net.site[self.move[self.first]]]
        # Where all lanes of a site end in markets, its tight links say the same.
        self.onward = np.add.reduceat(net.kind[self.move] == LANE, self.first) > 0 if len(keys) else keys > 0
        shape = chain.demand.shape
        cell = (net.market * shape[1] + net.channel) * shape[2] + net.product
        self.demand = chain.demand.ravel()
        # Nodes: states, then cells of demand.
        self.end_node = np.where(net.kind == LAST, net.rows + cell, net.head)
        self.nodes = net.rows + len(self.demand)
        # States are known by what leads to them, versions of a stock point alike; cells by their number.
        inner = np.flatnonzero(net.kind != LAST)
        self.mark = np.arange(self.nodes) - net.rows
        self.mark[: net.rows] = np.iinfo(np.int64).max
        np.minimum.at(self.mark, net.head[inner], marks[inner])
        some = np.flatnonzero(net.tail >= 0)
        self.out = csr_array((np.ones(len(some), np.int8), (net.tail[some], some)), (self.nodes, net.size))

    def broken(self, point: Floats) -> list[Ints]:
        """Find the sets whose rows a point breaks, one for each site and commodity at most.

        Parameters
        ----------
        point
            Values of all columns, in the units of the case.

        Returns
        -------
        list of ndarray
            Site and commodity as one number, then the marks of the states and markets of U.
        """
        if not len(self.first):
            return []
        flow = point[: self.net.size]
        total = np.add.reduceat(flow[self.move], self.first)
        least = 1e-9 * float(flow.max(initial=0.0))
        asked = np.flatnonzero((point[self.switch] < 1 - 1e-5) & (total > 1e3 * least) & self.onward)
        used = np.flatnonzero((flow > least) & (self.net.tail >= 0))
        graph = csr_array(
            coo_array((flow[used], (self.net.tail[used], self.end_node[used])), (self.nodes, self.nodes))
        )
        out: list[Ints] = []
        for number in asked.tolist():
            lanes = self.move[self.first[number] : self.end[number]]
            lanes = lanes[flow[lanes] > least]
            near = self._near(graph, lanes, flow, point[self.switch[number]], total[number])
            if near is not None:
                out.append(np.concatenate([self.key[number : number + 1], self.mark[near]]))
        return out

    def knows(self, one: Ints) -> bool:
        """Whether the site of a set that a model of the case found is free to close here."""
        return int(one[0]) in self.where

    def row(self, one: Ints) -> tuple[Ints, Floats]:
        """Columns and entries of the row ``... <= 0`` of a set that is known here."""
        number, near = self.where[int(one[0])], np.flatnonzero(np.isin(self.mark, one[1:]))
        lanes = self.move[self.first[number] : self.end[number]]
        inside = np.zeros(self.nodes, bool)
        inside[near] = True
        into = lanes[inside[self.end_node[lanes]]]
        leave = self.out[near].indices
        leave = leave[~inside[self.end_node[leave]]]
        wanted = float(self.demand[near[near >= self.net.rows] - self.net.rows].sum())
        columns = np.concatenate([into, leave, self.switch[number : number + 1]])
        return columns, np.repeat([1.0, -1.0, -wanted], [len(into), len(leave), 1])

    def _near(self, graph: csr_array, lanes: Ints, flow: Floats, opened: float, total: float) -> Ints | None:
        """Nodes on the near side of the least cut; None where all that is sent can arrive."""
        heads, which = np.unique(self.end_node[lanes], return_inverse=True)
        nodes = np.unique(
            np.concatenate([breadth_first_order(graph, h, return_predecessors=False) for h in heads.tolist()])
        )
        part = graph[nodes][:, nodes].tocoo()
        ends = np.flatnonzero(nodes >= self.net.rows)
        source, sink = len(nodes), len(nodes) + 1
        tail = np.concatenate([part.row, np.full(len(lanes), source), ends])
        head = np.concatenate([part.col, np.searchsorted(nodes, heads)[which], np.full(len(ends), sink)])
        most = np.concatenate([part.data, flow[lanes], self.demand[nodes[ends] - self.net.rows] * opened])
        most = np.minimum(np.ceil(most * (STEPS / total)), 2 * STEPS)
        network = csr_array(coo_array((most, (tail, head)), (sink + 1, sink + 1)))
        network = csr_array((network.data.astype(np.int32), network.indices, network.indptr), network.shape)
        best = maximum_flow(network, source, sink)
        if best.flow_value >= STEPS * (1 - BROKEN):
            return None
        rest = network - best.flow
        rest.eliminate_zeros()
        side = breadth_first_order(rest, source, return_predecessors=False)
        return np.asarray(nodes[side[side < source]])
