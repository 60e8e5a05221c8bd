"""Commands, exit statuses, what goes to which stream; the solve is stood in for, but for one test."""

import importlib
import io
import json
import shutil
import subprocess
import sys
from pathlib import Path

import openpyxl
import pytest
from results import make_result
from rich.console import Console

from scopt.cli.screen import BatchDisplay, ProgressDisplay
from scopt.errors import SolverError, UsageError
from scopt.progress import Event

SMALL = Path(__file__).resolve().parents[1] / "cases" / "small.xlsx"
NO_DESIGN = {"cost": None, "bound": None, "gap": None, "saving": None, "tables": {}}


@pytest.fixture
def case(tmp_path):
    return Path(shutil.copy(SMALL, tmp_path / "small.xlsx"))


@pytest.fixture
def solving(monkeypatch):
    """Let every solve return the result made by hand with these fields, by strategy, or raise."""
    solving, comparison = (importlib.import_module(f"scopt.{name}") for name in ("solving", "comparison"))

    def stand_in(**by_strategy):
        def result(strategy):
            fields = by_strategy.get(strategy, {})
            if isinstance(fields, BaseException):
                raise fields
            return make_result(**({"strategy": strategy} | fields))

        def solve(case, strategy="integrated", *, progress=None, **options):
            progress(Event("linear program", 0.5, None, 80_000.0, None))
            progress(Event("improving", 1.0, 90_000.0, 89_550.0, 0.005))
            return result(strategy)

        def run(tasks, executor, *, progress, **options):
            for task in tasks:
                progress(Event("improving", 1.0, 90_000.0, 89_550.0, 0.005, task.name))
            return {task.name: None for task in tasks}

        monkeypatch.setattr(solving, "solve", solve)
        monkeypatch.setattr(comparison, "run", run)
        monkeypatch.setattr(comparison, "result_of", lambda case, name, *_: result(name))

    return stand_in


def test_help_and_version_need_no_heavy_module():
    code = "import sys, scopt.cli; sys.exit(bool({'pandas', 'numpy', 'pyomo', 'highspy'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_version(run):
    status, out, _ = run("--version")
    assert status == 0
    assert out.startswith("scopt ")


@pytest.mark.parametrize(
    "args",
    [
        ["solve"],
        ["solve", "missing.xlsx"],
        ["solve", SMALL, "--gap", "-1"],
        ["solve", SMALL, "--colour", "red"],
        ["solve", SMALL, "-o", "result.csv"],
        ["solve", SMALL, "-o", SMALL],
        ["solve", SMALL, "-o", "no/such/folder/result.xlsx"],
        ["compare", SMALL, "--strategies", "no such strategy"],
        ["improve", SMALL],
    ],
)
def test_usage_errors_exit_2_with_one_message(run, tmp_path, monkeypatch, args):
    shutil.copy(SMALL, tmp_path)
    monkeypatch.chdir(tmp_path)
    status, out, err = run(*["small.xlsx" if arg is SMALL else arg for arg in args])
    assert (status, out) == (2, "")
    assert err
    assert "Traceback" not in err
    assert (tmp_path / "small.xlsx").read_bytes() == SMALL.read_bytes()


def test_an_unwritable_target_is_reported_before_anything_is_read(run, case):
    case.write_text("not a workbook")  # reading it would be a finding
    (case.parent / "folder.xlsx").mkdir()
    status, _, err = run("solve", case, "-o", case.parent / "folder.xlsx")
    assert status == 2
    assert "folder.xlsx: cannot be written" in err


def test_check_of_a_clean_case(run, case):
    status, _, err = run("check", case)
    assert status == 0
    assert "no findings" in err


@pytest.fixture
def broken(case):
    book = openpyxl.load_workbook(case)
    headers = [cell.value for cell in book["demand"][1]]
    book["demand"].cell(2, headers.index("units") + 1).value = "many"
    book.save(case)
    return case


@pytest.mark.parametrize("command", ["check", "solve", "compare"])
def test_findings_exit_1_and_name_the_cell(run, broken, command):
    status, out, err = run(command, broken)
    assert (status, out) == (1, "")
    assert "demand!" in err
    assert "many" in err
    assert "1 error" in err
    assert "Traceback" not in err


