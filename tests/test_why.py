"""Why a decision is as it is, on chains whose answer is worked out by hand beside the input.

Every break-even is checked once more by typing prices a little on both sides of it into the case and solving
that, which shares nothing with how `why` changes prices.
"""

from functools import cache
from itertools import product as combinations
from math import sqrt
from pathlib import Path
from statistics import NormalDist

import openpyxl
import pandas as pd
import pytest
from test_cases import HOLD, HUBS, INTEGRATED, ROUTES, Z, design_cost

import scopt
from scopt import UsageError, why
from scopt.case import Case
from scopt.questions.breakeven import Line, break_even
from scopt.questions.decision import find
from scopt.questions.prices import Price
from scopt.questions.rules import rules
from scopt.search.method import Search

SMALL = Path(__file__).resolve().parent.parent / "cases" / "small.xlsx"
GAP = 1e-7


def two_hubs(**sheets):
    """200 units from S to M by hub A of today or the new hub B; a unit is sold at 20.

    By A 100 a year and 1 + 1 + 1 a unit: 700. By B 150 and 0.5 + 1 + 1, and A goes for 30/3 and 5 a year:
    150 + 500 + 15 = 665, so A closes. Both open costs 750 and more.
    """
    base = {
        "products": [{"product": "P", "price": 20}],
        "sites": [
            {"site": "S", "status": "keep"},
            {"site": "A", "status": "existing", "fixed_cost": 100, "unit_cost": 1, "close_cost": 30,
             "replacement_cost": 5},
            {"site": "B", "status": "candidate", "fixed_cost": 150, "unit_cost": 0.5},
        ],
        "supply": [{"site": "S", "product": "P"}],
        "markets": [{"market": "M"}],
        "demand": [{"market": "M", "product": "P", "units": 200}],
        "lanes": [{"origin": a, "destination": b, "unit_cost": 1} for a, b in ("SA", "SB", "AM", "BM")],
    }  # fmt: skip
    return Case.from_frames(base | sheets)


def with_cell(case, sheet, key, column, value):
    """Type a value into a case."""
    table = case.given[sheet].copy()
    rows = pd.Series(True, index=table.index)
    for name, wanted in key.items():
        rows &= table[name] == wanted
    assert rows.any()
    table[column] = table[column].astype(object)
    table.loc[rows, column] = value
    return case.replace(**{sheet: table})


def assert_flips(case, told, sheet, key):
    """See the decision flip when its price is typed in a little below and above the break-even."""
    today = {}  # as-is is no part of the question: found once
    for row in told.break_even.to_dict("records"):
        assert row["confirmed"] is True
        assert row["low"] <= row["break_even"] <= row["high"]
        by = 1e-3 * row["break_even"]
        for value, state in ((row["low"] - by, row["state_below"]), (row["high"] + by, row["state_above"])):
            result = scopt.solve(with_cell(case, sheet, key, row["price"], value), gap=GAP, searches=today)
            today = {"as_is": today["as_is"]}
            assert told.decision.word(told.decision.taken(result)) == state, (row, value)


# ------------------------------------------------------------------------------------------------------ sites
# A open: 700. A shut: 665 with closing and replacing, 650 without. B open: 665. B shut: 700.
SITE_PRICES = {
    "A": {"fixed_cost": 100 - 35, "unit_cost": 1 - 35 / 200, "close_cost": 30 + 3 * 35, "replacement_cost": 5 + 35},
    "B": {"margin_rate": 35 / (200 * 20), "open_cost": 3 * 35},
}  # fmt: skip


@pytest.mark.parametrize("site", SITE_PRICES)
def test_break_even_of_a_site(site):
    case, hand = two_hubs(), SITE_PRICES[site]
    told = why(case, site=site, price=list(hand), gap=GAP)
    assert told.difference == pytest.approx(35)
    assert told.taken is (site == "B")
    assert told.break_even.set_index("price")["break_even"].to_dict() == pytest.approx(hand, rel=1e-5)
    assert_flips(case, told, "sites", {"site": site})


