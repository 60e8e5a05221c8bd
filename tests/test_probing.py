"""Decisions that every good design takes: bounds without them are valid, and the search is right to keep them."""

from dataclasses import replace

import numpy as np
import pytest
from test_sifting import FEW, depots_case, sifted_of

import scopt
from scopt.search import ascent, method, probing
from scopt.search.ascent import Climb
from scopt.search.probing import needed
from scopt.search.solver import Clock, Scaled, solve_mip


def opened(sifted):
    """A design in which all depots are open."""
    return {name: 1.0 for name in sifted.scaled.arrays.names if name.startswith("open_site[D")}


@pytest.fixture
def solved():
    sifted, _ = sifted_of(depots_case(1))
    assert sifted.solve(1e-6, 60.0, lambda bound: None)
    return sifted


def test_bounds_without_a_decision_are_valid_and_the_relaxation_stays_what_it_was(solved, monkeypatch):
    monkeypatch.setattr(probing, "LITTLE", 1e-5)
    arrays, bound, lower, upper = solved.scaled.arrays, solved.best_bound, solved.lower, solved.upper
    before = lower.copy(), upper.copy(), solved.center.copy()
    enough = bound * (1 + 1e-5)
    first = best_depots(solved)
    design = {arrays.names[j - arrays.flows]: 1.0 for j in first}
    found = needed(solved, design, enough, 60.0)
    assert list(found) == sorted(design, key=lambda name: -arrays.cost[arrays.place[name]])
    for name, without in found.items():
        assert without >= enough
        most = arrays.upper.copy()
        most[arrays.place[name]] = 0.0
        closed = Scaled.of(replace(arrays, upper=most))
        outcome = solve_mip(closed, np.ones(len(closed.row), bool), Clock(60.0), gap=1e-3)
        least = min(float(arrays.cost @ point) + arrays.offset for point in outcome.points)
        assert without <= least * (1 + 1e-9)
    assert solved.best_bound == bound == pytest.approx(solved.bound(solved.center), rel=1e-9)
    assert not solved.closed.any()
    for now, then in zip((solved.lower, solved.upper, solved.center), before, strict=True):
        assert np.array_equal(now, then)
    assert solved.run(1, 60.0)  # and so is its solver
    assert solved.scaled.value(solved.objective) == pytest.approx(bound, rel=1e-5)


def best_depots(sifted):
    """Columns of the depots that the relaxation opens most."""
    names, first = sifted.scaled.arrays.names, sifted.scaled.arrays.flows
    depots = [j for j in sifted.integer.tolist() if names[j - first].startswith("open_site[D")]
    return sorted(depots, key=lambda j: -sifted.value[j])[:3]


def test_the_dearest_come_first_and_the_first_that_is_not_enough_ends_it(solved, monkeypatch):
    tried = []

    def climb(sifted, *_, **__):
        closed = sifted.integer[sifted.upper[sifted.integer] < sifted.scaled.arrays.upper[sifted.integer]]
        tried.append(closed.tolist())
        sifted.keep_bound(sifted.center, 3.0 - len(tried))
        return Climb([], None)

    monkeypatch.setattr(ascent, "climb", climb)
    found = needed(solved, opened(solved), 1.0, 60.0)
    arrays = solved.scaled.arrays
    depots = [arrays.place[name] for name in opened(solved)]
    assert tried == [[j] for j in sorted(depots, key=lambda j: -arrays.cost[j])[:3]]
    assert list(found.values()) == [2.0, 1.0]
    assert needed(solved, {}, 1.0, 60.0) == {}


def test_what_a_design_leaves_out_is_not_needed_however_little_it_costs(solved, monkeypatch):
    tried = []

    def climb(sifted, *_, **__):
        tried.append(sifted.upper[sifted.integer] == 0)
        return Climb([], None)

    monkeypatch.setattr(ascent, "climb", climb)
    points = [name for name in solved.scaled.arrays.names if name.startswith("stock_point[D")][-2:]
    free = replace(solved.scaled.arrays, cost=0.0 * solved.scaled.arrays.cost)
    monkeypatch.setattr(solved, "_scaled", replace(solved.scaled, arrays=free))
    needed(solved, dict.fromkeys(points, 1.0), -np.inf, 60.0)
    arrays = solved.scaled.arrays
    assert [solved.integer[one].tolist() for one in tried] == [[arrays.place[name]] for name in points]


@pytest.mark.parametrize("low", [None, 0.99])
def test_a_search_keeps_to_them_and_its_bound_below_theirs(low, monkeypatch):
    """The bound is none for designs without them, whatever it is for the others."""
    case = depots_case(1, limits=FEW)
    best = scopt.solve(case, gap=1e-3)
    seen = []

    def told(sifted, design, enough, limit):
        found = needed(sifted, design, enough, limit)
        if low is not None:
            taken = next(name for name in opened(sifted) if design[name] > 0.5)
            found = {taken: low * best.cost}
        seen.append(found)
        return found

    monkeypatch.setattr(probing, "LITTLE", 1e-4)
    monkeypatch.setattr(method, "PROBE", 10.0)  # seconds at least, on a machine that is busy
    monkeypatch.setattr(method, "SIFT_FROM", -1)
    monkeypatch.setattr(method, "needed", told)
    result = scopt.solve(case, gap=2e-3, time_limit=20.0 if low is None else 5.0)
    assert len(seen) == 1
    assert seen[0]
    assert result.bound <= best.cost * (1 + 1e-6)
    if low is None:
        assert result.status == "optimal"
        assert result.cost == pytest.approx(best.cost, rel=3e-3)
    else:
        assert result.bound <= low * best.cost  # it was lower when they were told
