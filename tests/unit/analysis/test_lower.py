from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from doraflow_runtime.contract import InputWiring, OperatorWiring, OutputWiring, Process, Scalar
from hypothesis import given
from hypothesis import strategies as st

from doraflow.analysis.lower import lower
from doraflow.ir import DEFAULT_HOST, serialize
from tests.unit.analysis.graphs import graph_of, graphs

if TYPE_CHECKING:
    from doraflow.ir import Graph
    from tests.unit.analysis.conftest import Check

FLOW = """\
name: patrol
env: {LEVEL: info}
nodes:
  - id: camera
    path: nodes/camera.py
    args: --device 0
    cpu_affinity: [1]
    spawn: exec
    inputs: {tick: dora/timer/millis/50}
    outputs: [image]
    output_types: {image: std/core/v1/Bytes}
    deploy: {machine: robot}
  - id: filter
    path: ./target/filter
    inputs: {image: {source: camera/image, queue_size: 1, queue_policy: backpressure}}
    outputs: [edges]
    deploy: {machine: robot}
  - id: viewer
    path: shell
    args: cat | less
    inputs: {edges: filter/edges}
"""


def test_each_host_gets_its_processes_and_the_links_that_touch_it(check: Check) -> None:
    plan = lower(check(FLOW).graph)
    assert [host.host for host in plan.hosts] == ["robot", "local"]
    robot, local = (host.wiring for host in plan.hosts)
    assert [(link.index, link.producer, link.consumer, link.transport) for link in robot.links] == [
        (1, "camera", "filter", "shm"),
        (2, "filter", "viewer", "zmq"),
    ]
    assert [link.index for link in local.links] == [2]
    assert [node.id for node in robot.nodes] == ["camera", "filter"]
    assert (robot.contract, robot.dataflow, robot.host) == (1, "patrol", "robot")


def test_the_rows_of_the_launchers_say_what_to_start(check: Check) -> None:
    plan = lower(check(FLOW).graph)
    assert plan.hosts[0].processes == (
        Process(
            node="camera",
            kind="python",
            path="nodes/camera.py",
            args=("--device", "0"),
            env={"LEVEL": "info"},
            cpu_affinity=(1,),
            spawn="exec",
            place="flow.yml:4:9",
        ),
        Process(node="filter", kind="executable", path="target/filter", env={"LEVEL": "info"}, place="flow.yml:13:9"),
    )
    assert plan.hosts[1].processes == (
        Process(
            node="viewer",
            kind="shell",
            path="shell",
            args=("cat | less",),
            env={"LEVEL": "info"},
            place="flow.yml:18:9",
        ),
    )


def test_ports_are_wired_with_their_queues_timers_and_types(check: Check) -> None:
    camera, filtering = lower(check(FLOW).graph).hosts[0].wiring.nodes
    assert camera.inputs == (
        InputWiring("tick", "dora/timer/millis/50", interval_ns=50_000_000, data_type=Scalar("UInt64")),
    )
    assert camera.outputs == (OutputWiring("image", Scalar("LargeBinary")),)
    assert filtering.inputs == (InputWiring("image", "camera/image", 1, "backpressure", 0, Scalar("LargeBinary")),)


def test_operators_are_wired_with_their_scripts(check: Check) -> None:
    plan = lower(
        check(
            """\
nodes:
  - {id: camera, path: c.py, outputs: [image]}
  - id: face
    operator: {python: ./face.py, inputs: {image: camera/image}, outputs: [box]}
  - {id: log, path: l.py, inputs: {box: face/box}}
"""
        ).graph
    )
    face = plan.hosts[0].wiring.nodes[1]
    assert face.operators == (OperatorWiring("op", "python", "face.py"),)
    assert [port.id for port in face.inputs] == ["op/image"]
    assert plan.hosts[0].wiring.nodes[2].inputs[0].source == "face/op/box"
    assert [process.kind for process in plan.hosts[0].processes] == ["python", "operators", "python"]
    assert plan.sources == ("c.py", "face.py", "l.py")


def test_sources_are_the_files_inside_the_folder_each_once(check: Check) -> None:
    plan = lower(
        check(
            """\
nodes:
  - {id: a, path: ./nodes/a.py}
  - {id: b, path: nodes/a.py}
  - {id: c, path: ../c.py}
  - {id: d, path: /opt/d}
  - {id: e, path: nodes/../e.py}
  - {id: f, path: nodes/../../f.py}
  - {id: g, path: ffmpeg}
  - {id: h, path: shell, args: ls}
  - {id: i, path: i.py, deploy: {working_dir: work}}
"""
        ).graph
    )
    assert plan.sources == ("nodes/a.py", "e.py", "ffmpeg", "work/i.py")


@pytest.mark.parametrize(
    ("path", "folder", "expected"),
    [
        ("a.py", "work", "work/a.py"),
        ("./a.py", ".", "a.py"),
        ("bin/tool", "work", "work/bin/tool"),
        ("tool", "work", "tool"),
        ("/opt/a.py", "work", "/opt/a.py"),
    ],
)
def test_paths_start_at_the_working_directory_but_commands_do_not(
    check: Check, path: str, folder: str, expected: str
) -> None:
    plan = lower(check(f"nodes: [{{id: a, path: {path}, deploy: {{working_dir: {folder}}}}}]\n").graph)
    (process,) = plan.hosts[0].processes
    assert (process.path, process.working_directory) == (expected, folder)


def test_the_place_of_a_node_is_relative_to_the_dataflows_folder(check: Check) -> None:
    module = "module: {name: m}\nnodes:\n  - {id: a, path: a.py}\n"
    plan = lower(check("nodes: [{id: m, module: parts/m.yml}]\n", {"parts/m.yml": module}).graph)
    assert plan.hosts[0].processes[0].place == "parts/m.yml:3:10"


def spread(graph: Graph, hosts: list[str]) -> Graph:
    from dataclasses import replace

    nodes = (replace(node, host=host) for node, host in zip(graph.nodes, hosts, strict=False))
    return replace(graph, nodes=tuple(nodes))


@given(graphs(), st.lists(st.sampled_from([DEFAULT_HOST, "robot", "base"]), min_size=8, max_size=8))
def test_lowering_loses_and_reorders_nothing(graph: Graph, hosts: list[str]) -> None:
    graph = spread(graph, hosts)
    plan = lower(graph)
    placed = {node.id: node.host for node in graph.nodes}
    assert [host.host for host in plan.hosts] == list(dict.fromkeys(placed.values()))
    links = {link.index: link for host in plan.hosts for link in host.wiring.links}
    assert sorted(links) == list(range(1, len(graph.edges) + 1))
    for edge, index in zip(graph.edges, sorted(links), strict=True):
        link = links[index]
        assert (link.producer, link.output, link.consumer, link.input) == (
            edge.producer,
            edge.output,
            edge.consumer,
            edge.input,
        )
        assert (link.transport == "shm") == (placed[edge.producer] == placed[edge.consumer])
    for host in plan.hosts:
        here = [node.id for node in graph.nodes if node.host == host.host]
        assert [process.node for process in host.processes] == here
        assert [node.id for node in host.wiring.nodes] == here
        indexes = [link.index for link in host.wiring.links]
        assert indexes == sorted(set(indexes))


def test_a_plan_is_read_as_its_graph_and_its_hosts() -> None:
    assert serialize(lower(graph_of("ab", [("a", "b")]))).splitlines()[-2:] == [
        "edge a/x -> b/i1",
        "host local: a b",
    ]
