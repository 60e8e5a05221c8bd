"""Hostile and broken files: a clear finding or a correct case, in bounded time and memory."""

from __future__ import annotations

import hostile_content
import hostile_files
import hostile_folders
import pytest
from hostile_books import KINDS

from scopt.case import read_case
from scopt.errors import CaseError

LISTS = (hostile_content, hostile_files, hostile_folders)  # each enters its kinds in the list
LIGHT = [kind for kind in KINDS.values() if not kind.heavy]


@pytest.mark.parametrize("kind", LIGHT, ids=lambda kind: kind.name)
def test_a_hostile_file_is_a_case_or_a_clear_finding(kind, tmp_path):
    path = kind(tmp_path)
    if not kind.status:
        assert read_case(path).digest
        return
    with pytest.raises(CaseError) as caught:
        read_case(path)
    findings = caught.value.findings
    assert findings.errors
    assert kind.says in str(findings)
    assert all(one.rule and one.mend for one in findings)
    assert str(findings).replace("\n", "").isprintable()
