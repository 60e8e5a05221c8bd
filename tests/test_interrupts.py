"""Real signals sent to a running ``scopt solve``: what was found is kept, and no file is left half written."""

import json
import os
import signal
import subprocess
import sys
import threading
import time

import openpyxl
import pytest
from conftest import chain_case
from test_sifting import depots_case

import scopt
from scopt.interrupts import asked, held, whole
from scopt.search.solver import Clock, Lp, Scaled, beside, side_by_side, solve_mip

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals of another kind")

SIGNALS = [signal.SIGINT, signal.SIGTERM]
AT_ONCE, PATIENCE = 20.0, 240.0  # s: a second signal ends by then; nothing takes longer on any machine
PLAIN = "from scopt.cli import main; main()"
SLOW_WRITING = """
import sys, time
import scopt.report.workbook as workbook
title = workbook.add_title
def slowly(*args):
    print("writing", file=sys.stderr, flush=True)
    time.sleep(2)
    title(*args)
workbook.add_title = slowly
"""
SLOW_READING = """
import sys, time
import scopt.casefile.read as read
whole = read.read_csv
def slowly(path):
    print("reading", file=sys.stderr, flush=True)
    time.sleep(60)
    return whole(path)
read.read_csv = slowly
"""
BUSY_SOLVER = """
from scopt.search.solver import Clock
Clock.stop = lambda clock: None  # a solver that does not look up
"""


def save(case, folder):
    folder.mkdir()
    for name, table in case.tables.items():
        if len(table):
            table.to_csv(folder / f"{name}.csv", index=False)
    return folder


@pytest.fixture(scope="module")
def cases(tmp_path_factory):
    """Folders of cases: one soon has a design, which takes long to prove; one is long without; one is tiny."""
    place = tmp_path_factory.mktemp("cases")
    return {
        "soon": save(depots_case(1), place / "soon"),
        "late": save(depots_case(1, depots=20, shops=40), place / "late"),
        "tiny": save(chain_case(), place / "tiny"),
    }


