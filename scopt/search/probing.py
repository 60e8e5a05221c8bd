"""Decisions that every good design takes: what the relaxation is bounded by without them tells.

A relaxation with a chord for each root leaves part of the one site open that all designs need, and little
can be proven as long as it does. Closed, the site would cost more than any good design does, and some steps
along the Lagrangian function show it (`ascent`): it is open for good. These are the tests for open sites of
Akinc and Khumawala (1977), by probing (Savelsbergh 1994).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scopt.search.ascent import probe

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scopt.search.sifting import Sifted

__all__ = ["needed"]

LITTLE = 0.01
"""Level of the steps, as a part of the bound, from which on a decision counts as open."""


def needed(sifted: Sifted, design: Mapping[str, float], enough: float, limit: float) -> dict[str, float]:
    """Bounds without decisions that a design takes, the dearest ones first, up to one that is not enough.

    Parameters
    ----------
    sifted
        A relaxation that was solved; its bounds and duals are left as they are.
    design
        Values of decisions by name.
    enough
        Bound from which on a decision is needed, in money.
    limit
        Seconds.

    Returns
    -------
    dict
        Bound on all designs without it, in money, for each decision that is needed.
    """
    arrays, end = sifted.scaled.arrays, sifted.clock.seconds + limit
    names = [arrays.names[j - arrays.flows] for j in sifted.integer]
    first = arrays.lower[sifted.integer].copy(), arrays.upper[sifted.integer].copy()
    open_ = np.array([design.get(name, 0.0) > 0.5 for name in names], bool) & (first[0] < first[1])
    taken = np.flatnonzero(open_)
    out = dict[str, float]()
    cost = arrays.cost[sifted.integer[taken]]
    for number in taken[np.argsort(-cost, kind="stable")].tolist():
        upper = first[1].copy()
        upper[number] = 0.0
        bound = probe(sifted, first[0], upper, sifted.center, LITTLE, end, enough).bound
        if bound < enough:
            break
        out[names[number]] = bound
    sifted.release()
    return out
