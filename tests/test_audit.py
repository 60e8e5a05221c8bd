"""Models as files: another solver reads them and comes to the cost that was reported."""

import csv
import shutil
from pathlib import Path

import numpy as np
import pyscipopt
import pytest
from test_enumeration import COSTS
from tiny_cases import tiny_case

import scopt
from scopt.audit import write_model
from scopt.case import Case

SMALL = Path(__file__).resolve().parents[1] / "cases" / "small.xlsx"


def scip(path):
    """Optimum of a model file by SCIP; None where there is none."""
    model = pyscipopt.Model()
    model.hideOutput()
    model.readProblem(str(path))
    model.setParam("limits/gap", 1e-9)
    model.setParam("numerics/feastol", 1e-8)
    model.setParam("limits/time", 120)
    model.optimize()
    assert model.getStatus() in ("optimal", "infeasible", "gaplimit")
    return None if model.getStatus() == "infeasible" else model.getObjVal()


def confirm(case, folder, ending, strategy="integrated", gap=1e-6):
    """Solve, write, and let SCIP bracket the reported cost."""
    searches = {}
    result = scopt.solve(case, strategy, gap=gap, searches=searches)
    start = searches[strategy].start
    files = write_model(case, folder / f"model.{ending}", strategy, start=start)
    models = [file for file in files if file.suffix == f".{ending}"]
    below = scip(models[0])
    if result.cost is None:
        assert below is None
        return len(models)
    slack = 2e-6 * max(1.0, abs(result.cost))
    assert below <= result.cost + slack
    if len(models) == 1:
        assert below == pytest.approx(result.cost, abs=slack)
    else:
        above = scip(models[1])
        assert below <= above + slack
        assert result.cost - gap * abs(result.cost) - slack <= above <= result.cost + slack
    return len(models)


@pytest.mark.parametrize("ending", ["mps", "lp"])
def test_scip_confirms_the_small_case(tmp_path, ending):
    assert confirm(scopt.read_case(SMALL), tmp_path, ending, gap=1e-6) == 2


def test_scip_confirms_todays_chain(tmp_path):
    assert confirm(scopt.read_case(SMALL), tmp_path, "mps", "as_is") == 2


def is_clear(frames):
    """Whether no ceiling on stock holds, which differs between the two files, and no limit counts changes."""
    ceilings = {"max_stock_days", "max_site_days"} & set(frames["products"])
    limits = frames.get("limits")
    return not ceilings and (limits is None or not limits["measure"].isin(["stock_value", "changes"]).any())


CLEAR = [seed for seed in range(60) if is_clear(tiny_case(seed))]


@pytest.mark.parametrize("seed", CLEAR[:14])
def test_scip_confirms_tiny_cases_with_every_feature(tmp_path, seed):
    case = Case.from_frames(tiny_case(seed))
    confirm(case, tmp_path, "lp" if seed % 2 else "mps")
    assert (COSTS[seed, "integrated"] is None) == (scopt.solve(case).cost is None)


def facility_case(seed):
    """Capacitated facility location: 6 depots, 15 customers, one plant that costs nothing to leave."""
    rng = np.random.default_rng(seed)
    depots, customers = [f"D{i}" for i in range(6)], [f"K{k}" for k in range(15)]
    demand = rng.integers(20, 90, len(customers)).astype(float)
    return Case.from_frames({
        "products": [{"product": "A"}],
        "sites": [{"site": "P", "status": "keep"}] + [
            {"site": d, "status": "candidate", "fixed_cost": float(rng.integers(300, 900)),
             "capacity": float(rng.integers(250, 420))} for d in depots
        ],
        "supply": [{"site": "P", "product": "A"}],
        "markets": [{"market": k} for k in customers],
        "demand": [{"market": k, "product": "A", "units": u} for k, u in zip(customers, demand, strict=True)],
        "lanes": [{"origin": "P", "destination": d} for d in depots] + [
            {"origin": d, "destination": k, "unit_cost": float(rng.integers(5, 60)) / 10} for d in depots for k in customers
        ],
    })  # fmt: skip


@pytest.mark.parametrize("seed", [1, 2])
def test_scip_confirms_facility_location(tmp_path, seed):
    assert confirm(facility_case(seed), tmp_path, "mps") == 1


def test_names_are_those_of_the_business(tmp_path):
    case = scopt.read_case(SMALL)
    file, table = write_model(case, tmp_path / "small.lp")
    with table.open(encoding="utf-8", newline="") as rows:
        names = {row["stands for"]: row["name"] for row in csv.DictReader(rows)}
    assert names["open_site(Own hub)"] == "open_site(Own_hub)"
    assert names["make(Factory,online,tea carton)"] == "make(Factory,online,tea_carton)"
    assert names["demand(Wuhu,online,tea carton)"] == "demand(Wuhu,online,tea_carton)"
    text = file.read_text()
    assert all(name in text for name in ("open_site(Own_hub)", "demand(Wuhu,online,tea_carton)"))


def test_ids_that_look_alike_keep_apart(tmp_path):
    case = Case.from_frames({
        "products": [{"product": "A"}],
        "sites": [{"site": s, "status": "keep"} for s in ("上海", "北京", "a b", "a_b")],
        "supply": [{"site": s, "product": "A"} for s in ("上海", "北京", "a b", "a_b")],
        "markets": [{"market": "M"}],
        "demand": [{"market": "M", "product": "A", "units": 10}],
        "lanes": [{"origin": s, "destination": "M", "unit_cost": n + 1.0}
                  for n, s in enumerate(("上海", "北京", "a b", "a_b"))],
    })  # fmt: skip
    file, table = write_model(case, tmp_path / "m.lp")
    with table.open(encoding="utf-8", newline="") as rows:
        written = [(row["kind"], row["name"]) for row in csv.DictReader(rows)]
    assert len(set(written)) == len(written)
    assert scip(file) == pytest.approx(10.0)


def test_the_command_writes_models_beside_the_result(run, tmp_path):
    case = Path(shutil.copy(SMALL, tmp_path / "small.xlsx"))
    status, _, err = run("solve", case, "--write-model", tmp_path / "small.mps")
    assert status == 0
    assert err.count("wrote") == 5
    names = {path.name for path in tmp_path.iterdir()}
    assert {"small.mps", "small.above.mps", "small.names.csv", "small.above.names.csv"} <= names
    assert not any(name.startswith(".part") for name in names)


@pytest.mark.parametrize("target", ["model.txt", "nowhere/model.lp"])
def test_a_target_that_cannot_be_is_told_before_the_solve(run, tmp_path, target):
    status, _, err = run("solve", SMALL, "-o", tmp_path / "r.xlsx", "--write-model", tmp_path / target)
    assert status == 2
    assert target.split("/")[-1] in err
    assert not (tmp_path / "r.xlsx").exists()
