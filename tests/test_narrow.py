"""Branch and bound on what a relaxation leaves open: by hand, against everything, and against forced columns."""

import numpy as np
import pytest

import scopt
from scopt.case import Case
from scopt.search import branching, method, narrow
from scopt.search.narrow import reduced_costs, solve_narrowed, sourced_whole
from scopt.search.solver import Clock, Lp, Outcome, Scaled, solve_mip


def depots(seed, sites=6, markets=12, products=2, **channel):
    """Depots of small capacity, and markets that buy all they want from one of them."""
    random = np.random.default_rng(seed)
    goods = [f"P{n}" for n in range(products)]
    where, whom = random.uniform(0, 10, (sites, 2)), random.uniform(0, 10, (markets, 2))
    apart = np.linalg.norm(where[:, None] - whom, axis=2)
    demand = random.integers(10, 60, (markets, products))
    capacity = random.uniform(0.25, 0.5, sites) * demand.sum()
    return Case.from_frames(
        {
            "products": [{"product": p} for p in goods],
            "sites": [
                {"site": f"D{i}", "tier": "depot", "status": "candidate", "capacity": float(capacity[i]),
                 "fixed_cost": float(random.integers(300, 900))}
                for i in range(sites)
            ],
            "supply": [{"site": f"D{i}", "product": p} for i in range(sites) for p in goods],
            "markets": [{"market": f"M{k}"} for k in range(markets)],
            "channels": [{"channel": "all", "single_source": "yes"} | channel],
            "demand": [
                {"market": f"M{k}", "channel": "all", "product": p, "units": int(demand[k, n])}
                for k in range(markets) for n, p in enumerate(goods)
            ],
            "lanes": [
                {"origin": f"D{i}", "destination": f"M{k}", "status": "candidate",
                 "unit_cost": float(apart[i, k])}
                for i in range(sites) for k in range(markets)
            ],
        }
    )  # fmt: skip


def compiled(case):
    model = scopt.build(case, "integrated")
    return model, model.compile()


def everything(arrays, gap=1e-9):
    scaled = Scaled.of(arrays)
    outcome = solve_mip(scaled, np.ones(len(scaled.row), bool), Clock(60.0), gap=gap)
    return float(arrays.cost @ outcome.points[-1]) + arrays.offset


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("gap", [1e-9, 0.002, 0.05])
def test_bound_and_design_hold_for_the_whole_model(seed, gap):
    model, arrays = compiled(depots(seed))
    optimum = everything(arrays)
    told = []
    outcome = solve_narrowed(
        Scaled.of(sourced_whole(model, arrays)), Clock(60.0), gap=gap, watch=lambda _, bound: told.append(bound)
    )  # fmt: skip
    cost = float(arrays.cost @ outcome.points[-1]) + arrays.offset
    assert outcome.status == "optimal"
    assert max([*told, outcome.bound]) <= optimum * (1 + 1e-6)
    assert cost >= optimum * (1 - 1e-6)
    assert cost - outcome.bound <= gap * cost + 1e-6 * cost
    costs = [float(arrays.cost @ point) for point in outcome.points]
    assert costs == sorted(costs, reverse=True)


