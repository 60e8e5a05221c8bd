"""Workbooks written by hand, part by part, so that every one of their bytes can be wrong.

A kind is a function that writes one hostile case into a folder and returns its path; `KINDS` lists them
with the exit status that ``scopt check`` must give and words that its message must hold.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
import zipfile
from dataclasses import dataclass
from html import escape
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Timer
from typing import TYPE_CHECKING, Any

from case_frames import header, sheets

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from case_frames import Rows

__all__ = ["KINDS", "Kind", "book", "cell", "hostile", "parts_of", "row", "write_parts"]

MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = 'xmlns="http://schemas.openxmlformats.org/package/2006/relationships"'
XML = '<?xml version="1.0" encoding="UTF-8"?>'
LAST_ROW = 1_048_576


@dataclass(frozen=True)
class Kind:
    """One kind of hostile file."""

    name: str
    make: Callable[[Path], Path]
    status: int
    says: str
    heavy: bool

    def __call__(self, folder: Path) -> Path:
        """Write it into a folder that exists."""
        return self.make(folder)


KINDS: dict[str, Kind] = {}


def hostile(
    name: str, status: int, says: str = "", *, heavy: bool = False
) -> Callable[[Callable[[Path], Path]], Callable[[Path], Path]]:
    """Enter a kind in the list; a heavy one takes seconds to make or to read and is left to the benchmark."""

    def enter(make: Callable[[Path], Path]) -> Callable[[Path], Path]:
        assert name not in KINDS, name
        KINDS[name] = Kind(name, make, status, says, heavy)
        return make

    return enter


def letters(number: int) -> str:
    """Letters of a column: 1 is A."""
    text = ""
    while number:
        number, rest = divmod(number - 1, 26)
        text = chr(65 + rest) + text
    return text


def cell(reference: str, value: Any) -> str:
    """One cell: text inline, anything else as a number; None is no cell."""
    if value is None:
        return ""
    if isinstance(value, str):
        return f'<c r="{reference}" t="inlineStr"><is><t>{escape(value)}</t></is></c>'
    return f'<c r="{reference}"><v>{value}</v></c>'


def row(number: int, *values: Any) -> str:
    """One row."""
    cells = "".join(cell(f"{letters(at)}{number}", value) for at, value in enumerate(values, start=1))
    return f'<row r="{number}">{cells}</row>'


def grid(rows: Rows) -> str:
    """Rows of a sheet below their headers."""
    columns = header(rows)
    lines = [row(1, *columns)]
    lines += [row(at, *map(record.get, columns)) for at, record in enumerate(rows, start=2)]
    return "".join(lines)


def worksheet(inside: str, after: str = "", before: str = "") -> bytes:
    """XML of a sheet with these rows."""
    return f"{XML}<worksheet {MAIN}>{before}<sheetData>{inside}</sheetData>{after}</worksheet>".encode()


def parts_of(content: dict[str, Rows | str | bytes], strings: bytes | None = None) -> dict[str, bytes]:
    """Parts of a workbook: rows, the XML of rows, or the whole XML of a sheet, by title.

    `strings` is the XML of the shared strings.
    """
    tags, links, parts = "", "", {}
    for number, (title, inside) in enumerate(content.items(), start=1):
        tags += f'<sheet name="{escape(title)}" sheetId="{number}" r:id="rId{number}"/>'
        links += _link(f"rId{number}", "worksheet", f"worksheets/sheet{number}.xml")
        if not isinstance(inside, bytes):
            inside = worksheet(inside if isinstance(inside, str) else grid(inside))
        parts[f"xl/worksheets/sheet{number}.xml"] = inside
    if strings is not None:
        links += _link("rIdS", "sharedStrings", "sharedStrings.xml")
        parts["xl/sharedStrings.xml"] = strings
    book = f'{XML}<workbook {MAIN} xmlns:r="{OFFICE}"><sheets>{tags}</sheets></workbook>'
    top = _link("rId1", "officeDocument", "xl/workbook.xml")
    types = "http://schemas.openxmlformats.org/package/2006/content-types"
    return {
        "[Content_Types].xml": f'{XML}<Types xmlns="{types}"/>'.encode(),
        "_rels/.rels": f"{XML}<Relationships {PACKAGE}>{top}</Relationships>".encode(),
        "xl/workbook.xml": book.encode(),
        "xl/_rels/workbook.xml.rels": f"{XML}<Relationships {PACKAGE}>{links}</Relationships>".encode(),
        **parts,
    }


def _link(name: str, kind: str, target: str) -> str:
    return f'<Relationship Id="{name}" Type="{OFFICE}/{kind}" Target="{target}"/>'


def shared(*texts: str) -> bytes:
    """XML of shared strings."""
    items = "".join(f"<si><t>{escape(text)}</t></si>" for text in texts)
    return f"{XML}<sst {MAIN}>{items}</sst>".encode()


def write_parts(path: Path, parts: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    """Write parts as a zip file."""
    with zipfile.ZipFile(path, "w", method) as file:
        for name, content in parts.items():
            file.writestr(name, content)
    return path


def book(folder: Path, name: str = "case.xlsx", **changed: Any) -> Path:
    """Write the clean case of `case_frames`, some sheets replaced (None: left out)."""
    return write_parts(folder / name, parts_of(sheets(**changed)))


def damaged(folder: Path, sheet: str, old: str, new: str) -> Path:
    """Write the clean case with text in the XML of a sheet replaced."""
    parts = parts_of(sheets())
    part = f"xl/worksheets/sheet{list(sheets()).index(sheet) + 1}.xml"
    assert old.encode() in parts[part], old
    parts[part] = parts[part].replace(old.encode(), new.encode("utf-8", "surrogatepass"), 1)
    return write_parts(folder / "case.xlsx", parts)


@dataclass(frozen=True)
class Outcome:
    """How a command ended: exit status (negative: the signal that killed it), output, time and memory."""

    status: int
    out: str
    err: str
    seconds: float
    megabytes: float

    @property
    def message(self) -> str:
        """First line of what it said on standard error."""
        return next((line for line in self.err.splitlines() if line.strip()), "")


def run_limited(args: Sequence[str | Path], *, seconds: float, gigabytes: float, **more: Any) -> Outcome:
    """Run scopt under a limit on its address space and its time, and measure it."""

    def limit() -> None:
        space = int(gigabytes * (1 << 30))
        resource.setrlimit(resource.RLIMIT_AS, (space, space))

    with TemporaryDirectory() as folder:
        out, err = Path(folder) / "out", Path(folder) / "err"
        start = time.perf_counter()
        with out.open("wb") as one, err.open("wb") as other:
            process = subprocess.Popen(
                [sys.executable, "-m", "scopt", *map(os.fspath, args)],
                stdout=one, stderr=other, stdin=subprocess.DEVNULL, preexec_fn=limit, **more,
            )  # fmt: skip
            alarm = Timer(seconds, process.kill)
            alarm.start()
            # wait4 tells the peak memory of this process alone.
            _, status, usage = os.wait4(process.pid, 0)
            alarm.cancel()
            process.returncode = os.waitstatus_to_exitcode(status)
        took = time.perf_counter() - start
        texts = [path.read_text(encoding="utf-8", errors="replace") for path in (out, err)]
    return Outcome(process.returncode, *texts, took, usage.ru_maxrss / 1024)
