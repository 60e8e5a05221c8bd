"""Measure scopt and its peers, and write docs/benchmarks.md of what was measured.

    uv run --group benchmarks python benchmarks/run.py all
    uv run --group benchmarks python benchmarks/run.py redesign --only "80x3 plain" --again
    uv run --group benchmarks python benchmarks/run.py page

Parts: handover, published, redesign, strategies, workbooks; `all` of them; `page` only writes the page. Every
measurement is kept in benchmarks/results/ as soon as it is made, and what is kept is not measured again
unless `--again` is given. Nothing else should run on the machine.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import gap_pages
import gaps
import handover
import workbooks
from measure import HERE, RESULTS, Results, table
from peers import PEERS

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = HERE.parent
PAGE = ROOT / "docs" / "benchmarks.md"

HEAD = """\
<!-- Made by benchmarks/run.py from benchmarks/results/; do not edit. -->

# Benchmarks

`uv run --group benchmarks python benchmarks/run.py all` measures everything here anew: scopt and its peers
on the same cases in the same run, each measurement in a process of its own, the median of repeats where one
takes less than a minute. `run.py PART` measures a part, `--only WORD` some of its cases; `run.py page`
writes this page. Results are in `benchmarks/results/`; what is in no table has not been measured yet.
"""

INTRODUCTIONS = {
    "handover": """\
## From the workbook to the solver

A two-echelon network with ten products. Everybody builds the same rows and hands them to HiGHS; nobody
solves. scopt reads and validates the workbook, the others take its cells with calamine. *Above its start*
is the peak less what the process held, with the case in memory, before it began to build. Memory that a
virtual machine may have given back to its host is asked back before the clock starts, for everybody.
""",
    "published": """\
## Published instances to a proven gap

Seconds from the data in memory until the gap was proven, building included. scopt is asked for each gap
anew. Every other solver runs once on the *textbook* form (one capacity row a site) and once on the *strong*
form (a row a site and customer besides), and the better of the two counts, gap by gap. `>`: not reached in
that time. capa and capb were measured as published: copies of them are about in which every `300` reads
`1000`, whose optima are other ones. Where the pace of the machine is kept, ratios are taken at one pace (see
the redesign cases). *Not used for tuning* are nI20_nJ20_nK100, nI20_nJ40_nK100, capa 10000, B1.1 and
111EuclS: all others were run at some time to choose or check a piece of the method.
""",
    "redesign": """\
## Redesign cases to a proven gap

Cases of `benchmarks/generator.py`, markets × products: with lead times and promises, stock at every stage,
pools that may be joined, and two operators; *plain*, or with capacities, tariffs and minimum volumes
(*all*: these three). Others are given the *textbook* form: the same network in time, one row a site, stock
point and contract, five chords a root with one variance behind them. *own* is scopt's model with all of its
rows. The gap of others is that of their model, whose roots lie a little below the truth; scopt's is between
the true cost of its design and a bound on all designs. *Slower by* tells how many times longer HiGHS took
before and after for a fixed linear program (`pace` in `benchmarks/peers.py`) than on the machine of the
published rows, for each of the times where they are of different days; times are compared with each other
after division by it. Only measured, so that no choice of the method was made or checked on them, were seed
24 of 80x3, seeds 20 to 22 of 200x3 all, and seed 12 of 540x3.
""",
    "strategies": """\
## Ten strategies

As-is, integrated, each of the six levers alone, a faster promise, and a fifth more demand: fresh solves one
after the other, and the ten as one batch, in which searches take over from one another.
""",
    "workbooks": """\
## Workbooks

A case with so many lanes and the demand that goes with them, and a result with a table of flows so long.
""",
}

MEASURE: dict[str, Callable[[argparse.Namespace], None]] = {
    "handover": handover.measure,
    "published": gaps.measure_published,
    "redesign": gaps.measure_redesign,
    "strategies": lambda asked: strategies(asked),
    "workbooks": workbooks.measure,
}
PAGES: dict[str, Callable[[Results], str]] = {
    "handover": handover.page,
    "published": gap_pages.published,
    "redesign": gap_pages.redesign,
    "workbooks": workbooks.page,
}
TARGETS = {
    "handover": handover.targets,
    "published": gap_pages.published_targets,
    "redesign": gap_pages.redesign_targets,
}


def strategies(asked: argparse.Namespace) -> None:
    """Ten strategies against ten fresh solves, by the script for them."""
    target = RESULTS / "strategies.md"
    if target.exists() and not asked.again:
        return
    command = [sys.executable, str(HERE / "strategies.py"), "--output", str(target)]
    subprocess.run(command, check=True, timeout=7200)


def page() -> str:
    """Return the page: what is asked first, then a section for every part that was measured."""
    kept = {part: Results(part) for part in PAGES}
    measured = {part: results for part, results in kept.items() if results.records}
    asked = [row for part, tell in TARGETS.items() if part in measured for row in tell(measured[part])]
    sections = [HEAD]
    if asked:
        rows = [(told, found, "yes" if met else "**no**") for told, found, met in asked]
        sections.append("## What is asked\n\n" + table(("", "measured", "met"), rows) + "\n")
    for part, introduction in INTRODUCTIONS.items():
        if part in measured:
            sections.append(f"{introduction}\n{_about(measured[part])}\n\n{PAGES[part](measured[part])}\n")
        elif part == "strategies" and (RESULTS / "strategies.md").exists():
            text = (RESULTS / "strategies.md").read_text(encoding="utf-8")
            sections.append(introduction + text.partition("\n")[2].replace("\n## ", "\n### ").rstrip() + "\n")
    return "\n".join(sections)


def _about(results: Results) -> str:
    told = dict(results.about)
    first = f"Last measured {told.pop('date')} on {told.pop('machine')} (single rows may be older): "
    return first + ", ".join(f"{name} {number}" for name, number in told.items()) + "."


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("part", choices=[*MEASURE, "all", "page"])
    parser.add_argument(
        "--data", type=Path, default=ROOT.parent / "shared" / "data", help="published instances"
    )
    parser.add_argument("--only", default="", help="only what has this in its name")
    parser.add_argument("--again", action="store_true", help="measure again what is kept")
    parser.add_argument("--repeats", type=int, default=3, help="runs of what takes less than a minute")
    parser.add_argument("--limit", type=float, default=600.0, help="seconds of scopt for one gap")
    parser.add_argument("--patience", type=float, default=3600.0, help="seconds of another solver at most")
    parser.add_argument("--least", type=float, default=30.0, help="… and at least, however quick scopt is")
    parser.add_argument("--tightest", type=float, default=0.0, help="smallest gap that scopt is asked for")
    parser.add_argument("--most", type=int, help="largest number of columns or rows (handover, workbooks)")
    parser.add_argument("--seeds", type=int, nargs="*", default=[1, 2], help="of redesign cases")
    parser.add_argument("--peers", nargs="*", default=[*PEERS], choices=[*PEERS], help="other solvers")
    parser.add_argument(
        "--forms", nargs="*", default=[*gaps.FORMS], choices=[*gaps.FORMS], help="given to them"
    )
    asked = parser.parse_args()
    asked.data = asked.data.resolve()
    for part in MEASURE if asked.part == "all" else [asked.part]:
        if part in MEASURE:
            MEASURE[part](asked)
            PAGE.write_text(page(), encoding="utf-8")
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
