"""The Lagrangian function, whole and on a part of the columns."""

import numpy as np
import pytest
from test_lastrows import NONE, facilities
from test_sifting import depots_case, sifted_of

from scopt.search.ascent import _may_move, climb
from scopt.search.inner import Inner
from scopt.search.lagrangian import Function

CASES = {
    "stock": lambda: depots_case(1),
    "facilities": lambda: facilities(NONE, markets=40),
    "capacities": lambda: facilities([90.0, 60, 80, 120, 70, 60], markets=30),
}


@pytest.fixture(params=CASES, scope="module")
def near(request):
    """A relaxation, good duals of it, its inner program and a source of noise."""
    sifted, _ = sifted_of(CASES[request.param]())
    climb(sifted, np.zeros(len(sifted.dual)), 1e-2, sifted.clock.seconds + 60.0, lambda bound: None)
    return sifted, sifted.center, Inner(sifted)


def others(sifted, dual, spread, seed, count=8):
    """Duals around some others."""
    rng, size = np.random.default_rng(seed), np.abs(dual[dual != 0]).mean()
    return [
        dual + rng.normal(0.0, spread * size, len(dual)) * (rng.random(len(dual)) < 0.3) for _ in range(count)
    ]


@pytest.mark.parametrize("spread", [0.0, 0.1, 3.0])
def test_a_part_lies_above_the_whole_and_agrees_where_its_routes_are_the_cheapest(near, spread):
    sifted, dual, inner = near
    whole = sifted.function
    at = whole.at(dual, inner)
    used = np.zeros(sifted.n, bool)
    part = whole.part(at, 0.2, used)
    assert len(part.columns) < sifted.n
    again = part.at(dual, inner)
    assert again.value == pytest.approx(at.value, rel=1e-12)
    assert again.dual == pytest.approx(at.dual, abs=1e-9)
    for other in others(sifted, at.dual, spread, 1):
        outside = np.setdiff1d(np.arange(len(other)), part.rows)
        other[outside] = 0.0
        above, below = part.at(other, inner), whole.at(other, inner)
        assert above.value >= below.value - 1e-9 * abs(below.value)
        used[whole.taken(below)[0]] = True
        wider = whole.part(at, 0.2, used)
        assert wider.at(other, inner).value == pytest.approx(below.value, rel=1e-9)


@pytest.mark.parametrize("share", [1.0, 0.2])
def test_slopes_lie_above_the_function(near, share):
    sifted, dual, inner = near
    moving, at = _may_move(sifted, inner), sifted.function.at(dual, inner)
    part = sifted.function.part(at, share, np.zeros(sifted.n, bool))
    places = [at, *(part.at(other, inner) for other in others(sifted, at.dual, 0.5, 2))]
    for one in places:
        # Only what may move has been moved: the rest has its best duals, which only raises the function.
        here = part.at(one.dual, inner)
        rows, slope, _ = part.slope(here, moving)
        assert moving[rows].all()
        for other in places:
            dual = here.dual.copy()
            dual[moving] = other.dual[moving]
            there = part.at(dual, inner)
            most = here.value + slope @ (there.dual - here.dual)[rows]
            assert there.value <= most + 1e-7 * abs(most)


def test_a_twin_is_bounded_by_decisions_of_its_own(near):
    sifted, dual, _ = near
    before = sifted.bound(dual)
    twin = sifted.copy()
    none = np.zeros(len(twin.integer))
    twin.hold(none, none)
    assert sifted.bound(dual) == before
    assert twin.bound(dual) > before or np.isinf(twin.bound(dual))
    assert sifted.function.sifted is sifted


def test_duals_of_demand_that_have_the_wrong_sign_leave_no_bound():
    """Were demand only a least amount, routes that earn money would be taken without end."""
    sifted, _ = sifted_of(depots_case(1))
    none = np.zeros(len(sifted.dual))
    sifted.lean.row_upper[sifted.demand_row] = np.inf
    assert np.isfinite(Function(sifted).at(none).value)
    sifted.lean.cost[sifted.routes.last] -= 1e6
    assert Function(sifted).at(none).value == -np.inf


def test_routes_of_a_part_are_the_cheapest_in_it(near):
    sifted = near[0]
    rng, routes = np.random.default_rng(5), sifted.routes
    cost = rng.uniform(1.0, 2.0, sifted.n)
    columns = np.flatnonzero(rng.random(sifted.n) < 0.8)
    shut = np.full(sifted.n, np.inf)
    shut[columns] = cost[columns]
    best, length = routes.cheapest(shut)
    part = routes.part(columns)
    mine, lengths = part.cheapest(cost[columns])
    assert lengths == pytest.approx(length)
    assert mine == pytest.approx(best[part.cells])
    assert not np.isfinite(np.delete(best, part.cells)).any()
    assert (routes.last[part.lanes] == columns[part.last]).all()
    spare = part.spare(cost[columns], lengths)
    assert spare.min() == pytest.approx(0.0, abs=1e-9)
    reached = np.flatnonzero(np.isfinite(mine))
    number, _ = part.cut_out(cost[columns], lengths, np.isfinite(mine))
    assert len(reached)
    assert spare[number] == pytest.approx(0.0, abs=1e-9)
