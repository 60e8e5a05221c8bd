"""Rows on the tiers of tariffs: by hand, against all sets, for all designs, in the search; tiers in a dive."""

from itertools import combinations

import numpy as np
import pytest
from scipy.sparse import csr_array, vstack
from test_sifting import depots_case
from test_through import opened, routed, rows_of, solved_root, two_stages
from tiny_cases import tiny_case

import scopt
from scopt.case import Case
from scopt.search import method, sifting, tiers
from scopt.search.ascent import ascend
from scopt.search.root import Root
from scopt.search.sifting import Sifted
from scopt.search.solver import Clock, Lp, Scaled, solve_mip
from scopt.search.tiers import BROKEN, TierRows


def tariff_case(demand, depots=3, seed=0):
    """D0 and the operator of D1 (and of a lane to D2) have tariffs, and so has the lane P1>D2."""
    case = two_stages(2, depots, demand, seed)
    sites, lanes = case.tables["sites"], case.tables["lanes"]
    carried = (lanes["origin"] == "P0") & (lanes["destination"] == "D2")
    steps = [(0.0, 40.0, 3.0), (12.0, 50.0, 2.0), (25.0, 60.0, 1.0)]
    return case.replace(
        sites=sites.assign(operator=["Swift" if s == "D1" else "" for s in sites["site"]]),
        lanes=lanes.assign(operator=["Swift" if mine else "" for mine in carried]),
        operators=[{"operator": "Swift"}],
        rates=rates(["D0", "Swift", "P1>D2"], steps),
    )


def discount_case():
    """All depots cost by tiers that get much cheaper with volume."""
    case = two_stages(2, 4, np.random.default_rng(3).integers(3, 20, 12).tolist())
    steps = [(0.0, 20.0, 9.0), (20.0, 100.0, 4.0), (60.0, 250.0, 1.0)]
    return case.replace(rates=rates([f"D{i}" for i in range(4)], steps))


def rates(subjects, steps):
    return [
        {"subject": who, "from_units": at, "fixed_cost": fee, "unit_cost": unit, "behavior": "all_units"}
        for who in subjects
        for at, fee, unit in steps
    ]


def parts(case):
    model = scopt.build(case, "integrated")
    arrays = model.compile()
    return model, arrays, TierRows(model, arrays)


def tiered(arrays, point, subject, *share):
    for tier, part in enumerate(share):
        point[arrays.place[f"tier[{subject},{tier}]"]] = part
    return point


def test_a_row_by_hand():
    """D0 sends 10, 6 and 0.5 to three markets that want 10, 6 and 4; its widest tier is taken by a fifth.

    In the wide tier may go a fifth of what each wants, the rest needs the first tier, which ends at 12. The
    third market is sent less than its fifth and is left out: 16 <= 16 (y1 + y2) + 12 y0.
    """
    model, arrays, tiers = parts(tariff_case([10.0, 6.0, 4.0]))
    routes = [("P0", "D0", "M0", 10.0), ("P0", "D0", "M1", 6.0), ("P0", "D0", "M2", 0.5)]
    point = tiered(arrays, routed(model, arrays, routes), "D0", 0.8, 0.0, 0.2)
    (found,) = tiers.broken(point)
    (row,) = rows_of(tiers, [found], arrays).toarray()
    told = {arrays.decisions[j - arrays.flows].name: row[j] for j in np.flatnonzero(row) if j >= arrays.flows}
    assert told == {"tier[D0,0]": -12.0, "tier[D0,1]": -16.0, "tier[D0,2]": -16.0}
    to = {int(model.network.market[j]): row[j] for j in np.flatnonzero(row) if j < arrays.flows}
    assert to == {0: 1.0, 1: 1.0}
    assert row @ point == pytest.approx(16 - 0.2 * 16 - 0.8 * 12)
    assert tiers.broken(tiered(arrays, point, "D0", 0.0, 1.0, 0.0)) == []
    assert tiers.knows(found)
    assert not parts(two_stages(2, 3, [1.0]))[2].knows(found)


def drawn(rng, model, arrays, demand, plants, depots):
    routes = []
    for market, units in enumerate(demand):
        for share in rng.dirichlet(np.ones(3)).tolist():
            routes.append((f"P{rng.choice(plants)}", f"D{rng.choice(depots)}", f"M{market}", units * share))
    return routed(model, arrays, routes)


