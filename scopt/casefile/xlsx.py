"""What a fast reader of xlsx files does not tell: error values, formulas without a value, merged cells.

Such cells all read as blank, and a blank cell takes its default: silently wrong. The sheets are scanned
as text for the three marks; only their few matches are looked at one by one, so that a large sheet costs
a fraction of the time of reading it.
"""

from __future__ import annotations

import posixpath
import re
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Flaw", "Merge", "column_letters", "column_number", "find_flaws"]


@dataclass(frozen=True, slots=True)
class Flaw:
    """A cell whose value is an error (`#N/A`), or a formula that was never calculated (empty value).

    Row and column count from 1; both are 0 where the file does not say which cell it is.
    """

    row: int
    column: int
    value: str


@dataclass(frozen=True, slots=True)
class Merge:
    """A merged range, its corners included; rows and columns counted from 1."""

    top: int
    left: int
    bottom: int
    right: int


def column_letters(number: int) -> str:
    """Return the letters of a column: 1 is A, 27 is AA."""
    letters = ""
    while number > 0:
        number, rest = divmod(number - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def column_number(letters: str) -> int:
    """Return the number of a column: A is 1, AA is 27."""
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - ord("A") + 1
    return number


def _position(reference: str) -> tuple[int, int]:
    match = re.fullmatch(r"\$?([A-Za-z]{1,3})\$?(\d+)", reference)
    return (int(match[2]), column_number(match[1])) if match else (0, 0)


def _parts(book: zipfile.ZipFile) -> dict[str, str]:
    """Return the file inside the workbook that holds each sheet."""
    relations = ET.fromstring(book.read("xl/_rels/workbook.xml.rels"))
    target = {node.get("Id"): node.get("Target", "") for node in relations}
    parts = {}
    for node in ET.fromstring(book.read("xl/workbook.xml")).iter():
        if node.tag.endswith("}sheet"):
            link = next((value for key, value in node.items() if key.endswith("}id")), "")
            parts[node.get("name", "")] = posixpath.normpath(posixpath.join("xl", target.get(link, "")))
    return {name: part.lstrip("/") for name, part in parts.items()}


def _scan(xml: bytes) -> tuple[list[Flaw], list[Merge]]:
    prefix = re.search(rb"<(\w+:)?worksheet\b", xml[:4096])
    tag = prefix[1] or b"" if prefix else b""
    flaws: list[Flaw] = []

    def note(attributes: bytes, value: bytes) -> None:
        reference = re.search(rb"\br=[\"']([^\"']+)", attributes)
        row, column = _position(reference[1].decode()) if reference else (0, 0)
        flaws.append(Flaw(row, column, value.decode(errors="replace")))

    if b't="e"' in xml or b"t='e'" in xml:
        value = rb"(?:<%sf\b[^<>]*(?:/>|>[^<]*</%sf>))?\s*<%sv>([^<]*)" % (tag, tag, tag)
        for match in re.finditer(rb"<%sc\b([^<>]*\bt=[\"']e[\"'][^<>]*)>\s*%s" % (tag, value), xml):
            note(match[1], match[2])
    if b"<%sf" % tag in xml:
        formula = rb"<%sf\b[^<>]*(?:/>|>[^<]*</%sf>)\s*(?!\s|<%sv[^<>/]*>[^<])" % (tag, tag, tag)
        for match in re.finditer(rb"<%sc\b([^<>]*)>\s*%s" % (tag, formula), xml):
            # A formula that gave an empty text is calculated all right.
            if not re.search(rb"\bt=[\"'](str|e)[\"']", match[1]):
                note(match[1], b"")
    merges = []
    if b"mergeCell " in xml:
        for match in re.finditer(rb"<%smergeCell\b[^<>]*\bref=[\"']([^\"']+)" % tag, xml):
            first, _, last = match[1].decode().partition(":")
            merges.append(Merge(*_position(first), *_position(last or first)))
    return flaws, merges


def find_flaws(path: Path, titles: list[str]) -> dict[str, tuple[list[Flaw], list[Merge]]]:
    """Return error cells, uncalculated formulas and merged ranges of the named sheets.

    Raises
    ------
    zipfile.BadZipFile, KeyError, xml.etree.ElementTree.ParseError
        If the file is no workbook of the Office Open XML kind.
    """
    with zipfile.ZipFile(path) as book:
        parts = _parts(book)
        return {title: _scan(book.read(parts[title])) for title in titles if title in parts}