def test_costs_and_changes_of_a_forced_site():
    told = why(two_hubs(), site="A", gap=GAP)
    costs = told.costs.set_index("bucket")
    changed = costs.loc[costs["difference"] != 0, "difference"].to_dict()
    assert changed == pytest.approx({"handling": 100, "sites": -50, "one_off": -10, "replaced": -5})
    assert told.changes.to_numpy().tolist() == [
        ["site", "A", "closed", "open"],
        ["site", "B", "open", "closed"],
    ]
    assert told.break_even["price"].tolist() == ["fixed_cost"]  # what it has, by default


def test_a_price_that_sends_a_site_below_zero():
    # A keeps 700 - 665 less with a margin of -35 / 4000: nobody pays that, so the case cannot say it.
    told = why(two_hubs(), site="A", price="margin_rate", gap=GAP)
    assert told.break_even["break_even"].item() == pytest.approx(-35 / 4000)
    assert told.break_even["confirmed"].item() is True


def agent(margin, lane=2.6):
    """200 units go directly at `lane` each or by an agent who costs 1 a year, 1 + 1 a unit and his margin."""
    return two_hubs(
        sites=[{"site": "S", "status": "keep"},
               {"site": "G", "status": "existing", "fixed_cost": 1, "margin_rate": margin}],
        lanes=[{"origin": "S", "destination": "G", "unit_cost": 1}, {"origin": "G", "destination": "M", "unit_cost": 1},
               {"origin": "S", "destination": "M", "unit_cost": lane, "status": "candidate"}],
    )  # fmt: skip


def test_margin_of_an_agent_who_would_stand_idle():
    # Kept at 5 % he is passed by: 520 + 1. At no margin he is used: 1 + 400. He pays from (520 - 401)/4000 on.
    case = agent(0.05)
    told = why(case, site="G", price=["margin_rate", "fixed_cost"], gap=GAP)
    assert told.difference == pytest.approx(1)
    assert any("G would stand idle" in message for message in told.messages)
    margin, fixed = told.break_even.to_dict("records")
    assert margin["break_even"] == pytest.approx(119 / 4000, rel=1e-5)
    assert fixed["break_even"] == pytest.approx(0, abs=1e-6)
    assert (margin["confirmed"], fixed["confirmed"]) == (True, True)
    assert [scopt.solve(agent(rate), gap=GAP).cost for rate in (0.0292, 0.0303)] == pytest.approx(
        [401 + 4000 * 0.0292, 520]
    )


def test_a_margin_that_would_not_help():
    told = why(
        agent(0.05, lane=1.9), site="G", price="margin_rate", gap=GAP
    )  # 380 directly, by him 400 and 1
    assert told.break_even["break_even"].isna().item()
    assert "open at no price, not even free of charge" in str(told)


def test_a_site_that_stays_however_dear_its_handling():
    # Removing A would cost 300/3 + 5 a year, keeping it idle 100: no unit cost closes it.
    case = with_cell(two_hubs(), "sites", {"site": "A"}, "close_cost", 300)
    told = why(case, site="A", price="unit_cost", gap=GAP)
    assert told.taken
    assert told.break_even["break_even"].isna().item()
    assert "closed at no price, however high" in str(told)


def test_goods_of_a_site():
    # Web goods: by A 1 + 1 + 1, past it 2.9. They would pass A from a unit cost of 0.9 on.
    case = two_hubs(
        sites=[{"site": "S", "status": "keep"}, {"site": "A", "status": "keep", "unit_cost": 1}],
        demand=[{"market": "M", "channel": c, "product": "P", "units": 100} for c in ("shop", "web")],
        lanes=[{"origin": "S", "destination": "A", "unit_cost": 1}, {"origin": "A", "destination": "M", "unit_cost": 1},
               {"origin": "S", "destination": "M", "channel": "web", "unit_cost": 2.9}],
    )  # fmt: skip
    told = why(case, site="A", channel="web", gap=GAP)
    assert not told.taken
    assert told.difference == pytest.approx(0.1)  # a hundredth of the 100 units that could pass
    assert told.break_even["break_even"].item() == pytest.approx(0.9, rel=1e-5)
    assert told.break_even["confirmed"].item() is True
    other = why(case, site="A", channel="shop", gap=GAP)
    assert other.taken
    assert other.forced.status == "infeasible"
    assert other.stops == (
        "demand that nothing else can serve in time",
        "it could go the other way with this: serve 0.0 % of the shop demand of M",
    )


