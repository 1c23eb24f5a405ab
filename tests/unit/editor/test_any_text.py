"""No text and no place is too odd: every feature answers, and its places lie inside the file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from doraflow.editor.actions import fixes
from doraflow.editor.completion import Asked, complete
from doraflow.editor.definition import definition, references
from doraflow.editor.hover import hover
from doraflow.editor.positions import Place, Text
from doraflow.editor.rename import RenameRefusedError, rename
from doraflow.editor.snapshot import take_snapshot
from doraflow.editor.symbols import symbols

if TYPE_CHECKING:
    from pathlib import Path

    from doraflow.editor.vocabulary import Vocabulary

SEED = """\
name: demo
nodes:
  - id: camera # 😀
    path: camera.py
    outputs: [image, "depth"]
    output_types: {image: std/media/v1/Image}
  - id: ops
    operators:
      - {id: one, python: {source: a.py}, inputs: {i: camera/image}, outputs: [o]}
  - id: nav
    module: m.yml
    inputs: {goal: ops/one/o, tick: dora/timer/millis/10, l: dora/logs/info/camera}
profiles: {sim: {nodes: {camera: {path: f.py}}}}
hosts: {pi: {address: 10.0.0.2}}
deploy: {machine: pi}
"""
PIECES = st.sampled_from(
    [
        "",
        " ",
        "\n",
        "  ",
        ":",
        "- ",
        "{",
        "}",
        "[",
        "]",
        "'",
        '"',
        "#",
        "&a ",
        "*a",
        "|",
        "\t",
        "nodes",
        "id: x\n",
        "~",
        "😀",
        "\r",
        "!x ",
    ]
)


@st.composite
def mutated(draw: Any) -> tuple[str, Place]:
    text = SEED
    for _ in range(draw(st.integers(0, 3))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.sampled_from([0, 1, 3, 20])))
        text = text[:start] + draw(PIECES) + text[end:]
    line = draw(st.integers(1, text.count("\n") + 1))
    column = draw(st.integers(1, len(text.split("\n")[line - 1]) + 1))
    return text, Place(line, column)


@pytest.mark.parametrize(
    "module", ["module: {name: m, inputs: [goal], outputs: [x]}\nnodes: [{id: a, path: a.py, outputs: [x]}]\n"]
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(case=mutated())
def test_every_feature_answers(tmp_path: Path, vocabulary: Vocabulary, module: str, case: tuple[str, Place]) -> None:
    text, place = case
    root = tmp_path / "dataflow.yml"
    file = root.as_posix()
    snapshot = take_snapshot(root, {file: text, (tmp_path / "m.yml").as_posix(): module})
    lines = Text(text)
    spans = [item.span for item in complete(Asked(file, text, tmp_path, vocabulary, snapshot), place)]
    found = hover(file, place, snapshot, vocabulary)
    spans += [found.span] if found is not None else []
    spans += definition(file, place, snapshot)
    spans += references(file, place, snapshot, with_declaration=True)
    spans += [fix.edit.span for fix in fixes(file, Place(1, 1), Place(999, 1), snapshot.made.diagnostics())]
    around = snapshot.outlines.get(file)
    if around is not None:
        spans += [symbol.span for symbol in symbols(around)]
        try:
            spans += [edit.span for edit in rename(around, place, "other")]
        except RenameRefusedError as refusal:
            assert str(refusal)
    for span in spans:
        if span.file == file:
            start, end = map(lines.offset, lines.range_of(span))
            assert 0 <= start <= end <= len(text)
