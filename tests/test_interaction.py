"""Levers alone, one after another and together: what is compared is consistent, whatever was shared."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from tiny_cases import tiny_case

import scopt
from scopt.batch import executor_for, run
from scopt.case import ORDER, Case, Decided, each_lever_alone
from scopt.chain import Chain
from scopt.interaction import FROZEN, Interaction, names_alone, step_names, tasks_of
from scopt.kinship import in_order
from scopt.solved import search
from scopt.solving import options_for

CASES = Path(__file__).resolve().parent.parent / "cases"
GAP = 1e-6
TINY = [0, 8, 12, 20, 24]


def agree(cost, other):
    """Two costs proven within the gap are the same, or neither exists."""
    if cost is None or other is None:
        return cost is other
    return cost == pytest.approx(other, rel=2 * GAP, abs=1e-3)


def chains(case):
    """Every strategy and the chain it allows, by name; as-is apart."""
    named = case.strategies | each_lever_alone()
    return {name: Chain(case, one) for name, one in named.items() if not one.measured}


@pytest.mark.slow
@pytest.mark.parametrize("seed", TINY)
def test_costs_of_a_comparison_are_those_of_single_solves(seed):
    case = Case.from_frames(tiny_case(seed))
    found = scopt.compare(case, gap=GAP, sequence=ORDER, jobs=1)
    for name, result in found.results.items():
        single = scopt.solve(case, name, gap=GAP)
        assert result.status == single.status
        assert agree(result.cost, single.cost), name
        assert agree(result.saving, single.saving), name
        assert result.cost is None or result.checks["ok"].all()
    wide = chains(case)
    cost = {name: result.cost for name, result in found.results.items()}
    for one, other in itertools.permutations(set(wide) & set(cost), 2):
        if wide[one].allows_all_of(wide[other]) and cost[other] is not None:
            assert cost[one] is not None
            assert cost[one] <= cost[other] * (1 + 2 * GAP) + 1e-3
    told = found.interaction
    steps = [cost for cost in told.steps.values() if cost is not None]
    assert all(after <= before * (1 + 2 * GAP) + 1e-3 for before, after in itertools.pairwise(steps))
    if steps:
        assert told.joint <= steps[-1] * (1 + 2 * GAP) + 1e-3


@pytest.mark.slow
def test_small_by_eight_strategies():
    """Each costs what a solve of its own finds; a lever that is switched on never makes the chain dearer."""
    case = scopt.read_case(CASES / "small.xlsx")
    alone = [
        {"strategy": f"only_{on}"} | {lever: "yes" if lever == on else "no" for lever in ORDER}
        for on in ORDER
    ]
    busier = {
        "strategy": "busier",
        "sheet": "demand",
        "column": "units",
        "operation": "multiply",
        "value": 1.2,
    }
    case = case.replace(strategies=[*alone, {"strategy": "busier"}], changes=[busier])
    found = scopt.compare(case, gap=GAP, jobs=1)
    assert len(found.results) == 9
    cost = {name: result.cost for name, result in found.results.items()}
    for name in cost:
        assert agree(cost[name], scopt.solve(case, name, gap=GAP).cost), name
    assert all(cost[f"only_{lever}"] <= cost["as_is"] * (1 + GAP) for lever in ORDER)
    assert all(cost["integrated"] <= cost[f"only_{lever}"] * (1 + GAP) for lever in ORDER)


def test_small_decided_one_after_another():
    """With Swift's hub decided before stock may move there, its pools are never joined (see test_cases)."""
    case = scopt.read_case(CASES / "small.xlsx")
    found = scopt.compare(case, [], gap=GAP, sequence=["remove", "outsource", "o2o", "restock"], jobs=1)
    told = found.interaction
    table, summary = told.table.set_index("lever"), told.summary.set_index("figure")["value"]
    assert list(table.index) == ["remove", "outsource", "o2o", "restock", "add", "direct"]
    assert table.loc["remove", "alone"] == pytest.approx(0, abs=3)
    assert table.loc["o2o", "step"] == pytest.approx(0, abs=3)
    assert table.loc["restock", "sequence"] == pytest.approx(summary["sequential saving"])
    assert table["step"].iloc[:4].sum() == pytest.approx(summary["sequential saving"])
    assert table.loc[["add", "direct"], ["step", "sequence"]].isna().all(axis=None)
    assert summary["joint saving"] == pytest.approx(found.results["integrated"].saving, abs=3)
    assert summary["interaction"] == pytest.approx(summary["joint saving"] - table["alone"].sum())
    gain = summary["gain of deciding jointly"]
    assert gain == pytest.approx(summary["joint saving"] - summary["sequential saving"])
    assert gain > 100_000


