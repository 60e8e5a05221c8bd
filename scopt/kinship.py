"""In which order the strategies of a case are searched, and which tells which what it found.

As-is comes first: it is quick, and savings are measured against it. The integrated strategy takes longest and
is next. Those that move some of its levers with the same data wait for it: its bound is theirs too, its
design a start, and where that design is allowed to them they are done at once. Those that move the same
levers on other data wait as well: its design is a start, and from the basis of its relaxation theirs takes a
small part of the time. All others gain little from waiting. Who hears of whom depends on the strategies alone
and not on which happens to be finished first, so that a comparison gives the same result when it is run
again.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from scopt.batch.kept import data_digest
from scopt.case import ORDER
from scopt.search.hints import Hints
from scopt.solved import chain_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from scopt.batch import Executor, Task
    from scopt.case import Strategy
    from scopt.solved import Solved

__all__ = ["in_order"]

_CENTRE = "integrated"


def in_order(tasks: Sequence[Task], executor: Executor) -> list[Task]:
    """Order the tasks of one case for an executor, those that take longest first."""
    tasks = [replace(task, threads=executor.threads) for task in tasks]
    centre = [task for task in tasks if task.name == _CENTRE]
    as_is = [task for task in tasks if task.strategy.measured]
    steps = [task for task in tasks if task.after]
    small = [task for task in tasks if task not in [*as_is, *steps] and _levers(task.strategy) <= 1]
    large = [task for task in tasks if task not in [*as_is, *centre, *steps, *small]]
    inner = [task for task in large if centre and _is_within(task, centre[0])]
    alike = [task for task in large if centre and task not in inner and _moves_as(task, centre[0])]
    others = [task for task in large if task not in [*inner, *alike]]
    heard = [
        replace(task, after=(_CENTRE,), prepare=partial(_hear, bounded=task in inner))
        for task in [*alike, *inner]
    ]
    return [*as_is, *centre, *others, *small, *steps, *heard]


def _levers(strategy: Strategy) -> int:
    return sum(getattr(strategy, lever) for lever in ORDER)


def _is_within(task: Task, centre: Task) -> bool:
    """Whether every design of a task is one of the integrated strategy, at the same cost."""
    narrow, wide = chain_of(task.case, task.strategy), chain_of(centre.case, centre.strategy)
    return wide.allows_all_of(narrow) and data_digest(wide.case) == data_digest(narrow.case)


def _moves_as(task: Task, centre: Task) -> bool:
    """Whether a task moves the levers of the integrated strategy."""
    return all(getattr(task.strategy, lever) == getattr(centre.strategy, lever) for lever in ORDER)


def _hear(task: Task, found: Mapping[str, Solved], *, bounded: bool) -> Task:
    """Begin with the design and the relaxation of the integrated strategy, and its bound where that holds."""
    centre = found[_CENTRE]
    if centre.start is None or centre.bound is None:
        return task
    return replace(task, hints=Hints((centre.start,), centre.bound if bounded else -np.inf, centre.root))
