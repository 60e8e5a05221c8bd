"""What one relaxation tells another: the same optimum, sooner."""

import json
from dataclasses import replace

import numpy as np
import pytest
from test_cover import depots
from test_sifting import depots_case

import scopt
from scopt.batch import Task
from scopt.batch.job import Serial
from scopt.case import ORDER
from scopt.kinship import in_order
from scopt.network import Versions, expand
from scopt.search import method, sifting
from scopt.search.hints import Hints, Start
from scopt.search.root import LISTS, STATES, Root
from scopt.search.sifting import Sifted
from scopt.search.solver import Clock, Scaled
from scopt.solved import Solved, chain_of, search
from scopt.solving import options_for


def dearer(case, factor):
    """Case with other costs of lanes; its network is the same."""
    lanes = case.tables["lanes"]
    return case.replace(lanes=lanes.assign(unit_cost=lanes["unit_cost"] * factor))


def longer(case):
    """Case with other times, so that its network is another one."""
    lanes = case.tables["lanes"]
    return case.replace(lanes=lanes.assign(lead_days=lanes["lead_days"] + (lanes["origin"] == "P")))


@pytest.fixture(scope="module")
def case():
    return depots_case(3)


def relaxed(case, root=None, strategy="integrated", model=None):
    """The relaxation of a case and the simplex iterations that it took, led by a root if there is one."""
    model = scopt.build(case, strategy) if model is None else model
    sifted = Sifted(model, Scaled.of(model.compile()), Clock(120.0))
    if root is not None:
        root.lead(sifted)
    steps, run = [], sifted.run

    def counted(*args, **how):
        done = run(*args, **how)
        steps.append(sifted.engine.getInfo().simplex_iteration_count)
        return done

    sifted.run = counted
    assert sifted.solve(1e-9, 60.0, lambda bound: None)
    return sifted, sum(steps)


@pytest.fixture(scope="module")
def root(case):
    return Root.of(relaxed(case)[0])


def cost(sifted):
    return sifted.scaled.value(sifted.objective)


@pytest.mark.parametrize("factor", [1.0, 0.8, 1.3])
def test_other_costs_are_solved_from_the_basis(case, root, factor):
    changed = dearer(case, factor)
    alone, many = relaxed(changed)
    led, few = relaxed(changed, root)
    assert cost(led) == pytest.approx(cost(alone), rel=1e-8)
    assert led.best_bound == pytest.approx(alone.best_bound, rel=1e-7)
    assert few < 0.5 * many


@pytest.mark.parametrize("strategy", ["integrated", "only_restock"])
def test_another_network_has_its_own_optimum(case, root, strategy):
    changed = longer(case)
    alone, _ = relaxed(changed, strategy=strategy)
    led, _ = relaxed(changed, root, strategy)
    assert Root.of(led).network != root.network
    assert cost(led) == pytest.approx(cost(alone), rel=1e-8)
    assert led.best_bound == pytest.approx(alone.best_bound, rel=1e-7)


@pytest.mark.parametrize("strategy", ["only_restock", "only_outsource"])
def test_its_duals_lead_to_the_same_optimum(case, root, strategy, monkeypatch):
    alone, _ = relaxed(case, strategy=strategy)
    monkeypatch.setattr(sifting, "ASCEND_FROM", 1)
    led, _ = relaxed(case, root, strategy)
    assert led.guess is not None
    assert cost(led) == pytest.approx(cost(alone), rel=1e-8)
    assert led.best_bound == pytest.approx(alone.best_bound, rel=1e-7)


@pytest.mark.parametrize("known", [False, True])
def test_known_duals_pay_on_smaller_models(case, root, known, monkeypatch):
    climbed = []
    monkeypatch.setattr(sifting, "ascend", lambda *args: climbed.append(args))
    model = scopt.build(case)
    sifted = Sifted(model, Scaled.of(model.compile()), Clock(120.0))
    if known:
        replace(root, network="another").lead(sifted)
    cells = len(sifted.demand)
    for size, expected in ((cells, True), (cells + 1, known), (1.4 * cells, known), (1.6 * cells, False)):
        monkeypatch.setattr(sifting, "ASCEND_FROM", size)
        climbed.clear()
        assert sifted.solve(1e-4, 60.0, lambda bound: None)
        assert bool(climbed) == expected


def test_duals_that_bound_well_enough_need_no_linear_program(case, root, monkeypatch):
    monkeypatch.setattr(sifting, "ASCEND_FROM", 1)
    model = scopt.build(case)
    sifted = Sifted(model, Scaled.of(model.compile()), Clock(120.0))
    replace(root, network="another").lead(sifted)
    enough = sifted.bound(sifted.guess) * (1 - 1e-9)
    reported: list[float] = []
    assert sifted.solve(1e-4, 60.0, reported.append, lambda: enough)
    assert not sifted.solved
    assert sifted.best_bound >= enough


