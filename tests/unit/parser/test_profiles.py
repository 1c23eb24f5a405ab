"""Profiles: what is joined how, which faults are told, and where."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from doraflow.diagnostics import Sink
from doraflow.parser.compose import compose
from doraflow.parser.load import load
from doraflow.parser.overlay import overlaid
from doraflow.parser.syntax import MappingNode, SequenceNode

if TYPE_CHECKING:
    from pathlib import Path

    from doraflow.parser.syntax import SyntaxNode
    from tests.unit.parser.conftest import Findings

CAMERA = "nodes:\n  - {id: camera, path: camera.py, args: --device 0, outputs: [image]}\n"


def tree(text: str) -> MappingNode:
    made = compose(text, "x.yml", Sink())
    assert made is not None
    return made


def plain(node: SyntaxNode) -> object:
    if isinstance(node, MappingNode):
        return {entry.key.text: plain(entry.value) for entry in node.entries}
    if isinstance(node, SequenceNode):
        return [plain(item) for item in node.items]
    return node.value


@pytest.mark.parametrize(
    ("base", "over", "joined"),
    [
        ("{a: 1, b: 2}", "{b: 3, c: 4}", {"a": 1, "b": 3, "c": 4}),
        ("{env: {A: 1, B: 2}}", "{env: {B: 3}}", {"env": {"A": 1, "B": 3}}),
        ("{env: {A: 1}}", "{env: {A: null}}", {"env": {}}),
        ("{env: {A: 1}, x: 1}", "{env: ~}", {"x": 1}),
        ("{outputs: [a, b]}", "{outputs: [c]}", {"outputs": ["c"]}),
        (
            "{deploy: {machine: a, working_dir: d}}",
            "{deploy: {machine: b}}",
            {"deploy": {"machine": "b", "working_dir": "d"}},
        ),
        ("{inputs: {x: a/b}}", "{inputs: {x: {queue_size: 2}}}", {"inputs": {"x": {"source": "a/b", "queue_size": 2}}}),
        (
            "{inputs: {x: {source: a/b, queue_size: 2}}}",
            "{inputs: {x: c/d}}",
            {"inputs": {"x": {"source": "c/d", "queue_size": 2}}},
        ),
        ("{inputs: {x: a/b}}", "{inputs: {x: c/d}}", {"inputs": {"x": "c/d"}}),
        (
            "{operator: {python: a.py}}",
            "{operator: {python: {conda_env: c}}}",
            {"operator": {"python": {"source": "a.py", "conda_env": "c"}}},
        ),
        (
            "{communication: {remote: zeromq}}",
            "{communication: {remote: {port_range: 1-2}}}",
            {"communication": {"remote": {"transport": "zeromq", "port_range": "1-2"}}},
        ),
        (
            "{nodes: [{id: a, path: x}, {id: b, path: y}]}",
            "{nodes: {b: {path: z}}}",
            {"nodes": [{"id": "a", "path": "x"}, {"id": "b", "path": "z"}]},
        ),
        (
            "{operators: [{id: a, python: x}]}",
            "{operators: {a: {python: y}}}",
            {"operators": [{"id": "a", "python": "y"}]},
        ),
    ],
)
def test_trees_are_joined_key_by_key(base: str, over: str, joined: object) -> None:
    assert plain(overlaid(tree(base), tree(over))) == joined


def loaded(folder: Path, text: str, profile: str | None) -> tuple[object, list[str]]:
    path = folder / "flow.yml"
    path.write_text(text)
    sink = Sink()
    document = load(path, sink, profile=profile)
    found = [
        f"{each.code} {each.span.line}:{each.span.column} {each.message}" if each.span else each.message
        for each in sink.diagnostics()
    ]
    return (None if document is None else document.dataflow), found


def test_the_chosen_profile_is_laid_over_the_dataflow_and_no_other(tmp_path: Path) -> None:
    text = CAMERA + "profiles:\n  sim: {nodes: {camera: {path: sim.py, args: null}}}\n  lab: {env: {LAB: 1}}\n"
    for profile, path, args, env in (
        (None, "camera.py", "--device 0", {}),
        ("sim", "sim.py", None, {}),
        ("lab", "camera.py", "--device 0", {"LAB": "1"}),
    ):
        dataflow, found = loaded(tmp_path, text, profile)
        assert found == []
        camera = dataflow.nodes[0]  # type: ignore[attr-defined] - a model, or the assertion above fails
        assert (camera.path, camera.args, dataflow.env) == (path, args, env)  # type: ignore[attr-defined] - as above


def test_a_fault_of_the_chosen_profile_is_told_once_in_the_profile(tmp_path: Path) -> None:
    text = CAMERA + "profiles:\n  sim: {nodes: {camera: {restart_policy: allways, pth: x}}}\n"
    assert loaded(tmp_path, text, "sim")[1] == loaded(tmp_path, text, None)[1]
    assert loaded(tmp_path, text, "sim")[1] == [
        "DF112 4:42 `restart_policy` is `allways`, expected one of `always`, `never`, `on-failure`",
        "DF101 4:51 a node has no key `pth`",
    ]


UNKNOWN = {
    "profiles: {sim: {}, lab: }\n": "DF123 3:1 there is no profile `smi`; the profiles are `sim`, `lab`",
    "": "there is no profile `smi`: the dataflow has none",
    "profiles:\n": "DF123 3:1 there is no profile `smi`: the dataflow has none",
}


@pytest.mark.parametrize("profiles", UNKNOWN)
def test_a_profile_that_does_not_exist_is_told_with_the_choices(tmp_path: Path, profiles: str) -> None:
    assert loaded(tmp_path, CAMERA + profiles, "smi")[1] == [UNKNOWN[profiles]]


FAULTS = {
    "profiles: [sim]\n": ["DF103 3:11-16 `profiles` is a list, expected a map"],
    "profiles: {sim: x}\n": ["DF103 3:17-18 `sim` is a text, expected a map"],
    "profiles:\n  sim: {nodse: {}}\n": ["DF101 4:9-14 a profile has no key `nodse`"],
    "profiles:\n  sim: {name: x}\n": ["DF101 4:9-13 a profile has no key `name`"],
    "profiles:\n  sim: {nodes: [{id: camera}]}\n": ["DF103 4:16-30 `nodes` of a profile is a list, expected a map"],
    "profiles:\n  sim: {nodes: {camera: x}}\n": ["DF103 4:25-26 `camera` is a text, expected a map"],
    "profiles:\n  sim: {nodes: {camra: {path: x.py}}}\n": [
        "DF124 4:17-22 the profile `sim` changes `camra`, but there is no node `camra`; the nodes are `camera`"
    ],
    "profiles:\n  sim:\n    nodes:\n      camera:\n": [
        "DF124 6:7-13 `camera` is empty in the profile `sim`, and a profile cannot take a node away"
    ],
    "profiles:\n  sim: {nodes: {camera: {id: other}}}\n": [
        "DF124 4:30-35 the profile `sim` gives `camera` another id, and a profile cannot rename a node"
    ],
    "profiles:\n  sim: {env: {LD_PRELOAD: x}}\n": ["DF114 4:15-25 `LD_PRELOAD` is reserved, so this value is dropped"],
    "profiles:\n  sim: {nodes: {camera: {operator: {python: x.py}}}}\n": [
        "DF109 4:26-34 `path` and `operator` exclude one another: a node has one implementation"
    ],
    "profiles:\n  sim: {hosts: {pi: {address: '10.0.0'}}}\n": [
        "DF510 4:31-39 `address` is `10.0.0`, which is neither an IP address nor a host name"
    ],
}


@pytest.mark.parametrize("profiles", FAULTS)
def test_profiles_that_are_not_chosen_are_checked_too(profiles: str, found: Findings) -> None:
    assert found(CAMERA + profiles) == FAULTS[profiles]


def test_an_operator_that_a_profile_changes_must_exist(found: Findings) -> None:
    node = "nodes:\n  - {id: n, operators: [{id: a, python: a.py}]}\n"
    text = node + "profiles:\n  sim: {nodes: {n: {operators: {b: {python: b.py}}}}}\n"
    assert found(text) == [
        "DF124 4:33-34 the profile `sim` changes `b`, but `n` has no operator `b`; the operators are `a`"
    ]


def test_a_node_inside_a_module_is_changed_through_the_node_that_includes_it(tmp_path: Path) -> None:
    (tmp_path / "m.yml").write_text("module: {name: m}\nnodes: [{id: a, path: a.py}]\n")
    text = "nodes:\n  - {id: nav, module: m.yml}\nprofiles:\n  sim: {nodes: {nav.a: {path: b.py}}}\n"
    assert loaded(tmp_path, text, None)[1] == [
        "DF124 4:17 the profile `sim` changes `nav.a`, which lies inside the module of `nav`"
    ]
    chosen = text.replace("nav.a: {path: b.py}", "nav: {module: other.yml}")
    assert loaded(tmp_path, chosen, "sim")[1] == [
        f"DF120 4:31 there is no module file `{tmp_path.as_posix()}/other.yml`"
    ]


def test_a_node_with_another_implementation_takes_the_first_away(tmp_path: Path) -> None:
    text = CAMERA + "profiles:\n  sim: {nodes: {camera: {path: ~, args: ~, outputs: ~, operator: {python: x.py}}}}\n"
    dataflow, found = loaded(tmp_path, text, "sim")
    assert found == []
    assert dataflow.nodes[0].operator.python.source == "x.py"  # type: ignore[attr-defined] - a model, see above
