"""The sheet `changes`: what a strategy does to the data. The baseline is never edited."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from scopt.casefile.cells import Cells, as_objects, shown
from scopt.casefile.columns import Column, canonical
from scopt.casefile.context import Origin
from scopt.casefile.convert import convert_cells, out_of_bounds
from scopt.casefile.defaults import Settings, add_channels, resolve, settings_of
from scopt.casefile.frames import records
from scopt.casefile.hints import nearest
from scopt.casefile.schema import SETTINGS, SHEETS
from scopt.findings import Finding, Findings

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from numpy.typing import NDArray

__all__ = ["Changed", "apply_changes"]

_FIXED = ("changes", "strategies")


@dataclass
class Changed:
    """A case after the changes of one strategy."""

    given: dict[str, pd.DataFrame]
    tables: dict[str, pd.DataFrame]
    settings: Settings
    origins: dict[str, Origin]
    findings: Findings


class _Refusal(Exception):
    """A change that cannot be carried out: column of the sheet `changes`, rule and how to mend it."""


def apply_changes(
    given: Mapping[str, pd.DataFrame],
    tables: Mapping[str, pd.DataFrame],
    origins: Mapping[str, Origin],
    strategy: str,
    source: str,
) -> Changed:
    """Return the case after the changes of a strategy, in the order of their rows.

    Changes of settings come first, so that what columns inherit from them follows; the others act on the
    tables with all defaults filled in. A change that cannot be carried out is a finding and left out.
    """
    findings = Findings()
    of_settings: list[tuple[int, dict[str, Any]]] = []
    of_others: list[tuple[int, dict[str, Any]]] = []
    changes = tables["changes"]
    positions = np.flatnonzero(changes["strategy"] == strategy)
    for position, change in zip(positions.tolist(), records(changes.iloc[positions]), strict=True):
        first = canonical(change["sheet"]) == "settings"
        (of_settings if first else of_others).append((position, change))
    result = Changed(
        dict(given), {"settings": tables["settings"].copy()}, Settings(), dict(origins), findings
    )
    for position, change in of_settings:
        _attempt(result, position, change)
    # Every key is a row from here on, and none of them stands in the file.
    result.given["settings"], result.origins["settings"] = result.tables["settings"], Origin()
    result.settings = settings_of(result.given["settings"], source)
    result.tables = resolve(result.given, result.settings)
    for position, change in of_others:
        _attempt(result, position, change)
    demand, channels = result.tables["demand"], result.tables["channels"]
    result.tables["channels"] = add_channels(channels, demand, result.settings)
    return result


def _attempt(result: Changed, position: int, change: dict[str, Any]) -> None:
    if not all(change[name] != "" for name in ("sheet", "column", "value")):
        return  # a required cell is blank, which is reported already
    try:
        _change(result, change)
    except _Refusal as refusal:
        column, rule, mend = refusal.args
        cell, row = result.origins.get("changes", Origin()).place(position, column)
        value = shown(change[column])
        result.findings.append(Finding("error", "changes", cell, row, column, value, rule, mend))


def _change(result: Changed, change: dict[str, Any]) -> None:
    names = {canonical(name): name for name in SHEETS if name not in _FIXED}
    name = names.get(canonical(change["sheet"]))
    if name is None:
        raise _Refusal("sheet", "no sheet that can be changed has this name", _hint(change["sheet"], names))
    table = result.tables[name]
    column = _column(name, change["column"], "column")
    mask = _where(name, table, change["where"])
    if not mask.any():
        mend = "Check the values, or remove the change."
        if name == "lanes":
            mend += " Lanes that rules make are changed through lane_rules."
        raise _Refusal("where", f"no row of {name} matches", mend)
    if name == "settings":
        column = _setting(table, column, mask)
    if column.name == "notes" or (column.name == "status" and not SHEETS[name].own_status):
        _exclude(result, name, column, mask, change)
        return
    target = "value" if name == "settings" else column.name
    result.tables[name] = table.assign(**{target: _new_values(table[target], column, mask, change)})


def _hint(name: object, known: Mapping[str, str]) -> str:
    return nearest(str(name), known.values()) or "Write one of " + ", ".join(known.values()) + "."


def _column(sheet: str, name: str, where: str) -> Column:
    names = {canonical(column.name): column.name for column in SHEETS[sheet].every_column}
    known = names.get(canonical(name))
    if known is None:
        raise _Refusal(where, f"{sheet} has no column {name}", _hint(name, names))
    return SHEETS[sheet].column(known)


def _where(sheet: str, table: pd.DataFrame, condition: str) -> NDArray[np.bool_]:
    """Return the mask of the rows that meet ``column=value; column=value``."""
    mask = np.ones(len(table), dtype=bool)
    for part in str(condition).split(";"):
        if not part.strip():
            continue
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if not equals:
            raise _Refusal(
                "where", "a condition is written column=value", "Separate conditions by semicolons."
            )
        column = _column(sheet, name, "where")
        if column.name not in table:
            raise _Refusal("where", f"{name} cannot be a condition", "Name another column.")
        cells = table[column.name]
        if column.name == "key":
            value = {canonical(setting.name): setting.name for setting in SETTINGS}.get(
                canonical(value), value
            )
        wanted = _typed(value, column, "where")
        blank = isinstance(wanted, float) and np.isnan(wanted)
        mask &= (cells.isna() if blank else cells == wanted).to_numpy()
    return mask


def _setting(table: pd.DataFrame, column: Column, mask: NDArray[np.bool_]) -> Column:
    """Return the setting whose value is changed."""
    if column.name != "value" or mask.sum() != 1:
        raise _Refusal(
            "where", "a change of settings names one key", "Write key=NAME here and value as column."
        )
    key = table["key"].to_numpy()[mask][0]
    return next(setting for setting in SETTINGS if setting.name == key)


def _typed(value: object, column: Column, where: str) -> Any:
    """Return a value as the column holds it: float, bool or text."""
    cells = Cells(as_objects([value]))
    typed, bad = convert_cells(cells, column)
    if bad[0]:
        raise _Refusal(where, f"{column.name} holds {column.rule}", "Write such a value.")
    if column.kind == "yes-no":
        return bool(typed[0] == "yes")
    return typed[0]


def _new_values(
    cells: pd.Series[Any], column: Column, mask: NDArray[np.bool_], change: dict[str, Any]
) -> pd.Series[Any]:
    value = _typed(change["value"], column, "value")
    new = cells.copy()
    if change["operation"] == "set":
        new[mask] = value
    elif not column.numeric:
        raise _Refusal("operation", f"{column.name} is no number", "Use set.")
    else:
        old = cells[mask].astype(float)
        if old.isna().any():
            raise _Refusal(
                "column", f"{column.name} is blank without default in a row that matches", "Use set."
            )
        with np.errstate(over="ignore"):
            new[mask] = old * value if change["operation"] == "multiply" else old + value
    if column.numeric and not _allowed(new[mask].to_numpy(dtype=float), column):
        rule = f"after the change {column.name} is not {column.rule}"
        raise _Refusal("value", rule, "Write another value.")
    return new


def _allowed(number: NDArray[np.float64], column: Column) -> bool:
    whole = column.kind != "integer" or bool((number == np.round(number)).all())
    return whole and bool(np.isfinite(number).all()) and not out_of_bounds(number, column).any()


def _exclude(
    result: Changed, name: str, column: Column, mask: NDArray[np.bool_], change: dict[str, Any]
) -> None:
    """Leave rows out of the case (status set to exclude)."""
    if column.name == "notes":
        return
    if change["operation"] != "set":
        raise _Refusal("operation", "status is no number", "Use set.")
    if _typed(change["value"], column, "value") == "include":
        return
    result.tables[name] = result.tables[name][~mask].reset_index(drop=True)
    given = result.given[name]
    kept = ~mask[: len(given)]
    result.given[name] = given[kept].reset_index(drop=True)
    if name in result.origins and len(result.origins[name].rows) == len(kept):
        result.origins[name] = result.origins[name].keep(kept)
