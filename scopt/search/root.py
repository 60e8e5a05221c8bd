"""What the relaxation of one model tells that of another: columns, rows and duals that mattered, and a basis.

Models of one case are much alike: a sweep changes costs or right-hand sides, a limit adds a row, a strategy
leaves lanes out. From the basis of a model with the same network the relaxation is solved again in a small
part of the time; where the networks differ, the columns, strong rows and duals that mattered are a start.
"""

from __future__ import annotations

import hashlib
import zlib
from base64 import b64decode, b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyomo.environ as pyo
from scipy.sparse import csr_array

from scopt.network import spread
from scopt.search.master import BASIC, Basis
from scopt.search.sifting import FOUND

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from scopt.search.sifting import Sifted

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]
    Bytes = NDArray[np.int8]

__all__ = ["Root", "follow", "ways"]

ROWS_FOUND = f"{FOUND} 1"
"""Block of the rows that were found and are not in the model."""

LISTS = "columns", "lengths", "marks", "tight", "sets", "counts", "priced"
"""Parts of a root that are lists of whole numbers."""

STATES = "path", "beside", "artificial"
"""Parts of a root that are lists of statuses."""


@dataclass(frozen=True, eq=False)
class Root:
    """A relaxation that was solved, by names that other models of the case know.

    Parameters
    ----------
    network
        Digest of the columns of its network.
    columns, marks, lengths
        Columns of the routes that were at hand, each from its market back to its source, by number and by
        mark, and how many each route has.
    tight
        Strong rows that were tight, by their marks.
    path, beside, artificial
        Status of every route, of every array column that is not in the network, and of every shortage.
    decision
        Status of every decision by name.
    rows
        Status of the rows, by block.
    sets
        Sets behind tight rows that were found (`through`, `tiers`), one after the other.
    counts
        How many numbers each of them has.
    priced, duals
        Rows with a dual where the bound is best, by their marks, and their duals, in money a unit.
    """

    network: str
    columns: Ints
    lengths: Ints
    marks: Ints
    tight: Ints
    path: Bytes
    beside: Bytes
    artificial: Bytes
    decision: Mapping[str, int]
    rows: Mapping[str, Bytes]
    sets: Ints
    counts: Ints
    priced: Ints
    duals: Floats

    @classmethod
    def of(cls, sifted: Sifted) -> Root:
        """Keep what a solved relaxation can tell."""
        basis, arrays = sifted.basis(), sifted.scaled.arrays
        tight = np.unique(sifted.row_marks[basis.row[sifted.lazy] != BASIC])
        rows = {name: basis.row[at : at + count] for name, at, count in _blocks(sifted)}
        sets: list[Ints] = []
        if sifted.sets:  # their rows are the last ones; those that are not tight would only pile up
            taut = rows[ROWS_FOUND] != BASIC
            rows[ROWS_FOUND] = rows[ROWS_FOUND][taut]
            sets = [one for one, keep in zip(sifted.sets, taut.tolist(), strict=True) if keep]
        columns, lengths = ways(sifted)
        beside = arrays.flows - sifted.n
        priced, duals = _duals(sifted)
        return cls(
            _digest(sifted), columns, lengths, sifted.marks[columns], tight, basis.path[sifted.order],
            basis.decision[:beside], basis.artificial,
            dict(zip(arrays.names, basis.decision[beside:].tolist(), strict=True)),
            rows, np.concatenate([np.empty(0, np.int64), *sets]), np.array([*map(len, sets)], np.int64),
            priced, duals,
        )  # fmt: skip

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Root:
        """Return the root that `plain` was made of."""
        rows = {name: _unpacked(text, np.int8) for name, text in plain["rows"].items()}
        return cls(
            network=plain["network"], decision=plain["decision"], rows=rows,
            **{one: _unpacked(plain[one], np.int64) for one in LISTS},
            **{one: _unpacked(plain[one], np.int8) for one in STATES},
            duals=_unpacked(plain["duals"], np.float64),
        )  # fmt: skip

    def plain(self) -> dict[str, Any]:
        """Return plain values that can be kept as text."""
        return {
            "network": self.network,
            **{one: _packed(getattr(self, one)) for one in (*LISTS, *STATES, "duals")},
            "decision": dict(self.decision),
            "rows": {name: _packed(status) for name, status in self.rows.items()},
        }

    def lead(self, sifted: Sifted) -> None:
        """Let a relaxation begin from this one.

        On the same network it takes up the basis; rows that this one did not have are basic, decisions that
        it did not have are not, and the solver mends what does not fit. On another one it begins with the
        routes and duals that exist there and the strong rows that were tight. Rows that were found hold as
        they did.
        """
        if len(self.counts):
            sifted.add_sets(np.split(self.sets, np.cumsum(self.counts)[:-1]))
        if self.network != _digest(sifted):
            follow(sifted, self.marks, self.lengths)
            sifted.add_rows(sifted.lazy[np.isin(sifted.row_marks, self.tight)])
            sifted.guess = self._guess(sifted)
            return
        numbers = sifted.paths.add(self.columns, np.repeat(np.arange(len(self.lengths)), self.lengths))
        sifted.add_paths(numbers)
        sifted.led = True
        path = np.zeros(sifted.paths.count, np.int8)
        path[numbers] = self.path
        row = np.full(len(sifted.scaled.row), BASIC, np.int8)
        for name, at, count in _blocks(sifted):
            mine = self.rows.get(name)
            if mine is not None and len(mine) == count:
                row[at : at + count] = mine
        decision = [self.decision.get(name, 0) for name in sifted.scaled.arrays.names]
        short = len(sifted.artificial)
        artificial = self.artificial if len(self.artificial) == short else np.zeros(short, np.int8)
        sifted.restore(
            Basis(path, np.concatenate([self.beside, np.array(decision, np.int8)]), row, artificial)
        )

    def _guess(self, sifted: Sifted) -> Floats:
        """Duals of the rows that a relaxation shares with this one, in its own units; 0 of all others."""
        known = pd.Series(self.duals, self.priced)
        out = known.reindex(_marks(sifted), fill_value=0.0).to_numpy() / _unit(sifted)
        rows, dual = _of_lines(sifted)
        out[rows] = np.minimum(out[rows], dual)
        return out


