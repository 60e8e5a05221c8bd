"""A canary for a known defect of HiGHS 1.14: wrong optima, called optimal, on models with big-M links.

Presolve merged branches that differ only in their weights (HiGHS issue 3094, and kindred 2975, 3043, 3073). The
models here are of that kind: slots of which only so many may be used, volumes linked to them by a big M, and
what is missing weighed differently. Their optimum is known without a solver: the heaviest are served.
"""

import highspy
import numpy as np
import pytest
from scipy.sparse import csr_array

from scopt.errors import SolverError
from scopt.search.solver import OLDEST, Quiet, check_version


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


def test_versions_with_the_defect_are_refused():
    with pytest.raises(SolverError, match="wrong optima"):
        check_version((1, 14, 0))
    check_version(OLDEST)
    check_version((1, 16, 0))