def test_check_prints_findings_as_json(run, broken):
    status, out, _ = run("check", broken, "--json")
    [finding] = json.loads(out)
    assert status == 1
    assert (finding["sheet"], finding["value"], finding["level"]) == ("demand", "many", "error")


def test_solve_prints_the_result_and_writes_it_beside_the_case(run, case, solving):
    solving()
    status, out, err = run("solve", case)
    assert status == 0
    assert out == f"{make_result()}\n"
    assert "improving  cost 90,000  bound 89,550  gap 0.50 %" in err
    assert (case.parent / "small.integrated.result.xlsx").exists()
    assert case.read_bytes() == SMALL.read_bytes()


def test_solve_prints_only_json_on_standard_output(run, case, solving):
    solving()
    status, out, err = run("solve", case, "--json", "-o", case.parent / "mine.xlsx")
    assert status == 0
    assert list(json.loads(out))[:4] == ["strategy", "status", "cost", "bound"]
    assert "mine.xlsx" in err
    assert sorted(path.name for path in case.parent.iterdir()) == ["mine.xlsx", "small.xlsx"]


@pytest.mark.parametrize(("status_text", "exit_status"), [("infeasible", 3), ("stopped", 4)])
def test_without_a_design_nothing_is_written(run, case, solving, status_text, exit_status):
    earlier = case.parent / "small.integrated.result.xlsx"
    earlier.write_text("earlier")
    solving(
        integrated=NO_DESIGN | {"status": status_text, "messages": ("online cannot reach South in 1 day",)}
    )
    status, out, err = run("solve", case)
    assert status == exit_status
    assert "note: online cannot reach South in 1 day" in out
    assert "of an earlier run" in err
    assert earlier.read_text() == "earlier"


def test_a_feasible_design_exits_0(run, case, solving):
    solving(integrated={"status": "feasible"})
    assert run("solve", case)[0] == 0


@pytest.mark.parametrize(
    ("error", "exit_status", "message"),
    [
        (UsageError("no such strategy"), 2, "scopt: no such strategy\n"),
        (SolverError("kError"), 4, "the solver failed: kError\n"),
        (KeyboardInterrupt(), 4, "scopt: stopped\n"),
        (ZeroDivisionError("oops"), 70, "this is a defect of scopt, please report it\n"),
    ],
)
def test_errors_have_exit_statuses(run, case, solving, error, exit_status, message):
    solving(integrated=error)
    status, out, err = run("solve", case)
    assert (status, out) == (exit_status, "")
    assert err.endswith(message)
    assert ("Traceback" in err) == (exit_status == 70)


def test_a_strategy_named_like_a_path_stays_beside_the_case(run, case, solving):
    solving()
    run("solve", case, "--strategy", "../外包/a")
    assert (case.parent / "small..._外包_a.result.xlsx").exists()


def test_a_folder_of_csv_files_has_its_result_beside_it(run, tmp_path, solving, monkeypatch):
    monkeypatch.setattr("scopt.case.read_case", lambda path: type("Case", (), {"warnings": ()}))
    folder = tmp_path / "shirts.2"
    folder.mkdir()
    solving()
    run("solve", folder)
    assert [path.name for path in tmp_path.glob("*.xlsx")] == ["shirts.2.integrated.result.xlsx"]


def test_compare_prints_a_list_of_summaries(run, case, solving):
    solving()
    status, out, err = run("compare", case, "--strategies", "own_hub, agents_only", "--json")
    assert status == 0
    assert [row["strategy"] for row in json.loads(out)] == ["as_is", "integrated", "own_hub", "agents_only"]
    assert "own_hub: improving" in err
    assert (case.parent / "small.comparison.xlsx").exists()


@pytest.mark.parametrize(
    ("asked", "without_design", "exit_status"),
    [
        ("own_hub", {"as_is": "infeasible"}, 0),  # the yardstick is missing, what was asked for is there
        ("as_is", {"as_is": "infeasible"}, 3),
        ("own_hub", {"own_hub": "infeasible"}, 3),
        ("own_hub", {"own_hub": "stopped"}, 4),
        ("own_hub,agents_only", {"own_hub": "stopped", "agents_only": "infeasible"}, 4),
    ],
)
def test_compare_exits_with_the_worst_of_what_was_asked_for(
    run, case, solving, asked, without_design, exit_status
):
    solving(**{name: NO_DESIGN | {"status": status} for name, status in without_design.items()})
    assert run("compare", case, "--strategies", asked)[0] == exit_status


