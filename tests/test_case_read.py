"""Reading: workbook, CSV folder and frames give the same case; names, ids and numbers follow the contract."""

from __future__ import annotations

import datetime
import zipfile

import numpy as np
import openpyxl
import pandas as pd
import pytest
from case_frames import case, edited, findings, sheets, write_folder, write_workbook

from scopt.case import Case, read_case
from scopt.casefile.hints import nearest
from scopt.casefile.schema import SHEETS
from scopt.errors import CaseError


def only(found, level="error"):
    """The one finding of this level."""
    chosen = [one for one in found if one.level == level]
    assert len(chosen) == 1, str(found)
    return chosen[0]


def test_workbook_folder_and_frames_are_the_same_case(tmp_path):
    write_workbook(tmp_path / "case.xlsx", sheets())
    write_folder(tmp_path / "case", sheets())
    cases = [read_case(tmp_path / "case.xlsx"), read_case(tmp_path / "case")]
    cases.append(Case.from_frames(sheets(), source="case"))
    assert len({one.digest for one in cases}) == 1
    assert [one.source for one in cases] == ["case"] * 3
    assert not any(one.warnings for one in cases)


def test_sheet_and_column_names_ignore_case_spaces_and_underscores():
    renamed = sheets()
    renamed["Site Products"] = [{"SITE": "hub", "Product": "tea", "unit cost": 3}]
    found = Case.from_frames(renamed)
    assert found.site_products["unit_cost"].tolist() == [3.0]


def test_every_sheet_is_there_typed_and_with_the_contract_columns():
    tables = case().tables
    assert list(tables) == list(SHEETS)
    for name, sheet in SHEETS.items():
        assert list(tables[name].columns) == [column.name for column in sheet.columns], name
        for column in sheet.columns:
            kind = tables[name][column.name].dtype
            assert kind == (float if column.numeric else bool if column.kind == "yes-no" else object), (
                column.name
            )


def test_ids_are_text(tmp_path):
    book = openpyxl.Workbook()
    page = book.active
    page.title = "products"
    for row in (["product"], ["001"], [1], [1.0e3], [1.5], ["  a b  "], [True]):
        page.append(row)
    book.save(tmp_path / "ids.xlsx")
    with pytest.raises(CaseError):  # the other sheets are missing
        read_case(tmp_path / "ids.xlsx")
    ids = Case.from_frames(
        sheets(products=[{"product": x} for x in ("001", 1, 1.0e3, 1.5, "  a b  ", np.int64(7), "tea")])
    ).products["product"]
    assert ids.tolist() == ["001", "1", "1000", "1.5", "a b", "7", "tea"]


def test_csv_ids_keep_their_zeros(tmp_path):
    write_folder(tmp_path / "case", sheets(products=[{"product": "tea"}, {"product": "001"}]))
    assert read_case(tmp_path / "case").products["product"].tolist() == ["tea", "001"]


def test_an_id_that_excel_made_a_date_is_a_finding():
    found = only(findings(products=[{"product": "tea"}, {"product": datetime.date(2024, 1, 2)}]))
    assert (found.where, found.value) == ("products!A3", "2024-01-02")


@pytest.mark.parametrize(
    ("cell", "number"),
    [("1,200", 1200), ("-1,234,567.5", -1234567.5), (" 12 ", 12), ("1e3", 1000), (np.float32(2), 2), (7, 7)],
)
def test_numbers(cell, number):
    assert case(sites=edited("sites", 1, close_cost=cell)).sites["close_cost"][1] == number


@pytest.mark.parametrize(
    "cell",
    [
        "1,2",
        "1.200,5",
        "12%",
        "abc",
        "nan",
        "inf",
        "#N/A",
        "1_000",
        float("inf"),
        True,
        datetime.date(2024, 1, 2),
    ],
)
def test_what_is_no_number(cell):
    found = only(findings(sites=edited("sites", 1, close_cost=cell)))
    assert (found.sheet, found.row, found.column) == ("sites", 3, "close_cost")


