"""The sifted relaxation and its branch and bound against the plain solver."""

import itertools
import os
import signal
from dataclasses import replace

import numpy as np
import pytest
from test_enumeration import COSTS, tolerance
from threadpoolctl import threadpool_info
from tiny_cases import tiny_case

import scopt
from scopt.case import Case
from scopt.search import branching, method, sifting
from scopt.search.ascent import Probe, climb
from scopt.search.branching import Tree
from scopt.search.kernel import Kernel
from scopt.search.master import PRIMAL
from scopt.search.method import Search
from scopt.search.sifting import Sifted
from scopt.search.solver import Clock, Lp, Scaled, solve_mip
from scopt.search.switches import Switches


def depots_case(seed, depots=14, shops=30, products=2, capacity=None, **sheets):
    """Depots with fixed costs between one plant and shops that hold stock; pools may be joined in depots."""
    rng = np.random.default_rng(seed)
    at, to = rng.uniform(0, 100, (depots, 2)), rng.uniform(0, 100, (shops, 2))
    far = np.hypot(*(at[:, None] - to[None]).transpose(2, 0, 1))
    names, shop = [f"D{i}" for i in range(depots)], [f"S{k}" for k in range(shops)]
    goods = [f"G{p}" for p in range(products)]
    sites = [{"site": "P", "tier": "plant", "status": "keep"}]
    sites += [
        {
            "site": d, "tier": "depot", "status": "candidate", "fixed_cost": float(rng.uniform(2e3, 6e3)),
            "stock": "optional", "stock_cost": 200.0, "o2o": "optional", "o2o_cost": 300.0, "capacity": capacity,
        }
        for d in names
    ]  # fmt: skip
    sites += [{"site": s, "tier": "shop", "status": "keep", "stock": "must"} for s in shop]
    lanes = [{"origin": "P", "destination": d, "unit_cost": 1.0, "lead_days": 9} for d in names]
    for i, d in enumerate(names):
        for k in np.argsort(far[i])[:18]:
            days, cost = int(1 + far[i, k] // 40), float(0.1 * far[i, k])
            lanes.append({"origin": d, "destination": shop[k], "unit_cost": cost, "lead_days": days})
            lanes.append(
                {
                    "origin": d, "destination": f"M{k}", "channel": "web", "unit_cost": 2 + cost,
                    "lead_days": days,
                }
            )  # fmt: skip
    lanes += [{"origin": s, "destination": f"M{k}", "channel": "shop"} for k, s in enumerate(shop)]
    return Case.from_frames(
        {
            "settings": [{"key": "review_days", "value": 7}],
            "products": [{"product": g, "value": float(rng.uniform(20, 80))} for g in goods],
            "sites": sites,
            "supply": [{"site": "P", "product": g} for g in goods],
            "markets": [{"market": f"M{k}"} for k in range(shops)],
            "channels": [
                {"channel": "shop", "response_days": 0, "pool": "shop"},
                {"channel": "web", "response_days": 3, "pool": "web"},
            ],
            "demand": [
                {
                    "market": f"M{k}", "channel": c, "product": g, "units": float(rng.uniform(100, 800)),
                    "vmr": 20.0,
                }
                for k in range(shops)
                for c in ("shop", "web")
                for g in goods
            ],
            "lanes": lanes,
            **sheets,
        }
    )  # fmt: skip


FEW = [{"limit": "few", "measure": "sites", "tier": "depot", "max": 4}]


@pytest.fixture(scope="module")
def depots():
    return depots_case(1)


def sifted_of(case):
    model = scopt.build(case)
    scaled = Scaled.of(model.compile())
    return Sifted(model, scaled, Clock(120.0)), scaled


def test_the_sifted_relaxation_is_the_relaxation(depots):
    sifted, scaled = sifted_of(depots)
    assert sifted.solve(1e-9, 60.0, lambda bound: None)
    plain = Lp(scaled, None, Clock(60.0))
    point = plain.solve()
    cost = float(scaled.arrays.cost @ point) + scaled.arrays.offset
    assert scaled.value(sifted.objective) == pytest.approx(cost, rel=1e-7)
    assert sifted.best_bound == pytest.approx(cost, rel=1e-7)
    assert sifted.inside[: sifted.n].sum() < 0.8 * sifted.n  # it did not need every column


def test_any_duals_give_a_bound(depots):
    sifted, scaled = sifted_of(depots)
    assert sifted.solve(1e-9, 60.0, lambda bound: None)
    best, dual = scaled.value(sifted.objective), sifted.dual.copy()
    rng = np.random.default_rng(5)
    bounds = [
        sifted.bound(dual * rng.uniform(0, 2, len(dual)) + rng.normal(0, noise, len(dual)))
        for noise in (0, 1e-6, 1e-3, 1.0)
        for _ in range(20)
    ]
    assert max(bounds) <= best + 1e-7 * abs(best)
    assert np.isfinite(bounds).any()


def test_a_basis_moves_between_copies(depots, monkeypatch):
    monkeypatch.setattr(sifting, "EXPLORE_ROUNDS", 100)
    sifted, scaled = sifted_of(depots)
    sifted.solve(1e-9, 60.0, lambda bound: None)
    basis, cost = sifted.basis(), sifted.objective
    twin = sifted.copy()
    lower, upper = (b[sifted.integer].copy() for b in (sifted.lower, sifted.upper))
    upper[np.argmax(sifted.value[sifted.integer] * scaled.cost[sifted.integer])] = 0.0
    raised = twin.explore(lower, upper, basis, np.inf, 1e-9, 60.0)
    assert raised > scaled.value(cost)
    assert (twin.inside & ~sifted.inside).any()
    sifted.adopt(twin)
    sifted.restore(twin.basis())
    sifted.hold(lower, upper)
    assert sifted.settle(20, 60.0)
    assert scaled.value(sifted.objective) == pytest.approx(raised, rel=1e-6)
    sifted.restore(basis)
    sifted.release()
    assert sifted.settle(20, 60.0)
    assert sifted.objective == pytest.approx(cost, rel=1e-9)


@pytest.mark.parametrize("dearer", [None, 1.5, 0.01])
def test_bounds_of_parts_are_their_relaxations(depots, dearer, monkeypatch):
    """Whatever unmet demand costs at first, too little of it included."""
    monkeypatch.setattr(sifting, "EXPLORE_ROUNDS", 100)
    sifted, scaled = sifted_of(depots)
    assert sifted.solve(1e-9, 60.0, lambda bound: None)
    if dearer is not None:
        monkeypatch.setattr(sifting, "DEARER", dearer)
        sifted.moderate()
    arrays, columns, basis = scaled.arrays, sifted.integer, sifted.basis()
    plain = Lp(scaled, None, Clock(120.0))
    rng = np.random.default_rng(7)
    compared = 0
    for _ in range(15):
        lower, upper = arrays.lower[columns].copy(), arrays.upper[columns].copy()
        some = rng.choice(len(columns), 4, replace=False)
        lower[some] = upper[some] = rng.integers(0, 2, 4)
        bound = sifted.explore(lower, upper, basis, np.inf, 1e-9, 100.0)
        plain.set_bounds(columns, lower, upper)
        point = plain.solve()
        if point is None:
            assert plain.infeasible
            assert sifted.shortage > 1e-6
            continue
        compared += 1
        assert bound == pytest.approx(float(arrays.cost @ point) + arrays.offset, rel=1e-6)
    assert compared >= 8


def test_what_stays_short_at_a_moderate_price_is_asked_the_full_one(depots, monkeypatch):
    monkeypatch.setattr(sifting, "DEARER", 0.5)
    sifted, _ = sifted_of(depots)
    assert sifted.solve(1e-9, 60.0, lambda bound: None)
    full, other = sifted.objective, ~np.isin(sifted.needy, sifted.demand_row)
    sifted.moderate()
    assert (sifted.asked < sifted.penalty)[~other].all()
    assert (sifted.asked == sifted.penalty)[other].all()
    assert sifted.run(PRIMAL, 60.0)
    assert sifted.objective < full * (1 - 1e-3)  # at half its worth some demand is left unmet
    short = sifted.short > 1e-6
    assert short.any()
    assert sifted.insist()
    assert (sifted.asked == sifted.penalty)[short].all()
    while sifted.run(PRIMAL, 60.0) and sifted.insist():
        pass
    assert sifted.shortage <= 1e-6
    assert sifted.objective == pytest.approx(full, rel=1e-9)


def test_unmet_demand_gets_cheaper_only_when_branching_begins(depots):
    """Dives before it would only have to ask for the full price again."""
    sifted = sifted_of(depots)[0]
    assert sifted.solve(1e-4, 60.0, lambda bound: None)
    tree = Tree(sifted, 1, 1e-4)
    assert (sifted.asked == sifted.penalty).all()
    tree.run(0.0, lambda: -np.inf, lambda bound: None)  # its bound is enough: nothing is branched on
    assert (sifted.asked < sifted.penalty).any()


def test_a_part_is_left_once_its_bound_is_known_to_be_enough(depots, monkeypatch):
    monkeypatch.setattr(sifting, "EXPLORE_ROUNDS", 100)
    sifted, scaled = sifted_of(depots)
    assert sifted.solve(1e-9, 60.0, lambda bound: None)
    basis, cost, first = sifted.basis(), scaled.value(sifted.objective), sifted.integer
    lower, upper = sifted.lower[first].copy(), sifted.upper[first].copy()
    upper[np.argsort(-sifted.value[first] * scaled.cost[first])[:5]] = 0.0
    bound = sifted.explore(lower, upper, basis, np.inf, 1e-9, 60.0)
    assert not sifted.passed
    assert bound > cost * 1.01
    enough = cost + 0.2 * (bound - cost)
    early = sifted.explore(lower, upper, basis, enough, 1e-9, 60.0)
    assert sifted.passed
    assert enough <= early < bound


def test_the_promising_node_is_the_one_of_least_bound_and_gains_to_come():
    sifted, _ = sifted_of(depots_case(1, capacity=8_000))
    assert sifted.solve(1e-6, 60.0, lambda bound: None)
    tree = Tree(sifted, 1, 1e-6)
    assert tree.run(0.0, lambda: np.inf, lambda bound: None)
    assert tree.branched == 2  # what was begun is finished
    for _ in range(2):
        tree.run(0.0, lambda: np.inf, lambda bound: None)
        tree.leaves.clear()
    first = expected(tree)
    assert tree.promising() is first
    part = first.point - np.floor(first.point)
    loose = ~tree.late & (part > 1e-3) & (part < 1 - 1e-3)
    tree.gain[:, loose], tree.seen[loose] = 1e9, 1.0  # now that node promises nothing
    assert tree.promising() is expected(tree)
    assert tree.promising() is not first


@pytest.mark.parametrize("climbed", [False, True])
def test_a_relaxation_that_costs_enough_is_not_branched_on(climbed, monkeypatch):
    sifted, _ = sifted_of(depots_case(1, capacity=8_000))
    assert sifted.solve(1e-6, 60.0, lambda bound: None)
    sifted.climbed = climbed
    if climbed:  # steps show it
        monkeypatch.setattr(Sifted, "explore", None)
    full = sifted.best_bound
    sifted.best_bound = 0.99 * full  # as when it is left early
    tree = Tree(sifted, 2, 1e-6)
    assert tree.bound < 0.995 * full
    assert not tree.run(60.0, lambda: 0.995 * full, lambda bound: None)
    assert tree.branched == 1
    assert 0.995 * full <= tree.bound <= full * (1 + 1e-6)
    # Where more is wanted than it costs, it is branched on at once.
    monkeypatch.undo()
    tree = Tree(sifted, 2, 1e-6)
    tree.run(0.0, lambda: 1.001 * full, lambda bound: None)
    assert tree.branched == 2


@pytest.mark.parametrize("threads", [1, 2])
def test_children_of_a_large_relaxation_are_bounded_by_steps(threads, monkeypatch):
    sifted, scaled = sifted_of(depots_case(1, capacity=8_000))
    assert sifted.solve(1e-6, 60.0, lambda bound: None)
    truth = solve_mip(scaled, np.ones(len(scaled.row), bool), Clock(60.0), gap=1e-3)
    best = float(scaled.arrays.cost @ truth.points[-1]) + scaled.arrays.offset
    first, explore, solved = scaled.value(sifted.objective), Sifted.explore, []

    def counted(self, *args):
        solved.append(self)
        return explore(self, *args)

    monkeypatch.setattr(Sifted, "explore", counted)
    sifted.climbed = True
    tree = Tree(sifted, threads, 1e-4)
    wanted, bounds = first + 0.5 * (truth.bound - first), []
    while tree.run(60.0, lambda: wanted, bounds.append):
        tree.leaves.clear()
    assert wanted <= tree.bound <= best * (1 + 1e-6)
    assert bounds == sorted(bounds)
    assert len(solved) < 2 * (tree.branched - 1)  # some had no linear program
    sifted.release()  # for all designs these duals prove no more than for those of a node
    for node in tree.open:
        assert (node.lower <= node.point).all()
        assert (node.point <= node.upper).all()
        assert sifted.bound(node.dual) <= node.bound * (1 + 1e-9)


def test_where_steps_bring_nothing_the_linear_program_is_solved(monkeypatch):
    sifted, _ = sifted_of(depots_case(1, capacity=8_000))
    assert sifted.solve(1e-6, 60.0, lambda bound: None)
    sifted.climbed = True
    monkeypatch.setattr(branching, "probe", lambda *_, **__: Probe(-np.inf, sifted.center, None))
    tree, bound = Tree(sifted, 2, 1e-6), sifted.best_bound
    tree.run(0.0, lambda: 2 * bound, lambda bound: None)
    assert tree.branched == 2
    assert tree.bound >= bound
    assert len(tree.open) == 2
    assert tree.open[0].basis is not tree.open[1].basis  # each has its own


@pytest.mark.parametrize("capacity", [None, 8_000])
def test_a_whole_point_that_leaves_demand_unmet_is_no_leaf(capacity, monkeypatch):
    sifted, _ = sifted_of(depots_case(1, capacity=capacity))
    assert sifted.solve(1e-6, 60.0, lambda bound: None)
    full = sifted.best_bound
    tree = Tree(sifted, 1, 1e-6)
    monkeypatch.setattr(sifting, "DEARER", 0.01)
    sifted.moderate()
    assert sifted.run(PRIMAL, 60.0)
    assert sifted.shortage > 1.0
    point, (root,) = sifted.value[sifted.integer], tree.open
    assert (np.abs(point - np.rint(point)) < 1e-9).all()  # everything is left unmet
    tree.open = [replace(root, bound=0.9 * full, point=point.copy(), basis=sifted.basis())]
    tree.run(0.0, lambda: np.inf, lambda bound: None)
    assert tree.bound == pytest.approx(full, rel=1e-4)
    assert sifted.shortage <= 1e-6
    if capacity is None:  # with all demand it is whole again
        assert len(tree.leaves) == 1
        assert not tree.open
    else:
        assert not tree.leaves
        assert (np.abs(tree.open[0].point - np.rint(tree.open[0].point)) > 1e-3).any()


def test_what_is_dearer_by_its_bound_is_not_solved_in_a_dive(depots, monkeypatch):
    sifted, _ = sifted_of(depots)
    assert sifted.solve(1e-6, 60.0, lambda bound: None)
    first = sifted.integer
    lower, upper = sifted.lower[first].copy(), sifted.upper[first].copy()
    upper[np.argsort(-sifted.value[first] * sifted.scaled.cost[first])[:5]] = 0.0
    begin, least = sifted.basis(), sifted.objective
    for _ in range(2):  # the second time with the routes of the first
        full = sifted._cost(lower, upper, 60.0)
        sifted.restore(begin)
    assert full > least * 1.01
    assert sifted._cost(lower, upper, 60.0, 1.01 * full) == pytest.approx(full, rel=1e-3)
    sifted.restore(begin)
    settled = []
    monkeypatch.setattr(Sifted, "settle", lambda *_: settled.append(1))
    assert sifted._cost(lower, upper, 60.0, least + 0.2 * (full - least)) == np.inf
    assert not settled


def test_rounds_that_bring_little_are_the_last_ones(depots, monkeypatch):
    sifted, _ = sifted_of(depots)
    assert sifted.solve(1e-6, 60.0, lambda bound: None)
    first, price, rounds = sifted.integer, Sifted._price, []
    lower, upper = sifted.lower[first].copy(), sifted.upper[first].copy()
    upper[np.argsort(-sifted.value[first] * sifted.scaled.cost[first])[:5]] = 0.0

    def counted(self, *args):
        rounds.append(self.objective)
        return price(self, *args)

    monkeypatch.setattr(Sifted, "_price", counted)
    twin = sifted.copy()
    counts = []
    for one, little in ((sifted, 0.0), (twin, 10.0)):
        rounds.clear()
        one.hold(lower, upper)
        assert one.settle(20, 60.0, little)
        counts.append(len(rounds))
    assert counts[1] == 1 < counts[0]


@pytest.mark.parametrize("threads", [1, 2])
def test_a_kernel_has_designs_with_one_doubtful_site_turned(threads):
    sifted, scaled = sifted_of(depots_case(5, depots=8, shops=16, products=1, capacity=8_000))
    assert sifted.solve(1e-6, 60.0, lambda bound: None)
    tree, known = Tree(sifted, threads, 1e-6), len(sifted.order)
    design = np.rint(tree.dive(60.0)[sifted.integer])
    sites = np.flatnonzero((sifted.kind == "open_site") & (tree.lower < tree.upper))
    doubtful = np.isin(sifted.kind, ["open_site", "stock_point", "join"]) & (tree.lower < tree.upper)
    relaxed = np.where(doubtful, 0.5, design)

    def least(scaled, turned, beside=0):
        """Least cost with the sites of the design, but for one."""
        lower, upper = scaled.lower.copy(), scaled.upper.copy()
        opened = np.where(sites == turned, 1 - design[sites], design[sites])
        lower[sifted.integer[sites] - beside] = upper[sifted.integer[sites] - beside] = opened
        part = replace(scaled, lower=lower, upper=upper)
        return solve_mip(part, np.ones(len(scaled.row), bool), Clock(60.0), gap=1e-6).bound

    def of_kernel():
        kernel = Kernel.of(sifted)
        return np.array([least(kernel.scaled, j, kernel.beside) for j in sites.tolist()])

    before = of_kernel()
    assert np.isinf(before).sum() >= 3  # markets without any route
    tree.turn(relaxed, design, 0.0)  # no time
    assert not tree.turned
    tree.turn(relaxed, design, 60.0)
    assert {j for _, j in tree.turned} == set(sites.tolist())
    assert (sifted.lower == scaled.lower).all()
    assert (sifted.upper == scaled.upper).all()
    plain = np.array([least(scaled, j) for j in sites.tolist()])
    after, found = of_kernel(), len(sifted.order)
    assert (after >= plain * (1 - 1e-5)).all()
    assert (after <= np.minimum(before * (1 + 1e-5), plain * 1.02)).all()
    tree.turn(relaxed, design, 60.0)  # each only once
    assert len(sifted.order) == found > known
    assert len(tree.turned) == len(sites)
    # What is turned in one design has to be turned in another one as well.
    other = design.copy()
    other[sites[0]] = 1.0 - design[sites[0]]
    tree.turn(relaxed, other, 60.0)
    assert len(tree.turned) == 2 * len(sites)


def test_a_kernel_has_the_design_that_is_known():
    sifted, scaled = sifted_of(depots_case(5, depots=8, shops=16, products=1, capacity=8_000))
    assert sifted.solve(1e-6, 60.0, lambda bound: None)
    tree = Tree(sifted, 2, 1e-6)
    sites = np.flatnonzero((sifted.kind == "open_site") & (tree.lower < tree.upper))
    taken = sites[sifted.value[sifted.integer[sites]] > 0.9]

    def best(scaled, decisions, values, beside=0):
        """Best design with the decisions held."""
        lower, upper = scaled.lower.copy(), scaled.upper.copy()
        lower[sifted.integer[decisions] - beside] = upper[sifted.integer[decisions] - beside] = values
        part = replace(scaled, lower=lower, upper=upper)
        return solve_mip(part, np.ones(len(scaled.row), bool), Clock(60.0), gap=1e-6)

    # Without the sites that the relaxation takes, markets have no route at hand.
    plain, every = best(scaled, taken, 0.0), np.arange(len(sifted.integer))
    design = np.rint(plain.points[-1][sifted.integer])
    kernel = Kernel.of(sifted)
    assert best(kernel.scaled, every, design, kernel.beside).status == "infeasible"
    tree.turn(design, design, 60.0)
    assert not tree.turned
    kernel = Kernel.of(sifted)
    after = best(kernel.scaled, every, design, kernel.beside).bound
    assert plain.bound * (1 - 1e-5) <= after <= plain.bound * 1.01


def test_what_relaxation_and_design_agree_about_is_not_turned():
    sifted, _ = sifted_of(depots_case(5, depots=8, shops=16, products=1))
    assert sifted.solve(1e-6, 60.0, lambda bound: None)
    tree = Tree(sifted, 2, 1e-6)
    design = np.rint(sifted.value[sifted.integer])
    tree.turn(design, design, 60.0)
    assert not tree.turned
    known = len(sifted.order)
    tree.turn(design, design, 60.0)  # the design has its routes now
    assert len(sifted.order) == known
    free = tree.lower < tree.upper
    doubtful = np.flatnonzero(np.isin(sifted.kind, ["open_site", "stock_point"]) & free)[[0, -1]]
    relaxed = design.copy()
    relaxed[doubtful] = 0.5
    assert sifted.kind[doubtful].tolist() == ["open_site", "stock_point"]
    tree.turn(relaxed, design, 60.0)
    assert {j for _, j in tree.turned} == {int(doubtful[0])}


def test_turning_has_its_time_after_the_design_and_each_a_part_of_it(monkeypatch):
    class Ticking(Clock):
        now = 0.0

        @property
        def seconds(self):
            return self.now

    sifted, _ = sifted_of(depots_case(5, depots=8, shops=16, products=1))
    assert sifted.solve(1e-6, 60.0, lambda bound: None)
    tree = Tree(sifted, 1, 1e-6)
    tree.clock, given = Ticking(600.0), []
    design = np.zeros(len(sifted.integer))

    def settle(self, rounds, limit):
        given.append(limit)
        tree.clock.now += limit  # all of it
        return False

    monkeypatch.setattr(Sifted, "settle", settle)
    tree.turn(np.full(len(design), 0.5), design, 10.0)
    assert given == [10.0, 2.5, 2.5, 2.5, 2.5]
    assert len(tree.turned) == 4


def expected(tree):
    """The node of least bound and gains to come, one decision after the other."""
    known = tree.seen > 0
    ratio = (tree.gain[:, known] / tree.seen[known] / tree.price[known]).mean(axis=1)
    costs = []
    for node in tree.open:
        cost = node.bound
        for j in np.flatnonzero(~tree.late).tolist():
            part = node.point[j] - np.floor(node.point[j])
            if part > 1e-5:
                down, up = tree.gain[:, j] / tree.seen[j] if known[j] else ratio * tree.price[j]
                cost += min(down * part, up * (1 - part))
        costs.append(cost)
    assert len(set(costs)) > 2
    return tree.open[int(np.argmin(costs))]


def test_a_column_is_closed_only_when_no_choice_opens_it(depots):
    arrays = scopt.build(depots).compile()
    switches, names = Switches(arrays), [v.name for v in arrays.decisions]
    lower, upper = arrays.lower[arrays.flows :], arrays.upper[arrays.flows :]
    assert not switches.closed(lower, upper).any()
    join, site = names.index("join[D0]"), names.index("open_site[D0]")
    joined, shut, apart = lower.copy(), upper.copy(), upper.copy()
    joined[join], apart[join], shut[[join, site]] = 1.0, 0.0, 0.0
    only_joined, only_apart = switches.closed(joined, upper), switches.closed(lower, apart)
    closed = switches.closed(lower, shut)
    assert only_joined.any()
    assert only_apart.any()
    assert not (only_joined & only_apart).any()
    assert (closed >= (only_joined | only_apart)).all()
    assert closed.sum() > (only_joined | only_apart).sum()


def test_parts_without_a_design_are_cut_off():
    sifted, scaled = sifted_of(depots_case(1, limits=FEW))
    assert sifted.solve(1e-9, 60.0, lambda bound: None)
    assert sifted.shortage <= 1e-6
    lower, upper = (b[sifted.integer].copy() for b in (sifted.lower, sifted.upper))
    names = [scaled.arrays.decisions[j - scaled.arrays.flows].name for j in sifted.integer]
    lower[[names.index(f"open_site[D{i}]") for i in range(5)]] = 1.0
    bound = sifted.explore(lower, upper, sifted.basis(), np.inf, 1e-9, 60.0)
    assert sifted.shortage > 0.5
    assert bound > 1.5 * sifted.best_bound


@pytest.mark.parametrize("cells", [1, sifting.ASCEND_FROM])
@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("limits", [[], FEW])
def test_branching_agrees_with_the_plain_solver(limits, threads, cells, monkeypatch):
    case = depots_case(2, depots=10, shops=20, limits=limits)
    monkeypatch.setattr(method, "SIFT_FROM", 10**9)
    plain = scopt.solve(case, gap=5e-4, time_limit=120)
    monkeypatch.setattr(method, "SIFT_FROM", -1)
    monkeypatch.setattr(sifting, "ASCEND_FROM", cells)
    branched = scopt.solve(case, gap=5e-4, time_limit=120, threads=threads)
    assert plain.status == branched.status == "optimal"
    assert branched.bound <= plain.cost * (1 + 1e-9)
    assert plain.bound <= branched.cost * (1 + 1e-9)
    assert branched.checks["ok"].all()


@pytest.mark.parametrize(("quick", "near"), [(False, False), (True, False), (False, True)])
def test_a_refined_relaxation_has_a_dive_where_it_is_quick_or_enough(quick, near, monkeypatch):
    case = depots_case(2, depots=10, shops=20)
    monkeypatch.setattr(method, "SIFT_FROM", 10**9)
    plain = scopt.solve(case, gap=5e-4, time_limit=120)
    monkeypatch.setattr(method, "SIFT_FROM", -1)
    monkeypatch.setattr(method, "QUICK", 10**9 if quick else 0)
    monkeypatch.setattr(method, "SOON", 10**9 if near else 0.0)
    seen = []

    def note(owner, name):
        own = getattr(owner, name)

        def noted(self, *args, **known):
            seen.append(name if name != "_sift" else self.refinements)
            return own(self, *args, **known)

        monkeypatch.setattr(owner, name, noted)

    for owner, name in ((Search, "_sift"), (Tree, "dive"), (Tree, "run"), (Kernel, "improved")):
        note(owner, name)
    found = scopt.solve(case, gap=5e-4, time_limit=120)
    first = [after for at, after in itertools.pairwise(seen) if isinstance(at, int) and at > 0]
    assert seen[:2] == [0, "dive"]
    assert first
    assert set(first) == ({"dive"} if quick or near else {"improved"})
    assert found.status == plain.status == "optimal"
    assert found.bound <= plain.cost * (1 + 1e-9)
    assert plain.bound <= found.cost * (1 + 1e-9)


def test_branching_with_stock_goes_on_alone_while_it_brings_enough(monkeypatch):
    """Else other designs are looked for, however near the bound that is wanted is."""

    class Over(Exception):
        """Enough was seen."""

    monkeypatch.setattr(method, "SIFT_FROM", -1)
    monkeypatch.setattr(method, "SOON", 10**9)
    monkeypatch.setattr(Search, "_chord_share", lambda self: 0.0)
    seen, risen, own = [], [0.6, 0.65], Tree.dive  # parts of what is left to the bound that is wanted

    def run(self, limit, enough, report, most=np.inf):
        seen.append("run")
        assert limit < 60
        if not risen:
            raise Over
        report(self.bound + risen.pop(0) * (enough() - self.bound))
        return True

    def dive(self, limit):
        seen.append("dive")
        return own(self, limit)

    monkeypatch.setattr(Tree, "run", run)
    monkeypatch.setattr(Tree, "dive", dive)
    monkeypatch.setattr(Search, "_kernel", lambda *_: seen.append("kernel"))
    with pytest.raises(Over):
        scopt.solve(depots_case(2, depots=10, shops=20), gap=1e-5, time_limit=200)
    assert seen[-5:] == ["run", "run", "dive", "kernel", "run"]


def test_branching_is_repeatable(depots, monkeypatch):
    monkeypatch.setattr(method, "SIFT_FROM", -1)
    first, second = (scopt.solve(depots, gap=2e-3, time_limit=120, threads=2) for _ in range(2))
    assert (first.cost, first.bound) == (second.cost, second.bound)


def test_what_rows_leave_short_is_given_routes_before_a_relaxation_is_done(monkeypatch):
    """Else a whole model would be taken for one that may have no solution."""
    model = scopt.build(depots_case(1))
    sifted = Sifted(model, Scaled.of(model.compile()), Clock(60.0))
    left, run = [1e-5], Sifted.run

    def short(self, strategy, limit, *, near=False, most=np.inf):
        done = run(self, strategy, limit, near=near, most=most)
        if near and left:  # after rows were added for the first time
            self.shortage = left.pop()
        return done

    monkeypatch.setattr(Sifted, "run", short)
    # The gap is so wide that nothing brings much of it.
    assert sifted.solve(10.0, 60.0, lambda bound: None)
    assert not left
    assert sifted.shortage <= 1e-6


@pytest.mark.parametrize("strategy", ["as_is", "integrated"])
def test_sifting_agrees_with_enumeration(strategy, monkeypatch):
    monkeypatch.setattr(method, "SIFT_FROM", -1)
    compared = 0
    for seed in (*range(18), 19, 20, 22, 23, 42):
        frames, truth = tiny_case(seed), COSTS[seed, strategy]
        result = scopt.solve(Case.from_frames(frames), strategy, gap=1e-6, time_limit=60)
        assert (result.cost is None) == (truth is None), seed
        if truth is not None:
            compared += 1
            slack = tolerance(frames) * max(1.0, abs(truth))
            assert result.cost == pytest.approx(truth, abs=slack), seed
            assert result.bound <= truth + slack, seed
    assert compared >= 10


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_keeps_the_best_design(depots, number, monkeypatch):
    monkeypatch.setattr(method, "SIFT_FROM", -1)
    seen = []

    def once_there_is_a_design(event):
        if event.incumbent is not None and not seen:
            seen.append(event)
            os.kill(os.getpid(), number)

    before = signal.getsignal(number)
    result = scopt.solve(depots, gap=0.0, time_limit=120, progress=once_there_is_a_design)
    assert seen
    assert result.status == "feasible"
    assert result.cost <= seen[0].incumbent
    assert result.checks["ok"].all()
    assert signal.getsignal(number) is before


@pytest.mark.parametrize("together", [1, 2, 3])
def test_a_dive_gets_past_decisions_that_leave_no_solution_together(together, monkeypatch):
    """Some of the sites that a dive opens exclude each other: it opens all but one of them."""
    model = scopt.build(depots_case(3), "integrated")
    sifted = Sifted(model, Scaled.of(model.compile()), Clock(60.0))
    assert sifted.solve(1e-6, 60.0, lambda bound: None)
    basis = sifted.basis()
    first = sifted.dive(60.0)
    sites = sifted.integer[(sifted.kind == "open_site") & (sifted.upper[sifted.integer] > 0)]
    loose = sites[(sifted.lower[sites] == 0) & (first[sites] > 0.5)]
    assert len(loose) >= together
    clash = np.searchsorted(sifted.integer, loose[:together])
    tries, one_by_one = [], Sifted._try

    def tried(self, lower, upper, end):
        found = one_by_one(self, lower, upper, end) and not (lower[clash] > 0.5).all()
        tries.append(found)
        return found

    monkeypatch.setattr(Sifted, "_try", tried)
    sifted.restore(basis)
    sifted.release()
    assert sifted.settle(1, 60.0)
    point = sifted.dive(60.0)
    assert not all(tries)
    assert point is not None
    whole = point[sifted.integer]
    assert np.abs(whole - np.rint(whole)).max() < 1e-6
    assert (whole[clash] < 0.5).any()


def solved_by_steps(case, monkeypatch, threads):
    """A case solved by steps, and in which order steps began and kernels beside them ended."""
    monkeypatch.setattr(method, "SIFT_FROM", -1)
    monkeypatch.setattr(sifting, "ASCEND_FROM", 1)
    seen = []
    around, ascend = Kernel.around, sifting.ascend

    def looked(kernel, relaxed, design, clock, **known):
        points = around(kernel, relaxed, design, clock, **known)
        seen.append("kernel")
        return points

    def stepped(sifted, *args):
        seen.append("steps")
        ascend(sifted, *args)

    monkeypatch.setattr(Kernel, "around", looked)
    monkeypatch.setattr(sifting, "ascend", stepped)
    return scopt.solve(case, gap=5e-4, time_limit=120, threads=threads), seen


@pytest.mark.parametrize(("threads", "quick"), [(1, True), (2, False), (2, True)])
def test_a_kernel_is_searched_beside_the_steps_of_a_refined_relaxation(threads, quick, monkeypatch):
    """Where there is a core for it, and the model is small."""
    case = depots_case(2, depots=10, shops=20)
    monkeypatch.setattr(method, "SIFT_FROM", 10**9)
    plain = scopt.solve(case, gap=5e-4, time_limit=120)
    monkeypatch.setattr(method, "QUICK", 10**9 if quick else 0)
    found, seen = solved_by_steps(case, monkeypatch, threads)
    assert seen.count("steps") > 1
    assert ("kernel" in seen) == (threads > 1 and quick)
    assert found.status == plain.status == "optimal"
    assert found.bound <= plain.cost * (1 + 1e-9)
    assert plain.bound <= found.cost * (1 + 1e-9)
    assert found.checks["ok"].all()


def test_steps_end_where_a_better_design_needs_no_more_of_a_bound(depots):
    sifted = sifted_of(depots)[0]
    asked = iter([np.inf, np.inf, *[-np.inf] * 99])
    start, end = np.zeros(len(sifted.dual)), sifted.clock.seconds + 60.0
    assert len(climb(sifted, start, 1e-4, end, lambda bound: None, lambda: next(asked)).routes) <= 1
    assert len(climb(sifted, start, 1e-4, end, lambda bound: None).routes) > 1


def test_products_in_a_search_take_one_thread(monkeypatch):
    """Others would be in the way of what runs side by side."""
    seen = []

    def look(search):
        seen.extend(one["num_threads"] for one in threadpool_info() if one["user_api"] == "blas")
        return run(search)

    run = Search._run
    monkeypatch.setattr(Search, "_run", look)
    before = [one["num_threads"] for one in threadpool_info()]
    scopt.solve(depots_case(2, depots=4, shops=6), gap=0.01, time_limit=60)
    assert set(seen) == {1}
    assert [one["num_threads"] for one in threadpool_info()] == before
