"""Strategies side by side, made of results made by hand (see results.py)."""

import importlib
import math

import openpyxl
import pytest
from results import costs, make_result, tables

import scopt
from scopt.comparison import Comparison, compare
from scopt.errors import UsageError
from scopt.search.method import Options

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
