"""Strategies and their changes; replacing sheets; the digest."""

from __future__ import annotations

import pickle

import pytest
from case_frames import case, findings, sheets, write_workbook

from scopt.case import LEVERS, Case, Strategy, read_case
from scopt.errors import CaseError, UsageError

STRATEGIES = [
    {"strategy": "slow", "description": "a slower promise", "remove": "no", "against": "integrated"}
]


def change(sheet, column, value, where=None, operation="set", strategy="slow"):
    """One row of the sheet changes."""
    row = {"strategy": strategy, "sheet": sheet, "where": where, "column": column}
    return row | {"operation": operation, "value": value}


def changed(*changes, **more):
    """The case after its changes."""
    return case(strategies=STRATEGIES, changes=list(changes), **more).for_strategy("slow")


def test_as_is_and_integrated_are_always_there_and_each_lever_alone_where_there_are_no_others():
    found = case().strategies
    assert list(found) == ["as_is", "integrated", *(f"only_{lever}" for lever in LEVERS if lever != "share")]
    assert found["only_add"] == Strategy(
        name="only_add",
        description="only opening of own sites",
        **{lever: lever == "add" for lever in LEVERS},
    )
    assert not {name for name in case(strategies=STRATEGIES).strategies if name.startswith("only_")}
    found = case(strategies=[{"strategy": "as_is"}]).strategies
    assert "only_remove" in found
    assert found["as_is"] == Strategy(name="as_is", measured=True, **dict.fromkeys(LEVERS, False))
    assert found["integrated"] == Strategy(name="integrated")


def test_levers_default_to_yes():
    found = case(strategies=[*STRATEGIES, {"strategy": "as_is", "description": "today"}]).strategies
    assert list(found) == ["as_is", "integrated", "slow"]
    assert found["slow"] == Strategy(
        name="slow", description="a slower promise", remove=False, against="integrated"
    )
    assert found["as_is"].description == "today"
    assert not any(getattr(found["as_is"], lever) for lever in LEVERS)


def test_a_strategy_without_changes_is_the_case_itself():
    one = case(strategies=STRATEGIES)
    assert one.for_strategy("slow") is one


def test_an_unknown_strategy_is_a_usage_error():
    with pytest.raises(UsageError, match="Did you mean integrated"):
        case().for_strategy("integrate")


def test_changes_apply_in_order_to_the_rows_that_match():
    found = changed(
        change("lanes", "unit_cost", 10, "origin=north; destination = M1", "multiply"),
        change("Lanes", "unit cost", "1,000", "origin=north", "add"),
        change("sites", "status", "Keep", "tier=wholesaler"),
        change("channels", "single_source", "yes"),
        change("sites", "capacity", 70, "capacity="),
    )
    assert found.tables["lanes"]["unit_cost"].tolist() == [1, 1, 1020, 1003, 2, 2]
    assert found.lanes["unit_cost"].tolist() == [1, 1, 1020, 1003, 2, 2]
    assert found.sites["status"].tolist() == ["keep", "keep", "candidate"]
    assert found.channels["single_source"].tolist() == [True, True]
    assert found.sites["capacity"].tolist() == [70, 70, 70]
    assert found.changes.empty


def test_the_baseline_stays():
    base = case(strategies=STRATEGIES, changes=[change("demand", "units", 2, operation="multiply")])
    after = base.for_strategy("slow")
    assert base.demand["units"].tolist() == [100, 50]
    assert after.demand["units"].tolist() == [200, 100]
    assert after.for_strategy("slow") is after
    assert base.for_strategy("as_is") is base


def test_changes_of_settings_reach_what_inherits_from_them():
    found = changed(
        change("products", "holding_rate", 2, operation="multiply"),
        change("settings", "value", 0.05, "key=Holding Rate", "add"),
        change("settings", "value", "EUR", "key=currency"),
    )
    assert found.settings.holding_rate == pytest.approx(0.3)
    assert found.products["holding_rate"].tolist() == pytest.approx([0.6])
    assert found.settings.currency == "EUR"


def test_rows_can_be_left_out():
    found = changed(change("demand", "status", "exclude", "market=M2"))
    assert found.demand["market"].tolist() == ["M1"]


