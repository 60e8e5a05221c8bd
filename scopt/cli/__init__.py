"""The command line: a case before it is solved, designs, batches and curves, questions about a design."""

from __future__ import annotations

import sys
from importlib.metadata import version
from typing import TYPE_CHECKING, Annotated

import typer

from scopt.cli.batch import compare
from scopt.cli.books import tie_out
from scopt.cli.case import check, template
from scopt.cli.curves import sweep
from scopt.cli.design import solve
from scopt.cli.explain import alternatives, why
from scopt.cli.options import command

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["app", "main"]

app = typer.Typer(
    name="scopt",
    help="Redesign a supply chain: which intermediaries to remove, what to outsource, where to hold stock.",
    epilog="Exit status: 0 solved or clean, 1 findings in the case, 2 usage, 3 no feasible design, "
    "4 stopped without a design.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


def main(args: Sequence[str] | None = None) -> None:
    """Run the command line and exit with its status."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a console that lacks a sign shows ? and goes on
    app(args=None if args is None else list(args), prog_name="scopt")


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


for work in (template, check, solve, compare, sweep, why, alternatives, tie_out):
    app.command()(command(work))
