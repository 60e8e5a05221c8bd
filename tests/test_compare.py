"""Strategies side by side, made of results made by hand (see results.py)."""

import importlib
import math
from pathlib import Path

import openpyxl
import pytest
from results import costs, make_result, tables

import scopt
from scopt.comparison import Comparison, compare
from scopt.errors import UsageError
from scopt.report.charts import bars
from scopt.report.money import net_present_value, payback_years
from scopt.search.method import Options

CASES = Path(__file__).resolve().parent.parent / "cases"
compare_module = importlib.import_module("scopt.comparison")


@pytest.fixture
def comparison():
    as_is = costs().assign(strategy=costs()["as_is"], difference=0.0)
    today = make_result(strategy="as_is", cost=100_000.0, saving=0.0, tables=tables() | {"costs": as_is})
    none = {"cost": None, "bound": None, "gap": None, "saving": None, "tables": {}}
    impossible = make_result(
        strategy="一日达", status="infeasible", messages=("one day is too short",), **none
    )
    return Comparison({"as_is": today, "integrated": make_result(), "一日达": impossible})


def test_table_has_a_row_per_strategy(comparison):
    table = comparison.table.set_index("strategy")
    assert list(table.index) == ["as_is", "integrated", "一日达"]
    assert table.loc["integrated", "saving_share"] == pytest.approx(0.1)
    assert table.loc["integrated", ["sites", "closed", "opened", "taken_over"]].tolist() == [3, 1, 1, 1]
    assert table.loc["integrated", "on_time_share"] == pytest.approx(1090 / 1150)
    assert math.isnan(table.loc["一日达", "cost"])


def test_costs_and_sites_have_a_column_per_design(comparison):
    assert list(comparison.costs.columns) == ["bucket", "as_is", "integrated"]
    assert comparison.costs.loc[2].tolist() == ["sites", 30_000, 12_000]
    assert list(comparison.sites.columns) == ["site", "tier", "operator", "before", "as_is", "integrated"]
    assert comparison.sites.loc[1].tolist() == ["=W1", "wholesaler", "", "open", "closed", "closed"]


def test_the_waterfall_leads_from_as_is_to_integrated_bucket_by_bucket(comparison):
    steps = [("as_is", 0, 100_000), ("transport", 4_000, 104_000), ("sites", -18_000, 86_000)]
    steps += [("one_off", -500, 85_500), ("operators", 4_500, 90_000), ("integrated", 0, 90_000)]
    assert comparison.waterfall.to_numpy().tolist() == [list(step) for step in steps]
    stacked = bars(comparison.waterfall).set_index("step")
    assert stacked.loc["sites", ["base", "total", "less", "more"]].tolist() == [86_000, 0, 18_000, 0]
    assert stacked.loc["operators", ["base", "total", "less", "more"]].tolist() == [85_500, 0, 0, 4_500]
    assert stacked.loc["integrated", ["base", "total", "less", "more"]].tolist() == [0, 90_000, 0, 0]
    without = Comparison({"integrated": comparison.results["integrated"]})
    assert without.waterfall.empty


def test_payback_and_net_present_value_by_hand():
    assert payback_years(300.0, 150.0) == 2
    assert payback_years(0.0, 10.0) == payback_years(-5.0, 10.0) == 0
    assert payback_years(300.0, 0.0) is None
    assert payback_years(-300.0, -10.0) is None
    # 110 in a year and 121 in two are worth 100 each at 10 %.
    assert net_present_value(150.0, 110.0, 0.1, 1) == pytest.approx(-50.0)
    assert net_present_value(0.0, 121.0, 0.1, 2) == pytest.approx(110.0 + 100.0)
    assert net_present_value(150.0, 100.0, 0.0, 3) == pytest.approx(150.0)


def test_small_tells_what_is_spent_once_and_when_it_comes_back():
    case = scopt.read_case(CASES / "small.xlsx")
    row = compare(case, ["own_hub"], gap=1e-6).table.set_index("strategy").loc["own_hub"]
    assert row["one_off_spend"] == 150_000  # 120,000 for the hub and 30,000 to close the brand warehouse
    yearly = row["saving"] + 150_000 / 3
    assert row["payback_years"] == pytest.approx(150_000 / yearly)
    assert row["net_present_value"] == pytest.approx(yearly * sum(1.08**-n for n in range(1, 6)) - 150_000)
    assert row[["online: served", "online: on time"]].tolist() == [1, 1]


def test_emissions_and_one_off_spend_are_those_of_the_costs():
    case = scopt.read_case(CASES / "fresh.xlsx")
    result = scopt.solve(case, "integrated", gap=0.02)
    figures = dict(zip(result.summary["metric"], result.summary["value"], strict=True))
    costs = result.costs.set_index("bucket")["strategy"]
    assert case.settings.co2_price > 0
    assert figures["emissions"] * case.settings.co2_price == pytest.approx(costs["emissions"])
    assert figures["one-off spend"] == pytest.approx(costs["one_off"] * case.settings.one_off_years)
    assert figures["one-off spend"] > 0


