"""Designs: priced with the true square root, and improved with their decisions held.

With sites, stock points and offers held, what is left of the model is linear but for the roots. Setting each
root's slope to that at its own variance and solving again lowers the true cost from round to round (a concave
function lies below its tangent).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csc_array, csr_array

from scopt.search.solver import Clock, Lp, Scaled
from scopt.search.switches import Switches

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from scopt.models import Arrays, Model

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]

__all__ = ["Design", "Improver", "price"]

FEASIBLE = 1e-6
"""A row may miss its bound by this part of its largest term."""


@dataclass(frozen=True, eq=False)
class Design:
    """A design with its true cost.

    Parameters
    ----------
    flows
        Array columns of the model it belongs to, units per year.
    values
        Value of every decision by name.
    costs
        Cost by bucket, money per year.
    variance
        Variance by cell (site, product, group).
    envelope
        Root that the model counts at least, by cell.
    """

    flows: Floats
    values: dict[str, float]
    costs: dict[str, float]
    variance: dict[tuple[int, int, int], float]
    envelope: dict[tuple[int, int, int], float]

    @property
    def cost(self) -> float:
        """Total cost, money per year."""
        return float(sum(self.costs.values()))


def price(model: Model, arrays: Arrays, point: Floats) -> Design | None:
    """Price a solution with the true root; None where it breaks a row (a ceiling on stock, say)."""
    flows = model.load(arrays, point)
    values = arrays.values()
    full = np.concatenate([flows, np.fromiter(values.values(), float, len(values))])
    if _broken(model, arrays, full).any():
        return None
    cells = model.notes["cells"]
    keys = cells.keys
    variance = dict(zip(keys, cells.variance(flows).tolist(), strict=True))
    envelope = dict(zip(keys, cells.least_root(flows).tolist(), strict=True))
    return Design(flows, values, model.costs(arrays, full), variance, envelope)


def _broken(model: Model, arrays: Arrays, point: Floats) -> NDArray[np.bool_]:
    """Rows that a point breaks; the definition of the root is not among them: the true root is meant."""
    activity = arrays.matrix @ point
    over = np.maximum(arrays.row_lower - activity, activity - arrays.row_upper)
    broken = (over > 1e-3 * FEASIBLE) & ~arrays.lazy
    rows = np.flatnonzero(broken)
    broken[rows] = over[rows] > FEASIBLE * (abs(arrays.matrix[rows]) @ np.abs(point))
    for name in ("root_of_variance", "one_line"):
        for constraint in getattr(model.pyomo, name, {}).values():
            broken[arrays.row_of(constraint)] = False
    first = 0
    for name, count in arrays.row_blocks:
        if name == "line":
            broken[first : first + count] = False
        first += count
    return np.asarray(broken)


class Improver:
    """Improves designs in the plain model, each in a linear program of what its decisions leave open.

    Parameters
    ----------
    model, arrays
        The model with one line per cell.
    clock
        Time budget.
    """

    def __init__(self, model: Model, arrays: Arrays, clock: Clock, seed: int = 0) -> None:
        self.model, self.arrays, self.clock, self.seed = model, arrays, clock, seed
        place, whole = arrays.place, arrays.integer[arrays.flows :].tolist()
        self.names = [name for name, is_whole in zip(arrays.names, whole, strict=True) if is_whole]
        self.integer = np.flatnonzero(arrays.integer)
        self.switches, self.routes = Switches(arrays), model.network.routes
        scaled, rows = Scaled.of(arrays), np.flatnonzero(~arrays.lazy)
        self.scaled = replace(
            scaled, matrix=csc_array(scaled.matrix[rows]), row=scaled.row[rows],
            row_lower=scaled.row_lower[rows], row_upper=scaled.row_upper[rows],
        )  # fmt: skip
        cells = model.notes["cells"]
        # A steep line may pass what the root itself cannot: it must not stand in the way of a design.
        self.heights = np.array(
            [place[v.name] for v in model.pyomo.root.values()] if cells.count else [], int
        )
        roots = model.pyomo.root_of_variance.values() if cells.count else []
        self.root_row = [int(np.searchsorted(rows, arrays.row_of(row))) for row in roots]
        slopes = model.pyomo.variance.values() if cells.count else []
        self.variance_column = [place[v.name] for v in slopes]
        bases = model.pyomo.envelope.values() if cells.count else []
        self.envelope_column = [place[v.name] for v in bases]

    def hold(self, values: dict[str, float]) -> None:
        """Take up the program of the columns that held whole decisions leave open, a small part of all.

        A basis of other decisions would be of no use: from there a program may take ten times as long.
        """
        arrays, scaled = self.arrays, self.scaled
        fixed = np.array([round(values.get(name, 0.0)) for name in self.names], float)
        point = np.zeros(len(arrays.decisions))
        point[self.integer - arrays.flows] = fixed
        closed = self.switches.closed(point, point)
        free, n = np.where(closed, np.inf, 0.0), self.model.network.size
        # No route takes a column that leads from nowhere or to nowhere.
        closed[:n] = np.isinf(self.routes.spare(free[:n], self.routes.lengths(free[:n])))
        self.open = np.append(np.flatnonzero(~closed), np.arange(arrays.flows, len(arrays.cost)))
        lower, upper = scaled.lower.copy(), scaled.upper.copy()
        lower[self.integer] = upper[self.integer] = fixed / scaled.column[self.integer]
        lower[self.heights], upper[self.heights] = 0.0, np.inf
        some = self.open
        small = replace(
            scaled, arrays=replace(arrays, integer=arrays.integer[some]), column=scaled.column[some],
            cost=scaled.cost[some], lower=lower[some], upper=upper[some],
            matrix=csr_array(scaled.matrix[:, some]),
        )  # fmt: skip
        idle = (np.diff(small.matrix.indptr) == 0) & (small.row_lower <= 0) & (small.row_upper >= 0)
        self.lp = Lp(small, ~idle, self.clock, self.seed)
        self.slope, self.height = np.full((2, self.model.notes["cells"].count), np.nan)  # as lines are set

    def _slope(self, variance: dict[tuple[int, int, int], float]) -> None:
        """Set each root's line: the tangent at its variance, or a steep chord where a cell holds nothing."""
        cells = self.model.notes["cells"]
        at = np.array([variance.get(key, 0.0) for key in cells.keys])
        least = 1e-4 * cells.high
        held, some = at > least, cells.high > 0
        slope, height = np.zeros((2, len(at)))
        slope[held], height[held] = 0.5 / at[held] ** 0.5, 0.5 * at[held] ** 0.5
        slope[some & ~held] = least[some & ~held] ** -0.5
        shift = len(self.arrays.cost) - len(self.open)
        changed = some & ((slope != self.slope) | (height != self.height))
        for n in np.flatnonzero(changed).tolist():
            row = self.root_row[n]
            self.lp.set_entry(row, self.envelope_column[n] - shift, 0.0)
            self.lp.set_entry(row, self.variance_column[n] - shift, -float(slope[n]))
            self.lp.set_row(row, float(height[n]), float(height[n]))
        self.slope, self.height = slope, height

    def improve(
        self, values: dict[str, float], variance: dict[tuple[int, int, int], float], rounds: int = 6
    ) -> Design | None:
        """Best design that the held decisions allow; None where none was found.

        Parameters
        ----------
        values
            Whole decisions by name.
        variance
            Variance by cell from which the slopes start.
        rounds
            Linear programs at most.
        """
        self.hold(values)
        best: Design | None = None
        for _ in range(rounds):
            self._slope(variance)
            found = self.lp.solve(max(self.clock.left, 2.0))
            if found is None:
                break
            point = np.zeros(len(self.arrays.cost))
            point[self.open] = found
            design = price(self.model, self.arrays, point)
            if design is not None and (best is None or design.cost < best.cost):
                gain = np.inf if best is None else best.cost - design.cost
                best = design
            else:
                gain = 0.0
            after = self._variance()
            if not variance or (best is not None and gain <= 1e-9 * max(1.0, abs(best.cost))):
                break
            variance = after
        return best

    def _variance(self) -> dict[tuple[int, int, int], float]:
        cells = self.model.notes["cells"]
        keys = cells.keys
        roots = self.model.pyomo.root.values() if cells.count else []
        return {key: root.value**2 for key, root in zip(keys, roots, strict=True)}
