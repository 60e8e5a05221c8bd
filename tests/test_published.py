"""Published instances with known optima; ``-m "not slow"`` leaves a quick part of them.

The instances are data of others and do not live in this project; where their folder is not there, the tests say so.
"""

import csv
import importlib.util
from pathlib import Path

import pytest

import scopt

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
QUICK = {
    "cap41.txt", "cap74.txt", "p1", "p10", "kstar_nI10_nJ10_nK30_nL3_tI2_tJ2_s1.txt",
    "kstar_nI10_nJ10_nK30_nL3_tI8_tJ8_s2.txt",
}  # fmt: skip
FAMILIES = ("orlib_cap", "single_source", "two_echelon")

if not (DATA / "optima.csv").exists():
    pytest.skip("the folder of published instances (shared/data) is not there", allow_module_level=True)


def instances():
    with (DATA / "optima.csv").open() as file:
        for row in csv.DictReader(file):
            small = not row["file"].startswith(("capa", "capb"))
            if row["family"] in FAMILIES and small:
                marks = [] if row["file"] in QUICK else [pytest.mark.slow]
                yield pytest.param(
                    row["family"], row["file"], float(row["optimum"]), id=row["file"], marks=marks
                )


@pytest.fixture(scope="module")
def convert():
    spec = importlib.util.spec_from_file_location("to_case", DATA / "to_case.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(("family", "file", "optimum"), list(instances()))
def test_published_optimum(convert, tmp_path, family, file, optimum):
    path = tmp_path / "case.xlsx"
    convert.write_xlsx(convert.load(DATA / family / file), path)
    result = scopt.solve(scopt.read_case(path), gap=1e-6)
    assert result.status == "optimal"
    assert result.cost == pytest.approx(optimum, rel=1e-5)
    assert result.bound <= optimum * (1 + 1e-6)
    assert result.checks["ok"].all(), result.checks[~result.checks["ok"]]
