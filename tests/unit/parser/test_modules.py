"""Modules: what they expand to, and what is said of wrong ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from doraflow.diagnostics import Diagnostic
from doraflow.parser.document import Document

if TYPE_CHECKING:
    from pathlib import Path

    from doraflow.parser.model import Node

Project = Callable[[dict[str, str]], tuple[Document | None, tuple[Diagnostic, ...]]]

CHAIN = """\
module:
  name: chain
  inputs: [raw]
  inputs_optional: [config]
  outputs: [clean]
build: pip install filters
nodes:
  - id: first
    path: first.py
    args: --speed $PARAM_SPEED
    inputs:
      data: {source: _mod/raw, queue_size: 3}
      config: _mod/config
      tick: dora/timer/millis/10
    outputs: [middle]
  - id: last
    path: ../shared/last.py
    env: {MODE: inner}
    inputs: {data: first/middle}
    outputs: [clean]
"""

FLOW = """\
nodes:
  - id: camera
    path: camera.py
    outputs: [image]
  - id: stage
    module: modules/chain.yml
    inputs:
      raw: {source: camera/image, queue_size: 7, queue_policy: backpressure}
    params: {speed: 2.0}
    env: {MODE: outer, LEVEL: 3}
    deploy: {machine: gpu}
  - id: sink
    path: sink.py
    inputs: {clean: stage/clean}
"""


def nodes(document: Document | None) -> dict[str, Node]:
    assert document is not None
    return {declared.node.id: declared.node for declared in document.nodes}


def sources(node: Node) -> dict[str, str]:
    return {port: options.source for port, options in node.inputs.items()}


def told(found: tuple[Diagnostic, ...]) -> list[str]:
    """Write findings as `CODE file:line:column message <- label, …`."""
    lines = []
    for diagnostic in found:
        span = diagnostic.span
        assert span is not None
        labels = ", ".join(
            f"{_name(label.span.file)}:{label.span.line}:{label.span.column}" for label in diagnostic.related
        )
        place = f"{_name(span.file)}:{span.line}:{span.column}"
        lines.append(f"{diagnostic.code} {place} {diagnostic.message}" + (f" <- {labels}" if labels else ""))
    return lines


def _name(file: str) -> str:
    return file.rsplit("/", 1)[-1]


def test_a_module_is_replaced_by_its_nodes_in_place(project: Project) -> None:
    document, found = project({"dataflow.yml": FLOW, "modules/chain.yml": CHAIN})
    assert found == ()
    assert list(nodes(document)) == ["camera", "stage.first", "stage.last", "sink"]


def test_references_lead_to_the_nodes_inside(project: Project) -> None:
    flat = nodes(project({"dataflow.yml": FLOW, "modules/chain.yml": CHAIN})[0])
    assert sources(flat["stage.first"]) == {"data": "camera/image", "tick": "dora/timer/millis/10"}
    assert sources(flat["stage.last"]) == {"data": "stage.first/middle"}
    assert sources(flat["sink"]) == {"clean": "stage.last/clean"}


def test_the_options_inside_win_over_those_of_the_connection(project: Project) -> None:
    data = nodes(project({"dataflow.yml": FLOW, "modules/chain.yml": CHAIN})[0])["stage.first"].inputs["data"]
    assert (data.queue_size, data.queue_policy) == (3, "backpressure")


def test_paths_environment_parameters_and_deployment_reach_the_nodes_inside(project: Project) -> None:
    flat = nodes(project({"dataflow.yml": FLOW, "modules/chain.yml": CHAIN})[0])
    first, last = flat["stage.first"], flat["stage.last"]
    assert (first.path, last.path) == ("modules/first.py", "shared/last.py")
    assert first.args == "--speed 2.0"
    assert first.env == {"MODE": "outer", "LEVEL": "3", "PARAM_SPEED": "2.0"}
    assert last.env == {"MODE": "inner", "LEVEL": "3", "PARAM_SPEED": "2.0"}
    assert first.deploy is not None
    assert first.deploy.machine == "gpu"


def test_the_build_of_a_module_is_one_step_for_each_inclusion(project: Project) -> None:
    flow = "env: {SHARED: x}\n" + FLOW.replace("    params", "    build: make\n    params")
    document, found = project({"dataflow.yml": flow, "modules/chain.yml": CHAIN})
    assert found == ()
    assert document is not None
    steps = [(step.owner, step.commands, _name(step.span.file), step.span.line) for step in document.module_builds]
    assert steps == [("stage", ("make",), "dataflow.yml", 10), ("stage", ("pip install filters",), "chain.yml", 6)]
    assert document.module_builds[0].env == {"SHARED": "x", "MODE": "outer", "LEVEL": "3", "PARAM_SPEED": "2.0"}


def test_nodes_know_where_they_come_from_and_where_their_ports_are_connected(project: Project) -> None:
    document, _ = project({"dataflow.yml": FLOW, "modules/chain.yml": CHAIN})
    assert document is not None
    first = document.nodes[1]
    assert first.module is not None
    assert (first.module.span.line, first.module.text) == (6, "the module `stage` is included here")
    assert _name(first.syntax.span.file) == "chain.yml"
    [(inside, outside)] = first.wired.items()
    assert (_name(inside.file), inside.line, inside.column) == ("chain.yml", 12, 22)
    assert (_name(outside.file), outside.line, outside.column) == ("dataflow.yml", 8, 21)
    assert document.nodes[0].module is None
    assert sorted(_name(file) for file in document.texts) == ["chain.yml", "dataflow.yml"]


OUTER = """\
module: {name: outer, inputs: [data], outputs: [result, done]}
nodes:
  - id: inner
    module: inner/chain.yml
    inputs: {raw: _mod/data}
    params: {speed: $PARAM_PACE}
  - id: post
    operators:
      - {id: op, python: post.py, inputs: {data: inner/clean}, outputs: [result]}
  - id: end
    operator: {python: end.py, inputs: {data: post/op/result}, outputs: [done]}
