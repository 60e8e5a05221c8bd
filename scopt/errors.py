"""What scopt raises.

::

    ScoptError
    ├── CaseError            the case has findings; all of them are attached
    ├── UsageError           a request that makes no sense (unknown strategy, unwritable target)
    ├── NoDesignError        no design exists, or none was found in time
    ├── SolverError          the solver failed or is of a version that must not be used
    └── InternalError        this is our bug, not the user's
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scopt.findings import Findings

__all__ = ["CaseError", "InternalError", "NoDesignError", "ScoptError", "SolverError", "UsageError"]


class ScoptError(Exception):
    """Root of everything that scopt raises on purpose."""


class CaseError(ScoptError):
    """A case that cannot be built as it stands.

    Parameters
    ----------
    findings
        Every finding of the case, errors and warnings alike.
    """

    def __init__(self, findings: Findings) -> None:
        super().__init__(str(findings))
        self.findings = findings


class UsageError(ScoptError):
    """A request that cannot be carried out as it was put."""


class NoDesignError(ScoptError):
    """No feasible design exists, or none was found before the solve was stopped."""


class SolverError(ScoptError):
    """The solver failed, or its version is known to return wrong optima."""


class InternalError(ScoptError):
    """Something that should be impossible: a defect of scopt itself."""
