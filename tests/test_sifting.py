"""The sifted relaxation and its branch and bound against the plain solver."""

import csv
import os
import signal
from pathlib import Path

import numpy as np
import pytest
from tiny_cases import tiny_case

import scopt
from scopt.case import Case
from scopt.search import method
from scopt.search.sifting import Sifted
from scopt.search.solver import Clock, Lp, Scaled

STORED = Path(__file__).with_name("enumerated.csv").read_text().splitlines()
COSTS = {(int(row["seed"]), row["strategy"]): row["cost"] for row in csv.DictReader(STORED)}


def depots_case(seed, depots=14, shops=30, products=2):
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
            "stock": "optional", "stock_cost": 200.0, "o2o": "optional", "o2o_cost": 300.0,
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
        }
    )  # fmt: skip


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


def test_a_basis_moves_between_copies(depots):
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


@pytest.mark.parametrize("threads", [1, 2])
def test_branching_agrees_with_the_plain_solver(depots, threads, monkeypatch):
    monkeypatch.setattr(method, "SIFT_FROM", 10**9)
    plain = scopt.solve(depots, gap=5e-4, time_limit=120)
    monkeypatch.setattr(method, "SIFT_FROM", -1)
    branched = scopt.solve(depots, gap=5e-4, time_limit=120, threads=threads)
    assert plain.status == branched.status == "optimal"
    assert branched.bound <= plain.cost * (1 + 1e-9)
    assert plain.bound <= branched.cost * (1 + 1e-9)
    assert branched.checks["ok"].all()


def test_branching_is_repeatable(depots, monkeypatch):
    monkeypatch.setattr(method, "SIFT_FROM", -1)
    first, second = (scopt.solve(depots, gap=2e-3, time_limit=120, threads=2) for _ in range(2))
    assert (first.cost, first.bound) == (second.cost, second.bound)


@pytest.mark.parametrize("strategy", ["as_is", "integrated"])
def test_sifting_agrees_with_enumeration(strategy, monkeypatch):
    monkeypatch.setattr(method, "SIFT_FROM", -1)
    for seed in (*range(1, 18), 19, 20, 22, 23):
        truth = COSTS[seed, strategy]
        result = scopt.solve(Case.from_frames(tiny_case(seed)), strategy, gap=1e-5, time_limit=60)
        assert (result.cost is None) == (truth == ""), seed
        if truth:
            assert result.cost == pytest.approx(float(truth), rel=1e-4), seed
            assert result.bound <= float(truth) * (1 + 1e-4), seed


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
