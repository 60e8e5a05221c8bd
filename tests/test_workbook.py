"""What a reader and a program find in the result workbook; the result is the one of results.py."""

import math
import zipfile

import openpyxl
import pandas as pd
import pytest
from results import make_result, sites

from scopt.errors import UsageError
from scopt.files import check_target
from scopt.report import sheets
from scopt.result import TABLES


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    target = tmp_path_factory.mktemp("book") / "shirts.result.xlsx"
    make_result().to_excel(target)
    return target


@pytest.fixture(scope="module")
def book(path):
    return openpyxl.load_workbook(path)


def read_sheet(path, sheet_name, **options):
    return pd.read_excel(path, sheet_name=sheet_name, engine="calamine", **options)


def column(sheet, header):
    at = [cell.value for cell in sheet[1]].index(header)
    return [row[at] for row in sheet.iter_rows(min_row=2)]


def test_sheets_are_the_tables_in_their_order(book):
    assert book.sheetnames == [*(name for name in TABLES if name != "diagnosis"), "tiers"]


@pytest.mark.parametrize("name", [name for name in TABLES[1:] if name != "diagnosis"])
def test_every_table_can_be_read_back(path, name):
    def rows(table):
        return [["" if pd.isna(value) else value for value in row] for row in table.astype(object).to_numpy()]

    wanted = make_result().tables[name]
    read = read_sheet(path, sheet_name=name, dtype={"site": str})
    assert list(read.columns) == list(wanted.columns)
    for got, expected in zip(rows(read), rows(wanted), strict=True):
        assert got == [pytest.approx(value) if isinstance(value, float) else value for value in expected]


def test_summary_is_metric_value_unit(path):
    read = read_sheet(path, sheet_name="summary").set_index("metric")
    assert read.loc["cost", "value"] == 90_000
    assert read.loc["cost", "unit"] == "CNY/year"


def test_text_of_the_case_is_never_a_formula(book):
    for sheet in book:
        assert all(cell.data_type != "f" for row in sheet.iter_rows() for cell in row)
    assert column(book["sites"], "site")[0].value == "001"
    assert column(book["sites"], "site")[1].value == "=W1"
    assert "=stock of shirt is not limited" in [cell.value for cell in column(book["summary"], "value")]


@pytest.mark.parametrize(
    "text", ["=1+1", "{=1}", "http://example.org", "mailto:a@b.c", "internal:a!A1", "1e5", "+1"]
)
def test_text_stays_text(tmp_path, text):
    tables = {"sites": sites().assign(site=text, operator=text)}
    make_result(tables=tables).to_excel(tmp_path / "a.xlsx")
    cell = openpyxl.load_workbook(tmp_path / "a.xlsx")["sites"]["A2"]
    assert (cell.value, cell.data_type, cell.hyperlink) == (text, "s", None)


def test_numbers_are_formatted_by_kind(book):
    patterns = {
        ("costs", "strategy"): "#,##0",
        ("sites", "utilisation"): "0.0%",
        ("stock", "coverage_days"): "0.0",
        ("flows", "units"): "#,##0",
        ("limits", "slack"): "#,##0.0##",
    }
    assert {key: column(book[key[0]], key[1])[0].number_format for key in patterns} == patterns
    units = {row[0].value: row[1].number_format for row in book["summary"].iter_rows(min_row=2)}
    assert (units["gap"], units["cost"]) == ("0.0%", "#,##0")


def test_truth_values_are_truth_values(book):
    assert [cell.value for cell in column(book["sites"], "joined")] == [False, False, False, True, False]


def test_headers_are_frozen_and_filtered(book):
    assert {sheet.freeze_panes for sheet in book} == {"A2"}
    assert book["sites"].auto_filter.ref == "A1:L6"


def test_columns_are_wide_enough_for_their_headers(book):
    for sheet in book:
        for cell in sheet[1]:
            assert sheet.column_dimensions[cell.column_letter].width > len(str(cell.value or ""))