def test_what_was_decided_stays_while_the_next_lever_moves():
    case = scopt.read_case(CASES / "small.xlsx")
    options, order = options_for(case, gap=GAP), ("outsource", "restock", "remove", "o2o", "direct", "add")
    executor = executor_for(1)
    tasks = in_order(tasks_of(case, options, order, []), executor)
    found = run([task for task in tasks if task.name != FROZEN], executor)
    names = step_names(order, names_alone(case, []))
    opens = [
        set(sites.loc[sites["after"] == "open", "site"])
        for name in names
        if len(sites := found[name].tables["sites"])
    ]
    outside = set(case.sites.loc[case.sites["operator"] != "", "site"])
    assert all(now & outside == opens[0] & outside for now in opens)  # operators are decided first
    today = set(case.sites.loc[case.sites["status"].isin(["keep", "existing"]), "site"])
    removed = today - opens[2]
    assert removed
    assert all(not now & removed for now in opens[2:])
    points = [
        set(zip(t["site"], t["product"], strict=True)) for t in (found[n].tables["stock"] for n in names)
    ]
    assert all(now <= points[1] for now in points[2:])


def test_a_site_kept_by_the_first_step_may_still_be_taken_over(make_chain):
    """The depot is worth keeping to us; the operator at its place is cheaper still, and only then may come."""
    sites = [
        {"site": "P", "tier": "plant", "status": "keep"},
        {"site": "D", "tier": "depot", "status": "existing", "fixed_cost": 50.0, "unit_cost": 1.0},
        {"site": "D3", "place": "D", "operator": "3PL", "status": "candidate", "unit_cost": 0.5},
        {"site": "S", "tier": "shop", "status": "keep", "stock": "must"},
    ]
    more = [
        {"origin": "P", "destination": "D3", "unit_cost": 2.0, "status": "candidate"},
        {"origin": "D3", "destination": "S", "unit_cost": 2.0, "status": "candidate"},
    ]
    lanes = [
        {"origin": "P", "destination": "D", "unit_cost": 2.0},
        {"origin": "D", "destination": "S", "unit_cost": 2.0},
        {"origin": "S", "destination": "M"},
    ]
    case = make_chain(sites=sites, operators=[{"operator": "3PL"}], lanes=[*lanes, *more])
    found = scopt.compare(case, [], sequence=["remove", "outsource"], gap=GAP, jobs=1)
    assert found.interaction.table["step"].tolist()[:2] == pytest.approx([0.0, 100.0])
    removed = replace(
        case.strategies["integrated"],
        decided=Decided(levers=frozenset(["remove"]), open_sites=frozenset("PS")),
    )
    chain = Chain(case, removed)
    assert dict(zip(chain.site_ids, chain.bounds[1].tolist(), strict=True)) == {
        "P": 1,
        "D": 0,
        "D3": 1,
        "S": 1,
    }


def test_decisions_of_each_lever_are_frozen():
    case = scopt.read_case(CASES / "small.xlsx")
    free = Chain(case, case.strategies["integrated"])
    tables = search(case, "integrated", options_for(case)).tables
    for lever in ORDER:
        decided = Decided.of(tables, [lever])
        held = Chain(case, replace(case.strategies["integrated"], decided=decided))
        assert free.allows_all_of(held)
        assert free.allows_all_of(free)
        assert held.allows_all_of(held)
        found = search(case, held.strategy, options_for(case, gap=GAP))
        again = Decided.of(found.tables, ORDER)
        if lever == "o2o":
            assert again.joined == decided.joined
        if lever == "remove":
            today = frozenset(case.sites.loc[case.sites["status"] != "candidate", "site"])
            assert again.open_sites & today == decided.open_sites & today
        assert found.cost == pytest.approx(1305819.433, abs=2)


def test_interaction_without_some_designs_leaves_figures_blank():
    told = Interaction(100.0, 60.0, {"remove": None, "add": 90.0}, {"add": 90.0, "remove": None})
    assert told.table["alone"].isna().tolist() == [False, True]
    summary = told.summary.set_index("figure")["value"]
    assert summary["joint saving"] == 40
    assert pd.isna(summary["sum of single savings"])
    assert pd.isna(summary["gain of deciding jointly"])
