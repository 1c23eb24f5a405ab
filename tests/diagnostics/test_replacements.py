"""Exact edits: what a finding says to write in its place mends it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from doraflow.codes import CODES
from doraflow.explanations.pages import WRONG, page
from doraflow.pipeline import Options, check

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from doraflow.diagnostics import Diagnostic

TREES = {
    code: told.example(WRONG).files
    for code in CODES
    if (told := page(code)) and "dataflow.yml" in told.example(WRONG).files
}
NODE = "nodes:\n  - {id: a, path: a.py, outputs: [x]%s}\n  - {id: b, path: a.py, inputs: {x: %s}%s}\n"
FAULTS = {
    "a key": NODE.replace("outputs", "ouputs") % ("", "dora/timer/hz/1", ""),
    "a word": NODE % ("", "{source: a/x, queue_policy: drop-oldest}", ""),
    "a text for a list": NODE.replace("[x]", "x") % ("", "a/x", ""),
    "a node in quotes": NODE % ("", '"aa/x"', ""),
    "a node and its output": NODE.replace("id: a,", "id: camera,").replace("[x]", "[image]") % ("", "camra/imgae", ""),
    "an output": NODE.replace("[x]", "[image]") % ("", "a/imgae", ""),
    "a timer's unit": NODE % ("", "a/x, t: dora/timer/seconds/5", ""),
    "a fraction": NODE % ("", "a/x, t: dora/timer/secs/0.5", ""),
    "a leading zero": NODE % ("", "{source: a/x, queue_size: 010}", ""),
    "a source": NODE.replace("id: b, path: a.py", "id: b, path: ab.py") % ("", "a/x", ""),
}


def findings(folder: Path, files: Mapping[str, str], *, look: bool) -> tuple[Diagnostic, ...]:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return check(folder / "dataflow.yml", Options(check_sources=look)).diagnostics()


def mended(text: str, finding: Diagnostic) -> str:
    span = finding.span
    assert span is not None
    assert span.line == span.end_line
    lines = text.split("\n")
    line = lines[span.line - 1]
    lines[span.line - 1] = line[: span.column - 1] + str(finding.replacement) + line[span.end_column - 1 :]
    return "\n".join(lines)


@pytest.mark.parametrize("name", FAULTS)
def test_the_edit_of_a_fault_mends_it(name: str, tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "a.py").touch()
    (finding,) = [each for each in findings(tmp_path, {"dataflow.yml": FAULTS[name]}, look=True) if each.replacement]
    left = findings(tmp_path, {"dataflow.yml": mended(FAULTS[name], finding)}, look=True)
    assert finding.code not in [each.code for each in left]
    assert [each for each in left if each.severity == "error"] == []


@pytest.mark.parametrize("code", TREES)
def test_the_edits_of_the_wrong_examples_mend_them(code: str, tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    files = dict(TREES[code])
    for finding in findings(tmp_path, files, look=False):
        if finding.replacement is None or finding.span is None:
            continue
        name = next(name for name in files if finding.span.file.endswith(name))
        left = findings(tmp_path, {**files, name: mended(files[name], finding)}, look=False)
        assert (finding.code, finding.message) not in [(each.code, each.message) for each in left]
