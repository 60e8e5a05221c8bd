"""What a check sees: the whole case, and how to name a cell of it in a finding."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from scopt.casefile.cells import shown
from scopt.findings import MOST_OF_A_KIND, Finding, Findings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pandas as pd
    from numpy.typing import ArrayLike, NDArray

    from scopt.casefile.defaults import Settings

__all__ = ["Context", "Origin"]


@dataclass(frozen=True)
class Origin:
    """Where the rows of a typed table stand in the file.

    ``rows`` holds the Excel row of each, 0 for a row that the file does not have, shape (rows,);
    ``letters`` the Excel column of each column that the file has.
    """

    rows: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    letters: Mapping[str, str] = field(default_factory=dict)

    def keep(self, mask: NDArray[np.bool_]) -> Origin:
        """Return the origin of the rows in the mask, shape (rows,)."""
        return Origin(self.rows[mask], self.letters)

    def place(self, position: int, column: str) -> tuple[str, int]:
        """Return cell address and Excel row of a cell by its position in the table."""
        row = int(self.rows[position]) if position < len(self.rows) else 0
        letter = self.letters.get(column, "")
        return (f"{letter}{row}" if row and letter else "", row)


@dataclass
class Context:
    """The case as the checks see it.

    ``given`` holds the typed sheets as written, ``tables`` the same with defaults, ``lanes`` the explicit
    lanes and those made from rules. Rows of ``given`` and ``tables`` correspond, except that ``tables`` may
    have more channels at the end. A cell in ``settled`` (sheet and address) has its finding already and
    gets no other; an empty address stands for the sheet as a whole.
    """

    given: Mapping[str, pd.DataFrame]
    tables: Mapping[str, pd.DataFrame]
    settings: Settings
    origins: Mapping[str, Origin]
    findings: Findings = field(default_factory=Findings)
    lanes: pd.DataFrame | None = None
    settled: frozenset[tuple[str, str]] = frozenset()

    def report(
        self,
        sheet: str,
        offenders: ArrayLike,
        column: str,
        rule: str,
        mend: str | Callable[[int], str],
        level: Literal["error", "warning"] = "error",
    ) -> None:
        """Note one finding per offending row.

        Parameters
        ----------
        offenders
            Mask of the rows of the sheet's table, shape (rows,), or their positions.
        mend
            How to mend it, or a function that tells so for the position of an offender.
        """
        given = np.asarray(offenders)
        positions = np.flatnonzero(given) if given.dtype == bool else given
        # The settings of the tables list every key; their positions are those of the sheet as written.
        table = (self.given if sheet == "settings" else self.tables)[sheet]
        values = table[column].to_numpy() if column in table else None
        origin = self.origins.get(sheet, Origin())
        told: list[Finding] = []
        for at, position in enumerate(positions.astype(int).tolist()):
            if len(told) == MOST_OF_A_KIND:
                told.append(told[-1].others(len(positions) - at))
                break
            value = "" if values is None else values[position]
            cell, row = origin.place(position, column)
            if cell and (sheet, cell) in self.settled:
                continue
            advice = mend if isinstance(mend, str) else mend(position)
            text = "" if isinstance(value, float) and np.isnan(value) else shown(value)
            told.append(Finding(level, sheet, cell, row, column, text, rule, advice))
        self.findings += told

    def report_sheet(
        self, sheet: str, rule: str, mend: str, level: Literal["error", "warning"] = "error", **where: Any
    ) -> None:
        """Note a finding that concerns a sheet as a whole."""
        if (sheet, "") in self.settled and not where:
            return
        place: dict[str, Any] = {"cell": "", "row": 0, "column": "", "value": ""} | where
        self.findings.append(Finding(level=level, sheet=sheet, rule=rule, mend=mend, **place))
