"""What a running solve tells whoever watches it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["Event", "Progress"]


@dataclass(frozen=True)
class Event:
    """One report of a running solve.

    Parameters
    ----------
    phase
        What is being done, in words a planner knows ("as-is", "linear program", "improving", …).
    seconds
        Time since the solve began, in s.
    incumbent
        True cost of the best design so far, in currency/year; None before there is one.
    bound
        Best valid lower bound so far, in currency/year; None before there is one.
    gap
        (incumbent - bound) / max(|incumbent|, 1e-9), a share; None while either is missing.
    strategy
        Strategy of a batch that it is about; blank where one alone is solved.
    state
        Of that strategy: ``waiting``, ``running``, ``done``, ``kept`` (done before) or ``stopped``.
    """

    phase: str
    seconds: float
    incumbent: float | None = None
    bound: float | None = None
    gap: float | None = None
    strategy: str = ""
    state: str = "running"


Progress = Callable[[Event], None]
"""Called by the solve at every event; it should return at once."""
