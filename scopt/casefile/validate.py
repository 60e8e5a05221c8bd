"""Raw sheets to a typed case, with every finding at once.

The order: cells to types and bounds, defaults, lanes from rules, then the named checks, which see the
whole case. A cell that does not fit its column is reported once and treated as blank from there on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scopt.casefile.checks import CHECKS
from scopt.casefile.context import Context, Origin
from scopt.casefile.convert import type_sheet
from scopt.casefile.defaults import Settings, empty_table, resolve, settings_of
from scopt.casefile.lanes import all_lanes
from scopt.casefile.schema import SHEETS
from scopt.findings import Finding, Findings

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from scopt.casefile.read import RawCase

__all__ = ["Validated", "examine", "validate"]


@dataclass(frozen=True)
class Validated:
    """A case as validation leaves it; usable only if ``findings`` has no errors.

    ``given`` holds the sheets as written (blank where blank), ``tables`` the same with defaults;
    ``reading`` is the part of the findings that reading the sheets one by one has shown.
    """

    given: Mapping[str, pd.DataFrame]
    tables: Mapping[str, pd.DataFrame]
    settings: Settings
    lanes: pd.DataFrame
    origins: Mapping[str, Origin]
    findings: Findings
    reading: Findings


def validate(raw: RawCase, kept: Validated | None = None) -> Validated:
    """Return the typed case and all of its findings.

    ``kept`` is a case whose sheets stand in for those that the raw case does not have.
    """
    findings = Findings(raw.findings)
    if kept is not None:
        findings += [finding for finding in kept.reading if finding.sheet not in raw.sheets]
    given: dict[str, pd.DataFrame] = {}
    origins: dict[str, Origin] = {}
    for name, sheet in SHEETS.items():
        rule, mend = "", ""
        if name in raw.sheets:
            given[name], origins[name] = type_sheet(raw.sheets[name], sheet, findings)
            if not len(given[name]):
                rule, mend = "the sheet has no rows", "Give at least one."
        elif kept is not None:
            given[name], origins[name] = kept.given[name], kept.origins[name]
        else:
            given[name], origins[name] = empty_table(name), Origin()
            rule, mend = "the sheet is missing", "Add it."
        broken = any(finding.sheet == name and finding.level == "error" for finding in raw.findings)
        if sheet.required and rule and not broken:
            findings.append(Finding("error", name, "", 0, "", "", rule, mend))
    settings = settings_of(given["settings"], raw.source)
    tables = resolve(given, settings)
    settled = frozenset((finding.sheet, finding.cell) for finding in findings.errors)
    lanes, more = examine(given, tables, settings, origins, settled)
    return Validated(given, tables, settings, lanes, origins, Findings(findings + more), findings)


def examine(
    given: Mapping[str, pd.DataFrame],
    tables: Mapping[str, pd.DataFrame],
    settings: Settings,
    origins: Mapping[str, Origin],
    settled: frozenset[tuple[str, str]] = frozenset(),
) -> tuple[pd.DataFrame, Findings]:
    """Return all lanes and the findings of a typed case as a whole.

    ``settled`` names the cells (sheet and address) that have their finding already.
    """
    context = Context(given, tables, settings, origins, settled=settled)
    lanes = all_lanes(context)
    context.lanes = lanes
    for check in CHECKS:
        check(context)
    return lanes, context.findings
