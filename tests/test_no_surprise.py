"""No network, the same run for the same seed and threads, and a record of what made a result."""

import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from test_sifting import depots_case

import scopt
from scopt.case import Case, digest_of
from scopt.result import TABLES
from scopt.search import method

TESTS = Path(__file__).resolve().parent
SMALL = TESTS.parent / "cases" / "small.xlsx"
PACKAGES = ("scopt", "highspy", "pyomo", "numpy", "pandas", "scipy")

WITHOUT_NETWORK = """
import sys
tried = []
def watch(event, args):
    if event.startswith(("socket.", "urllib.", "http.", "ftplib.", "smtplib.")):
        tried.append(event)
        raise OSError("there is no network here")
sys.addaudithook(watch)
from scopt.cli import main
for command in (["check"], ["solve", "--json"], ["compare", "--strategies", "own_hub", "--jobs", "1"]):
    try:
        main([*command, sys.argv[1]])
    except SystemExit as end:
        assert not end.code, (command, end.code)
assert not tried, tried
import socket
for use in (lambda: socket.socket(), lambda: socket.getaddrinfo("localhost", 80)):
    try:
        use()
    except OSError:
        continue
    raise AssertionError("the watch does not see the network")
"""


def fingerprint(result):
    """Every figure and table of a result but its wall time; digits are told in full."""
    tables = {name: getattr(result, name) for name in TABLES}
    tables["summary"] = tables["summary"][tables["summary"]["metric"] != "seconds"]
    out = {name: hashlib.sha256(table.to_csv().encode()).hexdigest() for name, table in tables.items()}
    return out | {"cost": repr(result.cost), "bound": repr(result.bound), "status": result.status}


def runs():
    """Fingerprints of a case with stock, operators and tariffs, and of one that is sifted and branched on."""
    small = scopt.solve(scopt.read_case(SMALL), seed=3, threads=2)
    above, method.SIFT_FROM = method.SIFT_FROM, -1
    try:
        sifted = scopt.solve(depots_case(1, depots=10, shops=20), gap=2e-3, seed=3, threads=2)
    finally:
        method.SIFT_FROM = above
    for result in (small, sifted):
        assert result.status == "optimal"
        assert len(result.stock)
    assert len(small.outsourcing)
    return [fingerprint(result) for result in (small, sifted)]


def test_the_same_seed_and_threads_give_the_same_tables_in_every_process():
    code = "import json, test_no_surprise as t; print(json.dumps(t.runs()))"
    here = [os.environ | {"PYTHONHASHSEED": seed} for seed in ("0", "4711")]
    outputs = [
        subprocess.run([sys.executable, "-c", code], cwd=TESTS, env=env, capture_output=True, check=True)
        for env in here
    ]
    first = runs()
    assert [json.loads(output.stdout) for output in outputs] == [first, first]


def test_nothing_touches_the_network(tmp_path):
    case = shutil.copy(SMALL, tmp_path)
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_NETWORK, str(case)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert {path.name for path in tmp_path.glob("*.xlsx")} == {
        "small.xlsx", "small.integrated.result.xlsx", "small.comparison.xlsx",
    }  # fmt: skip


def test_result_and_workbook_record_what_made_them(make_chain, tmp_path):
    case = make_chain()
    result = scopt.solve(case, gap=0.0123456, time_limit=77.5, seed=5, threads=1)
    wanted = {name: version(name) for name in PACKAGES} | {
        "python": platform.python_version(), "platform": platform.platform(), "case digest": case.digest,
        "strategy": "integrated", "gap": "0.0123456", "time limit (s)": "77.5", "seed": "5", "threads": "1",
        "cores": str(os.cpu_count()),
    }  # fmt: skip
    assert result.summary_json()["provenance"] == wanted | {"case": case.source}
    result.to_excel(tmp_path / "out.xlsx")
    book = openpyxl.load_workbook(tmp_path / "out.xlsx", read_only=True)
    told = {row[0]: row[1] for row in book["summary"].iter_rows(values_only=True)}
    book.close()
    assert told["case"] == case.source
    assert {key: told[f"made with {key}"] for key in wanted} == wanted
    assert scopt.solve(case).provenance["threads"] == "all"


@pytest.fixture(scope="module")
def small():
    return scopt.read_case(SMALL)


def test_every_number_of_a_case_counts_in_its_digest(small):
    digests = {small.digest}
    changed = 0
    for name, table in small.tables.items():
        for column in table.columns[[table[c].dtype.kind == "f" and len(table) > 0 for c in table]]:
            for row in {0, len(table) - 1}:
                other = table.copy()
                other.loc[row, column] = (
                    1.0 if pd.isna(other.loc[row, column]) else other.loc[row, column] + 0.125
                )
                digests.add(digest_of({**small.tables, name: other}))
                changed += 1
    assert changed > 100
    assert len(digests) == changed + 1


def test_a_number_changed_in_the_file_changes_the_digest_and_notes_and_order_do_not(small, tmp_path):
    book = openpyxl.load_workbook(SMALL)
    for sheet in book:
        headers = [cell.value for cell in sheet[1]]
        column = headers.index("notes") + 1 if "notes" in headers else len(headers) + 1
        sheet.cell(1, column).value = "notes"
        sheet.cell(2, column).value = "counted on Monday"
    book._sheets.reverse()
    book.save(tmp_path / "noted.xlsx")
    assert scopt.read_case(tmp_path / "noted.xlsx").digest == small.digest
    headers = [cell.value for cell in book["demand"][1]]
    book["demand"].cell(2, headers.index("units") + 1).value += 1
    book.save(tmp_path / "changed.xlsx")
    assert scopt.read_case(tmp_path / "changed.xlsx").digest != small.digest


def test_notes_do_not_count_and_the_order_of_frames_does_not(make_chain):
    frames = {name: table for name, table in make_chain().tables.items() if len(table)}
    noted = {name: table.assign(notes="seen") for name, table in reversed(frames.items())}
    assert Case.from_frames(noted).digest == Case.from_frames(frames).digest
