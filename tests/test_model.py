"""The model as an analyst meets it: read, extended, solved; and HiGHS refused when it cannot be trusted."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyomo.environ as pyo
import pytest

import scopt
from scopt.design import tables
from scopt.search.method import Options, Search
from scopt.search.solver import Clock, check_version

CASES = Path(__file__).parents[1] / "cases"


def test_decisions_can_be_read(depot_chain):
    model = scopt.build(depot_chain)
    assert list(model.pyomo.open_site) == ["P", "D", "S"]
    assert model.pyomo.open_site["P"].fixed
    assert not model.pyomo.open_site["D"].fixed


def test_a_constraint_on_a_decision(depot_chain):
    def close_depot(model):
        model.pyomo.no_depot = pyo.Constraint(expr=model.pyomo.open_site["D"] == 0)

    free, held = scopt.solve(depot_chain, gap=1e-7), scopt.solve(depot_chain, gap=1e-7, extend=close_depot)
    assert held.sites.set_index("site").loc["D", "after"] == "closed"
    assert held.cost > free.cost


def test_a_constraint_on_a_flow(depot_chain):
    model = scopt.build(depot_chain)
    model.pyomo.most = pyo.Constraint(expr=model.flow("P", "D") <= 80)
    result = scopt.solve(model, gap=1e-7)
    flows = result.flows.set_index(["origin", "destination"])["units"]
    assert flows["P", "D"] == pytest.approx(80)
    assert flows["P", "S"] == pytest.approx(20)


def test_a_cost_of_flows_is_paid_where_it_arises(depot_chain):
    def toll(model):
        model.pay("transport", 3.0 * model.flow("P", "D"), site=model.chain.site_ids.get_loc("D"))

    free, dear = scopt.solve(depot_chain, gap=1e-7), scopt.solve(depot_chain, gap=1e-7, extend=toll)
    assert free.flows.set_index(["origin", "destination"])["units"]["P", "D"] == pytest.approx(100)
    assert dear.flows.set_index(["origin", "destination"])["units"]["P", "S"] == pytest.approx(100)  # at 6
    little = scopt.solve(
        depot_chain, gap=1e-7, extend=lambda m: m.pay("transport", 0.1 * m.flow("P", "D"), site=1)
    )
    assert little.cost == pytest.approx(free.cost + 10)
    costs = [one.sites.set_index("site")["cost"]["D"] for one in (free, little)]
    assert costs[1] - costs[0] == pytest.approx(10)


def test_tables_tell_of_their_own_flows(depot_chain):
    """Whatever solution was loaded last."""
    model = scopt.build(depot_chain)
    model.pay("transport", 0.1 * model.flow("P", "D"), site=1)
    found = Search(model, Options(gap=1e-7), Clock(60.0)).run()
    best, told = found.best, []
    for share in (1.0, 0.5):
        model.load(found.arrays, share * np.r_[best.flows, list(best.values.values())])
        told.append(tables(model, found.arrays, best.flows, best.values)["sites"])
    assert told[0].equals(told[1])
    half = tables(model, found.arrays, 0.5 * best.flows, best.values)["sites"]
    assert half.set_index("site")["cost"]["D"] < told[0].set_index("site")["cost"]["D"] - 5


@pytest.mark.parametrize("name", ["apparel", "fresh", "small"])
def test_costs_are_those_of_the_terms(name):
    """At values drawn at random, by the compiled terms and by Pyomo, one after the other; so with a flow."""
    model = scopt.build(scopt.read_case(CASES / f"{name}.xlsx"))
    net, m = model.network, model.pyomo
    end = model.chain.site_ids[net.site[np.flatnonzero(net.market >= 0)[0]]]
    model.pay("late", 5.0 + 2.0 * model.flow(origin=end) + 3.0 * m.open_site[end])
    arrays = model.compile()
    point = 10 * np.random.default_rng(4711).random(len(arrays.cost))
    for j, var in enumerate(arrays.decisions, arrays.flows):
        if var.fixed:
            point[j] = var.value
        var.set_value(point[j], skip_validation=True)
    for j, var in m.flow.items():
        var.set_value(point[j])
    plain = {bucket: sum(map(pyo.value, terms)) for bucket, terms in model.terms.items()}
    for (bucket, _), cost in model.flow_cost.items():
        plain[bucket] += cost @ point[: len(cost)]
    costs = model.costs(arrays, point)
    assert costs == pytest.approx(plain, rel=1e-12)
    assert sum(cost != 0 for cost in costs.values()) > 8
    assert sum(costs.values()) == pytest.approx(arrays.cost @ point + arrays.offset, rel=1e-12)


def test_decisions_are_named_as_pyomo_names_them(depot_chain):
    """Ids like numbers, one a number, some quoted, names within blocks: one by one they are as by Pyomo."""
    model = scopt.build(depot_chain)
    m = model.pyomo
    m.odd = pyo.Var(["1", 1, "1.0", 2.0, "a,b", "it's", ""], within=pyo.Binary)
    m.pair = pyo.Var([("1", 1), (1, "1"), (1.0, "x"), ("x", 1)], within=pyo.Binary)
    m.extra = pyo.Block([1, "two"], rule=lambda b, _: b.add_component("choice", pyo.Var([("a", 1)])))
    m.alone = pyo.Var(bounds=(None, 3.0))
    arrays = model.compile()
    assert arrays.names == [v.name for v in arrays.decisions]
    assert len(set(arrays.names)) == len(arrays.decisions)
    column = arrays.place["alone"]
    assert (arrays.lower[column], arrays.upper[column]) == (-np.inf, 3.0)


def test_an_interrupt_during_as_is_gives_no_design_of_the_strategy(depot_chain, monkeypatch):
    from scopt import solved as solving

    class Interrupted(solving.Search):
        def run(self):
            found = super().run()
            self.clock.stopped = True
            return found

    monkeypatch.setattr(solving, "Search", Interrupted)
    result = scopt.solve(depot_chain, gap=1e-7)
    assert (result.status, result.cost, result.bound, len(result.flows)) == ("stopped", None, None, 0)
    assert result.as_is_cost is not None


def test_a_bound_above_the_cost_is_neither_hidden_nor_called_optimal(depot_chain, monkeypatch):
    from scopt.search import method

    true = method.solve_mip
    wrong = lambda *args, **options: replace(found := true(*args, **options), bound=found.bound * 1.01)  # noqa: E731
    monkeypatch.setattr(method, "solve_mip", wrong)
    result = scopt.solve(depot_chain, gap=1e-7)
    assert result.bound > result.cost
    assert result.status != "optimal"
    assert result.checks.loc[~result.checks["ok"], "check"].tolist() == ["bound: at most the cost"]


def test_an_infinite_bound_proves_nothing(depot_chain, monkeypatch):
    from scopt.search import method

    true, calls = method.solve_mip, []

    def later_infeasible(*args, **options):
        calls.append(1)
        found = true(*args, **options | {"watch": None})
        if len(calls) > 1:
            return method.Outcome("infeasible", [], float("inf"))
        return replace(found, bound=0.5 * found.bound)

    monkeypatch.setattr(method, "solve_mip", later_infeasible)
    result = scopt.solve(depot_chain, "as_is", gap=1e-7)
    assert len(calls) > 1
    assert result.status == "feasible"
    assert result.gap == pytest.approx(0.5, rel=1e-3)


def test_unknown_ids_are_told(depot_chain):
    model = scopt.build(depot_chain)
    with pytest.raises(KeyError):
        model.flow("P", "Nowhere")
    with pytest.raises(scopt.UsageError, match="no strategy"):
        scopt.build(depot_chain, "nothing")


@pytest.mark.parametrize(
    ("version", "trusted"), [((1, 14, 0), False), ((1, 15, 0), False), ((1, 15, 1), True), ((2, 0, 0), True)]
)
def test_an_untrusted_solver_is_refused(version, trusted):
    if trusted:
        check_version(version)
    else:
        with pytest.raises(scopt.SolverError, match="wrong optima"):
            check_version(version)
