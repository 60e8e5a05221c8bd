r"""The prices that a decision hangs on: what each adds to a model, and how a design's cost grows with it.

A price is changed by an amount t for one decision alone, on top of what the case says, in every model of the
strategy (`Price.add`). A design that takes the decision then costs :math:`C + s\,t`, where the slope s is
read off its tables (`Price.slope`): 1 for a yearly fee, its volume for a unit cost, its volume at selling
prices for a margin.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd
    from numpy.typing import NDArray

    from scopt.models import Model
    from scopt.questions.decision import Decision
    from scopt.result import Result

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]

__all__ = ["Price", "one_value", "per_switch", "per_unit"]


@dataclass(frozen=True)
class Price:
    """One price of a decision.

    Parameters
    ----------
    name
        Column of the case it stands in.
    unit
        Its unit.
    now
        What the case says; None where it says more than one thing (products, tiers or lanes differ).
    add
        Adds a change of the price to a model.
    slope
        Money a year by which a design's cost grows per unit of change.
    when_taken
        Whether it is paid while the decision is taken; else while it is not.
    constant
        Whether the slope is the same in all designs that pay it.
    least
        Smallest change that can be tried: a fee that is paid with use cannot fall below zero.
    """

    name: str
    unit: str
    now: float | None
    add: Callable[[Model, float], None]
    slope: Callable[[Result], float]
    when_taken: bool = True
    constant: bool = False
    least: float = -np.inf


def one_value(values: Any) -> float | None:
    """Return the value that all are equal to, else None."""
    distinct = np.unique(np.asarray(values, float))
    return float(distinct[0]) if len(distinct) == 1 else None


def per_unit(
    decision: Decision, weight: pd.Series[float], bucket: Callable[[Model, Ints], dict[str, Ints]], at: str
) -> dict[str, Any]:
    """Make `add` and `slope` of a price per unit with a weight per product."""

    def add(model: Model, change: float) -> None:
        column = decision.columns(model)
        each = np.asarray(change * weight.to_numpy(float)[model.network.product], float)
        for name, part in bucket(model, column).items():
            model.charge(name, each[part], part, at=at)

    def slope(result: Result) -> float:
        units = decision.carried(result).groupby("product")["units"].sum()
        return float((units * weight.reindex(units.index)).sum())

    return {"add": add, "slope": slope}


def per_switch(
    bucket: str,
    amount: float,
    switches: Callable[[Model], list[Any]],
    count: Callable[[Result], float],
    site: int = -1,
) -> dict[str, Any]:
    """Make `add` and `slope` of a yearly fee: `amount` for each switch that is on."""

    def add(model: Model, change: float) -> None:
        for switch in switches(model):
            model.pay(bucket, change * amount * switch, site=site)

    return {"add": add, "slope": lambda result: amount * count(result)}
