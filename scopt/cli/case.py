"""``scopt template`` and ``scopt check``: a case before it is solved."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from scopt.cli.options import CLEAN, FINDINGS, AsJson, CasePath, console, say
from scopt.errors import CaseError, UsageError

__all__ = ["check", "template"]


def template(
    case: Annotated[Path, typer.Argument(metavar="CASE", help="Workbook to be made (.xlsx).")],
    source: Annotated[
        Path | None,
        typer.Option("--from", exists=True, metavar="CASE", help="Case to copy into the template."),
    ] = None,
) -> int:
    """Make a case workbook to fill in, with drop-downs, notes and a small worked example."""
    from scopt.casefile.template import write_template
    from scopt.files import check_target

    if case.exists():
        raise UsageError(f"{case}: exists already, and a case file is never overwritten")
    check_target(case)
    write_template(case, source)
    return say(f"wrote {case}; fill it in, then run: scopt check {case}", CLEAN)


def check(case: CasePath, as_json: AsJson = False) -> int:
    """Read a case and report all findings."""
    from scopt.case import read_case
    from scopt.cli.screen import show_findings

    try:
        findings = read_case(case).warnings
    except CaseError as error:
        findings = error.findings
    if as_json:
        typer.echo(findings.to_frame().to_json(orient="records", force_ascii=False))
    if findings:
        show_findings(findings, console())
    else:
        say(f"{case}: no findings", CLEAN)
    return FINDINGS if findings.errors else CLEAN
