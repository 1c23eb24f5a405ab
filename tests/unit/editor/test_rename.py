"""Rename: every place of a name, comments kept, and what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from doraflow.editor.positions import Text
from doraflow.editor.rename import Edit, RenameRefusedError, rename, renameable

if TYPE_CHECKING:
    from collections.abc import Sequence

FLOW = """\
# camera/image is kept in comments
nodes:
  - id: camera  # 😀 the camera
    path: camera.py
    outputs: [image, "depth"]
    output_types: {image: std/media/v1/Image}
    output_framing: {image: raw}
    output_metadata: {image: [stamp]}
    send_stdout_as: image
  - id: image
    path: reader.py
    outputs: [image]
    inputs:
      x: "camera/image"
      y: {source: camera/depth}
      log: dora/logs/info/camera
    input_types: {x: std/media/v1/Image}
  - id: ops
    operators:
      - {id: one, python: a.py, inputs: {i: camera/image}, outputs: [image]}
  - {id: solo, operator: {python: b.py, outputs: [image]}}
  - {id: last, path: l.py, inputs: {a: ops/one/image, b: solo/image, c: solo/op/image}}
"""


def applied(text: str, edits: Sequence[Edit]) -> str:
    for edit in reversed(edits):
        start, end = (Text(text).offset(place) for place in Text(text).range_of(edit.span))
        text = text[:start] + edit.new_text + text[end:]
    return text


def renamed(opened: Any, text: str, new: str) -> str:
    state = opened(text)
    return applied(state.text, rename(state.snapshot.outlines[state.file], state.place, new))


def expected(*changes: tuple[str, str]) -> str:
    text = FLOW
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return text


CASES = [
    (
        "- id: cam‸era",
        "cam2",
        [
            ("- id: camera", "- id: cam2"),
            ('"camera/image"', '"cam2/image"'),
            ("camera/depth", "cam2/depth"),
            ("info/camera", "info/cam2"),
            ("{i: camera/image}", "{i: cam2/image}"),
        ],
    ),
    (
        "[im‸age, ",
        "picture",
        [
            ("[image, ", "[picture, "),
            ("output_types: {image", "output_types: {picture"),
            ("output_framing: {image", "output_framing: {picture"),
            ("output_metadata: {image", "output_metadata: {picture"),
            ("send_stdout_as: image", "send_stdout_as: picture"),
            ('"camera/image"', '"camera/picture"'),
            ("{i: camera/image}", "{i: camera/picture}"),
        ],
    ),
    ('camera/im‸age"', "image", []),
    ("camera/de‸pth", "far/away", [('"depth"', '"far/away"'), ("camera/depth", "camera/far/away")]),
    ("{x: std/media/v1/Image}".replace("x", "x‸"), "z", [("      x: ", "      z: "), ("{x: std", "{z: std")]),
    ("{id: on‸e", "two", [("{id: one", "{id: two"), ("ops/one", "ops/two")]),
    (
        "ops/one/ima‸ge",
        "pic",
        [("outputs: [image]}\n  - {id: solo", "outputs: [pic]}\n  - {id: solo"), ("ops/one/image", "ops/one/pic")],
    ),
    (
        "solo/im‸age",
        "pic",
        [
            ("b.py, outputs: [image]", "b.py, outputs: [pic]"),
            ("solo/image", "solo/pic"),
            ("solo/op/image", "solo/op/pic"),
        ],
    ),
    (
        "- id: cam‸era",
        "null",
        [
            ("- id: camera", '- id: "null"'),
            ('"camera/image"', '"null/image"'),
            ("camera/depth", "null/depth"),
            ("info/camera", "info/null"),
            ("{i: camera/image}", "{i: null/image}"),
        ],
    ),
]


@pytest.mark.parametrize(("at", "new", "changes"), CASES)
def test_a_name_changes_wherever_it_stands_and_nothing_else(
    opened: Any, at: str, new: str, changes: list[tuple[str, str]]
) -> None:
    plain = at.replace("‸", "")
    assert plain in FLOW
    assert renamed(opened, FLOW.replace(plain, at, 1), new) == expected(*changes)


PROFILE = """\
nodes:
  - {id: camera, path: a.py, outputs: [image]}
  - {id: ops, operators: [{id: one, python: a.py, inputs: {i: camera/image}}]}
profiles:
  fake:
    nodes:
      camera: {path: fake.py, output_types: {image: std/media/v1/Image}}
      ops: {operators: {one: {inputs: {i: {source: camera/image, queue_size: 1}}}}}
