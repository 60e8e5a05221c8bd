"""Where the searches of a batch run: in this process, in others of this machine, or on a Dask cluster."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from scopt.errors import UsageError
from scopt.solved import search

if TYPE_CHECKING:
    from collections.abc import Callable

    from scopt.batch.kept import RunFolder
    from scopt.case import Case, Strategy
    from scopt.progress import Event, Progress
    from scopt.search.hints import Hints
    from scopt.search.method import Options
    from scopt.solved import Solved

    Outcomes = list[tuple["Job", "Solved | BaseException"]]

__all__ = ["POLL", "Died", "Executor", "Job", "Serial", "Throttle", "cores", "executor_for"]

POLL = 0.2
"""Seconds between two looks at what is running."""

TELL_EVERY = 0.25
"""Seconds between two reports that a worker passes on."""


class Died(Exception):
    """The process that ran a job is gone."""


@dataclass(frozen=True, eq=False)
class Job:
    """A search that is ready to run; it pickles.

    Parameters
    ----------
    name, case, strategy, options, hints
        As in `Task`.
    key
        Of its content.
    folder
        Where its outcome is kept; None for nowhere.
    """

    name: str
    case: Case
    strategy: Strategy
    options: Options
    hints: Hints
    key: str
    folder: RunFolder | None

    def run(self, progress: Progress, asked: Callable[[], bool] | None = None) -> Solved:
        """Search, and keep the outcome at once: from then on nothing can lose it."""

        def named(event: Event) -> None:
            progress(replace(event, strategy=self.name))

        found = search(
            self.case, self.strategy, self.options,
            progress=named, phase="searching", hints=self.hints, asked=asked,
        )  # fmt: skip
        if self.folder is not None:
            self.folder.save(self.key, found)
        return found


class Executor(Protocol):
    """Runs jobs.

    Attributes
    ----------
    slots
        Jobs that run side by side.
    threads
        Threads for each of them.
    keeps
        Whether outcomes are kept where the job runs.
    """

    slots: int
    threads: int | None
    keeps: bool

    def start(self, job: Job, report: Progress) -> None:
        """Begin a job."""

    def poll(self, report: Progress) -> Outcomes:
        """Wait a moment; pass on what running jobs tell, and return those that ended with their outcome."""

    def stop(self) -> None:
        """Ask running jobs to end with what they have."""

    def close(self, *, now: bool = False) -> None:
        """End all workers: when they are idle, or now."""


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Throttle:
    """Passes on an event a few times a second, so that telling costs nothing."""

    def __init__(self, tell: Callable[[Event], None]) -> None:
        self._tell, self._told = tell, 0.0

    def __call__(self, event: Event) -> None:
        """Pass an event on, unless one has just been."""
        now = time.monotonic()
        if now - self._told >= TELL_EVERY:
            self._told = now
            self._tell(event)


class Serial:
    """Runs one job after the other in this process."""

    def __init__(self) -> None:
        self.slots, self.keeps = 1, True
        self.threads: int | None = None
        self._ended: Outcomes = []
        self._stopped = False

    def start(self, job: Job, report: Progress) -> None:
        """Run a job to its end."""
        self._ended.append((job, job.run(report, lambda: self._stopped)))

    def poll(self, report: Progress) -> Outcomes:
        """Return what ended."""
        ended, self._ended = self._ended, []
        return ended

    def stop(self) -> None:
        """Ask the running job to end."""
        self._stopped = True

    def close(self, *, now: bool = False) -> None:
        """Do nothing: there are no workers."""


def executor_for(jobs: int, scheduler: str | None = None) -> Executor:
    """Return the executor for a number of jobs side by side, or for a Dask scheduler.

    Parameters
    ----------
    jobs
        1 runs everything in this process.
    scheduler
        Address of a Dask scheduler, or ``local:N`` for a cluster of N processes that is started here.

    Raises
    ------
    UsageError
        Dask is not installed, no scheduler answers there, or the number of jobs is below 1.
    """
    if scheduler is not None:
        from scopt.batch.cluster import Cluster

        return Cluster(scheduler)
    if jobs < 1:
        raise UsageError("the number of jobs side by side must be at least 1")
    if jobs == 1:
        return Serial()
    from scopt.batch.processes import Processes

    return Processes(jobs)
