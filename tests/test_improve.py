"""Designs with their decisions held, and where their stock would be if pools stood otherwise."""

import numpy as np
import pytest
from test_sifting import depots_case

import scopt
from scopt.search.branching import Tree
from scopt.search.improve import Improver
from scopt.search.method import Options, Search
from scopt.search.sifting import Sifted
from scopt.search.solver import Clock, Lp, Scaled


@pytest.fixture(scope="module")
def found():
    model = scopt.build(depots_case(4, depots=8, shops=16))
    return Search(model, Options(gap=1e-3, time_limit=120), Clock(120.0)).run()


def test_a_design_is_found_from_no_variance_at_all(found):
    """Slopes of cells that hold nothing yet are steep: they may not stand in the way of goods."""
    improver = Improver(found.model, found.arrays, Clock(60.0))
    blind, informed = (
        improver.improve(found.best.values, variance) for variance in ({}, found.best.variance)
    )
    assert blind is not None
    assert informed.cost <= found.best.cost * (1 + 1e-9)
    assert informed.cost <= blind.cost * (1 + 1e-9)


def test_what_was_improved_before_does_not_matter(found):
    """The basis of other decisions may lead to another solution of the same cost, and take far longer."""
    values, used = found.best.values, Improver(found.model, found.arrays, Clock(60.0))
    everything = {name: 1.0 if name in used.names else value for name, value in values.items()}
    assert used.improve(everything, {}) is not None
    after = used.improve(values, found.best.variance)
    alone = Improver(found.model, found.arrays, Clock(60.0)).improve(values, found.best.variance)
    assert after.cost == alone.cost
    assert (after.flows == alone.flows).all()


def test_rejoined_variance_by_hand(found):
    cells, design = found.cells, found.best
    keys, joined = cells.keys, len(found.chain.pool_ids)
    now, other = cells.variance(design.flows), cells.rejoined(design.flows)
    both = {key: (at, then) for key, at, then in zip(keys, now.tolist(), other.tolist(), strict=True)}
    checked = 0
    for (site, product, group), (at, then) in both.items():
        if group == joined:
            apart = [both.get((site, product, pool), (0.0, 0.0)) for pool in range(joined)]
            # Joined, the variance of the pools is added; apart, it is what was joined that is divided.
            assert then == pytest.approx(sum(pool[0] for pool in apart))
            assert at == pytest.approx(sum(pool[1] for pool in apart))
            checked += at > 0 or then > 0
    assert checked > 0


def test_leaves_of_the_tree_are_designs():
    """What the tree keeps is a solution with whole decisions, whose variance is its own."""
    model = scopt.build(depots_case(5, depots=6, shops=10, products=1))
    scaled = Scaled.of(model.compile())
    sifted = Sifted(model, scaled, Clock(120.0))
    assert sifted.solve(1e-9, 60.0, lambda bound: None)
    tree = Tree(sifted, 1, 1e-9)
    arrays, leaves = scaled.arrays, []
    while tree.run(60.0, lambda: np.inf, lambda bound: None):
        assert len(tree.leaves) == 1  # it stops for each of them
        leaves.append(tree.leaves.pop())
    assert leaves
    for point in leaves:
        whole = point[arrays.integer]
        assert np.abs(whole - np.rint(whole)).max() <= 1e-4
        broken = (arrays.matrix @ point < arrays.row_lower - 1e-4) | (
            arrays.matrix @ point > arrays.row_upper + 1e-4
        )
        assert not broken[~arrays.lazy].any()
        assert float(arrays.cost @ point) + arrays.offset >= tree.bound * (1 - 1e-6)


def test_columns_that_no_route_takes_are_left_out(found):
    """The program of a design is small, and costs what that of all columns costs with the same decisions."""
    arrays, cells, best = found.arrays, found.cells, found.best
    improver = Improver(found.model, arrays, Clock(60.0))
    improver.hold(best.values)
    improver._slope(best.variance)
    point = np.zeros(len(arrays.cost))
    point[improver.open] = improver.lp.solve()
    assert len(improver.open) < 0.7 * len(arrays.cost)

    whole = Lp(Scaled.of(arrays), ~arrays.lazy, Clock(60.0))
    place = arrays.place
    held = np.array([round(best.values[name]) for name in improver.names], float)
    whole.set_bounds(improver.integer, held, held)
    pyomo = found.model.pyomo
    height = np.array([place[root.name] for root in pyomo.root.values()])
    whole.set_bounds(height, np.zeros(len(height)), np.full(len(height), np.inf))
    slopes = 0
    parts = zip(
        pyomo.root_of_variance.values(), pyomo.envelope.values(), pyomo.variance.values(), strict=True
    )
    for n, (row, envelope, variance) in enumerate(parts):
        at = best.variance[cells.keys[n]]
        if cells.high[n] <= 0:
            continue
        held_here = at > 1e-4 * cells.high[n]
        slope = 0.5 / at**0.5 if held_here else (1e-4 * cells.high[n]) ** -0.5
        line = arrays.row_of(row)
        whole.set_entry(line, place[envelope.name], 0.0)
        whole.set_entry(line, place[variance.name], -slope)
        whole.set_row(line, 0.5 * at**0.5 if held_here else 0.0, 0.5 * at**0.5 if held_here else 0.0)
        slopes += held_here
    assert slopes > 3
    everything = whole.solve()
    assert everything @ arrays.cost == pytest.approx(point @ arrays.cost, rel=1e-7)