@pytest.mark.parametrize(
    ("cell", "answer"), [("yes", True), ("NO", False), (True, True), (False, False), (None, False)]
)
def test_yes_and_no(cell, answer):
    channels = edited("channels", 0, single_source=cell)
    assert case(channels=channels).channels["single_source"].tolist() == [answer, False]


@pytest.mark.parametrize("cell", ["maybe", 1, 0, 2.5])
def test_what_is_neither_yes_nor_no(cell):
    assert only(findings(channels=edited("channels", 0, single_source=cell))).column == "single_source"


def test_choices_ignore_case_and_spaces():
    assert case(sites=edited("sites", 1, status=" Existing ")).sites["status"][1] == "existing"


def test_blank_of_every_kind_takes_the_default():
    for blank in (None, "", "  ", float("nan"), pd.NA, pd.NaT):
        assert case(sites=edited("sites", 1, fixed_cost=blank)).sites["fixed_cost"][1] == 0


def test_defaults_come_from_settings_and_from_the_row_itself():
    found = case()
    assert found.products["holding_rate"].tolist() == [0.25]
    assert found.products["service_level"].tolist() == [0.95]
    assert found.sites["place"].tolist() == ["plant", "north", "hub"]
    assert found.sites["review_days"].tolist() == [7, 7, 7]
    assert found.sites["o2o"].tolist() == ["no", "no", "optional"]
    assert found.channels["pool"].tolist() == ["shop", "web"]
    assert found.channels["service_level"].isna().all()
    assert found.settings.name == "frames"


def test_channels_that_only_demand_names_take_all_defaults():
    demand = [{"market": "M1", "product": "tea", "units": 5}]
    found = case(channels=None, demand=demand)
    assert found.demand["channel"].tolist() == ["all"]
    assert found.channels[["channel", "pool", "min_fill", "share_scope"]].to_numpy().tolist() == [
        ["all", "all", 1, "market"]
    ]
    assert found.channels["single_source"].tolist() == [False]


def test_excluded_and_empty_rows_are_left_out():
    demand = [*sheets()["demand"], {}, {"market": "M9", "units": -3, "status": "exclude"}]
    found = case(demand=demand)
    assert len(found.demand) == 2
    assert not found.warnings


def test_rows_after_an_empty_one_keep_their_address():
    lanes = sheets()["lanes"]
    lanes.insert(2, {})
    lanes[4]["lead_days"] = -1
    assert only(findings(lanes=lanes)).where == "lanes!E6"


def test_exclude_is_no_status_of_a_site():
    found = only(findings(sites=edited("sites", 1, status="exclude")))
    assert "one of keep, existing" in found.rule


def test_unknown_names_are_warnings_with_the_nearest_known_one():
    found = findings(demandd=[{"x": 1}], products=[{"product": "tea", "wieght_kg": 1, "colour": "red"}])
    assert {(one.level, one.where, one.column) for one in found} == {
        ("warning", "demandd", ""),
        ("warning", "products!B1", "wieght_kg"),
        ("warning", "products!C1", "colour"),
    }
    assert [one.mend for one in found] == [
        "Did you mean demand?",
        "Did you mean weight_kg?",
        "It is not read.",
    ]


def test_unknown_settings_and_sheets_without_cells(tmp_path):
    book = write_workbook(
        tmp_path / "case.xlsx",
        sheets(settings=[{"key": "mip gap", "value": 0.05}, {"key": "holding", "value": 1}]),
    )
    book.create_sheet("Sheet1")
    book.create_chartsheet("picture")
    book.save(tmp_path / "case.xlsx")
    found = read_case(tmp_path / "case.xlsx")
    assert found.settings.mip_gap == 0.05
    assert [(one.where, one.mend) for one in found.warnings] == [
        ("settings!A3", "Did you mean holding_rate?")
    ]


def test_two_columns_or_sheets_of_one_name():
    assert only(findings(Products=[{"product": "x"}])).sheet == "products"
    assert only(findings(markets=[{"market": "M1", "Market ": "M2"}, {"market": "M2"}])).where == "markets!B1"


def test_a_missing_required_column_is_one_finding():
    found = only(findings(demand=[{"market": "M1", "product": "tea", "unit": 5}]))
    assert (found.where, found.column) == ("demand", "units")


