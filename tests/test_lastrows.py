"""Strong rows on last lanes: their best duals follow from those of demand."""

import numpy as np
import pytest
from test_ascent import sifted_of
from test_cover import depots
from test_sifting import depots_case

from scopt.search import ascent, sifting
from scopt.search.ascent import climb
from scopt.search.inner import Inner

NONE = np.full(6, np.nan).tolist()


def facilities(capacities, seed=4, markets=12, **sheets):
    """Depots and markets, some depots cheap to open."""
    wanted = np.random.default_rng(seed).integers(5, 40, markets).tolist()
    return depots(capacities, wanted, **sheets)


def by_hand(case, at, sifted):
    """Value of the Lagrangian function of facility location without capacities, by its textbook formula."""
    sites, lanes = case.tables["sites"], case.tables["lanes"]
    cost = lanes.pivot(index="origin", columns="destination", values="unit_cost")
    markets = [f"M{k}" for k in range(len(sifted.demand))]
    cost = cost.loc[sites["site"], markets].to_numpy()
    wanted = case.tables["demand"].set_index("market").loc[markets, "units"].to_numpy()
    order = sifted.model.network.market[sifted.routes.last[sifted.routes.first]]
    assert (order == np.arange(len(markets))).all()
    ends = sifted.routes.last[sifted.routes.first]
    unit = sifted.lean.row[sifted.demand_row] * sifted.lean.column[ends]
    # What a scaled column costs more for each unit of the dual, in money for each piece.
    money = sifted.lean.value(1.0) - sifted.lean.value(0.0)
    value = at.dual[sifted.demand_row] * unit * money / sifted.lean.column[ends]
    gain = (np.maximum(value - cost, 0.0) * wanted).sum(axis=1)
    return value @ wanted + np.minimum(sites["fixed_cost"].to_numpy() - gain, 0.0).sum()


@pytest.mark.parametrize("seed", range(5))
def test_the_bound_is_that_of_the_textbook(seed):
    case = facilities(NONE)
    sifted, _ = sifted_of(case)
    assert sifted.last.cells.all()
    ends = sifted.routes.last[sifted.routes.first]
    level = np.random.default_rng(seed).uniform(0.5, 3.0, len(ends)) * np.abs(sifted.lean.cost[ends])
    dual = np.zeros(len(sifted.dual))
    dual[sifted.demand_row] = level / (sifted.lean.row[sifted.demand_row] * sifted.lean.column[ends])
    at = sifted.function.at(dual)
    assert at.bound == pytest.approx(by_hand(case, at, sifted), rel=1e-9)


@pytest.mark.parametrize("capacities", [NONE, [90.0, 60, 80, 120, 70, 60]])
def test_other_duals_of_the_rows_are_no_better(capacities, monkeypatch):
    sifted, _ = sifted_of(facilities(capacities))
    assert sifted.solve(1e-9, 60.0, lambda bound: None)
    best, rows = sifted.bound(sifted.dual), sifted.last.rows
    rng, plain = np.random.default_rng(1), sifted.dual.copy()
    for part in (1.0, 0.9, 0.5, 0.0):
        other = plain.copy()
        other[rows] *= part * rng.uniform(0.8, 1.2, len(rows)) if part < 1 else 1.0
        full = sifted.bound(other)
        monkeypatch.setattr(sifted.last, "rows", rows[:0])
        assert sifted.bound(other) <= full + 1e-9 * abs(full)
        monkeypatch.setattr(sifted.last, "rows", rows)
        assert full == pytest.approx(best, rel=1e-12)  # it does not matter which duals they had


@pytest.mark.parametrize("capacities", [NONE, [190.0, 160, 180, 220, 170, 160]])
def test_steps_come_close_to_the_relaxation(capacities):
    alone, scaled = sifted_of(facilities(capacities, markets=20))
    assert alone.solve(1e-9, 60.0, lambda bound: None)
    assert alone.shortage <= 1e-9
    cost = scaled.value(alone.objective)
    sifted, _ = sifted_of(facilities(capacities, markets=20))
    climb(sifted, np.zeros(len(sifted.dual)), 1e-5, sifted.clock.seconds + 60.0, lambda bound: None)
    assert 0.998 * cost < sifted.best_bound <= cost * (1 + 1e-9)


