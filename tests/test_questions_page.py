"""What docs/questions.md promises: its examples run, its commands and links are there."""

import re
import shlex
import shutil
import warnings
from pathlib import Path

import pytest

from scopt.cli import main

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "questions.md").read_text(encoding="utf-8")


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, flags=re.DOTALL | re.MULTILINE)


COMMANDS = [line for block in blocks("console") for line in block.splitlines()]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with the example cases, to work in."""
    shutil.copytree(ROOT / "cases", tmp_path / "cases")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.slow
@pytest.mark.parametrize("number", range(len(blocks("python"))))
def test_python_examples_run(number, folder, capsys):
    with warnings.catch_warnings(action="error"):
        exec(compile(blocks("python")[number], "questions.md", "exec"), {})
    out = capsys.readouterr().out
    told = (
        ("15000.0", "replacement_cost", "Factory stays (status keep)"),
        ("Own hub", "True"),
        ("transport: the model's 207,000",),
    )
    assert all(part in out for part in told[number]), out


@pytest.mark.slow
@pytest.mark.parametrize("line", COMMANDS)
def test_commands_run_and_answer_as_shown(line, folder, capsys):
    program, *args = shlex.split(line, comments=True)
    assert program == "scopt"
    with pytest.raises(SystemExit) as stop:
        main(args)
    assert not stop.value.code
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) > 5
    if "Brand warehouse" in args:
        (shown,) = blocks("text")
        assert [row for row in shown.splitlines() if row != "…" and row not in lines] == []
