"""Why a decision cannot go the other way: what the case and the levers rule out, what a forced model breaks.

`rules` tells what is known before anything is solved, `stops` asks the infeasible model.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from scopt.chain import MUST, NO, position
from scopt.questions.decision import lanes_asked
from scopt.search.solver import Clock, Lp, Scaled

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from scopt.chain import Chain
    from scopt.models import Arrays, Model
    from scopt.questions.decision import Decision

    Bools = NDArray[np.bool_]

__all__ = ["rules", "stops"]

FAMILIES = {
    "the limits of the case": ("limit",),
    "capacities of sites": ("site_capacity", "site_product_capacity"),
    "capacities of sources": ("supply_capacity",),
    "capacities of lanes": ("lane_capacity",),
    "capacities of operators": ("operator_capacity",),
    "least volumes of sites": ("site_minimum",),
    "least volumes of lanes": ("lane_minimum",),
    "least volumes of operators": ("operator_minimum",),
    "shares that have to arrive on time": ("on_time_share",),
    "ceilings on stock": ("max_stock_days", "max_site_days"),
    "single sources of a market": ("single_source", "one_source"),
    "tariffs and their least volumes": ("tier_rows",),
    "places that only one site may take": ("one_per_place", "taken_over"),
    "demand that nothing else can serve in time": ("demand",),
}
"""Rows that may stop a forced decision, by what a planner calls them."""


def rules(model: Model, decision: Decision, taken: bool) -> tuple[str, ...]:
    """Tell what in the case keeps a decision from being forced one way, as far as it is known beforehand."""
    chain = model.chain
    found = list({"site": _site, "lane": _lane, "stock": _stock, "operator": _operator}[decision.kind](
        chain, decision, taken
    ))  # fmt: skip
    if not found and taken and not decision.whole_site and not len(decision.columns(model)):
        found.append("no route through it serves anybody who asks for these goods within the promised time")
    return tuple(dict.fromkeys(found))


def _site(chain: Chain, decision: Decision, taken: bool) -> Iterator[str]:
    i = position(decision.name, chain.site_ids)
    if taken:
        yield from _shut(chain, i)
    elif decision.whole_site and chain.bounds[0][i] == 1:
        yield from _held_open(chain, i)


def _shut(chain: Chain, i: int) -> Iterator[str]:
    """Why site i cannot be open."""
    strategy, site = chain.strategy, chain.site_ids[i]
    status = chain.case.sites["status"].iloc[i]
    if chain.usable[i]:
        lower = chain.bounds[0]
        for k in np.flatnonzero((chain.place == chain.place[i]) & (lower == 1)).tolist():
            if k != i and not strategy.measured:
                yield f"{chain.site_ids[k]} stays at its place (status {chain.case.sites['status'].iloc[k]})"
    elif status == "closed":
        yield f"{site} is not considered (status closed)"
    elif strategy.measured:
        yield f"{site} does not exist today, and {strategy.name} is today's chain"
    elif status == "close":
        yield f"{site} has to go (status close)"
    else:
        lever = "outsource" if chain.site_operator[i] >= 0 else "add"
        yield f"{site} would be opened by the lever {lever}, which strategy {strategy.name} has off"


def _held_open(chain: Chain, i: int) -> Iterator[str]:
    """Why site i cannot be closed."""
    strategy, site = chain.strategy, chain.site_ids[i]
    status = chain.case.sites["status"].iloc[i]
    if strategy.measured:
        yield f"{strategy.name} is today's chain: nothing closes in it"
    elif status in ("keep", "open"):
        word = "stays" if status == "keep" else "has to be opened"
        yield f"{site} {word} (status {status})"
    else:
        yield f"{site} would be closed by the lever remove, which strategy {strategy.name} has off"


def _lane(chain: Chain, decision: Decision, taken: bool) -> Iterator[str]:
    rows, strategy = lanes_asked(chain, decision), chain.strategy
    if not taken or rows["lane"].isin(chain.lanes["lane"]).any():
        return
    for row in rows.to_dict("records"):
        ends = [int(row["o"]), *([int(row["d"])] if row["d"] >= 0 else [])]
        shut = [i for i in ends if not chain.usable[i]]
        for i in shut:
            yield from _shut(chain, i)
        if row["status"] == "closed":
            yield f"lane {decision.name} is not considered (status closed)"
        elif not shut and strategy.measured:
            yield f"lane {decision.name} is not used today, and {strategy.name} is today's chain"
        elif not shut:
            lever = "outsource" if row["w"] >= 0 else "direct"
            yield f"lane {decision.name} needs the lever {lever}, which strategy {strategy.name} has off"


def _stock(chain: Chain, decision: Decision, taken: bool) -> Iterator[str]:
    i = position(decision.name, chain.site_ids)
    if not taken:
        return
    if not chain.usable[i]:
        yield from _shut(chain, i)
        return
    products = [position(decision.product, chain.product_ids)] if decision.product else slice(None)
    if (chain.stock[i, products] == NO).all():
        free = replace(chain, strategy=replace(chain.strategy, restock=True, measured=False))
        if (free.stock[i, products] == NO).all():
            yield f"{decision.name} may not stock it (stock no)"
        else:
            yield f"stock points move by the lever restock, which strategy {chain.strategy.name} has off"


def _operator(chain: Chain, decision: Decision, taken: bool) -> Iterator[str]:
    o = position(decision.name, chain.operator_ids)
    mine = np.flatnonzero(chain.site_operator == o)
    if not taken:
        for i in mine[chain.bounds[0][mine] == 1].tolist():
            yield from _held_open(chain, i)
        return
    used = chain.usable[mine].any() or (chain.lanes["w"] == o).any()
    if not used:
        for i in mine.tolist():
            yield from _shut(chain, i)
        if (chain.case.lanes["operator"] == decision.name).any():
            yield f"none of the lanes of {decision.name} may be used"
        if not len(mine):
            yield f"{decision.name} runs no site and no lane that strategy {chain.strategy.name} may use"


def stock_is_compulsory(chain: Chain, decision: Decision) -> bool:
    """Whether what passes the site has to stop there, so that without stock nothing may pass."""
    i = position(decision.name, chain.site_ids)
    products = [position(decision.product, chain.product_ids)] if decision.product else slice(None)
    return bool((chain.stock[i, products] == MUST).any())


# -- an infeasible model -------------------------------------------------------------------------------------


def stops(model: Model, seconds: float = 60.0) -> tuple[str, ...]:
    """Tell which rules of the case an infeasible model breaks.

    Each family of rows is lifted by itself from the relaxation; those without which it has a solution are
    named. What would have to be relaxed, and by how much, the diagnosis of the forced solve tells.

    Parameters
    ----------
    model
        A model without a design.
    seconds
        Time for all of it.
    """
    arrays = replace(model.compile(), offset=0.0)
    arrays = replace(arrays, cost=np.zeros_like(arrays.cost))
    scaled, clock = Scaled.of(arrays), Clock(seconds)
    if _solvable(scaled, ~arrays.lazy, clock):
        return ("sites, contracts and other whole decisions cannot be combined so that all rules are kept",)
    found = []
    for name, parts in FAMILIES.items():
        mine = _rows(model, arrays, parts)
        if mine.any() and clock.left > 0 and _solvable(scaled, ~arrays.lazy & ~mine, clock):
            found.append(name)
    return tuple(found) or ("several rules of the case together",)


def _solvable(scaled: Scaled, rows: Bools, clock: Clock) -> bool:
    return Lp(scaled, rows, clock).solve(clock.left) is not None


def _rows(model: Model, arrays: Arrays, parts: tuple[str, ...]) -> Bools:
    """Mark the rows of some families, of arrays or of Pyomo."""
    out, at = np.zeros(len(arrays.row_lower), bool), 0
    for name, count in arrays.row_blocks:
        out[at : at + count] = name in parts
        at += count
    for name in parts:
        for constraint in getattr(model.pyomo, name, {}).values():
            out[arrays.row_of(constraint)] = True
    return out
