"""The case: validated tables, settings and lanes; and `read_case`, the way in.

A `Case` is read-only. A what-if is a new case: ``case.replace(demand=...)``, ``case.for_strategy(name)``.
"""

from __future__ import annotations

import dataclasses
import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from scopt.casefile.changes import Changed, apply_changes
from scopt.casefile.defaults import Settings, as_given
from scopt.casefile.frames import records
from scopt.casefile.hints import nearest
from scopt.casefile.read import read_frames, read_path
from scopt.casefile.schema import SHEETS
from scopt.casefile.validate import Validated, examine, validate
from scopt.errors import CaseError, UsageError
from scopt.findings import Findings

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from scopt.casefile.context import Origin

__all__ = ["LEVERS", "ORDER", "Case", "Decided", "Settings", "Strategy", "digest_of", "read_case"]

_MOST_TRIED = SHEETS["strategies"].most + 2  # of more names of strategies, some are unknown
LEVERS = ("remove", "add", "direct", "outsource", "restock", "o2o", "share")

ORDER = {
    "remove": "only closing of sites that exist",
    "add": "only opening of own sites",
    "direct": "only new own lanes between today's ends",
    "outsource": "only sites and lanes of operators",
    "restock": "only moving of stock points",
    "o2o": "only joining and separating of pools",
}
"""Levers that have an effect, in the order in which they are decided one after another; each alone is a
strategy `only_<lever>` of a case that has none of its own."""


@dataclass(frozen=True, kw_only=True)
class Decided:
    """Decisions that were taken before and stay, while other levers may move.

    Parameters
    ----------
    levers
        Levers whose decisions these are; the other fields count only for them.
    open_sites
        Sites that are open.
    lanes
        Lanes in use, as rows of `Case.lanes`.
    stock_points
        Stocked (site, product).
    joined
        Sites that join their pools.
    """

    levers: frozenset[str]
    open_sites: frozenset[str] = frozenset()
    lanes: frozenset[int] = frozenset()
    stock_points: frozenset[tuple[str, str]] = frozenset()
    joined: frozenset[str] = frozenset()

    @classmethod
    def of(cls, tables: Mapping[str, pd.DataFrame], levers: Iterable[str]) -> Decided:
        """Take what levers decided off the tables of a design."""
        sites, stock = tables["sites"], tables["stock"]
        return cls(
            levers=frozenset(levers),
            open_sites=frozenset(sites.loc[sites["after"] == "open", "site"]),
            lanes=frozenset(tables["flows"]["lane"].astype(int).tolist()),
            stock_points=frozenset(zip(stock["site"], stock["product"], strict=True)),
            joined=frozenset(sites.loc[sites["joined"].astype(bool), "site"]),
        )


@dataclass(frozen=True, kw_only=True)
class Strategy:
    """Which levers may move.

    ``measured`` marks the as-is strategy, which is today's chain; ``decided`` holds what levers that are on
    have decided before and may not change any more.
    """

    name: str
    description: str = ""
    remove: bool = True
    add: bool = True
    direct: bool = True
    outsource: bool = True
    restock: bool = True
    o2o: bool = True
    share: bool = True
    against: str = "as_is"
    measured: bool = False
    decided: Decided | None = None


def each_lever_alone() -> dict[str, Strategy]:
    """Return the strategies in which a single lever may move, by name."""
    off: dict[str, Any] = dict.fromkeys(LEVERS, False)
    return {
        f"only_{lever}": Strategy(name=f"only_{lever}", description=told, **(off | {lever: True}))
        for lever, told in ORDER.items()
    }


