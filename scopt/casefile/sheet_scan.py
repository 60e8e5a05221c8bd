"""What has to be known of a sheet's XML before its cells are read.

A fast reader of xlsx files takes a table of all cells up to the last one into memory, whatever that needs,
and tells neither error values nor formulas without a value: both read as blank, and a blank cell takes its
default, silently wrong. So the sheet is scanned first, piece by piece and as text: only what is odd is looked
at cell by cell, and a large sheet costs a fraction of the time of reading it. The scan relies on how
spreadsheet programs write XML; XML that is written otherwise is refused rather than misunderstood.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from scopt.casefile.container import MEGABYTE, UnreadableError
from scopt.casefile.marks import marks_of, reference_of
from scopt.casefile.places import LAST_ROW, Flaw, Merge, position

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from scopt.casefile.marks import Marks

__all__ = ["MOST_CELLS", "Scan", "check_encoding", "check_markup", "scan", "whole_cells"]

MOST_CELLS = 30_000_000
_LONGEST_CELL = 32 * MEGABYTE
_MOST_MERGES = 1000  # nobody merges more by hand, and one is enough to stop
_ONE_LETTER = 26
_HEAD = 1 << 16  # bytes within which a sheet says what it is
_NEITHER_QUOTE_NOR_TAG = bytes(set(range(256)) - set(b"<>\"'"))
_BROKEN_TAG = re.compile(rb"<(?![^<>\"']*(?:\"[^<>\"]*\"[^<>\"']*|'[^<>']*'[^<>\"']*)*>)")
_ENCODING = re.compile(rb"<\?xml[^>]*\bencoding\s*=\s*[\"']([^\"']*)")
_LESS = "Leave out rows and columns that the case does not need."


@dataclass
class Scan:
    """What is known of a sheet.

    Attributes
    ----------
    flaws, merges
        Cells that hold no value where they seem to, and merged ranges.
    cells
        Cells with content, at most.
    columns
        Column of the last cell, at most.
    shared
        Cells that hold a shared text.
    size
        Bytes of XML.
    """

    flaws: list[Flaw] = field(default_factory=list)
    merges: list[Merge] = field(default_factory=list)
    cells: int = 0
    columns: int = _ONE_LETTER
    shared: int = 0
    size: int = 0


def scan(pieces: Iterable[bytes]) -> Scan:
    """Scan the XML of a sheet.

    Raises
    ------
    UnreadableError
        It is none that a spreadsheet program writes, or has too many cells.
    """
    sheet, width = Scan(), _Width()
    for marks, body in whole_cells(pieces):
        check_markup(body)
        if b"&" in body and marks.escape.search(body):
            raise UnreadableError("the sheet holds escapes within tags, which Excel does not write")
        if marks.has_odd_tags(body):
            raise UnreadableError("the sheet holds tags of cells that Excel does not write")
        if marks.has_bad_text(body):
            raise UnreadableError("the sheet is damaged: a cell refers to a shared text without its number")
        sheet.size += len(body)
        sheet.cells += marks.count_filled(body)
        if sheet.cells > MOST_CELLS:
            raise UnreadableError(f"the sheet has more than {MOST_CELLS // 10**6} million cells", _LESS)
        sheet.shared += body.count(b't="s"') + body.count(b"t='s'")
        width.take(body, marks)
        sheet.flaws += marks.flaws(body)
        if len(sheet.merges) < _MOST_MERGES:
            sheet.merges += marks.merges(body)[:_MOST_MERGES]
    sheet.columns = width.columns
    return sheet


def check_encoding(head: bytes) -> None:
    """Refuse XML that is not UTF-8.

    Raises
    ------
    UnreadableError
        By its first bytes or its declaration it is something else.
    """
    declared = _ENCODING.search(head[:1024])
    if b"\0" in head[:4] or head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise UnreadableError("the file holds XML that is not UTF-8")
    if declared and declared[1].lower() not in (b"utf-8", b"utf8", b"us-ascii", b"ascii"):
        raise UnreadableError(f"the file holds XML that is not UTF-8 but {_shown(declared[1])}")


def check_markup(body: bytes) -> None:
    """Refuse XML that a search for tags would misunderstand.

    Raises
    ------
    UnreadableError
        There is a document type, a comment, CDATA, a processing instruction, or a tag within a tag.
    """
    if b"<!DOCTYPE" in body or b"<!ENTITY" in body:
        raise UnreadableError(
            "the file declares XML entities, which no workbook does: they can grow without bound"
        )
    if b"<!" in body:
        raise UnreadableError("the file holds comments or CDATA, which Excel does not write")
    if body.count(b"<?") > 1 or body.rfind(b"<?") > 3:  # a byte order mark may stand before the declaration
        raise UnreadableError("the file holds processing instructions, which Excel does not write")
    # Pairs of quotes next to each other change nothing; a tag of which anything else is left is looked at.
    tags = body.translate(None, _NEITHER_QUOTE_NOR_TAG).replace(b'""', b"").replace(b"''", b"")
    if tags.count(b"<") != tags.count(b"<>") and _BROKEN_TAG.search(body):
        raise UnreadableError("the file holds damaged XML")


class _Width:
    """The last column and the last row of a sheet, at most."""

    def __init__(self) -> None:
        self._last, self._longest_row, self._open_row, self._rows = _ONE_LETTER, 0, 0, 0
        self._loose = False

    @property
    def columns(self) -> int:
        """The last column; a cell without a reference follows the one before."""
        return self._last + self._longest_row

    def take(self, body: bytes, marks: Marks) -> None:
        rows = [reference_of(tag) for tag in marks.odd_row.findall(body)]
        cells = [reference_of(tag) for tag in marks.odd_cell.findall(body)]
        for reference in rows:
            if reference is None:
                continue
            if not reference.isdigit() or not 0 < int(reference[:9]) <= LAST_ROW:
                raise UnreadableError(f"the sheet is damaged: it has no row {_shown(reference)}")
        for reference in cells:
            if reference is not None:
                row, column = position(reference.decode("utf-8", "replace"))
                if not row:
                    raise UnreadableError(f"the sheet is damaged: it has no cell {_shown(reference)}")
                self._last = max(self._last, column)
        self._loose |= None in rows or None in cells
        self._rows += body.count(marks.row)
        if self._loose:
            if self._rows > LAST_ROW:
                raise UnreadableError(f"the sheet has more than {LAST_ROW:,} rows", _LESS)
            counts = [marks.count_cells(part) for part in body.split(marks.row)]
            counts[0] += self._open_row
            self._longest_row, self._open_row = max(self._longest_row, *counts), counts[-1]


def whole_cells(pieces: Iterable[bytes]) -> Iterator[tuple[Marks, bytes]]:
    """Yield the XML of a sheet in pieces that divide no cell, and the patterns for it."""
    rest, marks = b"", None
    for piece in pieces:
        rest += piece
        marks = marks or _marks(rest)
        if marks is None:
            continue
        cut = _cut(rest, marks)
        if cut:
            yield marks, rest[:cut]
        rest = rest[cut:]
        if len(rest) > _LONGEST_CELL:
            raise UnreadableError(f"one cell holds more than {_LONGEST_CELL // MEGABYTE} MB", "Shorten it.")
    marks = marks or _marks(rest, whole=True)
    if marks is not None:
        yield marks, rest


def _marks(start: bytes, *, whole: bool = False) -> Marks | None:
    """Return the patterns for a sheet by its first tag, None if that is not there yet."""
    check_encoding(start)
    root = re.search(rb"<(\w+:)?worksheet[\s/>]", start[:_HEAD])
    if root is None and (whole or len(start) > _HEAD):
        check_markup(start)
        raise UnreadableError("the sheet is no worksheet, or it is damaged")
    return None if root is None else marks_of(root[1] or b"")


def _cut(rest: bytes, marks: Marks) -> int:
    """Return where the last cell or row starts, or outside the cells the last tag."""
    start = -1
    for mark in marks.starts:  # any place between two cells will do
        start = max(start, rest.rfind(mark))
        if start > 0:
            return start
    return 0 if start == 0 and b"sheetData>" not in rest else max(rest.rfind(b"<"), 0)


def _shown(name: bytes) -> str:
    return repr(name[:40].decode("utf-8", "replace"))
