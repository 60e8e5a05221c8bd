"""What is wrong with a case, or odd about it: one `Finding` each, all of them together in `Findings`."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, fields, replace
from typing import Literal

import pandas as pd

__all__ = ["MOST_OF_A_KIND", "Finding", "Findings"]

MOST_OF_A_KIND = 1000
"""Cells of one column that break one rule, told one by one; of more the number is told."""
_SHOWN_OF_A_KIND = 20


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding: where it is, which rule it breaks and how to mend it.

    Parameters
    ----------
    level
        An error stops, a warning does not.
    sheet
        Sheet of the case file; empty if the finding concerns the whole file.
    cell
        Address in the sheet, as `C7`; empty if there is no such cell (a missing column, say).
    row
        Row in the sheet, headers being row 1; 0 if there is none.
    column
        Column by its name in the contract (an unknown column by its own name).
    value
        What was found there, as text; signs that cannot be seen as their codes.
    rule
        The rule that is broken.
    mend
        What to do about it.
    """

    level: Literal["error", "warning"]
    sheet: str
    cell: str
    row: int
    column: str
    value: str
    rule: str
    mend: str

    def others(self, count: int) -> Finding:
        """Return the finding that tells how many more cells of the column break the same rule."""
        rule = f"{count:,} more cells break this rule: {self.rule}"
        return replace(self, cell="", row=0, value="", rule=rule)

    @property
    def where(self) -> str:
        """Sheet and cell as in a formula, `lanes!C7`."""
        return f"{self.sheet}!{self.cell}" if self.sheet and self.cell else self.sheet or self.cell

    def __str__(self) -> str:
        what = self.column
        if self.value:
            what += f" = '{self.value}'" if what else f"'{self.value}'"
        head = " ".join(part for part in (self.level, self.where, what) if part)
        return f"{head}: {self.rule}. {self.mend}"


class Findings(list[Finding]):
    """Findings in the order of their discovery."""

    @property
    def errors(self) -> Findings:
        """Those that stop."""
        return Findings(finding for finding in self if finding.level == "error")

    @property
    def warnings(self) -> Findings:
        """Those that do not."""
        return Findings(finding for finding in self if finding.level == "warning")

    def to_frame(self) -> pd.DataFrame:
        """Return one row per finding, with the fields of `Finding` as columns."""
        names = [field.name for field in fields(Finding)]
        return pd.DataFrame({name: [getattr(finding, name) for finding in self] for name in names})

    def __str__(self) -> str:
        seen: Counter[tuple[str, str, str, str]] = Counter()
        lines = []
        for finding in sorted(self, key=lambda finding: finding.level):
            kind = (finding.level, finding.sheet, finding.column, finding.rule)
            seen[kind] += 1
            if seen[kind] <= _SHOWN_OF_A_KIND:
                lines.append(str(finding))
        for (level, sheet, column, _), count in seen.items():
            if count > _SHOWN_OF_A_KIND:
                lines.append(f"{level} {sheet} {column}: {count - _SHOWN_OF_A_KIND} more of this kind")
        return "\n".join(lines)
