"""Measurements, each in a process of its own: time, peak memory, limits, medians; and where they are kept.

A part of the suite is a script with a function `work(job)` that measures one thing and returns a record. It
is called as `python PART.py --job JSON` and prints the record. Records are kept in results/PART.json by their
job, so that a part, or some of its jobs, can be measured again alone.
"""

from __future__ import annotations

import json
import math
import os
import platform
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from threading import Timer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Record = dict[str, Any]

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results"
PACKAGES = (
    "scopt", "highspy", "pyscipopt", "cbcbox", "linopy", "pyomo", "numpy", "scipy", "pandas",
    "python-calamine", "xlsxwriter",
)  # fmt: skip
LONG = 60.0
"""Seconds of one measurement above which it is not repeated."""


def alone(part: str, job: Record, *, seconds: float, gigabytes: float = 20.0) -> Record:
    """Run one job in a process of its own and end it at its limits.

    Returns
    -------
    dict
        What the job returned, with `peak_mb` of the process and its children; `failed` with a word where it
        came to nothing.
    """
    import resource

    def limit() -> None:
        space = int(gigabytes * (1 << 30))
        resource.setrlimit(resource.RLIMIT_AS, (space, space))

    # Compiled modules are kept, else every process compiles hundreds of them anew.
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        late: list[bool] = []
        process = subprocess.Popen(
            [sys.executable, str(HERE / f"{part}.py"), "--job", json.dumps(job)],
            stdin=subprocess.DEVNULL, stdout=out, stderr=err, preexec_fn=limit, start_new_session=True,
            env=env,
        )  # fmt: skip

        def end() -> None:
            late.append(True)
            os.killpg(process.pid, signal.SIGKILL)

        alarm = Timer(seconds, end)
        alarm.start()
        # wait4 tells the peak memory of this process and what it waited for.
        _, status, usage = os.wait4(process.pid, 0)
        alarm.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        text, told = (file.read().decode(errors="replace").strip() for file in (out, err))
    record: Record = {"peak_mb": usage.ru_maxrss / 1024}
    if process.returncode == 0:
        return record | json.loads(text.splitlines()[-1])
    last = told.splitlines()[-1] if told else f"exit {process.returncode}"
    return record | {"failed": "time" if late else "memory" if "MemoryError" in last else last[:200]}


def repeated(part: str, job: Record, times: int, **limits: float) -> Record:
    """Median of up to `times` runs of a job; long ones run once."""
    runs: list[Record] = []
    while len(runs) < times:
        begin = time.perf_counter()
        runs.append(alone(part, job, **limits))
        if "failed" in runs[-1] or time.perf_counter() - begin > LONG:
            break
    good = [run for run in runs if "failed" not in run]
    return ({key: _median([run.get(key) for run in good]) for key in good[-1]} if good else runs[-1]) | {
        "runs": len(good)
    }


def _median(values: list[Any]) -> Any:
    """Median of numbers, None counting as never; of dictionaries entry by entry; the last of the rest."""
    if isinstance(values[-1], dict):
        return {key: _median([value[key] for value in values]) for key in values[-1]}
    if isinstance(values[-1], bool):
        return any(values)
    if all(value is None or isinstance(value, int | float) for value in values):
        middle = statistics.median_high(math.inf if value is None else value for value in values)
        return None if middle == math.inf else middle
    return values[-1]


class Results:
    """Records of a part by their jobs, written after every one."""

    def __init__(self, part: str) -> None:
        self.path = RESULTS / f"{part}.json"
        kept = json.loads(self.path.read_text(encoding="utf-8")) if self.path.exists() else {}
        self.records: list[Record] = kept.get("records", [])
        self.about: Record = kept.get("about", {})

    def get(self, job: Record) -> Record | None:
        """Return what is kept of a job."""
        return next((record for record in self.records if record["job"] == job), None)

    def put(self, job: Record, record: Record) -> Record:
        """Keep the record of a job in place of an older one, and say so."""
        record = {"job": job} | record
        same = [number for number, kept in enumerate(self.records) if kept["job"] == job]
        if same:
            self.records[same[0]] = record
        else:
            self.records.append(record)
        self.about = about()
        self.path.parent.mkdir(exist_ok=True)
        rows = ",\n".join(json.dumps(one) for one in self.records)
        text = f'{{"about": {json.dumps(self.about)},\n"records": [\n{rows}\n]}}\n'
        self.path.write_text(text, encoding="utf-8")
        print(json.dumps(record), flush=True)
        return record


def about() -> Record:
    """Versions and machine that records were measured with."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)
    machine = f"{os.cpu_count()} cores, {memory:.0f} GB, {platform.system()} {platform.machine()}"
    return {"date": date.today().isoformat(), "python": platform.python_version(), "machine": machine} | found


def serve(work: Callable[[Record], Record]) -> None:
    """Main function of a part when it is called with a job."""
    if len(sys.argv) != 3 or sys.argv[1] != "--job":
        sys.exit("python benchmarks/run.py PART measures; see there")
    print(json.dumps(work(json.loads(sys.argv[2]))))


def reset_peak() -> float:
    """Forget the peak memory of this process so far, where the system can; returns MB in use."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return 0.0
    return _status("VmRSS")


def peak() -> float:
    """Peak memory since `reset_peak` in MB."""
    import resource

    found = _status("VmHWM")
    return found or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _status(name: str) -> float:
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith(name)), 0.0)


# -- tables ------------------------------------------------------------------------------------------------


def table(head: Iterable[str], rows: Iterable[Iterable[Any]]) -> str:
    """Return a table in Markdown; numbers to the right."""
    head = list(head)
    lines = [f"| {' | '.join(head)} |", f"|{'|'.join(['---', *['---:'] * (len(head) - 1)])}|"]
    return "\n".join([*lines, *(f"| {' | '.join(map(str, row))} |" for row in rows)])


def figure(value: float | None, unit: str = "") -> str:
    """Three figures that count; a dash for what is not known."""
    if value is None or not math.isfinite(value):
        return "–"
    digits = 2 if value == 0 else max(0, 2 - math.floor(math.log10(abs(value))))
    return f"{value:,.{min(digits, 3)}f}{unit}"


def geometric_mean(values: Iterable[float]) -> float | None:
    """Geometric mean; None of nothing."""
    logs = [math.log(value) for value in values]
    return math.exp(sum(logs) / len(logs)) if logs else None
