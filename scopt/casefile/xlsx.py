"""An xlsx workbook: its sheets by title, and their cells, in bounded time and memory.

The reader of cells is a library that ends the whole program where a file asks for more memory than there is,
so it is given only what has been looked at: a workbook made anew of the sheets asked for, with their texts
and styles.
"""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import numpy as np
import python_calamine

from scopt.casefile.container import MEGABYTE, Container, UnreadableError, size_text
from scopt.casefile.foreign import refuse_other_file, refuse_other_zip
from scopt.casefile.sheet_scan import Scan, check_encoding, check_markup, scan
from scopt.casefile.sheet_size import check_extent, check_texts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["Workbook", "open_workbook"]

_MOST_XML, _MOST_TEXTS = 2048 * MEGABYTE, 512 * MEGABYTE
_MOST_PEEKED = 256 * MEGABYTE
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
_END_OF_TEXT = re.compile(rb"</(?:\w+:)?si>|<(?:\w+:)?si\s*/>")
_FIRST_TEXT = re.compile(rb"<(?:\w+:)?si[\s/>]")
_VALUE = re.compile(rb"</(?:\w+:)?(?:v|is)>")


@contextmanager
def open_workbook(path: Path) -> Iterator[Workbook]:
    """Open a workbook.

    Raises
    ------
    UnreadableError
        It is no xlsx workbook, or none that can be read.
    """
    with path.open("rb") as file:
        refuse_other_file(file)
        container = Container(file)
        refuse_other_zip(container)
        yield Workbook(container)


