"""Jobs on a Dask cluster, the optional extra ``scopt[dask]``."""

from __future__ import annotations

import queue
import re
import signal
import threading
import time
import uuid
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from scopt.batch.job import POLL, Died, Throttle, cores
from scopt.errors import SolverError, UsageError
from scopt.progress import Event

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scopt.batch.job import Job, Outcomes
    from scopt.progress import Progress
    from scopt.solved import Solved

__all__ = ["Cluster"]

_one_at_a_time = threading.Lock()
_stopped: set[str] = set()
"""Batches whose jobs are asked to end, in a worker of a Dask cluster."""


def _stop(batch: str) -> None:
    _stopped.add(batch)


def _work_there(job: Job, batch: str) -> Solved:
    from distributed import get_worker

    worker = get_worker()
    tell = Throttle(lambda event: worker.log_event(batch, {"event": asdict(event)}))
    with _one_at_a_time:  # the solver's threads are shared by the whole process
        if batch in _stopped:
            raise Died
        return job.run(tell, lambda: batch in _stopped)


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Let processes that are started here ignore Ctrl-C, which reaches them too: the batch tells them."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


class Cluster:
    """Runs jobs on a Dask cluster.

    Parameters
    ----------
    scheduler
        Its address, or ``local:N`` to start one of N processes here.

    Raises
    ------
    UsageError
        Dask is not installed, or no scheduler answers there.
    """

    def __init__(self, scheduler: str) -> None:
        if not re.fullmatch(r"local:0*[1-9]\d*|(?!local:)(\w+://)?[^/\s]+:\d+", scheduler):
            raise UsageError(
                f"a scheduler is HOST:PORT or local:N with a number of processes, not {scheduler!r}"
            )
        try:
            from distributed import Client, LocalCluster
        except ImportError as error:
            raise UsageError(
                'a scheduler needs Dask, which is not installed: pip install "scopt[dask]"'
            ) from error
        self.slots, self.keeps = 1_000_000, False  # the scheduler knows its workers
        self.threads: int | None = 1
        self._cluster: Any = None
        self._batch, self._events = f"scopt-{uuid.uuid4().hex}", queue.SimpleQueue[Event]()
        self._running: dict[Any, Job] = {}
        try:
            if scheduler.startswith("local:"):
                number = int(scheduler.removeprefix("local:"))
                self.threads = max(1, cores() // number)
                with _uninterrupted():
                    self._cluster = LocalCluster(
                        n_workers=number, threads_per_worker=1, memory_limit=0, dashboard_address=":0"
                    )
            self._client = Client(self._cluster or scheduler, timeout=10, set_as_default=False)
        except (OSError, RuntimeError, ValueError) as error:
            raise UsageError(f"no Dask scheduler answers at {scheduler}: {error}") from error
        self._client.subscribe_topic(self._batch, lambda event: self._events.put(Event(**event[1]["event"])))

    def start(self, job: Job, report: Progress) -> None:
        """Hand a job to the scheduler."""
        there = replace(job, folder=None)  # kept from here: a worker may not see the folder
        future = self._client.submit(_work_there, there, self._batch, key=f"{job.name}-{uuid.uuid4().hex}")
        self._running[future] = job

    def poll(self, report: Progress) -> Outcomes:
        """Wait a moment for jobs to end."""
        time.sleep(POLL if not any(future.done() for future in self._running) else 0)
        running = {job.name for job in self._running.values()}
        while not self._events.empty():
            event = self._events.get()
            if event.strategy in running:
                report(event)
        ended: Outcomes = []
        for future in [future for future in self._running if future.done()]:
            job = self._running.pop(future)
            ended.append((job, self._outcome(future)))
        return ended

    def _outcome(self, future: Any) -> Solved | BaseException:
        from distributed import KilledWorker

        if future.status == "finished":
            found: Solved = future.result()
            return found
        if future.cancelled():
            return SolverError("the Dask cluster gave up a search; what was finished is kept")
        error = future.exception()
        return SolverError(f"workers died of it: {error}") if isinstance(error, KilledWorker) else error

    def stop(self) -> None:
        """Tell every worker to end the jobs of this batch; again and again, as there may be new ones."""

        def tell() -> None:
            while self._running:
                with suppress(Exception):  # workers that are gone need not be told
                    self._client.run(_stop, self._batch, on_error="ignore")
                time.sleep(2)

        threading.Thread(target=tell, daemon=True).start()

    def close(self, *, now: bool = False) -> None:
        """Leave the cluster; end it where it was started here."""
        if self._running:
            self._client.cancel(list(self._running), force=True)
        self._running.clear()
        self._client.close()
        if self._cluster is not None:
            self._cluster.close(timeout=2 if now else 10)
