"""Impossible cases: the true cause is told first, and relaxing as told gives a design."""

import json
import shutil

import openpyxl
import pandas as pd
import pytest
from case_frames import case as clean_case
from case_frames import sheets as clean_sheets
from impossible import CASES, ONE_CAUSE, TWO_CAUSES, edit, fast_online, few_site_days, limit, small_shop
from test_enumeration import COSTS
from tiny_cases import tiny_case

import scopt
from scopt.case import Case
from scopt.chain import Chain
from scopt.diagnosis.diagnose import diagnose
from scopt.diagnosis.facts import Fastest, find_facts
from scopt.diagnosis.rules import Relaxation, relaxed_case, round_outward
from scopt.search import method
from scopt.search.solver import Clock

SMALL = {name: one for name, one in (ONE_CAUSE | TWO_CAUSES).items() if one.base == "small"}


@pytest.fixture(scope="module")
def small():
    return scopt.read_case(CASES / "small.xlsx")


def least(result):
    """Rules of the least relaxation, in the order in which they are told."""
    told = result.diagnosis
    return told.loc[told["option"] == 1, "rule"].tolist()


@pytest.mark.parametrize("name", SMALL)
def test_the_true_cause_is_told_first_and_relaxing_it_helps(name):
    spoiled = SMALL[name]
    relaxed = scopt.solve(spoiled.make(), relax=True, gap=0.01)
    first = least(relaxed)[: len(spoiled.causes)]
    for cause in spoiled.causes:
        assert cause & set(first), first
    assert relaxed.status == "optimal"
    assert relaxed.checks["ok"].all()
    assert relaxed.messages[0].startswith("the case has no design as it stands; this one needs: ")


def test_twenty_cases_of_ten_kinds_and_five_with_two_causes():
    assert len(ONE_CAUSE) == 20
    assert len({one.kind for one in ONE_CAUSE.values()}) == 10
    assert len(TWO_CAUSES) == 5
    assert all(len(one.causes) == 2 for one in TWO_CAUSES.values())


def test_numbers_are_told_in_business_words(small):
    messages = scopt.solve(fast_online(small)).messages
    assert messages[:3] == (
        "online demand of Nanjing (and that of 3 more markets) cannot be met in 1 day: the fastest route, "
        "from Swift hub, takes 2 days",
        "least relaxation that gives a design: relax response_days of online (channels) from 1 to 2",
        "or: relax on_time_share of online (channels) from 1 to 0",
    )
    short = scopt.solve(small_shop(small)).messages
    assert short[0].endswith("relax capacity of Shop Nanjing (sites) from 20,000 to 23,040")


def test_a_little_less_than_told_is_not_enough(small):
    """Shop Nanjing needs the 14,400 + 8,640 units of its two markets, and not one less."""
    assert scopt.solve(edit(small, "sites", {"site": "Shop Nanjing"}, capacity=23_040.0)).status == "optimal"
    assert (
        scopt.solve(edit(small, "sites", {"site": "Shop Nanjing"}, capacity=23_039.0)).status == "infeasible"
    )


def test_equally_small_relaxations_are_told_together(small):
    closed = edit(small, "sites", {"site": "Agent"}, status="close")
    messages = scopt.solve(limit(closed, limit="nobody goes", measure="closures", max=0.0)).messages
    assert messages[0].endswith("relax status of Agent (sites) from close to existing")
    assert messages[1] == "equally small: relax max of nobody goes (limits) from 0 to 1"


def test_a_cause_that_lies_only_in_whole_numbers(small):
    """Half a hub would do: 1.5 hubs carry all, but the limit allows one."""
    case = edit(small, "sites", {"site": ["Own hub", "Swift hub"]}, capacity=30_000.0)
    case = edit(case, "sites", {"site": "Brand warehouse"}, status="close")
    case = limit(case, limit="one hub", measure="sites", tier="hub", max=1.6)
    told = scopt.solve(case)
    assert told.status == "infeasible"
    assert ("limits", "max", 1.6, 2.0) in set(
        told.diagnosis[["sheet", "column", "from", "to"]].itertuples(index=False, name=None)
    )


