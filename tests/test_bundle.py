"""The step to a level: short, and far enough for all functions that are kept."""

import numpy as np
import pytest
from scipy.optimize import linprog

from scopt.search import bundle as module
from scopt.search.bundle import Bundle


def filled(slopes, constants):
    bundle = Bundle(slopes.shape[1])
    for slope, constant in zip(slopes, constants, strict=True):
        place = np.flatnonzero(slope)
        bundle.add(place, slope[place], constant, None)
    return bundle


def test_with_one_function_it_is_the_step_of_polyak():
    slope = np.array([[3.0, 0.0, -4.0]])
    bundle = filled(slope, [1.0])
    step = bundle.step(np.array([1.0, 5.0, 1.0]), 10.0)
    # In the measure, of which the least part is a hundredth of the mean root.
    measure = np.sqrt(np.abs(slope[0])) + 0.01 * np.sqrt([3.0, 4.0]).mean()
    along = np.where(slope[0] == 0, 0.0, slope[0] / measure)
    assert step == pytest.approx((10.0 - 0.0) / (slope[0] @ along) * along, rel=1e-5)
    assert slope[0] @ step == pytest.approx(10.0, rel=1e-5)


@pytest.mark.parametrize("seed", range(6))
def test_it_is_the_shortest_to_where_all_reach_the_level(seed):
    rng = np.random.default_rng(seed)
    slopes = rng.normal(size=(5, 12)) * (rng.random((5, 12)) < 0.7)
    constants, point, level = rng.normal(size=5), rng.normal(size=12), 4.0
    bundle = filled(slopes, constants)
    step = bundle.step(point, level)
    values = constants + slopes @ (point + step)
    assert (values >= level - 1e-4).all()
    # It is a sum of slopes of functions that are just at the level: no step that is shorter gets there.
    assert (bundle.weight >= 0).all()
    assert step == pytest.approx(bundle.inverse * (bundle.weight @ slopes))
    assert (np.abs(values - level)[bundle.weight > 0] < 1e-4).all()


def test_a_level_that_cannot_be_reached_leaves_a_step_all_the_same():
    bundle = filled(np.array([[1.0, 2.0], [-1.0, -2.0], [0.0, 0.0]]), [0.0, 0.0, 1.0])
    assert np.isfinite(bundle.step(np.zeros(2), 5.0)).all()


def test_without_weights_the_last_function_leads(monkeypatch):
    def circling(*_, **__):
        raise RuntimeError

    monkeypatch.setattr(module, "nnls", circling)
    slopes = np.array([[1.0, 2.0], [3.0, 1.0]])
    step = filled(slopes, [0.0, 0.0]).step(np.zeros(2), 5.0)
    assert slopes[1] @ step == pytest.approx(5.0)


def test_where_all_reach_the_level_there_is_no_step():
    bundle = filled(np.array([[1.0, 2.0], [3.0, 1.0]]), [7.0, 8.0])
    assert not bundle.step(np.zeros(2), 5.0).any()


def test_of_too_many_functions_the_oldest_without_weight_goes(monkeypatch):
    monkeypatch.setattr(module, "MOST", 3)
    bundle = filled(np.eye(4)[:3], [0.0, 9.0, 0.0])
    bundle.step(np.zeros(4), 1.0)
    assert (bundle.weight > 0).tolist() == [True, False, True]
    bundle.add(np.array([3]), np.ones(1), 0.0, None)
    assert bundle.matrix.toarray().tolist() == np.eye(4)[[0, 2, 3]].tolist()
    assert bundle.products == pytest.approx(np.diag(np.diag(bundle.products)))
    assert bundle.constant.tolist() == [0.0, 0.0, 0.0]


@pytest.mark.parametrize("seed", range(4))
def test_functions_may_get_slopes_in_more_coordinates(seed):
    rng = np.random.default_rng(seed)
    slopes = rng.normal(size=(5, 12)) * (rng.random((5, 12)) < 0.7)
    slopes[:, 11] = 0.0  # a coordinate that no function depends on
    constants, point, level = rng.normal(size=5), rng.normal(size=8), 4.0
    bundle = filled(slopes[:, :8], constants)
    bundle.widen(slopes[:, 8:])
    assert bundle.products == pytest.approx((slopes * bundle.inverse) @ slopes.T)
    point = np.append(point, np.zeros(4))
    step = bundle.step(point, level)
    assert step[8:11].any()
    assert step[11] == 0
    assert (constants + slopes @ (point + step) >= level - 1e-4).all()
    assert step == pytest.approx(bundle.inverse * (bundle.weight @ slopes))


