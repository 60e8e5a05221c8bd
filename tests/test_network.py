"""The expanded network on chains small enough to draw."""

import numpy as np
import pytest

from scopt.chain import Chain
from scopt.errors import UsageError
from scopt.network import LANE, LAST, STOCK, SUPPLY, expand, joint_key, round_up


def network(case, strategy="integrated"):
    return expand(Chain(case.for_strategy(strategy), case.strategies[strategy]))


def stock_arcs(net):
    """(site, days in, days out, coverage) of every stock arc."""
    j = np.flatnonzero(net.kind == STOCK)
    sites = net.chain.site_ids[net.site[j]]
    return sorted(
        zip(sites, net.left[j].tolist(), net.ready[j].tolist(), net.coverage[j].tolist(), strict=True)
    )


def test_a_compulsory_point_is_entered_at_every_arrival_and_left_with_zero(depot_chain):
    net = network(depot_chain)
    # By the depot goods arrive after 2 days, directly after 3; the shelf grants 0 days; review 7.
    assert stock_arcs(net) == [("S", 2.0, 0.0, 9.0), ("S", 3.0, 0.0, 10.0)]
    assert np.bincount(net.kind, minlength=4).tolist() == [1, 2, 3, 1]
    assert net.rows == 1 + 1 + 2 + 1  # plant, depot, shop at 2 and at 3 days, shop out of stock


def test_as_is_knows_only_todays_lanes(depot_chain):
    net = network(depot_chain, "as_is")
    assert (net.kind == LANE).sum() == 2
    assert stock_arcs(net) == [("S", 2.0, 0.0, 9.0)]


def test_without_times_every_site_has_one_state(make_chain):
    lanes = [{"origin": o, "destination": d} for o, d in ("PD", "DS", "PS", "SM")]
    case = make_chain(lanes=lanes, channels=[], demand=[{"market": "M", "product": "A", "units": 1.0}])
    net = network(case.replace(sites=case.sites.assign(stock="no", stock_cost=0.0)))
    assert (net.kind == STOCK).sum() == 0
    assert net.rows == 3
    assert not net.days.any()
    assert net.days.strides == (0,)  # one number is kept for all columns
    assert net.lane.strides != (0,)


def test_a_longer_promise_lets_goods_be_made_to_order_and_pass(make_chain):
    case = make_chain(channels=[{"channel": "shop", "response_days": 3, "max_late_days": 0}])
    net = network(case.replace(sites=case.sites.assign(stock=["no", "optional", "no"], stock_cost=0.0)))
    last = net.kind == LAST
    # Both routes pass without stock (2 and 3 days). The depot's remaining route takes 1 day, so the promise
    # grants 3 - 1 = 2 days, more than the 1 day goods have taken: 0 is the only quote left.
    assert stock_arcs(net) == [("D", 1.0, 0.0, 8.0)]
    assert sorted(set(net.days[last].tolist())) == [1.0, 2.0, 3.0]


def test_a_stock_point_quotes_what_the_promise_still_grants(make_chain):
    case = make_chain(
        channels=[{"channel": "shop", "response_days": 2, "max_late_days": 0}],
        supply=[{"site": "P", "product": "A", "lead_days": 5}],
    )
    net = network(case.replace(sites=case.sites.assign(stock=["no", "optional", "no"], stock_cost=0.0)))
    # e = 5 + 1 = 6 at the depot, one day remains to the market: e' = 2 - 1 = 1 keeps the promise as well as 0
    # and has less to cover, 6 - 1 + 7 = 12 days.
    assert stock_arcs(net) == [("D", 6.0, 1.0, 12.0)]


def test_lateness_grants_a_second_quote(make_chain):
    case = make_chain(
        channels=[{"channel": "shop", "response_days": 2, "max_late_days": 1}],
        supply=[{"site": "P", "product": "A", "lead_days": 5}],
    )
    net = network(case.replace(sites=case.sites.assign(stock=["no", "optional", "no"], stock_cost=0.0)))
    assert [arc[2] for arc in stock_arcs(net)] == [1.0, 2.0]
    assert sorted(net.on_time[net.kind == LAST].tolist()) == [0.0, 1.0]


def test_on_time_rates_multiply_along_the_route(make_chain):
    case = make_chain(channels=[{"channel": "shop", "response_days": 9}])
    lanes = case.lanes.assign(on_time_rate=[0.9, 0.8, 1.0, 0.5])[case.tables["lanes"].columns]
    net = network(case.replace(lanes=lanes, sites=case.sites.assign(stock="no", stock_cost=0.0)))
    assert sorted(net.on_time[net.kind == LAST].tolist()) == pytest.approx([0.9 * 0.8 * 0.5, 0.5])


def test_no_route_visits_a_site_twice(make_chain):
    lanes = [
        {"origin": "P", "destination": "D", "lead_days": 1}, {"origin": "D", "destination": "S", "lead_days": 1},
        {"origin": "S", "destination": "D", "lead_days": 1}, {"origin": "P", "destination": "S", "lead_days": 1},
        {"origin": "S", "destination": "M"}, {"origin": "D", "destination": "M"},
    ]  # fmt: skip
    case = make_chain(lanes=lanes, channels=[{"channel": "shop", "response_days": 9}])
    net = network(case.replace(sites=case.sites.assign(stock="no", stock_cost=0.0)))
    # P-D-M, P-S-M, P-D-S-M, P-S-D-M and nothing longer.
    assert sorted(net.days[net.kind == LAST].tolist()) == [1.0, 1.0, 2.0, 2.0]


def test_a_loop_of_too_many_sites_is_refused(make_chain):
    names = [f"X{i}" for i in range(61)]
    sites = [{"site": "P", "status": "keep"}, *({"site": n, "status": "keep"} for n in names)]
    ring = zip(names, names[1:] + names[:1], strict=True)
    lanes = [{"origin": o, "destination": d} for o, d in [("P", "X0"), *ring, ("X0", "M")]]
    with pytest.raises(UsageError, match="loop among 61 sites"):
        network(make_chain(sites=sites, lanes=lanes))


def test_times_are_rounded_up_each_on_its_own():
    assert round_up(np.array([0.0, 0.1, 0.5, 0.5 + 1e-12, 0.51, 1.2]), 0.5).tolist() == [
        0.0,
        0.5,
        0.5,
        0.5,
        1.0,
        1.5,
    ]


def test_every_column_hangs_between_rows_that_exist(depot_chain):
    net = network(depot_chain)
    assert ((net.tail >= 0) == (net.kind != SUPPLY)).all()
    assert ((net.head >= 0) == (net.kind != LAST)).all()
    assert net.tail.max() < net.rows
    assert net.reach[:, 0, 0].tolist() == [100.0, 100.0, 100.0]


@pytest.mark.parametrize("far", [1, 1 << 40, 1 << 60])
def test_a_joint_key_orders_and_parts_like_its_keys(far):
    keys = np.random.default_rng(1).integers(-2, 3, (4, 200)) * far
    expected = np.unique(keys, axis=1, return_inverse=True)[1].ravel()
    assert np.unique(joint_key(*keys), return_inverse=True)[1].tolist() == expected.tolist()
