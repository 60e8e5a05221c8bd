"""What the case file's columns mean, each backed by a hand calculation on a chain of three sites."""

import numpy as np
import pytest
from scipy.stats import norm

import scopt

FAST = {"gap": 1e-7}


def costs(result):
    return result.costs.set_index("bucket")["strategy"]


def test_as_is_by_hand(depot_chain):
    result = scopt.solve(depot_chain, "as_is", **FAST)
    found = costs(result)
    # 100 units over P-D-S-M: lanes 2 + 2, depot 1 a unit and 50 a year, one slot at the shop.
    assert found["transport"] == pytest.approx(400)
    assert found["handling"] == pytest.approx(100)
    assert found["sites"] == pytest.approx(50)
    assert found["stock_slots"] == pytest.approx(5)
    # Coverage 2 + 7 days: V = 9 * 4 * 100 / 365; value 10 at 20 % a year.
    assert found["safety_stock"] == pytest.approx(10 * 0.2 * norm.ppf(0.95) * np.sqrt(9 * 4 * 100 / 365))
    assert found["cycle_stock"] == pytest.approx(10 * 0.2 * 100 * 7 / 365 / 2)
    assert found["pipeline_stock"] == pytest.approx(10 * 0.2 * 100 * 2 / 365)
    assert result.cost == pytest.approx(found.sum())
    assert result.checks["ok"].all()


def test_the_depot_goes_when_the_direct_lane_is_cheaper(depot_chain):
    # By the depot: 5 a unit and 50 a year; directly 6 a unit: 600 against 550 and a bit of stock. It stays at 100
    # units and goes at 30, where 180 stands against 200.
    kept = scopt.solve(depot_chain, **FAST)
    assert kept.sites.set_index("site").loc["D", "after"] == "open"
    small = depot_chain.replace(demand=depot_chain.demand.assign(units=30.0))
    gone = scopt.solve(small, **FAST)
    assert gone.sites.set_index("site").loc["D", "after"] == "closed"
    assert costs(gone)["transport"] == pytest.approx(180)
    assert gone.as_is_cost - gone.cost == pytest.approx(gone.saving)


def test_a_lever_that_is_off_freezes_today(make_chain):
    strategies = [{"strategy": "no_direct", "direct": "no"}, {"strategy": "no_remove", "remove": "no"}]
    case = make_chain(
        strategies=strategies,
        demand=[{"market": "M", "channel": "shop", "product": "A", "units": 30.0, "vmr": 4.0}],
    )
    frozen = scopt.solve(case, "no_direct", **FAST)
    assert frozen.cost == pytest.approx(frozen.as_is_cost)
    stays = scopt.solve(case, "no_remove", **FAST)
    assert stays.sites.set_index("site").loc["D", "after"] == "open"


def test_closing_costs_are_spread_and_replacement_is_paid_each_year(make_chain):
    case = make_chain(
        demand=[{"market": "M", "channel": "shop", "product": "A", "units": 30.0, "vmr": 4.0}],
    )
    sites = case.sites.assign(
        status=["keep", "close", "keep"], close_cost=[0, 90.0, 0], replacement_cost=[0, 7.0, 0]
    )
    found = costs(scopt.solve(case.replace(sites=sites), **FAST))
    assert found["one_off"] == pytest.approx(90 / 3)
    assert found["replaced"] == pytest.approx(7)


@pytest.mark.parametrize(("behavior", "bill"), [("incremental", 7000.0), ("all_units", 6000.0)])
def test_tariffs_of_the_contract(make_chain, behavior, bill):
    # 5 from 0, 4 from 1000: 1500 units cost 7000 incrementally and 6000 when all units take the tier's price.
    case = make_chain(
        demand=[{"market": "M", "channel": "shop", "product": "A", "units": 1500.0}],
        sites=[{"site": "P", "status": "keep"}, {"site": "D", "status": "existing"},
               {"site": "S", "status": "keep", "stock": "must"}],
        rates=[{"subject": "D", "from_units": 0, "unit_cost": 5, "behavior": behavior},
               {"subject": "D", "from_units": 1000, "unit_cost": 4, "behavior": behavior}],
        lanes=[{"origin": o, "destination": d} for o, d in ("PD", "DS", "SM")],
    )  # fmt: skip
    assert costs(scopt.solve(case, **FAST))["handling"] == pytest.approx(bill)


def test_joining_pools_two_channels(make_chain):
    # Two channels of equal variance at one shop: apart 2 * sqrt(V), joined sqrt(2 V); joining pays below the difference.
    def case(price):
        return make_chain(
            channels=[{"channel": c, "response_days": 0} for c in ("shop", "online")],
            demand=[{"market": "M", "channel": c, "product": "A", "units": 36500.0, "vmr": 1.0} for c in ("shop", "online")],
            sites=[{"site": "P", "status": "keep"}, {"site": "D", "status": "keep"},
                   {"site": "S", "status": "keep", "stock": "must", "o2o_cost": price}],
        )  # fmt: skip

    root = 10 * 0.2 * norm.ppf(0.95) * np.sqrt(9 * 100.0)
    gain = 2 * root - np.sqrt(2) * root
    cheap, dear = (scopt.solve(case(price), **FAST) for price in (0.9 * gain, 1.1 * gain))
    assert cheap.sites.set_index("site").loc["S", "joined"]
    assert costs(cheap)["integration"] == pytest.approx(0.9 * gain)
    assert costs(cheap)["safety_stock"] == pytest.approx(np.sqrt(2) * root)
    assert not dear.sites.set_index("site").loc["S", "joined"]
    assert costs(dear)["safety_stock"] == pytest.approx(2 * root)


def test_observed_shares_hold_in_the_as_is_chain(make_chain):
    # Today 60 % of what leaves the plant goes by the depot, though by itself everything would.
    lanes = [
        {"origin": "P", "destination": "D", "unit_cost": 2.0, "units_today": 60},
        {"origin": "D", "destination": "S", "unit_cost": 2.0},
        {"origin": "P", "destination": "S", "unit_cost": 6.0, "units_today": 40},
        {"origin": "S", "destination": "M"},
    ]
    result = scopt.solve(make_chain(lanes=lanes), "as_is", **FAST)
    flows = result.flows.set_index(["origin", "destination"])["units"]
    assert flows["P", "D"] == pytest.approx(60, rel=1e-4)
    assert flows["P", "S"] == pytest.approx(40, rel=1e-4)


def test_a_ceiling_on_stock_days_binds_with_the_true_root(make_chain):
    case = make_chain(
        demand=[{"market": "M", "channel": "shop", "product": "A", "units": 36500.0, "vmr": 100.0}]
    )
    free = scopt.solve(case, **FAST)
    days = free.stock["stock_days"].iloc[0]
    # Coverage 9 days: V = 9 * 100 * 100; safety = 1.645 * 300; cycle = 350; per day 100 units.
    assert days == pytest.approx((norm.ppf(0.95) * 300 + 350) / 100)
    tight = case.replace(products=case.products.assign(max_site_days=days - 0.01))
    assert scopt.solve(tight, **FAST).status == "infeasible"
    loose = case.replace(products=case.products.assign(max_site_days=days + 0.01))
    assert scopt.solve(loose, **FAST).cost == pytest.approx(free.cost)


def test_infeasible_is_a_status_not_an_exception(make_chain):
    case = make_chain(supply=[{"site": "P", "product": "A", "capacity": 99}])
    result = scopt.solve(case)
    assert (result.status, result.cost, result.as_is_cost) == ("infeasible", None, None)
    assert any("no as-is design" in message for message in result.messages)
