"""Solves of one strategy with rules on top, that share today's chain."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from scopt.solving import solve

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from scopt.case import Case
    from scopt.models import Model
    from scopt.progress import Event, Progress
    from scopt.result import Result

__all__ = ["Runs"]


@dataclass
class Runs:
    """Solves of a strategy, one after the other.

    Parameters
    ----------
    case, strategy
        What is solved.
    options
        Of `scopt.solve`: gap, time_limit, seed, threads; None is the default.
    progress
        Called at every event; its phase starts with what is being asked.
    """

    case: Case
    strategy: str
    options: Mapping[str, Any]
    progress: Progress | None = None
    searches: dict[str, Any] = field(default_factory=dict)
    count: int = 0

    @property
    def gap(self) -> float:
        """Relative gap that is asked for."""
        asked = self.options.get("gap")
        return float(self.case.settings.mip_gap if asked is None else asked)

    def __call__(
        self, label: str, extend: Callable[[Model], None] | None = None, *, anew: bool = False
    ) -> Result:
        """Solve the strategy with rules on top, from its design without them unless `anew`."""
        self.count += 1
        known = self.searches
        if anew:
            known = {name: solved for name, solved in known.items() if name != self.strategy}
        return solve(
            self.case, self.strategy, **self.options, extend=extend, searches=known,
            progress=None if self.progress is None else self._named(label),
        )  # fmt: skip

    @property
    def interrupted(self) -> bool:
        """Whether a search without further rules was stopped by hand."""
        return any(solved.interrupted for solved in self.searches.values())

    def _named(self, label: str) -> Progress:
        def report(event: Event) -> None:
            if self.progress is not None:
                self.progress(replace(event, phase=f"{label}: {event.phase}"))

        return report