@pytest.mark.parametrize("seed", range(8))
def test_the_row_is_the_one_that_is_broken_most(seed):
    """Against all sets of markets and all tiers."""
    rng = np.random.default_rng(seed)
    demand = rng.integers(3, 20, 5).astype(float)
    model, arrays, tiers = parts(tariff_case(demand.tolist()))
    point = drawn(rng, model, arrays, demand, [0, 1], [0, 0, 1])
    share = rng.dirichlet(np.ones(3))
    tiered(arrays, point, "D0", *share)
    net = model.network
    sent = np.zeros(len(demand))
    mine = (net.site == model.chain.site_ids.get_loc("D0")) & (net.market >= 0)
    np.add.at(sent, net.market[mine], point[: net.size][mine])
    ends, most = np.array([12.0, 25.0]), 0.0
    for size in range(len(demand) + 1):
        for chosen in combinations(range(len(demand)), size):
            some = list(chosen)
            for t in (1, 2):
                over = sent[some].sum() - demand[some].sum() * share[t:].sum()
                most = max(most, over - ends[:t] @ share[:t])
    column = arrays.place["tier[D0,0]"]
    rows = [row for row in rows_of(tiers, tiers.broken(point), arrays).toarray() if row[column] != 0]
    if most > 1.1 * BROKEN * sent.sum():
        assert [row @ point for row in rows] == [pytest.approx(most)]
    elif most < 0.9 * BROKEN * sent.sum():
        assert rows == []


@pytest.mark.parametrize("seed", range(6))
def test_every_design_keeps_the_rows(seed):
    """Rows of a site, an operator and a pair of ends, found at mixed tiers, hold where one tier is taken."""
    rng = np.random.default_rng(seed)
    demand = rng.integers(3, 20, 5).astype(float)
    model, arrays, tiers = parts(tariff_case(demand.tolist()))
    rows, tariffs = [], set()
    for _ in range(200):
        plants, depots = rng.permutation(2)[: rng.integers(1, 3)], rng.permutation(3)[: rng.integers(1, 4)]
        point = drawn(rng, model, arrays, demand, plants, depots)
        for who in ("D0", "Swift", "P1>D2"):
            tiered(arrays, point, who, *rng.dirichlet(np.full(3, 0.5)))
        found = tiers.broken(point)
        tariffs |= {int(one[0]) for one in found}
        rows += list(rows_of(tiers, found, arrays).toarray())
    assert len(tariffs) == 3
    for _ in range(100):
        plants, depots = rng.permutation(2)[: rng.integers(1, 3)], rng.permutation(3)[: rng.integers(1, 4)]
        point = drawn(rng, model, arrays, demand, plants, depots)
        shut = {f"D{i}": 0.0 for i in range(3) if i not in depots}
        flows = model.load(arrays, opened(model, arrays, point, **shut))
        full = np.concatenate([flows, [var.value for var in arrays.decisions]])
        assert max(row @ full for row in rows) <= 1e-9


def test_the_relaxation_rises_and_stays_a_bound():
    case = discount_case()
    sifted, _ = solved_root(case)
    scaled = Scaled.of(sifted.model.compile())
    plain = Lp(scaled, None, Clock(60.0))
    weak = float(scaled.arrays.cost @ plain.solve()) + scaled.arrays.offset
    assert any(one[0] < 0 for one in sifted.sets)
    best = scopt.solve(case, gap=1e-7).cost
    assert weak + 0.1 * (best - weak) < sifted.best_bound <= best * (1 + 1e-9)


def test_steps_find_rows_before_any_linear_program():
    case = discount_case()
    model = scopt.build(case, "integrated")
    scaled = Scaled.of(model.compile())
    weak = Lp(scaled, None, Clock(60.0))
    least = float(scaled.arrays.cost @ weak.solve()) + scaled.arrays.offset
    sifted = Sifted(model, scaled, Clock(60.0))
    ascend(sifted, np.zeros(len(sifted.dual)), 1e-4, 60.0, lambda bound: None, lambda: np.inf)
    best = scopt.solve(case, gap=1e-7).cost
    assert not sifted.solved
    assert least + 0.05 * (best - least) < sifted.best_bound <= best * (1 + 1e-9)
    assert sifted.bound(sifted.center) == pytest.approx(sifted.best_bound, rel=1e-9)
    # The linear program begins with them, and none is there twice.
    count = len(sifted.sets)
    assert count > 0
    assert all(one[0] < 0 for one in sifted.sets)
    assert sifted.in_rows[-count:].all()
    assert sifted.add_sets(list(sifted.sets)) == 0
    kinds = "decision_rows", "decision_columns", "flow_rows", "flow_columns"
    grown = [getattr(sifted, kind) for kind in kinds]
    found = csr_array(sifted.scaled.matrix[-count:])
    fresh = Sifted(model, scaled, Clock(60.0))
    for kind, matrix in zip(kinds, grown, strict=True):
        part = slice(sifted.n, None) if kind.startswith("decision") else slice(sifted.n)
        whole = vstack([getattr(fresh, kind), found[:, part]])
        assert matrix.shape == whole.shape
        assert abs(matrix - whole).sum() == 0
        assert matrix.has_sorted_indices
    assert len(sifted.lean.row) == len(sifted.scaled.arrays.row_lower) == len(sifted.in_rows)
    for name in ("row", "row_lower", "row_upper"):
        assert (getattr(sifted.lean, name)[-count:] == getattr(sifted.scaled, name)[-count:]).all()
    assert len(sifted.sets) == len({one.tobytes() for one in sifted.sets}) == count


