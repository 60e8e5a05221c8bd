"""The tasks of a batch, from the first that is begun to the last that is taken."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from scopt.batch.job import Died, Job
from scopt.batch.kept import content_key
from scopt.errors import SolverError
from scopt.interrupts import held
from scopt.progress import Event
from scopt.search.hints import Hints

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from scopt.batch.job import Executor
    from scopt.batch.kept import RunFolder
    from scopt.case import Case, Strategy
    from scopt.progress import Progress
    from scopt.search.method import Options
    from scopt.solved import Solved

__all__ = ["Task", "run"]

ATTEMPTS = 3
"""Times that a search is begun before a batch gives up on workers that die of it."""


@dataclass(frozen=True, eq=False)
class Task:
    """One search to be done.

    Parameters
    ----------
    name
        Tells the tasks of a batch apart, in reports too.
    case, strategy
        What is searched.
    options
        Gap, time, seed, threads; threads that are not given are left to `threads`.
    hints
        What is known of it.
    after
        Names of tasks that have to be finished before.
    prepare
        Makes the task ready once those are: gets it and what they came to.
    threads
        Threads where the options give none; None for all cores.
    """

    name: str
    case: Case
    strategy: Strategy
    options: Options
    hints: Hints = field(default_factory=Hints)
    after: tuple[str, ...] = ()
    prepare: Callable[[Task, Mapping[str, Solved]], Task] | None = None
    threads: int | None = None


def run(
    tasks: Sequence[Task],
    executor: Executor,
    *,
    folder: RunFolder | None = None,
    fresh: bool = False,
    progress: Progress | None = None,
) -> dict[str, Solved]:
    """Search all tasks; an interrupt keeps what was found.

    Parameters
    ----------
    tasks
        In the order in which they are begun, as far as what they wait for allows.
    executor
        Where they run; it is closed at the end.
    folder
        Where finished searches are kept and looked for.
    fresh
        Search again what is kept.
    progress
        Called at every event.

    Returns
    -------
    dict
        By name of the task, in the order of `tasks`. After an interrupt (Ctrl-C or SIGTERM) searches that
        were running are there with their best design, those not begun are missing. A second interrupt ends
        the batch at once.

    Raises
    ------
    SolverError
        The solver failed, or a worker process died again and again. Everything finished stays kept.
    """
    work = _Batch(list(tasks), executor, folder, fresh, progress)
    try:
        with held(work.stop):
            work.run()
    except BaseException:
        executor.close(now=True)
        raise
    executor.close()
    return {task.name: work.found[task.name] for task in tasks if task.name in work.found}


@dataclass(eq=False)
class _Batch:
    waiting: list[Task]
    executor: Executor
    folder: RunFolder | None
    fresh: bool
    progress: Progress | None
    found: dict[str, Solved] = field(default_factory=dict)
    of_key: dict[str, Solved] = field(default_factory=dict)
    running: dict[str, Job] = field(default_factory=dict)
    attempts: dict[str, int] = field(default_factory=dict)
    stopped: bool = False

    def run(self) -> None:
        """Begin what is ready and take what is finished until nothing is left or somebody stops it."""
        for task in self.waiting:
            self._report(Event("waiting", 0.0, strategy=task.name, state="waiting"))
        told = False
        while self.running or (self.waiting and not self.stopped):
            if not self.stopped:
                self._begin()
            elif not told:
                told = True
                self.executor.stop()
            for job, outcome in self.executor.poll(self._report) if self.running else ():
                self._take(job, outcome)
        for task in self.waiting:
            self._report(Event("not begun", 0.0, strategy=task.name, state="stopped"))

    def stop(self) -> None:
        """Begin no other search, and ask those that run to end at the next look at them."""
        self.stopped = True

    def _begin(self) -> None:
        for task in list(self.waiting):
            if any(name not in self.found for name in task.after):
                continue
            if len(self.running) >= self.executor.slots or self.stopped:
                return
            ready = task if task.prepare is None else task.prepare(task, self.found)
            key = content_key(ready.case, ready.strategy, ready.options)
            if any(job.key == key for job in self.running.values()):
                continue  # the same search under another name: what it comes to will be taken
            self.waiting.remove(task)
            known = self.of_key.get(key)
            if known is None and self.folder is not None and not self.fresh:
                known = self.folder.load(key)
            if known is not None:
                self._finish(task.name, key, known, "kept")
                continue
            options = ready.options
            if options.threads is None:
                options = replace(options, threads=task.threads)
            job = Job(task.name, ready.case, ready.strategy, options, ready.hints, key, self.folder)
            self._start(job)

    def _start(self, job: Job) -> None:
        self.running[job.name] = job
        self.attempts[job.name] = self.attempts.get(job.name, 0) + 1
        self._report(Event("begun", 0.0, strategy=job.name))
        self.executor.start(job, self._report)

    def _take(self, job: Job, outcome: Solved | BaseException) -> None:
        del self.running[job.name]
        if isinstance(outcome, Died):
            if self.stopped:
                self._report(Event("lost", 0.0, strategy=job.name, state="stopped"))
            elif self.attempts[job.name] < ATTEMPTS:
                self._start(job)
            else:
                raise SolverError(
                    f"{job.name}: the process that searched it died {ATTEMPTS} times (out of memory, or "
                    "ended by somebody); what else was finished is kept"
                )
            return
        if isinstance(outcome, BaseException):
            raise outcome
        if not self.executor.keeps and self.folder is not None:
            self.folder.save(job.key, outcome)
        self._finish(job.name, job.key, outcome, "stopped" if outcome.interrupted else "done")
        self.stopped |= outcome.interrupted

    def _finish(self, name: str, key: str, solved: Solved, state: str) -> None:
        self.of_key[key] = solved
        self.found[name] = replace(solved, strategy=name)
        figures = (solved.cost, solved.bound, solved.gap)
        self._report(Event(solved.status, solved.seconds, *figures, strategy=name, state=state))

    def _report(self, event: Event) -> None:
        if self.progress is not None:
            self.progress(event)
