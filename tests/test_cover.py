"""Rows of capacity that has to be open: by hand, for every feasible set of sites, and without effect on cost."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import scopt
from scopt.case import Case
from scopt.network import LAST, SUPPLY
from scopt.search import method, sifting
from scopt.search.cover import _rows, covered
from scopt.search.solver import Clock, Scaled


def depots(capacities, demands, fill=None, **sheets):
    """One product from depots of given capacities straight to markets."""
    names = [f"D{i}" for i in range(len(capacities))]
    markets = [f"M{k}" for k in range(len(demands))]
    return Case.from_frames(
        {
            "products": [{"product": "tea"}],
            "sites": [
                {"site": d, "tier": "depot", "status": "candidate", "fixed_cost": 100 + 7 * i, "capacity": u}
                for i, (d, u) in enumerate(zip(names, capacities, strict=True))
            ],
            "supply": [{"site": d, "product": "tea"} for d in names],
            "markets": [{"market": m} for m in markets],
            "channels": [{"channel": "all"} if fill is None else {"channel": "all", "unmet_cost": 1, "min_fill": fill}],
            "demand": [
                {"market": m, "channel": "all", "product": "tea", "units": u}
                for m, u in zip(markets, demands, strict=True)
            ],
            "lanes": [
                {"origin": d, "destination": m, "status": "candidate", "unit_cost": 1 + (3 * i + 5 * k) % 7}
                for i, d in enumerate(names) for k, m in enumerate(markets)
            ],
        }
        | sheets
    )  # fmt: skip


def added(case, strategy="integrated"):
    """Rows that are added, as coefficients of the sites and right-hand side."""
    model = scopt.build(case, strategy)
    arrays = model.compile()
    more = covered(model, arrays)
    sites = [
        more.place[f"open_site[{site}]"]
        for site in model.chain.site_ids
        if f"open_site[{site}]" in more.place
    ]
    extra = more.matrix.toarray()[len(arrays.row_lower) :, sites]
    return extra, more.row_lower[len(arrays.row_lower) :]


def test_rows_by_hand():
    """Demand 100; of 60, 50 and 40 two are needed, in volume 60 z1 + 50 z2 + 40 z3 >= 100."""
    extra, low = added(depots([60, 50, 40], [30, 70]))
    assert sorted(zip(low.tolist(), extra.round(9).tolist(), strict=True)) == [
        (1.0, [0.6, 0.5, 0.4]),
        (2.0, [1.0, 1.0, 1.0]),
    ]


def test_only_what_has_to_be_served_counts():
    """Half of the demand may stay unmet: 50 have to be served, and one site of 60 or 50 does it."""
    extra, low = added(depots([60, 50, 40], [30, 70], fill=0.5))
    assert (low.tolist(), extra.round(9).tolist()) == ([1.0], [[1.0, 1.0, 0.8]])


def test_a_site_that_is_open_anyway_is_taken_off():
    case = depots([60, 50, 40], [30, 70])
    sites = case.tables["sites"]
    extra, low = added(case.replace(sites=sites.assign(status=["keep", "candidate", "candidate"])))
    assert (low.tolist(), extra[:, -2:].round(9).tolist()) == ([1.0], [[1.0, 1.0]])


def test_nothing_is_added_without_capacities_or_for_todays_chain():
    assert len(added(depots([None, None], [30, 70]))[1]) == 0
    assert len(added(depots([60, 50, 40], [30, 70], lanes=[
        {"origin": "D0", "destination": m, "status": "existing"} for m in ("M0", "M1")
    ]), "as_is")[1]) == 0  # fmt: skip


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.lists(st.integers(0, 90), min_size=1, max_size=7), st.integers(1, 200), st.data())
def test_every_set_of_sites_that_can_carry_the_demand_keeps_the_rows(capacity, needed, data):
    lower = np.array([data.draw(st.integers(0, 1)) for _ in capacity])
    upper = np.array([data.draw(st.integers(low, 1)) for low in lower.tolist()])
    sites, cap = np.arange(len(capacity)), np.minimum(np.array(capacity, float), needed)
    rows = list(_rows(sites, cap, float(needed), (lower, upper)))
    for on in product((0, 1), repeat=len(capacity)):
        z = np.array(on)
        if (z >= lower).all() and (z <= upper).all() and z @ np.array(capacity) >= needed:
            assert all(entry @ z >= least - 1e-9 for entry, least in rows)


@pytest.mark.parametrize("seed", range(6))
def test_cost_is_the_same_without_them(seed, monkeypatch):
    rng = np.random.default_rng(seed)
    case = depots(rng.integers(40, 90, 8).tolist(), rng.integers(5, 40, 9).tolist())
    with_rows = scopt.solve(case, gap=1e-7)
    monkeypatch.setattr(method, "covered", lambda model, arrays: arrays)
    assert with_rows.cost == pytest.approx(scopt.solve(case, gap=1e-7).cost, rel=1e-6)
    assert with_rows.bound == pytest.approx(with_rows.cost, rel=1e-6)


@pytest.mark.parametrize(("seed", "capacities", "eager"), [
    *((seed, True, 10**6) for seed in range(3)), *((seed, False, rows) for seed in range(3) for rows in (0, 10**6)),
])  # fmt: skip
def test_the_sifted_path_without_stock_agrees_with_the_plain_one(seed, capacities, eager, monkeypatch):
    rng = np.random.default_rng(seed)
    capacity = rng.integers(60, 120, 10) if capacities else np.full(10, np.nan)
    case = depots(capacity.tolist(), rng.integers(5, 30, 20).tolist())
    plain = scopt.solve(case, gap=1e-6)
    monkeypatch.setattr(method, "SIFT_FROM", -1)
    monkeypatch.setattr(sifting, "EAGER_ROWS", eager)
    monkeypatch.setattr(method.Search, "_branch", lambda *_: pytest.fail("the tree is ours"))
    sifted = scopt.solve(case, gap=1e-6)
    assert sifted.cost == pytest.approx(plain.cost, rel=1e-5)
    assert sifted.status == plain.status == "optimal"


def test_columns_without_support_are_closed():
    case = depots([np.nan] * 6, [10, 20, 30, 40])
    model = scopt.build(case)
    scaled = Scaled.of(model.compile())
    sifted = sifting.Sifted(model, scaled, Clock(60.0))
    assert sifted.solve(1e-9, 60.0, lambda bound: None)
    closed = sifted.unsupported(sifted.value)
    arrays, net, sites = scaled.arrays, model.network, model.chain.site_ids
    off = np.array([closed[arrays.place[f"open_site[{site}]"]] for site in sites])
    taken = np.array([sifted.value[arrays.place[f"open_site[{site}]"]] for site in sites])
    assert off.tolist() == (taken <= 1e-6).tolist()
    assert off.any()
    assert not off.all()
    supply = net.kind == SUPPLY
    assert closed[: net.size][supply].tolist() == off[net.site[supply]].tolist()


def test_a_model_without_stock_begins_with_the_strong_rows_of_its_first_columns(monkeypatch):
    case = depots([np.nan] * 6, [10, 20, 30, 40])
    model = scopt.build(case)
    monkeypatch.setattr(sifting, "MOST_ENDS", 1)
    monkeypatch.setattr(sifting, "EAGER_ROWS", 20)  # of 24
    sifted = sifting.Sifted(model, Scaled.of(model.compile()), Clock(60.0))
    columns = np.flatnonzero(sifted.inside[: sifted.n] & (model.network.kind == LAST))
    strong = np.flatnonzero(sifted.in_rows & sifted.scaled.arrays.lazy)
    assert 0 < len(columns) < 24
    assert len(strong) == len(columns)
    assert (sifted.flow_rows[strong][:, columns].sum(axis=0) > 0).all()
