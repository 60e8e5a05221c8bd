"""Designs that faults are put into: worked by hand, of the small example case, and of seeded tiny cases."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from faults import FAULTS, Fault
from hand_design import Design, as_is, integrated
from tiny_cases import tiny_case

from scopt.case import Case, read_case
from scopt.search.method import Options
from scopt.solved import chain_of, search
from scopt.verify import verify

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["SEEDS", "designs", "first_failed", "spoiled"]

SMALL = Path(__file__).resolve().parents[1] / "cases" / "small.xlsx"
SEEDS = (36, 91, 60, 53, 57, 142, 50, 137, 42, 4, 13, 0)


def solved(case: Case, strategy: str) -> Design:
    """The design that `scopt` finds for a strategy."""
    chain, found = chain_of(case, strategy), search(case, strategy, Options(gap=1e-4), why=False)
    assert found.costs is not None
    tables = {name: table for name, table in found.tables.items() if name not in ("checks", "summary")}
    return Design(chain.case, chain.strategy, tables, dict(found.costs), found.bound)


def designs() -> dict[str, Design]:
    """Every design by its name; solving them takes a few seconds."""
    small = read_case(SMALL)
    found = {"by hand": integrated(), "by hand, as is": as_is()}
    found |= {f"small, {strategy}": solved(small, strategy) for strategy in ("integrated", "as_is")}
    return found | {f"tiny {seed}": solved(Case.from_frames(tiny_case(seed)), "integrated") for seed in SEEDS}


def first_failed(design: Design) -> str | None:
    """The first check that fails, None where all pass."""
    checks = verify(design.case, design.strategy, design.tables, design.costs, design.bound)
    failed = checks.loc[~checks["ok"].astype(bool), "check"]
    return None if failed.empty else str(failed.iloc[0])


def spoiled(fault: Fault, designs: Mapping[str, Design], draws: int = 1) -> Iterator[tuple[str, Design]]:
    """Name and spoiled design for every design that the fault applies to, `draws` times each."""
    for at, (name, design) in enumerate(designs.items()):
        for draw in range(draws):
            random = np.random.default_rng([FAULTS.index(fault), at, draw])
            found = fault.spoil(design, random)
            if found is not None:
                yield name, found
