"""Matrices of rows that are given one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import csr_array

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["stacked"]


def stacked(rows: Sequence[tuple[NDArray[np.int64], NDArray[Any]]], width: int) -> csr_array:
    """Return the matrix of rows told by their columns and entries, (rows, width)."""
    columns = [np.empty(0, np.int64), *(column for column, _ in rows)]
    entries = [np.empty(0), *(entry for _, entry in rows)]
    start = np.cumsum([*map(len, columns)])
    return csr_array((np.concatenate(entries), np.concatenate(columns), start), shape=(len(rows), width))