@pytest.mark.parametrize("fill", [None, 0.5])
@pytest.mark.parametrize("dear", [0.0, 0.005, 1.0])
def test_the_relaxation_is_the_same_whatever_routes_it_begins_with(dear, fill, monkeypatch):
    monkeypatch.setattr(ascent, "DEAR", dear)
    case = facilities([190.0, 160, 180, 220, 170, 160], markets=30, fill=fill)
    alone, scaled = sifted_of(case)
    assert alone.solve(1e-9, 60.0, lambda bound: None)
    monkeypatch.setattr(sifting, "ASCEND_FROM", 1)
    monkeypatch.setattr(sifting, "EASY", 1)
    sifted, _ = sifted_of(case)
    assert sifted.solve(1e-9, 60.0, lambda bound: None)
    assert sifted.objective == pytest.approx(alone.objective, rel=1e-8)
    assert sifted.best_bound == pytest.approx(scaled.value(alone.objective), rel=1e-7)


def test_nothing_is_priced_where_the_first_duals_are_good_enough(monkeypatch):
    monkeypatch.setattr(sifting, "ASCEND_FROM", 1)
    monkeypatch.setattr(sifting, "EASY", 1)
    sifted, scaled = sifted_of(facilities(NONE, markets=30))
    priced = []
    monkeypatch.setattr(sifted, "_price_smoothly", lambda: priced.append(1))
    assert sifted.solve(0.02, 60.0, lambda bound: None)
    assert not priced
    cost = scaled.value(sifted.objective)
    assert 0.98 * cost <= sifted.best_bound <= cost * (1 + 1e-9)


def test_routes_bring_what_decisions_let_them():
    sifted, _ = sifted_of(facilities(NONE))
    at = sifted.function.at(np.zeros(len(sifted.dual)), Inner(sifted))
    assert not len(sifted.last.served(at)[0])  # nothing is worth opening a depot
    dual = at.dual.copy()
    dual[sifted.demand_row] *= 50.0
    at = sifted.function.at(dual, Inner(sifted))
    lanes, amount = sifted.last.served(at)
    assert len(lanes) == len(sifted.routes.last)  # everything is
    np.testing.assert_allclose(amount, sifted.demand[sifted.routes.cell[lanes]])


@pytest.mark.filterwarnings("error")
def test_what_cannot_be_reached_is_not_served():
    sifted, _ = sifted_of(facilities(NONE))
    nowhere = sifted.routes.last[sifted.routes.cell == 0]
    sifted.closed[nowhere] = True
    at = sifted.function.at(np.zeros(len(sifted.dual)))
    lanes, _ = sifted.last.served(sifted.function.at(50.0 * at.dual))
    assert len(lanes) == len(sifted.routes.last) - len(nowhere)
    assert (sifted.routes.cell[lanes] > 0).all()


def test_with_stock_they_are_left_alone():
    stocked, _ = sifted_of(depots_case(1))
    assert not len(stocked.last.rows)
    assert not stocked.last.cells.any()


def test_good_duals_do_not_end_it_while_routes_are_missing(monkeypatch):
    """The cheapest routes at the best duals alone may ask more of a site than it can do."""
    monkeypatch.setattr(sifting, "ASCEND_FROM", 0)
    monkeypatch.setattr(ascent, "WIDE", -1.0)
    monkeypatch.setattr(sifting.Sifted, "_within", lambda *_: True)
    short = []
    run = sifting.Sifted.run

    def watched(self, *args, **kwargs):
        done = run(self, *args, **kwargs)
        short.append(self.shortage)
        return done

    monkeypatch.setattr(sifting.Sifted, "run", watched)
    relaxed, _ = sifted_of(facilities([40.0] * 9))
    assert relaxed.last.cells.all()
    assert relaxed.solve(1e-3, 60.0, lambda bound: None)
    assert max(short) > 1e-6
    assert relaxed.shortage <= 1e-6