def _of_lines(sifted: Sifted) -> tuple[Ints, Floats]:
    r"""Rows that tie goods to the line of their cell, and duals that leave no line cheaper than the envelope.

    A unit that adds :math:`k_a` to the variance costs :math:`\psi_l k_a` on a line, and :math:`e_a` by the
    envelope that the cell had before. The dual of :math:`\sum_a x_a \le R\,w_l` makes up for the difference,

    .. math:: \mu_r = \max_{a \in r} \max(0, e_a - \psi_l k_a),

    unless the line itself, which costs :math:`\phi_l`, would be worth opening for it; all in the same units.
    For one commodity and one coverage :math:`R \mu_r = \phi_l`: lines begin from the bound of the envelope.
    """
    model, lean, arrays = sifted.model, sifted.lean, sifted.scaled.arrays
    first = arrays.first_rows.get("line")
    if first is None:
        return np.empty(0, np.int64), np.empty(0)
    rows = first + np.arange(dict(arrays.row_blocks)["line"])
    cells, lines = model.notes["cells"], model.notes["lines"]
    price = arrays.cost[[arrays.place[root.name] for root in model.pyomo.root.values()]]
    slope = lines.slope[lines.start[cells.of] + model.network.line[cells.column]]
    short = np.zeros(sifted.width)
    short[cells.column] = np.maximum(cells.envelope - slope * cells.weight, 0.0) * price[cells.of]
    short *= lean.column / lean.money
    part = csr_array(lean.matrix[rows])
    own = part.indices < arrays.flows
    row = np.repeat(np.arange(len(rows)), np.diff(part.indptr))
    dual = np.zeros(len(rows))
    np.maximum.at(dual, row[own], short[part.indices[own]] / part.data[own])
    line, worth = part.indices[~own], -part.data[~own] * dual[row[~own]]
    asked = np.bincount(line, worth, minlength=sifted.width)
    share = np.minimum(1.0, np.divide(lean.cost, asked, out=np.ones(sifted.width), where=asked > 0))
    dual[row[~own]] *= share[line]
    return rows, -dual


def ways(sifted: Sifted) -> tuple[Ints, Ints]:
    """Columns of the routes at hand, each from its market back to its source, and how many each has."""
    column, count = sifted.taken.indices, np.diff(sifted.taken.indptr)
    order = np.lexsort((-sifted.routes.depth[column], np.repeat(np.arange(len(count)), count)))
    return column[order].astype(np.int64), count.astype(np.int64)


