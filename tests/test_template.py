"""The blank workbook and the reference page follow the schema, and the workbook is a clean case."""

from __future__ import annotations

import zipfile
from pathlib import Path

import openpyxl
import pytest
from case_frames import case, sheets, write_folder, write_workbook

from scopt.case import Case, read_case
from scopt.casefile.schema import SETTINGS, SHEETS
from scopt.casefile.template import reference_page, write_template
from scopt.errors import CaseError, UsageError

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def blank(tmp_path_factory):
    """Path of the template with its worked example."""
    path = tmp_path_factory.mktemp("template") / "case.xlsx"
    write_template(path)
    return path


@pytest.fixture(scope="module")
def book(blank):
    return openpyxl.load_workbook(blank)


def test_the_template_is_a_clean_case(blank):
    found = read_case(blank)
    assert not found.warnings
    assert found.settings.name == "worked example"
    assert list(found.strategies) == ["as_is", "integrated", "own", "dear fuel"]
    assert found.for_strategy("dear fuel").lanes["unit_cost"][0] == pytest.approx(1.2)


def test_every_sheet_and_column_is_there(book):
    assert book.sheetnames == ["introduction", *SHEETS]
    for name, sheet in SHEETS.items():
        headers = [cell.value for cell in book[name][1]]
        assert headers == [column.name for column in sheet.every_column]
        assert book[name].freeze_panes == "A2"


def test_headers_tell_what_is_required_and_what_a_column_means(book):
    for name, sheet in SHEETS.items():
        for cell, column in zip(book[name][1], sheet.every_column, strict=True):
            assert cell.font.bold == column.required, (name, column.name)
            assert column.meaning in cell.comment.text
            assert column.unit in cell.comment.text
            assert column.default_text in cell.comment.text


def test_choices_have_drop_downs(book):
    for name, sheet in SHEETS.items():
        lists = {
            str(rule.sqref).rstrip("0123456789").split(":")[0].rstrip("0123456789"): rule.formula1
            for rule in book[name].data_validations.dataValidation
        }
        wanted = {
            book[name].cell(1, number).column_letter: ",".join(column.choices or ("yes", "no"))
            for number, column in enumerate(sheet.every_column, start=1)
            if column.kind in ("choice", "yes-no")
        }
        assert {letter: formula.strip('"') for letter, formula in lists.items()} == wanted, name


def test_every_setting_is_listed(book):
    assert [row[0].value for row in book["settings"].iter_rows(min_row=2)] == [
        "name",
        *(column.name for column in SETTINGS if column.name != "name"),
    ]


def test_a_case_can_be_copied(tmp_path):
    write_workbook(tmp_path / "one.xlsx", sheets())
    write_folder(tmp_path / "two", sheets())
    for number, source in enumerate((case(), tmp_path / "one.xlsx", tmp_path / "two")):
        write_template(tmp_path / f"copy{number}.xlsx", source)
        copy = read_case(tmp_path / f"copy{number}.xlsx")
        assert copy.digest == case().digest
        assert not copy.warnings


def test_a_copy_keeps_blanks_notes_and_excluded_rows(tmp_path):
    demand = [*sheets()["demand"], {"market": "M9", "units": "many", "status": "exclude", "notes": "unsure"}]
    write_workbook(tmp_path / "one.xlsx", sheets(demand=demand))
    write_template(tmp_path / "copy.xlsx", tmp_path / "one.xlsx")
    rows = list(openpyxl.load_workbook(tmp_path / "copy.xlsx")["demand"].iter_rows(values_only=True))
    assert rows[0] == ("market", "channel", "product", "units", "cv", "vmr", "status", "notes")
    assert rows[1] == ("M1", "shop", "tea", 100, None, 2, None, None)
    assert rows[3] == ("M9", None, None, "many", None, None, "exclude", "unsure")


def test_text_of_a_case_is_written_as_text(tmp_path):
    tables = sheets(
        products=[{"product": "tea"}, {"product": "=1+1"}, {"product": "http://a.b"}, {"product": "001"}]
    )
    write_template(tmp_path / "copy.xlsx", Case.from_frames(tables))
    page = openpyxl.load_workbook(tmp_path / "copy.xlsx")["products"]
    assert [(cell.value, cell.data_type, cell.hyperlink) for cell in page["A"][2:]] == [
        ("=1+1", "s", None),
        ("http://a.b", "s", None),
        ("001", "s", None),
    ]
    with zipfile.ZipFile(tmp_path / "copy.xlsx") as book:
        assert not any(b"<f>" in book.read(name) for name in book.namelist() if "worksheets/sheet" in name)
    assert read_case(tmp_path / "copy.xlsx").products["product"].tolist() == [
        "tea",
        "=1+1",
        "http://a.b",
        "001",
    ]


def test_a_case_with_errors_is_not_copied(tmp_path):
    write_workbook(tmp_path / "one.xlsx", sheets(markets=[{"market": "M1"}]))
    with pytest.raises(CaseError):
        write_template(tmp_path / "copy.xlsx", tmp_path / "one.xlsx")
    assert not (tmp_path / "copy.xlsx").exists()


def test_a_target_that_cannot_be_written_is_a_usage_error(tmp_path):
    with pytest.raises(UsageError, match="cannot be written"):
        write_template(tmp_path / "no such folder" / "case.xlsx")


def test_the_committed_reference_page_is_up_to_date():
    """After a change of the schema: write reference_page() to docs/case-file.md."""
    assert (ROOT / "docs" / "case-file.md").read_text(encoding="utf-8") == reference_page()


def test_the_reference_page_names_everything():
    page = reference_page()
    for sheet in SHEETS.values():
        assert f"## {sheet.name}" in page
        for column in sheet.columns:
            assert f"{column.name}" in page
            assert column.meaning in page
    assert all(f"| {setting.name} | " in page for setting in SETTINGS)


def test_every_column_is_described_by_a_sentence():
    for sheet in SHEETS.values():
        assert sheet.meaning.endswith(".")
        for column in (*sheet.every_column, *SETTINGS):
            assert column.meaning.endswith("."), column.name
            assert column.kind != "choice" or column.choices