# -------------------------------------------------------------------------------------------- lanes, operators
def test_unit_cost_of_a_lane():
    # S>B carries 200 units at 1; without it A serves: 700 against 665.
    case = two_hubs()
    told = why(case, lane="S>B", gap=GAP)
    assert told.difference == pytest.approx(35)
    assert told.break_even["price"].item() == "unit_cost"
    assert told.break_even["break_even"].item() == pytest.approx(1 + 35 / 200, rel=1e-5)
    assert_flips(case, told, "lanes", {"origin": "S", "destination": "B"})


def direct_lane(fixed):
    """Past the hubs at 2.5 a unit and `fixed` a year: 500 + fixed + 15 against 665 by B."""
    lanes = [{"origin": a, "destination": b, "unit_cost": 1} for a, b in ("SA", "SB", "AM", "BM")]
    direct = {"origin": "S", "destination": "M", "unit_cost": 2.5, "fixed_cost": fixed, "status": "candidate"}
    return two_hubs(lanes=[*lanes, direct])


@pytest.mark.parametrize("fixed", [100, 200])
def test_fixed_cost_of_a_lane(fixed):
    case = direct_lane(fixed)
    told = why(case, lane="S>M", gap=GAP)
    assert told.taken is (fixed == 100)
    # Not used, it is forced to carry a hundredth of 200 units; using it for all of them is cheaper still.
    assert told.difference == pytest.approx(abs(fixed - 150))
    assert told.break_even["break_even"].item() == pytest.approx(150, rel=1e-5)
    if not told.taken:
        assert_flips(case, told, "lanes", {"origin": "S", "destination": "M"})


def test_a_fee_that_a_lane_does_not_have():
    # 515 by the lane, 665 otherwise; the binary that the fee needs is made for the question.
    told = why(direct_lane(0), lane="S>M", price="fixed_cost", gap=GAP)
    assert told.break_even["break_even"].item() == pytest.approx(150, rel=1e-5)
    assert told.break_even["confirmed"].item() is True


def outsider(contract, **more):
    """A of today at 300 + 200·2 = 700; X of operator O at a contract and 200·(1 + 2)."""
    return two_hubs(
        sites=[{"site": "S", "status": "keep"}, {"site": "A", "status": "existing", "fixed_cost": 300},
               {"site": "X", "status": "candidate", "operator": "O", "unit_cost": 1}],
        operators=[{"operator": "O", "contract_cost": contract}],
        lanes=[{"origin": a, "destination": b, "unit_cost": 1} for a, b in ("SA", "SX", "AM", "XM")],
        **more,
    )  # fmt: skip


@pytest.mark.parametrize("contract", [50, 150])
def test_contract_of_an_operator(contract):
    case = outsider(contract)
    told = why(case, operator="O", gap=GAP)
    assert told.taken is (contract == 50)
    assert told.difference == pytest.approx(50)
    assert told.break_even["break_even"].item() == pytest.approx(100, rel=1e-5)
    if not told.taken:
        assert_flips(case, told, "operators", {"operator": "O"})


def test_tariff_of_an_operator():
    case = outsider(150, rates=[{"subject": "X", "from_units": 0, "unit_cost": 1},
                                {"subject": "X", "from_units": 100, "unit_cost": 0.9}])  # fmt: skip
    # 150 + 100 + 90 + 400 = 740 against 700: each tier a fifth cheaper.
    told = why(case, site="X", price="unit_cost", gap=GAP)
    row = told.break_even.to_dict("records")[0]
    assert pd.isna(row["now"])
    assert row["break_even"] == pytest.approx(-0.2, rel=1e-4)
    assert row["confirmed"] is True
    assert "several values today): open below changed by -0.2" in str(told)
    # The same is told of the operator as a whole, as a change of nothing.
    whole = why(case, operator="O", price="unit_cost", gap=GAP, check=False)
    assert whole.break_even["break_even"].item() == pytest.approx(-0.2, rel=1e-4)


