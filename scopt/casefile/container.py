"""The zip file that a workbook is, opened so that nothing in it takes unbounded time or memory.

A few kilobytes can inflate to terabytes, so the directory is looked at before anything is inflated, and no
part yields more than the directory says.
"""

from __future__ import annotations

import struct
import zipfile
import zlib
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["MEGABYTE", "Container", "UnreadableError", "size_text"]

MEGABYTE = 1 << 20
_MOST_PARTS = 50_000
_DIRECTORY_ENTRY = b"PK\x01\x02"
_LARGEST_SMALL_PART = 16 * MEGABYTE
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_BROKEN = (
    zipfile.BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError, OSError, OverflowError,
    RuntimeError, ValueError,
)  # fmt: skip
SAVE_ANEW = "Open it in Excel and save it as .xlsx."


class UnreadableError(Exception):
    """A file or a part of it that cannot be read: the rule it breaks, and how to mend it."""

    def __init__(self, rule: str, mend: str = SAVE_ANEW) -> None:
        super().__init__(rule)
        self.rule, self.mend = rule, mend


def size_text(size: float) -> str:
    """Write a number of bytes as a reader takes it in."""
    for unit in ("bytes", "kB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}"
        size /= 1000
    return f"{size:,.1f} GB"


class Container:
    """The parts of a zip file, by their names without regard to case.

    Parameters
    ----------
    file
        The open file.

    Raises
    ------
    UnreadableError
        It is no zip file, is cut short, or lists an absurd number of parts.
    """

    def __init__(self, file: BinaryIO) -> None:
        if _count(file, _DIRECTORY_ENTRY) > _MOST_PARTS:
            raise UnreadableError(f"the file lists more than {_MOST_PARTS:,} parts, which no workbook has")
        with _told():
            self._zip = zipfile.ZipFile(file)
        self._entries: dict[str, zipfile.ZipInfo] = {}
        self._twice: set[str] = set()
        for entry in self._zip.infolist():
            name = entry.filename.replace("\\", "/").lstrip("/").casefold()
            if name in self._entries:
                self._twice.add(name)
            self._entries[name] = entry

    def __contains__(self, name: str) -> bool:
        return name.casefold() in self._entries

    def size(self, name: str) -> int:
        """Bytes that a part inflates to, as the directory says; `chunks` yields no more."""
        return self._entries[name.casefold()].file_size

    def chunks(self, name: str) -> Iterator[bytes]:
        """Yield a part in pieces of a megabyte.

        Raises
        ------
        UnreadableError
            It is not there, damaged, protected by a password or compressed in an odd way.
        """
        key = name.casefold()
        if key not in self._entries:
            raise UnreadableError(f"the part {name} is missing: the file is damaged")
        if key in self._twice:
            raise UnreadableError(f"the part {name} is there twice, and which one counts is not known")
        entry = self._entries[key]
        if entry.flag_bits & 1:
            raise UnreadableError("the file is protected by a password", "Save it without a password.")
        if entry.compress_type not in _METHODS:
            raise UnreadableError("the file is compressed in a way that workbooks are not")
        with _told(), self._zip.open(entry) as part:
            while chunk := part.read(MEGABYTE):
                yield chunk

    def read(self, name: str) -> bytes:
        """Return a small part; UnreadableError as by `chunks`, or if it is none of a few megabytes."""
        if name in self and self.size(name) > _LARGEST_SMALL_PART:
            size = size_text(self.size(name))
            raise UnreadableError(f"the part {name} would inflate to {size}, which no workbook needs")
        return b"".join(self.chunks(name))


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except _BROKEN as problem:
        raise UnreadableError(f"the file is cut short or damaged ({problem})") from problem


def _count(file: BinaryIO, mark: bytes) -> int:
    """Count a mark in a file; one that lies across two pieces may be missed."""
    file.seek(0)
    found = 0
    while chunk := file.read(MEGABYTE):
        found += chunk.count(mark)
    file.seek(0)
    return found