class _Table:
    """A sheet of a case as an attribute: ``case.sites`` is ``case.tables["sites"]``."""

    def __set_name__(self, owner: type[Case], name: str) -> None:
        self.name = name

    def __get__(self, case: Case, owner: type[Case]) -> pd.DataFrame:
        return case.tables[self.name]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Case:
    """A redesign case that has been checked and can be solved.

    Attributes
    ----------
    tables
        Every sheet of the contract under its name, present or empty: contract columns, typed, defaults
        filled in, excluded rows gone. Numbers are float with NaN for "none", yes/no is bool, the rest text
        with an empty text for blank. Each but `settings`, `lanes` and `strategies` is an attribute as well
        (``case.sites``).
    settings
        One typed value per settings key.
    lanes
        The explicit lanes and those made from lane rules, with three columns more: ``unit_cost_per_tonne``
        (currency/tonne) and ``co2_per_tonne`` (kg/tonne), to be multiplied by the product's weight, and
        ``rule`` (0 for an explicit lane, else the row of the rule, counted from 1).
    warnings
        Findings that do not stop.
    source
        Name of the file, the folder or what the case was made of.
    digest
        SHA-256 of the tables, in hexadecimal.
    """

    tables: Mapping[str, pd.DataFrame]
    settings: Settings
    lanes: pd.DataFrame
    warnings: Findings
    source: str
    digest: str
    _validated: Validated = field()

    products = _Table()
    sites = _Table()
    site_products = _Table()
    supply = _Table()
    markets = _Table()
    channels = _Table()
    demand = _Table()
    lane_rules = _Table()
    operators = _Table()
    rates = _Table()
    limits = _Table()
    changes = _Table()
    scenarios = _Table()
    scenario_demand = _Table()
    actuals = _Table()

    @classmethod
    def from_frames(cls, frames: Mapping[str, Any], source: str = "frames") -> Case:
        """Make a case of DataFrames with the contract's columns, one per sheet.

        Parameters
        ----------
        frames
            Sheet name to DataFrame (or to anything that a DataFrame can be made of, as a list of dicts).
            Row ``i`` of a frame is reported as row ``i + 2``, as it would stand in a workbook.
        source
            Name of the case in reports.

        Raises
        ------
        CaseError
            With all findings, if any of them is an error.
        """
        return _build(validate(read_frames(frames, source)), source)

    def replace(self, **tables: Any) -> Case:
        """Return a case with other sheets in place of the named ones, validated again.

        Raises
        ------
        UsageError
            If there is no such sheet.
        CaseError
            With all findings, if any of them is an error.
        """
        for name in tables:
            if name not in SHEETS:
                raise UsageError(f"no sheet is called {name}. {nearest(name, SHEETS)}".strip())
        raw = read_frames(tables, self.source)
        return _build(validate(raw, kept=self._validated), self.source)

    @property
    def given(self) -> Mapping[str, pd.DataFrame]:
        """Every sheet as it was written: typed, blank where a cell was blank (NaN or empty text)."""
        return MappingProxyType(dict(self._validated.given))

    @property
    def strategies(self) -> dict[str, Strategy]:
        """The strategies by name.

        `as_is` (all levers no) and `integrated` (all yes) are always there; a case that has none of its own
        also has each lever alone, as `only_remove` and so on.
        """
        rows = {row["strategy"]: row for row in records(self.tables["strategies"])}
        found = {}
        found_always = {"as_is", "integrated"}
        for name in ("as_is", "integrated", *rows):
            row = rows.get(name, {})
            fixed = name in found_always
            levers: dict[str, Any] = {
                lever: name != "as_is" if fixed else bool(row[lever]) for lever in LEVERS
            }
            found[name] = Strategy(
                name=name,
                description=row.get("description", ""),
                against=row.get("against", "as_is"),
                measured=name == "as_is",
                **levers,
            )
        return found if rows.keys() - found_always else found | each_lever_alone()

    def for_strategy(self, name: str) -> Case:
        """Return the case with the changes of a strategy applied; the case itself where it has none.

        The changed case is validated again and its lanes are made again from the rules; its own sheet
        `changes` is empty.

        Raises
        ------
        UsageError
            If there is no such strategy.
        CaseError
            If the changed case has errors.
        """
        if name not in self.strategies:
            hint = nearest(name, self.strategies) or "Known: " + ", ".join(self.strategies) + "."
            raise UsageError(f"no strategy is called {name}. {hint}")
        if not (self.changes["strategy"] == name).any():
            return self
        changed, lanes, new = _try_changes(self._validated, name, self.source)
        if new.errors:
            raise CaseError(new)
        return _changed_case(self, changed, lanes, new)

    def __reduce__(self) -> tuple[Any, ...]:
        return _case, (self._validated, self.source, self.warnings)

    def __repr__(self) -> str:
        sizes = ", ".join(f"{len(table)} {name}" for name, table in self.tables.items() if len(table))
        return f"Case({self.source!r}: {sizes})"


