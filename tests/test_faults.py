"""Every fault that can be put into a design is caught by the recomputation: see `faults` for the list."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

import pytest
from faults import FAULTS, Fault
from faulty import designs, first_failed, spoiled

if TYPE_CHECKING:
    from hand_design import Design


@pytest.fixture(scope="module")
def found() -> dict[str, Design]:
    return designs()


def test_the_designs_themselves_pass(found: dict[str, Design]) -> None:
    assert {name: first_failed(design) for name, design in found.items()} == dict.fromkeys(found)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault.kind}: {fault.name}")
def test_a_fault_is_caught(fault: Fault, found: dict[str, Design]) -> None:
    """On the first design that it fits, each fault beginning with another; `benchmarks/faults.py` tries them all."""
    names = list(found)
    start = FAULTS.index(fault) % len(names)
    turned = {name: found[name] for name in names[start:] + names[:start]}
    tried = {name: first_failed(design) for name, design in islice(spoiled(fault, turned), 1)}
    assert tried, "the fault fits no design"
    assert None not in tried.values()
