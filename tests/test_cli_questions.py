"""``scopt why``, ``alternatives`` and ``tie-out``: exit statuses, streams, workbooks."""

import json

import openpyxl
import pytest
from case_frames import write_workbook
from test_why import two_hubs


def book(path, **sheets):
    """Write the chain of two hubs as a workbook."""
    given = two_hubs(**sheets).given
    rows = {
        name: table.dropna(axis=1, how="all").to_dict("records")
        for name, table in given.items()
        if len(table)
    }
    write_workbook(path, rows)
    return path


@pytest.fixture
def case(tmp_path):
    return book(tmp_path / "two.xlsx", actuals=[{"bucket": "handling", "amount": 150}])


def test_why(run, case, tmp_path):
    target = tmp_path / "why.xlsx"
    status, out, err = run(
        "why", case, "--site", "A", "--price", "fixed_cost,margin_rate", "--no-check", "-o", target
    )
    assert status == 0
    assert "two · integrated · site A: closed" in out
    assert "fixed_cost (100 CNY/year today): open below 65, closed above" in out
    assert f"wrote {target}" in err
    assert openpyxl.load_workbook(target)["break_even"]["A3"].value == "margin_rate"


def test_why_as_json_writes_no_workbook_of_its_own(run, case):
    status, out, _ = run("why", case, "--lane", "S>B", "--json", "--no-check", "--gap", "1e-6")
    told = json.loads(out)
    assert status == 0
    assert (told["question"], told["decided"], told["forced"]) == ("lane S>B", "used", "not used")
    assert told["difference"] == pytest.approx(35)
    assert sorted(path.name for path in case.parent.iterdir()) == ["two.xlsx"]


def test_what_cannot_be_otherwise_is_an_answer(run, case):
    status, out, _ = run("why", case, "--site", "S")
    assert status == 0
    assert "it stays so: S stays (status keep)" in out


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["why"], "name one decision"),
        (["why", "--site", "a"], "the case has no site 'a'. Did you mean A?"),
        (["why", "--site", "A", "--price", "slot"], "site A has no slot"),
        (["alternatives", "--strategy", "mine"], "no strategy 'mine'"),
        (["alternatives", "--count", "0"], "--count"),
        (["tie-out", "-o", "books.csv"], "the name of a workbook ends in .xlsx"),
    ],
)
def test_usage(run, case, args, message):
    status, out, err = run(args[0], case, *args[1:])
    assert (status, out) == (2, "")
    assert message in err


def test_a_workbook_that_is_the_case_is_refused(run, case):
    before = case.read_bytes()
    for args in (["why", case, "--site", "A"], ["alternatives", case], ["tie-out", case]):
        status, _, err = run(*args, "-o", case)
        assert status == 2
        assert "would overwrite the case" in err
    assert case.read_bytes() == before


def test_no_design(run, tmp_path):
    case = book(tmp_path / "no.xlsx", supply=[{"site": "S", "product": "P", "capacity": 10}],
                actuals=[{"bucket": "handling", "amount": 150}])  # fmt: skip
    for args in (["why", case, "--site", "A"], ["alternatives", case], ["tie-out", case]):
        status, out, _ = run(*args)
        assert status == 3
        assert "no feasible design exists" in out


def test_alternatives(run, case, tmp_path):
    target = tmp_path / "other.xlsx"
    status, out, _ = run("alternatives", case, "--count", 2, "--within", 0.06, "-o", target)
    assert status == 0
    assert "1 design within the tolerance; proven: no further design lies within it" in out
    assert openpyxl.load_workbook(target)["differences"]["C2"].value == "A"
    status, out, _ = run("alternatives", case, "--within", 0.01, "--json")
    assert (status, json.loads(out)["complete"], len(json.loads(out)["designs"])) == (0, True, 1)


def test_tie_out_warns_and_exits_0(run, case):
    status, out, _ = run("tie-out", case)
    assert status == 0
    assert "warning: handling: the model's 200 is 33.3 % above the actual 150 CNY/year" in out
    status, out, _ = run("tie-out", case, "--json")
    assert (status, len(json.loads(out)["warnings"])) == (0, 2)


def test_tie_out_without_books(run, tmp_path):
    status, _, err = run("tie-out", book(tmp_path / "none.xlsx"))
    assert status == 2
    assert "fill in what today's chain cost" in err
