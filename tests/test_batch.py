"""Batches: what is finished is kept, killed workers cost a retry, interrupts keep designs."""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import loky
import pandas as pd
import psutil
import pytest

import scopt
from scopt.batch import RunFolder, Task, executor_for, run
from scopt.batch.kept import content_key
from scopt.batch.processes import Processes
from scopt.case import ORDER, Decided
from scopt.errors import SolverError, UsageError
from scopt.solved import search
from scopt.solving import options_for

CASES = Path(__file__).resolve().parent.parent / "cases"
OWN = [{"strategy": "cheap", "o2o": "no"}, {"strategy": "green", "remove": "no"}]


@pytest.fixture
def case(make_chain):
    return make_chain(strategies=OWN)


def tasks_of(case, *names, **options):
    return [Task(name, case, case.strategies[name], options_for(case, **options)) for name in names]


@pytest.fixture
def searched(monkeypatch):
    """Strategies whose search was begun in this process."""
    module = importlib.import_module("scopt.solved")
    names, plain = [], module.Search.run

    def counted(found):
        names.append(found.model.chain.strategy.name)
        return plain(found)

    monkeypatch.setattr(module.Search, "run", counted)
    return names


# ---------------------------------------------------------------------------------------- what is kept


def test_a_kept_search_comes_back_as_it_was(tmp_path):
    case = scopt.read_case(CASES / "small.xlsx")
    found = search(case, "integrated", options_for(case))
    folder = RunFolder(tmp_path / "runs")
    folder.save("a", found)
    back = folder.load("a")
    assert (back.strategy, back.status, back.costs, back.bound, back.gap, back.seconds, back.messages) == (
        found.strategy, found.status, found.costs, found.bound, found.gap, found.seconds, found.messages,
    )  # fmt: skip
    assert back.start.values == found.start.values
    assert back.start.variance == found.start.variance
    assert back.tables.keys() == found.tables.keys()
    for name, table in found.tables.items():
        pd.testing.assert_frame_equal(back.tables[name], table, check_exact=True)


