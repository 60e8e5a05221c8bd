"""Rows on what goes through a site to a market: by hand, against all sets, for all designs, and in the search."""

from itertools import chain, combinations

import numpy as np
import pytest
from tiny_cases import tiny_case

import scopt
from scopt.case import Case
from scopt.network import LANE, LAST, SUPPLY
from scopt.search import method
from scopt.search.kernel import Kernel
from scopt.search.root import Root
from scopt.search.rows import stacked
from scopt.search.sifting import FOUND, Sifted
from scopt.search.solver import Clock, Lp, Scaled, solve_mip
from scopt.search.through import Through


def two_stages(plants, depots, demand, seed=0, fixed=100.0):
    """One product from plants by depots to markets; every lane there is."""
    rng = np.random.default_rng(seed)
    p, d = [f"P{i}" for i in range(plants)], [f"D{j}" for j in range(depots)]
    m = [f"M{k}" for k in range(len(demand))]
    lane = {"status": "candidate"}
    return Case.from_frames(
        {
            "products": [{"product": "tea"}],
            "sites": [
                {"site": s, "tier": s[0], "status": "candidate", "fixed_cost": float(rng.uniform(0.5, 1.5) * fixed)}
                for s in p + d
            ],
            "supply": [{"site": s, "product": "tea"} for s in p],
            "markets": [{"market": k} for k in m],
            "channels": [{"channel": "all"}],
            "demand": [
                {"market": k, "channel": "all", "product": "tea", "units": u}
                for k, u in zip(m, demand, strict=True)
            ],
            "lanes": [
                {"origin": o, "destination": e, "unit_cost": float(rng.uniform(1, 9)), **lane}
                for o, e in chain(((o, e) for o in p for e in d), ((o, e) for o in d for e in m))
            ],
        }
    )  # fmt: skip


def parts(case):
    model = scopt.build(case, "integrated")
    arrays = model.compile()
    return model, arrays, Through(model, arrays, 1000 + np.arange(model.network.size))


def routed(model, arrays, routes):
    """Point of (plant, depot, market, units), all flows; decisions are 0."""
    net, sites = model.network, model.chain.site_ids.tolist()
    point = np.zeros(len(arrays.cost))
    for plant, depot, market, units in routes:
        i, j, k = sites.index(plant), sites.index(depot), int(market[1:])
        for mine in (
            (net.kind == SUPPLY) & (net.site == i),
            (net.kind == LANE) & (net.site == i) & (net.to_site == j),
            (net.kind == LAST) & (net.site == j) & (net.market == k),
        ):
            point[np.flatnonzero(mine)[0]] += units
    return point


def rows_of(kind, sets, arrays):
    """Matrix of the rows of sets that were found."""
    return stacked([kind.row(one) for one in sets], len(arrays.cost))


def opened(model, arrays, point, **share):
    for site in model.chain.site_ids:
        point[arrays.place[f"open_site[{site}]"]] = share.get(site, 1.0)
    return point


def test_a_row_by_hand():
    """P0 is half open and sends 12 by D0, all to M0 (10 wanted) but for 2: to M0 no more than 5 may go.

    What D0 gives M1 does not count against P0: 12 <= x(D0, M1) + 10 z.
    """
    model, arrays, through = parts(two_stages(2, 2, [10.0, 6.0]))
    point = routed(
        model, arrays, [("P0", "D0", "M0", 10.0), ("P0", "D0", "M1", 2.0), ("P1", "D1", "M1", 4.0)]
    )
    rows = rows_of(through, through.broken(opened(model, arrays, point, P0=0.5)), arrays)
    names, net = model.chain.site_ids, model.network
    assert rows.shape[0] == 1
    told = {}
    for column, entry in zip(rows.indices.tolist(), rows.data.tolist(), strict=True):
        if column >= net.size:
            told["z"] = entry
        else:
            end = names[net.to_site[column]] if net.kind[column] == LANE else f"M{net.market[column]}"
            told[names[net.site[column]], end] = entry
    assert told == {("P0", "D0"): 1.0, ("D0", "M1"): -1.0, "z": -10.0}
    assert rows @ point == pytest.approx([12 - 2 - 10 * 0.5])
    assert through.broken(opened(model, arrays, point, P0=1.0)) == []


