"""scopt: supply chain redesign with mixed-integer models.

>>> import scopt
>>> result = scopt.solve(scopt.read_case("cases/small.xlsx"))  # doctest: +SKIP
"""

from importlib.metadata import version

from scopt.case import Case, Strategy, read_case
from scopt.compare import Comparison, compare
from scopt.errors import CaseError, InternalError, NoDesignError, ScoptError, SolverError, UsageError
from scopt.progress import Event
from scopt.result import Result
from scopt.solve import build, solve

__all__ = [
    "Case", "CaseError", "Comparison", "Event", "InternalError", "NoDesignError", "Result", "ScoptError",
    "SolverError", "Strategy", "UsageError", "build", "compare", "read_case", "solve",
]  # fmt: skip
__version__ = version("scopt")