def test_a_row_more_does_not_matter(case, root):
    few = [{"limit": "few", "measure": "sites", "tier": "depot", "max": 6}]
    changed = depots_case(3, limits=few)
    alone, many = relaxed(changed)
    led, steps = relaxed(changed, root)
    assert Root.of(led).network == root.network
    assert cost(led) == pytest.approx(cost(alone), rel=1e-8)
    assert cost(led) > 1.001 * cost(relaxed(case)[0])
    assert steps < 0.7 * many


def test_versions_of_a_stock_point_begin_with_the_rows_that_were_tight(case, root):
    plain = scopt.build(case)
    cells, chain = plain.notes["cells"], chain_of(case, "integrated")
    breaks = {key: np.array([0.3 * high]) for key, high in zip(cells.keys, cells.high.tolist(), strict=True)}
    refined = scopt.models.build(expand(chain, Versions.of(chain, dict.fromkeys(breaks, 2))), breaks)
    alone, _ = relaxed(case, model=refined)
    led, _ = relaxed(case, root, model=refined)
    assert cost(led) == pytest.approx(cost(alone), rel=1e-8)
    before = Sifted(refined, led.scaled, Clock(60.0))
    root.lead(before)
    began = before.in_rows[before.lazy]
    assert began.sum() > 0.8 * len(root.tight)
    # Of rows that differ in the version alone, all are there.
    twice = np.bincount(np.unique(before.row_marks[began], return_inverse=True)[1])
    assert (twice > 1).any()


def test_duals_go_on_to_another_network(case, root):
    """The same model, taken for one with another network: its duals give the same bound there."""
    best = relaxed(case)[0].best_bound
    model = scopt.build(case)
    sifted = Sifted(model, Scaled.of(model.compile()), Clock(120.0))
    replace(root, network="another").lead(sifted)
    assert sifted.guess is not None
    assert not sifted.led
    assert sifted.bound(sifted.guess) == pytest.approx(best, rel=1e-9)


@pytest.fixture(scope="module")
def led_lines(case, root):
    """A relaxation with two lines in every cell, led by one without."""
    plain = scopt.build(case)
    cells = plain.notes["cells"]
    middle = (cells.low + cells.high) / 2
    breaks = {key: np.array([at]) for key, at in zip(cells.keys, middle.tolist(), strict=True)}
    chain = plain.chain
    model = scopt.models.build(expand(chain, Versions.of(chain, dict.fromkeys(breaks, 2))), breaks)
    sifted = Sifted(model, Scaled.of(model.compile()), Clock(120.0))
    root.lead(sifted)
    return sifted


def test_no_line_begins_cheaper_than_the_envelope(led_lines):
    """What goods save on a flat line goes to the line, as far as that costs anything."""
    sifted, model = led_lines, led_lines.model
    arrays, lean, cells, lines = sifted.scaled.arrays, sifted.lean, model.notes["cells"], model.notes["lines"]
    first = arrays.first_rows["line"]
    rows = np.arange(first, first + dict(arrays.row_blocks)["line"])
    dual = sifted.guess[rows]
    assert (dual <= 0).all()
    assert (dual < 0).sum() > 20
    # Money a unit that a row adds to its flows, and what its line is left with.
    added = (-(lean.matrix[rows].T @ dual) / lean.column * lean.money)[cells.column]
    choice = np.array([arrays.place[var.name] for var in model.pyomo.line.values()])
    left = lean.cost[choice] + (-(lean.matrix[rows].T @ dual))[choice]
    assert (left >= -1e-9).all()
    price = arrays.cost[[arrays.place[var.name] for var in model.pyomo.root.values()]][cells.of]
    seat = lines.start[cells.of] + model.network.line[cells.column]
    asked = np.maximum(cells.envelope - lines.slope[seat] * cells.weight, 0.0) * price
    enough = added >= asked * (1 - 1e-9) - 1e-9
    assert (enough & (asked > 0)).sum() > 20
    assert (left[seat] <= 1e-9)[~enough].all()
    without = sifted.guess.copy()
    without[rows] = 0.0
    assert sifted.bound(sifted.guess) > sifted.bound(without)


def test_all_versions_of_a_row_begin_with_its_dual(led_lines):
    sifted = led_lines
    of_rows = dict(zip(sifted.lazy.tolist(), sifted.row_marks.tolist(), strict=True))
    duals: dict[tuple[str, int], set[float]] = {}
    for name, count in sifted.scaled.arrays.row_blocks:
        first = sifted.scaled.arrays.first_rows[name]
        for row in range(first, first + count):
            if row in of_rows and name != "line":  # lines were not there before
                worth = sifted.guess[row] * sifted.lean.row[row]
                duals.setdefault((name, of_rows[row]), set()).add(round(worth, 12))
    told = [same for same in duals.values() if same != {0.0}]
    assert len(told) > 50
    assert all(len(same) == 1 for same in told)
    assert sifted.bound(sifted.guess) > sifted.bound(np.zeros(len(sifted.guess)))


