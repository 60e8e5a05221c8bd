"""Duals by steps to a level: valid bounds, close to the relaxation, and the same relaxation after them."""

import numpy as np
import pyomo.environ as pyo
import pytest
from test_sifting import depots_case, sifted_of

import scopt
from scopt.search import ascent, sifting
from scopt.search.ascent import climb, probe
from scopt.search.inner import Inner
from scopt.search.lagrangian import Function
from scopt.search.sifting import Sifted
from scopt.search.solver import Clock, Scaled


@pytest.fixture(scope="module")
def relaxed():
    """Objective of the relaxation without ascent, in money."""
    sifted, scaled = sifted_of(depots_case(1))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sifting, "FAR", np.inf)
        assert sifted.solve(1e-9, 60.0, lambda bound: None)
    return scaled.value(sifted.objective)


def test_steps_come_near_the_relaxation_and_never_above_it(relaxed):
    sifted, _ = sifted_of(depots_case(1))
    bounds = []
    kept = climb(sifted, np.zeros(len(sifted.dual)), 1e-4, sifted.clock.seconds + 60.0, bounds.append).routes
    assert 0.999 * relaxed < sifted.best_bound <= relaxed * (1 + 1e-9)
    assert bounds == sorted(bounds)
    assert sifted.best_bound == pytest.approx(bounds[-1])
    assert sifted.bound(sifted.center) == pytest.approx(sifted.best_bound, rel=1e-12)
    columns, route = kept[-1]
    assert len(np.unique(route)) == len(sifted.routes.first)  # one for each cell of demand
    assert set(sifted.routes.last) >= set(columns[: len(sifted.routes.first)].tolist())


def test_bad_duals_to_begin_with_are_left(relaxed):
    sifted, _ = sifted_of(depots_case(1))
    bad = np.random.default_rng(3).normal(0.0, 1e6, len(sifted.dual))
    climb(sifted, bad, 1e-3, sifted.clock.seconds + 60.0, lambda bound: None)
    assert 0.9 * relaxed < sifted.best_bound <= relaxed * (1 + 1e-9)


def test_no_time_leaves_a_bound(relaxed):
    sifted, _ = sifted_of(depots_case(1))
    found = climb(sifted, np.zeros(len(sifted.dual)), 1e-4, 0.0, lambda bound: None)
    assert not found.routes
    assert found.decision is None
    assert 0 < sifted.best_bound <= relaxed


def test_steps_end_when_the_clock_is_stopped():
    sifted, _ = sifted_of(depots_case(1))
    bounds = []

    def stop(bound):
        bounds.append(bound)
        sifted.clock.stop()

    climb(sifted, np.zeros(len(sifted.dual)), 1e-4, sifted.clock.seconds + 60.0, stop)
    assert len(bounds) == 1
    assert sifted.best_bound == bounds[0]


def test_decisions_without_bounds_leave_a_bound(relaxed):
    """Any step along the row of such a variable would leave no bound at all."""
    model = scopt.build(depots_case(1))
    model.pyomo.free = pyo.Var()
    model.pyomo.even = pyo.Constraint(expr=model.pyomo.free == next(iter(model.pyomo.open_site.values())))
    sifted = Sifted(model, Scaled.of(model.compile()), Clock(120.0))
    climb(sifted, np.zeros(len(sifted.dual)), 1e-4, sifted.clock.seconds + 60.0, lambda bound: None)
    assert 0.999 * relaxed < sifted.best_bound <= relaxed * (1 + 1e-9)
    assert np.isfinite(sifted.center).all()


@pytest.mark.parametrize("spread", [0.0, 0.1, 10.0])
def test_the_inner_program_finds_the_best_duals_of_its_rows(spread):
    sifted, _ = sifted_of(depots_case(1))
    inner = Inner(sifted)
    assert len(inner.rows) > 20
    assert not sifted.flow_rows[inner.rows].nnz
    rng = np.random.default_rng(5)
    dual = np.abs(rng.normal(0.0, spread, len(sifted.dual))) * np.where(
        np.isinf(sifted.lean.row_lower), -1, 1
    )
    best = sifted.function.at(dual, inner)
    assert sifted.bound(best.dual) == pytest.approx(best.bound, rel=1e-9)
    for _ in range(20):
        dual[inner.rows] = best.dual[inner.rows] * rng.uniform(0, 2, len(inner.rows))
        assert sifted.bound(dual) <= best.bound + 1e-9 * abs(best.bound)
    # Its decisions keep its rows, and are worth their duals.
    row = inner.entries @ best.decision
    low, high = sifted.lean.row_lower[inner.rows], sifted.lean.row_upper[inner.rows]
    assert (row >= low - 1e-6).all()
    assert (row <= high + 1e-6).all()


def test_a_decision_that_nothing_holds_leaves_no_bound():
    model = scopt.build(depots_case(1))
    model.pyomo.free = pyo.Var()
    model.pyomo.even = pyo.Constraint(expr=model.pyomo.free <= next(iter(model.pyomo.open_site.values())))
    sifted = Sifted(model, Scaled.of(model.compile()), Clock(120.0))
    sifted.lean.cost[-1] = 1.0  # down it goes
    assert sifted.function.at(np.zeros(len(sifted.dual)), Inner(sifted)).bound == -np.inf
    assert climb(sifted, np.zeros(len(sifted.dual)), 1e-4, 60.0, lambda bound: None).routes == []
    assert sifted.best_bound == -np.inf