def test_a_minimum_bill_is_told():
    case = outsider(50).replace(operators=[{"operator": "O", "contract_cost": 50, "min_bill": 280}])
    told = why(case, operator="O", gap=GAP)
    assert told.difference == pytest.approx(700 - 680)  # 280 instead of 250
    assert any("minimum bill" in message for message in told.messages)


# ------------------------------------------------------------------------------------------------------ stock
def central_stock(slot):
    """Nine shops of one unit a day; D takes 16 days and is reviewed at once, a shop covers 1 + 8 days.

    In units of z·sqrt(vmr)·holding: with stock at D 4·sqrt(9) + 9·3 = 39, without 9·sqrt(25) = 45.
    """
    shops = [f"R{n}" for n in range(9)]
    return Case.from_frames({
        "settings": [{"key": "review_days", "value": 8}],
        "products": [{"product": "P", "value": 100, "holding_rate": 0.2, "service_level": NormalDist().cdf(1)}],
        "sites": [
            {"site": "S", "status": "keep"},
            {"site": "D", "status": "keep", "stock": "existing", "stock_cost": slot, "review_days": 0},
            *({"site": shop, "status": "keep", "stock": "must"} for shop in shops),
        ],
        "supply": [{"site": "S", "product": "P"}],
        "markets": [{"market": f"M{shop}"} for shop in shops],
        "channels": [{"channel": "shelf", "response_days": 0}],
        "demand": [{"market": f"M{shop}", "channel": "shelf", "product": "P", "units": 365, "vmr": 4} for shop in shops],
        "lanes": [
            {"origin": "S", "destination": "D", "lead_days": 16},
            *({"origin": "D", "destination": shop, "lead_days": 1} for shop in shops),
            *({"origin": shop, "destination": f"M{shop}"} for shop in shops),
        ],
    })  # fmt: skip


SAVED = 100 * 0.2 * sqrt(4) * 6
"""What stock at D saves a year, its slot apart: 240."""


@pytest.mark.parametrize("slot", [200, 300])
def test_slot_of_a_stock_point(slot):
    case = central_stock(slot)
    told = why(case, stock="D:P", gap=1e-6)
    assert told.taken is (slot == 200)
    # Forced to stock, D stocks for all shops: the root is concave, a part of them would cost more.
    assert told.difference == pytest.approx(abs(slot - SAVED), rel=1e-4)
    assert told.break_even["break_even"].item() == pytest.approx(SAVED, rel=1e-4)
    if told.taken:
        assert_flips(case, told, "sites", {"site": "D"})


def test_slot_of_stock_that_costs_nothing():
    told = why(central_stock(0), stock="D", gap=1e-6)
    assert told.taken
    assert told.break_even["break_even"].item() == pytest.approx(SAVED, rel=1e-4)
    assert told.break_even["confirmed"].item() is True


# -------------------------------------------------------------------------------------------- what stops it
def states(**sheets):
    levers = {"remove": "no", "add": "no", "outsource": "no", "direct": "no", "restock": "no"}
    return two_hubs(
        sites=[
            {"site": "S", "status": "keep"},
            {"site": "A", "status": "existing", "stock": "no"},
            {"site": "old", "status": "close", "stock": "optional"},
            {"site": "new", "status": "candidate"},
            {"site": "sure", "status": "open"},
            {"site": "never", "status": "closed"},
            {"site": "their", "status": "candidate", "operator": "O"},
            {"site": "rival", "status": "candidate", "place": "S"},
        ],
        lanes=[
            *({"origin": "S", "destination": b, "unit_cost": 1} for b in ("A", "old", "new", "sure", "never", "their", "rival")),
            *({"origin": a, "destination": "M", "unit_cost": 1} for a in ("A", "old", "new", "sure", "never", "their", "rival")),
            {"origin": "S", "destination": "M", "status": "candidate", "unit_cost": 9},
            {"origin": "A", "destination": "M", "mode": "cart", "status": "closed"},
            {"origin": "A", "destination": "M", "mode": "van", "status": "candidate", "operator": "O"},
        ],
        operators=[{"operator": "O"}],
        strategies=[{"strategy": "frozen", **levers}],
        **sheets,
    )  # fmt: skip


