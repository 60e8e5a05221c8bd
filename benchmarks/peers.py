"""Other solvers on a plain model, watched: when which bound and which cost were known.

Each solver runs once, down to the smallest gap or its limit, and tells of every step; the times to wider gaps
are read off its trace. HiGHS and CBC may use all cores, SCIP is serial. SCIP and CBC read the model from a
file that HiGHS writes; the time of writing is not counted.
"""

from __future__ import annotations

import os
import pty
import re
import subprocess
import tempfile
import time
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import highspy
import numpy as np
from scipy.sparse import csr_array
from textbook import Sheet

from scopt.search.solver import engine_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from textbook import Plain

PACE = 0.58
"""Seconds of `pace` on the machine of the published rows of 2026-11-28, and of records that have no pace.

On a slower day seven of these runs of HiGHS were repeated with `pace` before and after each: the quotients
gave 0.54 to 0.61, while both times changed by a third.
"""


@dataclass
class Trace:
    """Best bound and cost over time, in seconds since `start`; `aside` seconds are not counted.

    `odd` marks a solver that told of a bound above a cost.
    """

    start: float = field(default_factory=time.perf_counter)
    aside: float = 0.0
    bound: float = -np.inf
    cost: float = np.inf
    odd: bool = False
    steps: list[tuple[float, float, float]] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self.start - self.aside

    def tell(self, bound: float | None, cost: float | None) -> None:
        """Note what is known now."""
        # Solvers write 1e20, 1e30 or 1e50 for "none".
        if cost is not None and abs(cost) < 1e19 and cost < self.cost:
            self.cost = cost
        if bound is not None and abs(bound) < 1e19 and bound > self.bound:
            if self.cost < np.inf and bound > self.cost + 1e-5 * abs(self.cost):
                self.odd = True  # proves nothing
            else:
                self.bound = bound
        step = self.bound, self.cost
        if not self.steps or self.steps[-1][1:] != step:
            self.steps.append((self.seconds, *step))

    @property
    def gap(self) -> float:
        return (self.cost - self.bound) / max(abs(self.cost), 1e-9) if self.cost < np.inf else np.inf

    def time_to(self, gap: float) -> float | None:
        """Seconds until a gap was proven; None where it never was."""
        for seconds, bound, cost in self.steps:
            if cost < np.inf and cost - bound <= gap * abs(cost) * (1 + 1e-6):
                return seconds
        return None


def highs(model: Plain, trace: Trace, limit: float, gap: float) -> None:
    """HiGHS by arrays."""
    engine = passed(model)
    # Without output HiGHS calls back at solutions alone, and their bounds are seen late.
    engine.setOptionValue("log_to_console", False)
    engine.setOptionValue("output_flag", True)
    engine.setOptionValue("mip_rel_gap", gap)
    engine.setOptionValue("mip_abs_gap", 0.0)
    engine.setOptionValue("mip_min_logging_interval", 0.25)
    engine.setOptionValue("time_limit", max(0.1, limit - trace.seconds))

    def watch(event: Any) -> None:
        trace.tell(event.data_out.mip_dual_bound, event.data_out.mip_primal_bound)

    engine.cbMipImprovingSolution.subscribe(watch)
    engine.cbMipLogging.subscribe(watch)
    engine.run()
    info = engine.getInfo()
    trace.tell(
        info.mip_dual_bound, info.objective_function_value if info.primal_solution_status == 2 else None
    )


def scip(model: Plain, trace: Trace, limit: float, gap: float) -> None:
    """SCIP by its Python interface."""
    from pyscipopt import SCIP_EVENTTYPE, Eventhdlr
    from pyscipopt import Model as Scip

    kinds = SCIP_EVENTTYPE.BESTSOLFOUND | SCIP_EVENTTYPE.LPSOLVED | SCIP_EVENTTYPE.NODESOLVED

    class Watch(Eventhdlr):
        def eventinit(self) -> None:
            self.model.catchEvent(kinds, self)

        def eventexit(self) -> None:
            self.model.dropEvent(kinds, self)

        def eventexec(self, event: Any) -> None:
            trace.tell(self.model.getDualbound(), self.model.getPrimalbound())

    with _File(model, trace) as path:
        solver = Scip()
        solver.hideOutput()
        solver.readProblem(str(path))
    solver.setParam("limits/gap", gap)
    solver.setParam("limits/time", max(0.1, limit - trace.seconds))
    solver.includeEventhdlr(Watch(), "trace", "bound and cost over time")
    solver.optimize()
    trace.tell(solver.getDualbound(), solver.getPrimalbound())


BOUNDS = (
    r"^Continuous objective value is (\S+)", r"^Cbc0046I Root node pass .* objective (\S+)",
    r"^Cbc0013I At root node.*objective from \S+ to (\S+)", r"^Cbc0010I .*best possible (\S+)",
    r"^Cbc0005I .*best possible (\S+)", r"^Lower bound:\s+(\S+)",
    # As cbcbox 2.935 writes: the relaxation, a pass of cuts, a line of the tree, the end.
    r"^✔ LP Optimal .*Obj: (\S+)", r"^\s+(?:\d+\s+){4}\S+\s+([-\d.e+]+)\s+[\d.]+$",
    r"\s([-\d.e+]+)\s+[\d.]+%\s+[\d.]+$", r"^✔ Optimal.*Bound: (\S+)",
)  # fmt: skip
COSTS = (
    r"^Cbc00(?:12|16|04)I.* of (\S+) found", r"^Cbc0010I .* (\S+) best solution",
    r"^Cbc0038I Solution found of (\S+)", r"^Cbc0038I .*improved solution from \S+ to (\S+)",
    r"^Cbc000[15]I .*best objective (\S+)", r"^Objective value:\s+(\S+)",
    r"^ ★[^%]*\s([-\d.e+]+)\s+[\d.]+$", r"^\D*(?:\d+\s+){3}([-\d.e+]+)\s.*%\s+[\d.]+$",
)  # fmt: skip
"""Lines of CBC's log: number of the message, and what it knows."""