def test_service_names_the_strategy(comparison):
    assert comparison.service[["strategy", "channel"]].to_numpy().tolist() == [
        ["as_is", "online"],
        ["as_is", "offline"],
        ["integrated", "online"],
        ["integrated", "offline"],
    ]


def test_text(comparison):
    lines = str(comparison).splitlines()
    assert lines[2] == "integrated   90,000  10,000  10.0 %  0.50 %       1      1   94.8 %  optimal"
    assert lines[3].split() == ["一日达", *["-"] * 7, "infeasible"]
    assert "sites            30,000      12,000" in lines
    assert lines[-2:] == ["note: =stock of shirt is not limited", "note: one day is too short"]


def test_without_any_design_there_is_still_a_text(comparison):
    alone = Comparison({"一日达": comparison.results["一日达"]})
    assert "infeasible" in str(alone)
    assert "costs by bucket" not in str(alone)
    assert "note: one day is too short" in str(alone)


def test_workbook(comparison, tmp_path):
    comparison.to_excel(tmp_path / "a.xlsx")
    book = openpyxl.load_workbook(tmp_path / "a.xlsx")
    assert book.sheetnames == ["comparison", "costs", "sites", "service", "waterfall"]
    assert len(book["comparison"]._charts) == 3
    assert book["comparison"]["A4"].value == "一日达"
    assert book["sites"]["A3"].data_type == "s"


OWN = [{"strategy": "cheap"}, {"strategy": "green", "against": "cheap"}]


@pytest.fixture
def solved(monkeypatch):
    """Tasks that were handed to the batch, which finds nothing but the cost of each."""
    calls = []

    def run(tasks, executor, **options):
        calls.extend(tasks)
        return {task.name: None for task in tasks}

    monkeypatch.setattr(compare_module, "run", run)
    monkeypatch.setattr(compare_module, "result_of", lambda case, name, *_: make_result(strategy=name))
    return calls


def test_all_strategies_by_default(solved, make_chain):
    assert list(compare(make_chain(strategies=OWN)).results) == ["as_is", "integrated", "cheap", "green"]


def test_as_is_and_integrated_are_always_there_and_what_savings_are_measured_against(solved, make_chain):
    found = compare(make_chain(strategies=OWN), ["green", "integrated", "green"])
    assert list(found.results) == ["as_is", "integrated", "green"]
    assert sorted(task.name for task in solved) == ["as_is", "cheap", "green", "integrated"]


def test_options_are_handed_on(solved, make_chain):
    compare(make_chain(strategies=OWN), [], gap=0.1, time_limit=5, seed=3, threads=2)
    assert solved[0].options == Options(0.1, 5.0, 3, 2)


def test_an_unknown_strategy_is_told_before_anything_is_solved(solved, make_chain):
    with pytest.raises(UsageError, match="no strategy 'gren'; the case has as_is, integrated, cheap, green"):
        compare(make_chain(strategies=OWN), ["green", "gren"])
    assert not solved


def test_a_lever_without_effect_is_told_before_anything_is_solved(solved, make_chain):
    for wrong in (["remove", "share"], ["remove", "remove"], []):
        with pytest.raises(UsageError, match="a sequence names levers once each: remove, add"):
            compare(make_chain(strategies=OWN), sequence=wrong)
    assert not solved


def test_each_strategy_is_searched_once(make_chain, monkeypatch):
    solving = importlib.import_module("scopt.solved")
    searched, plain = [], solving.Search.run

    def run(search):
        searched.append(search.model.chain.strategy.name)
        return plain(search)

    monkeypatch.setattr(solving.Search, "run", run)
    case = make_chain(strategies=[{"strategy": "direct", "o2o": "no", "against": "integrated"}])
    found = compare(case)
    assert searched == ["as_is", "integrated", "direct"]
    alone = scopt.solve(case, "direct")
    assert found.results["direct"].saving == pytest.approx(alone.saving, abs=1e-6)
    assert found.results["as_is"].cost == pytest.approx(found.results["integrated"].as_is_cost)


def test_an_interrupt_keeps_what_was_found(make_chain, monkeypatch):
    solving = importlib.import_module("scopt.solved")
    plain = solving.Search.run

    def run(search):
        found = plain(search)
        search.clock.stopped = search.model.chain.strategy.name == "integrated"
        return found

    monkeypatch.setattr(solving.Search, "run", run)
    found = compare(make_chain(strategies=[{"strategy": "direct", "o2o": "no"}]))
    assert list(found.results) == ["as_is", "integrated"]
    assert found.left == ("direct",)
    assert str(found).endswith("note: stopped before direct")
