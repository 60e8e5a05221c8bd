r"""A leaner relaxation: quantities that rows define by flows are put in where they are used.

A meter is a weighted sum of flows, :math:`m = \sum_j a_j x_j`, and a root what its lines or its envelope make
of the variance. Each of them costs the solver a column and a row; with many cells they outnumber the flows
that matter.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csc_array, csr_array, diags_array, vstack

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from scopt.models import Model
    from scopt.search.solver import Scaled

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]

__all__ = ["Lean"]


@dataclass(frozen=True, eq=False)
class Lean:
    """A scaled model in which columns are replaced by what defines them, in the same places.

    Attributes
    ----------
    scaled
        The model: the columns that are gone are empty, and so are the rows that defined them.
    gone
        Columns that are gone.
    by
        What they are, (columns gone, columns).
    rows
        Rows that defined them.
    """

    scaled: Scaled
    gone: Ints
    by: csr_array
    rows: Ints

    @classmethod
    def of(cls, model: Model, scaled: Scaled) -> Lean:
        """Replace the meters of a model, then its roots."""
        width = len(scaled.cost)
        lean = cls(scaled, np.empty(0, np.int64), csr_array((0, width)), np.empty(0, np.int64))
        for columns, rows in (_meters(model, scaled), _roots(model, scaled)):
            lean = lean._without(columns, rows)
        return lean

    def fill(self, point: Floats) -> None:
        """Give the columns that are gone their values in a point."""
        point[self.gone] = self.by @ point

    def _without(self, columns: Ints, rows: Ints) -> Lean:
        """Replace columns by their rows, as far as the rows define them."""
        scaled = self.scaled
        part = csr_array(scaled.matrix[rows])
        fits = _defines(scaled, part, columns, rows)
        columns, rows, part = columns[fits], rows[fits], csr_array(part[np.flatnonzero(fits)])
        if not len(columns):
            return self
        own = np.zeros(len(scaled.cost), bool)
        own[columns] = True
        unit = np.asarray(part[np.arange(len(rows)), columns]).ravel()
        by = _left(-1.0 / unit, part, ~own)
        others = np.ones(len(scaled.row), bool)
        others[rows] = False
        rest = csr_array(scaled.matrix[:, columns])
        matrix = csr_array(_left(others, scaled.matrix, ~own) + _left(others, rest) @ by)
        cost = np.where(own, 0.0, scaled.cost + by.T @ scaled.cost[columns])
        changed = replace(
            scaled, matrix=matrix, cost=cost, row_lower=np.where(others, scaled.row_lower, -np.inf),
            row_upper=np.where(others, scaled.row_upper, np.inf),
        )  # fmt: skip
        gone, done = np.concatenate([self.gone, columns]), np.concatenate([self.rows, rows])
        return Lean(changed, gone, csr_array(vstack([self.by, by])), done)


def _left(weight: Floats | Bools, matrix: csr_array, kept: Bools | None = None) -> csr_array:
    """Matrix with weighted rows and without some columns."""
    out = csr_array(diags_array(np.asarray(weight, float)) @ matrix)
    if kept is not None:
        out.data *= kept[out.indices]
    out.eliminate_zeros()
    return out


def _meters(model: Model, scaled: Scaled) -> tuple[Ints, Ints]:
    """Columns and rows of the meters of a model."""
    place, start = scaled.arrays.place, scaled.arrays.first_rows
    pairs = [
        (place[var.name], start[name] + i)
        for name, _ in model.meters
        for i, var in enumerate(getattr(model.pyomo, name).values())
    ]
    columns, rows = np.array(pairs, np.int64).reshape(-1, 2).T
    free = np.isinf(scaled.upper[columns])
    return columns[free], rows[free]


def _roots(model: Model, scaled: Scaled) -> tuple[Ints, Ints]:
    """Columns and rows of the roots of cells; what they can be at most follows from the rows of flows."""
    arrays, m = scaled.arrays, model.pyomo
    if not model.notes["cells"].count:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    pairs = [(arrays.place[m.root[key].name], arrays.row_of(m.root_of_variance[key])) for key in m.root]
    columns, rows = np.array(pairs, np.int64).reshape(-1, 2).T
    free = scaled.upper[columns] > scaled.lower[columns]
    return columns[free], rows[free]


def _defines(scaled: Scaled, part: csr_array, columns: Ints, rows: Ints) -> Bools:
    """Whether each row tells what its column is.

    It has to be a sum of things that are never negative, and equal to the column, or the least that the
    column can be while nothing but this row holds it up.
    """
    if not len(columns):
        return np.zeros(0, bool)
    lower = scaled.lower[columns] <= 0
    unit = np.asarray(part[np.arange(len(rows)), columns]).ravel()
    entries = part.tocoo()
    other = entries.col != columns[entries.row]
    unknown = np.isin(entries.col, columns)  # one cannot be told by another that is replaced as well
    bad = other & (unknown | (entries.data * unit[entries.row] > 0) | (scaled.lower[entries.col] < 0))
    sums = np.bincount(entries.row[bad], minlength=len(rows)) == 0
    low, high = scaled.row_lower[rows], scaled.row_upper[rows]
    equal = (low == 0) & (high == 0)
    least = ((low == 0) & np.isinf(high) & (unit > 0)) | ((high == 0) & np.isinf(low) & (unit < 0))
    uses = csc_array(scaled.matrix[:, columns]).tocoo()
    below, above = np.isfinite(scaled.row_lower)[uses.row], np.isfinite(scaled.row_upper)[uses.row]
    holds = np.where(uses.data > 0, below, above)
    alone = np.bincount(uses.col[holds], minlength=len(columns)) == 1
    return np.asarray(lower & sums & (unit != 0) & (equal | (least & alone & (scaled.cost[columns] >= 0))))
