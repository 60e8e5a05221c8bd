"""Routes that were found so far, each a column of restricted masters."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csc_array, hstack

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]

__all__ = ["Paths"]


class Paths:
    """Routes by number; several masters may add to them, and a route keeps its number for good.

    Parameters
    ----------
    columns
        Number of columns of the network.

    Attributes
    ----------
    matrix : (columns, routes)
        1 where a route takes a column.
    """

    def __init__(self, columns: int) -> None:
        label = np.random.default_rng(0).integers(1, 2**63, columns, dtype=np.uint64)
        self._label, self._number = label, dict[int, int]()
        self._lock = threading.Lock()
        self.matrix = csc_array((columns, 0))

    @property
    def count(self) -> int:
        """How many there are."""
        return int(self.matrix.shape[1])

    def add(self, column: Ints, route: Ints) -> Ints:
        """Numbers of routes, new ones and such as are known; they are told apart by a sum of labels.

        Parameters
        ----------
        column, route
            Columns of the network, and for each the route (0, 1, ...) that it belongs to.
        """
        if not len(column):
            return np.empty(0, np.int64)
        count = int(route.max()) + 1
        key = np.zeros(count, np.uint64)
        np.add.at(key, route, self._label[column])
        with self._lock:
            numbers = np.array(
                [self._number.setdefault(k, len(self._number)) for k in key.tolist()], np.int64
            )
            fresh, first = np.unique(numbers, return_index=True)
            first = first[fresh >= self.count]
            if len(first):
                every = csc_array((np.ones(len(column)), (column, route)), shape=(len(self._label), count))
                self.matrix = csc_array(hstack([self.matrix, every[:, first]], format="csc"))
        return numbers
