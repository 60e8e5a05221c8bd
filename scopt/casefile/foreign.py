"""What a file is that is no xlsx workbook, told by its first bytes and by what it holds."""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING, BinaryIO

from scopt.casefile.container import MEGABYTE, SAVE_ANEW, UnreadableError, size_text

if TYPE_CHECKING:
    from scopt.casefile.container import Container

__all__ = ["refuse_other_file", "refuse_other_zip"]

_ZIP, _OLE = b"PK\x03\x04", bytes.fromhex("D0CF11E0A1B11AE1")
_LARGEST = 512 * MEGABYTE
_STARTS = {
    b"\x89PNG": "a picture", b"\xff\xd8\xff": "a picture", b"GIF8": "a picture",
    b"%PDF": "a PDF document", b"\x1f\x8b": "a gzip archive", b"7z\xbc\xaf": "a 7-Zip archive",
    b"Rar!": "a RAR archive", b"{\\rtf": "a text document", b"PK\x05\x06": "an empty zip archive",
}  # fmt: skip


def refuse_other_file(file: BinaryIO) -> None:
    """Say what a file is that is no zip file.

    Raises
    ------
    UnreadableError
        It is not.
    """
    size = file.seek(0, 2)
    file.seek(0)
    head = file.read(4096)
    file.seek(0)
    if not size:
        raise UnreadableError("the file is empty", "Take another copy of it.")
    if size > _LARGEST:
        rule = f"the file has {size_text(size)}; at most {size_text(_LARGEST)} are read"
        raise UnreadableError(rule, "Leave out what is no part of the case.")
    if head.startswith(_OLE):
        raise _of_compound(file)
    if _ZIP in head:  # a program may stand before it
        return
    for start, what in _STARTS.items():
        if head.startswith(start):
            raise UnreadableError(f"the file is no Excel workbook but {what}", "Name the workbook.")
    if b"<html" in head.lower():
        raise UnreadableError("the file is no Excel workbook but a web page", SAVE_ANEW)
    if _is_text(head):
        mend = "Open it in Excel and save it as .xlsx, or put CSV files into a folder and name the folder."
        raise UnreadableError("the file is no Excel workbook but text", mend)
    raise UnreadableError("the file is no Excel workbook")


def refuse_other_zip(container: Container) -> None:
    """Say what a zip file is that is no xlsx workbook.

    Raises
    ------
    UnreadableError
        It is none.
    """
    if "xl/workbook.xml" in container:
        return
    if "xl/workbook.bin" in container:
        raise UnreadableError("the file is a binary workbook (.xlsb)")
    if "content.xml" in container and "mimetype" in container:
        raise UnreadableError("the file is an OpenDocument file", "Save it as .xlsx.")
    raise UnreadableError("the file is no Excel workbook: it holds no part xl/workbook.xml")


def _of_compound(file: BinaryIO) -> UnreadableError:
    """Tell the two things apart that are kept in the containers of the nineties."""
    mark = "EncryptedPackage".encode("utf-16-le")
    before = b""
    while chunk := file.read(MEGABYTE):
        if mark in before + chunk:
            return UnreadableError("the workbook is protected by a password", "Save it without a password.")
        before = chunk[-len(mark) :]
    return UnreadableError("the file is a workbook of the old Excel format (.xls)")


def _is_text(head: bytes) -> bool:
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return False
    return b"\0" not in head
