"""Cells of a workbook that seem to hold a value: errors, formulas never calculated, merged cells."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from scopt.casefile.cells import shown
from scopt.casefile.places import column_letters, column_number
from scopt.findings import MOST_OF_A_KIND, Finding

if TYPE_CHECKING:
    from scopt.casefile.places import Flaw, Merge
    from scopt.casefile.read import RawCase, RawSheet
    from scopt.casefile.sheet_scan import Scan

__all__ = ["note_flaws"]


def note_flaws(case: RawCase, raw: RawSheet, scan: Scan) -> None:
    """Report what the scan of a sheet has found, and mark the cells as neither blank nor a value."""
    names = {letter: name for name, letter in raw.letters.items() if name != "notes"}
    told: Counter[tuple[str, str]] = Counter()
    last: dict[tuple[str, str], Finding] = {}
    findings = [_of_flaw(raw, flaw, names) for flaw in scan.flaws]
    for merge in scan.merges:
        findings += _of_merge(raw, merge, names)
    for finding in findings:
        if finding is not None:
            kind = (finding.column, finding.rule)
            told[kind] += 1
            if told[kind] <= MOST_OF_A_KIND:
                last[kind] = finding
                case.findings.append(finding)
    for kind, count in told.items():
        if count > MOST_OF_A_KIND:
            case.findings.append(last[kind].others(count - MOST_OF_A_KIND))


def _of_flaw(raw: RawSheet, flaw: Flaw, names: dict[str, str]) -> Finding | None:
    column = names.get(column_letters(flaw.column), "")
    if flaw.row == 1 or (flaw.row and not column):
        return None  # an unknown column has its warning
    if flaw.value:
        rule, mend = "an error value is no value", "Mend the formula or write the value."
    else:
        rule = "the formula has no stored value"
        mend = "Open the file in Excel and save it, or write the value in place of the formula."
    cell = f"{column_letters(flaw.column)}{flaw.row}" if flaw.row else ""
    if column:
        raw.mark(column, flaw.row, flaw.row)
    return Finding("error", raw.name, cell, flaw.row, column, shown(flaw.value), rule, mend)


def _of_merge(raw: RawSheet, merge: Merge, names: dict[str, str]) -> list[Finding]:
    rule = "merged cells hold one value for the first cell only"
    mend = "Unmerge the cells and write the value in each."
    if not (merge.top and merge.bottom):
        return [Finding("error", raw.name, "", 0, "", "", rule, mend)]  # damaged: it does not say which
    findings = []
    for letter, column in names.items():
        number, top = column_number(letter), max(merge.top, 2)
        if not merge.left <= number <= merge.right or merge.bottom < top:
            continue
        value = f"{letter}{top}:{letter}{merge.bottom}" if merge.bottom > top else f"{letter}{top}"
        findings.append(Finding("error", raw.name, f"{letter}{top}", top, column, value, rule, mend))
        first = (merge.top, merge.left) == (top, number)
        raw.mark(column, top + first, merge.bottom)
    return findings