def test_stock_days_hold_with_the_root_itself(small):
    """Under the told ceiling a design exists whose days keep it; a twentieth less has none."""
    result = scopt.solve(few_site_days(small))
    [told] = result.diagnosis.query("option == 1").to_dict("records")
    kept = scopt.solve(edit(small, "products", {"product": "tea carton"}, max_site_days=told["to"]))
    assert kept.status == "optimal"
    assert kept.stock["stock_days"].max() <= told["to"] * (1 + 1e-6)
    tighter = edit(small, "products", {"product": "tea carton"}, max_site_days=0.95 * told["to"])
    assert scopt.solve(tighter).cost is None


def test_an_own_rule_is_named(small):
    def impossible(model):
        m = model.pyomo
        m.open_both = scopt_constraint(m.open_site["Own hub"] + m.open_site["Swift hub"] >= 2)
        m.open_few = scopt_constraint(m.open_site["Own hub"] + m.open_site["Swift hub"] <= 1)

    result = scopt.solve(small, extend=impossible)
    assert result.status == "infeasible"
    assert least(result) == ["own_rule_min"] or least(result) == ["own_rule_max"]
    assert any("open_both" in message for message in result.messages)
    assert any("open_few" in message for message in result.messages)


def scopt_constraint(expression):
    import pyomo.environ as pyo

    return pyo.Constraint(expr=expression)


def test_a_large_model_without_a_design_is_found_out_by_looking_for_any(small, monkeypatch):
    monkeypatch.setattr(method, "SIFT_FROM", -1)
    case = limit(
        edit(small, "sites", {"site": "Agent"}, status="close"), limit="none", measure="closures", max=0
    )
    result = scopt.solve(case)
    assert result.status == "infeasible"
    assert set(least(result)) <= {"limit_max", "status_close"}


def test_a_large_model_that_hides_its_design_still_gets_one(small, monkeypatch):
    monkeypatch.setattr(method, "SIFT_FROM", -1)
    monkeypatch.setattr("scopt.search.branching.Tree.dive", lambda tree, limit: None)
    monkeypatch.setattr(method.Search, "_kernel", lambda *args: None)
    assert scopt.solve(small).cost == pytest.approx(scopt.solve(small).bound, rel=1e-3)


# -- against enumeration ----------------------------------------------------------------------------------------

SEEDS = sorted({seed for seed, _ in COSTS})


def _chain(seed, strategy):
    case = Case.from_frames(tiny_case(seed))
    return case, Chain(case.for_strategy(strategy), case.strategies[strategy])


@pytest.mark.parametrize("seed", SEEDS[::4])
def test_facts_are_told_only_where_enumeration_finds_no_design(seed):
    for strategy in ("as_is", "integrated"):
        _, chain = _chain(seed, strategy)
        facts = find_facts(chain, Fastest(chain))
        assert not facts or COSTS[seed, strategy] is None, facts


WITHOUT = [key for key, cost in COSTS.items() if cost is None]
WITH = [key for key, cost in COSTS.items() if cost is not None]


@pytest.mark.parametrize(("seed", "strategy"), WITHOUT[::3])
def test_cases_without_a_design_get_one_when_relaxed_as_told(seed, strategy):
    case, chain = _chain(seed, strategy)
    diagnosis = diagnose(chain, Clock(60.0))
    assert diagnosis.options
    for option in diagnosis.options[:2]:
        eased = relaxed_case(case.for_strategy(strategy), option.relaxations)
        assert scopt.solve(eased, strategy).cost is not None, str(diagnosis)


@pytest.mark.parametrize(("seed", "strategy"), WITH[::16])
def test_cases_with_a_design_need_no_relaxation(seed, strategy):
    _, chain = _chain(seed, strategy)
    assert diagnose(chain, Clock(60.0)).options == ()


