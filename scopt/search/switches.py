"""Which flows a set of whole decisions closes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from scopt.models import Arrays

    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]

__all__ = ["Switches"]


class Switches:
    """Rows `flows <= M * switch` of a model: a switch that is off closes their columns altogether.

    Parameters
    ----------
    arrays
        A compiled model.
    """

    def __init__(self, arrays: Arrays) -> None:
        self.flows = arrays.flows
        flow = arrays.matrix[:, : arrays.flows]
        decision = arrays.matrix[:, arrays.flows :]
        negative = np.asarray((flow < 0).sum(axis=1)).ravel() > 0
        continuous = np.asarray(abs(decision) @ (~arrays.integer[arrays.flows :]).astype(float)).ravel() > 0
        rows = ~arrays.lazy & (arrays.row_upper == 0) & np.isinf(arrays.row_lower) & ~negative & ~continuous
        self.rows = np.flatnonzero(rows)
        self.flow, self.decision = flow[self.rows], decision[self.rows]

    def closed(self, values: Floats) -> Bools:
        """Array columns that no flow can use.

        Parameters
        ----------
        values
            Values (or upper bounds) of the decisions, (decisions,).
        """
        off = np.flatnonzero(self.decision @ values >= -1e-9)
        out = np.zeros(self.flows, bool)
        out[self.flow[off].indices] = True
        return out

    def spread(self, cost: Floats) -> Floats:
        """Cost of the switches laid on the flows they allow: what a well used one adds a unit, (flows,)."""
        on = self.decision.copy()
        on.data = np.where(on.data < 0, 1.0 / np.maximum(-on.data, 1e-12), 0.0)
        return np.asarray(self.flow.T.astype(bool) @ (on @ np.maximum(cost, 0.0)))
