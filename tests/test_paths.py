"""Routes as columns: what they are, how they are told apart, and masters made of them."""

from dataclasses import replace

import numpy as np
import pytest
from test_lean import refined
from test_sifting import depots_case, sifted_of
from tiny_cases import tiny_case

import scopt
from scopt.case import Case
from scopt.network import LAST
from scopt.routes import Routes
from scopt.search.kernel import AGREED, Kernel
from scopt.search.paths import Paths
from scopt.search.root import follow, ways
from scopt.search.sifting import Sifted
from scopt.search.solver import Clock, Scaled, solve_mip


@pytest.mark.parametrize("seed", range(20))
def test_routes_lead_from_a_source_to_a_market_at_their_length(seed):
    net = scopt.build(Case.from_frames(tiny_case(seed)), "integrated").network
    routes = Routes(net)
    cost = np.random.default_rng(seed).uniform(-1.0, 3.0, net.size)
    best, length = routes.cheapest(cost)
    wanted = np.isfinite(best)
    columns, number = routes.cut_out(cost, length, wanted)
    assert len(np.unique(number)) == wanted.sum()
    assert np.bincount(number, cost[columns]) == pytest.approx(best[wanted])
    for one in range(int(wanted.sum())):
        way = columns[number == one]
        assert net.kind[way[0]] == LAST
        assert net.tail[way[-1]] < 0
        assert (net.tail[way[:-1]] == net.head[way[1:]]).all()
        assert (np.diff(routes.depth[way]) < 0).all()


def test_a_cell_is_given_several_ends():
    net = scopt.build(depots_case(2, depots=6, shops=8)).network
    routes = Routes(net)
    cost = np.random.default_rng(1).uniform(0.0, 1.0, net.size)
    best, length = routes.cheapest(cost)
    columns, number = routes.cut_out(cost, length, np.isfinite(best), 3)
    ends = routes.cell[np.argsort(routes.last)][
        np.searchsorted(np.sort(routes.last), columns[: number.max() + 1])
    ]
    assert np.bincount(ends).max() == 3
    assert len(np.unique(columns[: number.max() + 1])) == number.max() + 1


@pytest.mark.parametrize("seed", range(10))
def test_routes_within_some_columns_are_all_of_them(seed):
    net = scopt.build(Case.from_frames(tiny_case(seed)), "integrated").network
    used = np.random.default_rng(seed).random(net.size) < 0.8
    columns, number = net.routes.within(used)
    found = {tuple(columns[number == one].tolist()) for one in np.unique(number)}
    assert len(found) == len(np.unique(number))

    def onwards(way):
        if net.tail[way[-1]] < 0:
            return {way}
        into = np.flatnonzero(used & (net.kind != LAST) & (net.head == net.tail[way[-1]]))
        return set().union(*(onwards((*way, column)) for column in into.tolist()))

    wanted = set().union(
        *(onwards((column,)) for column in np.flatnonzero(used & (net.kind == LAST)).tolist())
    )
    assert found == wanted
    assert net.routes.within(np.zeros(net.size, bool))[0].tolist() == []


def test_a_route_keeps_its_number():
    paths = Paths(6)
    first = paths.add(np.array([0, 1, 2, 3, 4]), np.array([0, 0, 1, 1, 1]))
    again = paths.add(np.array([5, 4, 3, 2, 1, 0, 0, 1]), np.array([0, 1, 1, 1, 2, 2, 3, 3]))
    assert first.tolist() == [0, 1]
    assert again.tolist() == [2, 1, 0, 0]
    assert paths.matrix.toarray().T.tolist() == [[1, 1, 0, 0, 0, 0], [0, 0, 1, 1, 1, 0], [0, 0, 0, 0, 0, 1]]
    assert paths.add(np.empty(0, np.int64), np.empty(0, np.int64)).tolist() == []


def test_routes_are_followed_on_their_own_network_and_in_all_versions_on_another():
    case = depots_case(3, depots=6, shops=10)
    sifted, _ = sifted_of(case)
    assert sifted.solve(1e-6, 60.0, lambda bound: None)
    columns, count = ways(sifted)
    marks = sifted.marks[columns]
    before = sifted.paths.count
    follow(sifted, marks, count)
    assert sifted.paths.count == before
    model = refined(case)
    other = Sifted(model, Scaled.of(model.compile()), Clock(60.0))
    begun = len(other.order)
    follow(other, marks, count)
    assert len(other.order) > begun
    here, length = ways(other)
    begin = np.cumsum(length) - length
    known = {tuple(other.marks[here[b : b + n]].tolist()) for b, n in zip(begin, length, strict=True)}
    begin = np.cumsum(count) - count
    assert {tuple(marks[b : b + n].tolist()) for b, n in zip(begin, count, strict=True)} <= known
    assert other.paths.count > len(known)  # versions of one route have the same marks


