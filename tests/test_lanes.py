"""Lanes from rules: distances, costs, which pairs, and what explicit lanes do to them."""

from __future__ import annotations

import math

import numpy as np
import pytest

from scopt.case import Case
from scopt.casefile.lanes import EARTH_RADIUS_KM, haversine
from scopt.errors import CaseError

DEGREE = math.pi * EARTH_RADIUS_KM / 180  # km along the equator


def build(rules, sites, markets=None, lanes=None, **settings):
    """A case with one product whose sites and markets lie on the equator at the longitudes given."""
    markets = markets or {"K": 0}
    demand = [{"market": market, "product": "tea", "units": 1} for market in markets]
    tables = {
        "settings": [{"key": key, "value": value} for key, value in ({"circuity": 1} | settings).items()],
        "products": [{"product": "tea", "weight_kg": 500}],
        "sites": [
            {"site": site, "tier": tier, "status": status, "latitude": 0, "longitude": longitude}
            for site, (tier, status, longitude) in sites.items()
        ],
        "supply": [{"site": next(iter(sites)), "product": "tea"}],
        "markets": [{"market": m, "latitude": 0, "longitude": x} for m, x in markets.items()],
        "demand": demand,
        "lane_rules": rules,
    }
    if lanes is not None:
        tables["lanes"] = lanes
    return Case.from_frames(tables)


def pairs(case):
    """Origins and destinations of the lanes, sorted."""
    return sorted(zip(case.lanes["origin"], case.lanes["destination"], strict=True))


ONE = {"a": ("dc", "keep", 1)}
TO_MARKET = {"from_tier": "dc", "to_tier": "market"}


def test_haversine_by_hand():
    zero = np.zeros(1)
    assert haversine(zero, zero, zero, np.array([90.0]))[0] == pytest.approx(90 * DEGREE)
    assert haversine(zero, zero, np.array([-90.0]), zero)[0] == pytest.approx(90 * DEGREE)
    assert haversine(zero, zero, zero, np.array([180.0]))[0] == pytest.approx(180 * DEGREE)
    # Beijing to Shanghai is about 1068 km as the crow flies.
    beijing_shanghai = haversine(*(np.array([x]) for x in (39.9042, 116.4074, 31.2304, 121.4737)))
    assert beijing_shanghai[0] == pytest.approx(1067, abs=2)


def test_costs_times_and_rates_of_a_made_lane():
    rule = TO_MARKET | {
        "cost_base": 3, "cost_per_km": 0.1, "cost_per_tonne_km": 0.5, "km_per_day": 60, "min_days": 1,
        "fixed_cost": 7, "co2_per_tonne_km": 0.06, "damage_rate": 0.01, "on_time_rate": 0.9,
        "channel": "all", "mode": "van", "status": "candidate",
    }  # fmt: skip
    lane = build([rule], ONE, circuity=1.5).lanes.iloc[0]
    km = 1.5 * DEGREE
    assert lane["distance_km"] == pytest.approx(km)
    assert lane["unit_cost"] == pytest.approx(3 + 0.1 * km)
    assert lane["unit_cost_per_tonne"] == pytest.approx(0.5 * km)
    assert lane["co2_per_tonne"] == pytest.approx(0.06 * km)
    assert lane["lead_days"] == pytest.approx(km / 60)
    assert lane[["fixed_cost", "damage_rate", "on_time_rate"]].tolist() == [7, 0.01, 0.9]
    assert lane[["channel", "product", "mode", "operator", "status"]].tolist() == [
        "all",
        "",
        "van",
        "",
        "candidate",
    ]
    assert lane["rule"] == 1


def test_lead_days_are_at_least_min_days():
    assert build([TO_MARKET | {"km_per_day": 1000, "min_days": 2}], ONE).lanes["lead_days"].tolist() == [2]
    assert build([TO_MARKET | {"min_days": 2}], ONE).lanes["lead_days"].tolist() == [2]
    assert build([TO_MARKET], ONE).lanes["lead_days"].tolist() == [0]


def test_closed_sites_have_no_lanes_and_none_leads_to_itself():
    sites = {"a": ("dc", "keep", 1), "b": ("dc", "closed", 2), "c": ("dc", "candidate", 3)}
    case = build([{"from_tier": "dc", "to_tier": "dc"}, TO_MARKET], sites)
    assert pairs(case) == [("a", "K"), ("a", "c"), ("c", "K"), ("c", "a")]


def test_nearest_counts_todays_sites_and_candidates_apart():
    sites = {
        "a": ("dc", "keep", 3), "b": ("dc", "existing", 1), "c": ("dc", "close", 2),
        "d": ("dc", "candidate", 5), "e": ("dc", "open", 4), "f": ("dc", "candidate", 9),
    }  # fmt: skip
    case = build([TO_MARKET | {"nearest": 2}], sites, {"K": 0, "L": 10})
    assert [start for start, end in pairs(case) if end == "K"] == ["b", "c", "d", "e"]
    assert [start for start, end in pairs(case) if end == "L"] == ["a", "c", "d", "f"]