def read_case(path: str | Path) -> Case:
    """Read a case from an xlsx workbook or a folder of CSV files.

    Raises
    ------
    CaseError
        With all findings of the file, if any of them is an error.
    """
    path = Path(path)
    raw = read_path(path)
    return _build(validate(raw), raw.source)


def _build(validated: Validated, source: str) -> Case:
    """Return the case after trying the changes of every strategy; CaseError with all findings."""
    findings = Findings(validated.findings)
    sound = not findings.errors
    for name in list(dict.fromkeys(validated.tables["changes"]["strategy"]))[:_MOST_TRIED]:
        if name:
            findings += _try_changes(validated, name, source, apply_only=not sound)[2]
    if findings.errors:
        raise CaseError(findings)
    return _case(validated, source, findings)


def _case(validated: Validated, source: str, warnings: Findings) -> Case:
    return Case(
        tables=MappingProxyType(dict(validated.tables)),
        settings=validated.settings,
        lanes=validated.lanes,
        warnings=warnings,
        source=source,
        digest=digest_of(validated.tables),
        _validated=validated,
    )


def _try_changes(
    base: Validated, name: str, source: str, *, apply_only: bool = False
) -> tuple[Changed, pd.DataFrame, Findings]:
    """Return the changed case, its lanes and the findings that the baseline does not have."""
    changed = apply_changes(base.given, base.tables, base.origins, name, source)
    if apply_only:
        return changed, base.lanes, changed.findings
    lanes, found = examine(changed.given, changed.tables, changed.settings, changed.origins)
    before = set(base.findings)
    new = [finding for finding in found if finding not in before]
    with_name = [dataclasses.replace(one, rule=f"with the changes of {name}: {one.rule}") for one in new]
    return changed, lanes, Findings(changed.findings + with_name)


def _changed_case(case: Case, changed: Changed, lanes: pd.DataFrame, new: Findings) -> Case:
    tables: dict[str, pd.DataFrame] = dict(changed.tables)
    origins: dict[str, Origin] = dict(changed.origins)
    tables["changes"] = tables["changes"].iloc[:0]
    origins["changes"] = origins["changes"].keep(np.zeros(len(origins["changes"].rows), dtype=bool))
    before = set(case.warnings)
    warnings = Findings(case.warnings + [finding for finding in new if finding not in before])
    # What was written no longer counts: from here on the changed tables are what is given.
    validated = Validated(as_given(tables), tables, changed.settings, lanes, origins, warnings, Findings())
    return _case(validated, case.source, warnings)


def digest_of(tables: Mapping[str, pd.DataFrame]) -> str:
    """Return the SHA-256 of the content of the tables; the same on every machine."""
    digest = hashlib.sha256()
    for name, table in tables.items():
        if name == "settings":  # a case is the same under another name
            table = table[table["key"] != "name"]
        for column in table.columns if len(table) else ():
            cells = table[column]
            digest.update(f"\x1d{name}\x1e{column}\x1e{len(cells)}\x1e".encode())
            if cells.dtype.kind == "f":
                digest.update((cells.to_numpy() + 0.0).astype("<f8").tobytes())
            else:
                # Ids repeat: each distinct text is hashed once, then which row holds which.
                codes, distinct = pd.factorize(cells.astype(object).to_numpy())
                digest.update("\x1f".join(map(str, distinct)).encode())
                digest.update(codes.astype("<i8").tobytes())
    return digest.hexdigest()
