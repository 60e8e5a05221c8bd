"""Designs with their decisions held, and where their stock would be if pools stood otherwise."""

import numpy as np
import pytest
from test_sifting import depots_case
from tiny_cases import tiny_case

import scopt
from scopt.case import Case
from scopt.search import method
from scopt.search.branching import Tree
from scopt.search.improve import Improver
from scopt.search.method import Options, Search
from scopt.search.root import follow
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


@pytest.mark.parametrize("seed", [22, 35])
def test_a_join_of_one_pool_is_parted(seed):
    """Whatever model the flows are of: joined, the pool alone has the stock that it has by itself."""
    model = scopt.build(Case.from_frames(tiny_case(seed)))
    search = Search(model, Options(gap=1e-3), Clock(60.0)).run()
    ids, best, joined = search.chain.site_ids, search.best, len(search.chain.pool_ids)
    assert search._without_idle_joins(model, best.flows, best.values, best.variance) is None
    stocked = {key: at for key, at in best.variance.items() if at > 0}
    (site,) = {site for site, _, _ in stocked}
    name = f"join[{ids[site]}]"
    assert best.values[name] == 0
    moved = {(site, product, joined): at for (_, product, _), at in stocked.items()}
    values, variance = search._without_idle_joins(
        model, best.flows, best.values | {name: 1.0}, dict.fromkeys(best.variance, 0.0) | moved
    )
    assert values == best.values
    assert {key: at for key, at in variance.items() if at > 0} == stocked
    # Both are the same design.
    one, other = (search.improver.improve(*start) for start in ((values, variance), (best.values, stocked)))
    assert one.cost == pytest.approx(other.cost, rel=1e-9)


def test_a_solution_with_a_join_of_one_pool_is_improved_apart_at_once(monkeypatch):
    model = scopt.build(Case.from_frames(tiny_case(35)))
    search = Search(model, Options(gap=1e-3), Clock(60.0)).run()
    arrays, best = search.arrays, search.best
    values = np.array([best.values[name] for name in arrays.names])
    name = next(name for name in arrays.names if name.startswith("join["))
    values[arrays.names.index(name)] = 1.0
    tried = []

    def improved(values, variance, rounds=6):
        tried.append(values[name])
        return best

    monkeypatch.setattr(search.improver, "improve", improved)
    search._improve(model, arrays, [np.concatenate([best.flows, values])])
    assert tried == [0.0]
    monkeypatch.setattr(search.improver, "improve", lambda values, *_: tried.append(values[name]))
    search.improved.clear()
    search._improve(model, arrays, [np.concatenate([best.flows, values])])
    assert tried == [0.0, 0.0, 1.0]  # where that leads nowhere, as it is


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


def refined_from(found):
    """The relaxation of a model with a break point in every cell that the best design uses."""
    cells = found.cells
    found.breaks = {
        key: np.array([0.5 * high])
        for key, high in zip(cells.keys, cells.high.tolist(), strict=True)
        if found.best.variance[key] > 0
    }
    model = found._build(found.breaks)
    return Sifted(model, Scaled.of(model.compile()), Clock(60.0))


def test_a_design_can_be_had_on_its_own_routes(found, monkeypatch):
    """They exist in a refined network, in all versions, and its decisions leave nothing short there."""
    monkeypatch.setattr(found, "breaks", found.breaks)  # as it was for the tests to come
    sifted, net = refined_from(found), found.model.network
    columns, number = net.routes.within(found.best.flows[: net.size] > 0)
    follow(sifted, net.marks[columns], np.bincount(number))
    arrays = sifted.scaled.arrays
    start = found._start(arrays)
    held = np.array([start[column] for column in sifted.integer.tolist()])
    sifted.hold(held, held)
    assert sifted.settle(0, 60.0)
    assert sifted.shortage <= 1e-6
    assert sifted.scaled.value(sifted.objective) <= found.best.cost * (1 + 1e-6)


def test_cells_that_nobody_uses_get_a_break_point_where_they_are_cheap_to_open(found, monkeypatch):
    cells, cost = found.cells, found.best.cost
    before = found.breaks, found.opening
    at = 0.25 * cells.high
    missing = found.weight * (np.sqrt(at) - at / np.sqrt(np.maximum(cells.high, 1e-300)))
    most = np.median(missing)
    monkeypatch.setattr(method, "PART", most / (found.options.gap * cost))
    wanted = {
        key for n, key in enumerate(cells.keys) if missing[n] > most * (1 + 1e-9) and cells.low[n] < at[n]
    }
    site = next(iter(sorted(wanted)))[0]
    used = {n for n, key in enumerate(cells.keys) if key in wanted and key[0] != site and n % 3 == 0}
    try:
        found.breaks, found.opening = {}, {}
        assert found._break_unused(set())
        assert set(found.breaks) == wanted
        assert all(found.breaks[key] == at[n] for n, key in enumerate(cells.keys) if key in wanted)
        # Not where it is used anyway, nor where its site costs more than the chord leaves out.
        found.breaks, found.opening = {}, {f"open_site[{found.chain.site_ids[site]}]": float(missing.max())}
        assert found._break_unused(used)
        assert set(found.breaks) == {
            key for n, key in enumerate(cells.keys) if key in wanted and key[0] != site and n not in used
        }
    finally:
        found.breaks, found.opening = before


def test_break_points_lie_apart(found):
    """Two solutions that stock nearly the same give a cell one break point."""
    before = found.breaks, found.points, found.refinements
    cells, best = found.cells, found.best
    none = dict.fromkeys(cells.keys, 0.0)
    some = {key: 0.3 * high for key, high in zip(cells.keys, cells.high.tolist(), strict=True)}
    near, far = ({key: part * at for key, at in some.items()} for part in (1.03, 0.1))
    try:
        counts = []
        for second in (near, far):
            found.breaks, found.refinements = {}, 0
            found.points = [(variance, none, cells.rejoined(best.flows)) for variance in (some, second)]
            assert found._refine()
            counts.append([len(points) for points in found.breaks.values()])
        assert max(counts[0]) <= 2  # the best design may ask for another one
        assert sum(counts[0]) < sum(counts[1])
    finally:
        found.breaks, found.points, found.refinements = before
