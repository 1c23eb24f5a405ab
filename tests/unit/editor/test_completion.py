"""What may be written at the cursor, on whole texts and on broken ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from doraflow.editor.completion import MOST_COMPLETIONS, Asked, Completion, complete

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from doraflow.editor.vocabulary import Vocabulary

    Complete = Callable[..., list[Completion]]

CAMERA = """\
nodes:
  - id: camera
    path: camera.py
    outputs: [image, depth]
    output_types: {image: std/media/v1/Image}
"""
READER = CAMERA + "  - id: reader\n    path: reader.py\n"
OPERATORS = """\
nodes:
  - id: ops
    operators:
      - {id: one, python: a.py, outputs: [x]}
  - id: solo
    operator: {python: b.py, outputs: [y]}
"""


@pytest.fixture
def completed(cursor: Callable[[str], Any], vocabulary: Vocabulary, tmp_path: Path) -> Complete:
    def run(text: str, **known: Any) -> list[Completion]:
        source, place = cursor(text)
        return complete(Asked("flow.yml", source, tmp_path, vocabulary, **known), place)

    return run


def labels(found: list[Completion]) -> list[str]:
    return [item.label for item in found]


def test_at_the_top_stand_the_keys_of_a_dataflow(completed: Complete) -> None:
    found = labels(completed("‸"))
    assert {"nodes", "env", "strict_types"} <= set(found)
    assert "path" not in found


def test_keys_that_are_given_are_not_offered_again(completed: Complete) -> None:
    found = labels(completed(CAMERA + "    ‸\n    env: {A: b}\n  - id: b\n    restart_policy: always\n"))
    assert not {"id", "path", "outputs", "output_types", "env"} & set(found)
    assert "restart_policy" in found


def test_a_key_comes_with_its_documentation_and_what_follows_it(completed: Complete) -> None:
    found = {item.label: item for item in completed(CAMERA + "    re‸")}
    policy = found["restart_policy"]
    assert policy.new_text == "restart_policy: "
    assert policy.documentation == (
        "When the node is started again.\n\nOne of `never`, `on-failure`, `always`.\n\nDefault: `never`."
    )
    assert found["inputs"].new_text == "inputs:"
    assert {item.label: item.detail for item in completed("nodes:\n  - ‸")}["id"] == "required"


def test_before_a_colon_the_key_alone_is_written(completed: Complete) -> None:
    found = {item.label: item for item in completed("nodes:\n  - id: a\n    ou‸t: [x]\n")}
    assert found["outputs"].new_text == "outputs"
    assert (found["outputs"].span.column, found["outputs"].span.end_column) == (5, 8)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (CAMERA + "    restart_policy: ‸", ["never", "on-failure", "always"]),
        (CAMERA + "strict_types: ‸", ["true", "false"]),
        (
            READER + "    inputs:\n      x:\n        source: camera/image\n        queue_policy: b‸",
            ["drop_oldest", "backpressure"],
        ),
        (READER + "    inputs: {x: {source: camera/image, queue_policy: ‸", ["drop_oldest", "backpressure"]),
        (CAMERA + "    output_framing:\n      image: ‸", ["raw", "arrow-ipc"]),
        (CAMERA + "    min_log_level: ‸", ["stdout", "trace", "debug", "info", "warn", "error"]),
    ],
)
def test_words_and_booleans_are_offered_where_they_may_stand(completed: Complete, text: str, words: list[str]) -> None:
    assert labels(completed(text)) == words


@pytest.mark.parametrize(
    "line",
    [
        "    inputs:\n      x: ‸",
        "    inputs:\n      x: camera/‸",
        "    inputs: {x: cam‸",
        "    inputs:\n      x:\n        source: 'c‸'",
    ],
)
def test_a_source_is_an_output_of_another_node_a_timer_or_the_log(completed: Complete, line: str) -> None:
    found = completed(READER + line)
    assert labels(found)[:3] == ["camera/image", "camera/depth", "dora/timer/millis/100"]
    assert found[0].detail == "std/media/v1/Image"
    assert "dora/logs" in labels(found)


def test_names_come_from_the_last_state_where_the_text_cannot_be_read(completed: Complete, opened: Any) -> None:
    before = opened(READER.replace("camera.py", "camera.py‸")).snapshot
    broken = READER + "    env: {A: [}\n    inputs:\n      x: ‸"
    assert "camera/image" not in labels(completed(broken))
    snapshot = type(before)(before.made, {"flow.yml": before.outlines[before.file]}, before.library)
    assert "camera/image" in labels(completed(broken, snapshot=snapshot))


def test_outputs_of_operators_are_read_by_their_operator_unless_it_is_the_only_one(completed: Complete) -> None:
    found = labels(completed(OPERATORS + "  - id: r\n    path: r.py\n    inputs: {a: ‸}"))
    assert found[:2] == ["ops/one/x", "solo/y"]


def test_log_levels_and_nodes_follow_the_log(completed: Complete) -> None:
    found = labels(completed(READER + "    inputs:\n      x: dora/logs/info/‸"))
    assert {"dora/logs/warn", "dora/logs/info/camera"} <= set(found)


def test_the_type_of_the_source_comes_first(completed: Complete) -> None:
    found = completed(READER + "    inputs: {x: camera/image}\n    input_types:\n      x: st‸")
    assert labels(found)[0] == "std/media/v1/Image"
    assert found[0].detail == "what the source sends"
    assert labels(found).count("std/media/v1/Image") == 1
    assert "- `x`: `Float64`" in {item.label: item for item in found}["std/math/v1/Vector3"].documentation


def test_own_types_are_offered(completed: Complete, opened: Any) -> None:
    own = "types:\n  Wheel:\n    arrow: Struct\n    description: A wheel.\n    fields: [{name: r, type: Float64}]\n"
    state = opened(CAMERA + "# ‸\n", types__robot=own).snapshot
    found = {item.label: item for item in completed(CAMERA + "    output_types:\n      image: ‸", snapshot=state)}
    assert found["robot/Wheel"].documentation == "A wheel.\n\nArrow struct:\n\n- `r`: `Float64`"


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (CAMERA + "    output_framing:\n      ‸", ["image", "depth"]),
        (CAMERA + "    output_framing: {depth: raw, ‸}", ["image"]),
        (READER + "    inputs: {x: camera/image}\n    input_types:\n      ‸", ["x"]),
        (CAMERA + "    send_stdout_as: ‸", ["image", "depth"]),
        ("hosts: {pi: {}, nuc: {}}\n" + CAMERA + "    deploy:\n      machine: ‸", ["pi", "nuc"]),
        (READER + "profiles:\n  sim:\n    nodes:\n      ‸", ["camera", "reader"]),
        (READER + "    outputs:\n      - ‸\n  - {id: c, path: c.py, inputs: {z: reader/wanted}}", ["wanted"]),
    ],
)
def test_ports_and_machines_are_offered_by_name(completed: Complete, text: str, names: list[str]) -> None:
    assert labels(completed(text)) == names


def test_files_are_offered_by_their_kind(completed: Complete, tmp_path: Path) -> None:
    (tmp_path / "nodes").mkdir()
    for name in ("a.py", "b.txt", "m.yml", ".hidden.py", "nodes/c.py"):
        (tmp_path / name).write_text("")
    assert labels(completed(READER + "    path: ‸")) == ["dynamic", "shell", "a.py", "nodes/"]
    assert labels(completed("nodes:\n  - id: a\n    path: nodes/‸"))[2:] == ["nodes/c.py"]
    assert labels(completed("nodes:\n  - id: a\n    module: ‸")) == ["m.yml", "nodes/"]
    assert labels(completed("nodes:\n  - id: a\n    operator:\n      python: ‸")) == ["a.py", "nodes/"]


def test_in_a_module_its_inputs_are_sources(completed: Complete) -> None:
    text = "module: {name: m, inputs: [goal]}\nnodes:\n  - id: a\n    path: a.py\n    inputs: {x: ‸}\n"
    assert labels(completed(text))[0] == "_mod/goal"


NAV = """\
nodes:
  - id: nav
    module: nav.yml
    inputs:
      ‸
  - id: r
    path: r.py
    inputs: {x: nav/way}
