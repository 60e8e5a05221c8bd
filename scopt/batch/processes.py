"""Jobs in other processes of this machine."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from concurrent.futures import FIRST_COMPLETED, wait
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from scopt.batch.job import POLL, Died, Throttle, cores
from scopt.interrupts import whole
from scopt.progress import Event

if TYPE_CHECKING:
    from scopt.batch.job import Job, Outcomes
    from scopt.progress import Progress
    from scopt.solved import Solved

__all__ = ["Processes"]


@dataclass(frozen=True)
class _Wire:
    """What a worker and its batch say to each other, as small files in a folder that both see."""

    folder: Path
    number: int

    def tell(self, event: Event) -> None:
        target = self.folder / f"{self.number}.json"
        part = target.with_suffix(".part")
        part.write_text(json.dumps(asdict(event)), encoding="utf-8")
        part.replace(target)

    def asked(self) -> bool:
        return (self.folder / "stop").exists()


def _work(job: Job, wire: _Wire) -> Solved:
    return job.run(Throttle(wire.tell), wire.asked)


def _begin_worker(parent: int) -> None:
    """Leave interrupts to the parent, which passes them on, and do not outlive it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


class Processes:
    """Runs jobs in processes of this machine, each in a pool of its own so that a death costs one job.

    Parameters
    ----------
    jobs
        Processes.
    """

    def __init__(self, jobs: int) -> None:
        self.slots, self.keeps = jobs, True
        self.threads: int | None = max(1, cores() // jobs)
        self._folder = TemporaryDirectory(prefix="scopt-", ignore_cleanup_errors=True)
        self._idle: list[Any] = []
        self._running: dict[Any, tuple[Job, Any]] = {}
        self._begun = 0
        self._seen: dict[str, int] = {}

    def start(self, job: Job, report: Progress) -> None:
        """Begin a job in an idle process, or in a new one."""
        from loky import ProcessPoolExecutor

        with whole():  # an interrupt between the start of a process and its entry here would leave it behind
            pool = self._idle.pop() if self._idle else None
            if pool is None:
                pool = ProcessPoolExecutor(1, initializer=_begin_worker, initargs=(os.getpid(),))
            self._begun += 1
            future = pool.submit(_work, job, _Wire(Path(self._folder.name), self._begun))
            self._running[future] = job, pool

    def poll(self, report: Progress) -> Outcomes:
        """Wait a moment for jobs to end."""
        from loky.process_executor import BrokenProcessPool

        done = wait(self._running, timeout=POLL, return_when=FIRST_COMPLETED).done
        self._pass_on(report)
        ended: Outcomes = []
        for future in done:
            job, pool = self._running.pop(future)
            error = future.exception()
            if isinstance(error, BrokenProcessPool):
                pool.shutdown(kill_workers=True)
                ended.append((job, Died()))
            else:
                self._idle.append(pool)
                ended.append((job, error if error is not None else future.result()))
        return ended

    def stop(self) -> None:
        """Ask all workers to end their jobs."""
        (Path(self._folder.name) / "stop").touch()

    def close(self, *, now: bool = False) -> None:
        """End the processes."""
        for pool in [*self._idle, *(pool for _, pool in self._running.values())]:
            pool.shutdown(kill_workers=now)
        self._idle.clear()
        self._running.clear()
        self._folder.cleanup()

    def _pass_on(self, report: Progress) -> None:
        running = {job.name for job, _ in self._running.values()}
        for path in Path(self._folder.name).glob("*.json"):
            written = path.stat().st_mtime_ns
            if self._seen.get(path.name) != written:
                self._seen[path.name] = written
                event = Event(**json.loads(path.read_text(encoding="utf-8")))
                if event.strategy in running:
                    report(event)
