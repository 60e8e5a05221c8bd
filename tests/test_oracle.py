"""The oracle against arithmetic done by hand, and against plain enumeration.

Unless a test says otherwise: 365 units of ``P`` a year, one a day, go from ``S`` to ``M`` in channel ``all``;
a unit is worth 100, holding costs 0.2 a year, so one unit held all year costs 20; the service factor is 1.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter
from statistics import NormalDist
from typing import Any

import pandas as pd
import pytest
from oracle import AS_IS, BUCKETS, INTEGRATED, Design, Given, Routes, best_cost, best_design, bill, only
from tiny_cases import features, tiny_case

ONE_SIGMA = NormalDist().cdf(1)
TWO_SIGMA = NormalDist().cdf(2)
Rows = list[dict[str, Any]]


def case(**sheets: Rows) -> dict[str, pd.DataFrame]:
    """Frames of a case; sheets that are not given hold the standard chain ``S > M``."""
    rows: dict[str, Rows] = {
        "products": [{"product": "P", "value": 100, "service_level": ONE_SIGMA}],
        "sites": [{"site": "S", "status": "keep"}],
        "supply": [{"site": "S", "product": "P"}],
        "markets": [{"market": "M", "region": "north"}],
        "demand": [{"market": "M", "product": "P", "units": 365}],
        "lanes": [{"origin": "S", "destination": "M"}],
        **sheets,
    }
    return {sheet: pd.DataFrame(records) for sheet, records in rows.items()}


def lane(origin: str, destination: str, **more: Any) -> dict[str, Any]:
    return {"origin": origin, "destination": destination, **more}


def channel(days: float | None = None, name: str = "all", **more: Any) -> dict[str, Any]:
    return {"channel": name, "response_days": days, **more}


def shelf(
    lead: float, stock: str = "optional", promise: float = 0, **sheets: Rows
) -> dict[str, pd.DataFrame]:
    """``S > W > M``: ``lead`` days to the warehouse, none from there; vmr 4; 7 days of review."""
    return case(
        **{
            "sites": [{"site": "S", "status": "keep"}, {"site": "W", "status": "keep", "stock": stock}],
            "lanes": [lane("S", "W", lead_days=lead), lane("W", "M")],
            "demand": [{"market": "M", "product": "P", "units": 365, "vmr": 4}],
            "channels": [channel(promise)],
            **sheets,
        }
    )


def buckets(frames: dict[str, pd.DataFrame], strategy: dict[str, bool] = INTEGRATED) -> dict[str, float]:
    """Buckets that are not zero, rounded."""
    found = best_design(frames, strategy)
    assert found is not None
    assert sum(found[1].values()) == pytest.approx(found[0], rel=1e-6)
    return {name: round(float(value), 4) for name, value in found[1].items() if abs(value) > 1e-6}


def cost(frames: dict[str, pd.DataFrame], strategy: dict[str, bool] = INTEGRATED) -> float:
    found = best_cost(frames, strategy)
    assert found is not None
    return found


# ------------------------------------------------------------------------------------------------------ stock


def test_safety_stock_is_the_root_of_the_covered_variance() -> None:
    # coverage 9 - 0 + 7 = 16 days, variance 16 · 4 · 1 = 64, safety stock 8 units: 160
    # cycle stock 7 / 2 = 3.5 units: 70; pipeline 9 units: 180
    assert buckets(shelf(9)) == {"safety_stock": 160, "cycle_stock": 70, "pipeline_stock": 180}


def test_two_markets_share_one_root_and_one_slot() -> None:
    # each market alone: variance 64; together 128: 20 · √128 = 226.2742; one slot of 30
    frames = shelf(
        9,
        markets=[{"market": "M"}, {"market": "N"}],
        demand=[{"market": m, "product": "P", "units": 365, "vmr": 4} for m in ("M", "N")],
        lanes=[lane("S", "W", lead_days=9), lane("W", "M"), lane("W", "N")],
        sites=[
            {"site": "S", "status": "keep"},
            {"site": "W", "status": "keep", "stock": "must", "stock_cost": 30},
        ],
    )
    found = buckets(frames)
    assert found["safety_stock"] == pytest.approx(20 * math.sqrt(128), abs=1e-3)
    assert found["stock_slots"] == 30


def two_channels(o2o: dict[str, Any], **online: Any) -> dict[str, pd.DataFrame]:
    """Shelf with two channels of 365 units each; V = 64 in each."""
    return shelf(
        9,
        channels=[channel(0, "shop"), channel(0, "online", **online)],
        demand=[
            {"market": "M", "channel": c, "product": "P", "units": 365, "vmr": 4} for c in ("shop", "online")
        ],
        sites=[{"site": "S", "status": "keep"}, {"site": "W", "status": "keep", "stock": "must", **o2o}],
    )


def test_joining_pools_pays_when_it_is_cheap() -> None:
    # apart 2 · 160 = 320; joined 20 · √128 = 226.2742
    root = round(20 * math.sqrt(128), 4)
    cheap, dear = two_channels({"o2o_cost": 90}), two_channels({"o2o_cost": 95})
    rest = {"cycle_stock": 140, "pipeline_stock": 360}
    assert buckets(cheap) == {"safety_stock": root, "integration": 90, **rest}
    assert buckets(dear) == {"safety_stock": 320, **rest}
    assert buckets(cheap, only("remove")) == {"safety_stock": 320, **rest}


def test_joined_today_stays_joined_without_the_lever() -> None:
    # √128 · 20 + 95 = 321.27 > 320: the lever separates, as-is cannot
    joined = two_channels({"o2o_cost": 95, "o2o": "existing"})
    assert buckets(joined)["safety_stock"] == 320
    assert buckets(joined, AS_IS)["integration"] == 95
    assert buckets(joined, only("restock"))["integration"] == 95


def test_pools_use_the_highest_level_of_their_channels() -> None:
    # apart: 1 · 8 and 2 · 8 units = 24 units: 480; one common pool: 2 · √128 = 22.6274 units: 452.5483
    apart = two_channels({}, service_level=TWO_SIGMA)
    common = two_channels({}, service_level=TWO_SIGMA, pool="shop")
    assert buckets(apart)["safety_stock"] == 480
    assert buckets(common)["safety_stock"] == pytest.approx(40 * math.sqrt(128), abs=1e-3)


def test_a_stock_point_quotes_the_days_that_the_promise_leaves() -> None:
    # 5 days to W, 1 day to M, promise 3: W quotes 2, covers 5 - 2 + 6 = 9 days, variance 36, 6 units: 120
    # review 6 days: 3 units of cycle stock: 60; pipeline 6 days: 120
    frames = shelf(
        5,
        promise=3,
        settings=[{"key": "review_days", "value": 6}],
        lanes=[lane("S", "W", lead_days=5), lane("W", "M", lead_days=1)],
    )
    assert buckets(frames) == {"safety_stock": 120, "cycle_stock": 60, "pipeline_stock": 120}


def test_a_stock_point_may_quote_the_tolerated_lateness() -> None:
    # as above with promise 1 and 2 days of lateness, all late: same stock, 365 late units at 0.1
    frames = shelf(
        5,
        settings=[{"key": "review_days", "value": 6}],
        lanes=[lane("S", "W", lead_days=5), lane("W", "M", lead_days=1)],
        channels=[channel(1, max_late_days=2, late_cost=0.1, on_time_share=0)],
    )
    # on time instead: quotes 0, 11 days, variance 44: 20 · √44 = 132.66, which is less than 120 + 36.5
    assert buckets(frames)["safety_stock"] == pytest.approx(20 * math.sqrt(44), abs=1e-3)
    frames["channels"]["late_cost"] = 0.01
    assert buckets(frames) == {"safety_stock": 120, "cycle_stock": 60, "pipeline_stock": 120, "late": 3.65}


def test_a_must_point_quotes_zero_where_the_promise_leaves_more_than_it_took() -> None:
    # e = 2, promise 5, last mile 0: 5 is no admissible quote; quotes 0, covers 2 + 7 = 9 days: 6 units
    assert buckets(shelf(2, "must", 5))["safety_stock"] == 120
    # not compulsory: passed, nothing held
    assert buckets(shelf(2, "optional", 5)) == {"pipeline_stock": 40}


def test_nothing_is_held_and_no_slot_paid_at_zero_coverage() -> None:
    # e = 2, promise 2, last mile 0, no review: the quote may be 2, coverage 0
    frames = shelf(2, "must", 2, settings=[{"key": "review_days", "value": 0}])
    frames["sites"]["stock_cost"] = 50
    assert buckets(frames) == {"pipeline_stock": 40}
    frames["channels"]["response_days"] = 0  # covers 2 days: variance 8
    assert buckets(frames)["safety_stock"] == pytest.approx(20 * math.sqrt(8), abs=1e-3)
    assert buckets(frames)["stock_slots"] == 50


def test_todays_points_stock_everything_without_the_lever() -> None:
    # promise 9 = lead: with the lever W is passed, without it W quotes 9 and covers its review alone: V = 28
    frames = shelf(9, "existing", 9)
    assert buckets(frames) == {"pipeline_stock": 180}
    held = {"safety_stock": round(20 * math.sqrt(28), 4), "cycle_stock": 70, "pipeline_stock": 180}
    assert buckets(frames, AS_IS) == held
    assert buckets(frames, only("remove")) == held
    optional = shelf(9, "optional", 0)
    assert best_cost(optional, AS_IS) is None


def test_a_stock_day_ceiling_sets_a_least_volume() -> None:
    # a share x of the flow through W holds √(64 x) + 3.5 x days; at most 12 x: x ≥ 64 / 72.25
    # the direct lane at 0.1 would be cheaper than stock and takes all the rest if W must be used at all
    frames = shelf(9)
    frames["products"]["max_site_days"] = 12
    frames["lanes"] = pd.DataFrame(
        [lane("S", "W", lead_days=9), lane("W", "M"), lane("S", "M", unit_cost=0.1, capacity=0.2 * 365)]
    )
    share = 64 / 72.25
    assert cost(frames) == pytest.approx(
        20 * (math.sqrt(64 * share) + (3.5 + 9) * share) + 36.5 * (1 - share), rel=1e-6
    )
    frames["products"]["max_site_days"] = 11  # 7.5² x ≥ 64 needs more than all
    assert best_cost(frames, INTEGRATED) is None
    frames["lanes"].loc[2, "capacity"] = 365.0  # all direct
    assert cost(frames) == pytest.approx(36.5)


def test_a_stock_value_limit_forces_part_of_the_flow_to_pass() -> None:
    # value of stock at W for a share x: 100 · (8 √x + 3.5 x) ≤ 575: √x = (√(64 + 4 · 3.5 · 5.75) - 8) / 7
    # the rest goes direct at 3, which is dearer than stock
    frames = shelf(9, limits=[{"limit": "cash", "measure": "stock_value", "max": 575}])
    frames["lanes"] = pd.DataFrame([lane("S", "W", lead_days=9), lane("W", "M"), lane("S", "M", unit_cost=3)])
    share = ((math.sqrt(64 + 14 * 5.75) - 8) / 7) ** 2
    total = 20 * (8 * math.sqrt(share) + 12.5 * share) + 365 * 3 * (1 - share)
    assert cost(frames) == pytest.approx(total, rel=1e-6)


# ------------------------------------------------------------------------------------------------------- time


@pytest.mark.parametrize(("step", "promise", "feasible"), [(1, 2, True), (1, 1, False), (0.5, 1, True)])
def test_times_are_rounded_up_one_by_one_and_pipeline_is_not(
    step: float, promise: float, feasible: bool
) -> None:
    # process 0.4 and lead 0.4: 1 + 1 days in steps of 1, 0.5 + 0.5 in steps of 0.5; pipeline 0.8 units: 16
    frames = case(
        settings=[{"key": "time_step_days", "value": step}],
        sites=[{"site": "S", "status": "keep", "process_days": 0.4}],
        lanes=[lane("S", "M", lead_days=0.4)],
        channels=[channel(promise)],
    )
    assert best_cost(frames, INTEGRATED) == (pytest.approx(16) if feasible else None)


def test_production_lead_time_counts_and_carries_no_pipeline() -> None:
    frames = case(supply=[{"site": "S", "product": "P", "lead_days": 3}], channels=[channel(2)])
    assert best_cost(frames, INTEGRATED) is None
    frames["channels"]["response_days"] = 3
    assert cost(frames) == 0


def fast_and_slow(rate: float = 1, **more: Any) -> dict[str, pd.DataFrame]:
    """100 worthless units; 3 days at 1 or 1 day at 4; promise 1, late units cost 2, 60 % on time."""
    return case(
        products=[{"product": "P"}],
        demand=[{"market": "M", "product": "P", "units": 100}],
        lanes=[
            lane("S", "M", mode="slow", lead_days=3, unit_cost=1),
            lane("S", "M", mode="fast", lead_days=1, unit_cost=4, on_time_rate=rate),
        ],
        channels=[channel(1, on_time_share=0.6, late_cost=2, **more)],
    )


def test_late_units_pay_and_the_share_binds() -> None:
    # 60 fast at 4, 40 slow at 1 + 2
    assert buckets(fast_and_slow()) == {"transport": 280, "late": 80}


def test_lateness_may_be_bounded() -> None:
    assert cost(fast_and_slow(max_late_days=1)) == pytest.approx(400)


def test_on_time_rates_shrink_what_is_on_time() -> None:
    # 0.8 · 75 = 60 on time; 75 fast and 25 slow: 325; late 15 + 25 = 40: 80
    assert buckets(fast_and_slow(0.8)) == {"transport": 325, "late": 80}
    assert best_cost(fast_and_slow(0.5), INTEGRATED) is None


@pytest.mark.parametrize(("scope", "total"), [("market", 720), ("region", 720), ("all", 600)])
def test_shares_hold_over_their_scope(scope: str, total: float) -> None:
    # N is in another region. Its fast lane costs 4: each market 60 · 4 + 40 · 3 = 360, two of them 720.
    # Over all markets with N's fast lane at 2.8: N 100 · 2.8 = 280, M 20 · 4 + 80 · 3 = 320.
    frames = fast_and_slow(share_scope=scope)
    frames["markets"] = pd.DataFrame([{"market": "M", "region": "north"}, {"market": "N", "region": "south"}])
    frames["demand"] = pd.DataFrame([{"market": m, "product": "P", "units": 100} for m in ("M", "N")])
    price = 4.0 if scope != "all" else 2.8
    extra = [
        lane("S", "N", mode="slow", lead_days=3, unit_cost=1),
        lane("S", "N", lead_days=1, unit_cost=price),
    ]
    frames["lanes"] = pd.concat([frames["lanes"], pd.DataFrame(extra)], ignore_index=True)
    assert cost(frames) == pytest.approx(total)


# ----------------------------------------------------------------------------------------------------- offers


def tariff(subject: str, behavior: str, *tiers: tuple[float, float, float]) -> Rows:
    return [
        {
            "subject": subject,
            "from_units": start,
            "unit_cost": unit,
            "fixed_cost": fixed,
            "behavior": behavior,
        }
        for start, unit, fixed in tiers
    ]


@pytest.mark.parametrize(
    ("behavior", "total"),
    [("incremental", 5 * 1000 + 4 * 500 + 100 + 30), ("all_units", 4 * 1500 + 30)],
)
@pytest.mark.parametrize("subject", ["S", "S>M"])
def test_falling_tariffs(behavior: str, total: float, subject: str) -> None:
    # tiers: 5 from 0 with 100, 4 from 1000 with 30; they replace the costs of the site or of the lanes
    frames = case(
        sites=[{"site": "S", "status": "keep", "fixed_cost": 900 * (subject == "S")}],
        demand=[{"market": "M", "product": "P", "units": 1500}],
        lanes=[lane("S", "M", unit_cost=0 if subject == "S" else 70)],
        rates=tariff(subject, behavior, (0, 5, 100), (1000, 4, 30)),
    )
    assert cost(frames) == pytest.approx(total)


def test_rising_tariffs_stop_at_the_edge() -> None:
    # another lane at 4.5; all units: 1000 · 4 + 500 · 4.5, for 1001 units would cost 5 each
    # incremental, 4 up to 1000 and 5 above: the same split
    for behavior in ("all_units", "incremental"):
        frames = case(
            sites=[{"site": "S", "status": "keep"}, {"site": "T", "status": "keep"}],
            supply=[{"site": s, "product": "P"} for s in ("S", "T")],
            demand=[{"market": "M", "product": "P", "units": 1500}],
            lanes=[lane("S", "M"), lane("T", "M", unit_cost=4.5)],
            rates=tariff("S>M", behavior, (0, 4, 0), (1000, 5, 0)),
        )
        assert cost(frames) == pytest.approx(6250)


def test_size_counts_in_rates_and_capacities() -> None:
    # 100 units of size 2 are 200: all at the second price of 1; a site that holds 199 cannot take them
    frames = case(
        products=[{"product": "P", "size": 2}],
        demand=[{"market": "M", "product": "P", "units": 100}],
        rates=tariff("S", "all_units", (0, 3, 0), (200, 1, 0)),
    )
    assert cost(frames) == pytest.approx(200)
    frames["sites"]["capacity"] = 199
    assert best_cost(frames, INTEGRATED) is None


def test_a_lowest_tier_above_zero_is_a_least_volume_but_not_in_as_is() -> None:
    frames = case(
        lanes=[lane("S", "M"), lane("S", "M", mode="air")],
        rates=tariff("S>M", "incremental", (400, 2, 0)),
    )
    assert best_cost(frames, INTEGRATED) is None
    assert cost(frames, AS_IS) == pytest.approx(730)  # the first price also holds below


@pytest.mark.parametrize(("own", "total"), [(6, 500), (4.5, 450)])
def test_a_least_bill_is_paid_in_all(own: float, total: float) -> None:
    # 100 units by the operator: contract 100 and lane 200, topped up to 500; own lane 600 or 450
    frames = case(
        products=[{"product": "P"}],
        demand=[{"market": "M", "product": "P", "units": 100}],
        lanes=[lane("S", "M", unit_cost=own), lane("S", "M", unit_cost=2, operator="O", status="candidate")],
        operators=[{"operator": "O", "contract_cost": 100, "min_bill": 500}],
    )
    assert cost(frames) == pytest.approx(total)
    assert cost(frames, only("add", "direct")) == pytest.approx(100 * own)


@pytest.mark.parametrize(
    ("inbound", "capacity", "feasible"), [("", 365, True), ("O", 365, False), ("O", 730, True)]
)
def test_operators_count_sites_and_lanes_from_elsewhere(
    inbound: str, capacity: float, feasible: bool
) -> None:
    # at its site 365 units; its lane from there not again; its lane from S another 365
    frames = shelf(0, "no")
    frames["sites"]["operator"] = ["", "O"]
    frames["lanes"]["operator"] = [inbound, "O"]
    frames["operators"] = pd.DataFrame([{"operator": "O", "capacity": capacity}])
    assert (best_cost(frames, INTEGRATED) is not None) == feasible


def test_lane_offers_pay_once_when_used() -> None:
    # van: 100 and 1 each, at least 50 units; parcel: 3 each. 365 units: 465; 40 units: only parcel, 120
    frames = case(
        lanes=[
            lane("S", "M", mode="van", fixed_cost=100, unit_cost=1, min_units=50),
            lane("S", "M", mode="parcel", unit_cost=3),
        ]
    )
    assert cost(frames) == pytest.approx(465)
    frames["demand"]["units"] = 40
    assert cost(frames) == pytest.approx(120)


# ------------------------------------------------------------------------------------------------------ sites


def with_depot(**depot: Any) -> dict[str, pd.DataFrame]:
    """Depot ``W`` at 1000 a year, or a candidate lane past it at 1 a unit."""
    return case(
        products=[{"product": "P"}],
        sites=[
            {"site": "S", "status": "keep"},
            {"site": "W", "status": "existing", "fixed_cost": 1000, **depot},
        ],
        lanes=[lane("S", "W"), lane("W", "M"), lane("S", "M", unit_cost=1, status="candidate")],
    )


@pytest.mark.parametrize(
    ("close", "replacement", "total"),
    [(300, 200, 365 + 100 + 200), (-900, 0, 365 - 300), (3000, 0, 1000)],
)
def test_closing_costs_and_replacement(close: float, replacement: float, total: float) -> None:
    # closing for good: lane 365, close_cost over 3 years, replacement_cost each year; staying: 1000
    frames = with_depot(close_cost=close, replacement_cost=replacement)
    assert cost(frames) == pytest.approx(total)
    assert cost(frames, AS_IS) == pytest.approx(1000)


def test_levers_hold_what_they_do_not_switch() -> None:
    frames = with_depot()
    assert cost(frames) == pytest.approx(365)
    assert cost(frames, only("remove")) == pytest.approx(1000)  # no way past the depot
    assert cost(frames, only("direct")) == pytest.approx(1000)  # the depot stays, its lanes are free
    frames["sites"]["status"] = ["keep", "close"]
    assert cost(frames, only("direct")) == pytest.approx(1000)
    assert best_cost(frames, only("remove", "add")) is None  # it must go, and nothing passes it
    assert cost(frames) == pytest.approx(365)


def takeover() -> dict[str, pd.DataFrame]:
    """Own depot at 1000, or the operator's at the same place: 1 a unit and 300 / 3 + 50 for the change."""
    frames = with_depot(close_cost=300, replacement_cost=50)
    outside = {"site": "X", "place": "W", "operator": "O", "unit_cost": 1}
    frames["sites"] = pd.concat([frames["sites"], pd.DataFrame([outside])], ignore_index=True)
    frames["lanes"] = pd.DataFrame([lane("S", "W"), lane("W", "M"), lane("S", "X"), lane("X", "M")])
    frames["operators"] = pd.DataFrame([{"operator": "O"}])
    return frames