def test_a_site_that_is_open_enough_breaks_nothing():
    model, arrays, through = parts(two_stages(2, 2, [10.0, 6.0]))
    even = [
        (p, d, m, u / 4) for p in ("P0", "P1") for d in ("D0", "D1") for m, u in (("M0", 10.0), ("M1", 6.0))
    ]
    assert through.broken(opened(model, arrays, routed(model, arrays, even), P0=0.5, P1=0.5)) == []
    assert through.broken(opened(model, arrays, routed(model, arrays, even), P0=0.4, P1=0.6))


def random_routes(rng, plants, depots, demand):
    out = []
    for k, units in enumerate(demand):
        share = rng.dirichlet(np.full(4, 0.5))
        out += [
            (f"P{rng.choice(plants)}", f"D{rng.choice(depots)}", f"M{k}", float(units * part))
            for part in share
        ]
    return out


@pytest.mark.parametrize("seed", range(12))
def test_the_row_is_the_one_that_is_broken_most(seed):
    """Against all sets of depots and markets."""
    rng = np.random.default_rng(seed)
    demand = rng.integers(5, 30, 4).astype(float)
    model, arrays, through = parts(two_stages(2, 3, demand))
    point = routed(model, arrays, random_routes(rng, 2, 3, demand))
    share = dict(zip(("P0", "P1"), rng.uniform(0.1, 0.9, 2).tolist(), strict=True))
    opened(model, arrays, point, **share)
    net, sites = model.network, model.chain.site_ids.tolist()
    flow = point[: net.size]
    for plant, z in share.items():
        most = 0.0
        for size in range(8):
            for near in combinations([*"ABC", *range(4)], size):
                depots = np.array(
                    [sites.index(f"D{'ABC'.index(x)}") for x in near if isinstance(x, str)], int
                )
                markets = np.array([x for x in near if not isinstance(x, str)], int)
                into = (net.kind == LANE) & (net.site == sites.index(plant)) & np.isin(net.to_site, depots)
                leave = (net.kind == LAST) & np.isin(net.site, depots) & ~np.isin(net.market, markets)
                most = max(most, flow[into].sum() - flow[leave].sum() - z * demand[markets].sum())
        rows = rows_of(through, through.broken(point), arrays)
        column = arrays.place[f"open_site[{plant}]"]
        mine = [row for row in rows.toarray() if row[column] != 0]
        total = flow[(net.kind == LANE) & (net.site == sites.index(plant))].sum()
        if most > 2e-4 * total:
            assert len(mine) == 1
            assert mine[0] @ point == pytest.approx(most, rel=1e-6)
        else:
            assert mine == []


@pytest.mark.parametrize("seed", range(6))
def test_every_design_keeps_the_rows(seed):
    rng = np.random.default_rng(seed)
    demand = rng.integers(5, 30, 5).astype(float)
    model, arrays, through = parts(two_stages(3, 3, demand))
    rows = []
    for _ in range(20):
        point = routed(model, arrays, random_routes(rng, 3, 3, demand))
        share = {f"P{i}": float(z) for i, z in enumerate(rng.uniform(0.1, 0.9, 3))}
        found = through.broken(opened(model, arrays, point, **share))
        rows += list(rows_of(through, found, arrays).toarray())
    assert rows
    for _ in range(100):
        plants = rng.permutation(3)[: rng.integers(1, 4)]
        depots = rng.permutation(3)[: rng.integers(1, 4)]
        point = routed(model, arrays, random_routes(rng, plants, depots, demand))
        shut = {f"P{i}": 0.0 for i in range(3) if i not in plants}
        shut |= {f"D{i}": 0.0 for i in range(3) if i not in depots}
        opened(model, arrays, point, **shut)
        assert max(row @ point for row in rows) <= 1e-9


