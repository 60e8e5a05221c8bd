"""Rows that are given one by one, and models with more rows at their end."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import csc_array, csr_array, vstack

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from scopt.models import Arrays

    Floats = NDArray[np.float64]

__all__ = ["below", "stacked", "with_rows"]


def stacked(rows: Sequence[tuple[NDArray[np.int64], NDArray[Any]]], width: int) -> csr_array:
    """Return the matrix of rows told by their columns and entries, (rows, width)."""
    columns = [np.empty(0, np.int64), *(column for column, _ in rows)]
    entries = [np.empty(0), *(entry for _, entry in rows)]
    start = np.cumsum([*map(len, columns)])
    return csr_array((np.concatenate(entries), np.concatenate(columns), start), shape=(len(rows), width))


def below(matrix: csc_array, rows: csr_array) -> csc_array:
    """Return a matrix with a few more rows at its end; columns stay sorted, nothing is sorted anew."""
    more = csc_array(rows)
    place = np.repeat(matrix.indptr[1:], np.diff(more.indptr))
    return csc_array(
        (
            np.insert(matrix.data, place, more.data),
            np.insert(matrix.indices, place, more.indices + matrix.shape[0]),
            matrix.indptr + more.indptr,
        ),
        shape=(matrix.shape[0] + rows.shape[0], matrix.shape[1]),
    )


def with_rows(
    arrays: Arrays, name: str, rows: csr_array, lower: Floats, upper: Floats, *, lazy: bool
) -> Arrays:
    """Return the arrays with rows at their end; those that come after others of the name are one block.

    Parameters
    ----------
    arrays
        Of a model.
    name
        Of the block.
    rows
        Matrix of the rows, (rows, columns).
    lower, upper
        Bounds of the rows, (rows,).
    lazy
        Whether they may be left out at first.
    """
    count = rows.shape[0]
    (last, before), others = arrays.row_blocks[-1], arrays.row_blocks[:-1]
    blocks = [*others, (name, before + count)] if last == name else [*arrays.row_blocks, (name, count)]
    return replace(
        arrays, matrix=csr_array(vstack([arrays.matrix, rows])), row_lower=np.r_[arrays.row_lower, lower],
        row_upper=np.r_[arrays.row_upper, upper], lazy=np.r_[arrays.lazy, np.full(count, lazy)],
        row_blocks=blocks,
    )  # fmt: skip
