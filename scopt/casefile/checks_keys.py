"""Checks of ids: every key once, every reference known, no id with two meanings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scopt.casefile.frames import blank_in_key, first_rows, key_codes, repeats
from scopt.casefile.hints import Hints
from scopt.casefile.lanes import MARKET
from scopt.casefile.schema import SHEETS

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from scopt.casefile.context import Context

__all__ = ["check_duplicate_keys", "check_ids_of_two_kinds", "check_references", "known_ids"]


def known_ids(context: Context, sheet: str) -> list[str]:
    """Return the ids of a sheet."""
    if sheet == "strategies":
        return ["as_is", "integrated", *context.tables["strategies"]["strategy"]]
    ids = context.tables[sheet][SHEETS[sheet].key[0]]
    return [identifier for identifier in ids if identifier]


def check_duplicate_keys(context: Context) -> None:
    """Report keys that occur more than once."""
    for name, sheet in SHEETS.items():
        table, key = (context.given if name == "settings" else context.tables)[name], sheet.key
        if not key or len(table) < 2:
            continue
        required = [column for column in key if sheet.column(column).required]
        codes = key_codes(table, key)
        again = repeats(codes) & ~blank_in_key(table, required)
        if not again.any():
            continue
        mend = _first_of(context.origins[name].rows, first_rows(codes))
        context.report(name, again, key[0], f"the same {', '.join(key)} as in another row", mend)


def _first_of(rows: NDArray[np.int64], first: NDArray[np.int64]) -> Callable[[int], str]:
    def mend(position: int) -> str:
        row = rows[first[position]] if first[position] < len(rows) else 0
        return "Join the rows or remove one" + (f"; the first is row {row}." if row else ".")

    return mend


def check_references(context: Context) -> None:
    """Report ids that stand in no sheet they refer to."""
    for name, sheet in SHEETS.items():
        table = context.tables[name]
        for column in sheet.columns:
            if not column.refers or table.empty:
                continue
            if any((other, "") in context.settled for other in column.refers):
                continue  # that sheet itself is missing or broken, which is reported
            known = [identifier for other in column.refers for identifier in known_ids(context, other)]
            cells = table[column.name]
            unknown = ~cells.isin(set(known)) & (cells != "")
            if unknown.any():
                where = " or ".join(column.refers)
                mend = _hints(cells, known, f"Add it to {where}, or correct or exclude the row.")
                context.report(name, unknown.to_numpy(), column.name, f"no such id in {where}", mend)


def _hints(cells: pd.Series[str], known: Collection[str], else_: str) -> Callable[[int], str]:
    """Return what finds the most similar id for a position."""
    hint = Hints(known)

    def mend(position: int) -> str:
        return f"{hint(str(cells.iloc[position]))} {else_}".strip()

    return mend


def check_ids_of_two_kinds(context: Context) -> None:
    """Report ids that are both a site and a market, and a tier called market."""
    sites, markets = context.tables["sites"], context.tables["markets"]
    both = markets["market"].isin(set(sites["site"])) & (markets["market"] != "")
    rule = "the id is both a site and a market"
    context.report("markets", both.to_numpy(), "market", rule, "Give one of them another id.")
    rule = "a tier may not be called market: lane rules use the word"
    context.report("sites", (sites["tier"] == MARKET).to_numpy(), "tier", rule, "Name it otherwise.")
