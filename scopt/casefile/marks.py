"""What is looked for in the XML of a sheet as text, by the prefix that its tags have."""

from __future__ import annotations

import functools
import re

from scopt.casefile.places import Flaw, Merge, position

__all__ = ["Marks", "marks_of", "reference_of"]

_ROW = rb"(?:[1-9]\d{0,5}|10[0-3]\d{4}|104[0-7]\d{3}|1048[0-4]\d\d|10485[0-6]\d|104857[0-6])"  # to 1,048,576
_REFERENCE = re.compile(rb"\sr\s*=\s*[\"']([^\"']*)")


class Marks:
    """Patterns for one prefix, such as ``x:``.

    Attributes
    ----------
    starts
        What a cell or a row starts with.
    odd_cell
        Tag of a cell that is not plainly one of the columns A to Z.
    odd_row
        Tag of a row that is not plainly one that a sheet can have.
    escape
        Escape within a tag whose attributes matter.
    """

    def __init__(self, prefix: bytes) -> None:
        names = {b"p": prefix, b"row": _ROW}
        self.row, self._cell_end = b"<%srow" % prefix, b"</%sc>" % prefix
        self._cells = tuple(b"<%sc%c" % (prefix, end) for end in b" >/\n\t\r")
        self.starts = (*self._cells, self.row)
        self.odd_cell = re.compile(rb'<%(p)sc(?=[\s/>])(?! r="[A-Z]%(row)s"[\s/>])[^<>]*' % names)
        self.odd_row = re.compile(rb'<%(p)srow(?=[\s/>])(?! r="%(row)s"[\s/>])[^<>]*' % names)
        self.row_numbers = re.compile(rb"<%(p)srow\b[^<>]*\sr=[\"'](\d{1,7})[\"']" % names)
        # The reader takes cells of any prefix, and an end tag may hold a blank; neither is ever written.
        self._odd_end = re.compile(rb"</%(p)sc\s" % names)
        self._odd_prefix = re.compile(rb"<(?!%(p)s(?:c|row)[\s/>])(?:\w+:)?(?:c|row)[\s/>]" % names)
        self.escape = re.compile(rb"<%(p)s(?:c|row|mergeCell)\b[^<>&]*&" % names)
        self._formulas = b"<%sf" % prefix
        formula = rb"<%(p)sf\b[^<>]*(?:/>|>[^<]*</%(p)sf>)" % names
        names[b"f"] = formula
        tag = rb"<%(p)sc\b([^<>]*)>\s*" % names
        self._error = re.compile(
            rb"<%(p)sc\b([^<>]*\bt=[\"']e[\"'][^<>]*)>\s*(?:%(f)s)?\s*<%(p)sv>([^<]*)" % names
        )
        self._uncalculated = re.compile(tag + rb"%(f)s\s*(?!\s|<%(p)sv[^<>/]*>[^<])" % names)
        self._nan = re.compile(tag + rb"(?:%(f)s)?\s*<%(p)sv>\s*([+-]?[nN][aA][nN])\s*<" % names)
        self._merge = re.compile(rb"<%(p)smergeCell\b[^<>]*\bref=[\"']([^\"']+)" % names)
        # The reader takes the first shared text where a cell gives no sensible number.
        no_number = rb"t=%ss%s[^<>]*+>\s*+<%sv>(?!\d{1,9}<)"
        self._no_number = [re.compile(no_number % (quote, quote, prefix)) for quote in (b'"', b"'")]
        self.text_numbers = re.compile(rb"\bt=[\"']s[\"'][^<>]*>\s*<%(p)sv>(\d{1,9})<" % names)
        self.filled = re.compile(rb"<%(p)sc\b([^<>]*)(?<!/)>(?!\s*</)" % names)
        self.inline = re.compile(rb"<%(p)s[tv](?:\s[^<>]*)?>([^<]*)" % names)

    def has_odd_tags(self, body: bytes) -> bool:
        """Whether there are tags of cells that the other patterns miss."""
        ends = body.count(self._cell_end[:-1]) - body.count(self._cell_end)
        prefixed = self._cell_end != b"</c>" or b":c" in body or b":row" in body
        return bool((ends and self._odd_end.search(body)) or (prefixed and self._odd_prefix.search(body)))

    def count_filled(self, body: bytes) -> int:
        """Count cells with content, at most."""
        return body.count(self._cell_end)

    def count_cells(self, body: bytes) -> int:
        """Count cells, blank ones too."""
        return sum(map(body.count, self._cells))

    def has_bad_text(self, body: bytes) -> bool:
        """Whether a cell refers to a shared text by what is no number."""
        return any(
            mark in body and pattern.search(body)
            for mark, pattern in zip((b't="s"', b"t='s'"), self._no_number, strict=True)
        )

    def flaws(self, body: bytes) -> list[Flaw]:
        """Return the cells that hold no value where they seem to, in any order."""
        found = []
        if b't="e"' in body or b"t='e'" in body:
            found += [_flaw(tag, value) for tag, value in self._error.findall(body)]
        if b"n<" in body or b"N<" in body:
            found += [_flaw(tag, value) for tag, value in self._nan.findall(body) if not _kind(tag, b"str")]
        if self._formulas in body:
            # A formula that gave an empty text is calculated all right.
            uncalculated = self._uncalculated.findall(body)
            found += [_flaw(tag, b"") for tag in uncalculated if not _kind(tag, b"str|e")]
        return found

    def merges(self, body: bytes) -> list[Merge]:
        """Return the merged ranges."""
        found = []
        for reference in self._merge.findall(body) if b"mergeCell " in body else ():
            first, _, last = reference.decode("utf-8", "replace").partition(":")
            found.append(Merge(*position(first), *position(last or first)))
        return found


@functools.cache
def marks_of(prefix: bytes) -> Marks:
    """Return the patterns for a prefix."""
    return Marks(prefix)


def reference_of(tag: bytes) -> bytes | None:
    """Return the reference in the tag of a cell or row, None if it has none."""
    found = _REFERENCE.search(tag)
    return None if found is None else found[1]


def _kind(tag: bytes, kinds: bytes) -> bool:
    return re.search(rb"\bt=[\"'](?:%s)[\"']" % kinds, tag) is not None


def _flaw(tag: bytes, value: bytes) -> Flaw:
    row, column = position((reference_of(tag) or b"").decode("utf-8", "replace"))
    return Flaw(row, column, value.decode("utf-8", "replace"))