def test_it_can_be_kept_as_text(root):
    back = Root.from_plain(json.loads(json.dumps(root.plain())))
    assert back.network == root.network
    assert back.decision == root.decision
    for name in (*LISTS, *STATES, "duals"):
        np.testing.assert_array_equal(getattr(back, name), getattr(root, name))
    assert back.rows.keys() == root.rows.keys()
    for name, status in root.rows.items():
        np.testing.assert_array_equal(back.rows[name], status)


@pytest.mark.parametrize("cells", [1, sifting.ASCEND_FROM])
def test_a_search_from_another_one_proves_the_same(case, cells, monkeypatch):
    monkeypatch.setattr(method, "SIFT_FROM", -1)
    monkeypatch.setattr(sifting, "ASCEND_FROM", cells)
    changed, options = dearer(case, 1.1), options_for(case, gap=2e-3, time_limit=120)
    first = search(case, "integrated", options)
    alone = search(changed, "integrated", options)
    led = search(changed, "integrated", options, hints=Hints((first.start,), root=first.root))
    assert alone.status == led.status == "optimal"
    assert led.bound <= alone.cost * (1 + 1e-9)
    assert alone.bound <= led.cost * (1 + 1e-9)
    assert led.tables["checks"]["ok"].all()


def test_a_search_that_duals_alone_bound_hands_their_root_on(case, root, monkeypatch):
    monkeypatch.setattr(method, "SIFT_FROM", -1)
    monkeypatch.setattr(sifting, "ASCEND_FROM", 1)
    options = options_for(case, gap=0.1, time_limit=120)
    first = search(case, "integrated", options)
    other = replace(root, network="another")
    led = search(case, "integrated", options, hints=Hints((first.start,), root=other))
    assert led.status == "optimal"
    assert led.root is other


def test_a_curve_hands_the_root_on(case, monkeypatch):
    monkeypatch.setattr(method, "SIFT_FROM", -1)
    led = []
    lead = Root.lead
    monkeypatch.setattr(Root, "lead", lambda self, sifted: led.append(lead(self, sifted)))
    curve = scopt.sweep(case, "lanes.unit_cost*=1,1.1,1.2", gap=2e-3, jobs=1)
    assert len(curve.table) == 3
    assert len(led) >= 2
    for factor, at in zip((1.0, 1.1, 1.2), curve.table["cost"], strict=True):
        alone = scopt.solve(dearer(case, factor), gap=2e-3)
        assert abs(at - alone.cost) <= 2e-3 * alone.cost * (1 + 1e-6)


def test_rows_that_are_there_are_not_added_again():
    """Without stock strong rows enter with their columns, and a root of another network names them again."""
    rng = np.random.default_rng(2)
    case = depots(np.full(6, np.nan).tolist(), rng.integers(5, 30, 8).tolist())
    wider = depots(np.full(7, np.nan).tolist(), rng.integers(5, 30, 8).tolist())
    root = Root.of(relaxed(case)[0])
    led, _ = relaxed(wider, root)
    assert len(led.row_order) == len(np.unique(led.row_order)) == led.in_rows.sum()
    assert led.engine.getNumRow() == led.in_rows.sum()
    assert led.add_rows(led.row_order) == 0
    assert cost(led) == pytest.approx(cost(relaxed(wider)[0]), rel=1e-9)


def test_the_same_levers_on_other_data_wait_for_integrated(case, root):
    changes = [
        {"strategy": "dearer", "sheet": "lanes", "where": "", "column": "unit_cost", "operation": "multiply", "value": 1.1}
    ]  # fmt: skip
    levers = dict.fromkeys(ORDER, "yes")
    changed = depots_case(3, strategies=[{"strategy": "dearer"} | levers], changes=changes)
    options = options_for(changed)
    tasks = [
        Task(name, changed, changed.strategies[name], options) for name in ("dearer", "as_is", "integrated")
    ]
    ordered = {task.name: task for task in in_order(tasks, Serial())}
    assert list(ordered) == ["as_is", "integrated", "dearer"]
    found = Solved("integrated", "optimal", {"sites": 1.0}, 0.9, 0.1, 1.0, start=Start({}, {}), root=root)
    hints = ordered["dearer"].prepare(ordered["dearer"], {"integrated": found}).hints
    assert hints.root is root
    assert hints.starts == (found.start,)
    assert hints.bound == -np.inf  # what is dearer there is not here


def test_a_design_may_be_looked_for_as_soon_as_the_steps_are_done(case, root, monkeypatch):
    monkeypatch.setattr(sifting, "ASCEND_FROM", 1)
    model = scopt.build(case)
    sifted = Sifted(model, Scaled.of(model.compile()), Clock(120.0))
    replace(root, network="another").lead(sifted)
    seen = []

    def between():
        seen.append((sifted.solved, np.isfinite(sifted.best_bound)))
        return True

    assert sifted.solve(1e-9, 60.0, lambda bound: None, between=between)
    assert seen == [(True, True)]
