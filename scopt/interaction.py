"""How levers work together: each alone, all at once, and one decided after another.

Whoever decides one after another moves the first lever with all others frozen at today's, keeps what was
decided, moves the second, and so on. Each step's design is one of the next step's and the last one's is one
of the integrated strategy's, so deciding jointly never costs more.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import pandas as pd

from scopt.batch import Task
from scopt.case import LEVERS, ORDER, Decided, Strategy
from scopt.errors import UsageError
from scopt.search.hints import Hints

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from scopt.case import Case
    from scopt.search.method import Options
    from scopt.solved import Solved

__all__ = ["FROZEN", "Interaction", "interaction_of", "order_of", "tasks_of"]

FROZEN = "no lever"
"""Name of the chain that is frozen at today's, but keeps limits and minimum volumes."""


def order_of(levers: Iterable[str] | None) -> tuple[str, ...]:
    """Return the order in which levers are decided; those that are not named are not moved.

    Raises
    ------
    UsageError
        A name is no lever that has an effect, or stands there twice.
    """
    order = tuple(ORDER) if levers is None else tuple(levers)
    wrong = [lever for lever in order if lever not in ORDER]
    if wrong or len(set(order)) < len(order) or not order:
        raise UsageError(
            f"a sequence names levers once each: {', '.join(ORDER)}; not {', '.join(order) or 'nothing'}"
        )
    return order


def tasks_of(case: Case, options: Options, order: tuple[str, ...], asked: Iterable[str]) -> list[Task]:
    """Return the searches that the interaction of levers needs, the integrated strategy apart.

    These are the chain with all levers off, each lever alone, and a step for each further lever of the order.
    A strategy that was asked for and moves one lever alone stands for it.
    """
    frozen = Task(FROZEN, case, _moving(FROZEN, ()), options)
    own = names_alone(case, asked)
    alone = [Task(own[lever], case, _moving(own[lever], (lever,)), options) for lever in ORDER]
    steps: list[Task] = []
    names = step_names(order, own)
    for number in range(1, len(order)):
        strategy = _moving(names[number], order[: number + 1])
        keep = partial(_keep_decided, order=order)
        steps.append(Task(names[number], case, strategy, options, after=names[:number], prepare=keep))
    return [frozen, *(task for task in alone if task.name not in asked), *steps]


def _moving(name: str, levers: Iterable[str]) -> Strategy:
    moved: dict[str, Any] = dict.fromkeys(LEVERS, False) | dict.fromkeys(levers, True)
    return Strategy(name=name, **moved)


def names_alone(case: Case, asked: Iterable[str]) -> dict[str, str]:
    """Name of the search that moves one lever alone, by lever."""
    out = {lever: f"{lever} alone" for lever in ORDER}
    changed = set(case.changes["strategy"])
    for name in asked:
        moved = [lever for lever in ORDER if getattr(case.strategies[name], lever)]
        if len(moved) == 1 and name not in changed:
            out[moved[0]] = name
    return out


def step_names(order: tuple[str, ...], alone: Mapping[str, str]) -> tuple[str, ...]:
    """Names of the steps; the first one moves its lever alone."""
    return (alone[order[0]], *(f"{', '.join(order[:n])}, then {order[n]}" for n in range(1, len(order))))


def _keep_decided(task: Task, found: Mapping[str, Solved], order: tuple[str, ...]) -> Task:
    """Freeze what the last step with a design decided, and begin with that design."""
    for number in range(len(task.after), 0, -1):
        before = found[task.after[number - 1]]
        if before.start is not None:
            decided = Decided.of(before.tables, order[:number])
            strategy = replace(task.strategy, decided=decided)
            return replace(task, strategy=strategy, hints=Hints((before.start,), root=before.root))
    return task


def interaction_of(
    case: Case, order: tuple[str, ...], asked: Iterable[str], found: Mapping[str, Solved]
) -> Interaction | None:
    """Read the interaction of levers off what was searched; None where an interrupt left searches out."""
    alone = names_alone(case, asked)
    steps = dict(zip(order, step_names(order, alone), strict=True))
    if {FROZEN, "integrated", *alone.values(), *steps.values()} - found.keys():
        return None
    return Interaction(
        found[FROZEN].cost,
        found["integrated"].cost,
        {lever: found[name].cost for lever, name in alone.items()},
        {lever: found[name].cost for lever, name in steps.items()},
    )


@dataclass(frozen=True, eq=False)
class Interaction:
    """What levers save alone, one after another, and together.

    Parameters
    ----------
    frozen, joint
        Cost of the chain with all levers off, and of the integrated strategy, currency/year; None without a
        design, here and below.
    alone
        Cost of moving each lever alone.
    steps
        Cost after each step of the sequence, by the lever decided in it, in the order of the sequence.
    """

    frozen: float | None
    joint: float | None
    alone: Mapping[str, float | None]
    steps: Mapping[str, float | None]

    @property
    def table(self) -> pd.DataFrame:
        """One row per lever: lever, alone (saving), step (saving of its turn), sequence (saving so far).

        Savings are measured against the chain with all levers off, in currency/year; blank where either side
        has no design.
        """
        rows, before = [], self.frozen
        for lever in [*self.steps, *(lever for lever in self.alone if lever not in self.steps)]:
            after = self.steps.get(lever)
            alone = _less(self.frozen, self.alone[lever])
            rows.append((lever, alone, _less(before, after), _less(self.frozen, after)))
            before = after
        table = pd.DataFrame(rows, columns=["lever", "alone", "step", "sequence"])
        return table.astype({"alone": float, "step": float, "sequence": float})

    @property
    def summary(self) -> pd.DataFrame:
        """Figure, value (currency/year) and meaning: what is gained or lost by deciding jointly."""
        alone = self.table["alone"]
        total = float(alone.sum()) if alone.notna().all() else None
        joint = _less(self.frozen, self.joint)
        last = _less(self.frozen, list(self.steps.values())[-1])
        rows = [
            ("joint saving", joint, "all levers decided together"),
            ("sum of single savings", total, "each lever alone, added up"),
            (
                "interaction",
                _less(joint, total),
                "joint saving less that sum: below 0 they overlap, above 0 they help each other",
            ),
            ("sequential saving", last, f"one after another: {', '.join(self.steps)}"),
            ("gain of deciding jointly", _less(joint, last), "joint saving less the sequential one"),
        ]
        return pd.DataFrame(rows, columns=["figure", "value", "meaning"])


def _less(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else one - other