def test_what_is_not_whole_counts_as_missing(case, tmp_path):
    folder = RunFolder(tmp_path)
    folder.save("a", search(case, "as_is", options_for(case)))
    (path,) = tmp_path.iterdir()
    whole = path.read_bytes()
    changed = whole[:-9] + bytes([whole[-9] ^ 1]) + whole[-8:]
    for broken in (b"", whole[:40], whole[: len(whole) // 2], whole[:-1], whole + b" ", changed):
        path.write_bytes(broken)
        assert folder.load("a") is None
    path.write_bytes(whole)
    assert folder.load("a") is not None
    shutil.copy(path, path.with_stem("b"))
    assert folder.load("b") is None  # under another name it is the answer to another question
    assert folder.load("c") is None


def test_what_was_interrupted_is_not_finished(case, tmp_path):
    found = search(case, "as_is", options_for(case))
    RunFolder(tmp_path).save("a", replace(found, interrupted=True))
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_told_first(case, tmp_path, searched):
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match=r"cannot be kept there .* --run-folder"):
        scopt.compare(case, run_folder=tmp_path / "file")
    assert not searched


def test_the_key_is_the_content(make_chain):
    case, options = make_chain(strategies=OWN), options_for(make_chain())

    def key(case=case, name="integrated", options=options, **changes):
        return content_key(case, replace(case.strategies[name], **changes), options)

    same = [
        key(name="integrated", description="told otherwise", against="cheap"),
        key(case=make_chain(strategies=[*OWN, {"strategy": "more"}])),
        key(case=make_chain(strategies=OWN, actuals=[{"bucket": "sites", "amount": 1.0}])),
        key(case=make_chain(strategies=OWN, settings=[{"key": "horizon_years", "value": 9}])),
    ]
    other = [
        key(name="cheap"),
        key(measured=True),
        key(decided=Decided(levers=frozenset(["remove"]), open_sites=frozenset("PS"))),
        key(options=options_for(case, gap=0.5)),
        key(options=options_for(case, time_limit=5)),
        key(options=options_for(case, seed=1)),
        key(options=options_for(case, threads=1)),
        key(case=make_chain(strategies=OWN, products=[{"product": "A", "value": 11.0}])),
    ]
    assert set(same) == {key()}
    assert len({key(), *other}) == 1 + len(other)
    change = {"strategy": "integrated", "sheet": "demand", "column": "units", "value": 200}
    busier = make_chain(strategies=OWN, changes=[change])
    assert key(case=busier) != key()
    assert key(case=busier, name="cheap") == key(name="cheap")


def test_the_same_search_under_two_names_is_done_once(case, searched):
    tasks = tasks_of(case, "cheap")
    found = run([*tasks, replace(tasks[0], name="again")], executor_for(1))
    assert searched == ["cheap"]
    assert {name: solved.strategy for name, solved in found.items()} == {"cheap": "cheap", "again": "again"}


def test_an_extended_comparison_does_only_what_is_missing(make_chain, tmp_path, searched):
    first = scopt.compare(make_chain(strategies=OWN[:1]), run_folder=tmp_path)
    assert searched == ["as_is", "integrated", "cheap"]
    searched.clear()
    then = scopt.compare(make_chain(strategies=OWN), run_folder=tmp_path)
    assert searched == ["green"]
    pd.testing.assert_frame_equal(then.table.iloc[:3], first.table)
    searched.clear()
    scopt.compare(make_chain(strategies=OWN), run_folder=tmp_path, fresh=True)
    assert len(searched) == 4


def test_a_task_may_wait_for_another(case):
    first, second = tasks_of(case, "as_is", "integrated")

    def ready(task, found):
        return replace(task, options=replace(task.options, gap=found["as_is"].cost))

    found = run([replace(second, after=("as_is",), prepare=ready), first], executor_for(1))
    assert list(found) == ["integrated", "as_is"]


# ---------------------------------------------------------------------------------------- killed and stopped


def workers(parent=None):
    """Worker processes that loky started."""
    children = psutil.Process(parent).children(recursive=True)
    found = []
    for child in children:
        with contextlib.suppress(psutil.Error):
            if "popen_loky" in " ".join(child.cmdline()):
                found.append(child)
    return found


def alive(processes):
    return [one for one in processes if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]


@pytest.mark.slow
def test_a_killed_worker_costs_a_retry_and_a_deadly_search_ends_the_batch():
    case = scopt.read_case(CASES / "fresh.xlsx")
    begun, killed = [], []

    def watch(event):
        if event.phase == "begun":
            begun.append(event.strategy)
        if event.state == "running" and event.phase != "begun" and not killed and workers():
            killed.append(workers()[0].pid)
            os.kill(killed[0], signal.SIGKILL)

    (task,) = tasks_of(case, "integrated", gap=0.01)
    found = run([task], Processes(1), progress=watch)
    assert killed
    assert begun == ["integrated"] * 2
    assert found["integrated"].status == "optimal"
    begun.clear()

    class Deadly(Processes):
        def poll(self, report):
            for worker in workers():
                worker.kill()
            return super().poll(report)

    with pytest.raises(SolverError, match="integrated: the process that searched it died 3 times"):
        run([task], Deadly(1), progress=watch)
    assert begun == ["integrated"] * 3
    assert not workers()


@pytest.mark.slow
def test_a_killed_dask_worker_costs_a_retry():
    case = scopt.read_case(CASES / "fresh.xlsx")
    executor, killed = executor_for(2, "local:2"), []
    events = []

    def watch(event):
        events.append(event)
        if event.strategy == "integrated" and event.bound is not None and not killed:
            there = executor._client.processing()
            (busy,) = [at for at, keys in there.items() if any("integrated" in key for key in keys)]
            killed.append(executor._client.run(os.getpid)[busy])
            os.kill(killed[0], signal.SIGKILL)

    found = run(tasks_of(case, "as_is", "integrated", gap=0.01), executor, progress=watch)
    assert killed
    assert [found[name].status for name in ("as_is", "integrated")] == ["optimal"] * 2
    assert sum(event.state == "done" for event in events) == 2


def test_a_second_interrupt_while_a_process_starts_leaves_none(case, monkeypatch):
    begun, plain = [], loky.ProcessPoolExecutor.submit

    def interrupted(pool, *args):
        future = plain(pool, *args)
        wait_for(workers)  # until the new process goes by its own name
        begun.append(workers())
        for _ in range(2):
            os.kill(os.getpid(), signal.SIGTERM)
        return future

    monkeypatch.setattr(loky.ProcessPoolExecutor, "submit", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(tasks_of(case, "as_is", "integrated"), Processes(2))
    assert [len(found) for found in begun] == [1]
    assert not alive(begun[0])


def test_without_dask_the_extra_is_named(case, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(UsageError, match=r'not installed: pip install "scopt\[dask\]"'):
        scopt.compare(case, scheduler="local:2")


@pytest.mark.parametrize("address", ["local:0", "local:two", "local:", "nonsense"])
def test_an_address_that_is_none_is_told(case, address):
    with pytest.raises(UsageError, match="a scheduler is HOST:PORT or local:N"):
        scopt.compare(case, scheduler=address)


@contextlib.contextmanager
def comparing(path, *options):
    """The command `compare`, running; whatever it leaves behind is ended."""
    command = [sys.executable, "-m", "scopt", "compare", str(path), "--jobs", "2", "--json", *options]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        try:
            yield process
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def wait_for(truth, seconds=300):
    end = time.monotonic() + seconds
    while not truth():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.05)


@pytest.mark.slow
def test_sigkill_loses_nothing_finished(tmp_path, searched):
    path, runs = tmp_path / "small.xlsx", tmp_path / "small.scopt-runs"
    shutil.copy(CASES / "small.xlsx", path)
    with comparing(path, "--gap", "1e-6", "--sequence", "all") as process:
        wait_for(lambda: len(list(runs.glob("*.solved"))) >= 3)
        left = workers(process.pid)
        process.kill()
        process.wait()
        wait_for(lambda: not alive(left), 60)
    kept = {found: found.stat().st_mtime_ns for found in runs.glob("*.solved")}
    case, again, undisturbed = scopt.read_case(path), [], []
    options = {"gap": 1e-6, "sequence": list(ORDER), "jobs": 1}
    assert scopt.compare(case, run_folder=runs, progress=again.append, **options).left == ()
    done = [event.strategy for event in again if event.state == "kept"]
    assert len(done) >= len(kept) >= 3
    assert not set(done) & set(searched)
    assert len(searched) == len(list(runs.glob("*.solved"))) - len(kept)
    assert all(found.stat().st_mtime_ns == written for found, written in kept.items())
    searched.clear()
    found = scopt.compare(case, run_folder=runs, **options)
    assert searched == []
    plain = scopt.compare(case, progress=undisturbed.append, **options)
    assert len(searched) > 10
    pd.testing.assert_frame_equal(
        found.table.drop(columns="seconds"), plain.table.drop(columns="seconds"), atol=1.0
    )
    pd.testing.assert_frame_equal(found.interaction.table, plain.interaction.table, atol=3.0)


@pytest.mark.slow
@pytest.mark.parametrize("times", [1, 2])
def test_an_interrupt_keeps_designs_and_leaves_no_process(tmp_path, times):
    path = tmp_path / "fresh.xlsx"
    shutil.copy(CASES / "fresh.xlsx", path)
    with comparing(path, "--gap", "0", "--strategies", "same_day,no_pooling") as process:
        seen = []
        # Whatever it is at when it tells that it has a design.
        signs = ("integrated: searching", "  cost") if times == 1 else ("as_is: begun",)
        while not any(all(sign in line for sign in signs) for line in seen):
            seen.append(process.stderr.readline())
            assert seen[-1]
        left = workers(process.pid)
        for _ in range(times):
            process.send_signal(signal.SIGTERM)
            time.sleep(0.05)
        out, err = process.communicate(timeout=300)
    assert process.returncode == 4
    wait_for(lambda: not alive(left), 60)
    if times == 1:
        rows = {row["strategy"]: row for row in json.loads(out)}
        assert rows["integrated"]["status"] == "feasible"
        assert "no_pooling" not in rows  # it waits for the integrated strategy
        assert "no_pooling; run again to go on from here" in err
        done = [line for line in [*seen, *err.splitlines()] if ": done, " in line]
        assert len(list((tmp_path / "fresh.scopt-runs").glob("*.solved"))) == len(done)
    else:
        assert out == ""