def test_sets_are_handed_on_with_the_tiers_of_whoever_takes_them():
    case = discount_case()
    first, _ = solved_root(case)
    root = Root.of(first)
    again, begun = solved_root(case, Root.from_plain(root.plain()))
    assert 0 < begun == len(again.sets)  # nothing was left to be found
    assert again.best_bound == pytest.approx(first.best_bound, rel=1e-9)
    price_list = case.tables["rates"]
    wider = case.replace(rates=price_list.assign(from_units=1.5 * price_list["from_units"]))
    other, begun = solved_root(wider, root)
    assert begun == len(root.counts)
    assert other.best_bound == pytest.approx(solved_root(wider)[0].best_bound, rel=1e-3)


def test_a_dive_takes_the_tier_that_holds_the_volume():
    """Most of the value may lie on the narrow tier while all of the volume is in the wide one."""
    case = tariff_case([10.0, 6.0, 14.0])
    model = scopt.build(case, "integrated")
    arrays = model.compile()
    sifted = Sifted(model, Scaled.of(arrays), Clock(60.0))
    point = np.zeros(len(arrays.cost))
    tiered(arrays, point, "D0", 0.7, 0.0, 0.3)
    tiered(arrays, point, "Swift", 0.1, 0.1, 0.1)
    place = arrays.place
    point[[place["tier_volume[D0,0]"], place["tier_volume[D0,2]"]]] = 3.0, 20.0
    sifted.value = point / sifted.scaled.column
    told = dict(zip(sifted.integer.tolist(), sifted._settled().tolist(), strict=True))
    assert [told[place[f"tier[D0,{t}]"]] for t in range(3)] == [0.0, 1.0, 0.0]
    assert [told[place[f"tier[Swift,{t}]"]] for t in range(3)] == pytest.approx([0.1, 0.1, 0.1])
    sifted.upper[place["tier[D0,1]"]] = 0.0  # a part of the tree in which it is not taken
    told = dict(zip(sifted.integer.tolist(), sifted._settled().tolist(), strict=True))
    assert [told[place[f"tier[D0,{t}]"]] for t in range(3)] == pytest.approx([0.7, 0.0, 0.3])


def test_rows_hold_in_networks_with_times_and_stock(monkeypatch):
    """The optimum of small cases of all kinds is the same with them, however little they are broken."""
    monkeypatch.setattr(tiers, "BROKEN", 1e-4)
    found = 0
    for seed in range(160):
        frames = tiny_case(seed)
        if not len(frames.get("rates", ())):
            continue
        model = scopt.build(Case.from_frames(frames), "integrated")
        scaled = Scaled.of(model.compile())
        sifted = Sifted(model, scaled, Clock(60.0))
        if not sifted.solve(1e-9, 60.0, lambda bound: None) or not any(one[0] < 0 for one in sifted.sets):
            continue
        found += 1
        plain, more = (
            solve_mip(one, np.ones(len(one.row), bool), Clock(60.0), gap=1e-8)
            for one in (scaled, sifted.scaled)
        )
        assert more.status == plain.status
        assert plain.status == "infeasible" or more.bound == pytest.approx(plain.bound, rel=1e-6)
    assert found >= 2


@pytest.mark.parametrize("steps_first", [False, True])
def test_a_search_with_them_agrees_with_the_plain_path(steps_first, monkeypatch):
    monkeypatch.setattr(sifting, "ASCEND_FROM", 1 if steps_first else 10**6)
    steps = [(0.0, 1000.0, 3.0), (1500.0, 2500.0, 2.0), (4000.0, 6500.0, 1.0)]
    case = depots_case(1, depots=5, shops=12, products=1, rates=rates([f"D{i}" for i in range(5)], steps))
    plain = scopt.solve(case, gap=1e-3)
    found: list[int] = []
    add_sets = Sifted.add_sets

    def counted(self, sets):
        found.append(add_sets(self, sets))
        return found[-1]

    monkeypatch.setattr(Sifted, "add_sets", counted)
    monkeypatch.setattr(method, "SIFT_FROM", -1)
    sifted = scopt.solve(case, gap=1e-3)
    assert sum(found) > 0
    assert plain.status == sifted.status == "optimal"
    assert sifted.cost == pytest.approx(plain.cost, rel=1e-3)
    assert max(plain.bound, sifted.bound) <= min(plain.cost, sifted.cost) * (1 + 1e-6)
