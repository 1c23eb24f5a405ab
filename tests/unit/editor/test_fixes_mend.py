"""Every replacement that a finding comes with mends it: carried out, the finding is gone and none has come."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from doraflow.editor.positions import Text
from doraflow.pipeline import Options, check

if TYPE_CHECKING:
    from pathlib import Path

TALKER = "nodes:\n  - {id: talker, path: a.py, outputs: [line, far], output_types: {line: std/core/v1/String}}\n"
READER = TALKER + "  - {id: b, path: a.py, inputs: {x: talker/line, y: talker/far}, "
OPERATORS = "nodes:\n  - {id: ops, operators: [{id: one, python: a.py, outputs: [x]}]}\n"

FAULTY = [
    ("DF101", READER + "ouputs: []}"),
    ("DF101", TALKER + '  - {id: b, path: a.py, inputs: {x: {source: talker/line, "queue_sze": 3}, y: talker/far}}'),
    ("DF101", TALKER + "  - {id: b, path: a.py, inputs: {x: {source: talker/line, queue-size: 3}, y: talker/far}}"),
    ("DF105", READER + "outputs: [a b]}\n  - {id: c, path: a.py, inputs: {x: b/a_b}}"),
    ("DF106", TALKER + "  - {id: b, path: a.py, inputs: {x: talker/line, y: talker/far, t: dora/timr/secs/1}}"),
    ("DF106", TALKER + "  - {id: b, path: a.py, inputs: {x: talker/line, y: talker/far, t: dora/logs/inf/talker}}"),
    ("DF107", TALKER + "  - {id: b, path: a.py, inputs: {x: talker/line, y: talker/far, t: dora/timer/ms/10}}"),
    ("DF107", TALKER + "  - {id: b, path: a.py, inputs: {x: talker/line, y: talker/far, t: 'dora/timer/secs/0.5'}}"),
    ("DF112", READER + 'restart_policy: "alway"}'),
    ("DF203", READER.replace("talker/line", "talkr/line") + "}"),
    ("DF203", TALKER + "  - {id: b, path: a.py, inputs: {x: talker/line, y: talker/far, t: dora/logs/info/talkr}}"),
    ("DF204", READER.replace("talker/line", "'talker/lin'") + "}"),
    ("DF205", OPERATORS + "  - {id: b, path: a.py, inputs: {x: ops/on/x}}"),
    ("DF205", OPERATORS + "  - {id: b, path: a.py, inputs: {x: ops/x}}"),
    ("DF206", READER + "input_types: {xx: std/core/v1/String}}"),
    ("DF301", READER + "input_types: {x: std/core/v1/Strin}}"),
    ("DF301", READER + "input_types: {x: v1/String}}"),
    ("DF013", READER + "max_restarts: 010}"),
]


@pytest.mark.parametrize(("code", "text"), FAULTY)
def test_a_replacement_mends_its_finding(tmp_path: Path, code: str, text: str) -> None:
    file = (tmp_path / "flow.yml").as_posix()

    def findings(text: str) -> list[str]:
        made = check(tmp_path / "flow.yml", Options(check_sources=False, unsaved={file: text}))
        for finding in made.diagnostics():
            if finding.code == code:
                assert finding.replacement is not None, finding
                assert finding.span is not None
                start, end = map(Text(text).offset, Text(text).range_of(finding.span))
                mended.append(text[:start] + finding.replacement + text[end:])
        return [finding.code for finding in made.diagnostics()]

    mended: list[str] = []
    assert code in findings(text)
    assert set(findings(mended[0])) <= {"DF901"}, mended[0]


def test_a_key_that_is_there_already_is_not_written_twice(tmp_path: Path) -> None:
    text = READER + "outputs: [], ouputs: []}"
    made = check(
        tmp_path / "flow.yml", Options(check_sources=False, unsaved={(tmp_path / "flow.yml").as_posix(): text})
    )
    assert [(finding.code, finding.replacement) for finding in made.diagnostics()] == [("DF101", None)]
