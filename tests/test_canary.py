"""A canary for a known defect of HiGHS 1.14: wrong optima, called optimal, on models with big-M links.

Presolve merged branches that differ only in their weights (HiGHS issue 3094, and kindred 2975, 3043, 3073). The
models here are of that kind: slots of which only so many may be used, volumes linked to them by a big M, and
what is missing weighed differently. Their optimum is known without a solver: the heaviest are served.

The second family has the rows of scopt itself: fixed charges, volumes linked to them by a big M, least volumes if
open, and demand that may be bought elsewhere (issue 2975). It is solved as scopt solves, and enumerated.
"""

import itertools

import highspy
import numpy as np
import pytest
from scipy.sparse import csr_array

from scopt.errors import SolverError
from scopt.models import Arrays
from scopt.search.solver import OLDEST, Clock, Quiet, Scaled, check_version, solve_mip


def slots(weights, used, big, need):
    """Columns x (use a slot), z (volume), d (missing) a slot: z <= big x, z + d = need, sum x <= used."""
    n = len(weights)
    eye, none = np.eye(n), np.zeros((n, n))
    rows = np.block([[-big * eye, eye, none], [none, eye, eye], [np.ones((1, n)), np.zeros((1, 2 * n))]])
    low = np.r_[np.full(n, -np.inf), np.full(n, need), -np.inf]
    high = np.r_[np.zeros(n), np.full(n, need), used]
    upper = np.r_[np.ones(n), np.full(2 * n, need)]
    cost = np.r_[np.zeros(2 * n), weights]
    return csr_array(rows), low, high, upper, cost


def optimum(matrix, low, high, upper, cost):
    engine, n = Quiet(), len(cost) // 3
    kinds = np.r_[np.ones(n, np.int32), np.zeros(2 * n, np.int32)]
    engine.passModel(
        len(cost), matrix.shape[0], matrix.nnz, int(highspy.MatrixFormat.kRowwise),
        int(highspy.ObjSense.kMinimize), 0.0, cost, np.zeros(len(cost)), upper, low, high,
        matrix.indptr.astype(np.int32), matrix.indices.astype(np.int32), matrix.data, kinds,
    )  # fmt: skip
    engine.run()
    assert engine.getModelStatus() == highspy.HighsModelStatus.kOptimal
    return engine.getInfo().objective_function_value


FAMILY = [((10.0, 8.0), 1, 1000.0, 1000.0), ((8.0, 10.0), 1, 1000.0, 1000.0)]
_draw = np.random.default_rng(3094)
FAMILY += [
    (tuple(_draw.permutation(np.arange(1.0, 9.0))[:n]), int(_draw.integers(1, n)), need * float(_draw.choice([1, 2, 10])), need)
    for n in (2, 3, 3, 4, 5)
    for need in (100.0, 1000.0)
]  # fmt: skip


@pytest.mark.parametrize("weights, used, big, need", FAMILY)  # noqa: PT006
def test_the_heaviest_are_served(weights, used, big, need):
    left = np.sort(weights)[: len(weights) - used]
    assert optimum(*slots(np.array(weights), used, big, need)) == pytest.approx(need * left.sum(), rel=1e-9)


def charges(random):
    """Fixed and unit costs, least and most volume of up to three sites; demand, and its price elsewhere."""
    sites = int(random.integers(1, 4))
    fixed = random.integers(1, 60, sites) * float(random.choice([1, 50, 1000]))
    unit = random.integers(0, 9, sites).astype(float)
    demand, elsewhere = float(random.integers(5, 40)), float(random.integers(1, 12))
    most = demand * random.choice([0.5, 1, 1, 4, 100], sites)
    least = np.where(random.random(sites) < 0.3, 0.3 * np.minimum(demand, most), 0.0)
    return fixed, unit, least, most, demand, elsewhere


def least_cost(fixed, unit, least, most, demand, elsewhere):
    """Over all sets of open sites, each filled from the cheapest on, the rest bought elsewhere."""
    best = np.inf
    for opened in itertools.product((0, 1), repeat=len(fixed)):
        volume = least * opened
        left = demand - volume.sum()
        if left < 0:
            continue
        for site in np.argsort(unit):
            if unit[site] < elsewhere:
                more = min(most[site] * opened[site] - volume[site], left)
                volume[site] += more
                left -= more
        best = min(best, fixed @ opened + unit @ volume + elsewhere * left)
    return best


def solved(fixed, unit, least, most, demand, elsewhere):
    """Optimum by the branch and bound that scopt uses: columns volume, bought elsewhere, open."""
    n = len(fixed)
    eye, none = np.eye(n), np.zeros((n, 1))
    links = [np.hstack([eye, none, -np.diag(most)]), np.hstack([-eye, none, np.diag(least)])]
    matrix = csr_array(np.vstack([*links, np.r_[np.ones(n + 1), np.zeros(n)]]))
    arrays = Arrays(
        cost=np.r_[unit, elsewhere, fixed], offset=0.0, terms=csr_array((0, 2 * n + 1)), constants=np.zeros(0),
        lower=np.zeros(2 * n + 1),
        upper=np.r_[np.full(n + 1, np.inf), np.ones(n)], integer=np.r_[np.zeros(n + 1, bool), np.ones(n, bool)],
        matrix=matrix, row_lower=np.r_[np.full(2 * n, -np.inf), demand], row_upper=np.r_[np.zeros(2 * n), demand],
        lazy=np.zeros(2 * n + 1, bool), row_blocks=[], decisions=[], names=[], constraint_row={}, flows=n + 1,
        scale=np.ones(n + 1),
    )  # fmt: skip
    outcome = solve_mip(Scaled.of(arrays), np.ones(2 * n + 1, bool), Clock(60.0), gap=0.0)
    assert outcome.status == "optimal"
    return arrays.cost @ outcome.points[-1], outcome.bound


def test_fixed_charges_are_paid_only_where_they_pay():
    random = np.random.default_rng(2975)
    wrong = []
    for number in range(150):
        model = charges(random)
        truth, (cost, bound) = least_cost(*model), solved(*model)
        if cost > truth + 1e-6 * abs(truth) or bound > truth + 1e-6 * abs(truth):
            wrong.append((number, truth, cost, bound))
    assert wrong == []


def test_a_charge_that_never_pays():
    """Ten units at 2 elsewhere, or a site at 99,999: HiGHS 1.14 opens the site."""
    model = (np.array([99_999.0]), np.zeros(1), np.zeros(1), np.array([100.0]), 10.0, 2.0)
    assert solved(*model) == pytest.approx((20.0, 20.0))


def test_versions_with_the_defect_are_refused():
    with pytest.raises(SolverError, match="wrong optima"):
        check_version((1, 14, 0))
    check_version(OLDEST)
    check_version((1, 16, 0))
