"""Modules: what they expand to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.unit.parser.modules import CHAIN, FLOW, _name, nodes, sources

if TYPE_CHECKING:
    from tests.unit.parser.modules import Project


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