def test_another_site_takes_over_a_place() -> None:
    frames = takeover()
    assert buckets(frames) == {"operators": 365, "one_off": 100, "replaced": 50}
    assert cost(frames, only("outsource")) == pytest.approx(515)  # closing is no removal here
    assert cost(frames, only("remove", "add", "direct")) == pytest.approx(1000)


def test_a_place_holds_one_open_site() -> None:
    frames = takeover()
    frames["sites"]["capacity"] = [None, 200, 200]
    assert best_cost(frames, INTEGRATED) is None
    frames["sites"]["place"] = ["S", "W", "X"]
    # 200 at most through X: 1000 for W, 165 through X
    assert cost(frames) == pytest.approx(1165)


def test_open_and_idle_sites_pay() -> None:
    # X must be opened: 90 / 3 + 40; the idle site E costs 10, closing it brings 60 / 3 a year
    frames = case(
        sites=[
            {"site": "S", "status": "keep"},
            {"site": "X", "status": "open", "open_cost": 90, "fixed_cost": 40},
            {"site": "E", "status": "existing", "close_cost": -60, "fixed_cost": 10},
        ]
    )
    assert buckets(frames) == {"sites": 40, "one_off": 10}
    assert cost(frames, only("add")) == pytest.approx(80)
    assert cost(frames, only("remove")) == pytest.approx(-20)
    assert cost(frames, AS_IS) == pytest.approx(10)