STOPPED = [  # strategy, what is asked, whether it is to be taken, why not
    ("integrated", {"site": "S"}, False, "S stays (status keep)"),
    ("integrated", {"site": "never"}, True, "never is not considered (status closed)"),
    ("integrated", {"site": "old"}, True, "old has to go (status close)"),
    ("integrated", {"site": "sure"}, False, "sure has to be opened (status open)"),
    ("integrated", {"site": "rival"}, True, "S stays at its place (status keep)"),
    ("frozen", {"site": "A"}, False, "A would be closed by the lever remove"),
    ("frozen", {"site": "new"}, True, "new would be opened by the lever add"),
    ("frozen", {"site": "their"}, True, "their would be opened by the lever outsource"),
    ("as_is", {"site": "new"}, True, "new does not exist today, and as_is is today's chain"),
    ("as_is", {"site": "A"}, False, "as_is is today's chain: nothing closes in it"),
    ("integrated", {"lane": "A>M", "mode": "cart"}, True, "lane A>M is not considered (status closed)"),
    ("frozen", {"lane": "S>M"}, True, "lane S>M needs the lever direct"),
    ("frozen", {"lane": "A>M", "operator": "O"}, True, "lane A>M needs the lever outsource"),
    ("as_is", {"lane": "S>M"}, True, "lane S>M is not used today"),
    ("integrated", {"lane": "never>M"}, True, "never is not considered (status closed)"),
    ("integrated", {"stock": "A"}, True, "A may not stock it (stock no)"),
    ("frozen", {"stock": "old"}, True, "stock points move by the lever restock"),
    ("frozen", {"operator": "O"}, True, "their would be opened by the lever outsource"),
]


def test_what_the_case_rules_out_is_known_without_a_solve():
    case = states()
    models = {strategy: scopt.build(case, strategy) for strategy in ("as_is", "frozen", "integrated")}
    for strategy, asked, taken, reason in STOPPED:
        decision = find(models[strategy].chain, **asked)
        assert not rules(models[strategy], decision, not taken)
        stops = rules(models[strategy], decision, taken)
        assert any(reason in stop for stop in stops), (strategy, asked, stops)


def test_what_the_case_rules_out_is_told():
    told = why(states(), site="never", gap=GAP)
    assert (told.forced, told.difference) == (None, None)
    assert told.break_even.empty
    assert f"it stays so: {told.stops[0]}" in str(told)


def test_a_capacity_that_stops_it():
    # Only A could serve 200 units without B, and it takes 150.
    case = with_cell(two_hubs(), "sites", {"site": "A"}, "capacity", 150)
    told = why(case, site="B", gap=GAP)
    assert told.forced.status == "infeasible"
    assert told.stops == (
        "capacities of sites",
        "demand that nothing else can serve in time",
        "it could go the other way with this: relax capacity of A (sites) from 150 to 200",
    )
    assert told.difference is None
    assert told.costs["forced"].isna().all()


def test_a_promise_that_stops_it():
    # By B goods take two days more than shop customers wait for.
    slow = two_hubs(
        channels=[{"channel": "all", "response_days": 1, "max_late_days": 0}],
        lanes=[{"origin": "S", "destination": "A", "unit_cost": 1}, {"origin": "S", "destination": "B", "unit_cost": 1, "lead_days": 3},
               {"origin": "A", "destination": "M", "unit_cost": 1}, {"origin": "B", "destination": "M", "unit_cost": 1}],
    )  # fmt: skip
    told = why(slow, lane="S>B", gap=GAP)
    assert told.stops == (
        "no route through it serves anybody who asks for these goods within the promised time",
    )


def test_a_strategy_without_a_design():
    case = with_cell(two_hubs(), "sites", {"site": "S"}, "capacity", 10)
    told = why(case, site="A", gap=GAP)
    assert told.taken is None
    assert "no feasible design exists" in str(told)
    assert told.summary_json()["decided"] is None


# ---------------------------------------------------------------------------------------- the method by itself
def wobbling(lines):
    """P(t) of designs (cost at 0, slope), solved to a gap: the bound is a little lower than the cost."""

    def evaluate(change):
        cost, slope = min((cost + slope * change, slope) for cost, slope in lines)
        return Line(change, cost, cost - 0.5, slope)

    return evaluate


