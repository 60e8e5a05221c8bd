"""Numbers of any size: another unit of money or of goods changes cost by the unit and by nothing else."""

import itertools

import pandas as pd
import pytest
from test_enumeration import COSTS, tolerance
from tiny_cases import tiny_case
from units import by_product, in_units, mixed_units

import scopt
from scopt.case import Case

SCALES = [(1e-4, 1e-5), (1e8, 1e7), (1e-5, 1e8), (1e10, 1e-6), (1e10, 1e8)]
"""Units of money and of goods, in those of the case."""


def solve(frames, strategy="integrated"):
    return scopt.solve(Case.from_frames(frames), strategy, gap=1e-6, time_limit=60)


def agree(result, cost, bound, money, slack):
    """Cost and bound within the gap of a cost and a bound in the old money; all checks passed."""
    assert result.status == "optimal"
    assert result.checks["ok"].all(), result.checks[~result.checks["ok"]].to_string()
    slack *= abs(cost) or 1.0
    assert result.cost / money >= bound - slack
    assert result.bound / money <= cost + slack
    assert result.gap <= 1e-6


@pytest.mark.parametrize(("seed", "units"), list(zip(range(0, 60, 4), itertools.cycle(SCALES), strict=False)))
def test_the_unit_of_money_and_of_goods_changes_nothing_else(seed, units):
    truth, frames = COSTS[seed, "integrated"], tiny_case(seed)
    result = solve(in_units(frames, *units))
    if truth is None:
        assert result.status == "infeasible"
    else:
        agree(result, truth, truth, units[0], tolerance(frames))


@pytest.mark.parametrize(
    ("seed", "money", "first", "second"),
    [(2, 1e4, 1e-3, 1e6), (5, 1e-3, 1e7, 1e-4), (11, 1e8, 1e-5, 1e5), (14, 1.0, 1e6, 1e-6)],
)
def test_each_product_may_have_its_own_unit(seed, money, first, second):
    frames = by_product(tiny_case(seed))
    usual = solve(frames)
    other = solve(mixed_units(frames, money, {"P1": first, "P2": second}))
    if usual.cost is None:
        assert other.status == usual.status
    else:
        agree(other, usual.cost, usual.bound, money, tolerance(frames))


def test_a_grain_and_a_jewel_in_one_case():
    """1e10 units worth 1e-2 each beside 1e-3 units worth 1e12 each: cost is that of both alone, added up."""

    def frames(*goods):
        units, value = {"grain": 1e10, "jewel": 1e-3}, {"grain": 1e-2, "jewel": 1e12}
        return {
            "products": pd.DataFrame([{"product": p, "value": value[p], "size": 1 / units[p]} for p in goods]),
            "sites": pd.DataFrame([
                {"site": "P", "status": "keep"},
                {"site": "D", "status": "candidate", "fixed_cost": 5e6, "capacity": 2.0, "stock": "optional"},
                {"site": "E", "status": "candidate", "fixed_cost": 9e6, "capacity": 2.0, "stock": "optional"},
            ]),
            "supply": pd.DataFrame([{"site": "P", "product": p, "lead_days": 3} for p in goods]),
            "markets": pd.DataFrame([{"market": "M"}]),
            "channels": pd.DataFrame([{"channel": "all", "response_days": 1}]),
            "demand": pd.DataFrame([{"market": "M", "product": p, "units": units[p], "cv": 0.3} for p in goods]),
            "lanes": pd.DataFrame([
                {"origin": o, "destination": d, "product": p, "unit_cost": value[p] * c, "lead_days": 1}
                for o, d, c in (("P", "D", 0.1), ("P", "E", 0.05), ("D", "M", 0.1), ("E", "M", 0.05)) for p in goods
            ]),
        }  # fmt: skip

    both = solve(frames("grain", "jewel"))
    assert both.status == "optimal"
    assert both.checks["ok"].all()
    # The fixed cost of the one depot is paid in each of the cases with a single product, too.
    alone = [solve(frames(name)) for name in ("grain", "jewel")]
    opened = both.sites.loc[both.sites["after"] == "open", "site"].tolist()
    fixed = {"D": 5e6, "E": 9e6}[opened[-1]]
    assert [one.sites.loc[one.sites["after"] == "open", "site"].tolist() for one in alone] == [opened, opened]
    assert both.cost == pytest.approx(sum(one.cost for one in alone) - fixed, rel=1e-6)
