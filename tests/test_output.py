"""What is written: whole or not at all, nowhere else, and never a formula or a changed case."""

from __future__ import annotations

import errno
import importlib
import json
import os
import resource
import subprocess
import sys
import zipfile
from pathlib import Path

import openpyxl
import pytest
from case_frames import sheets, write_folder
from hostile_books import book
from hostile_content import FORMULAS, renamed
from results import make_result

import scopt
from scopt.casefile.template import write_template
from scopt.errors import CaseError, UsageError
from scopt.files import check_target, whole_workbook


def listed(folder: Path) -> dict[str, bytes]:
    """Content of every file below a folder, and every folder, by name."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else b"folder"
        for path in sorted(folder.rglob("*"))
    }


@pytest.fixture
def solving(monkeypatch):
    """Let the solve return the result made by hand, after something has happened to the world."""

    def stand_in(happens=lambda: None):
        def solve(*args, **options):
            happens()
            return make_result()

        monkeypatch.setattr(importlib.import_module("scopt.solving"), "solve", solve)

    return stand_in


# Where a workbook may go


@pytest.mark.parametrize("link", ["symbolic", "hard", "of a folder", "spelling"])
def test_the_case_is_no_target_by_any_name(tmp_path, link):
    case = book(tmp_path)
    other = tmp_path / "other.xlsx"
    if link == "symbolic":
        other.symlink_to(case)
    elif link == "hard":
        other.hardlink_to(case)
    elif link == "of a folder":
        (tmp_path / "folder").symlink_to(tmp_path)
        other = tmp_path / "folder" / "case.xlsx"
    else:
        (tmp_path / "folder").mkdir()
        other = tmp_path / "folder" / ".." / "." / "case.xlsx"
    before = listed(tmp_path)
    with pytest.raises(UsageError, match="overwrite the case"):
        check_target(other, case)
    assert listed(tmp_path) == before


def test_a_file_that_a_folder_of_csv_files_links_to_is_no_target(tmp_path):
    write_folder(tmp_path / "case", sheets())
    (tmp_path / "case" / "sites.csv").rename(tmp_path / "sites.xlsx")
    (tmp_path / "case" / "sites.csv").symlink_to(tmp_path / "sites.xlsx")
    with pytest.raises(UsageError, match="overwrite the case"):
        check_target(tmp_path / "sites.xlsx", tmp_path / "case")


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("none/a.xlsx", "there is no folder"),
        ("folder.xlsx", "it is a folder"),
        ("device.xlsx", "no ordinary file"),
        ("pipe.xlsx", "no ordinary file"),
        ("loop.xlsx", "symbolic link"),
        ("a" * 300 + ".xlsx", "name too long"),
        ("file/a.xlsx", "there is no folder"),
        ("a.csv", "ends in .xlsx"),
    ],
)
def test_targets_that_cannot_be_are_told(tmp_path, name, says):
    (tmp_path / "folder.xlsx").mkdir()
    (tmp_path / "file").write_text("x", encoding="utf-8")
    (tmp_path / "device.xlsx").symlink_to("/dev/full")
    (tmp_path / "loop.xlsx").symlink_to(tmp_path / "loop.xlsx")
    os.mkfifo(tmp_path / "pipe.xlsx")
    before = sorted(tmp_path.iterdir())
    with pytest.raises(UsageError, match=f"(?i){says}"):
        check_target(tmp_path / name)
    with pytest.raises(UsageError, match=f"(?i){says}"):
        make_result().to_excel(tmp_path / name)
    assert sorted(tmp_path.iterdir()) == before
    assert Path("/dev/full").is_char_device()


@pytest.mark.skipif(os.geteuid() == 0, reason="everything is writable for the administrator")
def test_a_read_only_file_or_folder_is_told_and_stays(tmp_path):
    (tmp_path / "a.xlsx").write_text("earlier", encoding="utf-8")
    (tmp_path / "a.xlsx").chmod(0o400)
    with pytest.raises(UsageError, match="Permission denied"):
        check_target(tmp_path / "a.xlsx")
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(UsageError, match="Permission denied"):
            check_target(tmp_path / "b.xlsx")
    finally:
        tmp_path.chmod(0o700)


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "real.xlsx").write_text("earlier", encoding="utf-8")
    (tmp_path / "link.xlsx").symlink_to(tmp_path / "real.xlsx")
    make_result().to_excel(tmp_path / "link.xlsx")
    assert (tmp_path / "link.xlsx").is_symlink()
    assert zipfile.is_zipfile(tmp_path / "real.xlsx")


# Whole or not at all


@pytest.mark.parametrize("stop", [KeyboardInterrupt, MemoryError, SystemExit])
def test_an_interrupted_write_leaves_the_earlier_file_and_nothing_else(tmp_path, stop):
    (tmp_path / "a.xlsx").write_text("earlier", encoding="utf-8")
    before = listed(tmp_path)

    def begin():
        with whole_workbook(tmp_path / "a.xlsx") as workbook:
            workbook.add_worksheet("x").write_string(0, 0, "x")
            assert listed(tmp_path) != before  # being written
            raise stop

    with pytest.raises(stop):
        begin()
    assert listed(tmp_path) == before


def test_a_disk_that_fills_up_leaves_the_earlier_file_and_nothing_else(tmp_path, monkeypatch):
    (tmp_path / "a.xlsx").write_text("earlier", encoding="utf-8")
    before = listed(tmp_path)
    real = os.fsync

    def full(number):
        if os.fstat(number).st_size != 1 << 16:  # the probe of the target still fits
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(number)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UsageError, match="No space left"):
        make_result().to_excel(tmp_path / "a.xlsx")
    assert listed(tmp_path) == before


def limited(args, folder, bytes_a_file):
    """Run scopt where no file may grow beyond a size."""

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (bytes_a_file, bytes_a_file))

    return subprocess.run(
        [sys.executable, "-B", "-m", "scopt", *args],
        cwd=folder, capture_output=True, text=True, check=False, preexec_fn=limit,
    )  # fmt: skip


def test_a_full_disk_is_told_before_anything_is_read(tmp_path):
    (tmp_path / "case.xlsx").write_text("no case: reading it would be a finding", encoding="utf-8")
    before = listed(tmp_path)
    done = limited(["solve", "case.xlsx"], tmp_path, 4096)
    assert done.returncode == 2
    assert "cannot be written" in done.stderr
    assert "Traceback" not in done.stderr
    assert listed(tmp_path) == before


@pytest.mark.slow
def test_a_disk_that_is_full_only_at_the_end_leaves_nothing_behind(tmp_path):
    book(tmp_path)
    done = limited(["template", "new.xlsx", "--from", "case.xlsx"], tmp_path, 66_000)
    assert done.returncode in (0, 2)
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr
    assert set(listed(tmp_path)) <= {"case.xlsx", *(["new.xlsx"] if done.returncode == 0 else [])}


def test_a_design_whose_place_is_gone_is_kept_elsewhere(run, tmp_path, solving, monkeypatch):
    case, place, spare = book(tmp_path), tmp_path / "place", tmp_path / "spare"
    place.mkdir()
    spare.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(spare))
    solving(happens=place.rmdir)
    status, out, err = run("solve", case, "-o", place / "a.xlsx")
    assert status == 2
    assert str(make_result()) in out
    [kept] = spare.rglob("a.xlsx")
    assert f"kept as {kept}" in err
    assert zipfile.is_zipfile(kept)
    assert not place.exists()


@pytest.mark.parametrize("spare", ["missing", "full"])
def test_a_design_that_can_be_kept_nowhere_is_still_printed(run, tmp_path, solving, monkeypatch, spare):
    case, place = book(tmp_path), tmp_path / "place"
    place.mkdir()
    real = os.fsync

    def happens():
        place.rmdir()
        monkeypatch.setattr(os, "fsync", full if spare == "full" else real)

    def full(number):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    solving(happens)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path if spare == "full" else tmp_path / "missing"))
    status, out, err = run("solve", case, "-o", place / "a.xlsx")
    assert (status, "Traceback" in err) == (2, False)
    assert "nor could it be kept elsewhere" in err
    assert str(make_result()) in out
    assert sorted(tmp_path.iterdir()) == [case]


def test_the_workbook_is_written_where_nobody_reads_the_summary(run, tmp_path, solving, monkeypatch):
    case = book(tmp_path)
    solving()

    def refuse(*args, **options):
        raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))

    monkeypatch.setattr("scopt.cli.screen.show_text", refuse)
    status, _, err = run("solve", case)
    assert status == 0
    assert "could not be printed" in err
    assert (tmp_path / "case.integrated.result.xlsx").exists()


@pytest.mark.parametrize("command", ["check", "solve", "compare", "template"])
def test_no_command_changes_the_case(run, tmp_path, command):
    case = book(tmp_path, strategies=[{"strategy": "../../x"}])
    before = listed(tmp_path)
    more = {"template": ["--from", case], "compare": ["-o", tmp_path / "new.xlsx"]}.get(command, [])
    if command == "solve":
        more = ["--strategy", "../../x"]
    target = [tmp_path / "new.xlsx"] if command == "template" else [case]
    assert run(command, *target, *more)[0] == 0
    after = listed(tmp_path)
    assert {name: after.get(name) for name in before} == before
    new = {name.split("/")[0] for name in set(after) - set(before)}
    assert new <= {"new.xlsx", "case..._.._x.result.xlsx", "case.scopt-runs"}


# Text is text


@pytest.fixture(scope="module")
def formulas(tmp_path_factory):
    """A solved case whose ids look like formulas, and its workbook."""
    folder = tmp_path_factory.mktemp("formulas")
    settings = [{"key": "name", "value": "=1+1"}, {"key": "currency", "value": "=A1"}]
    case = scopt.read_case(renamed(folder, settings=settings, **FORMULAS))
    result = scopt.solve(case)
    result.to_excel(folder / "result.xlsx")
    return result, folder / "result.xlsx"


def test_no_workbook_holds_a_formula_or_a_link(formulas, tmp_path):
    result, path = formulas
    scopt.compare(scopt.read_case(path.parent / "case.xlsx"), ["integrated"]).to_excel(tmp_path / "both.xlsx")
    write_template(tmp_path / "copy.xlsx", path.parent / "case.xlsx")
    for written in (path, tmp_path / "both.xlsx", tmp_path / "copy.xlsx"):
        with zipfile.ZipFile(written) as parts:
            for name in parts.namelist():
                content = parts.read(name)
                assert "external" not in name.lower(), name
                if name.startswith("xl/worksheets/"):
                    assert b"<f>" not in content, name
                    assert b"<f " not in content, name
                    assert b'TargetMode="External"' not in content, name
                    assert b"<hyperlink " not in content or b"r:id" not in content, name
    assert FORMULAS["hub"] in result.sites["site"].tolist()
    cells = [cell for line in openpyxl.load_workbook(path)["sites"].iter_rows() for cell in line]
    assert {cell.data_type for cell in cells if cell.value == FORMULAS["hub"]} == {"s"}
    assert scopt.read_case(tmp_path / "copy.xlsx").digest == scopt.read_case(path.parent / "case.xlsx").digest


def test_text_and_json_of_such_a_result_can_be_read_back(formulas):
    result, _ = formulas
    summary = json.loads(json.dumps(result.summary_json(), allow_nan=False))
    assert (summary["provenance"]["case"], summary["currency"]) == ("case", "=A1")
    assert str(result).replace("\n", "").isprintable()


def test_notes_that_no_cell_can_hold_are_told_when_a_case_is_copied(tmp_path):
    content = sheets()
    content["sites"][0]["notes"] = "x" * 40_000
    content["sites"][1]["notes"] = "a\uffffb"
    write_folder(tmp_path / "case", content)
    with pytest.raises(CaseError, match="at most 32,767 characters"):
        write_template(tmp_path / "copy.xlsx", tmp_path / "case")
    assert not (tmp_path / "copy.xlsx").exists()
    content["sites"][0]["notes"] = "x" * 32_767
    write_folder(tmp_path / "case", content)
    write_template(tmp_path / "copy.xlsx", tmp_path / "case")
    rows = list(openpyxl.load_workbook(tmp_path / "copy.xlsx")["sites"].iter_rows(values_only=True))
    assert [row[-1] for row in rows[1:3]] == ["x" * 32_767, "a\ufffdb"]