"""

OUTER_FLOW = """\
nodes:
  - id: far
    module: modules/outer.yml
    inputs: {data: dora/timer/secs/1}
    params: {pace: 9}
  - id: sink
    operator: {python: sink.py, inputs: {a: far/result, b: far/done}}
"""


def test_modules_nest(project: Project) -> None:
    files = {"dataflow.yml": OUTER_FLOW, "modules/outer.yml": OUTER, "modules/inner/chain.yml": CHAIN}
    document, found = project(files)
    assert found == ()
    flat = nodes(document)
    assert list(flat) == ["far.inner.first", "far.inner.last", "far.post", "far.end", "sink"]
    assert sources(flat["far.inner.first"])["data"] == "dora/timer/secs/1"
    assert flat["far.inner.first"].path == "modules/inner/first.py"
    assert flat["far.inner.last"].path == "modules/shared/last.py"
    assert flat["far.inner.first"].args == "--speed 9"
    post, end, sink = flat["far.post"].operators, flat["far.end"].operator, flat["sink"].operator
    assert post is not None
    assert end is not None
    assert sink is not None
    assert {port: options.source for port, options in post[0].inputs.items()} == {"data": "far.inner.last/clean"}
    assert end.inputs["data"].source == "far.post/op/result"
    assert {port: options.source for port, options in sink.inputs.items()} == {
        "a": "far.post/op/result",
        "b": "far.end/done",
    }
    assert post[0].python is not None
    assert post[0].python.source == "modules/post.py"


def test_a_place_of_connection_is_followed_through_nested_modules(project: Project) -> None:
    files = {"dataflow.yml": OUTER_FLOW, "modules/outer.yml": OUTER, "modules/inner/chain.yml": CHAIN}
    document, _ = project(files)
    assert document is not None
    [outside] = document.nodes[0].wired.values()
    assert (_name(outside.file), outside.line, outside.column) == ("dataflow.yml", 4, 20)


def test_one_module_may_be_included_twice(project: Project) -> None:
    flow = """\
