"""Each case of the catalogue: one fault, one finding, at its place, in words that name it and its mend."""

from __future__ import annotations

import os
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from doraflow.codes import CODES
from doraflow.pipeline import LockUse, Options, check
from tests.diagnostics.cases import case_files, name_of, read_case

if TYPE_CHECKING:
    from pathlib import Path

    from doraflow.diagnostics import Diagnostic
    from tests.diagnostics.cases import Case

MOST_YET_TO_COME = 5
"""How many codes may be new and wait for their case."""

FILES = {name_of(path): path for path in case_files()}

# Codes that no text of a dataflow can raise, or that the small file of a case cannot.
WITHOUT_A_CASE = {
    "DF001": "the file itself cannot be opened",
    "DF003": "a file of more than 32 MiB",
    "DF131": "raised by `migrate` alone",
    "DF409": "hundreds of inputs",
    "DF410": "hundreds of readers",
    "DF411": "hundreds of inputs",
}


def found_in(case: Case) -> tuple[Diagnostic, ...]:
    inventory = case.settings.get("inventory")
    options = Options(
        check_sources="sources" in case.settings,
        profile=case.settings.get("profile"),
        inventory=case.path.parent / inventory if inventory else None,
        lock=LockUse.FROZEN if "frozen" in case.settings else LockUse.KEPT,
    )
    return check(case.path, options).diagnostics()


def placed(finding: Diagnostic, folder: Path) -> tuple[str, int, int]:
    assert finding.span is not None, finding.message
    return os.path.relpath(finding.span.file, folder), finding.span.line, finding.span.column


@pytest.mark.parametrize("name", FILES)
def test_a_planted_fault_is_the_one_finding_at_its_place_with_its_words(name: str) -> None:
    case = read_case(FILES[name])
    findings = [finding for finding in found_in(case) if finding.code not in case.besides]
    told = [f"{finding.severity} {finding.code} {finding.span}: {finding.message}" for finding in findings]
    assert [finding.code for finding in findings] == [case.code], told
    (finding,) = findings
    assert finding.severity == case.severity
    assert placed(finding, case.path.parent) == case.place, told
    assert case.message in finding.message
    assert finding.help is not None, told
    assert case.help in finding.help


@pytest.mark.parametrize("name", FILES)
def test_a_case_is_named_after_its_code(name: str) -> None:
    assert name.startswith(f"{read_case(FILES[name]).code}-")


def test_the_catalogue_is_large_and_covers_what_a_text_can_raise() -> None:
    counted = Counter(name[:5] for name in FILES)
    raised_elsewhere = ("DF02", "DF6", "DF7", "DF8")  # settings, sources and builds, the bundle, launching
    of_a_text = [code for code in CODES if not code.startswith(raised_elsewhere) and code not in WITHOUT_A_CASE]
    missing = [code for code in of_a_text if not counted[code]]
    assert len(missing) <= MOST_YET_TO_COME, f"plant a fault for each of {missing}"
    assert sum(counted.values()) >= 350
    assert {"DF601", "DF602", "DF603"} <= set(counted)
