"""A workbook as people send it: everything that is wrong with it comes in one report, with its cell."""

from __future__ import annotations

import pytest
from case_frames import sheets, write_workbook

from scopt.case import read_case
from scopt.errors import CaseError


@pytest.fixture
def dirty(tmp_path):
    """Findings of a workbook with one fault of each kind, as {address: (level, column, value)}."""
    content = sheets(
        supply=None,
        channels=[
            {"channel": "shop", "response_days": 2, "single_source": "yes"},
            {"channel": "web", "response_days": 4, "single_source": "perhaps"},
        ],
        operators=[
            {"operator": "SF", "contract_cost": 10.0},
            {"operator": "JD", "contract_cost": None},
            {"operator": None, "contract_cost": 30.0},
        ],
    )
    book = write_workbook(tmp_path / "dirty.xlsx", content)
    products, demand, lanes, sites = (book[name] for name in ("products", "demand", "lanes", "sites"))
    products["A2"] = "  tea "  # trimmed, no finding
    products["B2"] = "1,200"  # a number, no finding
    products["C2"] = "=40+60"  # never calculated
    products["E1"] = "sise"  # a misspelt column
    products["E2"] = 2
    demand["D2"] = -5  # negative
    demand.append(["M1", "shop", "tea", 7, None])  # the key of row 2 again
    demand.append(["M9", "shop", "tea", 7, None])  # an unknown market
    lanes["B4"] = "Nroth"  # an unknown destination
    lanes["C5"] = "#N/A"
    lanes["C5"].data_type = "e"
    lanes["C6"] = "two"  # no number
    lanes["D3"] = "maybe"  # no such choice
    sites["C2"] = None  # takes the default
    page = book["operators"]
    page.merge_cells("A3:A4")
    book.create_sheet("channel")["A1"] = "x"  # a misspelt sheet
    book.save(tmp_path / "dirty.xlsx")
    with pytest.raises(CaseError) as caught:
        read_case(tmp_path / "dirty.xlsx")
    return caught.value.findings


EXPECTED = {
    ("warning", "channel", "", ""),
    ("warning", "products!E1", "sise", ""),
    ("error", "products!C2", "price", ""),
    ("error", "supply", "", ""),
    ("error", "channels!C3", "single_source", "perhaps"),
    ("error", "demand!D2", "units", "-5"),
    ("error", "demand!A4", "market", "M1"),
    ("error", "demand!A5", "market", "M9"),
    ("error", "lanes!B4", "destination", "Nroth"),
    ("error", "lanes!C5", "unit_cost", "#N/A"),
    ("error", "lanes!C6", "unit_cost", "two"),
    ("error", "lanes!D3", "status", "maybe"),
    ("error", "operators!A3", "operator", "A3:A4"),
}


def test_every_fault_is_reported_at_its_cell(dirty):
    found = {(one.level, one.where, one.column, one.value) for one in dirty}
    assert found == EXPECTED


def test_each_fault_is_reported_once(dirty):
    assert len(dirty) == len(EXPECTED)


def test_every_finding_says_the_rule_and_how_to_mend_it(dirty):
    assert all(one.rule and one.mend for one in dirty)


def test_near_names_are_offered(dirty):
    mend = {one.where: one.mend for one in dirty}
    assert "size" in mend["products!E1"]
    assert "channels" in mend["channel"]
    assert "north" in mend["lanes!B4"]


def test_the_text_has_one_line_per_finding(dirty):
    lines = str(dirty).splitlines()
    assert len(lines) == len(EXPECTED)
    assert lines[0].startswith("error ")
    assert any(line.startswith("error demand!D2 units = '-5': a number at least 0. ") for line in lines)


def test_the_table_has_one_row_per_finding(dirty):
    frame = dirty.to_frame()
    assert list(frame.columns) == ["level", "sheet", "cell", "row", "column", "value", "rule", "mend"]
    assert set(frame.loc[frame["sheet"] == "demand", "row"]) == {2, 4, 5}