def test_newton_finds_the_root_of_a_concave_function_and_brackets_it():
    lines = [(100.0, 8.0), (112.0, 5.0), (130.0, 2.0)]
    evaluate = wobbling(lines)
    price = Price("unit_cost", "", 9.0, add=lambda *_: None, slope=lambda _: 0.0)
    for level in (108.0, 128.0, 140.0):
        answer = break_even(price, evaluate(0.0), (level, level - 0.3), evaluate)
        root = max((level - cost) / slope for cost, slope in lines)
        assert answer.change == pytest.approx(root)
        assert answer.low < root < answer.high
        # Proven on one side by costs, on the other by bounds.
        assert evaluate(answer.low).cost <= level - 0.3 + 1e-9
        assert evaluate(answer.high).bound >= level - 1e-9
        assert answer.high - answer.low < 1.0


def test_a_gap_too_wide_for_a_proof_leaves_the_answer_open():
    # Idle at 200 the design costs no more than the other side plus its gap: the upper end is open.
    def evaluate(change):
        cost, slope = min((100.0 + 10.0 * change, 10.0), (200.2, 0.0))
        return Line(change, cost, cost - 1.0, slope)

    price = Price("unit_cost", "", 1.0, add=lambda *_: None, slope=lambda _: 0.0)
    answer = break_even(price, evaluate(0.0), (200.0, 199.9), evaluate)
    assert answer.change == pytest.approx(10.0)
    assert answer.high == float("inf")


# ------------------------------------------------------------------------------------------- the small brand
@cache
def small_designs():
    """Cost of every design of `small`, with the route of each shop's goods and the hub of each city's parcels."""
    designs = combinations(combinations(ROUTES, repeat=2), combinations(HUBS, repeat=4))
    return [(design_cost(chosen, parcels, True), chosen, parcels) for chosen, parcels in designs]


def by_brand(chosen, parcels):
    """Cartons a day by the brand warehouse."""
    shops = zip((route[0] for route in chosen), (64, 36), strict=True)
    return sum(day for hub, day in [*shops, *zip(parcels, (10, 5, 6, 4), strict=True)] if hub == "brand")


def forced_small(site):
    """Return the cost of the best design of `small` in which a site of today stays, used or not."""

    def more(chosen, parcels):
        vias = {route[2] for route in chosen}
        if site == "Brand warehouse":
            return 0 if by_brand(chosen, parcels) else 150_000 - 10_000
        if site == "Agent":
            return 0 if "agent" in vias else 40_000
        return 0 if vias & {"agent", "wholesaler"} else 60_000 - 45_000

    return min(cost + more(chosen, parcels) for cost, chosen, parcels in small_designs())


# Kept, the brand warehouse does all the work, straight to the shops, and parcels leave from a stock of theirs
# that covers 15 + 10 days; the shops cover 15 + 1 and 3 days.
BY_BRAND = INTEGRATED | {
    "transport": 45_000 + 36_000 * 3 + 9_000 * 8,
    "handling": 45_000 + 36_000 * 2,
    "sites": 90_000 + 70_000 + 150_000,
    "one_off": 0,
    "operators": 0,
    "stock_slots": 2_000 + 500 + 500,
    "safety_stock": HOLD * Z * (75 * 5 + 140 * sqrt(19)),
    "cycle_stock": HOLD * (25 * 10 / 2 + 150),
    "integration": 0,
}
REMOVED = {
    "Agent": (INTEGRATED | {"sites": 200_000}, 0),
    "Wholesaler": (INTEGRATED | {"sites": 220_000, "replaced": 0}, 45_000),
    "Brand warehouse": (BY_BRAND, 150_000 - (sum(BY_BRAND.values()) - sum(INTEGRATED.values()))),
}
"""Costs of `small` with an intermediary kept, by hand, and the fixed cost up to which keeping it pays."""


