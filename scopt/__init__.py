"""scopt: supply chain redesign with mixed-integer models.

>>> import scopt
>>> result = scopt.solve(scopt.read_case("cases/small.xlsx"))  # doctest: +SKIP
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from scopt.case import Case, Strategy, read_case
    from scopt.comparison import Comparison, compare
    from scopt.curves import Sweep, front, sweep
    from scopt.errors import CaseError, InternalError, NoDesignError, ScoptError, SolverError, UsageError
    from scopt.progress import Event
    from scopt.questions.alternatives import Alternatives, alternatives
    from scopt.questions.explain import why
    from scopt.questions.explanation import Explanation
    from scopt.questions.tieout import TieOut, tie_out
    from scopt.result import Result
    from scopt.solving import build, solve

__all__ = [
    "Alternatives", "Case", "CaseError", "Comparison", "Event", "Explanation", "InternalError",
    "NoDesignError", "Result", "ScoptError", "SolverError", "Strategy", "Sweep", "TieOut", "UsageError",
    "alternatives", "build", "compare", "front", "read_case", "solve", "sweep", "tie_out", "why",
]  # fmt: skip

_HOMES = {
    "case": ("Case", "Strategy", "read_case"),
    "comparison": ("Comparison", "compare"),
    "curves": ("Sweep", "front", "sweep"),
    "errors": ("CaseError", "InternalError", "NoDesignError", "ScoptError", "SolverError", "UsageError"),
    "progress": ("Event",),
    "questions.alternatives": ("Alternatives", "alternatives"),
    "questions.explain": ("why",),
    "questions.explanation": ("Explanation",),
    "questions.tieout": ("TieOut", "tie_out"),
    "result": ("Result",),
    "solving": ("build", "solve"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for, so that the command line answers at once."""
    if name == "__version__":
        from importlib.metadata import version

        value: Any = version("scopt")
    elif name in _HOME_OF:
        value = getattr(import_module(f"scopt.{_HOME_OF[name]}"), name)
    else:
        raise AttributeError(f"module 'scopt' has no attribute {name!r}")
    globals()[name] = value
    return value
