"""Hostile files as containers: what is no workbook, bombs, and parts that lie, lack or loop."""

from __future__ import annotations

import os
import random
import re
import struct
import zipfile
from typing import TYPE_CHECKING

from case_frames import sheets
from hostile_books import (
    LAST_ROW,
    MAIN,
    XML,
    book,
    cell,
    damaged,
    grid,
    hostile,
    parts_of,
    row,
    shared,
    write_parts,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

OLE = bytes.fromhex("D0CF11E0A1B11AE1")
GIGABYTE = 1 << 30


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


# What is no workbook


@hostile("empty file", 1, "empty")
def _(folder):
    return written(folder / "case.xlsx", b"")


@hostile("workbook cut in half", 1, "cut short")
def _(folder):
    path = book(folder)
    return written(path, path.read_bytes()[: path.stat().st_size // 2])


@hostile("workbook without its last 30 bytes", 1, "cut short")
def _(folder):
    path = book(folder)
    return written(path, path.read_bytes()[:-30])


@hostile("random bytes", 1, "no Excel workbook")
def _(folder):
    return written(folder / "case.xlsx", random.Random(1).randbytes(100_000))


@hostile("workbook with 200 bytes changed", 1)
def _(folder):
    path, dice = book(folder), random.Random(2)
    content = bytearray(path.read_bytes())
    for _ in range(200):
        content[dice.randrange(len(content))] = dice.randrange(256)
    return written(path, bytes(content))


def compound(stream: str) -> bytes:
    """An OLE compound file whose directory names a stream; its one sector of data is empty."""
    head = OLE + bytes(16) + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + bytes(6)
    head += struct.pack("<IIIIIIIII", 0, 1, 1, 0, 4096, 0xFFFFFFFE, 0, 0xFFFFFFFE, 0)
    head += struct.pack("<I", 0) + b"\xff" * (512 - len(head) - 4)
    table = struct.pack("<III", 0xFFFFFFFD, 0xFFFFFFFE, 0xFFFFFFFE).ljust(512, b"\xff")
    entries = b""
    for name, kind in (("Root Entry", 5), (stream, 2)):
        title = name.encode("utf-16-le") + b"\0\0"
        entry = title.ljust(64, b"\0") + struct.pack("<HBB", len(title), kind, 1)
        entries += entry.ljust(116, b"\0") + struct.pack("<IQ", 2, 100)
    return head + table + entries.ljust(512, b"\0") + bytes(512)


@hostile("encrypted workbook (OLE container)", 1, "password")
def _(folder):
    return written(folder / "case.xlsx", compound("EncryptedPackage"))


@hostile("old .xls named .xlsx", 1, "old Excel format")
def _(folder):
    return written(folder / "case.xlsx", compound("Workbook"))


@hostile("old .xls", 1, "old Excel format")
def _(folder):
    return written(folder / "case.xls", compound("Workbook"))


@hostile("CSV named .xlsx", 1, "text")
def _(folder):
    return written(folder / "case.xlsx", b"site,tier,status\nplant,plant,keep\n")


@hostile("web page named .xlsx", 1, "web page")
def _(folder):
    return written(folder / "case.xlsx", b"<!DOCTYPE html><html><table><tr><td>1</td></tr></table></html>")


@hostile("spreadsheet XML of 2003 named .xlsx", 1, "text")
def _(folder):
    text = b'<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet"></Workbook>'
    return written(folder / "case.xlsx", text)


@hostile("picture named .xlsx", 1, "picture")
def _(folder):
    return written(folder / "case.xlsx", b"\x89PNG\r\n\x1a\n" + random.Random(3).randbytes(5000))


@hostile("PDF named .xlsx", 1, "PDF")
def _(folder):
    return written(folder / "case.xlsx", b"%PDF-1.7\n" + random.Random(4).randbytes(5000))


@hostile("Word document named .xlsx", 1, "no Excel workbook")
def _(folder):
    parts = {"[Content_Types].xml": b"<Types/>", "word/document.xml": b"<document/>"}
    return write_parts(folder / "case.xlsx", parts)


@hostile("binary workbook .xlsb", 1, "binary")
def _(folder):
    return write_parts(
        folder / "case.xlsb", {"[Content_Types].xml": b"<Types/>", "xl/workbook.bin": b"\x83\x01"}
    )


@hostile("OpenDocument .ods", 1, "OpenDocument")
def _(folder):
    parts = {"mimetype": b"application/vnd.oasis.opendocument.spreadsheet", "content.xml": b"<office/>"}
    return write_parts(folder / "case.ods", parts)


@hostile("workbook named .xls", 0)
def _(folder):
    return book(folder, "case.xls")


@hostile("workbook named .dat", 0)
def _(folder):
    return book(folder, "case.dat")


@hostile(".xlsm with macros", 0)
def _(folder):
    parts = parts_of(sheets())
    parts["xl/vbaProject.bin"] = compound("VBA") + random.Random(5).randbytes(50_000)
    parts["xl/activeX/activeX1.bin"] = random.Random(6).randbytes(1000)
    return write_parts(folder / "case.xlsm", parts)


@hostile("named pipe", 1, "no ordinary file")
def _(folder):
    os.mkfifo(folder / "case.xlsx")
    return folder / "case.xlsx"


@hostile("link to an endless device", 1, "no ordinary file")
def _(folder):
    (folder / "case.xlsx").symlink_to("/dev/zero")
    return folder / "case.xlsx"


@hostile("link to itself", 2)
def _(folder):
    (folder / "case.xlsx").symlink_to(folder / "case.xlsx")
    return folder / "case.xlsx"


@hostile("10 GB of nothing", 1, "10.7 GB")
def _(folder):
    with (folder / "case.xlsx").open("wb") as file:
        file.truncate(10 * GIGABYTE)
    return folder / "case.xlsx"


# Containers that lie


def patched(folder: Path, part: str, offset: int, form: str, value: int) -> Path:
    """Write the clean case with a field of a part's entry in the zip directory changed."""
    path = book(folder)
    content = bytearray(path.read_bytes())
    at = content.find(b"PK\x01\x02")
    while content[at + 46 : at + 46 + len(part)] != part.encode():
        at = content.find(b"PK\x01\x02", at + 4)
    struct.pack_into(form, content, at + offset, value)
    return written(path, bytes(content))


LANES = "xl/worksheets/sheet8.xml"


@hostile("zip directory tells 4 GB for a sheet", 1, "inflate")
def _(folder):
    return patched(folder, LANES, 24, "<I", 0xFFFF_FFF0)


@hostile("zip directory tells 100 bytes for a sheet", 1, "damaged")
def _(folder):
    return patched(folder, LANES, 24, "<I", 100)


@hostile("wrong check sum of a sheet", 1, "damaged")
def _(folder):
    return patched(folder, LANES, 16, "<I", 12345)


@hostile("zip entry encrypted", 1, "password")
def _(folder):
    return patched(folder, LANES, 8, "<H", 1)


@hostile("zip entry compressed in an odd way", 1, "compressed")
def _(folder):
    return write_parts(folder / "case.xlsx", parts_of(sheets()), zipfile.ZIP_LZMA)


@hostile("zip entry starts outside the file", 1, "damaged")
def _(folder):
    return patched(folder, LANES, 42, "<I", 0x7FFF_FFF0)


@hostile("two zip entries of one name", 1, "twice")
def _(folder):
    path = book(folder)
    with zipfile.ZipFile(path, "a") as file:
        file.writestr(LANES.upper(), b"<worksheet/>")
    return path


@hostile("zip entries named ../../etc/x and C:\\x", 0)
def _(folder):
    path = book(folder)
    with zipfile.ZipFile(path, "a") as file:
        for name in ("../../hostile.txt", "/hostile.txt", "C:\\hostile.txt", "xl/../../hostile.txt"):
            file.writestr(name, b"hostile")
    return path


@hostile("200,000 zip entries", 1, "parts", heavy=True)
def _(folder):
    path = book(folder)
    with zipfile.ZipFile(path, "a") as file:
        for number in range(200_000):
            file.writestr(f"x{number}", b"")
    return path


@hostile("bytes before and after the zip file", 0)
def _(folder):
    path = book(folder)
    return written(path, b"#!/bin/sh\n" * 20 + path.read_bytes() + b"\0" * 100)


def inflating(path: Path, content: dict[str, bytes], part: str, unit: bytes, times: int) -> Path:
    """Write a zip file in which a part holds a unit many times over, between its head and its tail."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file:
        for name, whole in content.items():
            if name != part:
                file.writestr(name, whole)
                continue
            head, _, tail = whole.partition(b"BOMB")
            with file.open(name, "w", force_zip64=True) as out:
                out.write(head)
                for _ in range(times):
                    out.write(unit)
                out.write(tail)
    return path


@hostile("zip bomb: a sheet of 5 GB of blanks", 1, "inflate", heavy=True)
def _(folder):
    parts = parts_of(sheets(lanes="BOMB"))
    return inflating(folder / "case.xlsx", parts, LANES, b" " * (1 << 24), 5 * 64)


@hostile("zip bomb: a sheet of 1.5 GB of blanks", 1, "32 MB", heavy=True)
def _(folder):
    rows = "".join(row(at, *line) for at, line in enumerate(lanes(), start=1))
    parts = parts_of({name: rows + "BOMB" if name == "lanes" else it for name, it in sheets().items()})
    return inflating(folder / "case.xlsx", parts, LANES, b" " * (1 << 20), 3 * 512)


@hostile("zip bomb: a sheet of 60 million cells", 1, "more than", heavy=True)
def _(folder):
    parts = parts_of(sheets(lanes="BOMB"))
    unit = b"<row>" + b"<c><v>1</v></c>" * 25 + b"</row>"
    return inflating(folder / "case.xlsx", parts, LANES, unit * 4000, 600)


@hostile("zip bomb: one cell of 1 GB", 1, "cell", heavy=True)
def _(folder):
    parts = parts_of(sheets(lanes=row(1, "BOMB")))
    return inflating(folder / "case.xlsx", parts, LANES, b"x" * (1 << 24), 64)


@hostile("zip bomb: 5 GB in a sheet of no known name", 0, heavy=True)
def _(folder):
    parts = parts_of({**sheets(), "attic": "BOMB"})
    return inflating(folder / "case.xlsx", parts, "xl/worksheets/sheet9.xml", b" " * (1 << 24), 5 * 64)


@hostile("zip bomb: shared strings of 3 GB", 1, "inflate", heavy=True)
def _(folder):
    parts = parts_of(sheets(), f"{XML}<sst {MAIN}>BOMB</sst>".encode())
    unit = b"<si><t>x</t></si>" * (1 << 19)
    return inflating(folder / "case.xlsx", parts, "xl/sharedStrings.xml", unit, 360)


@hostile("zip bomb: 5 GB in a part that nobody reads", 0, heavy=True)
def _(folder):
    parts = {**parts_of(sheets()), "xl/media/image1.bmp": b"BOMB"}
    return inflating(folder / "case.xlsx", parts, "xl/media/image1.bmp", b"\0" * (1 << 24), 5 * 64)


@hostile("a long shared text in a million cells", 1, "text", heavy=True)
def _(folder):
    cells = "".join(f'<row r="{at}"><c r="A{at}" t="s"><v>0</v></c></row>' for at in range(1, 1_000_000))
    return write_parts(folder / "case.xlsx", parts_of(sheets(lanes=cells), shared("x" * 32_000)))


# XML


LAUGHS = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
LAUGHS = f'<!DOCTYPE x [<!ENTITY a0 "ha">{LAUGHS}]>'
OUTSIDE = '<!DOCTYPE x [<!ENTITY a9 SYSTEM "file:///etc/passwd">]>'


def lanes() -> Iterator[tuple[object, ...]]:
    rows = sheets()["lanes"]
    columns = list(dict.fromkeys(name for one in rows for name in one))
    yield tuple(columns)
    for one in rows:
        yield tuple(one.get(name) for name in columns)


def with_doctype(folder: Path, part: str, doctype: str) -> Path:
    parts = parts_of(sheets(), shared("x"))
    parts[part] = parts[part].replace(XML.encode(), (XML + doctype).encode())
    assert doctype.encode() in parts[part]
    for spot in (b"plant", b'name="products"', b">x<"):
        parts[part] = parts[part].replace(spot, spot.replace(b"p", b"&a9;", 1).replace(b">x<", b">&a9;<"), 1)
    return write_parts(folder / "case.xlsx", parts)


for _part in (
    "xl/workbook.xml",
    "xl/_rels/workbook.xml.rels",
    "xl/worksheets/sheet3.xml",
    "xl/sharedStrings.xml",
):
    _name = _part.rpartition("/")[2]

    @hostile(f"entity bomb in {_name}", 1, "entities")
    def _(folder, part=_part):
        return with_doctype(folder, part, LAUGHS)

    @hostile(f"external entity in {_name}", 1, "entities")
    def _(folder, part=_part):
        return with_doctype(folder, part, OUTSIDE)


@hostile("entity bomb in UTF-16", 1)
def _(folder):
    parts = parts_of(sheets())
    text = parts["xl/workbook.xml"].decode().replace(XML, '<?xml version="1.0" encoding="UTF-16"?>' + LAUGHS)
    parts["xl/workbook.xml"] = text.replace('name="products"', 'name="&a9;"').encode("utf-16")
    return write_parts(folder / "case.xlsx", parts)


@hostile("sheet in UTF-16", 1, "UTF-8")
def _(folder):
    parts = parts_of(sheets())
    parts[LANES] = parts[LANES].decode().replace("UTF-8", "UTF-16").encode("utf-16")
    return write_parts(folder / "case.xlsx", parts)


@hostile("sheet in Latin-1", 1, "UTF-8")
def _(folder):
    parts = parts_of(sheets())
    parts[LANES] = parts[LANES].replace(b"north", b"n\xf6rd")
    return write_parts(folder / "case.xlsx", parts)


@hostile("comments and CDATA hide cells", 1, "Excel")
def _(folder):
    hidden = '<!--<c r="ZZ1"><v>1</v></c>--><c r="A3" t="inlineStr"><is><t><![CDATA[north]]></t></is></c>'
    return damaged(folder, "sites", cell("A3", "north"), hidden)


@hostile("elements nested 100,000 deep", 0)
def _(folder):
    deep = "<x>" * 100_000 + "</x>" * 100_000
    return damaged(folder, "sites", "<sheetData>", f"{deep}<sheetData>")


@hostile("workbook part nested 100,000 deep", 0)
def _(folder):
    parts = parts_of(sheets())
    deep = b"<x>" * 100_000 + b"</x>" * 100_000
    parts["xl/workbook.xml"] = parts["xl/workbook.xml"].replace(b"<sheets>", deep + b"<sheets>")
    return write_parts(folder / "case.xlsx", parts)


@hostile("XML of a sheet ends in the middle", 1, "lanes")
def _(folder):
    parts = parts_of(sheets())
    parts[LANES] = parts[LANES][:700]
    return write_parts(folder / "case.xlsx", parts)


@hostile("XML of a sheet is not well-formed", 1, "lanes")
def _(folder):
    return damaged(folder, "lanes", "</t>", "</v>")


@hostile("no list of sheets", 1, "sheet")
def _(folder):
    return write_parts(folder / "case.xlsx", parts_of({}))


@hostile("relations missing", 1, "damaged")
def _(folder):
    parts = parts_of(sheets())
    del parts["xl/_rels/workbook.xml.rels"]
    return write_parts(folder / "case.xlsx", parts)


@hostile("a sheet's part is missing", 1, "lanes")
def _(folder):
    parts = parts_of(sheets())
    del parts[LANES]
    return write_parts(folder / "case.xlsx", parts)


@hostile("a sheet's part lies outside the workbook", 1, "lanes")
def _(folder):
    parts = parts_of(sheets())
    links = parts["xl/_rels/workbook.xml.rels"]
    parts["xl/_rels/workbook.xml.rels"] = links.replace(b"worksheets/sheet8.xml", b"../../../../etc/passwd")
    return write_parts(folder / "case.xlsx", parts)


@hostile("all sheets are one part", 1)
def _(folder):
    parts = parts_of(sheets())
    links = parts["xl/_rels/workbook.xml.rels"]
    for number in range(1, 9):
        links = links.replace(f"sheet{number}.xml".encode(), b"sheet3.xml")
    return write_parts(folder / "case.xlsx", {**parts, "xl/_rels/workbook.xml.rels": links})


@hostile("links to other workbooks", 0)
def _(folder):
    parts = parts_of(sheets())
    formula = "<f>[1]Costs!$B$2*WEBSERVICE(&quot;http://example.org/&quot;)</f><v>1</v>"
    parts[LANES] = parts[LANES].replace(b"<v>1</v>", formula.encode(), 1)
    target = 'TargetMode="External" Target="file:///etc/passwd"'
    parts["xl/externalLinks/externalLink1.xml"] = f"{XML}<externalLink {MAIN}/>".encode()
    parts["xl/externalLinks/_rels/externalLink1.xml.rels"] = (
        f"<Relationships><Relationship {target}/></Relationships>".encode()
    )
    return write_parts(folder / "case.xlsx", parts)


# Sheets


@hostile("sheet declared A1:XFD1048576", 0)
def _(folder):
    parts = parts_of(sheets())
    parts[LANES] = parts[LANES].replace(b"<sheetData>", b'<dimension ref="A1:XFD1048576"/><sheetData>')
    return write_parts(folder / "case.xlsx", parts)


@hostile("a million styled blank rows", 0, heavy=True)
def _(folder):
    blank = "".join(
        f'<row r="{at}" spans="1:16384" s="1" customFormat="1"><c r="A{at}" s="1"/><c r="XFD{at}" s="1"/></row>'
        for at in range(20, LAST_ROW + 1)
    )
    rows = "".join(row(at, *line) for at, line in enumerate(lanes(), start=1))
    return book(folder, lanes=rows + blank)


@hostile("a value in the last row", 1, "A1048576", heavy=True)
def _(folder):
    rows = "".join(row(at, *line) for at, line in enumerate(lanes(), start=1))
    return book(folder, lanes=rows + row(LAST_ROW, "x"))


@hostile("a value in the last cell XFD1048576", 1, "XFD1048576")
def _(folder):
    rows = "".join(row(at, *line) for at, line in enumerate(lanes(), start=1))
    return book(folder, lanes=f'{rows}<row r="{LAST_ROW}">{cell(f"XFD{LAST_ROW}", 1)}</row>')


@hostile("a value far right in XFD7", 0, heavy=True)
def _(folder):
    return damaged(folder, "lanes", "</row></sheetData>", f"{cell('XFD7', 1)}</row></sheetData>")


for _reference in (
    "A0",
    "A1048577",
    "A4294967295",
    "A99999999999999999999",
    "XFE1",
    "ZZZZZZZZZ1",
    "1A",
    "A-1",
    "",
    "A1:B2",
):

    @hostile(f"cell reference {_reference or '(empty)'}", 1, "cell")
    def _(folder, reference=_reference):
        return damaged(folder, "lanes", '<c r="C2"', f'<c r="{reference}"')


@hostile("row number 4294967295", 1, "row")
def _(folder):
    return damaged(folder, "lanes", '<row r="3"><c r="A3"', '<row r="4294967295"><c')


@hostile("cells and rows without references", 0)
def _(folder):
    # Where there are no references a cell follows the one before, so every row has all of its cells.
    defaults = {"status": "existing", "lead_days": 0}
    rows = grid(
        [
            {**one, **{key: one.get(key, value) for key, value in defaults.items()}}
            for one in sheets()["lanes"]
        ]
    )
    return book(folder, lanes=re.sub(r' r="[A-Z]*[0-9]+"', "", rows))


@hostile("shared text out of range", 1, "lanes")
def _(folder):
    parts = parts_of(sheets(), shared("plant"))
    parts[LANES] = parts[LANES].replace(cell("A2", "plant").encode(), b'<c r="A2" t="s"><v>7</v></c>')
    return write_parts(folder / "case.xlsx", parts)


for _index in ("-1", "x", "1e0", "99999999999999999999", ""):

    @hostile(f"shared text number {_index or '(empty)'}", 1, "lanes")
    def _(folder, index=_index):
        parts = parts_of(sheets(), shared("plant"))
        parts[LANES] = parts[LANES].replace(
            cell("A2", "plant").encode(), f'<c r="A2" t="s"><v>{index}</v></c>'.encode()
        )
        return write_parts(folder / "case.xlsx", parts)


@hostile("shared texts missing", 1, "lanes")
def _(folder):
    return damaged(folder, "lanes", cell("A2", "plant"), '<c r="A2" t="s"><v>0</v></c>')


@hostile("formula without a value", 1, "formula")
def _(folder):
    return damaged(folder, "lanes", cell("C2", 1), '<c r="C2"><f>1+1</f></c>')


@hostile("unknown error value", 1, "#BLOCKED!")
def _(folder):
    return damaged(folder, "lanes", cell("C2", 1), '<c r="C2" t="e"><v>#BLOCKED!</v></c>')


@hostile("unknown kind of cell", 1, "lanes")
def _(folder):
    return damaged(folder, "lanes", cell("C2", 1), '<c r="C2" t="zz"><v>1</v></c>')


@hostile("NaN as a number", 1, "lanes!C2")
def _(folder):
    return damaged(folder, "lanes", cell("C2", 1), '<c r="C2"><v>NaN</v></c>')


@hostile("infinite number", 1, "lanes!C2")
def _(folder):
    return damaged(folder, "lanes", cell("C2", 1), '<c r="C2"><v>1e999</v></c>')


@hostile("dates of the 1904 calendar", 1, "lanes!C2")
def _(folder):
    parts = parts_of(sheets())
    styles = '<numFmts count="1"><numFmt numFmtId="165" formatCode="yyyy-mm-dd"/></numFmts><cellXfs count="2"><xf/><xf numFmtId="165"/></cellXfs>'
    parts["xl/styles.xml"] = f"{XML}<styleSheet {MAIN}>{styles}</styleSheet>".encode()
    parts["xl/workbook.xml"] = parts["xl/workbook.xml"].replace(
        b"<sheets>", b'<workbookPr date1904="1"/><sheets>'
    )
    parts[LANES] = parts[LANES].replace(b'<c r="C2">', b'<c r="C2" s="1">')
    return write_parts(folder / "case.xlsx", parts)


@hostile("everything merged", 1, "merged")
def _(folder):
    merge = '</sheetData><mergeCells count="1"><mergeCell ref="A1:XFD1048576"/></mergeCells>'
    return damaged(folder, "lanes", "</sheetData>", merge)


@hostile("20,000 merged ranges over the whole sheet", 1, "merged")
def _(folder):
    merge = '<mergeCell ref="A1:XFD1048576"/>' * 20_000
    return damaged(folder, "lanes", "</sheetData>", f"</sheetData><mergeCells>{merge}</mergeCells>")


@hostile("merged range that is none", 1, "lanes")
def _(folder):
    merge = '</sheetData><mergeCells><mergeCell ref="hello:A99999999999999999999999"/></mergeCells>'
    return damaged(folder, "lanes", "</sheetData>", merge)


@hostile("hidden and very hidden sheets", 0)
def _(folder):
    parts = parts_of(sheets())
    names = (b'name="lanes"', b'name="demand"')
    for name, state in zip(names, (b' state="hidden"', b' state="veryHidden"'), strict=True):
        parts["xl/workbook.xml"] = parts["xl/workbook.xml"].replace(name, name + state)
    return write_parts(folder / "case.xlsx", parts)


@hostile("sheet names that differ in case", 1, "two sheets")
def _(folder):
    return write_parts(folder / "case.xlsx", parts_of({**sheets(), "Lanes": sheets()["lanes"]}))


@hostile("5,000 sheets of unknown names", 0)
def _(folder):
    more = {f"tab {number}": row(1, "x") for number in range(5000)}
    return write_parts(folder / "case.xlsx", parts_of({**sheets(), **more}))


@hostile("chart sheet called lanes", 1, "lanes")
def _(folder):
    parts = parts_of(sheets())
    links = parts["xl/_rels/workbook.xml.rels"].replace(
        b'worksheet" Target="worksheets/sheet8.xml', b'chartsheet" Target="chartsheets/sheet8.xml'
    )
    return write_parts(folder / "case.xlsx", {**parts, "xl/_rels/workbook.xml.rels": links})


@hostile("sheet title of 100,000 characters", 0)
def _(folder):
    return write_parts(folder / "case.xlsx", parts_of({**sheets(), "x" * 100_000: row(1, "x")}))