nodes:
  - {id: t, path: t.py, outputs: [o]}
  - {id: a, module: chain.yml, inputs: {raw: t/o}, params: {speed: 1}}
  - {id: b, module: ./chain.yml, inputs: {raw: a/clean, config: t/o}, params: {speed: 2}}
"""
    document, found = project({"dataflow.yml": flow, "chain.yml": CHAIN})
    assert found == ()
    flat = nodes(document)
    assert list(flat) == ["t", "a.first", "a.last", "b.first", "b.last"]
    assert sources(flat["b.first"]) == {"data": "a.last/clean", "config": "t/o", "tick": "dora/timer/millis/10"}
    assert (flat["a.first"].args, flat["b.first"].args) == ("--speed 1", "--speed 2")


def test_commands_and_special_paths_are_no_files_of_the_module(project: Project) -> None:
    inside = "\n".join(
        f"  - {{id: n{number}, path: '{path}'}}"
        for number, path in enumerate(["dynamic", "shell", "rerun", "/opt/x", "https://x.y/z.py", "run", "x.py"])
    )
    module = f"module: {{name: m}}\nnodes:\n{inside}\n"
    flow = "nodes:\n  - {id: m, module: modules/m.yml}\n"
    document, _ = project({"dataflow.yml": flow, "modules/m.yml": module, "modules/run": "#!/bin/sh\n"})
    paths = [node.path for node in nodes(document).values()]
    assert paths == ["dynamic", "shell", "rerun", "/opt/x", "https://x.y/z.py", "modules/run", "modules/x.py"]


def flow_with(module_line: str, rest: str = "") -> str:
    return f"nodes:\n  - id: m\n    module: {module_line}\n{rest}"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("/etc/passwd", "the path `/etc/passwd` is absolute, and a module lies in the dataflow's folder"),
        ("../m.yml", "the path `../m.yml` leads out of the dataflow's folder"),
        ("a/../../m.yml", "the path `a/../../m.yml` leads out of the dataflow's folder"),
    ],
)
def test_modules_lie_in_the_folder_of_the_dataflow(project: Project, line: str, message: str) -> None:
    document, found = project({"dataflow.yml": flow_with(line)})
    assert document is not None
    assert (document.nodes, document.missing) == ((), {"m"})
    assert told(found) == [f"DF120 dataflow.yml:3:13 {message}"]


def test_a_link_that_leads_out_of_the_folder_is_refused(project: Project, tmp_path: Path) -> None:
    (tmp_path / "flow").mkdir()
    (tmp_path / "outside.yml").write_text(CHAIN)
    (tmp_path / "flow" / "link.yml").symlink_to(tmp_path / "outside.yml")
    document, found = project({"flow/dataflow.yml": flow_with("link.yml")})
    assert nodes(document) == {}
    assert told(found) == ["DF120 dataflow.yml:3:13 the path `link.yml` leads out of the dataflow's folder"]


def test_a_missing_module_file_is_told_with_a_near_one(project: Project) -> None:
    document, [found] = project({"dataflow.yml": flow_with("modules/chian.yml"), "modules/chain.yml": CHAIN})
    assert nodes(document) == {}
    assert found.message.startswith("there is no module file `")
    assert found.message.endswith("/modules/chian.yml`")
    assert found.help == "write `modules/chain.yml`"


def test_a_missing_module_brings_no_second_finding(project: Project) -> None:
    flow = flow_with("absent.yml", "  - {id: sink, path: s.py, inputs: {x: m/clean}}\n")
    assert [found.code for found in project({"dataflow.yml": flow})[1]] == ["DF120"]


def test_a_module_that_includes_itself_is_drawn(project: Project) -> None:
    one = "module: {name: one}\nnodes:\n  - {id: b, module: two.yml}\n"
    two = "module: {name: two}\nnodes:\n  - {id: a, module: one.yml}\n"
    document, found = project({"dataflow.yml": flow_with("one.yml"), "one.yml": one, "two.yml": two})
    assert document is not None
    assert document.missing == {"m.b.a"}
    assert told(found) == [
        "DF120 two.yml:3:21 the module includes itself: one.yml -> two.yml -> one.yml <- dataflow.yml:3:13"
    ]


def test_modules_nest_eight_deep_and_no_deeper(project: Project) -> None:
    def files(depth: int) -> dict[str, str]:
        inner = {
            f"m{level}.yml": f"module: {{name: m}}\nnodes:\n  - {{id: n, module: m{level + 1}.yml}}\n"
            for level in range(1, depth)
        }
        leaf = "module: {name: m}\nnodes:\n  - {id: n, path: x.py}\n"
        return {"dataflow.yml": flow_with("m1.yml"), **inner, f"m{depth}.yml": leaf}

    document, found = project(files(8))
    assert found == ()
    assert list(nodes(document)) == ["m" + ".n" * 8]
    document, [too_deep] = project(files(9))
    assert nodes(document) == {}
    assert too_deep.message == (
        "modules nest more than 8 deep: " + " -> ".join(f"m{level}.yml" for level in range(1, 10))
    )


def test_faults_inside_a_module_file_are_told_there(project: Project) -> None:
    module = "module: {name: m, input: [x]}\nnodes:\n  - id: a/b\n    path: x\n"
    document, found = project({"dataflow.yml": flow_with("m.yml"), "m.yml": module})
    assert document is not None
    assert (document.missing, document.nameless) == ({"m.a/b"}, False)
    assert told(found) == [
        "DF101 m.yml:1:19 a module header has no key `input`",
        "DF105 m.yml:3:9 `a/b` is not a node id: it holds `/`, which separates a node from its output",
    ]


TWO_PRODUCERS = """\
module: {name: filter, outputs: [o]}
nodes:
  - {id: a, path: x, outputs: [o]}
  - {id: b, operators: [{id: p, python: x, outputs: [o]}]}
