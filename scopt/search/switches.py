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
        rows = np.flatnonzero(~arrays.lazy & (arrays.row_upper == 0) & np.isinf(arrays.row_lower))
        part = arrays.matrix[rows]
        flow, decision = part[:, : arrays.flows], part[:, arrays.flows :]
        negative = np.asarray((flow < 0).sum(axis=1)).ravel() > 0
        continuous = np.asarray(abs(decision) @ (~arrays.integer[arrays.flows :]).astype(float)).ravel() > 0
        fits = np.flatnonzero(~negative & ~continuous)
        self.rows, self.flow, switch = rows[fits], flow[fits], decision[fits]
        # What a row allows is greatest where switches on are high and those subtracted from them low.
        self.on, self.off = switch.minimum(0), switch.maximum(0)

    def closed(self, lower: Floats, upper: Floats) -> Bools:
        """Array columns that no flow can use, whatever the decisions are within their bounds.

        Parameters
        ----------
        lower, upper
            Bounds of the decisions, (decisions,).
        """
        off = np.flatnonzero(self.on @ upper + self.off @ lower >= -1e-9)
        out = np.zeros(self.flows, bool)
        out[self.flow[off].indices] = True
        return out

    def spread(self, cost: Floats) -> Floats:
        """Cost of the switches laid on the flows they allow: what a well used one adds a unit, (flows,)."""
        on = self.on.copy()
        on.data = 1.0 / np.maximum(-on.data, 1e-12)
        return np.asarray(self.flow.T.astype(bool) @ (on @ np.maximum(cost, 0.0)))
