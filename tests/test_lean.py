"""Meters and roots put in where they are used: the same relaxation with fewer columns and rows."""

import numpy as np
import pytest
from test_sifting import depots_case
from tiny_cases import tiny_case

import scopt
from scopt.case import Case
from scopt.models import build
from scopt.network import Versions, expand
from scopt.search.lean import Lean
from scopt.search.solver import Clock, Lp, Scaled
from scopt.solved import chain_of


def refined(case):
    """The model of a case with two lines in every cell."""
    model = scopt.build(case)
    cells, chain = model.notes["cells"], chain_of(case, "integrated")
    breaks = {key: np.array([0.3 * high]) for key, high in zip(cells.keys, cells.high.tolist(), strict=True)}
    return build(expand(chain, Versions.of(chain, dict.fromkeys(breaks, 2))), breaks)


def same(model):
    """Compare a model with its leaner form and return that."""
    scaled = Scaled.of(model.compile())
    lean = Lean.of(model, scaled)
    plain, small = (Lp(one, None, Clock(60.0)) for one in (scaled, lean.scaled))
    point, found = plain.solve(), small.solve()
    assert (point is None) == (found is None)
    if point is None:
        return lean
    found = found / scaled.column
    lean.fill(found)
    point = point / scaled.column
    assert scaled.cost @ found == pytest.approx(scaled.cost @ point, rel=1e-7, abs=1e-7)
    assert lean.scaled.cost @ found == pytest.approx(scaled.cost @ found, rel=1e-9, abs=1e-9)
    activity = scaled.matrix @ found
    assert (activity >= scaled.row_lower - 1e-5).all()
    assert (activity <= scaled.row_upper + 1e-5).all()
    return lean


@pytest.mark.parametrize("seed", range(25))
def test_the_relaxation_of_random_cases_is_the_same(seed):
    same(scopt.build(Case.from_frames(tiny_case(seed)), "integrated"))


@pytest.mark.parametrize("ceilings", [{}, {"max_stock_days": 60.0, "max_site_days": 90.0}])
def test_roots_and_variances_are_gone(ceilings):
    case = depots_case(4, depots=5, shops=8)
    case = case.replace(products=case.tables["products"].assign(**ceilings))
    model = scopt.build(case)
    lean = same(model)
    names = [model.compile().decisions[j - model.columns].parent_component().local_name for j in lean.gone]
    cells = model.notes["cells"]
    assert names.count("variance") == names.count("envelope") == cells.count
    # Where demand has to run through a cell, its chord holds the root up as well.
    assert names.count("root") == cells.count - len(model.pyomo.root_on_chord)
    assert np.diff(lean.scaled.matrix[lean.rows].indptr).max() == 0
    assert abs(lean.scaled.matrix[:, lean.gone]).sum() == 0


def test_lines_are_put_in_for_roots():
    model = refined(depots_case(4, depots=5, shops=8))
    lean = same(model)
    names = [model.compile().decisions[j - model.columns].parent_component().local_name for j in lean.gone]
    assert names.count("root") == model.notes["cells"].count


def test_what_a_user_bounds_stays():
    model = scopt.build(depots_case(4, depots=5, shops=8))
    key = next(iter(model.pyomo.variance))
    model.pyomo.variance[key].setub(1e9)
    arrays = model.compile()
    lean = same(model)
    assert arrays.place[model.pyomo.variance[key].name] not in lean.gone.tolist()