def test_ties_go_to_the_smaller_id():
    sites = {"z": ("dc", "keep", 1), "b": ("dc", "keep", -1), "a": ("dc", "keep", 2)}
    assert pairs(build([TO_MARKET | {"nearest": 1}], sites)) == [("b", "K")]


def test_max_km_comes_before_nearest():
    sites = {"a": ("dc", "keep", 1), "b": ("dc", "candidate", 2), "c": ("dc", "candidate", 3)}
    near = build([TO_MARKET | {"nearest": 1, "max_km": 1.5 * DEGREE}], sites)
    assert pairs(near) == [("a", "K")]
    assert pairs(build([TO_MARKET | {"max_km": 2.5 * DEGREE}], sites)) == [("a", "K"), ("b", "K")]


def test_an_explicit_lane_replaces_a_made_one_of_its_key():
    lanes = [
        {"origin": "a", "destination": "K", "unit_cost": 9},
        {"origin": "a", "destination": "K", "mode": "bike"},
    ]
    case = build([TO_MARKET | {"cost_base": 1}], ONE | {"b": ("dc", "keep", 2)}, lanes=lanes)
    assert case.lanes[["origin", "mode", "unit_cost", "rule"]].to_numpy().tolist() == [
        ["a", "truck", 9, 0],
        ["a", "bike", 0, 0],
        ["b", "truck", 1, 1],
    ]


def test_a_closed_lane_takes_the_made_one_away():
    lanes = [{"origin": "a", "destination": "K", "status": "closed"}]
    case = build([TO_MARKET], ONE | {"b": ("dc", "keep", 2)}, lanes=lanes)
    assert case.lanes[["origin", "status"]].to_numpy().tolist() == [["a", "closed"], ["b", "existing"]]


FAULTY = {
    "two rules of one key": ({"rules": [TO_MARKET, TO_MARKET]}, ["lane_rules!"]),
    "all channels and one": ({"rules": [TO_MARKET, TO_MARKET | {"channel": "all"}]}, ["lane_rules!C3"]),
    "explicit lane of one product": (
        {"rules": [TO_MARKET], "lanes": [{"origin": "a", "destination": "K", "product": "tea"}]},
        ["lanes!A2"],
    ),
    "closed lane of one product": (
        {
            "rules": [TO_MARKET],
            "lanes": [{"origin": "a", "destination": "K", "product": "tea", "status": "closed"}],
        },
        ["lanes!A2"],
    ),
    "unknown tier": ({"rules": [TO_MARKET, {"from_tier": "shop", "to_tier": "dc"}]}, ["lane_rules!A3"]),
    "from the market": ({"rules": [TO_MARKET, {"from_tier": "market", "to_tier": "dc"}]}, ["lane_rules!A3"]),
    "no coordinates": ({"rules": [TO_MARKET], "sites": ONE | {"b": ("dc", "keep", None)}}, ["sites!E3"]),
    "nearest": ({"rules": [TO_MARKET | {"nearest": 1.5}]}, ["lane_rules!C2"]),
}


@pytest.mark.parametrize(("content", "where"), FAULTY.values(), ids=FAULTY)
def test_findings(content, where):
    with pytest.raises(CaseError) as caught:
        build(**{"sites": ONE} | content)
    errors = caught.value.findings.errors
    assert [one.where.rstrip("!") for one in errors] == [place.rstrip("!") for place in where], str(errors)


def test_a_rule_that_makes_no_lane_is_a_warning():
    case = build([TO_MARKET, TO_MARKET | {"mode": "bike", "max_km": 1}], ONE)
    assert [(one.level, one.where) for one in case.warnings] == [("warning", "lane_rules!A3")]


def test_a_large_rule_is_made_at_once():
    random = np.random.default_rng(7)
    sites = {
        f"s{n:03}": ("dc", "keep" if n % 2 else "candidate", x)
        for n, x in enumerate(random.uniform(0, 50, 200))
    }
    markets = {f"k{n:04}": x for n, x in enumerate(random.uniform(0, 50, 1000))}
    case = build([TO_MARKET | {"nearest": 3, "cost_per_km": 1}], sites, markets)
    assert len(case.lanes) == 6000
    assert (case.lanes.groupby("destination").size() == 6).all()
    # Brute force for one market: the three nearest of each half.
    here = case.lanes[case.lanes["destination"] == "k0500"]
    for parity in (0, 1):
        gap = sorted(
            (abs(x - markets["k0500"]), site)
            for site, (_, _, x) in sites.items()
            if int(site[1:]) % 2 == parity
        )
        assert {site for _, site in gap[:3]} == {
            site for site in here["origin"] if int(site[1:]) % 2 == parity
        }