# ----------------------------------------------------------------------------------- the rest of the contract


def test_costs_of_served_units() -> None:
    # 100 units, price 50, value 10: supply 2, handling 7, margin 0.04 · 50, commission 0.1 · 50; damage 0.05
    # of value (losses) and of return cost, 0.15 (returns), returns 0.2 · 3; emissions (1 + 4) · 0.1
    frames = case(
        settings=[{"key": "co2_price", "value": 0.1}],
        products=[{"product": "P", "value": 10, "price": 50}],
        sites=[{"site": "S", "status": "keep", "margin_rate": 0.04, "co2_per_unit": 1, "unit_cost": 6}],
        site_products=[{"site": "S", "product": "P", "unit_cost": 7}],
        supply=[{"site": "S", "product": "P", "unit_cost": 2}],
        demand=[{"market": "M", "product": "P", "units": 100}],
        lanes=[lane("S", "M", damage_rate=0.05, co2_per_unit=4)],
        channels=[channel(commission_rate=0.1, return_rate=0.2, return_cost=3)],
    )
    want = {"supply": 200, "handling": 700, "margins": 200, "commission": 500, "losses": 50, "returns": 75}
    assert buckets(frames) == {**want, "emissions": 50}


def test_losses_follow_stock_and_pipeline() -> None:
    # 8 safety, 3.5 cycle and 9 pipeline units lose 0.001 of 100 a day: 20.5 · 36.5
    frames = shelf(9)
    frames["products"]["loss_rate_per_day"] = 0.001
    assert buckets(frames)["losses"] == pytest.approx(748.25, abs=1e-3)


