"""Today's chain against the books: by A 400 of transport, 200 of handling and 100 a year, see `two_hubs`."""

import math

import openpyxl
import pytest
from test_why import two_hubs, with_cell

from scopt import CaseError, UsageError, tie_out


def books(**amounts):
    return two_hubs(actuals=[{"bucket": bucket, "amount": amount} for bucket, amount in amounts.items()])


def test_largest_gaps_first_and_warnings_above_ten_per_cent():
    told = tie_out(books(transport=410, handling=150, emissions=5))
    assert told.table["bucket"].tolist() == ["handling", "transport", "emissions", "sites"]
    rows = told.table.set_index("bucket")
    assert rows["difference"].to_dict() == pytest.approx({"handling": 50, "transport": -10, "emissions": -5, "sites": math.nan}, nan_ok=True)  # fmt: skip
    assert rows["share"].to_dict() == pytest.approx({"handling": 1 / 3, "transport": -10 / 410, "emissions": -1, "sites": math.nan}, nan_ok=True)  # fmt: skip
    assert rows["over"].tolist() == [True, False, True, False]
    # In all 600 against 565: sites have no actual amount and do not count.
    assert (told.total["actual"], told.total["model"]) == pytest.approx((565, 600))
    assert told.total["over"] is False
    assert told.warnings == (
        "handling: the model's 200 is 33.3 % above the actual 150 CNY/year",
        "emissions: the model's 0 is 100.0 % below the actual 5 CNY/year",
    )


def test_the_whole_is_judged_too():
    told = tie_out(books(transport=370, handling=183))  # 8.1 and 9.3 %, together 8.5 %
    assert not told.warnings
    told = tie_out(books(transport=340, handling=200))  # 17.6 % and nothing, together 11.1 %
    assert [warning.split(":")[0] for warning in told.warnings] == ["total", "transport"]


def test_an_actual_amount_of_nothing():
    told = tie_out(books(sites=0, late=0))
    rows = told.table.set_index("bucket")
    assert rows.loc["sites", ["share", "over"]].tolist() == [math.inf, True]
    assert rows.loc["late", ["share", "over"]].tolist() == [0, False]
    assert told.warnings[1] == "sites: the model's 100 is infinitely far above the actual 0 CNY/year"
    assert told.summary_json()["buckets"][0]["share"] is None


def test_text_and_workbook(tmp_path):
    told = tie_out(books(transport=410, handling=150))
    lines = str(told).splitlines()
    assert lines[0] == "frames · as_is · tie-out with the actual cost"
    assert lines[3].split() == ["handling", "150.00", "200.00", "+50.00", "33.3", "%"]
    assert lines[6].split() == ["total", "560.00", "600.00", "+40.00", "7.1", "%"]
    assert "warning: handling: the model's 200 is 33.3 % above the actual 150 CNY/year" in lines
    assert lines[-1].startswith("note: 1 bucket has no actual amount")
    told.to_excel(tmp_path / "books.xlsx")
    book = openpyxl.load_workbook(tmp_path / "books.xlsx")
    assert book.sheetnames == ["tie-out", "notes"]
    assert [row[0].value for row in book["tie-out"].iter_rows(min_row=2)] == [
        "handling",
        "transport",
        "sites",
        "total",
    ]


def test_a_case_without_actual_amounts():
    with pytest.raises(UsageError, match="no sheet `actuals`"):
        tie_out(two_hubs())


def test_an_unknown_bucket_is_a_finding():
    with pytest.raises(CaseError, match=r"actuals.*rent"):
        books(rent=5)


def test_without_a_design_of_today():
    case = with_cell(books(transport=410), "sites", {"site": "S"}, "capacity", 10)
    told = tie_out(case)
    assert told.table["model"].isna().all()
    assert not told.warnings
    assert "no feasible design exists" in str(told)