def test_the_relaxation_of_two_stages_rises_and_stays_a_bound(monkeypatch):
    rng = np.random.default_rng(4)
    case = two_stages(8, 8, rng.integers(5, 30, 20).tolist(), fixed=150.0)
    model = scopt.build(case, "integrated")
    scaled = Scaled.of(model.compile())
    plain = Lp(scaled, None, Clock(60.0))
    weak = float(scaled.arrays.cost @ plain.solve()) + scaled.arrays.offset
    sifted = Sifted(model, scaled, Clock(60.0))
    assert sifted.solve(1e-9, 60.0, lambda bound: None)
    assert sum(count for name, count in sifted.scaled.arrays.row_blocks if name == FOUND) > 0
    assert len(sifted.in_rows) == len(sifted.scaled.row) == sifted.flow_rows.shape[0]
    best = scopt.solve(case, gap=1e-7).cost
    assert weak + 0.5 * (best - weak) < sifted.best_bound <= best * (1 + 1e-9)
    monkeypatch.setattr(method, "SIFT_FROM", -1)
    found = scopt.solve(case, gap=1e-6)
    assert found.status == "optimal"
    assert found.cost == pytest.approx(best, rel=1e-6)


def solved_root(case, known=None):
    model = scopt.build(case, "integrated")
    sifted = Sifted(model, Scaled.of(model.compile()), Clock(60.0))
    if known is not None:
        known.lead(sifted)
    begun = len(sifted.sets)
    assert sifted.solve(1e-9, 60.0, lambda bound: None)
    return sifted, begun


def test_sets_are_handed_on_with_the_demand_of_whoever_takes_them():
    demand = np.random.default_rng(4).integers(5, 30, 20)
    case = two_stages(8, 8, demand.tolist(), fixed=150.0)
    first, begun = solved_root(case)
    assert begun == 0 < len(first.sets)
    root = Root.of(first)
    again, begun = solved_root(case, Root.from_plain(root.plain()))
    assert 0 < begun == len(again.sets) <= len(first.sets)  # nothing was left to be found
    assert again.best_bound == pytest.approx(first.best_bound, rel=1e-9)
    more = case.replace(demand=case.tables["demand"].assign(units=2.0 * demand))
    other, begun = solved_root(more, root)
    assert begun == len(root.counts)
    twice, once = (
        rows_of(s.through, first.sets, s.scaled.arrays)[:, s.scaled.arrays.flows :].sum(axis=1)
        for s in (other, first)
    )
    assert twice == pytest.approx(2 * once)
    assert other.best_bound == pytest.approx(solved_root(more)[0].best_bound, rel=1e-3)


def test_a_site_that_cannot_close_takes_no_sets():
    case = two_stages(8, 8, np.random.default_rng(4).integers(5, 30, 20).tolist(), fixed=150.0)
    first, _ = solved_root(case)
    sites = case.tables["sites"]
    kept = case.replace(
        sites=sites.assign(status=["keep" if s[0] == "P" else "candidate" for s in sites["site"]])
    )
    assert first.sets
    model = scopt.build(kept, "integrated")
    sifted = Sifted(model, Scaled.of(model.compile()), Clock(60.0))
    assert sifted.add_sets(first.sets) == 0 == len(sifted.sets)


def test_rows_hold_in_networks_with_times_and_stock():
    """Where they are not asked for by default: the optimum is the same with them."""
    found = 0
    for seed in range(30, 60):
        model = scopt.build(Case.from_frames(tiny_case(seed)), "integrated")
        scaled = Scaled.of(model.compile())
        sifted = Sifted(model, scaled, Clock(60.0))
        sifted.stocked = False
        if not sifted.solve(1e-9, 60.0, lambda bound: None) or not sifted.sets:
            continue
        found += 1
        assert len(Kernel.of(sifted).scaled.row) >= sifted.in_rows.sum() - len(sifted.sets)
        plain, more = (
            solve_mip(one, np.ones(len(one.row), bool), Clock(60.0), gap=1e-8)
            for one in (scaled, sifted.scaled)
        )
        assert more.status == plain.status
        assert plain.status == "infeasible" or more.bound == pytest.approx(plain.bound, rel=1e-6)
    assert found >= 5


def test_sites_that_serve_markets_alone_are_left_to_their_links():
    model, arrays, through = parts(two_stages(1, 2, [10.0, 6.0]))
    point = routed(model, arrays, [("P0", "D0", "M0", 10.0), ("P0", "D1", "M1", 6.0)])
    assert through.broken(opened(model, arrays, point, D0=0.5, D1=0.5)) == []
    assert through.broken(opened(model, arrays, point, D0=0.5, D1=0.5, P0=0.5))
