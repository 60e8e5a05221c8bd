"""The row of the checks table, and the three ways to fill it.

A check looks at many places at once and reports the worst of them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike

    from scopt.verify.case import Floats

__all__ = ["TOLERANCE", "Check", "at_least", "at_most", "none_of", "same", "worst"]

TOLERANCE = 1e-6
NOT_BINDING = " (reported, not binding)"


@dataclass(frozen=True)
class Check:
    """One row: the model's value and the recomputed one at the worst place, and their relative difference."""

    check: str
    model: float = 0.0
    recomputed: float = 0.0
    difference: float = 0.0
    ok: bool = True
    where: str = ""


def _nowhere(place: int) -> str:
    return ""


def _worst(
    name: str,
    model: Floats,
    recomputed: Floats,
    difference: Floats,
    where: Callable[[int], str],
    binding: bool,
) -> Check:
    """Report the place of the largest difference; a NaN is worse than anything."""
    label = name if binding else name + NOT_BINDING
    if not difference.size:
        return Check(label)
    at = int(np.argmax(np.where(np.isnan(difference), np.inf, difference)))
    ok = bool(difference[at] <= TOLERANCE)
    place = "" if difference[at] == 0 else where(at)
    return Check(
        label, float(model[at]), float(recomputed[at]), float(difference[at]), ok or not binding, place
    )


def _flat(*values: ArrayLike) -> tuple[Floats, ...]:
    arrays = np.broadcast_arrays(*(np.asarray(value, dtype=np.float64) for value in values))
    return tuple(array.ravel() for array in arrays)


def same(
    name: str,
    model: ArrayLike,
    recomputed: ArrayLike,
    where: Callable[[int], str] = _nowhere,
    *,
    scale: ArrayLike = 1.0,
    binding: bool = True,
) -> Check:
    """Compare two values: |model - recomputed| over the largest of both and `scale`."""
    left, right, floor = _flat(model, recomputed, scale)
    size = np.maximum(np.maximum(np.abs(left), np.abs(right)), floor)
    return _worst(name, left, right, np.abs(left - right) / size, where, binding)


def at_most(
    name: str,
    value: ArrayLike,
    bound: ArrayLike,
    where: Callable[[int], str] = _nowhere,
    *,
    scale: ArrayLike = 1.0,
    binding: bool = True,
) -> Check:
    """Keep a value within a bound (NaN: none): the excess over the largest of bound and `scale`."""
    left, right, floor = _flat(value, bound, scale)
    free = np.isnan(right)
    room = np.where(free, -np.inf, (left - right) / np.maximum(np.abs(right), floor))
    row = _worst(name, left, right, room, where, binding)
    if not row.difference > 0:  # nothing exceeds: the tightest place is shown, its room is not a difference
        return replace(row, difference=0.0, where="") if row.ok else row
    return row


def at_least(
    name: str,
    value: ArrayLike,
    bound: ArrayLike,
    where: Callable[[int], str] = _nowhere,
    *,
    binding: bool = True,
) -> Check:
    """Keep a value at or above a bound (NaN: none)."""
    row = at_most(name, -np.asarray(value), -np.asarray(bound), where, binding=binding)
    return replace(row, model=0.0 - row.model, recomputed=0.0 - row.recomputed)


def worst(name: str, **parts: Check) -> Check:
    """Report the worst of several checks under one name; `where` then says which part it is."""
    label, row = max(parts.items(), key=lambda part: np.nan_to_num(part[1].difference, nan=np.inf))
    place = f"{label.replace('_', ' ')}: {row.where}" if row.where else ""
    return replace(row, check=name + row.check, where=place)


def none_of(
    name: str,
    wrong: ArrayLike,
    where: Callable[[int], str] = _nowhere,
    *,
    binding: bool = True,
) -> Check:
    """Find nothing wrong anywhere: `model` counts the places that are, `where` names the first."""
    places = np.flatnonzero(np.asarray(wrong, dtype=np.bool_).ravel())
    count = len(places)
    label = name if binding else name + NOT_BINDING
    place = where(int(places[0])) if count else ""
    return Check(label, float(count), 0.0, float(count), not count or not binding, place)
