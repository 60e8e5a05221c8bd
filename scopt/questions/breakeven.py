r"""Break-even: the price at which a decision flips.

Let P(t) be the least cost of the designs that pay a price, when it is t dearer than the case says, and Q the
least cost of those that do not. Q does not depend on t. P is concave and piecewise linear, for each design
costs :math:`C + s\,t` with a slope s of its own; so

.. math:: P(t) \le C_k + s_k (t - t_k) \quad\text{for every design k seen at } t_k ,

and the decision flips where P(t) = Q. For a yearly fee s is the same in every design, and one line gives the
answer: :math:`t^* = (Q - P(0)) / s`. Otherwise Newton's method follows the lines; each step is one solve,
and after the first it moves up to the root from below. What is known of P and Q are costs and bounds, so the
answer is an interval: below it the decision is proven one way, above it the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from scopt.questions.prices import Price

__all__ = ["Answer", "Line", "break_even"]

STEPS = 8
"""Newton steps at most; each is a solve."""

LEVEL = 1e-7
"""Costs that differ by less than this part of them are level."""


@dataclass(frozen=True)
class Line:
    """A solve of the designs that pay a price.

    Parameters
    ----------
    change
        Change of the price, t.
    cost, bound
        Of the best design at that price, money per year.
    slope
        Money per year and unit of change, of that design.
    """

    change: float
    cost: float
    bound: float
    slope: float


@dataclass(frozen=True)
class Answer:
    """Where a price makes a decision flip, as changes of the price.

    Parameters
    ----------
    change
        Where the best designs known on both sides cost the same; None where no price does it.
    low, high
        The flip is proven to lie between them.
    slope
        Money per year and unit of change near the flip.
    reason
        Why there is no such price, or what is left open.
    below, above
        Whether the free problem paid the price a little below `low` and above `high`; None: not tried.
    tried
        The two changes at which that was tried.
    """

    change: float | None
    low: float = np.nan
    high: float = np.nan
    slope: float = np.nan
    reason: str = ""
    below: bool | None = None
    above: bool | None = None
    tried: tuple[float, float] = (np.nan, np.nan)

    @property
    def confirmed(self) -> bool | None:
        """Whether the free problem flips as it should; None where that was not tried on both sides."""
        if self.below is None or self.above is None:
            return None
        return self.below and not self.above


def break_even(
    price: Price, first: Line, other: tuple[float, float], evaluate: Callable[[float], Line | None]
) -> Answer:
    """Find where designs that pay a price cost as much as those that do not.

    Parameters
    ----------
    price
        The price; its `now` tells how far it can fall.
    first
        The designs that pay it, at today's price.
    other
        Cost and bound of those that do not pay it.
    evaluate
        Solves the designs that pay it at another price; None when it was stopped without one.
    """
    lines, (cost, bound) = [first], other
    proven = ""
    if first.slope <= 0 and first.cost > cost and price.now:
        # The best design leaves it idle; does any use it when that costs nothing?
        free = evaluate(-price.now)
        if free is None or free.bound <= cost:
            lines, proven = [*lines, *([] if free is None else [free])], ", as far as the gaps tell"
    if not any(line.slope > 0 for line in lines):
        return Answer(None, reason=_never(price, first, cost) + proven)
    while not price.constant and len(lines) <= STEPS:
        root = max(_root(line, cost) for line in lines if line.slope > 0)
        if any(abs(line.change - root) * line.slope <= LEVEL * abs(cost) for line in lines if line.slope > 0):
            break
        line = evaluate(root)
        if line is None:
            break
        lines.append(line)
        if line.slope <= 0 or cost - line.cost <= _noise(line, cost, bound):
            break
    idle = [line for line in lines if line.slope <= 0 and line.cost < cost - _noise(line, cost, bound)]
    if idle:
        return Answer(None, reason=_never(price, idle[0], cost))
    high = _high(price, lines, cost, evaluate)
    useful = [line for line in lines if line.slope > 0]
    root, low = (max(_root(line, level) for line in useful) for level in (cost, bound))
    return Answer(root, min(low, root), max(high, root), min(line.slope for line in useful))


def _noise(line: Line, cost: float, bound: float) -> float:
    """Difference of cost that the gaps make meaningless."""
    return LEVEL * abs(cost) + 0.1 * (line.cost - line.bound + cost - bound)


def _root(line: Line, cost: float) -> float:
    """Change at which the design of a line costs `cost`."""
    return line.change + (cost - line.cost) / line.slope


def _never(price: Price, line: Line, cost: float) -> str:
    if line.cost <= cost:
        return "however high: left idle, it costs nothing more"
    return "as it would stand idle" if price.now is None else "not even free of charge"


def _high(price: Price, lines: list[Line], cost: float, evaluate: Callable[[float], Line | None]) -> float:
    """Change from which on the designs that pay are proven dearer; adds the lines that it needs.

    P is concave, so between two changes it lies above the chord of its bounds there, and P never falls.
    """
    if price.constant:
        return min(line.change + (cost - line.bound) / line.slope for line in lines)
    left = max((line for line in lines if line.bound < cost), key=lambda x: x.change, default=lines[0])
    right = [line for line in lines if line.bound >= cost]
    step = 2.0 * (cost - left.bound) / max(line.slope for line in lines)
    while not right and len(lines) < STEPS + 3:
        line = evaluate(left.change + step)
        if line is None:
            return np.inf
        lines.append(line)
        if line.bound >= cost:
            right = [line]
        else:
            left, step = line, 4.0 * step
    if not right:
        return np.inf
    near = min(right, key=lambda line: line.change)
    if near.change <= left.change:
        return near.change
    return left.change + (near.change - left.change) * (cost - left.bound) / (near.bound - left.bound)