def follow(sifted: Sifted, marks: Ints, count: Ints) -> None:
    """Add routes of another network as far as they exist here, each in all its versions.

    Parameters
    ----------
    marks
        Marks of the columns of all routes, each route from its market back to its source.
    count
        How many columns each route has.
    """
    order = np.argsort(sifted.marks, kind="stable")
    known, tail, head = sifted.marks[order], sifted.routes.tail, sifted.routes.head
    begin = np.cumsum(count) - count
    # Every version so far: which route it follows, and its columns.
    which, way = np.arange(len(count)), np.empty((len(count), 0), np.int64)
    found = [np.empty(0, np.int64)]
    while len(which):
        wanted = marks[begin[which] + way.shape[1]]
        low, high = (np.searchsorted(known, wanted, side) for side in ("left", "right"))
        each, place = spread(high - low, low)
        column = order[place]
        if way.shape[1]:
            fits = head[column] == tail[way[each, -1]]
            each, column = each[fits], column[fits]
        which, way = which[each], np.column_stack([way[each], column])
        whole = way.shape[1] == count[which]
        done = way[whole & (tail[way[:, -1]] < 0)]
        found.append(sifted.paths.add(done.ravel(), np.repeat(np.arange(len(done)), done.shape[1])))
        which, way = which[~whole], way[~whole]
    sifted.add_paths(np.concatenate(found))


def _packed(values: NDArray[Any]) -> str:
    return b64encode(zlib.compress(values.tobytes(), 1)).decode("ascii")


def _unpacked(text: str, kind: type[Any]) -> NDArray[Any]:
    return np.frombuffer(zlib.decompress(b64decode(text)), kind)


def _duals(sifted: Sifted) -> tuple[Ints, Floats]:
    """Give the marks of the rows that have a dual at the best bound, and these duals.

    Those of demand follow from the others.
    """
    dual = sifted.center * _unit(sifted)
    dual[sifted.demand_row] = 0.0
    rows = np.flatnonzero(dual)
    marks, first = np.unique(_marks(sifted)[rows], return_index=True)
    return marks, dual[rows[first]]


def _unit(sifted: Sifted) -> Floats:
    """Give what duals of one are worth, in money a unit of their rows, (rows,)."""
    return np.asarray(sifted.lean.row * sifted.lean.money)


def _marks(sifted: Sifted) -> Ints:
    """Mark each row: by the columns in it, by its name, by its set, or by its place in its block."""
    mark = np.zeros(len(sifted.scaled.row), np.uint64)
    for name, at, count in _blocks(sifted):
        mark[at : at + count] = np.arange(count, dtype=np.uint64) + np.uint64(_hashed(f"{name} {count}"))
        lazy = (sifted.lazy >= at) & (sifted.lazy < at + count)
        mark[sifted.lazy[lazy]] = sifted.row_marks[lazy].view(np.uint64) ^ np.uint64(_hashed(name))
    m, arrays = sifted.model.pyomo, sifted.scaled.arrays
    for constraint in m.component_data_objects(pyo.Constraint, active=True):
        mark[arrays.row_of(constraint)] = _hashed(constraint.name)
    for row, one in enumerate(sifted.sets, len(mark) - len(sifted.sets)):
        mark[row] = _hashed(one.tobytes())
    return mark.view(np.int64)


def _hashed(text: str | bytes) -> int:
    data = text.encode() if isinstance(text, str) else text
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), "big")


def _digest(sifted: Sifted) -> str:
    """Tell networks apart, and what stands beside them."""
    beside = sifted.scaled.arrays.flows - sifted.n
    return hashlib.sha256(sifted.marks.tobytes() + beside.to_bytes(8, "big")).hexdigest()


def _blocks(sifted: Sifted) -> list[tuple[str, int, int]]:
    """Name, first row and number of rows of every block; a name that comes again is numbered."""
    out: list[tuple[str, int, int]] = []
    seen: dict[str, int] = {}
    at = 0
    for name, count in sifted.scaled.arrays.row_blocks:
        seen[name] = seen.get(name, 0) + 1
        out.append((f"{name} {seen[name]}", at, count))
        at += count
    return out
