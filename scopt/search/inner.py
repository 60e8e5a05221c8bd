"""The inner program of the Lagrangian function: decisions under the rows that no flow is in.

Duals of such rows need not be looked for step by step: for any duals of the other rows the best ones are
those of a small linear program, which falls apart into sites and offers and takes few pivots after each step.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csc_array, csr_array

from scopt.search.master import PRIMAL
from scopt.search.solver import Lp

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from scopt.search.sifting import Sifted

    Floats = NDArray[np.float64]

__all__ = ["Inner"]


class Inner:
    """Decisions that share rows without flows, solved again and again for other costs.

    Attributes
    ----------
    rows
        The rows, by their numbers in the model.
    columns
        The decisions, by their numbers among all decisions.
    entries, off
        Entries of the rows, (rows, all decisions), and turned round: what duals take off the costs.
    """

    def __init__(self, sifted: Sifted) -> None:
        lean, arrays = sifted.lean, sifted.scaled.arrays
        flows, decisions = np.diff(sifted.flow_rows.indptr), np.diff(sifted.decision_rows.indptr)
        self.rows = np.flatnonzero((flows == 0) & (decisions > 0) & ~sifted.balance)
        self.entries = csc_array(sifted.decision_rows[self.rows])
        self.off, self.columns = self.entries.T, np.flatnonzero(np.diff(self.entries.indptr))
        place = sifted.n + self.columns
        small = replace(
            lean, arrays=replace(arrays, integer=np.zeros(len(place), bool)),
            matrix=csr_array(self.entries[:, self.columns]), column=lean.column[place], cost=lean.cost[place],
            lower=sifted.lower[place], upper=sifted.upper[place],
            row=lean.row[self.rows], row_lower=lean.row_lower[self.rows], row_upper=lean.row_upper[self.rows],
        )  # fmt: skip
        self.lp = Lp(small, None, sifted.clock, sifted.seed, brief=True)
        self.lp.engine.setOptionValue("simplex_strategy", PRIMAL)  # other costs leave a basis feasible

    def solve(self, cost: Floats) -> tuple[Floats, Floats] | None:
        """Best values of the decisions and duals of the rows, in the units of the solver.

        Parameters
        ----------
        cost
            Costs of all decisions less what the duals of the other rows give.

        Returns
        -------
        tuple or None
            None where there is no best one, because some decision has no bound.
        """
        self.lp.set_costs(cost[self.columns])
        value = self.lp.solve()
        return None if value is None else (value / self.lp.model.column, self.lp.dual)