"""
PASSED_ON = "so the reference to it is passed on as it stands"
LOST = "one of the two would be lost"

PORTS = {
    "a required port is open": (
        flow_with("m.yml", "    inputs:\n      other: a/b\n"),
        "module: {name: filter, inputs: [raw], inputs_optional: [other]}\nnodes: []\n",
        ["DF121 dataflow.yml:4:5 the module `filter` needs the input `raw`, and `m` does not connect it <- m.yml:1:24"],
    ),
    "a port does not exist": (
        flow_with("m.yml", "    inputs:\n      other: a/b\n"),
        "module: {name: filter}\nnodes: []\n",
        ["DF121 dataflow.yml:5:7 the module `filter` has no input `other`: its inputs are none <- m.yml:1:9"],
    ),
    "a misspelt port is told once": (
        flow_with("m.yml", "    inputs:\n      rwa: a/b\n"),
        "module: {name: filter, inputs: [raw]}\nnodes: []\n",
        ["DF121 dataflow.yml:5:7 the module `filter` has no input `rwa`: its inputs are `raw` <- m.yml:1:24"],
    ),
    "a reference inside names no port": (
        flow_with("m.yml"),
        "module: {name: filter, inputs_optional: [raw]}\nnodes:\n  - {id: a, path: x, inputs: {i: _mod/rwa}}\n",
        ["DF121 m.yml:3:34 `_mod/rwa` names no input of the module `filter`: its inputs are `raw`"],
    ),
    "an output has no producer": (
        flow_with("m.yml"),
        "module:\n  name: filter\n  outputs:\n    - out\nnodes:\n  - {id: a, path: x, outputs: [o]}\n",
        ["DF121 m.yml:4:7 no node inside the module `filter` produces its output `out`"],
    ),
    "an output has two producers": (
        flow_with("m.yml"),
        TWO_PRODUCERS,
        ["DF121 m.yml:1:34 several nodes inside the module `filter` produce its output `o`: `m.a/o`, `m.b/p/o`"],
    ),
    "a reader names no output": (
        flow_with("m.yml", "  - {id: sink, path: x, inputs: {i: m/celan}}\n"),
        "module: {name: filter, outputs: [clean]}\nnodes:\n  - {id: a, path: x, outputs: [clean]}\n",
        ["DF121 dataflow.yml:4:37 the module `m` has no output `celan`: its outputs are `clean`"],
    ),
    "an output that was reported is not reported at its readers": (
        flow_with("m.yml", "  - {id: sink, path: x, inputs: {i: m/out}}\n"),
        "module: {name: filter, outputs: [out]}\nnodes: []\n",
        ["DF121 m.yml:1:34 no node inside the module `filter` produces its output `out`"],
    ),
    "a port is both required and optional": (
        flow_with("m.yml", "    inputs: {raw: a/b}\n"),
        "module: {name: filter, inputs: [raw], inputs_optional: [raw]}\nnodes: []\n",
        ["DF120 m.yml:1:57 the port `raw` stands twice in the header of the module `filter`"],
    ),
    "a parameter is missing": (
        flow_with("m.yml"),
        "module: {name: filter}\nnodes:\n  - {id: a, path: x, args: -s $PARAM_SPEED}\n",
        [f"DF122 m.yml:3:28 `m` gives no parameter `speed`, {PASSED_ON} <- dataflow.yml:3:13"],
    ),
    "parameters collide and are malformed": (
        flow_with("m.yml", "    params: {mode: a, Mode: b, a-b: c}\n"),
        "module: {name: filter}\nnodes: []\n",
        [
            f"DF122 dataflow.yml:4:23 `Mode` and another parameter are both `$PARAM_MODE`; {LOST} <- dataflow.yml:4:14",
            "DF122 dataflow.yml:4:32 `a-b` cannot be the name of a parameter: only letters, digits and `_` are allowed",
        ],
    ),
}


@pytest.mark.parametrize(("flow", "module", "expected"), PORTS.values(), ids=list(PORTS))
def test_ports_and_parameters_are_judged_in_both_files(
    project: Project, flow: str, module: str, expected: list[str]
) -> None:
    document, found = project({"dataflow.yml": flow, "m.yml": module})
    assert told(found) == expected
    assert document is not None


def test_keys_without_effect_beside_a_module_are_refused(project: Project) -> None:
    module = "module: {name: filter}\nnodes: []\n"
    flow = flow_with("m.yml", "    args: -x\n    outputs: [y]\n    build: make\n    env: {A: b}\n")
    _, found = project({"dataflow.yml": flow, "m.yml": module})
    assert told(found) == [
        "DF109 dataflow.yml:4:5 `args` has no effect beside `module` <- dataflow.yml:3:5",
        "DF109 dataflow.yml:5:5 `outputs` has no effect beside `module` <- dataflow.yml:3:5",
    ]


def test_an_expansion_without_bound_is_refused(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("doraflow.parser.modules.MOST_NODES", 50)
    wide = "module: {name: m}\nnodes:\n"
    middle = wide + "".join(f"  - {{id: n{number}, module: leaf.yml}}\n" for number in range(10))
    leaf = wide + "".join(f"  - {{id: n{number}, path: x}}\n" for number in range(10))
    document, found = project({"dataflow.yml": flow_with("middle.yml"), "middle.yml": middle, "leaf.yml": leaf})
    assert len(nodes(document)) == 40
    assert {diagnostic.message for diagnostic in found} == {"the modules expand to more than 50 nodes"}