def test_closed_columns_close_their_routes():
    sifted, _ = sifted_of(depots_case(3, depots=6, shops=10))
    assert sifted.solve(1e-6, 60.0, lambda bound: None)
    closed = np.zeros(sifted.n, bool)
    closed[np.argmax(sifted.value[: sifted.n])] = True
    before = sifted.objective
    sifted.close(closed)
    assert sifted.settle(0, 60.0)
    assert sifted.value[: sifted.n][closed].max() == 0
    assert sifted.objective > before
    sifted.close(np.zeros(sifted.n, bool))
    assert sifted.settle(0, 60.0)
    assert sifted.objective == pytest.approx(before)


def test_a_kernel_is_the_model_of_few_routes():
    case = depots_case(5, depots=5, shops=8, products=1)
    sifted, scaled = sifted_of(case)
    assert sifted.solve(1e-9, 60.0, lambda bound: None)
    kernel = Kernel.of(sifted)
    found = solve_mip(kernel.scaled, np.ones(len(kernel.scaled.row), bool), Clock(60.0), gap=1e-7)
    plain = solve_mip(scaled, np.ones(len(scaled.row), bool), Clock(60.0), gap=1e-7)
    assert found.status == plain.status == "optimal"
    assert plain.bound * (1 - 1e-6) <= found.bound < plain.bound * 1.05
    point = kernel.whole(found.points[-1])
    sifted.replaced.fill(scaled_point := point / scaled.column)
    arrays = scaled.arrays
    core = ~arrays.lazy
    activity = scaled.matrix @ scaled_point
    assert (activity >= scaled.row_lower - 1e-5)[core].all()
    assert (activity <= scaled.row_upper + 1e-5)[core].all()
    assert arrays.cost @ (scaled_point * scaled.column) + arrays.offset == pytest.approx(
        found.bound, rel=1e-6
    )


def test_a_kernel_keeps_what_a_relaxation_and_a_design_agree_about():
    model = refined(depots_case(5, depots=5, shops=8, products=1))
    scaled = Scaled.of(model.compile())
    sifted = Sifted(model, scaled, Clock(120.0))
    assert sifted.solve(1e-9, 60.0, lambda bound: None)
    kernel = Kernel.of(sifted)
    rows = np.ones(len(kernel.scaled.row), bool)
    best = solve_mip(kernel.scaled, rows, Clock(60.0), gap=1e-7)
    place, whole = sifted.integer - kernel.beside, kernel.whole(best.points[-1])
    design = np.rint(whole[sifted.integer])
    fixed = (kernel.scaled.lower == kernel.scaled.upper)[place]
    other = int(np.flatnonzero((sifted.kind == "open_site") & ~fixed)[0])
    relaxed = whole.copy()
    relaxed[sifted.integer[other]] = 1.0 - design[other]
    known = dict(zip(place.tolist(), design.tolist(), strict=True))
    small = kernel.between(relaxed[kernel.beside :], known, AGREED).scaled
    held = (small.lower == small.upper)[place]
    assert (held == (fixed | (np.arange(len(place)) != other))).all()
    assert (small.lower[place] == design)[held].all()
    # Nothing else has changed, and the design is in what is left.
    beside = np.setdiff1d(np.arange(len(small.lower)), place)
    assert (small.lower[beside] == kernel.scaled.lower[beside]).all()
    assert (small.upper[beside] == kernel.scaled.upper[beside]).all()
    again = solve_mip(small, rows, Clock(60.0), gap=1e-7)
    assert again.bound == pytest.approx(best.bound)
    # What differs by no more than is told counts as agreed.
    relaxed[sifted.integer[other]] = design[other] + 0.4 * (1 - 2 * design[other])
    for distance, count in ((0.3, 1), (0.5, 0)):
        near = kernel.between(relaxed[kernel.beside :], known, distance).scaled
        assert (near.lower < near.upper)[place].sum() == count


@pytest.fixture
def depot_kernel():
    """Kernel of depots, its relaxation, a design that has all sites open, and the cost of a solution."""
    model = refined(depots_case(5, depots=7, shops=14, products=1))
    arrays = model.compile()
    sifted = Sifted(model, Scaled.of(arrays), Clock(120.0))
    assert sifted.solve(1e-9, 60.0, lambda bound: None)
    kernel = Kernel.of(sifted)
    place, sites = sifted.integer - kernel.beside, sifted.kind == "open_site"
    lower = kernel.scaled.lower.copy()
    lower[place[sites]] = 1.0
    dear = replace(kernel.scaled, lower=np.minimum(lower, kernel.scaled.upper))
    point = solve_mip(dear, np.ones(len(dear.row), bool), Clock(60.0), gap=1e-3).points[-1]

    def cost(whole):
        sifted.replaced.fill(scaled_point := whole / sifted.scaled.column)
        return float(arrays.cost @ (scaled_point * sifted.scaled.column)) + arrays.offset

    return kernel, sifted, {j: float(round(point[j])) for j in place.tolist()}, cost


def watched(monkeypatch):
    """Decisions that branch and bound had to take, what it began with, and what it came to."""
    seen = []

    def solved(model, *args, **known):
        out = solve_mip(model, *args, **known)
        free = int((model.arrays.integer & (model.lower < model.upper)).sum())
        seen.append((free, known["start"], out.points))
        return out

    monkeypatch.setattr("scopt.search.kernel.solve_mip", solved)
    return seen


