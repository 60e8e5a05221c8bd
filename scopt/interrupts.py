"""Interrupt and termination signals: the first asks for the best there is, a second one ends at once.

Signals belong to the process, so what is known of them is kept here once. Blocks that hold them may lie in
one another: a signal that came while a model was built still stops the search that follows.
"""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["LOOSE", "asked", "held", "raised", "whole"]

LOOSE = "scopt-loose"
"""Name of threads that nobody waits for after a second signal."""

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class _Held:
    """How many blocks hold signals, whether one came, whom it stops, and what waits for a step to end."""

    blocks = 0
    asked = False
    whole = False
    late = False
    stops: list[Callable[[], None]] = []  # noqa: RUF012


def asked() -> bool:
    """Whether a signal came that is held back: begin nothing more."""
    return _Held.asked


@contextmanager
def held(stop: Callable[[], None] | None = None) -> Iterator[None]:
    """Hold back the first interrupt or termination signal; a second one raises KeyboardInterrupt.

    Outside the main thread, where signals never arrive, nothing is held.

    Parameters
    ----------
    stop
        Called when the first signal comes, and at once where it came before; it should return at once.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    with _counted():
        if stop is not None:
            _Held.stops.append(stop)
            if _Held.asked:
                stop()
        try:
            yield
        finally:
            if stop is not None:
                _Held.stops.remove(stop)


@contextmanager
def raised() -> Iterator[None]:
    """Let a termination signal raise KeyboardInterrupt, as an interrupt does, where it is not held."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    with _handled(_raise, (signal.SIGTERM,)):
        yield


@contextmanager
def whole() -> Iterator[None]:
    """Do a short step whole: KeyboardInterrupt, where signals are held or raised here, waits for its end."""
    if threading.current_thread() is not threading.main_thread() or _Held.whole:
        yield
        return
    _Held.whole = True
    try:
        yield
    finally:
        late, _Held.whole, _Held.late = _Held.late, False, False
        if late:
            raise KeyboardInterrupt


@contextmanager
def _counted() -> Iterator[None]:
    _Held.blocks += 1
    try:
        if _Held.blocks > 1:
            yield
            return
        with _handled(_hold, _SIGNALS):
            yield
    finally:
        _Held.blocks -= 1
        if not _Held.blocks:
            _Held.asked = False


@contextmanager
def _handled(handler: Callable[[int, object], None], numbers: tuple[signal.Signals, ...]) -> Iterator[None]:
    before = {number: signal.signal(number, handler) for number in numbers}
    try:
        yield
    finally:
        for number, earlier in before.items():
            signal.signal(number, signal.SIG_DFL if earlier is None else earlier)


def _hold(number: int, frame: object) -> None:
    if _Held.asked:
        _raise(number, frame)
        return
    _Held.asked = True
    for stop in list(_Held.stops):
        stop()


def _raise(number: int, frame: object) -> None:
    if not _Held.whole:
        raise KeyboardInterrupt
    _Held.late = True
