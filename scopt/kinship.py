"""In which order the strategies of a case are searched, and what the first tell the later ones.

Strategies that move one lever at most take seconds; the integrated one takes long, and most others are close
to it. So the small ones come first, then the integrated one, then the rest, and each begins with what those
before it found (see `scopt.search.hints`). Who hears of whom depends on the strategies alone and not on which
happens to be finished first, so that a comparison gives the same result when it is run again.
"""

from __future__ import annotations

from dataclasses import replace
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

__all__ = ["in_order", "with_hints"]

_CENTRE = "integrated"


def in_order(tasks: Sequence[Task], executor: Executor) -> list[Task]:
    """Order the tasks of one case, and let each hear of those before it; those that wait already do not."""
    free = [replace(task, threads=executor.threads) for task in tasks]
    waiting = [task for task in free if task.after]
    free = [task for task in free if not task.after]
    small = [task for task in free if task.name != _CENTRE and _levers(task.strategy) <= 1]
    # Nothing but what is small runs beside the integrated strategy: it may use all cores.
    centre = [
        replace(task, threads=None) if executor.keeps else task for task in free if task.name == _CENTRE
    ]
    rest = [task for task in free if task not in small and task.name != _CENTRE]
    first = tuple(task.name for task in small)
    second = (*first, *(task.name for task in centre))
    centre = [replace(task, after=first, prepare=with_hints) for task in centre]
    rest = [replace(task, after=second, prepare=with_hints) for task in rest]
    return [*small, *centre, *waiting, *rest]


def _levers(strategy: Strategy) -> int:
    return sum(getattr(strategy, lever) for lever in ORDER)


def with_hints(task: Task, found: Mapping[str, Solved]) -> Task:
    """Return the task with what the searches it waited for can tell it.

    The cheapest of their designs and that of the integrated strategy are starts. Where the integrated one may
    do whatever this one may with the same data, its bound holds here too.
    """
    solved = {name: found[name] for name in task.after if found[name].start is not None}
    if not solved:
        return task
    cheapest = min(solved.values(), key=lambda one: one.cost or np.inf)
    chosen = {one.strategy: one for one in (cheapest, solved.get(_CENTRE, cheapest))}
    starts = tuple(one.start for one in chosen.values() if one.start is not None)
    centre, bound = solved.get(_CENTRE), -np.inf
    if centre is not None and centre.bound is not None and not centre.interrupted:
        wide = chain_of(task.case, _CENTRE)
        narrow = chain_of(task.case, task.strategy)
        if wide.allows_all_of(narrow) and data_digest(wide.case) == data_digest(narrow.case):
            bound = centre.bound
    return replace(task, hints=Hints(starts, None if centre is None else centre.known, bound))
