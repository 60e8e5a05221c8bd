r"""The way to a level of a concave function: what its slopes at the last steps leave of it.

Each step told a linear function that lies nowhere below the concave one, :math:`L(u) \le c_i + g_i^\top u`.
The next step is the shortest one to where all that are kept reach a level (the level method of Lemaréchal,
Nemirovskii and Nesterov 1995, from the last point as in Kiwiel 1996):

.. math:: \min_d \tfrac12 d^\top S d \quad \text{subject to} \quad c_i + g_i^\top (u + d) \ge \bar L,
          \qquad d = S^{-1} \sum_i \lambda_i g_i

With one function kept this is the step of Polyak (1969).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

import numpy as np
from scipy.linalg import cholesky, solve_triangular
from scipy.optimize import nnls
from scipy.sparse import csr_array, hstack

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Places = NDArray[np.int32]
    Floats = NDArray[np.float64]

__all__ = ["Bundle"]

T = TypeVar("T")

MOST = 60
"""Functions that are kept."""

LEAST = 0.01
"""Measure of a coordinate at least, as a part of the mean of those of the first slope."""

FLOOR = 0.3
"""Size of a coordinate that is 0, as a part of the median of the others."""

BLUR = 1e-6
"""Part of each square that is added to it: slopes that are nearly alike leave weights open."""


class Bundle(Generic[T]):
    r"""The last linear functions above a concave one.

    Coordinates are measured by the root of the first slope that they had over their size at the best point
    so far, :math:`S_{jj} = |g_j|^{1/2} |u_j|^{-1/2}`: a dual that is large may well change by more than one
    that is small.

    Parameters
    ----------
    size
        Number of coordinates.

    Attributes
    ----------
    origin
        What each function came from, (functions,).
    weight
        Of each function in the last step, (functions,).
    """

    def __init__(self, size: int) -> None:
        self.slope_part, self.size_part = np.zeros(size), np.full(size, FLOOR**0.5)
        self.inverse = np.zeros(size)
        self.least = 0.0
        # Slopes one after the other: where each begins, and its places and entries, with room for more.
        self.start: Places = np.zeros(1, np.int32)
        self.place: Places = np.empty(0, np.int32)
        self.slope: Floats = np.empty(0)
        self.matrix = csr_array((0, size))  # of the slopes, (functions, coordinates)
        self.origin: list[T] = []
        self.constant, self.weight = np.zeros((2, 0))
        self.products = np.zeros((0, 0))

    def add(self, place: Ints, slope: Floats, constant: float, origin: T) -> None:
        """Keep a function, with its slope in some places; of too many the oldest that is not needed goes."""
        if len(self.origin) == MOST:
            self._forget(int(np.argmin(self.weight > 0)))
        root = np.sqrt(np.abs(slope))
        self.least = self.least or LEAST * float(root.mean()) if len(place) else self.least
        new = self.inverse[place] == 0
        self.slope_part[place[new]] = 1.0 / (root[new] + self.least)
        self.inverse[place[new]] = self.slope_part[place[new]] * self.size_part[place[new]]
        self._append(place, slope)
        self.origin.append(origin)
        self.constant, self.weight = np.append(self.constant, constant), np.append(self.weight, 0.0)
        measured = np.zeros(len(self.inverse))
        measured[place] = slope * self.inverse[place]
        row = self.matrix @ measured
        before, self.products = self.products, np.empty((len(row), len(row)))
        self.products[:-1, :-1] = before
        self.products[-1] = self.products[:, -1] = row

    def measure(self, point: Floats) -> None:
        """Measure coordinates by their size at a point, unless it is nought."""
        size = np.abs(point)
        if not size.any():
            return
        self.size_part = np.sqrt(size / np.median(size[size > 0]) + FLOOR)
        self.inverse = self.slope_part * self.size_part
        known = np.flatnonzero(self.inverse)
        slopes = self.matrix[:, known].toarray()
        self.products = (slopes * self.inverse[known]) @ slopes.T

    def step(self, point: Floats, level: float) -> Floats:
        """Return the shortest step to where all functions reach a level; nearly there, where none do."""
        short = level - self.constant - self.matrix @ point
        length = np.sqrt(np.diag(self.products))
        length[length == 0] = np.inf  # what has no slope cannot be raised
        ask = short / length
        most = max(float(ask.max()), 0.0)
        self.weight = np.zeros(len(short))
        if most > 0:
            square = self.products / np.outer(length, length)
            square.flat[:: len(short) + 1] += BLUR
            root = cholesky(square)
            wanted = solve_triangular(root, ask / most, trans="T")
            try:
                weight = nnls(root, wanted, maxiter=30 * len(short))[0]
            except RuntimeError:  # it goes round in circles: the last function is better than none
                weight = np.append(np.zeros(len(short) - 1), max(ask[-1] / most, 0.0))
            self.weight = weight * most / length
        return np.asarray(self.matrix.T @ self.weight * self.inverse)

    def widen(self, slope: Floats) -> None:
        """Add coordinates in which the last point is 0, given all slopes there, (functions, coordinates)."""
        first = np.abs(slope[(slope != 0).argmax(axis=0), np.arange(slope.shape[1])])
        slope_part = np.where(first > 0, 1.0 / (np.sqrt(first) + self.least), 0.0)
        size_part = np.full(len(first), FLOOR**0.5)
        inverse = slope_part * size_part
        self.slope_part = np.append(self.slope_part, slope_part)
        self.size_part = np.append(self.size_part, size_part)
        self.inverse = np.append(self.inverse, inverse)
        self.matrix = csr_array(hstack([self.matrix, csr_array(slope)]))
        self.start, self.place, self.slope = self.matrix.indptr, self.matrix.indices, self.matrix.data
        self.products = self.products + (slope * inverse) @ slope.T

    def _append(self, place: Ints, slope: Floats) -> None:
        """Put a slope below the others, which stay where they are while there is room."""
        begin = int(self.start[-1])
        end = begin + len(place)
        if end > len(self.place):
            self.place, self.slope = np.resize(self.place, 2 * end), np.resize(self.slope, 2 * end)
        self.place[begin:end], self.slope[begin:end] = place, slope
        self._read(np.append(self.start, np.int32(end)))

    def _read(self, start: Places) -> None:
        """Look at the slopes as a matrix."""
        self.start, end = start, int(start[-1])
        shape = len(start) - 1, len(self.inverse)
        self.matrix = csr_array((self.slope[:end], self.place[:end], start), shape=shape)

    def _forget(self, number: int) -> None:
        begin, end, last = self.start[[number, number + 1, -1]].tolist()
        stay = slice(begin, begin + last - end)
        self.place[stay], self.slope[stay] = self.place[end:last], self.slope[end:last]
        start = np.delete(self.start, number + 1)
        start[number + 1 :] -= end - begin
        self._read(start)
        del self.origin[number]
        self.constant, self.weight = np.delete(self.constant, number), np.delete(self.weight, number)
        self.products = np.delete(np.delete(self.products, number, 0), number, 1)
