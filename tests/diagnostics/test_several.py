"""Files with several faults of different kinds: one run tells each, in the order of their places, and nothing else."""

from __future__ import annotations

import pytest

from doraflow.pipeline import Options, check
from tests.diagnostics.cases import SEVERAL, read_several

FILES = {path.stem: path for path in sorted(SEVERAL.glob("*.yml"))}


@pytest.mark.parametrize("name", FILES)
def test_all_faults_of_a_file_are_told_in_one_run(name: str) -> None:
    findings = check(FILES[name], Options(check_sources=False)).diagnostics()
    expected = read_several(FILES[name])
    told = [
        (found.code, str(found.severity), found.span and (found.span.line, found.span.column)) for found in findings
    ]
    assert told == [(fault.code, fault.severity, (fault.line, fault.column)) for fault in expected]
    for found, fault in zip(findings, expected, strict=True):
        assert fault.message in found.message
        assert fault.help in (found.help or ""), found.message


def test_the_files_hold_many_faults_of_many_kinds() -> None:
    counts = {name: len(read_several(path)) for name, path in FILES.items()}
    assert len(counts) >= 10
    assert all(3 <= count <= 8 for count in counts.values()), counts
    assert len({fault.code for path in FILES.values() for fault in read_several(path)}) >= 25