def test_template_never_overwrites(run, case):
    status, _, err = run("template", case)
    assert status == 2
    assert "never overwritten" in err
    assert case.read_bytes() == SMALL.read_bytes()


def test_template_can_be_checked(run, tmp_path):
    assert run("template", tmp_path / "mine.xlsx")[0] == 0
    assert run("check", tmp_path / "mine.xlsx")[0] == 0


def test_template_copies_a_case(run, case):
    assert run("template", case.parent / "mine.xlsx", "--from", case)[0] == 0
    assert run("check", case.parent / "mine.xlsx")[0] == 0


def test_progress_is_live_on_a_terminal():
    console = Console(file=io.StringIO(), force_terminal=True, width=80)
    with ProgressDisplay(console) as progress:
        progress(Event("linear program", 0.5, None, 80_000.0, None))
        progress(Event("[bold]improving", 1.0, 90_000.0, 89_550.0, 0.005))
        shown = Console(file=io.StringIO(), width=80)
        shown.print(progress)
    text = shown.file.getvalue()
    assert "linear program" in text
    assert "[bold]improving" in text
    assert "89,550" in text


def test_a_batch_is_a_live_table_of_strategies():
    console = Console(file=io.StringIO(), force_terminal=True, width=100, height=40)
    with BatchDisplay(console) as progress:
        progress(Event("waiting", 0.0, strategy="[b]cheap", state="waiting"))
        progress(Event("searching", 1.0, 90_000.0, 89_550.0, 0.005, "integrated"))
        progress(Event("kernel", 2.0, strategy="integrated"))
        progress(Event("optimal", 0.1, 95_000.0, 95_000.0, 0.0, "as_is", "kept"))
        shown = Console(file=io.StringIO(), width=100)
        shown.print(progress)
    lines = shown.file.getvalue().splitlines()
    assert [line.split()[1] for line in lines[1:]] == ["[b]cheap", "integrated", "as_is"]
    assert "kernel" in lines[2]
    assert "89,550" in lines[2]
    assert "kept from before" in lines[3]


def test_a_long_batch_shows_first_what_runs():
    console = Console(file=io.StringIO(), force_terminal=True, width=100, height=8)
    progress = BatchDisplay(console)
    for number in range(20):
        progress(Event("waiting", 0.0, strategy=f"s{number}", state="waiting"))
    progress(Event("searching", 1.0, strategy="s19"))
    shown = Console(file=io.StringIO(), width=100)
    shown.print(progress)
    lines = shown.file.getvalue().splitlines()
    assert "s19" in lines[1]
    assert lines[-1].split() == ["and", "16", "more"]


def test_a_plain_batch_is_a_line_for_what_happens():
    console = Console(file=io.StringIO(), width=100)
    with BatchDisplay(console) as progress:
        progress(Event("waiting", 0.0, strategy="cheap", state="waiting"))
        for seconds in range(8):
            progress(Event("searching", float(seconds), strategy="cheap"))
        progress(Event("optimal", 8.0, 95_000.0, 95_000.0, 0.0, "cheap", "done"))
    lines = console.file.getvalue().splitlines()
    assert [line.split()[0] for line in lines] == ["0.0", "5.0", "8.0"]
    assert "cheap: done, optimal  cost 95,000" in lines[-1]


def test_plain_progress_is_one_line_per_phase_and_five_seconds():
    console = Console(file=io.StringIO())
    with ProgressDisplay(console) as progress:
        for seconds in range(12):
            progress(Event("improving", float(seconds)))
        progress(Event("checking", 12.0))
    lines = console.file.getvalue().splitlines()
    assert [line.split()[0] for line in lines] == ["0.0", "5.0", "10.0", "12.0"]


@pytest.mark.slow
def test_the_small_case_end_to_end(case):
    done = subprocess.run(
        [sys.executable, "-m", "scopt", "solve", str(case), "--json"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert summary["status"] == "optimal"
    assert summary["bound"] <= summary["cost"] < summary["as_is_cost"]
    assert summary["checks"]["passed"] == summary["checks"]["total"] > 0
    assert (case.parent / "small.integrated.result.xlsx").exists()
