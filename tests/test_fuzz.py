"""Random hostile cases: a case, or findings; never anything else. More of them by SCOPT_FUZZ=1000."""

from __future__ import annotations

import os

import fuzzing
from hypothesis import HealthCheck, given, settings

MORE = int(os.environ.get("SCOPT_FUZZ", "1"))


def tried(count: int) -> settings:
    """So many examples, the same every time unless more are asked for."""
    slow = list(HealthCheck)
    return settings(
        max_examples=count * MORE, derandomize=MORE == 1, deadline=None, suppress_health_check=slow, database=None
    )  # fmt: skip


@tried(150)
@given(fuzzing.SHEETS_OF_ROWS)
def test_any_cells_of_a_sheet_are_numbers_and_text_or_findings(sheet):
    fuzzing.convert(*sheet)


@tried(25)
@given(fuzzing.CASES)
def test_any_frames_are_a_case_or_findings(frames):
    fuzzing.build(frames)
