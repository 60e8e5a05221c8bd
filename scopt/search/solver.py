"""HiGHS: scaled hand-over, linear programs, branch and bound that can be watched and stopped."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import highspy
import numpy as np
from scipy.sparse import csr_array, vstack

from scopt.errors import SolverError
from scopt.interrupts import LOOSE, held

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from scopt.models import Arrays

    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]

__all__ = [
    "Clock", "Lp", "Outcome", "Scaled", "beside", "check_version", "engine_for", "run", "side_by_side",
    "solve_mip", "stoppable",
]  # fmt: skip

T = TypeVar("T")

OLDEST = (1, 15, 1)
"""highspy 1.14 returns wrong optima on models with big-M rows (HiGHS issues 2975, 3043, 3073, 3094)."""

COST_RANGE = 1e6
"""Costs may lie above the typical one by this factor before money is counted in larger units."""


class Quiet(highspy.Highs):  # type: ignore[misc, unused-ignore]
    """HiGHS that is silent from the first: from 1.16 on its constructor, which sets callbacks, prints.

    Its output stays on and goes nowhere: without it, branch and bound does not tell its bound.
    """

    def enableCallbacks(self) -> None:
        """Set callbacks with nothing on the screen."""
        self.setOptionValue("log_to_console", False)
        super().enableCallbacks()


def check_version(version: tuple[int, ...] | None = None) -> None:
    """Refuse a HiGHS whose optima cannot be trusted.

    Raises
    ------
    SolverError
        The installed highspy is older than 1.15.1.
    """
    if version is None:
        engine = Quiet()
        version = (engine.versionMajor(), engine.versionMinor(), engine.versionPatch())
    if version < OLDEST:
        have, need = (".".join(map(str, v)) for v in (version, OLDEST))
        raise SolverError(
            f"highspy {have} is known to return wrong optima on models of this kind; scopt needs {need} or "
            "later: pip install --upgrade highspy"
        )


@dataclass
class Clock:
    """Time budget and the wish to stop.

    Parameters
    ----------
    limit
        Seconds from the start of the clock.
    """

    limit: float
    start: float = field(default_factory=time.perf_counter)
    stopped: bool = False

    @property
    def seconds(self) -> float:
        """Seconds since the start."""
        return time.perf_counter() - self.start

    @property
    def left(self) -> float:
        """Seconds until the limit; 0 once stopped."""
        return 0.0 if self.stopped else max(0.0, self.limit - self.seconds)

    def stop(self) -> None:
        """Let whatever looks at the clock end with what it has."""
        self.stopped = True


@contextmanager
def stoppable(clock: Clock, asked: Callable[[], bool] | None = None) -> Iterator[None]:
    """Let the first interrupt or termination signal stop the clock; a second one raises KeyboardInterrupt.

    Parameters
    ----------
    clock
        The clock.
    asked
        Tells whether somebody else wants the clock stopped; called a few times a second.
    """
    done = threading.Event()

    def listen() -> None:
        while not done.wait(0.2):
            if asked is not None and asked():
                clock.stopped = True
                return

    if asked is not None:
        threading.Thread(target=listen, daemon=True).start()
    try:
        with held(clock.stop):
            yield
    finally:
        done.set()


def side_by_side(jobs: Sequence[Callable[[], T]], threads: int, clock: Clock) -> list[T]:
    """Return what jobs give, in their order, as many at a time as there are threads.

    An interrupt stops the clock, and nobody waits for the solver then.

    Parameters
    ----------
    jobs
        What to do; each in one thread, which is not the caller's.
    threads
        How many run at a time, one at least.
    clock
        The clock that an interrupt stops.

    Raises
    ------
    KeyboardInterrupt
        Whoever waits was interrupted.
    """
    return _begun(jobs, threads, clock)()


@contextmanager
def beside(job: Callable[[Clock], object], clock: Clock) -> Iterator[None]:
    """Do a job in a thread of its own while a block runs; it is stopped when that ends, and waited for.

    Parameters
    ----------
    job
        What to do, told a clock of its own, with the time that is left.
    clock
        The clock that an interrupt stops; nobody waits for the job then.
    """
    own = Clock(clock.left)
    end = _begun([partial(job, own)], 1, clock)
    try:
        yield
    finally:
        own.stop()
    end()


def _begun(jobs: Sequence[Callable[[], T]], threads: int, clock: Clock) -> Callable[[], list[T]]:
    """Begin jobs; what is returned waits for the end of all."""
    pool = ThreadPoolExecutor(max(threads, 1))
    done = [pool.submit(job) for job in jobs]
    pool.shutdown(wait=False)  # it takes no more jobs, and does those that it has

    def end() -> list[T]:
        try:
            while wait(done, timeout=0.2).not_done:
                pass
        except KeyboardInterrupt:
            clock.stop()
            raise
        return [job.result() for job in done]

    return end


def _times(matrix: Any, column: Floats) -> csr_array:
    """Matrix in other units of its columns; the places of the entries are shared, not copied."""
    data = column[matrix.indices]
    data *= matrix.data
    return csr_array((data, matrix.indices, matrix.indptr), shape=matrix.shape)


def _largest(matrix: csr_array) -> Floats:
    """Largest absolute entry of each row; 0 where there is none."""
    top, start = np.zeros(matrix.shape[0]), matrix.indptr[:-1]
    filled = np.diff(matrix.indptr) > 0
    if filled.any():
        high, low = (f.reduceat(matrix.data, start[filled]) for f in (np.maximum, np.minimum))
        top[filled] = np.maximum(high, -low)
    return top


def _power(values: Floats) -> Floats:
    """Nearest powers of two."""
    return np.asarray(np.exp2(np.rint(np.log2(values))))


def _sizes(arrays: Arrays) -> Floats:
    """Size that each column can be expected to have, in the units of the case, (columns,).

    Flows have that of their product, whole decisions 1, bounded decisions that of their bounds. The others
    (volumes measured, say) take the size of what their rows set them equal to or, failing that, hold them to.
    """
    size = np.ones(len(arrays.cost))
    size[: arrays.flows] = arrays.scale
    free = np.flatnonzero(~arrays.integer)
    free = free[free >= arrays.flows]
    bound = np.maximum(np.abs(arrays.lower[free]), np.abs(arrays.upper[free]))
    bounded = np.isfinite(bound) & (bound > 0)
    size[free[bounded]] = bound[bounded]
    known = np.ones(len(size), bool)
    known[free[~bounded]] = False
    if known.all():
        return size
    rows = np.unique(arrays.matrix[:, ~known].nonzero()[0])
    entries = csr_array(abs(arrays.matrix[rows]))
    equal = (arrays.row_lower == arrays.row_upper)[rows]
    for part in (entries[equal], entries):
        while not known.all():
            reach = _largest(_times(part, np.where(known, size, 0.0)))
            coo = part[:, ~known].tocoo()
            told = coo.data * (reach[coo.row] > 0) > 0
            if not told.any():
                break
            where = np.flatnonzero(~known)[coo.col[told]]
            found = np.zeros(len(size))
            np.maximum.at(found, where, reach[coo.row[told]] / coo.data[told])
            size = np.where(found > 0, found, size)
            known |= found > 0
    return size


@dataclass(frozen=True, eq=False)
class Scaled:
    """Arrays in the units that the solver sees.

    Column j stands for `column[j]` units, money for `money`, and every row is divided by its largest entry;
    all by powers of two, so that scaling rounds nothing.
    """

    arrays: Arrays
    column: Floats
    money: float
    row: Floats
    cost: Floats
    lower: Floats
    upper: Floats
    matrix: Any
    row_lower: Floats
    row_upper: Floats

    @classmethod
    def of(cls, arrays: Arrays) -> Scaled:
        """Scale compiled arrays."""
        column = _power(_sizes(arrays))
        matrix = _times(arrays.matrix, column)
        top = _largest(matrix)
        row = 1.0 / _power(np.where(top > 0, top, 1.0))
        matrix.data *= np.repeat(row, np.diff(matrix.indptr))
        cost = arrays.cost * column
        priced = np.abs(cost[cost != 0])
        typical = max(np.median(priced), priced.max() / COST_RANGE) if len(priced) else 1.0
        money = float(_power(np.asarray(typical)))
        return cls(
            arrays, column, money, row, cost / money, arrays.lower / column, arrays.upper / column, matrix,
            arrays.row_lower * row, arrays.row_upper * row,
        )  # fmt: skip

    def with_rows(self, arrays: Arrays) -> Scaled:
        """Return the same for arrays that have more rows at their end."""
        known = len(self.row)
        scale, more = self.scaled_rows(csr_array(arrays.matrix[known:]))
        return replace(
            self, arrays=arrays, row=np.r_[self.row, scale], matrix=csr_array(vstack([self.matrix, more])),
            row_lower=np.r_[self.row_lower, arrays.row_lower[known:] * scale],
            row_upper=np.r_[self.row_upper, arrays.row_upper[known:] * scale],
        )  # fmt: skip

    def scaled_rows(self, rows: csr_array) -> tuple[Floats, csr_array]:
        """Factors of some rows, (rows,), and these in the units of the solver; told in those of the case."""
        more = _times(rows, self.column)
        scale = 1.0 / _power(np.where((top := _largest(more)) > 0, top, 1.0))
        more.data *= np.repeat(scale, np.diff(more.indptr))
        return scale, more

    def value(self, objective: float) -> float:
        """Objective of the solver in the money of the case."""
        return objective * self.money + self.arrays.offset

    def objective(self, value: float) -> float:
        """Objective of the solver for some money."""
        return (value - self.arrays.offset) / self.money


def _pass(engine: Any, model: Scaled, rows: Bools | None, *, whole: bool) -> None:
    matrix = model.matrix if rows is None else csr_array(model.matrix[np.flatnonzero(rows)])
    low = model.row_lower if rows is None else model.row_lower[rows]
    high = model.row_upper if rows is None else model.row_upper[rows]
    kinds = (model.arrays.integer & whole).astype(np.int32)
    status = engine.passModel(
        len(model.cost), matrix.shape[0], matrix.nnz, int(highspy.MatrixFormat.kRowwise),
        int(highspy.ObjSense.kMinimize), 0.0, model.cost, model.lower, model.upper, low, high,
        matrix.indptr.astype(np.int32, copy=False), matrix.indices.astype(np.int32, copy=False), matrix.data,
        kinds,
    )  # fmt: skip
    if status == highspy.HighsStatus.kError:
        raise SolverError("HiGHS did not accept the model")


def engine_for(seed: int = 0, threads: int | None = None) -> Any:
    """Return a silent HiGHS."""
    engine = Quiet()
    engine.setOptionValue("random_seed", seed)
    if threads is not None:
        # A different number of threads than before makes run() fail until the scheduler is reset.
        highspy.Highs.resetGlobalScheduler(True)
        engine.setOptionValue("threads", threads)
    return engine


def run(engine: Any, clock: Clock) -> None:
    """Run HiGHS in a thread, so that a signal reaches us, stops it, and keeps what it has.

    The simplex method reads its time limit at every step, so that is what stops it. A callback at every step
    would have it wait each time for whatever Python does in other threads. Where KeyboardInterrupt is raised
    the thread is left to itself: HiGHS may take long to look at the clock.
    """
    outcome: list[Any] = []
    done = threading.Event()

    def work() -> None:
        try:
            outcome.append(engine.run())
        except BaseException as error:
            outcome.append(error)
        finally:
            done.set()

    def watch(event: Any) -> None:
        if clock.stopped:
            event.interrupt()

    def halt() -> None:
        engine.setOptionValue("time_limit", 0.0)

    for callback in (engine.cbIpmInterrupt, engine.cbMipInterrupt):
        callback.unsubscribe_by_data("scopt")
        callback.subscribe(watch, "scopt")
    if clock.stopped:
        halt()
    threading.Thread(target=work, name=LOOSE, daemon=True).start()
    try:
        # An event, not join(): in Python 3.11 an interrupted join takes a running thread for finished.
        while not done.wait(0.2):
            if clock.stopped:
                halt()
    except KeyboardInterrupt:
        clock.stop()
        halt()
        raise
    if isinstance(outcome[0], BaseException):
        raise outcome[0]
    _check(engine, outcome[0])


def _check(engine: Any, status: Any) -> None:
    if status == highspy.HighsStatus.kError:
        raise SolverError(f"HiGHS failed: {engine.modelStatusToString(engine.getModelStatus())}")


class Lp:
    """A linear program that is solved again and again with other costs, bounds and rows.

    One that takes less than a millisecond each time (`brief`) is not to be interrupted, and is solved in the
    thread of whoever asks, as to hand it to another one would take as long. That should not be one in which
    others run HiGHS: it keeps to the number of threads that it first had there.
    """

    def __init__(
        self, model: Scaled, rows: Bools | None, clock: Clock, seed: int = 0, *, brief: bool = False
    ) -> None:
        self.model, self.clock = model, clock
        self.brief = brief
        self.engine = engine_for(seed)
        self.seat = np.arange(len(model.row)) if rows is None else np.cumsum(rows) - 1
        _pass(self.engine, model, rows, whole=False)

    def solve(self, limit: float | None = None) -> Floats | None:
        """Solution in the units of the case, or None where there is none (infeasible, out of time)."""
        if limit is not None:
            self.engine.setOptionValue("time_limit", self.engine.getRunTime() + limit)
        if self.brief:
            _check(self.engine, self.engine.run())
        else:
            run(self.engine, self.clock)
        self.status = self.engine.getModelStatus()
        if self.status != highspy.HighsModelStatus.kOptimal:
            return None
        return np.asarray(self.engine.getSolution().col_value) * self.model.column

    @property
    def dual(self) -> Floats:
        """Duals of the rows at the last solution, in the units of the solver."""
        return np.asarray(self.engine.getSolution().row_dual)

    @property
    def infeasible(self) -> bool:
        """Whether the last solve proved that no solution exists."""
        return bool(self.status == highspy.HighsModelStatus.kInfeasible)

    @property
    def reduced(self) -> Floats:
        """Reduced costs of the columns at the last solution, in the units of the solver."""
        return np.asarray(self.engine.getSolution().col_dual)

    @property
    def objective(self) -> float:
        """Objective of the last solution, in the units of the solver."""
        return float(self.engine.getInfo().objective_function_value)

    def set_costs(self, cost: Floats) -> None:
        """Costs of all columns, in the units of the solver."""
        self.engine.changeColsCost(len(cost), np.arange(len(cost), dtype=np.int32), cost)

    def set_bounds(self, columns: NDArray[np.int64], lower: Floats, upper: Floats) -> None:
        """Bounds of columns, in the units of the case."""
        scale = self.model.column[columns]
        self.engine.changeColsBounds(len(columns), columns.astype(np.int32), lower / scale, upper / scale)

    def set_entry(self, row: int, column: int, value: float) -> None:
        """Change one entry of the matrix."""
        model = self.model
        self.engine.changeCoeff(int(self.seat[row]), column, value * model.row[row] * model.column[column])

    def set_row(self, row: int, lower: float, upper: float) -> None:
        """Change the bounds of one row."""
        scale = self.model.row[row]
        self.engine.changeRowBounds(int(self.seat[row]), lower * scale, upper * scale)


@dataclass(frozen=True, eq=False)
class Outcome:
    """What branch and bound came to.

    Parameters
    ----------
    status
        ``optimal``, ``feasible``, ``infeasible`` or ``stopped`` (neither proof nor solution).
    points
        Solutions in the units of the case, best last.
    bound
        Valid lower bound of the model, in money; -inf without one.
    """

    status: str
    points: list[Floats]
    bound: float


def solve_mip(
    model: Scaled,
    rows: Bools,
    clock: Clock,
    *,
    gap: float,
    limit: float | None = None,
    target: float | None = None,
    seed: int = 0,
    threads: int | None = None,
    start: dict[int, float] | None = None,
    closed: Bools | None = None,
    watch: Callable[[Floats | None, float], None] | None = None,
) -> Outcome:
    """Branch and bound on the given rows.

    Parameters
    ----------
    gap
        Relative gap at which to stop.
    limit
        Seconds; the time left on the clock by default.
    target
        Cost at which to stop, in money.
    start
        Values of integer columns of a known design.
    closed
        Columns held at 0; the bound then holds for what is left only.
    watch
        Called with each improving solution (or None) and the bound, in the units of the case. What it
        raises stops the clock and is raised here.
    """
    engine = engine_for(seed, threads)
    _pass(engine, model, None if rows.all() else rows, whole=True)
    if closed is not None:
        held = np.flatnonzero(closed).astype(np.int32)
        engine.changeColsBounds(len(held), held, np.zeros(len(held)), np.zeros(len(held)))
    engine.setOptionValue("mip_rel_gap", gap)
    engine.setOptionValue("mip_abs_gap", 0.0)
    engine.setOptionValue("mip_feasibility_tolerance", 1e-6)
    engine.setOptionValue("time_limit", max(0.05, clock.left if limit is None else min(limit, clock.left)))
    if target is not None:
        engine.setOptionValue("objective_target", (target - model.arrays.offset) / model.money)
    engine.setOptionValue("mip_min_logging_interval", 0.5)
    points: list[Floats] = []
    raised: list[BaseException] = []

    def tell(point: Floats | None, event: Any) -> None:
        if watch is None or raised:
            return
        try:
            watch(point, model.value(event.data_out.mip_dual_bound))
        except BaseException as error:  # HiGHS would make an error of its own of it
            raised.append(error)
            clock.stop()

    def improved(event: Any) -> None:
        point = np.array(event.data_out.mip_solution) * model.column
        points.append(point)
        del points[:-4]
        tell(point, event)

    def logged(event: Any) -> None:
        tell(None, event)

    engine.cbMipImprovingSolution.subscribe(improved)
    engine.cbMipLogging.subscribe(logged)
    if start:
        index = np.fromiter(start, np.int32, len(start))
        engine.setSolution(
            len(index), index, np.fromiter(start.values(), float, len(start)) / model.column[index]
        )
    run(engine, clock)
    if raised:
        raise raised[0]
    status, info = engine.getModelStatus(), engine.getInfo()
    solution = engine.getSolution()
    if solution.value_valid:
        points.append(np.asarray(solution.col_value) * model.column)
    none = highspy.HighsModelStatus
    if status in (none.kInfeasible, none.kUnboundedOrInfeasible):
        return Outcome("infeasible", [], np.inf)
    if status == none.kUnbounded:
        raise SolverError("the model is unbounded: a negative cost has no limit")
    bound = -np.inf
    if model.arrays.integer.any():
        bound = model.value(info.mip_dual_bound)
    elif status == none.kOptimal:
        bound = model.value(info.objective_function_value)
    if status == none.kOptimal:
        return Outcome("optimal", points, bound)
    return Outcome("feasible" if points else "stopped", points, bound)
