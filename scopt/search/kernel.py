"""The kernel of a relaxation with stock: all decisions, and the routes that were found."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csc_array, csr_array, hstack

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from scopt.search.sifting import Sifted
    from scopt.search.solver import Scaled

    Bools = NDArray[np.bool_]
    Floats = NDArray[np.float64]

__all__ = ["Kernel", "agree"]

AGREED = 0.02
"""Distance up to which a relaxation agrees with a design about a decision."""


def agree(relaxed: Floats, design: Floats) -> Bools:
    """Decisions about which the values of a relaxation and of a design agree."""
    return np.asarray(np.abs(relaxed - design) <= AGREED)


@dataclass(frozen=True, eq=False)
class Kernel:
    """A model of all decisions and few routes, in this order of its columns.

    Attributes
    ----------
    scaled
        The model.
    beside
        Column of the whole model that the first decision is.
    routes
        Columns of the network that each route takes, (network, routes).
    """

    scaled: Scaled
    beside: int
    routes: csc_array

    @classmethod
    def of(cls, sifted: Sifted) -> Kernel:
        """Take the routes at hand, open or closed, with all links and the strong rows at hand.

        Rows that were found are left out: they have many entries, and only a bound needs them.
        """
        own = len(sifted.in_rows) - len(sifted.sets)
        rows = np.flatnonzero((sifted.in_rows | sifted.links)[:own])
        lean, n, routes = sifted.lean, sifted.n, sifted.taken
        count = len(sifted.order)
        ends = routes.indices[routes.indptr[:-1]]  # columns of a route are counted in the same units
        whole = np.concatenate([sifted.scaled.arrays.integer[n:], np.zeros(count, bool)])
        matrix = csr_array(hstack([sifted.decision_rows[rows], sifted.flow_rows[rows] @ routes]))
        small = replace(
            lean, arrays=replace(sifted.scaled.arrays, integer=whole), matrix=matrix,
            column=np.r_[lean.column[n:], lean.column[ends]],
            cost=np.r_[lean.cost[n:], routes.T @ lean.cost[:n]],
            lower=np.r_[lean.lower[n:], np.zeros(count)], upper=np.r_[lean.upper[n:], np.full(count, np.inf)],
            row=lean.row[rows], row_lower=lean.row_lower[rows], row_upper=lean.row_upper[rows],
        )  # fmt: skip
        return cls(small, n, routes)

    def between(self, relaxed: Floats, design: dict[int, float]) -> Scaled:
        """Hold the decisions about which a relaxation and a design agree.

        What is left is small, and the design is in it (relaxation induced neighbourhood search, Danna,
        Rothberg and Le Pape 2005).

        Parameters
        ----------
        relaxed
            Values of all columns of the whole model.
        design
            Values of whole decisions, by their columns in this model.
        """
        column = np.fromiter(design, np.int64, len(design))
        value = np.fromiter(design.values(), float, len(design))
        agreed = agree(relaxed[self.beside + column], value)
        lower, upper = self.scaled.lower.copy(), self.scaled.upper.copy()
        lower[column[agreed]] = upper[column[agreed]] = value[agreed]
        return replace(self.scaled, lower=lower, upper=upper)

    def whole(self, point: Floats) -> Floats:
        """Return a solution as one of the whole model, in the units of the case."""
        decisions = len(point) - self.routes.shape[1]
        return np.concatenate([self.routes @ point[decisions:], point[:decisions]])
