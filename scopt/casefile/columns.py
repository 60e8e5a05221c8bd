"""What one column and one sheet of the case file are; the table of all of them is `scopt.casefile.schema`."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Final, Literal

__all__ = ["Column", "Kind", "Sheet", "canonical"]

Kind = Literal["id", "text", "number", "integer", "yes-no", "choice", "any"]


def canonical(name: object) -> str:
    """Return a name without case, spaces and underscores: the form in which names are compared."""
    return re.sub(r"[\s_]+", "", str(name)).casefold()


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of a sheet, or one key of the settings.

    ``default`` fills a blank cell; ``inherits`` says in words where a default comes from that is not a
    constant. ``low`` and ``high`` bound a number, themselves included unless ``open_low`` or ``open_high``.
    ``refers`` names the sheets whose ids the column may hold. A ``later`` column is read and validated,
    and nothing uses it yet. A ``long`` one holds text of several lines, as long as a cell takes.
    """

    name: str
    kind: Kind
    meaning: str
    unit: str = ""
    default: str | float | bool | None = None
    inherits: str = ""
    low: float = -math.inf
    high: float = math.inf
    open_low: bool = False
    open_high: bool = False
    choices: tuple[str, ...] = ()
    required: bool = False
    key: bool = False
    refers: tuple[str, ...] = ()
    later: bool = False
    long: bool = False

    @property
    def numeric(self) -> bool:
        """Whether the column holds numbers."""
        return self.kind in ("number", "integer")

    @property
    def rule(self) -> str:
        """What a cell of the column may hold, in words."""
        if self.kind == "choice":
            return "one of " + ", ".join(self.choices)
        if self.kind == "yes-no":
            return "yes or no"
        if self.refers:
            return "an id of " + " or ".join(self.refers)
        if not self.numeric:
            return {"id": "an id", "text": "text", "any": "a number or text"}[self.kind]
        noun = "a whole number" if self.kind == "integer" else "a number"
        return f"{noun}{self.bounds}"

    @property
    def bounds(self) -> str:
        """The bounds of a number in words, with a leading space; empty where there are none."""
        low = "" if math.isinf(self.low) else f"{'above' if self.open_low else 'at least'} {self.low:g}"
        high = "" if math.isinf(self.high) else f"{'below' if self.open_high else 'at most'} {self.high:g}"
        return "".join(f" {part}" for part in (low, "and" if low and high else "", high) if part)

    @property
    def default_text(self) -> str:
        """The default as the reference page and the template show it."""
        if self.inherits:
            return self.inherits
        if isinstance(self.default, bool):
            return "yes" if self.default else "no"
        return "" if self.default is None else str(self.default)


STATUS: Final = Column(
    name="status",
    kind="choice",
    choices=("include", "exclude"),
    default="include",
    meaning="A row set to exclude is left out of the case.",
)
NOTES: Final = Column(name="notes", kind="text", meaning="Free text that nothing reads.")


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet of the case file; ``most`` rows are read where each row costs time, 0 for any number."""

    name: str
    meaning: str
    columns: tuple[Column, ...]
    required: bool = False
    later: bool = False
    most: int = 0

    @property
    def key(self) -> tuple[str, ...]:
        """Columns whose values together may occur once."""
        return tuple(column.name for column in self.columns if column.key)

    @property
    def own_status(self) -> bool:
        """Whether `status` has a meaning of its own here (elsewhere: include or exclude the row)."""
        return any(column.name == "status" for column in self.columns)

    @property
    def every_column(self) -> tuple[Column, ...]:
        """The sheet's columns and the ones that every sheet may have."""
        return self.columns + ((NOTES,) if self.own_status else (STATUS, NOTES))

    def column(self, name: str) -> Column:
        """Return the column of this name; KeyError if there is none."""
        for column in self.every_column:
            if column.name == name:
                return column
        raise KeyError(name)
