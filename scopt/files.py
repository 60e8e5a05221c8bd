"""Files that appear whole or not at all, and never in place of what was read.

A file is written in a hidden folder beside its place and moved there when it is complete, so that an error,
an interrupt or a full disk leaves the earlier file as it was and nothing else behind.
"""

from __future__ import annotations

import errno
import io
import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from xlsxwriter import Workbook
from xlsxwriter.exceptions import XlsxWriterException

from scopt.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["check_target", "whole_workbook"]

_PROBE = bytes(1 << 16)  # a folder on a full disk takes an empty file and not this
_OPTIONS = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}


def check_target(path: str | Path, *inputs: str | Path) -> None:
    """Make sure that a workbook can be written, without writing it.

    Parameters
    ----------
    path
        The file to be written.
    inputs
        Files and folders that must stay as they are, what lies in the folders included.

    Raises
    ------
    UsageError
        The name does not end in ``.xlsx``, is one of the inputs, or cannot be written.
    """
    target = Path(path)
    if target.suffix.lower() != ".xlsx":
        raise UsageError(f"{target}: the name of a workbook ends in .xlsx")
    with _told(target):
        if any(_same(target, Path(source)) for source in inputs):
            raise UsageError(f"{target}: would overwrite the case; choose another name with --output")
        real = _real(target)
        if not real.parent.is_dir():
            raise _unwritable(target, f"there is no folder {target.parent}")
        if real.exists():
            if not real.is_file():
                raise _unwritable(target, "it is a folder" if real.is_dir() else "it is no ordinary file")
            with real.open("r+b"):  # fails where the file is locked or read-only
                pass
        with _folder_beside(real) as folder:
            _write(folder / real.name, _PROBE)


@contextmanager
def whole_workbook(path: str | Path) -> Iterator[Workbook]:
    """Open a workbook that appears at `path` whole, when the block ends without an error, or not at all.

    What is written as text stays text: nothing becomes a formula, a link or a number.

    Raises
    ------
    UsageError
        The file cannot be written there.
    """
    check_target(path)
    target = Path(path)
    real = _real(target)  # a link stays a link: its target is replaced
    with _told(target), _folder_beside(real) as folder:
        content = io.BytesIO()
        book = Workbook(content, {**_OPTIONS, "tmpdir": str(folder)})
        yield book
        book.close()
        _write(folder / real.name, content.getbuffer())
        (folder / real.name).replace(real)


def _same(target: Path, source: Path) -> bool:
    """Whether writing the target would change the source, by whatever name or link."""
    inside = list(source.iterdir()) if source.is_dir() else []
    return any(
        _real(target) == _real(one) or (target.exists() and one.exists() and target.samefile(one))
        for one in (source, *inside)
    )


def _real(path: Path) -> Path:
    try:
        return path.resolve()
    except RuntimeError as problem:  # a loop of links, before Python 3.13
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP)) from problem


@contextmanager
def _folder_beside(target: Path) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix=".scopt-", dir=target.parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _write(path: Path, content: bytes | memoryview) -> None:
    """Write a new file and wait until it is on the disk."""
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


@contextmanager
def _told(target: Path) -> Iterator[None]:
    """Tell what keeps the target from being written."""
    try:
        yield
    except (OSError, XlsxWriterException) as problem:
        raise _unwritable(target, getattr(problem, "strerror", None) or str(problem)) from problem


def _unwritable(target: Path, reason: str) -> UsageError:
    return UsageError(f"{target}: cannot be written ({reason})")
