"""Hostile folders of CSV files."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from case_frames import sheets, write_folder
from hostile_books import book, hostile

if TYPE_CHECKING:
    from pathlib import Path

GIGABYTE = 1 << 30


def folder_case(folder: Path, **files: bytes) -> Path:
    """Write the clean case as CSV files, some with other bytes."""
    path = folder / "case"
    write_folder(path, sheets())
    for name, content in files.items():
        (path / f"{name}.csv").write_bytes(content)
    return path


@hostile("CSV with byte order mark, CRLF and quotes", 0)
def _(folder):
    return folder_case(folder, markets='\ufeff"market","region"\r\n"M1","ea""st"\r\nM2,"we,st"\r\n'.encode())


@hostile("CSV with lines ended by CR", 0)
def _(folder):
    return folder_case(folder, markets=b"market,region\rM1,east\rM2,west\r")


@hostile("CSV in GB18030", 1, "UTF-8")
def _(folder):
    return folder_case(folder, markets="market,region\nM1,华东\nM2,华西\n".encode("gb18030"))


@hostile("CSV in UTF-16", 1, "UTF-8")
def _(folder):
    return folder_case(folder, markets="market,region\nM1,east\nM2,west\n".encode("utf-16"))


@hostile("CSV in UTF-16 without a mark", 1, "markets")
def _(folder):
    return folder_case(folder, markets="market,region\nM1,east\nM2,west\n".encode("utf-16-le"))


@hostile("CSV with NUL bytes", 1, "markets")
def _(folder):
    return folder_case(folder, markets=b"market,region\nM1,ea\0st\nM2,west\n")


@hostile("CSV with an open quote", 1, "markets")
def _(folder):
    return folder_case(folder, markets=b'market,region\nM1,"east\nM2,west\n')


@hostile("CSV with an open quote before 100,000 lines", 1, "markets")
def _(folder):
    return folder_case(folder, markets=b'market,region\n"M1,east\nM2,west\n' + b"M3,south\n" * 100_000)


@hostile("CSV with rows of too many fields", 1, "markets")
def _(folder):
    return folder_case(folder, markets=b"market,region\nM1,east,1,2,3\nM2,west\n")


@hostile("CSV with an id of 10 MB", 1, "markets!A4")
def _(folder):
    return folder_case(folder, markets=b"market,region\nM1,east\nM2,west\n" + b"x" * 10_000_000 + b",east\n")


@hostile("CSV with a note of 10 MB", 0)
def _(folder):
    return folder_case(folder, markets=b"market,notes\nM1," + b"x" * 10_000_000 + b"\nM2,west\n")


@hostile("CSV with a line of 10 MB of commas", 1, "markets")
def _(folder):
    return folder_case(folder, markets=b"market,region\nM1,east\nM2,west\n" + b"," * 10_000_000 + b"\n")


@hostile("CSV with a first line of 10 MB of commas", 1, "columns")
def _(folder):
    return folder_case(folder, markets=b"," * 10_000_000 + b"\n")


@hostile("CSV of 100 million blank fields", 1, "million cells", heavy=True)
def _(folder):
    return folder_case(folder, markets=b"market,region\nM1,east\nM2,west\n" + b",\n" * 50_000_000)


@hostile("CSV file of 10 GB", 1, "markets")
def _(folder):
    path = folder_case(folder)
    with (path / "markets.csv").open("wb") as file:
        file.truncate(10 * GIGABYTE)
    return path


@hostile("CSV of zero bytes", 1, "markets")
def _(folder):
    return folder_case(folder, markets=b"")


@hostile("CSV that is a workbook", 1, "markets")
def _(folder):
    return folder_case(folder, markets=book(folder).read_bytes())


@hostile("CSV names that differ in case", 1, "two sheets")
def _(folder):
    return folder_case(folder, Markets=b"market,region\nM1,east\nM2,west\n")


@hostile("CSV that links to a file elsewhere", 0)
def _(folder):
    path = folder_case(folder)
    (path / "markets.csv").rename(folder / "elsewhere.csv")
    (path / "markets.csv").symlink_to(folder / "elsewhere.csv")
    return path


@hostile("CSV that links to nothing", 1, "markets")
def _(folder):
    path = folder_case(folder)
    (path / "markets.csv").unlink()
    (path / "markets.csv").symlink_to(folder / "nothing.csv")
    return path


@hostile("CSV that links to an endless device", 1, "markets")
def _(folder):
    path = folder_case(folder)
    (path / "markets.csv").unlink()
    (path / "markets.csv").symlink_to("/dev/zero")
    return path


@hostile("CSV that is a named pipe", 1, "markets")
def _(folder):
    path = folder_case(folder)
    (path / "markets.csv").unlink()
    os.mkfifo(path / "markets.csv")
    return path


@hostile("CSV that is a folder", 1, "markets")
def _(folder):
    path = folder_case(folder)
    (path / "markets.csv").unlink()
    (path / "markets.csv").mkdir()
    return path


@hostile("empty folder", 1, "no CSV file")
def _(folder):
    return folder


@hostile("folder of other files", 1, "no CSV file")
def _(folder):
    (folder / "notes.txt").write_text("x", encoding="utf-8")
    return folder


@hostile("folder of 20,000 CSV files of unknown names", 1, heavy=True)
def _(folder):
    for number in range(20_000):
        (folder / f"tab {number}.csv").write_bytes(b"a,b\n1,2\n")
    return folder