@pytest.mark.parametrize("site", REMOVED)
def test_every_removed_intermediary_of_small(site):
    hand, fixed = REMOVED[site]
    told = why(scopt.read_case(SMALL), site=site, gap=1e-6)
    assert (told.taken, told.stops) == (False, ())
    expected = dict.fromkeys(told.costs["bucket"], 0.0) | hand
    assert told.costs.set_index("bucket")["forced"].to_dict() == pytest.approx(expected, abs=0.01)
    # ... and no other design that keeps it is cheaper.
    assert told.forced.cost == pytest.approx(forced_small(site), abs=0.01)
    row = told.break_even.to_dict("records")[0]
    assert row["price"] == "fixed_cost"
    assert row["break_even"] == pytest.approx(fixed, abs=2)
    assert row["low"] - 1e-6 <= fixed <= row["high"] + 1e-6
    assert (row["state_below"], row["state_above"], row["confirmed"]) == ("open", "closed", True)


def test_unit_cost_of_the_brand_warehouse_of_small():
    # It pays where any design that uses it costs as much as the best: the highest of their break-evens. Its
    # 150,000 a year are too much: it would have to be paid 0.79 for every carton.
    target = min(cost for cost, _, _ in small_designs())
    hand = max(
        1 + (target - cost) / (360 * units)
        for cost, *design in small_designs()
        if (units := by_brand(*design))
    )
    told = why(scopt.read_case(SMALL), site="Brand warehouse", price="unit_cost", gap=1e-5)
    row = told.break_even.to_dict("records")[0]
    assert row["break_even"] == pytest.approx(hand, abs=1e-4)
    assert row["confirmed"] is True


# ------------------------------------------------------------------------------------------- asking, showing
@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({}, "name one decision"),
        ({"site": "A", "stock": "A"}, "name one decision"),
        ({"site": "W"}, "the case has no site 'W'"),
        ({"lane": "A>B"}, "the case has no lane 'A>B'"),
        ({"lane": "A>M", "mode": "sled"}, "the case has it with mode truck, operator (blank)"),
        ({"stock": "A:Q"}, "is no site and no SITE:PRODUCT"),
        ({"operator": "O"}, "the case has no operator 'O'"),
        ({"site": "A", "price": "contract_cost"}, "it has fixed_cost, unit_cost, margin_rate"),
        ({"site": "A", "mode": "truck"}, "a mode of transport belongs to a lane"),
        ({"stock": "A:P", "channel": "all"}, "goods narrow a site or a lane"),
        ({"site": "A", "product": "Q"}, "the case has no product 'Q'"),
        ({"site": "A", "strategy": "mine"}, "no strategy is called mine"),
    ],
)
def test_a_question_that_makes_no_sense(asked, message):
    with pytest.raises(UsageError) as error:
        why(two_hubs(), **asked)
    assert message in str(error.value)


def test_text_json_and_workbook(tmp_path):
    told = why(two_hubs(), site="A", gap=GAP, check=False)
    lines = str(told).splitlines()
    assert lines[0] == "frames · integrated · site A: closed"
    assert "difference  +35.00  CNY/year  5.3 %" in lines
    assert "sites            150.00  100.00      -50.00" in lines
    assert "fixed_cost (100 CNY/year today): open below 65, closed above" in lines
    summary = told.summary_json()
    assert (summary["decided"], summary["forced"], summary["stops"]) == ("closed", "open", [])
    assert summary["difference"] == pytest.approx(35)
    assert summary["break_even"][0]["confirmed"] is None
    told.to_excel(tmp_path / "why.xlsx")
    book = openpyxl.load_workbook(tmp_path / "why.xlsx")
    assert book.sheetnames == ["why", "costs", "changes", "break_even", "sites as decided", "sites forced"]
    assert book["changes"]["B2"].value == "A"


def test_progress_tells_what_is_asked():
    events = []
    why(two_hubs(), site="A", gap=GAP, progress=events.append)
    phases = {event.phase.split(":")[0] for event in events}
    assert {"as it is", "A open", "A, other fixed_cost"} <= phases


def test_an_interrupt_keeps_what_was_found(monkeypatch):
    plain = Search.run

    def run(search):
        found = plain(search)
        search.clock.stopped = search.model.chain.strategy.name == "integrated"
        return found

    monkeypatch.setattr(Search, "run", run)
    told = why(two_hubs(), site="A", gap=GAP)
    assert (told.taken, told.forced) == (False, None)
    assert "open: not tried" in str(told)
    assert "note: stopped before the decision was forced the other way" in str(told)