def cbc(model: Plain, trace: Trace, limit: float, gap: float) -> None:
    """CBC as its executable, its log read as it comes."""
    with _File(model, trace) as path:
        left = max(0.1, limit - trace.seconds)
        command = [
            cbc_path(), str(path), "-threads", str(os.cpu_count() or 1), "-timeMode", "elapsed",
            "-sec", f"{left:.1f}", "-ratioGap", repr(gap), "-allowableGap", "0", "-log", "1", "-solve",
        ]  # fmt: skip
        # To a terminal CBC writes line by line, into a pipe much later.
        ours, theirs = pty.openpty()
        work = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs)
        os.close(theirs)
        late = proven = False
        for line in map(str.rstrip, _lines(ours)):
            late = late or line.startswith(("Cbc0020I", "✔ Stopped"))  # bounds told when out of time are none
            trace.tell(None if late else _last(line, BOUNDS), _last(line, COSTS))
            proven = proven or line.startswith(("Cbc0001I", "✔ Optimal", "Result - Optimal"))
            if proven and gap < trace.gap < np.inf:  # what is left of the tree lies within the gap
                trace.tell(trace.cost - gap * abs(trace.cost), None)
        work.wait()


def _lines(terminal: int) -> Iterator[str]:
    with os.fdopen(terminal, "r", encoding="utf-8", errors="replace") as log:
        try:
            yield from log
        except OSError:  # how a terminal tells that the other side is closed
            return


def _last(line: str, patterns: tuple[str, ...]) -> float | None:
    for pattern in patterns:
        if found := re.findall(pattern, line):
            try:
                return float(found[-1].rstrip(",;)"))
            except ValueError:
                continue
    return None


PEERS: dict[str, Callable[[Plain, Trace, float, float], None]] = {"highs": highs, "scip": scip, "cbc": cbc}


def available(peer: str) -> bool:
    """Whether a solver is installed."""
    return find_spec({"highs": "highspy", "scip": "pyscipopt", "cbc": "cbcbox"}[peer]) is not None


def cbc_path() -> str:
    """Return the executable of CBC."""
    import cbcbox

    return str(cbcbox.cbc_bin_path())


def passed(model: Plain) -> Any:
    """Return HiGHS with a model."""
    engine, matrix = engine_for(), csr_array(model.matrix)
    status = engine.passModel(
        len(model.cost), matrix.shape[0], matrix.nnz, int(highspy.MatrixFormat.kRowwise),
        int(highspy.ObjSense.kMinimize), model.offset, model.cost, model.lower, model.upper,
        model.row_lower, model.row_upper, matrix.indptr.astype(np.int32), matrix.indices.astype(np.int32),
        matrix.data, model.integer.astype(np.int32),
    )  # fmt: skip
    assert status != highspy.HighsStatus.kError
    return engine


def pace(sites: int = 100, customers: int = 800) -> float:
    """Seconds that HiGHS takes for a fixed linear program: how quick the machine is at this moment.

    It is the strong relaxation of a facility location problem on a square, from a seed. Records of different
    days, or of a machine that others share, are compared by it (`PACE`).
    """
    rng, n = np.random.default_rng(1), sites * customers
    place, home = rng.random((2, sites)), rng.random((2, customers))
    lane = np.arange(n)
    site, customer = np.divmod(lane, customers)
    sheet = Sheet(sites + n)
    sheet.add(customers, [(customer, sites + lane, 1.0)], 1.0, 1.0)
    sheet.add(n, [(lane, sites + lane, 1.0), (lane, site, -1.0)], -np.inf, 0.0)
    cost = np.append(np.full(sites, 3.0), np.hypot(*(place[:, :, None] - home[:, None, :])))
    upper = np.append(np.ones(sites), np.full(n, np.inf))
    engine = passed(sheet.plain(cost, upper, np.zeros(sites + n, bool)))
    begin = time.perf_counter()
    engine.run()
    assert engine.getModelStatus() == highspy.HighsModelStatus.kOptimal
    return time.perf_counter() - begin


class _File:
    """The model as an MPS file; its constant is a column held at 1, which every reader understands alike."""

    def __init__(self, model: Plain, trace: Trace) -> None:
        self.model, self.trace = model, trace

    def __enter__(self) -> Path:
        begin = time.perf_counter()
        model = self.model
        matrix = csr_array(model.matrix)
        wide = csr_array(
            (matrix.data, matrix.indices, matrix.indptr), shape=(matrix.shape[0], len(model.cost) + 1)
        )
        self.folder = tempfile.TemporaryDirectory()
        path = Path(self.folder.name) / "model.mps"
        one = np.ones(1)
        more = replace(
            model, cost=np.r_[model.cost, model.offset], lower=np.r_[model.lower, one], offset=0.0,
            upper=np.r_[model.upper, one], integer=np.r_[model.integer, False], matrix=wide,
        )  # fmt: skip
        passed(more).writeModel(str(path))
        self.trace.aside += time.perf_counter() - begin
        return path

    def __exit__(self, *_: object) -> None:
        self.folder.cleanup()
