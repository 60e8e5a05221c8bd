"""Figures, text and JSON of a result made by hand (see results.py)."""

import dataclasses
import json
import math

import pandas as pd
import pytest
from results import make_result, sites

from scopt.report.summary import by_channel, by_tier, changes, stock_days
from scopt.report.text import align, amount, percent

CONTRACT_KEYS = ["strategy", "status", "cost", "bound", "gap", "seconds", "as_is_cost", "saving"]


def metric(result, name):
    rows = result.summary.set_index("metric")
    return rows.loc[name, "value"]


def test_a_result_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        make_result().cost = 1.0


def test_text_shows_figures_costs_service_design_and_notes():
    text = str(make_result())
    lines = text.splitlines()
    assert lines[0] == "shirts · integrated · optimal within the asked gap"
    assert "saving   10,000  CNY/year  10.0 % of as_is" in lines
    assert "sites             30,000      12,000     -18,000" in lines
    assert "total            100,000      90,000     -10,000" in lines
    assert not any(line.startswith("emissions") for line in lines)  # nothing before, nothing after
    assert "online    1,000   95.0 %   93.7 %  6.3 %            1.7" in lines
    assert "taken over   DC -> DC by 3PL" in lines
    assert "checks       2 of 2 passed" in lines
    assert lines[-1] == "note: =stock of shirt is not limited"


def test_text_without_a_design_says_why():
    text = str(make_result(status="infeasible", cost=None, bound=None, gap=None, saving=None, tables={}))
    assert "no feasible design exists" in text
    assert "note: =stock of shirt is not limited" in text
    assert "costs by bucket" not in text


def test_text_without_an_as_is_shows_a_dash():
    tables = dict(make_result().tables)
    tables["costs"] = tables["costs"].assign(as_is=math.nan, difference=math.nan)
    text = str(make_result(as_is_cost=None, saving=None, tables=tables))
    assert "total                -      90,000           -" in text.splitlines()
    assert "saving" not in text


def test_text_of_as_is_is_not_compared_with_itself():
    text = str(make_result(strategy="as_is", cost=100_000.0, saving=0.0))
    assert "saving" not in text
    assert "difference" not in text
    assert "sites             30,000" in text.splitlines()


def test_text_names_failed_checks():
    tables = dict(make_result().tables)
    tables["checks"] = tables["checks"].assign(ok=[True, False])
    assert "1 of 2 passed; failed: =cost transport" in str(make_result(tables=tables))


def test_text_cuts_long_lists():
    many = pd.concat([sites().iloc[[1]]] * 9, ignore_index=True)
    many["site"] = many["place"] = [f"W{number}" for number in range(9)]
    line = next(line for line in str(make_result(tables={"sites": many})).splitlines() if "closes" in line)
    assert line.endswith("W0, W1, W2, W3, W4, W5, … (9 in all)")


def test_columns_of_wide_characters_line_up():
    # A Chinese character takes two columns of a terminal.
    assert align([("上海", "1"), ("abcde", "22")], right=[1]) == "上海    1\nabcde  22"


@pytest.mark.parametrize(
    ("value", "options", "text"),
    [
        (None, {}, "-"),
        (math.nan, {}, "-"),
        (1234.5, {}, "1,234"),
        (-0.2, {}, "0"),
        (12.345, {"digits": 2}, "12.35"),
        (5.0, {"signed": True}, "+5"),
        (-5.0, {"signed": True}, "-5"),
        (0.0, {"signed": True}, "0"),
    ],
)
def test_amount(value, options, text):
    assert amount(value, **options) == text


@pytest.mark.parametrize(
    ("value", "text"), [(0.5, "50.0 %"), (0.0012, "0.12 %"), (0.0, "0.0 %"), (None, "-")]
)
def test_percent(value, text):
    assert percent(value) == text


def test_small_amounts_keep_their_decimals():
    text = str(make_result(cost=12.34, bound=12.0, as_is_cost=20.0, saving=7.66, tables={}))
    assert "cost    12.34  CNY/year" in text


def test_changes_tells_a_takeover_from_a_closure():
    found = changes(sites())
    assert found.closed == ("=W1",)
    assert found.opened == ("上海",)
    assert found.taken_over == (("DC", "DC by 3PL"),)
    assert found.joined == ("DC by 3PL",)
    assert found.separated == ()


def test_a_site_that_closes_does_not_count_as_separated():
    table = sites().assign(joined_before=[True, True, False, False, False], joined=False)
    assert changes(table).separated == ("001",)


def test_sites_by_tier():
    tiers = by_tier(sites()).set_index("tier")
    assert tiers.loc["warehouse", ["before", "after", "opened", "closed"]].tolist() == [1, 1, 1, 1]
    assert tiers.loc["warehouse", "cost"] == 4_500
    assert list(tiers.index) == ["plant", "wholesaler", "warehouse", "store"]


def test_service_by_channel():
    online, offline = by_channel(make_result().service).to_dict("records")
    assert online["served"] == 950  # 600 on time or late in the north, 350 of 400 in the south
    assert online["served_share"] == 0.95
    assert online["on_time_share"] == pytest.approx(890 / 950)
    assert online["response_days"] == pytest.approx((600 * 1 + 350 * 3) / 950)
    assert math.isnan(offline["response_days"])


def test_stock_days_are_over_what_is_served():
    result = make_result()
    # 43 units on average, 1,150 served a year of 365 days
    assert stock_days(result.stock, result.service) == pytest.approx(43 * 365 / 1150)
    assert stock_days(result.stock, result.service.iloc[:0]) is None


def test_summary_has_figures_and_keeps_what_the_solve_measured():
    extra = pd.DataFrame({"metric": ["cost", "emissions"], "value": [1.0, 77.0], "unit": ["", "kg"]})
    result = make_result(tables=make_result().tables | {"summary": extra})
    assert metric(result, "emissions") == 77
    assert metric(result, "cost") == 90_000  # its own figure stands, once
    assert metric(result, "saving share") == pytest.approx(0.1)
    assert metric(result, "sites closed") == 1
    assert metric(result, "online: on time") == pytest.approx(890 / 950)
    assert metric(result, "checks passed") == "2 of 2"
    assert metric(result, "made with seed") == "0"
    assert list(result.summary.columns) == ["metric", "value", "unit"]


def test_json_starts_with_the_keys_of_the_contract():
    assert list(make_result().summary_json())[:8] == CONTRACT_KEYS


def test_json_has_null_for_what_is_missing_or_not_finite():
    summary = make_result(cost=None, bound=-math.inf, gap=math.nan, saving=None).summary_json()
    read = json.loads(json.dumps(summary, allow_nan=False))
    assert [read[key] for key in ("cost", "bound", "gap", "saving")] == [None] * 4
    assert read["as_is_cost"] == 100_000


def test_a_table_that_is_not_there_is_empty():
    assert make_result(tables={}).flows.empty