def test_unmet_demand_within_the_fill() -> None:
    # a unit costs 9 to serve, 4 to refuse; a fifth may be refused
    frames = case(
        lanes=[lane("S", "M", unit_cost=9)],
        demand=[{"market": "M", "product": "P", "units": 100}],
        channels=[channel(min_fill=0.8, unmet_cost=4)],
    )
    assert buckets(frames) == {"transport": 720, "unmet": 80}


def test_a_single_source_serves_all_products() -> None:
    # each product is cheaper from another site; both from S: 100 + 500, both from T: 400 + 100
    frames = case(
        products=[{"product": "P"}, {"product": "Q"}],
        sites=[{"site": "S", "status": "keep"}, {"site": "T", "status": "keep"}],
        supply=[{"site": s, "product": p} for s in ("S", "T") for p in ("P", "Q")],
        demand=[{"market": "M", "product": p, "units": 100} for p in ("P", "Q")],
        lanes=[
            lane(site, "M", product=p, unit_cost=c)
            for site, p, c in (("S", "P", 1), ("S", "Q", 5), ("T", "P", 4), ("T", "Q", 1))
        ],
    )
    assert cost(frames) == pytest.approx(200)
    frames["channels"] = pd.DataFrame([channel(single_source="yes")])
    assert cost(frames) == pytest.approx(500)


