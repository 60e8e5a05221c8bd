"""Cells to numbers and text, whatever a spreadsheet holds; and what no reader of values tells."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scopt.casefile.cells import Cells, as_objects
from scopt.casefile.places import column_letters, column_number
from scopt.casefile.sheet_scan import scan

FINITE = st.floats(-1e12, 1e12, allow_nan=False)


@given(st.lists(FINITE, min_size=1))
def test_a_number_is_the_same_in_a_cell_as_text_and_with_separators(numbers):
    for cells in (numbers, [repr(x) for x in numbers], [f"{x:,.3f}" for x in numbers]):
        found, bad = Cells(as_objects(cells)).to_number()
        assert not bad.any()
        np.testing.assert_allclose(found, numbers, atol=5e-4)


@given(st.lists(st.text()))
def test_text_is_trimmed_and_nothing_else(texts):
    found, bad = Cells(as_objects(texts)).to_text()
    assert found.tolist() == [text.strip() for text in texts]
    assert not bad.any()


@given(st.integers(-(10**14), 10**14))
def test_a_whole_number_is_the_same_id_as_its_text(number):
    found, _ = Cells(as_objects([number, float(number), str(number)])).to_text()
    assert set(found) == {str(number)}


@given(st.integers(1, 16384))
def test_column_letters_and_back(number):
    assert column_number(column_letters(number)) == number


@pytest.mark.parametrize(("number", "letters"), [(1, "A"), (26, "Z"), (27, "AA"), (702, "ZZ"), (703, "AAA")])
def test_column_letters(number, letters):
    assert column_letters(number) == letters


def sheet(cells, prefix="", more=""):
    """The XML of a sheet with these cells, in one row."""
    return f"<{prefix}worksheet><{prefix}row>{cells}</{prefix}row>{more}</{prefix}worksheet>".encode()


FLAWED = {
    "never calculated": '<c r="B7"><f>1+1</f></c>',
    "empty value": '<c r="B7"><f>1+1</f><v></v></c>',
    "empty value, short": '<c r="B7"><f>1+1</f><v /></c>',
    "part of a shared formula": '<c r="B7" s="3"><f t="shared" si="0"/></c>',
    "error": '<c r="B7" t="e"><v>#N/A</v></c>',
    "error of a formula": '<c r="B7" s="1" t="e"><f>A1/0</f><v>#DIV/0!</v></c>',
    "no number": '<c r="B7"><v>NaN</v></c>',
    "error of a shared formula": '<c r="B7" t="e"><f t="shared" si="0"/><v>#REF!</v></c>',
}


@pytest.mark.parametrize("cell", FLAWED.values(), ids=FLAWED)
def test_flawed_cells(cell):
    found = scan([sheet('<c r="A7"><v>1</v></c>' + cell + '<c r="C7"><v>2</v></c>')])
    assert [(flaw.row, flaw.column) for flaw in found.flaws] == [(7, 2)]


SOUND = {
    "number": '<c r="B7"><v>1</v></c>',
    "calculated": '<c r="B7"><f>1+1</f><v>2</v></c>',
    "calculated part of a shared formula": '<c r="B7"><f t="shared" si="0"/><v>2</v></c>',
    "calculated empty text": '<c r="B7" t="str"><f>""</f><v></v></c>',
    "text that looks like one": '<c r="B7" t="inlineStr"><is><t>t="e" f </t></is></c>',
}


@pytest.mark.parametrize("cell", SOUND.values(), ids=SOUND)
def test_sound_cells(cell):
    found = scan([sheet(cell + '<c r="C7"><v>2</v></c>')])
    assert (found.flaws, found.merges) == ([], [])


def test_names_with_a_prefix_and_merged_ranges():
    cells = '<x:c r="A2"><x:f>1</x:f></x:c>'
    found = scan([sheet(cells, "x:", '<x:mergeCells><x:mergeCell ref="A3:B4"/></x:mergeCells>')])
    assert [(flaw.row, flaw.column) for flaw in found.flaws] == [(2, 1)]
    assert [(merge.top, merge.left, merge.bottom, merge.right) for merge in found.merges] == [(3, 1, 4, 2)]
