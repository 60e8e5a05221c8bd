"""Tables as plain values, for JSON."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["plain", "records"]


def plain(value: Any) -> Any:
    """Return a value as it is; None for a number that is missing or not finite."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def records(table: DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a table as plain values."""
    return [{str(k): plain(v) for k, v in row.items()} for row in table.astype(object).to_dict("records")]