def test_columns_are_held_and_only_those_that_cost_too_much(monkeypatch):
    """With the kernel's design many sources are held, each of them for a reason that a forced one confirms."""
    model, arrays = compiled(depots(1, sites=8, markets=40, products=1))
    scaled = Scaled.of(sourced_whole(model, arrays))
    asked = []

    def spy(model, *args, **kwargs):
        outcome = solve_mip(model, *args, **kwargs)
        asked.append((model, outcome))
        return outcome

    monkeypatch.setattr(narrow, "solve_mip", spy)
    solve_narrowed(scaled, Clock(60.0), gap=1e-6)
    (_, kernel), (rest, _) = asked
    target = float(arrays.cost @ kernel.points[-1]) * (1 - 1e-6)
    whole = arrays.integer & (rest.lower == rest.upper)
    assert 0.3 * arrays.integer.sum() < whole.sum() < arrays.integer.sum()
    for column in np.flatnonzero(whole):
        low, high = scaled.lower.copy(), scaled.upper.copy()
        low[column] = high[column] = 1.0 - rest.lower[column]
        engine = Lp(scaled, None, Clock(60.0))
        engine.set_bounds(np.array([column]), low[[column]], high[[column]])
        if engine.solve(60.0) is not None:  # without it there may be no solution at all
            assert scaled.value(engine.objective) >= target * (1 - 1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_reduced_costs_bound_what_a_forced_column_costs(seed):
    model, arrays = compiled(depots(seed))
    scaled = Scaled.of(sourced_whole(model, arrays))
    lp = Lp(scaled, None, Clock(60.0))
    lp.solve(60.0)
    least, cost = lp.objective, reduced_costs(scaled, lp.reduced)
    sources = np.array([arrays.place[v.name] for v in model.pyomo.source.values()])
    assert (cost[~arrays.integer] == 0).all()
    assert (cost[sources] > lp.reduced[sources] + 1e-6).sum() > 0.3 * len(sources)  # what they serve counts
    for column in sources[cost[sources] > 0]:
        lp.set_bounds(np.array([column]), np.ones(1), np.ones(1))
        if lp.solve(60.0) is not None:
            assert lp.objective >= (least + cost[column]) * (1 - 1e-7)
        lp.set_bounds(np.array([column]), np.zeros(1), np.ones(1))


def test_a_source_serves_the_whole_unless_demand_may_stay_unmet():
    for channel, equations in (({}, True), ({"unmet_cost": 1000, "min_fill": 0.4}, False)):
        model, arrays = compiled(depots(1, **channel))
        told = sourced_whole(model, arrays)
        first = arrays.first_rows["single_source"]
        rows = slice(first, first + dict(arrays.row_blocks)["single_source"])
        assert (told.row_lower[rows] == 0).all() == equations
        others = np.delete(np.arange(len(told.row_lower)), rows)
        assert (told.row_lower[others] == arrays.row_lower[others]).all()
        assert everything(told) == pytest.approx(everything(arrays), rel=1e-6)


def test_rows_stay_as_they_are_where_a_market_may_have_several_sources():
    model, arrays = compiled(depots(1))
    next(iter(model.pyomo.one_source.values())).deactivate()
    arrays = model.compile()
    assert sourced_whole(model, arrays) is arrays
    model, arrays = compiled(depots(1, single_source="no"))
    assert sourced_whole(model, arrays) is arrays


def test_without_a_design_in_the_kernel_everything_is_solved(monkeypatch):
    asked = []

    def none_at_first(model, *args, **kwargs):
        asked.append(model)
        return Outcome("stopped", [], -np.inf) if len(asked) == 1 else solve_mip(model, *args, **kwargs)

    monkeypatch.setattr(narrow, "solve_mip", none_at_first)
    model, arrays = compiled(depots(2))
    scaled = Scaled.of(sourced_whole(model, arrays))
    outcome = solve_narrowed(scaled, Clock(60.0), gap=1e-9)
    assert asked[1] is scaled
    assert outcome.bound == pytest.approx(everything(arrays), rel=1e-6)


def test_a_design_is_kept_when_time_runs_out(monkeypatch):
    asked = []

    def late(model, *args, **kwargs):
        asked.append(model)
        return solve_mip(model, *args, **kwargs) if len(asked) == 1 else Outcome("stopped", [], -np.inf)

    monkeypatch.setattr(narrow, "solve_mip", late)
    model, arrays = compiled(depots(1, sites=8, markets=40, products=1))
    told = []
    outcome = solve_narrowed(
        Scaled.of(sourced_whole(model, arrays)), Clock(60.0), gap=1e-6, watch=lambda _, bound: told.append(bound)
    )  # fmt: skip
    assert len(asked) == 2
    assert outcome.status == "feasible"
    assert outcome.points
    assert outcome.bound == told[0]  # that of the relaxation


def test_no_solution_is_told():
    case = depots(0, sites=2, markets=3)
    model, arrays = compiled(case.replace(sites=case.tables["sites"].assign(capacity=120.0)))
    arrays = sourced_whole(model, arrays)
    outcome = solve_narrowed(Scaled.of(arrays), Clock(60.0), gap=0.01)
    assert (outcome.status, outcome.points) == ("infeasible", [])


@pytest.mark.parametrize("seed", range(3))
def test_a_search_comes_to_the_same_either_way(monkeypatch, seed):
    case, found = depots(seed), []
    used = []
    monkeypatch.setattr(method, "solve_narrowed", lambda *a, **k: used.append(1) or solve_narrowed(*a, **k))
    for threshold in (1, 10**9):
        monkeypatch.setattr(method, "NARROW_FROM", threshold)
        found.append(scopt.solve(case, gap=1e-6))
        assert found[-1].status == "optimal"
        assert found[-1].checks["ok"].all()
    assert found[0].cost == pytest.approx(found[1].cost, rel=2e-6)
    assert used


@pytest.mark.parametrize("seed", [3, 5, 8])
def test_a_tree_of_many_nodes_is_left_to_the_solver(monkeypatch, seed):
    case = depots(seed, sites=10, markets=30, products=1, single_source="no")
    monkeypatch.setattr(method, "SIFT_FROM", 10**9)
    plain = scopt.solve(case, gap=1e-6)
    monkeypatch.setattr(method, "SIFT_FROM", -1)
    branched, phases = [], []
    run = method.Tree.run

    def counted(tree, *args):
        more = run(tree, *args)
        branched.append(tree.branched)
        return more

    monkeypatch.setattr(method.Tree, "run", counted)
    for most in (0, 10**9):
        monkeypatch.setattr(method, "MANY", most)
        monkeypatch.setattr(branching, "FEW", 2)
        found = scopt.solve(case, gap=1e-6, progress=lambda event: phases.append(event.phase))
        assert found.status == "optimal"
        assert found.cost == pytest.approx(plain.cost, rel=2e-6)
        assert found.bound <= plain.cost * (1 + 1e-6)
        assert found.checks["ok"].all()
        handed = any("branch and bound on everything" in phase for phase in phases)
        assert handed == (most == 0)
        phases.clear()
    assert max(branched) >= 4  # without a most the tree goes on


def test_branchings_to_come_are_foretold_by_the_last_half():
    tree = object.__new__(branching.Tree)
    tree.open, tree.shut = [], 150.0  # the bound by now
    tree.earlier = [100.0] * 10 + [110.0 + number for number in range(branching.FEW - 10)]
    half = len(tree.earlier) // 2
    gained = (150.0 - tree.earlier[half]) / (len(tree.earlier) - half)
    assert tree.ahead(160.0) == pytest.approx(10.0 / gained)
    assert tree.ahead(150.0) == tree.ahead(140.0) == 0
    assert np.isinf(tree.ahead(np.inf))  # without a design
    tree.shut = tree.earlier[half]
    assert np.isinf(tree.ahead(160.0))
    tree.earlier = tree.earlier[: branching.FEW - 2]
    assert tree.ahead(160.0) == 0


def test_branch_and_bound_stops_at_a_cost_that_is_enough():
    _, arrays = compiled(depots(4, sites=12, markets=30, products=1))
    scaled = Scaled.of(arrays)
    rows = np.ones(len(scaled.row), bool)
    best = everything(arrays)
    full = solve_mip(scaled, rows, Clock(60.0), gap=0.0)
    assert full.bound == pytest.approx(best, rel=1e-6)
    early = solve_mip(scaled, rows, Clock(60.0), gap=0.0, target=1.2 * best)
    costs = [float(arrays.cost @ point) + arrays.offset for point in early.points]
    assert min(costs) <= 1.2 * best
    assert early.bound < full.bound * (1 - 1e-6)  # it had not gone on to the end
    assert early.status == "feasible"
