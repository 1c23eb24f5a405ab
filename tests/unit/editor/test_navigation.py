"""Definition, references, hover and symbols."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from doraflow.editor.definition import definition, references
from doraflow.editor.hover import hover
from doraflow.editor.symbols import Symbol, symbols

if TYPE_CHECKING:
    from pathlib import Path

    from doraflow.editor.vocabulary import Vocabulary

FLOW = """\
nodes:
  - id: camera
    path: camera.py
    outputs: [image, depth]
    output_types: {image: std/media/v1/Image}
    output_framing: {image: raw}
  - id: reader
    path: reader.py
    inputs:
      x: {source: camera/image, queue_size: 3, queue_policy: backpressure}
      t: dora/timer/millis/100
      log: dora/logs/info/camera
    input_types: {x: std/media/v1/Image}
  - id: ops
    operators:
      - {id: one, python: a.py, inputs: {i: camera/depth}, outputs: [o]}
  - {id: last, path: l.py, inputs: {a: ops/one/o}}
"""
NAV = """\
nodes:
  - id: goal
    path: g.py
    outputs: [point]
  - id: nav
    module: modules/nav.yml
    inputs: {target: goal/point}
  - id: wheels
    path: w.py
    inputs: {way: nav/way}
"""
MODULE = """\
module:
  name: nav
  inputs: [target]
  outputs: [way]
nodes:
  - id: planner
    path: p.py
    inputs: {t: _mod/target}
    outputs: [way]