@pytest.mark.parametrize(
    ("limit", "total"),
    [
        ({"measure": "closures", "max": 0}, 1000),
        ({"measure": "changes", "max": 1}, 365 + 100),
        ({"measure": "changes", "max": 0}, 1000),
        ({"measure": "one_off", "max": 299}, 1000),
        ({"measure": "sites", "min": 2}, 1000),
        ({"measure": "units", "site": "W", "min": 10}, 1000),
        ({"measure": "units", "max": 400}, 465),
        ({"measure": "co2", "max": 2000}, 1000),
        ({"measure": "co2", "market": "M", "max": 2200}, 465),
    ],
)
def test_limits(limit: dict[str, Any], total: float) -> None:
    # closing the depot costs 300 once; the direct lane 365 a year and 6 kg a unit, by the depot 3 + 2 kg
    frames = with_depot(close_cost=300)
    frames["lanes"]["co2_per_unit"] = [3, 2, 6]
    frames["limits"] = pd.DataFrame([{"limit": "a", **limit}])
    assert cost(frames) == pytest.approx(total)
    assert cost(frames, AS_IS) == pytest.approx(1000)


def test_dropping_a_stock_point_is_a_change() -> None:
    # W stocks today though the promise of 9 days needs none; dropping it is one change
    frames = shelf(9, "existing", 9)
    frames["sites"]["status"] = "keep"
    frames["limits"] = pd.DataFrame([{"limit": "a", "measure": "changes", "max": 1}])
    assert cost(frames) == pytest.approx(180)