"""


@pytest.mark.parametrize(
    ("at", "new", "old"),
    [("id: cam‸era", "lens", "camera"), ("[im‸age]", "picture", "image"), ("id: on‸e", "two", "one")],
)
def test_profiles_follow_a_rename(opened: Any, at: str, new: str, old: str) -> None:
    assert renamed(opened, PROFILE.replace(at.replace("‸", ""), at), new) == PROFILE.replace(old, new)


def test_a_name_with_escapes_is_written_anew(opened: Any) -> None:
    text = 'nodes:\n  - {id: a, path: a.py, outputs: ["\\x78"]}\n  - {id: b, path: b.py, inputs: {i: a/x‸}}\n'
    assert renamed(opened, text, "y") == text.replace("\\x78", "y").replace("a/x‸", "a/y")


MODULE = """\
module: {name: m, inputs: [goal], outputs: [way]}
nodes:
  - {id: p, path: p.py, inputs: {g: _mod/goal}, outputs: [way, raw]}
"""
OUTER = """\
nodes:
  - {id: nav, module: m.yml, inputs: {goal: g/x}}
  - {id: g, path: g.py, outputs: [x]}
  - {id: w, path: w.py, inputs: {a: nav/way}}
"""

REFUSED = [
    (
        FLOW.replace("- id: camera", "- id: cam‸era"),
        None,
        "image",
        "`image` is taken: there is a node with that id on line 10",
    ),
    (
        FLOW.replace("- id: camera", "- id: cam‸era"),
        None,
        "a/b",
        "`a/b` is not a node id: it holds `/`, which separates a node from its output",
    ),
    (
        FLOW.replace("- id: camera", "- id: cam‸era"),
        None,
        "dora",
        "`dora` is reserved for timers and logs, and no node can have this id",
    ),
    (
        FLOW.replace("[image, ", "[ima‸ge, "),
        None,
        "depth",
        "`depth` is taken: there is an output of `camera` with that id on line 5",
    ),
    (
        FLOW.replace("[image, ", "[ima‸ge, "),
        None,
        "x y",
        "`x y` is not a port id: it holds ` `, and only letters, digits, `_`, `-` and `.` are allowed",
    ),
    (FLOW.replace("path: camera", "pa‸th: camera"), None, "x", "there is no name here to rename"),
    (
        FLOW.replace("std/media", "std/me‸dia", 1),
        None,
        "x",
        "`std/media/v1/Image` is a type, and only nodes, operators and ports are renamed",
    ),
    (OUTER.replace("nav/way", "nav/w‸ay"), MODULE, "x", "no node of this file declares the output `way`"),
    (OUTER.replace("{goal", "{go‸al"), MODULE, "x", "`goal` is a port of the module `m.yml`: rename it there first"),
    (
        OUTER,
        MODULE.replace("[way, raw", "[w‸ay, raw"),
        "x",
        "`way` is an output of this module: the dataflows that include it would lose it",
    ),
    (
        "nodes:\n  - {id: a, path: a.py, outputs: &o [x‸]}\n  - {id: b, path: a.py, outputs: *o}\n",
        None,
        "y",
        "`x` is written once, on line 2, for several nodes",
    ),
]


@pytest.mark.parametrize(("flow", "module", "new", "message"), REFUSED)
def test_what_cannot_be_renamed_is_told(opened: Any, flow: str, module: str | None, new: str, message: str) -> None:
    state = opened(flow, **({"m": module} if module is not None else {}))
    with pytest.raises(RenameRefusedError) as refused:
        rename(state.snapshot.outlines[state.file], state.place, new)
    assert str(refused.value) == message


def test_inside_a_module_what_stays_inside_is_renamed(opened: Any) -> None:
    text = MODULE.replace("raw]", "ra‸w]")
    state = opened(OUTER, m=text)
    assert applied(state.text, rename(state.snapshot.outlines[state.file], state.place, "x")) == MODULE.replace(
        "raw", "x"
    )


def test_the_part_that_is_renamed_is_marked(opened: Any) -> None:
    state = opened(FLOW.replace('"camera/image"', '"camera/im‸age"'))
    found = renameable(state.snapshot.outlines[state.file], state.place)
    assert (found.span.line, found.span.column, found.span.end_column) == (14, 18, 23)
    assert found.scalar.text[found.start : found.end] == "image"
