"""What the README promises is there, and its examples run."""

import re
import shlex
import shutil
import warnings
from pathlib import Path

import pytest

from scopt import cli

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
EXAMPLES = [ROOT / "README.md", ROOT / "docs" / "strategies.md"]
README = PAGES[0].read_text(encoding="utf-8")


def blocks(language, text=README):
    return re.findall(rf"^```{language}\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE)


def console_lines():
    return [line for block in blocks("console") for line in block.splitlines()]


def test_the_two_commands_stand_on_the_first_screen():
    first_screen = "\n".join(README.splitlines()[:30])
    assert "pip install uv && uv run scopt solve cases/small.xlsx" in first_screen
    assert "pip install uv && uv run pytest" in first_screen


def test_ci_runs_the_test_command_of_the_readme():
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert "pip install" in script
    assert "uv run pytest" in script


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    text = page.read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", text) + re.findall(r'src="([^"]+)"', text)
    assert [link for link in links if not link.startswith("http") and not (ROOT / link).exists()] == []


def test_commands_of_the_readme_exist():
    commands = {command.callback.__name__ for command in cli.app.registered_commands}
    named = set(re.findall(r"\bscopt ([\w-]+) ", "\n".join(console_lines())))
    assert {name.replace("-", "_") for name in named} == commands


def test_files_of_the_readme_exist():
    named = [
        word for line in console_lines() for word in shlex.split(line, comments=True) if "cases/" in word
    ]
    assert named
    assert [name for name in named if not (ROOT / name).exists()] == []


def examples():
    return [
        pytest.param(block, page.name, id=f"{page.stem}-{number}")
        for page in EXAMPLES
        for number, block in enumerate(blocks("python", page.read_text(encoding="utf-8")))
    ]


@pytest.mark.slow
@pytest.mark.parametrize(("example", "page"), examples())
def test_python_examples_run(example, page, tmp_path, monkeypatch, capsys):
    shutil.copytree(ROOT / "cases", tmp_path / "cases")
    monkeypatch.chdir(tmp_path)
    with warnings.catch_warnings(action="error"):
        exec(compile(example, page, "exec"), {})
    assert capsys.readouterr().out