def test_no_route_visits_a_site_twice() -> None:
    frames = shelf(1, "must", 3)
    frames["lanes"] = pd.DataFrame([lane("S", "W", lead_days=1), lane("W", "S", lead_days=1), lane("W", "M")])
    routes = Routes(Given(frames, INTEGRATED)).all()
    assert {route.sites for route in routes} == {("S", "W")}


# ------------------------------------------------------------------------------------------ plain enumeration


def uncoupled(seed: int) -> dict[str, pd.DataFrame]:
    """A tiny case in which nothing but concave cost couples demands: each goes by one route alone."""
    frames = {sheet: frame for sheet, frame in tiny_case(seed).items() if sheet not in ("limits", "rates")}
    coupling = {
        "capacity",
        "min_units",
        "min_bill",
        "max_stock_days",
        "max_site_days",
        "single_source",
        "min_fill",
    }
    for sheet, frame in frames.items():
        frames[sheet] = frame.drop(columns=[name for name in frame if name in coupling])
    if "channels" in frames:
        frames["channels"] = frames["channels"].assign(on_time_share=0.0)
    frames["demand"] = frames["demand"].head(3)
    return frames


def enumerated(frames: dict[str, pd.DataFrame]) -> tuple[int, float]:
    """Number of assignments of demands to routes, and the least price over all of them and all decisions."""
    given = Given(frames, INTEGRATED)
    routes = Routes(given).all()
    choices = [[route for route in routes if route.key == key] for key in given.demand]
    count = math.prod(len(some) for some in choices)
    best = math.inf
    if count > 400:
        return count, best
    sites = [range(site.low, site.high + 1) for site in given.sites.values()]
    for decision in itertools.product(*sites):
        opened = frozenset(name for name, on in zip(given.sites, decision, strict=True) if on)
        if max(Counter(given.sites[name].place for name in opened).values(), default=0) > 1:
            continue
        usable = [[route for route in some if opened.issuperset(route.sites)] for some in choices]
        free = [name for name in opened if given.joins(name) == "free"]
        for joined in itertools.chain.from_iterable(
            itertools.combinations(free, n) for n in range(len(free) + 1)
        ):
            for chosen in itertools.product(*usable):
                flows = tuple((route, given.demand[route.key]) for route in chosen)
                best = min(best, sum(bill(given, Design(flows, opened, frozenset(joined), ())).values()))
    return count, best


