"""Short linear programs leave the caller's own use of HiGHS alone."""

from concurrent.futures import ThreadPoolExecutor

import highspy
import numpy as np
import pytest
from test_sifting import depots_case, sifted_of

from scopt.search.ascent import climb
from scopt.search.solver import Clock, Lp


def own(threads):
    """Solve a program as a caller might, in the present thread."""
    engine = highspy.Highs()
    engine.setOptionValue("output_flag", False)
    engine.setOptionValue("threads", threads)
    engine.addVar(1.0, 2.0)
    engine.changeColCost(0, 3.0)
    engine.run()
    return engine.getModelStatus(), engine.getInfo().objective_function_value


@pytest.mark.parametrize("threads", [1, 2])
def test_other_numbers_of_threads_do_not_matter(threads):
    def bound():
        sifted, _ = sifted_of(depots_case(5, depots=5, shops=8, products=1))
        found = climb(sifted, np.zeros(len(sifted.dual)), 1e-4, sifted.clock.seconds + 60.0, lambda _: None)
        assert found.decision is not None  # steps were made, each with a program of its own
        return sifted.best_bound

    def work():
        first, before, second, after = bound(), own(threads), bound(), own(threads)
        assert before == after == (highspy.HighsModelStatus.kOptimal, 3.0)
        return first, second

    with ThreadPoolExecutor(1) as fresh:  # where nobody has run HiGHS yet
        first, second = fresh.submit(work).result()
    assert np.isfinite(first)
    assert first == second


def test_it_is_the_program_that_others_solve():
    _, scaled = sifted_of(depots_case(5, depots=5, shops=8, products=1))
    brief, usual = (Lp(scaled, ~scaled.arrays.lazy, Clock(60.0), brief=brief) for brief in (True, False))
    one, other = brief.solve(), usual.solve()
    assert one is not None
    assert scaled.arrays.cost @ one == pytest.approx(scaled.arrays.cost @ other)