# -- on the command line ----------------------------------------------------------------------------------------


@pytest.fixture
def spoiled(tmp_path):
    """The small case with a promise that nobody can keep, as a workbook."""
    path = tmp_path / "small.xlsx"
    shutil.copy(CASES / "small.xlsx", path)
    book = openpyxl.load_workbook(path)
    sheet = book["channels"]
    headers = [cell.value for cell in sheet[1]]
    [row] = [row for row in sheet.iter_rows(min_row=2) if row[0].value == "online"]
    row[headers.index("response_days")].value = 1
    book.save(path)
    return path


def test_an_impossible_case_exits_with_3_and_writes_its_diagnosis(run, spoiled):
    status, out, _ = run("solve", spoiled, "--json")
    assert status == 3
    told = json.loads(out)
    assert told["status"] == "infeasible"
    assert told["cost"] is None
    assert told["diagnosis"][1]["column"] == "response_days"
    assert told["diagnosis"][1]["to"] == 2.0
    target = spoiled.with_name("small.integrated.result.xlsx")
    sheet = pd.read_excel(target, sheet_name="diagnosis", engine="calamine")
    assert sheet["text"].str.contains("from 1 to 2").any()


def test_relax_gives_the_design_under_the_least_relaxation(run, spoiled):
    status, out, _ = run("solve", spoiled, "--relax", "--json")
    assert status == 0
    told = json.loads(out)
    assert told["cost"] == pytest.approx(1_305_819.43)
    assert told["diagnosis"][1]["to"] == 2.0


@pytest.mark.parametrize(
    ("sheet", "where", "values"),
    [
        ("sites", {"site": ["Brand warehouse", "Shop Hefei"]}, {"status": "keep", "place": "one place"}),
        ("sites", {"site": "Shop Hefei"}, {"min_units": 45_001.0}),
    ],
    ids=["two kept sites at one place", "a kept site wants more than all demand"],
)
def test_contradictions_of_the_file_are_findings(small, sheet, where, values):
    with pytest.raises(scopt.CaseError):
        edit(small, sheet, where, **values)


def test_a_forced_contract_that_wants_more_than_all_demand_is_a_finding(small):
    case = edit(small, "sites", {"site": "Swift hub"}, status="open")
    lanes = case.tables["lanes"]
    case = case.replace(lanes=lanes.assign(operator=""))  # own carriers: a unit counts once, at the hub
    with pytest.raises(scopt.CaseError, match="one of its sites has to be open"):
        edit(case, "operators", {"operator": "Swift"}, min_units=45_001.0)
    edit(case, "operators", {"operator": "Swift"}, min_units=44_999.0)


# -- small pieces -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "up", "whole", "rounded"),
    [
        (23_040.000001, True, False, 23_040.0),
        (1234.5671, True, False, 1234.57),
        (1234.5671, False, False, 1234.56),
        (1.3, True, True, 2.0),
        (2.0000001, True, True, 2.0),
        (0.0, True, False, 0.0),
        (-3.14159265, False, False, -3.14160),
    ],
)
def test_values_are_rounded_away_from_the_rule(value, up, whole, rounded):
    assert round_outward(value, up=up, whole=whole) == pytest.approx(rounded, rel=1e-12)


def test_a_lane_is_found_by_its_whole_key():
    case = clean_case(lanes=[
        {"origin": "plant", "destination": "hub", "capacity": 10.0},
        {"origin": "plant", "destination": "hub", "mode": "rail", "capacity": 20.0},
        *(lane for lane in clean_sheets()["lanes"] if lane["destination"] != "hub"),
    ])  # fmt: skip
    one = Relaxation("lane_capacity", ("plant", "hub", "", "", "rail", ""), 20.0, 30.0, 0.5)
    assert one.where == "origin=plant; destination=hub; mode=rail"
    assert relaxed_case(case, (one,)).tables["lanes"]["capacity"].tolist()[:2] == [10.0, 30.0]