"""
MODULE = """\
module: {name: nav, inputs: [goal], outputs: [way]}
nodes:
  - {id: p, path: p.py, outputs: [way], inputs: {g: _mod/goal}}
"""


def test_a_node_of_a_module_offers_the_ports_of_its_header(completed: Complete, opened: Any) -> None:
    state = opened(NAV, nav=MODULE)
    own = dict(state.snapshot.outlines)
    own["flow.yml"] = own[state.file]
    own["nav.yml"] = own[state.file.replace("dataflow", "nav")]
    snapshot = type(state.snapshot)(state.snapshot.made, own, state.snapshot.library)
    assert labels(completed(NAV, snapshot=snapshot)) == ["goal"]
    assert labels(completed(NAV.replace("‸", "").replace("nav/way", "‸"), snapshot=snapshot))[0] == "nav/way"


def test_of_very_many_only_those_that_fit_are_given(completed: Complete) -> None:
    many = "nodes:\n" + "".join(f"  - {{id: n{number}, path: a.py, outputs: [x]}}\n" for number in range(1500))
    found = completed(many + "  - id: r\n    path: r.py\n    inputs:\n      x: n14‸")
    assert labels(found)[0] == "n14/x"
    assert len(found) < MOST_COMPLETIONS


def test_where_nothing_is_known_nothing_is_offered(completed: Complete) -> None:
    assert completed(CAMERA + "    description: ‸") == []
    assert completed("nodes:\n  - id: a\n    nonsense:\n      ‸") == []