def test_closed_sites_and_failed_checks_are_coloured(book):
    rules = {
        name: [rule.formula[0] for found in book[name].conditional_formatting for rule in found.rules]
        for name in ("sites", "checks")
    }
    assert rules["sites"] == ['AND($E2="open",$F2="closed")', 'AND($E2="closed",$F2="open")']
    assert rules["checks"] == ["NOT($E2)"]


def test_charts_and_title_stand_beside_the_summary(path):
    with zipfile.ZipFile(path) as file:
        charts = [file.read(name).decode() for name in file.namelist() if name.startswith("xl/charts/chart")]
        drawing = file.read("xl/drawings/drawing1.xml").decode()
    costs = next(chart for chart in charts if "Cost by bucket" in chart)
    assert "costs!$B$2:$C$2" in costs
    assert "costs!$B$7:$C$7" not in costs  # emissions are nil in both
    assert any("tiers!$B$2:$B$5" in chart for chart in charts)
    assert "shirts · integrated" in drawing


def test_a_result_without_a_design_can_be_written(tmp_path):
    make_result(status="infeasible", cost=None, bound=None, gap=None, tables={}).to_excel(tmp_path / "a.xlsx")
    read = read_sheet(tmp_path / "a.xlsx", sheet_name="summary").set_index("metric")
    assert read.loc["status", "value"] == "infeasible"


def test_missing_as_is_and_infinite_numbers_can_be_written(tmp_path):
    tables = dict(make_result().tables)
    tables["costs"] = tables["costs"].assign(as_is=math.nan, difference=math.nan)
    tables["limits"] = tables["limits"].assign(slack=math.inf)
    make_result(tables=tables).to_excel(tmp_path / "a.xlsx")
    written = openpyxl.load_workbook(tmp_path / "a.xlsx")
    assert column(written["costs"], "as_is")[0].value is None
    assert column(written["limits"], "slack")[0].value == "inf"


def test_a_table_longer_than_a_sheet_goes_on_on_the_next(tmp_path, monkeypatch):
    monkeypatch.setattr(sheets, "_MAX_ROWS", 2)
    make_result(tables={"sites": sites()}).to_excel(tmp_path / "a.xlsx")
    parts = read_sheet(tmp_path / "a.xlsx", sheet_name=["sites", "sites_2", "sites_3"])
    assert [len(part) for part in parts.values()] == [2, 2, 1]


def test_a_failed_write_leaves_the_earlier_file_and_nothing_else(tmp_path):
    target = tmp_path / "a.xlsx"
    target.write_text("earlier")
    with pytest.raises(RuntimeError, match="broken"):
        make_result(tables={"supply": pd.DataFrame({"site": [BrokenText()]})}).to_excel(target)
    assert target.read_text() == "earlier"
    assert list(tmp_path.iterdir()) == [target]


class BrokenText:
    def __str__(self):
        raise RuntimeError("broken")


def test_writing_again_replaces_the_file(tmp_path):
    target = tmp_path / "a.xlsx"
    target.write_text("earlier")
    make_result().to_excel(target)
    assert zipfile.is_zipfile(target)
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("name", ["a.csv", "a", "missing/a.xlsx", "folder.xlsx", "case.xlsx", "link.xlsx"])
def test_targets_that_cannot_be(tmp_path, name):
    case = tmp_path / "case.xlsx"
    case.write_text("case")
    (tmp_path / "folder.xlsx").mkdir()
    (tmp_path / "link.xlsx").symlink_to(case)
    before = sorted(tmp_path.iterdir())
    with pytest.raises(UsageError, match=name.split("/")[-1]):
        check_target(tmp_path / name, case)
    assert case.read_text() == "case"
    assert sorted(tmp_path.iterdir()) == before


def test_a_target_that_can_be_is_left_alone(tmp_path):
    check_target(tmp_path / "a.xlsx", tmp_path)
    assert not list(tmp_path.iterdir())
