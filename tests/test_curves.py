"""Trade-off curves: what is varied, fronts whose ends are the optima of either objective, and efficient points."""

import json
import shutil
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest
from test_enumeration import COSTS
from tiny_cases import tiny_case

import scopt
from scopt.case import Case
from scopt.curves import MEASURES, SWEPT, Vary, _efficient

SMALL = Path(__file__).resolve().parents[1] / "cases" / "small.xlsx"


@pytest.fixture(scope="module")
def small():
    return scopt.read_case(SMALL)


# -- what is varied ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("channels[online].on_time_share=0.8:0.9:3", ("channels", "channel=online", "on_time_share", "set", (0.8, 0.85, 0.9))),
        ("limits[budget].max=1,2", ("limits", "limit=budget", "max", "set", (1.0, 2.0))),
        ("demand.units*=1,1.2", ("demand", "", "units", "multiply", (1.0, 1.2))),
        ("demand[*].units*=1", ("demand", "", "units", "multiply", (1.0,))),
        ("sites[tier=shop; operator=].fixed_cost+=5", ("sites", "tier=shop; operator=", "fixed_cost", "add", (5.0,))),
        ("settings.co2_price=0:1:2", ("settings", "key=co2_price", "value", "set", (0.0, 1.0))),
        ("lanes[origin=A [x]; destination=B].unit_cost=1", ("lanes", "origin=A [x]; destination=B", "unit_cost", "set", (1.0,))),
    ],
)  # fmt: skip
def test_a_number_is_named_by_sheet_row_and_column(text, told):
    made = Vary.parse(text)
    assert (made.sheet, made.where, made.column, made.operation, made.values) == told


@pytest.mark.parametrize(
    "text", ["channels", "channels[online]=3", "channels[online].days", "a.b=x", "a.b=1:2", "a.b=1:2:x"]
)
def test_what_is_no_number_of_a_case_is_refused(text):
    with pytest.raises(scopt.UsageError):
        Vary.parse(text)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("channels[online].response_daze=1", "no column"),
        ("channels[onlime].response_days=1", "matches"),
        ("shanels[online].response_days=1", "sheet"),
        ("channels[online].on_time_share=0.5,1.5", "after the change"),
    ],
)
def test_a_value_that_the_case_cannot_hold_is_a_usage_error(small, text, why):
    with pytest.raises(scopt.UsageError, match=why):
        scopt.sweep(small, text, jobs=1)


def test_each_point_is_a_solve_of_the_changed_case(small):
    curve = scopt.sweep(small, "channels[online].response_days=1,2,3", jobs=1)
    table = curve.table
    assert table["value"].tolist() == [1.0, 2.0, 3.0]
    assert table["status"].tolist() == ["infeasible", "optimal", "optimal"]
    channels = small.channels
    later = small.replace(channels=channels.assign(response_days=channels["response_days"].replace(2.0, 3.0)))
    assert table["cost"].iloc[1] == pytest.approx(1_305_819.433161)
    assert table["cost"].iloc[2] == pytest.approx(scopt.solve(later).cost, rel=1e-4)
    assert not curve.points[1.0].diagnosis.empty
    assert "relax response_days of online (channels) from 1 to 2" in str(curve)


def test_the_baseline_is_never_edited(small):
    """As-is is the same at every point, and so is the case."""
    before = small.digest
    curve = scopt.sweep(small, "demand.units*=1,1.1", jobs=1)
    for result in curve.points.values():
        assert result.as_is_cost == pytest.approx(2_309_230.484158)
    assert small.digest == before


def test_more_demand_never_costs_less(small):
    costs = scopt.sweep(small, "demand.units*=0.8:1.2:3", jobs=1).table["cost"]
    assert (costs.diff().dropna() > 0).all()


# -- fronts -----------------------------------------------------------------------------------------------------


def is_a_front(curve):
    """Efficient points are monotone and none of them is dominated, by the definition."""
    table = curve.table
    sign = 1.0 if MEASURES[curve.against][1] == "min" else -1.0
    cost, worth = table["cost"].to_numpy(float), sign * table["measure"].to_numpy(float)
    for i in np.flatnonzero(table["efficient"]):
        for j in np.flatnonzero(~np.isnan(cost)):
            assert not (
                cost[j] <= cost[i] and worth[j] <= worth[i] and (cost[j] < cost[i] or worth[j] < worth[i])
            )
    good = table[table["efficient"]].assign(worth=worth[table["efficient"]]).sort_values("worth")
    assert (good["cost"].diff().dropna() < 0).all()
    assert table["efficient"].any()


def test_one_off_front_of_the_small_case(small):
    """Swift's hub costs 30,000 once, for the warehouse that closes; without it the best design costs more."""
    curve = scopt.front(small, "one_off", 4, jobs=1)
    is_a_front(curve)
    ends = curve.table.iloc[[0, -1]]
    assert ends["measure"].tolist() == pytest.approx([30_000.0, 0.0])
    assert ends["cost"].iloc[0] == pytest.approx(1_305_819.433161)
    limit = pd.DataFrame([{"limit": "none", "measure": "one_off", "max": 0.0}])
    assert ends["cost"].iloc[1] == pytest.approx(scopt.solve(small.replace(limits=limit)).cost, rel=1e-4)


