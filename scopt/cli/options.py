"""What the commands share: options, exit statuses, reading the case, showing and writing the outcome.

Heavy modules are imported where a command needs them, so that ``scopt --help`` answers at once.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import tempfile
import threading
import traceback
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, Protocol

import typer

from scopt.errors import CaseError, NoDesignError, SolverError, UsageError
from scopt.interrupts import LOOSE, held, raised

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console

    from scopt.case import Case

__all__ = [
    "CLEAN", "DEFECT", "FINDINGS", "NO_DESIGN", "OF_STATUS", "STOPPED", "USAGE", "AsJson", "CasePath", "Gap",
    "Seed", "Strategy", "Threads", "TimeLimit", "beside", "choose_target", "command", "console", "read",
    "say", "show", "write",
]  # fmt: skip


class Outcome(Protocol):
    """What a command comes to: ``str()`` is printed, the workbook holds it all."""

    def to_excel(self, path: Path) -> None:
        """Write the workbook."""


CLEAN, FINDINGS, USAGE, NO_DESIGN, STOPPED, DEFECT = 0, 1, 2, 3, 4, 70
"""Exit statuses; those of `OF_STATUS` by the status of a result."""
_CODES = {code: f"\\x{code:02x}" for code in (*range(9), 11, 12, *range(14, 32), *range(127, 160))}
"""How characters are printed that a terminal would obey."""
OF_STATUS = {"optimal": CLEAN, "feasible": CLEAN, "infeasible": NO_DESIGN, "stopped": STOPPED}

CasePath = Annotated[
    Path, typer.Argument(exists=True, metavar="CASE", help="Case workbook (.xlsx) or a folder of CSV files.")
]
Gap = Annotated[
    float | None,
    typer.Option(
        min=0.0, max=1.0, help="Stop within this share of the optimum; default: mip_gap of the case."
    ),
]
TimeLimit = Annotated[
    float | None, typer.Option(min=0.0, help="Seconds per strategy; default: time_limit_s of the case.")
]
Seed = Annotated[int, typer.Option(min=0, help="Seed of the solver; same seed and threads, same run.")]
Threads = Annotated[int | None, typer.Option(min=1, help="Threads of the solver; default: all cores.")]
Strategy = Annotated[str, typer.Option(help="Strategy of the case to be solved.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the summary as JSON on standard output.")]


def command(work: Callable[..., int]) -> Callable[..., None]:
    """Turn what a command raises into a message on standard error and an exit status."""

    @wraps(work)
    def run(*args: Any, **kwargs: Any) -> None:
        status = DEFECT
        try:
            with raised():
                status = work(*args, **kwargs)
        except CaseError as error:
            from scopt.cli.screen import show_findings

            show_findings(error.findings, console())
            status = FINDINGS
        except UsageError as error:
            status = say(f"scopt: {error}", USAGE)
        except NoDesignError as error:
            status = say(f"scopt: {error}", NO_DESIGN)
        except SolverError as error:
            status = say(f"scopt: the solver failed: {error}", STOPPED)
        except KeyboardInterrupt:
            status = say("scopt: stopped", STOPPED)
            _leave_if_busy(status)
        except Exception:
            say(f"{traceback.format_exc()}\nscopt: this is a defect of scopt, please report it", DEFECT)
        raise typer.Exit(status)

    return run


def _leave_if_busy(status: int) -> None:
    """End the process where the solver still runs: it may take long to see that nobody waits for it."""
    if any(thread.name == LOOSE for thread in threading.enumerate()):
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os._exit(status)


def choose_target(output: Path | None, case: Path, ending: str) -> Path:
    """Return where the workbook goes, after making sure that it can be written there."""
    from scopt.files import check_target

    target = output or beside(case, ending)
    check_target(target, case)
    return target


def beside(case: Path, ending: str) -> Path:
    """Return the path of what is named after the case and lies beside it."""
    named = case if case.name not in ("", "..") else case.resolve()
    return named.with_name(f"{named.stem if case.is_file() else named.name}.{ending}")


def read(path: Path) -> Case:
    """Read a case and say that it has warnings, which the result repeats."""
    from scopt.case import read_case

    case = read_case(path)
    if case.warnings:
        say(f"warnings: {len(case.warnings)}, see the notes or run: scopt check {path}", CLEAN)
    return case


@held()
def show(outcome: Outcome, summary: object) -> None:
    """Print an outcome on standard output: as JSON where there is a summary, else as text."""
    from scopt.cli.screen import show_text

    try:
        if summary is None:
            show_text(str(outcome))
        else:
            typer.echo(json.dumps(summary, ensure_ascii=False, allow_nan=False))
    except OSError as problem:
        # Nobody reads on, or the disk is full: the workbook is still to be written.
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        say(f"scopt: the summary could not be printed ({problem.strerror})", USAGE)


@held()
def write(outcome: Outcome, target: Path, *, designed: bool) -> None:
    """Write the workbook of an outcome that has a design, and say where it is."""
    if designed:
        try:
            outcome.to_excel(target)
        except UsageError as problem:
            _write_elsewhere(outcome, target, problem)
        say(f"wrote {target}", CLEAN)
    else:
        earlier = f"; {target} is of an earlier run" if target.exists() else ""
        say(f"no design, nothing to write{earlier}", CLEAN)


def _write_elsewhere(outcome: Outcome, target: Path, problem: UsageError) -> NoReturn:
    """Keep an outcome whose place has become unwritable, in the folder for temporary files; UsageError."""
    try:
        folder = Path(tempfile.mkdtemp(prefix="scopt-"))
    except OSError as second:
        raise UsageError(f"{problem}; nor could it be kept elsewhere ({second.strerror})") from problem
    other = folder / target.name
    try:
        outcome.to_excel(other)
    except UsageError as second:
        folder.rmdir()
        raise UsageError(f"{problem}; nor could it be kept elsewhere: {second}") from problem
    raise UsageError(f"{problem}; so that nothing is lost, the workbook is kept as {other}") from problem


def console() -> Console:
    """Return the console for messages."""
    from scopt.cli.screen import messages_console

    return messages_console()


def say(text: str, status: int) -> int:
    """Print a message on standard error, where it can be, and return the status."""
    with contextlib.suppress(OSError):
        typer.echo(text.translate(_CODES), err=True)
    return status