class Workbook:
    """The sheets of a workbook.

    Attributes
    ----------
    titles
        Titles of the sheets of cells in their order; a title may occur twice.
    """

    def __init__(self, container: Container) -> None:
        self._container = container
        main, links = _parse(container, "xl/workbook.xml"), _links(container)
        self.titles: list[str] = []
        self._parts: dict[str, str] = {}
        for node in main.iter():
            if _local(node.tag) == "sheet":
                link = next((value for key, value in node.items() if _local(key) == "id"), "")
                kind, part = links.get(link, ("worksheet", ""))
                if kind == "worksheet":
                    self.titles.append(node.get("name", ""))
                    self._parts.setdefault(self.titles[-1], part)
        if not self.titles:
            raise UnreadableError("the workbook lists no sheet")
        by_kind = dict(links.values())
        self._texts = by_kind.get("sharedStrings", "xl/sharedStrings.xml")
        self._styles = by_kind.get("styles", "xl/styles.xml")
        self._since_1904 = any(node.get("date1904", "0") in ("1", "true") for node in main.iter())
        self._inflated = self._peeked = 0

    def has_values(self, title: str) -> bool:
        """Whether a sheet has a value, which is taken for granted where it would take long to find out."""
        part, before = self._parts[title], b""
        if part not in self._container:
            return True
        for piece in self._container.chunks(part):
            self._peeked += len(piece)
            if self._peeked > _MOST_PEEKED or _VALUE.search(before + piece):
                return True
            before = piece[-32:]
        return False

    def read(self, titles: Sequence[str]) -> Iterator[tuple[str, list[list[Any]] | UnreadableError, Scan]]:
        """Yield of each sheet its title, its rows from cell A1 on or why it cannot be read, and its scan.

        Raises
        ------
        UnreadableError
            The workbook as a whole cannot be read.
        """
        anew, found = io.BytesIO(), dict[str, Scan | UnreadableError]()
        with zipfile.ZipFile(anew, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file:
            lengths = self._copy_frame(file, len(titles))
            for number, title in enumerate(titles):
                try:
                    found[title] = self._copy_sheet(file, title, number, lengths)
                except UnreadableError as problem:
                    found[title] = problem
        anew.seek(0)
        with _told(), python_calamine.CalamineWorkbook.from_filelike(anew) as book:
            for number, title in enumerate(titles):
                known = found[title]
                if isinstance(known, UnreadableError):
                    yield title, known, Scan()
                    continue
                try:
                    with _told():
                        rows = book.get_sheet_by_index(number).to_python(skip_empty_area=False)
                except UnreadableError as problem:
                    yield title, problem, Scan()
                else:
                    yield title, rows, known

    def _copy_frame(self, file: zipfile.ZipFile, count: int) -> NDArray[np.int32]:
        """Write all parts but the sheets; return the bytes of each shared text, shape (texts,)."""
        sheets = "".join(f'<sheet name="s{n}" sheetId="{n + 1}" r:id="r{n}"/>' for n in range(count))
        links = "".join(_link(f"r{n}", "worksheet", f"worksheets/sheet{n}.xml") for n in range(count))
        links += _link("texts", "sharedStrings", "sharedStrings.xml")
        links += _link("styles", "styles", "styles.xml")
        dates = f'<workbookPr date1904="{int(self._since_1904)}"/>'
        names = f'xmlns="{_MAIN}" xmlns:r="{_OFFICE}"'
        file.writestr("xl/workbook.xml", f"<workbook {names}>{dates}<sheets>{sheets}</sheets></workbook>")
        top = _link("main", "officeDocument", "xl/workbook.xml")
        for name, inside in (("xl/_rels/workbook.xml.rels", links), ("_rels/.rels", top)):
            file.writestr(name, f'<Relationships xmlns="{_PACKAGE}">{inside}</Relationships>')
        if self._styles in self._container:
            styles = self._container.read(self._styles)
            check_encoding(styles)
            if b"<!DOCTYPE" in styles:
                check_markup(styles)
            file.writestr("xl/styles.xml", styles)
        if self._texts not in self._container:
            return np.zeros(0, dtype=np.int32)
        self._inflate(self._texts, _MOST_TEXTS)
        with file.open("xl/sharedStrings.xml", "w", force_zip64=True) as copy:
            return _text_lengths(_copied(self._container.chunks(self._texts), copy))

    def _copy_sheet(self, file: zipfile.ZipFile, title: str, number: int, lengths: NDArray[np.int32]) -> Scan:
        part = self._parts[title]
        if part not in self._container:
            raise UnreadableError("the file is damaged: the sheet is listed, and its content is missing")
        self._inflate(part, _MOST_XML)
        with file.open(f"xl/worksheets/sheet{number}.xml", "w", force_zip64=True) as copy:
            found = scan(_copied(self._container.chunks(part), copy))
        check_extent(found, self._container.chunks(part))
        check_texts(found, self._container.chunks(part), lengths)
        return found

    def _inflate(self, part: str, most: int) -> None:
        """Refuse what would inflate to more than anyone's case, before it is inflated."""
        size = self._container.size(part)
        self._inflated += size
        if size > most or self._inflated > _MOST_XML:
            what = f"{part} would inflate to {size_text(size)}"
            rule = f"{what}; at most {size_text(most)}, and {size_text(_MOST_XML)} in all, are read"
            raise UnreadableError(rule, "Leave out rows, columns and texts that the case does not need.")


def _parse(container: Container, name: str) -> ET.Element:
    content = container.read(name)
    check_encoding(content)
    if b"<!DOCTYPE" in content:
        check_markup(content)
    try:
        return ET.fromstring(content)
    except (ET.ParseError, ValueError, LookupError) as problem:
        raise UnreadableError(f"the part {name} is damaged ({problem})") from problem


def _links(container: Container) -> dict[str, tuple[str, str]]:
    """Return kind and name of the parts that the workbook refers to, by the ids of the relations."""
    found = {}
    for node in _parse(container, "xl/_rels/workbook.xml.rels"):
        name = posixpath.normpath(posixpath.join("xl", node.get("Target", "").replace("\\", "/")))
        found[node.get("Id", "")] = (node.get("Type", "").rpartition("/")[2], name.lstrip("/"))
    return found


def _text_lengths(pieces: Iterable[bytes]) -> NDArray[np.int32]:
    """Return the bytes of each shared text, at most; shape (texts,)."""
    ends: list[NDArray[np.int64]] = []
    rest, offset = b"", 0
    for piece in pieces:
        rest += piece
        if not ends:
            check_encoding(rest)
            first = _FIRST_TEXT.search(rest)
            ends.append(np.array([first.start() if first else 0]))
        cut = rest.rfind(b"<")
        if cut > 0:
            ends.append(_ends(rest[:cut], offset))
            offset, rest = offset + cut, rest[cut:]
        if len(rest) > 32 * MEGABYTE:
            raise UnreadableError("one text holds more than 32 MB", "Shorten it.")
    ends = ends or [np.zeros(1, dtype=np.int64)]
    ends.append(_ends(rest, offset))
    at = np.concatenate(ends)
    lengths: NDArray[np.int32] = np.clip(at[1:] - at[:-1] - len("<si><t></t></si>"), 0, None).astype(np.int32)
    return lengths


def _ends(body: bytes, offset: int) -> NDArray[np.int64]:
    check_markup(body)
    return np.array([match.end() + offset for match in _END_OF_TEXT.finditer(body)], dtype=np.int64)


def _copied(pieces: Iterable[bytes], file: IO[bytes]) -> Iterator[bytes]:
    for piece in pieces:
        file.write(piece)
        yield piece


@contextmanager
def _told() -> Iterator[None]:
    """Tell what the reader of cells cannot read; it fails in many ways, among them a panic, no Exception."""
    try:
        yield
    except UnreadableError:
        raise
    except BaseException as problem:
        if not isinstance(problem, Exception) and type(problem).__name__ != "PanicException":
            raise
        raise UnreadableError(f"the sheet cannot be read ({problem})") from problem


def _link(name: str, kind: str, target: str) -> str:
    return f'<Relationship Id="{name}" Type="{_OFFICE}/{kind}" Target="{target}"/>'


def _local(name: str) -> str:
    return name.rpartition("}")[2]