def test_the_tree_agrees_with_plain_enumeration() -> None:
    compared = 0
    for seed in range(40):
        frames = uncoupled(seed)
        count, best = enumerated(frames)
        if 1 < count <= 400 and best < math.inf:
            compared += 1
            assert cost(frames) == pytest.approx(best, rel=2e-7), seed
    assert compared > 15


def test_tiny_cases_cover_the_contract() -> None:
    seen: Counter[str] = Counter()
    for seed in range(150):
        seen.update(features(tiny_case(seed)))
    words = {
        "sites.status": ["keep", "existing", "close", "candidate", "open", "closed"],
        "sites.stock": ["no", "optional", "existing", "must"],
        "limits.measure": [
            *("sites", "openings", "closures", "changes"),
            *("units", "one_off", "co2", "stock_value"),
        ],
        "channels.share_scope": ["market", "region", "all"],
        "sites.o2o": ["existing"],
    }
    wanted = [f"{column}={word}" for column, some in words.items() for word in some]
    wanted += [f"tariff on {subject}" for subject in ("site", "operator", "pair")]
    wanted += [f"tariff {b} {slope}" for b in ("incremental", "all_units") for slope in ("rising", "falling")]
    wanted += [
        "promise above zero",
        "several pools",
        "shared pool",
        "no review",
        "take over",
        "operator today",
    ]
    wanted += ["unused existing site", "negative closing cost", "direct candidate lane", "two sources"]
    wanted += ["channels.max_late_days", "channels.late_cost", "channels.min_fill", "channels.single_source"]
    wanted += ["operators.contract_cost", "operators.min_bill", "operators.min_units", "operators.capacity"]
    wanted += [
        "products.max_stock_days",
        "products.max_site_days",
        "products.size",
        "site_products.stock_cost",
    ]
    wanted += [
        "lanes.fixed_cost",
        "lanes.min_units",
        "lanes.capacity",
        "lanes.operator",
        "lanes.on_time_rate",
    ]
    wanted += ["sites.min_units", "sites.capacity", "sites.o2o_cost", "sites.replacement_cost"]
    wanted += [
        "rates.fixed_cost",
        "lowest from_units above 0",
        "settings time_step_days",
        "settings co2_price",
    ]
    assert {name: seen[name] for name in wanted if seen[name] < 3} == {}


def test_most_tiny_cases_have_designs() -> None:
    found = Counter(
        (name, best_cost(tiny_case(seed), strategy) is not None)
        for seed in range(40)
        for name, strategy in (("integrated", INTEGRATED), ("as_is", AS_IS))
    )
    assert found["integrated", True] >= 34
    assert found["as_is", True] >= 34


def test_buckets_are_those_of_the_contract() -> None:
    found = best_design(case(), INTEGRATED)
    assert found is not None
    assert list(found[1]) == BUCKETS