def test_rules_make_their_lanes_again():
    rule = {"from_tier": "warehouse", "to_tier": "market", "mode": "van", "cost_per_km": 2}
    places = {"plant": (0, 0), "north": (0, 1), "hub": (0, 2), "M1": (0, 3), "M2": (0, 4)}
    tables = sheets(lane_rules=[rule])
    for name, key in (("sites", "site"), ("markets", "market")):
        for row in tables[name]:
            row["latitude"], row["longitude"] = places[row[key]]
    base = Case.from_frames(
        tables
        | {
            "strategies": STRATEGIES,
            "changes": [change("lane_rules", "cost_per_km", 2, operation="multiply")],
        }
    )
    after = base.for_strategy("slow")
    made = base.lanes["rule"] == 1
    assert made.sum() == 2
    assert (after.lanes["unit_cost"][made] == 2 * base.lanes["unit_cost"][made]).all()


REFUSED = {
    "unknown strategy": (change("demand", "units", 1, strategy="fast"), "A2"),
    "unknown sheet": (change("demands", "units", 1), "B2"),
    "sheet that stays": (change("strategies", "remove", "no"), "B2"),
    "unknown column": (change("demand", "unit", 1), "D2"),
    "unknown column in where": (change("demand", "units", 1, "town=M1"), "C2"),
    "where without =": (change("demand", "units", 1, "M1"), "C2"),
    "where matches no row": (change("demand", "units", 1, "market=M9"), "C2"),
    "where without rows": (change("rates", "unit_cost", 1), "C2"),
    "where of the wrong kind": (change("demand", "units", 1, "units=many"), "C2"),
    "no number": (change("demand", "units", "many"), "F2"),
    "no choice": (change("sites", "status", "gone"), "F2"),
    "out of bounds": (change("demand", "units", -200, operation="add"), "F2"),
    "multiply a blank": (change("sites", "capacity", 2, operation="multiply"), "D2"),
    "multiply text": (change("sites", "tier", 2, operation="multiply"), "E2"),
    "unknown operation": (change("demand", "units", 2, operation="divide"), "E2"),
    "no value": (change("demand", "units", None), "F2"),
    "settings without key": (change("settings", "value", 2), "C2"),
}


@pytest.mark.parametrize(("row", "cell"), REFUSED.values(), ids=REFUSED)
def test_a_change_that_cannot_be_carried_out(row, cell):
    found = findings(strategies=STRATEGIES, changes=[row])
    assert [(one.level, one.where) for one in found] == [("error", f"changes!{cell}")], str(found)


def test_a_changed_case_is_validated_again():
    found = findings(
        strategies=STRATEGIES,
        changes=[change("lanes", "destination", "moon", "origin=plant; destination=hub")],
    )
    errors = found.errors
    assert [(one.where, one.value) for one in errors] == [("lanes!B3", "moon")]
    assert "with the changes of slow" in errors[0].rule


def test_changes_are_looked_at_also_where_the_case_has_other_errors():
    found = findings(
        strategies=STRATEGIES, changes=[change("demand", "unit", 1)], products=[{"product": None, "value": 1}]
    )
    assert {"changes!D2", "products"} <= {one.where for one in found} | {one.sheet for one in found}


def test_replace_keeps_the_other_sheets_as_they_were_written():
    base = case()
    after = base.replace(settings=[{"key": "review_days", "value": 3}])
    assert after.sites["review_days"].tolist() == [3, 3, 3]
    assert base.sites["review_days"].tolist() == [7, 7, 7]
    assert after.replace(settings=sheets()["settings"]).digest == base.digest
    assert after.digest != base.digest


def test_replace_takes_tables_of_the_case():
    base = case()
    again = base.replace(**base.tables)
    assert again.digest == base.digest
    assert not again.warnings


def test_replace_validates_and_names_the_cell_of_the_file(tmp_path):
    write_workbook(tmp_path / "case.xlsx", sheets())
    base = read_case(tmp_path / "case.xlsx")
    with pytest.raises(CaseError) as caught:
        base.replace(markets=[{"market": "M1", "region": "east"}])
    assert [one.where for one in caught.value.findings.errors] == ["demand!A3", "lanes!B5", "lanes!B7"]
    with pytest.raises(UsageError, match="Did you mean demand"):
        base.replace(demands=[])


def test_the_digest_tells_cases_apart():
    assert case().digest == case().digest
    assert case().digest != case(products=[{"product": "tea", "value": 41}]).digest
    assert len(case().digest) == 64


def test_a_case_can_be_pickled():
    again = pickle.loads(pickle.dumps(case()))
    assert again.digest == case().digest
    assert again.lanes.equals(case().lanes)