class Running:
    """A solve in a process (and process group) of its own, with a folder for temporary files."""

    def __init__(self, case, place, *options, before=""):
        self.case, self.output, self.parts = case, place / "out.xlsx", place / "parts"
        self.parts.mkdir()
        self.bytes = self.bytes_of_case()
        args = ["solve", str(case), "--json", "--gap", "0", "-o", str(self.output), *options]
        self.printed = (place / "stdout").open("w+")
        self.process = subprocess.Popen(
            [sys.executable, "-c", before + PLAIN, *args],
            stdout=self.printed, stderr=subprocess.PIPE, text=True, start_new_session=True,
            env=os.environ | {"TMPDIR": str(self.parts)},
            # A suite that was begun in the background would hand on that interrupts are ignored.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )  # fmt: skip
        self.told = ""
        self.watchdog = threading.Timer(PATIENCE, self.process.kill)
        self.watchdog.start()

    def bytes_of_case(self):
        return {file.name: file.read_bytes() for file in sorted(self.case.iterdir()) if file.is_file()}

    def wait_for(self, word):
        """Read what is told until a line has the word."""
        for line in self.process.stderr:
            self.told += line
            if word in line:
                return
        pytest.fail(f"ended without {word!r}: {self.told}")

    def send(self, number):
        self.process.send_signal(number)

    def end(self):
        """Wait for the end: exit status; the case is as it was, nothing lies about, no traceback was shown."""
        with self.process.stderr as stream:
            self.told += stream.read()
        status = self.process.wait()
        self.watchdog.cancel()
        self.printed.seek(0)
        self.out = self.printed.read()
        self.printed.close()
        assert "Traceback" not in self.told
        assert self.bytes_of_case() == self.bytes
        assert list(self.parts.iterdir()) == []
        left = {path.name for path in self.output.parent.iterdir()} - {"parts", "stdout"}
        assert left <= {"out.xlsx"}
        return status


@pytest.fixture
def start(cases, tmp_path):
    """Function that starts a solve of a case; what still runs at the end is ended."""
    started = []

    def begin(case, *options, before=""):
        run = Running(cases.get(case, case), tmp_path, *options, before=before)
        started.append(run)
        return run

    yield begin
    for run in started:
        run.watchdog.cancel()
        run.process.kill()
        run.process.wait()
        run.process.stderr.close()
        run.printed.close()


def assert_whole(run):
    """The best design with its bound was told, and its workbook can be read."""
    summary = json.loads(run.out)
    assert summary["status"] in ("feasible", "optimal")
    assert summary["bound"] <= summary["cost"] * (1 + 1e-6)
    assert summary["gap"] == pytest.approx(1 - summary["bound"] / summary["cost"], abs=1e-9)
    assert summary["checks"]["passed"] == summary["checks"]["total"] > 0
    book = openpyxl.load_workbook(run.output, read_only=True)
    metrics = {row[0]: row[1] for row in book["summary"].iter_rows(values_only=True)}
    assert metrics["cost"] == pytest.approx(summary["cost"])
    assert book["flows"].max_row > 1
    book.close()
    return summary


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_returns_the_best_design_with_its_bound(start, number):
    run = start("soon")
    run.wait_for("cost")
    run.send(number)
    assert run.end() == 0
    assert_whole(run)


def test_a_time_limit_returns_the_best_design_with_its_bound(start):
    run = start("soon", "--time-limit", "3")
    assert run.end() == 0
    assert_whole(run)


def test_a_signal_before_any_design_writes_nothing(start):
    run = start("late")
    run.wait_for("integrated")
    assert "cost" not in run.told
    run.send(signal.SIGTERM)
    assert run.end() == 4
    assert "no design, nothing to write" in run.told
    assert not run.output.exists()
    summary = json.loads(run.out)
    assert (summary["status"], summary["cost"]) == ("stopped", None)


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_while_the_case_is_read_ends_the_command(start, number):
    run = start("tiny", before=SLOW_READING)
    run.wait_for("reading")
    run.send(number)
    assert run.end() == 4
    assert run.told == "reading\nscopt: stopped\n"
    assert (run.out, run.output.exists()) == ("", False)


def test_a_signal_while_the_workbook_is_written_leaves_it_whole(start):
    run = start("tiny", before=SLOW_WRITING)
    run.wait_for("writing")
    run.send(signal.SIGINT)
    assert run.end() == 0
    assert_whole(run)


def test_a_second_signal_while_the_workbook_is_written_leaves_the_earlier_file(start, tmp_path):
    (tmp_path / "out.xlsx").write_bytes(b"of an earlier run")
    run = start("tiny", before=SLOW_WRITING)
    run.wait_for("writing")
    run.send(signal.SIGINT)
    time.sleep(0.3)
    run.send(signal.SIGTERM)
    assert run.end() == 4
    assert run.told.endswith("scopt: stopped\n")
    assert run.output.read_bytes() == b"of an earlier run"


def test_a_second_signal_does_not_wait_for_the_solver(start):
    run = start("soon", before=BUSY_SOLVER)
    run.wait_for("cost")
    run.send(signal.SIGTERM)
    time.sleep(0.3)  # signals of one kind that arrive together count as one
    begun = time.monotonic()
    run.send(signal.SIGTERM)
    assert run.end() == 4
    assert time.monotonic() - begun < AT_ONCE
    assert run.told.endswith("scopt: stopped\n")
    assert (run.out, run.output.exists()) == ("", False)


def interrupt_at(word):
    """Progress that interrupts this process once, at the first event whose phase has the word."""
    sent = []

    def progress(event):
        if word in event.phase and not sent:
            sent.append(event)
            os.kill(os.getpid(), signal.SIGTERM)

    return progress, sent


@pytest.mark.parametrize("relax", [False, True])
def test_an_interrupted_diagnosis_tells_what_is_known(relax):
    case = depots_case(2, depots=6, shops=8)
    late = case.lanes.assign(lead_days=case.lanes["lead_days"].where(case.lanes["channel"] != "web", 9.0))
    progress, sent = interrupt_at("why there is no design")
    result = scopt.solve(case.replace(lanes=late), progress=progress, relax=relax)
    assert sent
    assert (result.status, result.cost) == ("infeasible", None)
    told = "\n".join(result.messages)
    assert "takes" in told
    assert "the search for relaxations was stopped: none was found by then" in told


def test_an_interrupted_diagnosis_without_facts_says_that_it_was_stopped():
    few = [{"limit": "few", "measure": "sites", "tier": "depot", "max": 0}]
    progress, sent = interrupt_at("why there is no design")
    result = scopt.solve(depots_case(2, depots=6, shops=8, limits=few), progress=progress)
    assert sent
    assert result.status == "infeasible"
    assert any("the search for relaxations was stopped" in message for message in result.messages)


def test_nothing_is_begun_after_an_interrupt(make_chain):
    progress, sent = interrupt_at("as-is")
    phases = []

    def noted(event):
        phases.append(event.phase)
        progress(event)

    result = scopt.solve(make_chain(), progress=noted)
    assert sent
    assert result.status == "stopped"
    assert not any("integrated" in phase for phase in phases)


def test_held_signals_stop_everything_within_and_are_forgotten_after():
    stopped = []
    before = [signal.getsignal(number) for number in SIGNALS]
    with held(lambda: stopped.append("outer")):
        with held(lambda: stopped.append("inner")):
            os.kill(os.getpid(), signal.SIGTERM)
        assert asked()
        assert sorted(stopped) == ["inner", "outer"]
        with held(lambda: stopped.append("later")):
            assert stopped[-1] == "later"
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    assert not asked()
    assert [signal.getsignal(number) for number in SIGNALS] == before


def test_a_step_is_done_whole_before_a_second_signal_ends_the_work():
    done = []

    def step():
        with whole():
            with whole():
                os.kill(os.getpid(), signal.SIGTERM)
                done.append("inner")
            done.append("outer")
        done.append("after")

    with held():
        os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(KeyboardInterrupt):
            step()
    assert done == ["inner", "outer"]
    with whole():
        done.append("again")  # nothing is left waiting


@pytest.mark.parametrize("depots", [6, 14])
def test_what_a_progress_function_raises_is_raised(depots):
    """Its own error ends the search, not one of the solver's; a small model is all branch and bound."""

    def watch(event):
        raise LookupError("watched")

    with pytest.raises(LookupError, match="watched"):
        scopt.solve(depots_case(1, depots=depots), gap=0.0, progress=watch)


@pytest.mark.parametrize("at_point", [True, False])
def test_an_error_within_branch_and_bound_stops_it(at_point):
    arrays = scopt.build(depots_case(1, depots=20, shops=40), "integrated").compile()
    scaled, clock = Scaled.of(arrays), Clock(PATIENCE)

    def watch(point, bound):
        if (point is not None) == at_point:
            raise LookupError("watched")

    with pytest.raises(LookupError, match="watched"):
        solve_mip(scaled, ~arrays.lazy, clock, gap=0.0, watch=watch)
    assert clock.stopped
    assert clock.seconds < PATIENCE / 2


def test_an_interrupt_while_jobs_run_side_by_side_stops_the_clock_and_is_raised():
    clock = Clock(60.0)

    def job():
        while clock.left:
            time.sleep(0.01)
        return clock.stopped

    timer = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        side_by_side([job, job], 2, clock)
    assert clock.stopped
    assert side_by_side([job, lambda: 1], 1, clock) == [True, 1]


def test_a_job_beside_a_block_is_stopped_and_waited_for_when_that_ends():
    clock, seen = Clock(60.0), []

    def job(own):
        while own.left:
            time.sleep(0.01)
        seen.append(own.stopped)

    with beside(job, clock):
        assert not seen
    assert seen == [True]
    assert not clock.stopped


def test_nobody_waits_for_a_job_beside_a_block_that_was_interrupted():
    clock, let_go, stopped, over = Clock(60.0), *(threading.Event() for _ in range(3))

    def job(own):
        while own.left:
            time.sleep(0.01)
        stopped.set()
        let_go.wait(AT_ONCE)
        over.set()

    with pytest.raises(KeyboardInterrupt), beside(job, clock):
        raise KeyboardInterrupt
    assert not over.is_set()
    assert stopped.wait(AT_ONCE)
    let_go.set()


def test_what_goes_wrong_in_a_job_beside_a_block_is_told():
    def job(own):
        raise LookupError("beside")

    with pytest.raises(LookupError, match="beside"), beside(job, Clock(60.0)):
        pass


def test_a_linear_program_is_stopped_while_it_runs():
    """At its time limit, which is set to nought: there is no callback at every step."""
    model = scopt.build(depots_case(3, depots=30, shops=100), "integrated")
    clock = Clock(PATIENCE)
    program = Lp(Scaled.of(model.compile()), None, clock)
    program.engine.setOptionValue("presolve", "off")
    threading.Timer(0.3, clock.stop).start()
    assert program.solve() is None
    assert clock.stopped
    assert clock.seconds < PATIENCE / 2
    assert program.solve() is None  # nothing is begun after that
