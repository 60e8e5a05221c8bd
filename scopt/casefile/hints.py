"""The known name that an unknown one is most like, found only where that takes no noticeable time."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from scopt.casefile.columns import canonical

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Hints", "nearest"]

_LONGEST = 100  # characters; nobody misspells more
_LOOKED_UP = 50  # so many different unknown names are looked up
_COMPARED = 500_000  # and so many comparisons made


def nearest(name: str, known: Iterable[str]) -> str:
    """Return a sentence with the known name that is most like this one; empty if none is."""
    spelled = {canonical(word): word for word in known}
    match = difflib.get_close_matches(canonical(name[:_LONGEST]), spelled, n=1, cutoff=0.6)
    return f"Did you mean {spelled[match[0]]}?" if match else ""


class Hints:
    """Sentences of `nearest` for many unknown names, each looked up once, and what to say without one.

    Parameters
    ----------
    known
        The known names.
    """

    def __init__(self, known: Iterable[str]) -> None:
        self._known = list(known)
        self._left = min(_LOOKED_UP, _COMPARED // max(len(self._known), 1))
        self._found: dict[str, str] = {}

    def __call__(self, name: str, else_: str = "") -> str:
        """Return the sentence; `else_` where no known name is like it, or too many were asked for."""
        if name not in self._found and self._left:
            self._left -= 1
            self._found[name] = nearest(name, self._known)
        return self._found.get(name) or else_