def test_a_required_sheet_without_rows():
    assert only(findings(markets=[{"market": None}], demand=sheets()["demand"])).where == "markets"


def test_settings_are_typed_and_bounded():
    found = case(settings=[{"key": "Time Limit s", "value": "1,200"}, {"key": "currency", "value": "EUR"}])
    assert (found.settings.time_limit_s, found.settings.currency) == (1200, "EUR")
    error = only(findings(settings=[{"key": "service_level", "value": 1}]))
    assert (error.where, error.column, error.value) == ("settings!B2", "service_level", "1")


@pytest.mark.parametrize("content", [b"", b"no workbook", b"PK\x03\x04 broken"])
def test_a_broken_file_is_one_finding(tmp_path, content):
    path = tmp_path / "case.xlsx"
    path.write_bytes(content)
    with pytest.raises(CaseError) as caught:
        read_case(path)
    assert len(caught.value.findings) == 1


def test_a_file_cut_short_is_one_finding(tmp_path):
    path = tmp_path / "case.xlsx"
    write_workbook(path, sheets())
    path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(CaseError) as caught:
        read_case(path)
    assert len(caught.value.findings) == 1


def test_a_missing_file_and_an_empty_folder(tmp_path):
    for path in (tmp_path / "none.xlsx", tmp_path):
        with pytest.raises(CaseError) as caught:
            read_case(path)
        assert len(caught.value.findings) == 1


def test_csv_files_of_other_kinds_are_findings(tmp_path):
    folder = tmp_path / "case"
    write_folder(folder, sheets())
    (folder / "markets.csv").write_text("market;region\nM1;east\n", encoding="utf-8")
    (folder / "sites.csv").write_bytes("site\n北京\n".encode("gb18030"))
    (folder / "lanes.csv").write_text("origin,destination\na,b\na,b,c,d\n", encoding="utf-8")
    with pytest.raises(CaseError) as caught:
        read_case(folder)
    errors = {one.sheet: one.rule for one in caught.value.findings.errors}
    assert "semicolons" in errors["markets"]
    assert "UTF-8" in errors["sites"]
    assert "line 3" in errors["lanes"]


def test_a_calculated_formula_is_a_value(tmp_path):
    path = tmp_path / "case.xlsx"
    write_workbook(path, sheets(products=[{"product": "tea", "value": 40}]))
    _replace(path, "products", b"<v>40</v>", b"<f>20+20</f><v>40</v>")
    assert read_case(path).products["value"].tolist() == [40]


def test_a_merged_range_covers_no_number(tmp_path):
    path = tmp_path / "case.xlsx"
    book = write_workbook(path, sheets())
    book["demand"].merge_cells("D2:D3")
    book.save(path)
    with pytest.raises(CaseError) as caught:
        read_case(path)
    assert only(caught.value.findings).where == "demand!D2"


def test_more_than_one_behavior_of_the_same_error_is_cut_in_the_text_only():
    demand = [{"market": f"X{n}", "channel": "shop", "product": "tea", "units": 1} for n in range(30)]
    found = findings(demand=demand)
    assert len(found.errors) == 30
    assert "10 more of this kind" in str(found.errors)


def test_nearest_offers_only_what_is_near():
    assert nearest("Untis", ["units", "cv"]) == "Did you mean units?"
    assert nearest("zzz", ["units", "cv"]) == ""


def _replace(path, sheet, old, new):
    """Replace bytes in the sheet of a workbook."""
    number = openpyxl.load_workbook(path).sheetnames.index(sheet) + 1
    with zipfile.ZipFile(path) as book:
        parts = {name: book.read(name) for name in book.namelist()}
    name = f"xl/worksheets/sheet{number}.xml"
    assert old in parts[name]
    parts[name] = parts[name].replace(old, new)
    with zipfile.ZipFile(path, "w") as book:
        for part, content in parts.items():
            book.writestr(part, content)


def test_an_error_saved_as_text_is_no_id():
    assert only(findings(products=[{"product": "tea"}, {"product": "#N/A"}])).where == "products!A3"