def test_the_relaxation_is_the_same_with_good_duals_first(relaxed, monkeypatch):
    monkeypatch.setattr(sifting, "ASCEND_FROM", 1)
    sifted, scaled = sifted_of(depots_case(1))
    assert sifted.solve(1e-9, 60.0, lambda bound: None)
    assert scaled.value(sifted.objective) == pytest.approx(relaxed, rel=1e-7)
    assert sifted.best_bound == pytest.approx(relaxed, rel=1e-7)


@pytest.mark.parametrize(("far", "led", "expected"), [(0.0, False, 1), (0.0, True, 0), (np.inf, False, 0)])
def test_far_from_the_bound_steps_come_once_between_the_rounds(relaxed, far, led, expected, monkeypatch):
    taken = []

    def steps(sifted, start, little, *args):
        assert sifted.shortage <= 1e-6  # rounds came first
        assert (start == sifted.center).all()
        before = sifted.best_bound
        ascent.ascend(sifted, start, little, *args)
        taken.append((before, sifted.best_bound))

    monkeypatch.setattr(sifting, "FAR", far)
    monkeypatch.setattr(sifting, "ascend", steps)
    sifted, scaled = sifted_of(depots_case(1))
    sifted.led, gap = led, 2e-3
    assert sifted.solve(gap, 60.0, lambda bound: None)
    assert len(taken) == expected
    assert all(before < after <= relaxed * (1 + 1e-9) for before, after in taken)
    assert not sifted.climbed
    cost = scaled.value(sifted.objective)
    assert sifted.best_bound <= relaxed * (1 + 1e-9)
    assert cost - sifted.best_bound <= sifting.ROUGHLY * gap * cost


@pytest.mark.parametrize("gap", [0.02, 0.002])
def test_what_will_be_refined_is_left_within_a_known_gap(relaxed, gap, monkeypatch):
    monkeypatch.setattr(sifting, "ASCEND_FROM", 1)
    sifted, scaled = sifted_of(depots_case(1))
    assert sifted.solve(gap, 60.0, lambda bound: None)
    cost = scaled.value(sifted.objective)
    assert sifted.best_bound <= relaxed * (1 + 1e-9)
    assert cost - sifted.best_bound <= sifting.NEAR * gap * cost


@pytest.fixture
def solved():
    """A solved relaxation, and bounds of whole decisions by which the depot that it takes most of is closed."""
    sifted, _ = sifted_of(depots_case(1))
    assert sifted.solve(1e-9, 60.0, lambda bound: None)
    columns = sifted.integer
    lower, upper = sifted.lower[columns].copy(), sifted.upper[columns].copy()
    depots = np.flatnonzero((sifted.kind == "open_site") & (lower < upper))
    upper[depots[np.argmax(sifted.value[columns[depots]])]] = 0.0
    return sifted, lower, upper


def test_steps_bound_a_part_as_its_relaxation_does(solved):
    sifted, lower, upper = solved
    before, center, basis = sifted.best_bound, sifted.center.copy(), sifted.basis()
    found = probe(sifted, lower, upper, sifted.center, 1e-5, 60.0, np.inf)
    assert sifted.bound(found.dual) == pytest.approx(found.bound, rel=1e-9)
    assert (sifted.best_bound, len(sifted.center)) == (before, len(center))
    assert (sifted.center == center).all()
    decision = found.decision[sifted.integer - sifted.n]
    assert (decision >= lower - 1e-9).all()
    assert (decision <= upper + 1e-9).all()
    sifted.restore(basis)
    sifted.hold(lower, upper)
    assert sifted.settle(100, 60.0)
    while sifted._cut():
        assert sifted.settle(100, 60.0)
    least = sifted.scaled.value(sifted.objective)
    assert least > before * 1.001
    assert before + 0.8 * (least - before) < found.bound <= least * (1 + 1e-9)


def test_a_bound_that_is_far_is_not_stepped_to(solved, monkeypatch):
    sifted, lower, upper = solved
    slope, steps = Function.slope, []

    def counted(self, *args):
        steps.append(self)
        return slope(self, *args)

    monkeypatch.setattr(Function, "slope", counted)
    bound = sifted.best_bound
    far = probe(sifted, lower, upper, sifted.center, 1e-9, 60.0, 100 * bound, brief=True)
    assert len(steps) == ascent.TRIED * ascent.STEPS
    steps.clear()
    enough = bound + 0.5 * (far.bound - bound)
    near = probe(sifted, lower, upper, sifted.center, 1e-9, 60.0, enough, brief=True)
    assert near.bound >= enough > bound
    assert 0 < len(steps) < ascent.TRIED * ascent.STEPS


def test_little_that_is_wanting_to_the_bound_that_is_wanted_is_stepped_to(solved):
    sifted, lower, upper = solved
    fine, coarse = (
        probe(sifted, lower, upper, sifted.center, little, 60.0, np.inf).bound for little in (1e-5, 0.02)
    )
    enough = coarse + 0.5 * (fine - coarse)
    assert coarse < enough < 1.02 * coarse
    assert probe(sifted, lower, upper, sifted.center, 0.02, 60.0, enough).bound >= enough
