"""The command line: ``scopt template``, ``check``, ``solve``, ``compare``.

Heavy modules are imported where a command needs them, so that ``scopt --help`` answers at once.
"""

from __future__ import annotations

import json
import re
import sys
import traceback
from functools import wraps
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from scopt.errors import CaseError, NoDesignError, SolverError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rich.console import Console

    from scopt.case import Case
    from scopt.comparison import Comparison
    from scopt.result import Result

__all__ = ["app", "main"]

CLEAN, FINDINGS, USAGE, NO_DESIGN, STOPPED, DEFECT = 0, 1, 2, 3, 4, 70
"""Exit statuses; those of `_OF_STATUS` by the status of a result."""
_OF_STATUS = {"optimal": CLEAN, "feasible": CLEAN, "infeasible": NO_DESIGN, "stopped": STOPPED}

app = typer.Typer(
    name="scopt",
    help="Redesign a supply chain: which intermediaries to remove, what to outsource, where to hold stock.",
    epilog="Exit status: 0 solved or clean, 1 findings in the case, 2 usage, 3 no feasible design, "
    "4 stopped without a design.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

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
AsJson = Annotated[bool, typer.Option("--json", help="Print the summary as JSON on standard output.")]


def main(args: Sequence[str] | None = None) -> None:
    """Run the command line and exit with its status."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a console that lacks a sign shows ? and goes on
    app(args=None if args is None else list(args), prog_name="scopt")


def _command(work: Callable[..., int]) -> Callable[..., None]:
    """Turn what a command raises into a message on standard error and an exit status."""

    @wraps(work)
    def run(*args: Any, **kwargs: Any) -> None:
        status = DEFECT
        try:
            status = work(*args, **kwargs)
        except CaseError as error:
            from scopt.screen import show_findings

            show_findings(error.findings, _console())
            status = FINDINGS
        except UsageError as error:
            status = _say(f"scopt: {error}", USAGE)
        except NoDesignError as error:
            status = _say(f"scopt: {error}", NO_DESIGN)
        except SolverError as error:
            status = _say(f"scopt: the solver failed: {error}", STOPPED)
        except KeyboardInterrupt:
            status = _say("scopt: stopped", STOPPED)
        except Exception:
            _say(f"{traceback.format_exc()}\nscopt: this is a defect of scopt, please report it", DEFECT)
        raise typer.Exit(status)

    return run


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"scopt {version('scopt')}")
        raise typer.Exit


@app.callback()
def _options(
    show_version: Annotated[
        bool,
        typer.Option("--version", help="Print the version and exit.", is_eager=True, callback=_print_version),
    ] = False,
) -> None:
    """Take the options that stand before a command."""


@app.command()
@_command
def template(
    case: Annotated[Path, typer.Argument(metavar="CASE", help="Workbook to be made (.xlsx).")],
    source: Annotated[
        Path | None,
        typer.Option("--from", exists=True, metavar="CASE", help="Case to copy into the template."),
    ] = None,
) -> int:
    """Make a case workbook to fill in, with drop-downs, notes and a small worked example."""
    from scopt.casefile.template import write_template
    from scopt.report.sheets import check_target

    if case.exists():
        raise UsageError(f"{case}: exists already, and a case file is never overwritten")
    check_target(case)
    write_template(case, source)
    return _say(f"wrote {case}; fill it in, then run: scopt check {case}", CLEAN)


@app.command()
@_command
def check(case: CasePath, as_json: AsJson = False) -> int:
    """Read a case and report all findings."""
    from scopt.case import read_case
    from scopt.screen import show_findings

    try:
        findings = read_case(case).warnings
    except CaseError as error:
        findings = error.findings
    if as_json:
        typer.echo(findings.to_frame().to_json(orient="records", force_ascii=False))
    if findings:
        show_findings(findings, _console())
    else:
        _say(f"{case}: no findings", CLEAN)
    return FINDINGS if findings.errors else CLEAN


@app.command()
@_command
def solve(
    case: CasePath,
    strategy: Annotated[str, typer.Option(help="Strategy of the case to be solved.")] = "integrated",
    gap: Gap = None,
    time_limit: TimeLimit = None,
    seed: Seed = 0,
    threads: Threads = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="Result workbook; default: CASE.STRATEGY.result.xlsx beside the case."
        ),
    ] = None,
    as_json: AsJson = False,
) -> int:
    """Find the design of least cost for one strategy."""
    name = re.sub(r"[^\w.-]", "_", strategy)  # a strategy may be named like a path
    target = _target(output, case, f"{name}.result.xlsx")
    loaded = _read(case)
    from scopt.screen import ProgressDisplay
    from scopt.solving import solve as run

    with ProgressDisplay(_console()) as progress:
        result = run(
            loaded, strategy, gap=gap, time_limit=time_limit, seed=seed, threads=threads, progress=progress
        )
    _show(result, result.summary_json() if as_json else None)
    _write(result, target, designed=result.cost is not None)
    return _OF_STATUS[result.status]


@app.command()
@_command
def compare(
    case: CasePath,
    strategies: Annotated[
        str | None,
        typer.Option(
            metavar="A,B,…", help="Strategies; default: all. as_is and integrated are always there."
        ),
    ] = None,
    gap: Gap = None,
    time_limit: TimeLimit = None,
    seed: Seed = 0,
    threads: Threads = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Workbook; default: CASE.comparison.xlsx beside the case."),
    ] = None,
    as_json: AsJson = False,
) -> int:
    """Solve several strategies and lay them side by side."""
    target = _target(output, case, "comparison.xlsx")
    loaded = _read(case)
    from scopt.comparison import compare as run
    from scopt.screen import ProgressDisplay

    names = None if strategies is None else [name.strip() for name in strategies.split(",") if name.strip()]
    with ProgressDisplay(_console()) as progress:
        comparison = run(
            loaded, names, gap=gap, time_limit=time_limit, seed=seed, threads=threads, progress=progress
        )
    results = comparison.results.values()
    _show(comparison, [result.summary_json() for result in results] if as_json else None)
    _write(comparison, target, designed=any(result.cost is not None for result in results))
    # As-is is there as the yardstick: whether it has a design counts only where it was asked for.
    asked = [result for result in results if result.strategy != "as_is" or "as_is" in (names or ())]
    return max((_OF_STATUS[result.status] for result in asked), default=CLEAN)


def _target(output: Path | None, case: Path, ending: str) -> Path:
    """Return where the workbook goes, after making sure that it can be written there."""
    from scopt.report.sheets import check_target

    named = case if case.name not in ("", "..") else case.resolve()
    stem = named.stem if case.is_file() else named.name
    target = output or named.with_name(f"{stem}.{ending}")
    check_target(target, case)
    return target


def _read(path: Path) -> Case:
    """Read a case and say that it has warnings, which the result repeats."""
    from scopt.case import read_case

    case = read_case(path)
    if case.warnings:
        _say(f"warnings: {len(case.warnings)}, see the notes or run: scopt check {path}", CLEAN)
    return case


def _show(outcome: Result | Comparison, summary: object) -> None:
    """Print an outcome on standard output: as JSON where there is a summary, else as text."""
    from scopt.screen import show_text

    if summary is None:
        show_text(str(outcome))
    else:
        typer.echo(json.dumps(summary, ensure_ascii=False, allow_nan=False))


def _write(outcome: Result | Comparison, target: Path, *, designed: bool) -> None:
    if designed:
        outcome.to_excel(target)
        _say(f"wrote {target}", CLEAN)
    elif target.exists():
        _say(f"nothing to write; {target} is of an earlier run", CLEAN)


def _console() -> Console:
    from scopt.screen import messages_console

    return messages_console()


def _say(text: str, status: int) -> int:
    """Print a message on standard error and return the status."""
    typer.echo(text, err=True)
    return status
