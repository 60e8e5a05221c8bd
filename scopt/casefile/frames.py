"""Tables of the case as arrays: made of typed columns, and rows told apart by their keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

__all__ = ["blank_in_key", "first_rows", "key_codes", "records", "repeats", "typed_frame"]


def typed_frame(columns: Mapping[str, NDArray[Any]]) -> pd.DataFrame:
    """Return a table of columns as they are; text stays of dtype object in every version of pandas."""
    return pd.DataFrame({name: pd.Series(cells, dtype=cells.dtype) for name, cells in columns.items()})


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows as dicts of column to value; for small tables."""
    return [dict(zip(table.columns, row, strict=True)) for row in table.itertuples(index=False, name=None)]


def key_codes(table: pd.DataFrame, columns: Sequence[str]) -> NDArray[np.int64]:
    """Return one number per row, equal where all the columns are equal; shape (rows,)."""
    codes = np.zeros(len(table), dtype=np.int64)
    for column in columns:
        part, distinct = pd.factorize(table[column].to_numpy())
        # Numbered anew after each column, so that the product cannot overflow.
        codes, _ = pd.factorize(codes * (len(distinct) + 1) + part + 1)
    return codes


def repeats(codes: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return the mask of the rows whose code has occurred before; shape (rows,)."""
    return pd.Series(codes).duplicated().to_numpy()


def first_rows(codes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return for each row the position of the first row with its code; shape (rows,)."""
    _, first, group = np.unique(codes, return_index=True, return_inverse=True)
    return np.asarray(first[group])


def blank_in_key(table: pd.DataFrame, columns: Sequence[str]) -> NDArray[np.bool_]:
    """Return the mask of the rows with a blank in one of the columns; shape (rows,)."""
    blank = np.zeros(len(table), dtype=bool)
    for column in columns:
        cells = table[column]
        blank |= (cells.isna() if cells.dtype.kind == "f" else cells == "").to_numpy()
    return blank
