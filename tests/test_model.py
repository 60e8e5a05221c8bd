"""The model as an analyst meets it: read, extended, solved; and HiGHS refused when it cannot be trusted."""

import pyomo.environ as pyo
import pytest

import scopt
from scopt.solver import check_version


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
