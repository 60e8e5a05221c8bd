"""What the command line shows: findings, the progress of a solve, text."""

from __future__ import annotations

import sys
import time
from contextlib import AbstractContextManager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import typer
from rich.console import Console
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from scopt.report.text import amount, percent

if TYPE_CHECKING:
    from types import TracebackType

    from scopt.findings import Findings
    from scopt.progress import Event

__all__ = ["BatchDisplay", "ProgressDisplay", "messages_console", "show_findings", "show_text"]

_PHASES_SHOWN = 6
_PLAIN_EVERY = 5.0  # seconds between plain lines of one phase
_FINDINGS_SHOWN = 200
_MARKS = {"waiting": ("·", "dim"), "done": ("✓", "green"), "kept": ("✓", "dim"), "stopped": ("■", "yellow")}


class _Patient(Console):
    """A console that goes on where nobody reads it any more: a solve is not lost for that."""

    def on_broken_pipe(self) -> None:
        """Print nothing more."""
        self.quiet = True


def messages_console() -> Console:
    """Return a console on standard error; nothing it is given is read as markup."""
    return _Patient(stderr=True, highlight=False, markup=False, emoji=False)


def show_text(text: str) -> None:
    """Print text on standard output, its first line set off on a terminal."""
    if not sys.stdout.isatty():
        typer.echo(text)
        return
    body = Text(text)
    body.stylize("bold", 0, len(text.split("\n", 1)[0]))
    Console(highlight=False, soft_wrap=True).print(body)


def show_findings(findings: Findings, console: Console) -> None:
    """Show findings, errors first: a table on a terminal, elsewhere one line each."""
    errors, warnings = findings.errors, findings.warnings
    if console.is_terminal:
        table = Table("", "sheet", "cell", "value", "rule", "how to mend it", row_styles=["", "dim"])
        for finding in [*errors, *warnings][:_FINDINGS_SHOWN]:
            style = "red" if finding.level == "error" else "yellow"
            cells = (finding.sheet, finding.cell or finding.column, finding.value, finding.rule, finding.mend)
            table.add_row(Text(finding.level, style), *map(Text, cells))
        console.print(table)
        if len(findings) > _FINDINGS_SHOWN:
            console.print(f"… and {len(findings) - _FINDINGS_SHOWN} more; `scopt check --json` lists all")
    else:
        console.print(str(findings), soft_wrap=True)
    console.print(f"{_count(len(errors), 'error')}, {_count(len(warnings), 'warning')}")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


class ProgressDisplay(AbstractContextManager["ProgressDisplay"]):
    """Shows the events of a solve: live on a terminal, elsewhere as lines.

    Parameters
    ----------
    console
        Where they are shown.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._phases: dict[str, Event] = {}
        self._current: Event | None = None
        self._seen_at = time.monotonic()
        self._printed: tuple[str, float] = ("", 0.0)
        self._spinner = Spinner("dots", style="cyan")
        self._live = Live(self, console=console, refresh_per_second=8, transient=True)

    def __call__(self, event: Event) -> None:
        """Take one event."""
        self._phases[event.phase] = event
        self._current, self._seen_at = event, time.monotonic()
        if not self._console.is_terminal:
            self._print(event)

    def __enter__(self) -> ProgressDisplay:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._console.is_terminal:
            self._live.stop()

    def __rich__(self) -> Table:
        """Lay out the last phases; the clock of the current one runs between events."""
        table = Table(box=None, pad_edge=False, header_style="dim")
        table.add_column("")
        table.add_column("phase")
        for name in ("time", "cost", "bound", "gap"):
            table.add_column(name, justify="right")
        for event in list(self._phases.values())[-_PHASES_SHOWN:]:
            running = event is self._current
            seconds = event.seconds + (time.monotonic() - self._seen_at if running else 0.0)
            figures = (f"{seconds:.1f} s", amount(event.incumbent), amount(event.bound), percent(event.gap))
            mark = self._spinner if running else Text("✓", "green")
            table.add_row(mark, Text(event.phase), *figures, style="" if running else "dim")
        return table

    def _print(self, event: Event) -> None:
        phase, seconds = self._printed
        if event.phase == phase and event.seconds - seconds < _PLAIN_EVERY:
            return
        self._printed = (event.phase, event.seconds)
        self._line(event.phase, event)

    def _line(self, what: str, event: Event) -> None:
        parts = [f"{event.seconds:8.1f} s  {what}"]
        if event.incumbent is not None:
            parts.append(f"cost {amount(event.incumbent)}")
        if event.bound is not None:
            parts.append(f"bound {amount(event.bound)}")
        if event.gap is not None:
            parts.append(f"gap {percent(event.gap)}")
        with suppress(OSError):  # a full disk
            self._console.print("  ".join(parts), soft_wrap=True)


class BatchDisplay(ProgressDisplay):
    """Shows the strategies of a batch: a live table on a terminal, elsewhere lines."""

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        self._seen: dict[str, float] = {}
        self._told: dict[str, tuple[str, float]] = {}

    def __call__(self, event: Event) -> None:
        """Take one event."""
        known = self._phases.get(event.strategy)
        if known is not None and event.incumbent is None and event.bound is None:
            # What is known of a strategy stays on the screen while it does something else.
            event = replace(event, incumbent=known.incumbent, bound=known.bound, gap=known.gap)
        self._phases[event.strategy], self._seen[event.strategy] = event, time.monotonic()
        if not self._console.is_terminal and event.state != "waiting":
            self._print(event)

    def __rich__(self) -> Table:
        """Lay out one row per strategy, as many as the screen holds; those that run come first."""
        table = Table(box=None, pad_edge=False, header_style="dim")
        for name in ("", "strategy", "doing"):
            table.add_column(name)
        for name in ("time", "cost", "bound", "gap"):
            table.add_column(name, justify="right")
        rows = sorted(self._phases.values(), key=lambda event: event.state != "running")
        room = max(self._console.height - 4, 3)
        for event in rows[:room] if len(rows) > room else self._phases.values():
            running = event.state == "running"
            seconds = event.seconds + (time.monotonic() - self._seen[event.strategy] if running else 0.0)
            clock = "" if event.state == "waiting" else f"{seconds:.1f} s"
            figures = (clock, amount(event.incumbent), amount(event.bound), percent(event.gap))
            mark = self._spinner if running else Text(*_MARKS[event.state])
            doing = "kept from before" if event.state == "kept" else event.phase
            style = "" if running else "dim"
            table.add_row(mark, Text(event.strategy), Text(doing), *figures, style=style)
        if len(rows) > room:
            table.add_row("", Text(f"and {len(rows) - room} more", "dim"))
        return table

    def _print(self, event: Event) -> None:
        told, seconds = self._told.get(event.strategy, ("", 0.0))
        if event.state == "running" and told == "running" and event.seconds - seconds < _PLAIN_EVERY:
            return
        self._told[event.strategy] = (event.state, event.seconds)
        doing = {"kept": "kept from before", "running": event.phase}.get(event.state)
        self._line(f"{event.strategy}: {doing or f'{event.state}, {event.phase}'}", event)
