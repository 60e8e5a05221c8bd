"""Duals by subgradient steps: valid bounds, close to the relaxation, and the same relaxation after them."""

import numpy as np
import pytest
from test_sifting import depots_case, sifted_of

from scopt.search import sifting
from scopt.search.ascent import ascend


@pytest.fixture(scope="module")
def relaxed():
    """Objective of the relaxation without ascent, in money."""
    sifted, scaled = sifted_of(depots_case(1))
    assert sifted.solve(1e-9, 60.0, lambda bound: None)
    return scaled.value(sifted.objective)


def test_steps_come_near_the_relaxation_and_never_above_it(relaxed):
    sifted, _ = sifted_of(depots_case(1))
    bounds = []
    kept = ascend(sifted, np.zeros(len(sifted.dual)), 1e-4, sifted.clock.seconds + 60.0, bounds.append)
    assert 0.98 * relaxed < sifted.best_bound <= relaxed * (1 + 1e-9)
    assert bounds == sorted(bounds)
    assert sifted.best_bound == pytest.approx(bounds[-1])
    assert sifted.bound(sifted.center) == pytest.approx(sifted.best_bound, rel=1e-12)
    columns, route = kept[-1]
    assert len(np.unique(route)) == len(sifted.routes.first)  # one for each cell of demand
    assert set(sifted.routes.last) >= set(columns[: len(sifted.routes.first)].tolist())


def test_bad_duals_to_begin_with_are_left(relaxed):
    sifted, _ = sifted_of(depots_case(1))
    bad = np.random.default_rng(3).normal(0.0, 1e6, len(sifted.dual))
    ascend(sifted, bad, 1e-3, sifted.clock.seconds + 60.0, lambda bound: None)
    assert 0.9 * relaxed < sifted.best_bound <= relaxed * (1 + 1e-9)


def test_no_time_leaves_a_bound(relaxed):
    sifted, _ = sifted_of(depots_case(1))
    assert not ascend(sifted, np.zeros(len(sifted.dual)), 1e-4, 0.0, lambda bound: None)
    assert 0 < sifted.best_bound <= relaxed


def test_the_relaxation_is_the_same_with_good_duals_first(relaxed, monkeypatch):
    monkeypatch.setattr(sifting, "ASCEND_FROM", 1)
    sifted, scaled = sifted_of(depots_case(1))
    assert sifted.solve(1e-9, 60.0, lambda bound: None)
    assert scaled.value(sifted.objective) == pytest.approx(relaxed, rel=1e-7)
    assert sifted.best_bound == pytest.approx(relaxed, rel=1e-7)