def test_changes_front_ends_at_today(make_chain):
    """The cheapest design passes the depot; with no change at all the depot stays."""
    case = make_chain(lanes=[
        {"origin": "P", "destination": "D", "unit_cost": 2.0, "lead_days": 1},
        {"origin": "D", "destination": "S", "unit_cost": 2.0, "lead_days": 1},
        {"origin": "P", "destination": "S", "unit_cost": 1.0, "lead_days": 1, "status": "candidate"},
        {"origin": "S", "destination": "M"},
    ])  # fmt: skip
    curve = scopt.front(case, "changes", 2, jobs=1)
    is_a_front(curve)
    assert curve.table["measure"].tolist() == [1.0, 0.0]
    assert curve.table["cost"].iloc[0] == pytest.approx(scopt.solve(case).cost)
    assert curve.table["cost"].iloc[1] > curve.table["cost"].iloc[0]
    assert curve.table["closed"].tolist() == [1, 0]


def service_case(make_chain):
    """Late lanes cost 1, lanes in time cost 3; half has to be in time."""
    return make_chain(
        channels=[{"channel": "shop", "response_days": 1, "on_time_share": 0.5, "max_late_days": 3}],
        sites=[{"site": "P", "tier": "plant", "status": "keep", "stock": "must"}],
        lanes=[
            {"origin": "P", "destination": "M", "mode": "slow", "unit_cost": 1.0, "lead_days": 3},
            {"origin": "P", "destination": "M", "mode": "fast", "unit_cost": 3.0, "lead_days": 1},
        ],
    )


def test_service_front_by_hand(make_chain):
    """Each hundredth of the 100 units that comes in time costs 2 more: 50 in time at the least, 100 at most."""
    curve = scopt.front(service_case(make_chain), "service", 3, jobs=1)
    is_a_front(curve)
    table = curve.table
    assert table["measure"].tolist() == pytest.approx([0.5, 0.75, 1.0], abs=1e-5)
    assert table["efficient"].all()
    assert np.diff(table["cost"]) == pytest.approx([50.0, 50.0], abs=0.5)


@pytest.mark.parametrize("against", ["emissions", "one_off"])
@pytest.mark.parametrize("seed", [s for s in range(60) if COSTS.get((s, "integrated")) is not None][:6])
def test_ends_are_the_optima_of_either_objective(seed, against):
    case = Case.from_frames(tiny_case(seed))
    curve = scopt.front(case, against, 3, gap=1e-6, jobs=1)
    is_a_front(curve)
    truth = COSTS[seed, "integrated"]
    assert curve.table["cost"].iloc[0] == pytest.approx(truth, rel=1e-4)
    best = float(curve.table["measure"].iloc[-1])
    less = best - max(1e-3 * abs(best), 1e-2)
    measure = MEASURES[against][0]
    tighter = pd.concat([case.limits, pd.DataFrame([{"limit": "x", "measure": measure, "max": less}])])
    assert scopt.solve(case.replace(limits=tighter.reset_index(drop=True))).cost is None


def test_efficient_points_by_hand():
    cost, measure = [10.0, 12.0, 12.0, 15.0, np.nan], [5.0, 4.0, 4.0, 4.5, 1.0]
    assert _efficient(cost, measure, "min").tolist() == [True, True, False, False, False]
    assert _efficient(cost, measure, "max").tolist() == [True, False, False, False, False]


def test_a_measure_that_is_not_there_is_refused(small):
    with pytest.raises(scopt.UsageError, match="emissions"):
        scopt.front(small, "beauty")


# -- the limit on units in time ---------------------------------------------------------------------------------


def test_a_limit_on_units_in_time_holds_and_is_recomputed(make_chain):
    case = service_case(make_chain).replace(limits=[{"limit": "in time", "measure": "on_time", "min": 80.0}])
    result = scopt.solve(case)
    assert result.limits["value"].iloc[0] == pytest.approx(80.0)
    assert result.service["on_time"].sum() == pytest.approx(80.0)
    assert result.checks["ok"].all()


# -- on the command line ----------------------------------------------------------------------------------------


def test_sweep_writes_curve_and_chart(run, tmp_path):
    case = Path(shutil.copy(SMALL, tmp_path / "small.xlsx"))
    status, out, _ = run("sweep", case, "--front", "one_off", "--count", "2", "--json")
    assert status == 0
    assert [point["status"] for point in json.loads(out)] == ["optimal", "optimal"]
    book = openpyxl.load_workbook(tmp_path / "small.sweep.xlsx")
    assert book.sheetnames == ["curve", "costs", "sites", "service"]
    assert book["curve"]._charts
    assert [cell.value for cell in book["curve"][1]][:3] == ["value", "measure", "efficient"]


def test_points_are_kept_and_not_searched_again(run, tmp_path):
    case = Path(shutil.copy(SMALL, tmp_path / "small.xlsx"))
    first = run("sweep", case, "--vary", "demand.units*=1,1.1")
    again = run("sweep", case, "--vary", "demand.units*=1,1.1,1.2")
    assert first[0] == again[0] == 0
    assert again[2].count("kept from before") == 3  # as-is and two points
    assert first[1].splitlines()[:4] == again[1].splitlines()[:4]


@pytest.mark.parametrize(
    "args", [(), ("--vary", "demand.units*=1", "--front", "changes"), ("--front", "beauty")]
)
def test_sweep_needs_one_thing_to_draw(run, args):
    assert run("sweep", SMALL, *args)[0] == 2


def test_the_swept_limit_stands_in_the_results(small):
    curve = scopt.front(small, "one_off", 2, jobs=1)
    assert all((result.limits["limit"] == SWEPT).any() for result in curve.points.values())
