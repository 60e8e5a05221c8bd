"""What else: designs of another structure that cost nearly as much as the best one.

Designs are told apart by their whole decisions: sites open, contracts, stock points, joined pools, and lanes
or pairs of ends that pay a fee or have a least volume. Each further search is kept at least two of them away
from every design found so far (a cut of Balas and Jeroslow). A decision counts as taken only when something
runs through it: at least a hundredth of what could (`USED`), or half of what the best design lets run there
where that is less. Without this a contract that nobody uses would make another design.

Stock points without a slot cost and lanes without a fee or a least volume are no whole decisions of the
model; designs that differ in nothing else count as the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from scopt.errors import UsageError
from scopt.models.forcing import keep_apart
from scopt.questions.designs import differences
from scopt.questions.plain import records
from scopt.questions.runs import Runs
from scopt.questions.structure import Structure
from scopt.solving import build

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pandas import DataFrame

    from scopt.case import Case
    from scopt.models import Model
    from scopt.progress import Progress
    from scopt.result import Result

__all__ = ["APART", "Alternatives", "alternatives"]

APART = 2
"""Whole decisions by which designs differ at least."""


@dataclass(frozen=True, eq=False)
class Alternatives:
    """The best design of a strategy and others that cost nearly as much; ``str()`` is what is printed.

    Parameters
    ----------
    best
        The strategy as it is.
    found
        Other designs, cheapest first.
    decisions
        What each of them decides, the best one first: by (kind, name) whether it is taken.
    within
        Cost tolerance, as a share of the least cost found.
    complete
        Whether it is proven that no further design lies within the tolerance.
    messages
        What the reader should know before trusting the figures.
    """

    best: Result
    found: tuple[Result, ...]
    decisions: tuple[Mapping[tuple[str, str], bool], ...]
    within: float
    complete: bool
    messages: tuple[str, ...] = ()

    def __str__(self) -> str:
        from scopt.report.questions import alternatives_text

        return alternatives_text(self)

    @property
    def table(self) -> DataFrame:
        """One row per design, the best one first.

        Returns
        -------
        DataFrame
            design (0: the best); cost, and extra, what it costs more than the best, in currency/year;
            extra_share of the best's cost; gap of its own search; apart, the decisions in which it differs
            from the best; sites open, operators under contract, stock_points and joined sites.
        """
        rows = []
        for rank, result in enumerate((self.best, *self.found)):
            if result.cost is None or self.best.cost is None:
                continue
            extra, sites = result.cost - self.best.cost, result.sites
            rows.append((
                rank, result.cost, extra, extra / max(abs(self.best.cost), 1e-9), result.gap,
                _distance(self.decisions[0], self.decisions[rank]), int((sites["after"] == "open").sum()),
                len(result.outsourcing), len(result.stock[["site", "product"]].drop_duplicates()),
                int(sites["joined"].sum()),
            ))  # fmt: skip
        return pd.DataFrame(rows, columns=_COLUMNS)

    @property
    def differences(self) -> DataFrame:
        """What each design decides otherwise than the best: design, kind, decision, best, alternative."""
        parts = [
            differences(self.decisions[0], mine, ("best", "alternative")).assign(design=rank)
            for rank, mine in enumerate(self.decisions[1:], start=1)
        ]
        columns = ["design", "kind", "decision", "best", "alternative"]
        return pd.concat([pd.DataFrame(columns=columns), *parts], ignore_index=True)[columns]

    @property
    def costs(self) -> DataFrame:
        """Currency/year by bucket: bucket, best, then one column per design."""
        results = [result for result in (self.best, *self.found) if not result.costs.empty]
        if not results:
            return pd.DataFrame({"bucket": []})
        names = ["best", *(f"design {rank}" for rank in range(1, len(results)))]
        columns = [result.costs.set_index("bucket")["strategy"] for result in results]
        return pd.concat(columns, axis=1, keys=names).reset_index()

    def summary_json(self) -> dict[str, Any]:
        """Return the whole of it as plain values for JSON."""
        return {
            "strategy": self.best.strategy,
            "status": self.best.status,
            "within": self.within,
            "complete": self.complete,
            "currency": self.best.currency,
            "designs": records(self.table),
            "differences": records(self.differences),
            "messages": list(self.messages),
        }

    def to_excel(self, path: str | Path) -> None:
        """Write the designs as a workbook, whole or not at all.

        Parameters
        ----------
        path
            File ending in ``.xlsx``.

        Raises
        ------
        UsageError
            The file cannot be written there.
        """
        from scopt.report.questions import write_alternatives

        write_alternatives(self, path)


_COLUMNS = [
    "design", "cost", "extra", "extra_share", "gap", "apart", "sites", "operators", "stock_points", "joined",
]  # fmt: skip


def alternatives(
    case: Case,
    *,
    count: int = 5,
    within: float = 0.01,
    strategy: str = "integrated",
    gap: float | None = None,
    time_limit: float | None = None,
    seed: int = 0,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Alternatives:
    """Find designs of another structure that cost nearly as much as the best one.

    Parameters
    ----------
    case
        The case.
    count
        Designs at most, the best one not counted.
    within
        What they may cost more, as a share of the least cost found.
    strategy
        Name of a strategy of the case.
    gap, time_limit, seed, threads
        As in `scopt.solve`, for each search.
    progress
        Called at every event.

    Returns
    -------
    Alternatives
        Each at least two whole decisions away from the best and from one another. Each is the cheapest that
        is left at its turn, within its gap.

    Raises
    ------
    UsageError
        The case has no such strategy, or a number is out of range.
    """
    if count < 1 or within < 0:
        raise UsageError("the count must be at least 1 and the tolerance must not be negative")
    model = build(case, strategy)
    runs = Runs(
        case, strategy, {"gap": gap, "time_limit": time_limit, "seed": seed, "threads": threads}, progress
    )
    best = runs("best")
    if best.cost is None:
        return Alternatives(best, (), (), within, complete=False, messages=best.messages)
    return _Work(runs, Structure(model), count, within).run(best)


@dataclass(eq=False)
class _Work:
    """One call of `alternatives`."""

    runs: Runs
    structure: Structure
    count: int
    within: float

    def run(self, best: Result) -> Alternatives:
        structure, messages = self.structure, list(best.messages)
        results, designs = [best], [structure.design(best)]
        floors, complete = structure.floors(best), len(structure.keys) < APART
        while not complete and len(results) <= self.count and not self.runs.interrupted:

            def extend(model: Model) -> None:
                structure.let_use(model, floors)
                keep_apart(model, designs, APART)

            result = self.runs(f"alternative {len(results)}", extend)
            if result.status == "infeasible":
                complete = True
                break
            least = min(float(other.cost or 0.0) for other in results)
            limit = least + self.within * abs(least)
            if result.cost is None or result.cost > limit:
                complete = result.bound is not None and result.bound > limit
                if not complete:
                    messages.append(f"whether there is a design {len(results)} within the tolerance is open")
                break
            design = structure.design(result)
            near = min(_distance(design, other) for other in designs)
            if near < APART or not result.checks["ok"].all():
                messages.append(f"checks failed for design {len(results)}; please report this defect")
            results.append(result)
            designs.append(design)
        order = [0, *sorted(range(1, len(results)), key=lambda rank: float(results[rank].cost or 0.0))]
        if any(float(other.cost or 0.0) < float(best.cost or 0.0) * (1 - 1e-9) for other in results):
            messages.append("the first search missed a cheaper design, within its gap: ask for a smaller gap")
        return Alternatives(
            best, tuple(results[rank] for rank in order[1:]),
            tuple(structure.named(designs[rank]) for rank in order), self.within, complete, tuple(messages),
        )  # fmt: skip


def _distance(first: Mapping[Any, bool], second: Mapping[Any, bool]) -> int:
    return sum(on != second[key] for key, on in first.items())