"""


def with_cursor(text: str, at: str, shift: int = 1, number: int = 1) -> str:
    """Put the cursor into the n-th place where `at` stands."""
    start = -1
    for _ in range(number):
        start = text.index(at, start + 1)
    return text[: start + shift] + "‸" + text[start + shift :]


def places(spans: list[Any], root: Path) -> list[str]:
    return [str(span).removeprefix(f"{root}/") for span in spans]


@pytest.mark.parametrize(
    ("at", "shift", "expected"),
    [
        ("camera/image", 1, ["dataflow.yml:2:9"]),
        ("camera/image", 8, ["dataflow.yml:4:15"]),
        ("info/camera", 6, ["dataflow.yml:2:9"]),
        ("output_framing: {image", 18, ["dataflow.yml:4:15"]),
        ("input_types: {x", 14, ["dataflow.yml:10:7"]),
        ("ops/one/o", 1, ["dataflow.yml:14:9"]),
        ("ops/one/o", 5, ["dataflow.yml:16:14"]),
        ("ops/one/o", 9, ["dataflow.yml:16:70"]),
        ("camera/depth", 9, ["dataflow.yml:4:22"]),
        ("std/media", 3, []),
        ("dora/timer", 3, []),
        ("queue_size", 3, []),
    ],
)
def test_a_name_leads_to_where_it_is_declared(
    opened: Any, tmp_path: Path, at: str, shift: int, expected: list[str]
) -> None:
    state = opened(with_cursor(FLOW, at, shift))
    assert places(definition(state.file, state.place, state.snapshot), tmp_path) == expected


@pytest.mark.parametrize(
    ("flow", "module", "expected"),
    [
        (with_cursor(NAV, "nav/way", 5), MODULE, ["modules/nav.yml:9:15"]),
        (with_cursor(NAV, "nav/way", 1), MODULE, ["dataflow.yml:5:9"]),
        (with_cursor(NAV, "{target", 2), MODULE, ["modules/nav.yml:3:12"]),
        (with_cursor(NAV, "modules/nav", 2), MODULE, ["modules/nav.yml:1:1"]),
        (NAV, with_cursor(MODULE, "_mod/target", 7), ["modules/nav.yml:3:12"]),
        (NAV, with_cursor(MODULE, "outputs: [way", 11), ["modules/nav.yml:9:15"]),
        (
            with_cursor(NAV.replace("nav/way", "nav.planner/way"), "nav.planner/way", 14),
            MODULE,
            ["modules/nav.yml:9:15"],
        ),
    ],
)
def test_names_lead_through_modules(opened: Any, tmp_path: Path, flow: str, module: str, expected: list[str]) -> None:
    state = opened(flow, modules__nav=module)
    assert places(definition(state.file, state.place, state.snapshot), tmp_path) == expected


def test_own_types_and_files_are_found(opened: Any, tmp_path: Path) -> None:
    own = "types:\n  Wheel: {arrow: Float64}\n"
    (tmp_path / "camera.py").write_text("")
    state = opened(with_cursor(FLOW.replace("std/media/v1/Image", "robot/Wheel"), "robot/Wheel", 3), types__robot=own)
    assert places(definition(state.file, state.place, state.snapshot), tmp_path) == ["types/robot.yml:2:3"]
    state = opened(with_cursor(FLOW, "camera.py", 3))
    assert places(definition(state.file, state.place, state.snapshot), tmp_path) == ["camera.py:1:1"]
    state = opened(with_cursor(FLOW, "reader.py", 3))
    assert definition(state.file, state.place, state.snapshot) == []


def test_references_are_all_places_with_the_name(opened: Any, tmp_path: Path) -> None:
    state = opened(with_cursor(FLOW, "id: camera", 5))
    found = references(state.file, state.place, state.snapshot, with_declaration=True)
    assert places(found, tmp_path) == [f"dataflow.yml:{at}" for at in ("2:9", "10:19", "12:27", "16:45")]
    state = opened(with_cursor(FLOW, "[image", 3))
    found = references(state.file, state.place, state.snapshot, with_declaration=False)
    assert places(found, tmp_path) == [f"dataflow.yml:{at}" for at in ("5:20", "6:22", "10:26")]


QUEUE = "Queue: 10 messages, then the oldest is dropped."
IMAGE = "Arrow struct:\n\n- `width`: `UInt32`\n- `height`: `UInt32`\n- `encoding`: `Utf8`\n- `data`: `LargeBinary`"


@pytest.mark.parametrize(
    ("at", "shift", "expected"),
    [
        (
            "camera/image",
            3,
            f"**image** of `camera`: `std/media/v1/Image`\n\n{IMAGE}\n\nQueue: 3 messages, then the sender waits.",
        ),
        ("camera/depth", 3, "**depth** of `camera`\n\nQueue: 10 messages, then the oldest is dropped."),
        (
            "dora/timer",
            3,
            f"**dora/timer/millis/100**: a tick every 0.1 s\n\nArrow `UInt64`\n\n{QUEUE}",
        ),
        (
            "dora/logs/info/camera",
            3,
            "**dora/logs/info/camera**: log lines of `camera`\n\nQueue: 10 messages, then the oldest is dropped.",
        ),
        ("std/media", 3, f"**std/media/v1/Image**\n\n{IMAGE}"),
        ("queue_size", 3, "**queue_size**\n\nHow many messages wait at most; 10 if not given."),
        ("id: camera", 5, "**camera**\n\nInputs: none\n\nOutputs: `image`, `depth`"),
        ("[image", 3, f"**image** of `camera`: `std/media/v1/Image`\n\n{IMAGE}\n\nRead by `reader`."),
    ],
)
def test_a_hover_explains_what_stands_there(
    opened: Any, vocabulary: Vocabulary, at: str, shift: int, expected: str
) -> None:
    state = opened(with_cursor(FLOW, at, shift))
    found = hover(state.file, state.place, state.snapshot, vocabulary)
    assert found is not None
    assert found.text == expected


def test_a_hover_says_nothing_where_nothing_stands(opened: Any, vocabulary: Vocabulary) -> None:
    for text in ("‸" + FLOW.replace("nodes:", "\nnodes:"), "nodes: [‸"):
        state = opened(text)
        assert hover(state.file, state.place, state.snapshot, vocabulary) is None


def test_symbols_are_nodes_with_their_ports(opened: Any) -> None:
    state = opened("‸" + FLOW)

    def drawn(found: list[Symbol] | tuple[Symbol, ...], depth: int = 0) -> list[str]:
        return [
            line
            for each in found
            for line in (
                f"{' ' * depth}{each.kind} {each.name} {each.detail}".rstrip(),
                *drawn(each.children, depth + 1),
            )
        ]

    assert drawn(symbols(state.snapshot.outlines[state.file])) == [
        "node camera camera.py",
        " output image std/media/v1/Image",
        " output depth",
        "node reader reader.py",
        " input x camera/image",
        " input t dora/timer/millis/100",
        " input log dora/logs/info/camera",
        "node ops",
        " operator one",
        "  input i camera/depth",
        "  output o",
        "node last l.py",
        " input a ops/one/o",
    ]


def test_a_symbol_lies_in_what_it_names(opened: Any) -> None:
    state = opened(NAV, modules__nav="‸" + MODULE)
    waiting = symbols(state.snapshot.outlines[state.file])
    assert waiting[0].name == "nav"
    for symbol in waiting:
        waiting += symbol.children
        span, inner = symbol.span, symbol.name_span
        assert (span.line, span.column) <= (inner.line, inner.column)
        assert (inner.end_line, inner.end_column) <= (span.end_line, span.end_column)


OLD = """\
nodes:
  - id: a
    custom:
      source: a.py
      outputs: [x]
  - id: b
    custom:
      source: b.py
      inputs: {y: a/x‸}
"""


def test_an_old_dialect_is_navigated_as_what_it_stands_for(opened: Any, tmp_path: Path) -> None:
    state = opened(OLD)
    assert places(definition(state.file, state.place, state.snapshot), tmp_path) == ["dataflow.yml:5:17"]


def test_modules_that_include_one_another_end() -> None:
    from doraflow.editor.producers import Producers
    from doraflow.editor.snapshot import outlines_of

    loop = "module: {name: m, outputs: [a, b, c]}\nnodes:\n" + "".join(
        f"  - {{id: n{number}, module: m.yml}}\n" for number in range(9)
    )
    outlines, modules = outlines_of("m.yml", {"m.yml": loop})
    assert modules == frozenset()
    assert Producers(outlines).find("n1/a", outlines["m.yml"]) is not None