def test_a_design_is_improved_in_neighbourhoods_that_are_small_first(depot_kernel, monkeypatch):
    kernel, sifted, design, cost = depot_kernel
    every = int((kernel.scaled.arrays.integer & (kernel.scaled.lower < kernel.scaled.upper)).sum())
    best = solve_mip(kernel.scaled, np.ones(len(kernel.scaled.row), bool), Clock(60.0), gap=1e-7).bound
    monkeypatch.setattr("scopt.search.kernel.LARGE", 0)
    seen = watched(monkeypatch)
    points = kernel.improved(sifted.value, design, cost, Clock(60.0), gap=3e-4, limit=60.0)
    costs = [cost(point) for point in points]
    assert len(seen) == 2  # they brought enough
    assert 0 < max(free for free, _, _ in seen) < every
    assert [start for _, start, _ in seen] == [design, design]
    assert best * (1 - 1e-7) <= costs[-1] < costs[0] * (1 - 1e-3)
    assert costs == sorted(costs, reverse=True)
    assert len(points) == sum(len(found) for _, _, found in seen)
    # Where nothing better is found one looks further away.
    last = {j: float(round(points[-1][kernel.beside + j])) for j in design}
    seen.clear()
    again = kernel.improved(sifted.value, last, cost, Clock(60.0), gap=3e-4, limit=60.0)
    assert len(seen) == 3
    assert max(free for free, _, _ in seen[:2]) <= seen[2][0]
    assert cost(again[-1]) <= costs[-1] * (1 + 1e-9)
    assert kernel.improved(sifted.value, last, cost, Clock(0.0), gap=3e-4, limit=0.0) == []
    # So one does where all that is found breaks a rule that the model does not know.
    seen.clear()
    kernel.improved(sifted.value, design, lambda _: np.inf, Clock(60.0), gap=3e-4, limit=60.0)
    assert len(seen) == 3


def test_one_neighbourhood_alone_frees_what_values_and_a_design_do_not_agree_about(depot_kernel, monkeypatch):
    kernel, sifted, design, cost = depot_kernel
    seen = watched(monkeypatch)
    relaxed = np.full(sifted.width, 0.5)
    points = kernel.around(relaxed, design, Clock(60.0), gap=1e-7)
    free = kernel.scaled.arrays.integer & (kernel.scaled.lower < kernel.scaled.upper)
    assert [count for count, _, _ in seen] == [free.sum()]
    best = solve_mip(kernel.scaled, np.ones(len(kernel.scaled.row), bool), Clock(60.0), gap=1e-7).bound
    assert cost(points[-1]) == pytest.approx(best, rel=1e-6)
    seen.clear()
    for column, value in design.items():
        relaxed[kernel.beside + column] = value
    alone = kernel.around(relaxed, design, Clock(60.0), gap=1e-7)
    assert [count for count, _, _ in seen] == [0]
    assert cost(alone[-1]) > best * (1 + 1e-3)


def test_the_last_neighbourhood_is_that_of_the_truly_cheapest_design(depot_kernel, monkeypatch):
    kernel, sifted, design, cost = depot_kernel
    monkeypatch.setattr("scopt.search.kernel.LARGE", 0)
    seen = watched(monkeypatch)

    def turned(whole):
        return 1e9 - cost(whole)  # the dearest is the cheapest, by so little that one looks further

    points = kernel.improved(sifted.value, design, turned, Clock(60.0), gap=3e-4, limit=60.0)
    assert len(seen) == 3
    first = [point for _, _, found in seen[:2] for point in found]
    dearest = max(first, key=lambda point: cost(kernel.whole(point)))
    assert cost(kernel.whole(dearest)) > min(cost(kernel.whole(point)) for point in first)
    assert seen[2][1] == {j: float(round(dearest[j])) for j in design}
    assert cost(points[-1]) == max(cost(point) for point in points)


def test_neighbourhoods_side_by_side_are_those_one_after_the_other(depot_kernel, monkeypatch):
    kernel, sifted, design, cost = depot_kernel
    monkeypatch.setattr("scopt.search.kernel.LARGE", 0)
    one, two, some = (
        kernel.improved(sifted.value, design, cost, Clock(60.0), gap=3e-4, limit=60.0, threads=threads)
        for threads in (1, 2, None)
    )
    assert len(one) == len(two) == len(some) > 0
    assert all((a == b).all() for a, b in zip(one, two, strict=True))
    assert cost(some[-1]) == pytest.approx(cost(one[-1]), rel=1e-9)


def test_a_small_kernel_has_one_neighbourhood(depot_kernel, monkeypatch):
    kernel, sifted, design, cost = depot_kernel
    seen = watched(monkeypatch)
    points = kernel.improved(sifted.value, design, cost, Clock(60.0), gap=1e-6, limit=60.0)
    whole = kernel.between(sifted.value[kernel.beside :], design, AGREED).scaled
    plain = solve_mip(whole, np.ones(len(whole.row), bool), Clock(60.0), gap=1e-6)
    assert len(seen) == 1
    assert cost(points[-1]) == pytest.approx(plain.bound, rel=1e-5)