@pytest.mark.parametrize("seed", range(4))
def test_large_coordinates_move_more(seed):
    rng = np.random.default_rng(seed)
    slopes, constants = rng.normal(size=(5, 8)), rng.normal(size=5)
    at, level = rng.normal(size=8) * (rng.random(8) < 0.5), 4.0
    bundle = filled(slopes, constants)
    before = bundle.step(at, level)
    bundle.measure(np.zeros(8))
    assert bundle.step(at, level) == pytest.approx(before)  # nothing is large
    first = np.sqrt(np.abs(slopes[0])) + 0.01 * np.sqrt(np.abs(slopes[0])).mean()
    bundle.measure(at)
    size = np.abs(at) / np.median(np.abs(at[at != 0]))
    assert bundle.inverse == pytest.approx(np.sqrt(size + module.FLOOR) / first)
    assert bundle.products == pytest.approx((slopes * bundle.inverse) @ slopes.T)
    assert (constants + slopes @ (at + bundle.step(at, level)) >= level - 1e-4).all()
    bundle.widen(rng.normal(size=(5, 2)))
    bundle.add(np.array([0, 9]), np.ones(2), 0.0, None)
    whole = bundle.matrix.toarray()
    assert (whole[:5, :8] == slopes).all()
    assert whole[5].tolist() == [1.0, *[0.0] * 8, 1.0]
    assert bundle.products == pytest.approx((whole * bundle.inverse) @ whole.T)


def test_what_a_function_came_from_goes_with_it(monkeypatch):
    monkeypatch.setattr(module, "MOST", 2)
    bundle = Bundle[str](3)
    for name, place in (("a", 0), ("b", 1), ("c", 2)):
        bundle.add(np.array([place]), np.ones(1), 0.0, name)
    assert bundle.origin == ["b", "c"]


def test_steps_end_at_the_top_of_a_function():
    """The least of some planes: its top follows from a linear program."""
    rng = np.random.default_rng(2)
    planes, heights = rng.normal(size=(40, 6)), rng.uniform(1.0, 3.0, 40)
    planes -= planes.mean(axis=0)  # nothing rises without end
    rows = np.c_[np.ones(40), -planes]
    top = -linprog(np.r_[-1.0, np.zeros(6)], rows, heights, bounds=[(None, None)] * 7).fun
    bundle, point, best, level = Bundle(6), np.zeros(6), -np.inf, 1.0
    for _ in range(200):
        values = heights + planes @ point
        at = int(np.argmin(values))
        if values[at] <= best + 0.25 * level:
            level *= 0.8
        best = max(best, float(values[at]))
        bundle.add(np.arange(6), planes[at], heights[at], at)
        point = point + bundle.step(point, best + level)
    assert best <= top + 1e-9
    assert best == pytest.approx(top, abs=1e-3)


@pytest.mark.parametrize("seed", range(4))
def test_slopes_that_are_kept_stay_what_they_were(seed, monkeypatch):
    """Whatever is forgotten, and however long slopes are."""
    monkeypatch.setattr(module, "MOST", 5)
    rng = np.random.default_rng(seed)
    bundle, known = Bundle[int](30), []
    for number in range(40):
        place = np.sort(rng.choice(30, rng.integers(1, 30), replace=False))
        slope = rng.normal(size=len(place))
        known.append(np.zeros(30))
        known[-1][place] = slope
        bundle.weight = rng.integers(0, 2, len(bundle.origin)).astype(float)
        bundle.add(place, slope, float(number), number)
        whole = np.array([known[one] for one in bundle.origin])
        assert (bundle.matrix.toarray() == whole).all()
        assert bundle.constant.tolist() == bundle.origin
        assert bundle.products == pytest.approx((whole * bundle.inverse) @ whole.T)
    assert len(bundle.origin) == 5
