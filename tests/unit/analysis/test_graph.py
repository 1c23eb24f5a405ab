from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from doraflow.ir import BuildStep, PortReference, Timer, serialize

if TYPE_CHECKING:
    from tests.unit.analysis.conftest import Check

CAMERA = """\
nodes:
  - id: camera
    path: camera.py
    inputs:
      tick: dora/timer/millis/50
    outputs: [image, depth]
  - id: viewer
    path: viewer.py
    inputs:
      image: {source: camera/image, queue_size: 2, queue_policy: backpressure, input_timeout: 1.5}
      depth: camera/depth
"""


def test_a_graph_keeps_the_order_of_the_file(check: Check) -> None:
    assert serialize(check(CAMERA).graph) == (
        "dataflow flow\n"
        "node camera python camera.py @local\n"
        "  in tick <- dora/timer/millis/50 drop_oldest:10\n"
        "  out image\n"
        "  out depth\n"
        "node viewer python viewer.py @local\n"
        "  in image <- camera/image backpressure:2\n"
        "  in depth <- camera/depth drop_oldest:10\n"
        "edge camera/image -> viewer/image\n"
        "edge camera/depth -> viewer/depth\n"
    )


def test_an_input_knows_where_each_of_its_parts_stands(check: Check) -> None:
    image = check(CAMERA).graph.node("viewer").inputs[0]
    assert [str(span) for span in (image.span, image.source_span, image.queue_span, image.timeout_span)] == [
        "flow.yml:10:7",
        "flow.yml:10:23",
        "flow.yml:10:66",
        "flow.yml:10:95",
    ]
    assert (image.source, image.input_timeout) == (PortReference("camera", "image"), 1.5)


def test_a_timer_is_no_edge(check: Check) -> None:
    graph = check(CAMERA).graph
    assert graph.node("camera").inputs[0].source == Timer(50_000_000, "dora/timer/millis/50")
    assert [str(edge.span) for edge in graph.edges] == ["flow.yml:10:23", "flow.yml:11:14"]


@pytest.mark.parametrize(
    ("keys", "kind"),
    [
        ("path: nodes/a.py", "python"),
        ("path: ./target/debug/a", "executable"),
        ("path: a.pyc", "executable"),
        ("path: shell\n    args: echo 'a' | cat", "shell"),
        ("path: dynamic", "dynamic"),
        ("path: https://host/a.py", "url"),
        ("hub: yolo@^0.5", "hub"),
        ("operator: {python: a.py}", "operators"),
        ("operators: [{id: x, python: a.py}]", "operators"),
        ("outputs: [x]\n    ros2: {topic: /t, message_type: std_msgs/String}", "ros2"),
    ],
)
def test_the_kind_of_a_node_follows_from_how_it_is_implemented(check: Check, keys: str, kind: str) -> None:
    assert check(f"nodes:\n  - id: a\n    {keys}\n").graph.nodes[0].kind == kind


def test_a_shell_node_gets_its_command_line_whole(check: Check) -> None:
    checked = check("nodes:\n  - {id: a, path: shell, args: echo 'x' > $HOME/y}\n")
    assert checked.graph.nodes[0].args == ("echo 'x' > $HOME/y",)
    assert checked.told == []


def test_the_environment_of_the_file_is_everyones_and_the_nodes_own_wins(check: Check) -> None:
    graph = check(
        "env: {LEVEL: info, RATE: 1.50, ON: true, PATH_A: $HOME/a, PRICE: $$5}\n"
        "nodes:\n  - {id: a, path: a.py, env: {LEVEL: debug, COUNT: 3}}\n"
    ).graph
    assert graph.nodes[0].env == {
        "LEVEL": "debug",
        "RATE": "1.5",
        "ON": "true",
        "PATH_A": "$HOME/a",
        "PRICE": "$$5",
        "COUNT": "3",
    }


def test_build_steps_are_one_command_a_line_and_run_where_the_node_runs(check: Check) -> None:
    graph = check(
        """\
env: {A: b}
nodes:
  - id: camera
    path: camera.py
    deploy: {working_dir: robot}
    build: |
      pip install x

      make
  - id: runtime
    operators:
      - {id: one, python: one.py, build: pip install y}
"""
    ).graph
    camera, runtime = graph.nodes
    assert camera.builds == (
        BuildStep("camera", ("pip install x", "make"), camera.builds[0].span, "robot", {"A": "b"}),
    )
    assert [(step.owner, step.commands, str(step.span)) for step in runtime.builds] == [
        ("runtime/one", ("pip install y",), "flow.yml:12:42")
    ]


def test_the_build_of_a_module_stands_beside_the_nodes(check: Check) -> None:
    module = "module: {name: m, outputs: [x]}\nbuild: make all\nnodes:\n  - {id: a, path: a.py, outputs: [x]}\n"
    graph = check("nodes:\n  - {id: m, module: m.yml}\n", {"m.yml": module}).graph
    assert [(step.owner, step.commands) for step in graph.builds] == [("m", ("make all",))]


def test_deployment_is_read_key_by_key_from_the_node_and_then_the_file(check: Check) -> None:
    graph = check(
        """\
deploy: {machine: robot, working_dir: work}
nodes:
  - {id: a, path: a.py}
  - {id: b, path: b.py, deploy: {machine: base}}
  - {id: c, path: c.py, deploy: {working_dir: elsewhere}}
  - {id: d, path: d.py, deploy: {labels: {gpu: "yes"}}}
"""
    ).graph
    assert [(node.machine, node.working_directory, str(node.machine_span)) for node in graph.nodes] == [
        ("robot", "work", "flow.yml:1:19"),
        ("base", "work", "flow.yml:4:43"),
        ("robot", "elsewhere", "flow.yml:1:19"),
        (None, "work", "None"),
    ]
    assert graph.nodes[3].deployment == {"labels": {"gpu": "yes"}}


def test_keys_that_do_not_shape_the_graph_are_carried_with_their_places(check: Check) -> None:
    graph = check(
        """\
health_check_interval: 2
nodes:
  - id: a
    path: a.py
    cpu_affinity: [0, 2]
    restart_policy: on-failure
    max_log_size: 1KB
    description: looks
    min_log_level:
"""
    ).graph
    node = graph.nodes[0]
    assert node.cpu_affinity == (0, 2)
    assert list(node.settings.items()) == [
        ("restart_policy", "on-failure"),
        ("max_log_size", 1024),
        ("description", "looks"),
    ]
    assert str(node.setting_spans["max_log_size"]) == "flow.yml:7:5"
    assert graph.settings == {"health_check_interval": 2.0}


def test_a_bridge_to_ros_2_is_carried_as_json_values_with_its_defaults(check: Check) -> None:
    graph = check(
        "nodes:\n  - id: a\n    ros2: {topic: /t, message_type: std_msgs/String, qos: {keep_last: 3}}\n"
        "    outputs: [x]\n"
    ).graph
    assert graph.nodes[0].settings == {
        "ros2": {
            "transport": {"kind": "dds"},
            "topic": "/t",
            "message_type": "std_msgs/String",
            "direction": "subscribe",
            "qos": {"reliable": False, "keep_last": 3, "keep_all": False},
            "namespace": "/",
        }
    }


def test_a_second_node_of_one_id_is_an_error_and_its_outputs_can_still_be_read(check: Check) -> None:
    checked = check(
        """\
nodes:
  - {id: camera, path: a.py, outputs: [image]}
  - {id: camera, path: b.py, outputs: [depth]}
  - {id: viewer, path: v.py, inputs: {image: camera/image, depth: camera/depth}}
"""
    )
    assert checked.told == ["error DF201 3:10 two nodes have the id `camera`; inputs could not tell them apart"]
    assert [(str(label.span), label.text) for label in checked.only("DF201").related] == [
        ("flow.yml:2:10", "the first one is here")
    ]
    assert serialize(checked.graph).count("edge") == 1


def test_an_output_that_is_listed_twice_is_an_error(check: Check) -> None:
    checked = check("nodes:\n  - {id: a, path: a.py, outputs: [x, y, x]}\n")
    assert checked.told == ["error DF202 2:41 the output `x` is listed twice; the second adds nothing"]
    assert [(str(label.span), label.text) for label in checked.only("DF202").related] == [
        ("flow.yml:2:35", "listed here first")
    ]
    assert [port.id for port in checked.graph.nodes[0].outputs] == ["x", "y"]


@pytest.mark.parametrize(
    ("setting", "told", "help_text"),
    [
        (
            "input_types: {imgae: std/media/v1/Image}",
            "`input_types` names `imgae`, which is no input of `a`; its inputs are `image`",
            "to mean the closest input, write `image`",
        ),
        (
            "output_types: {other: std/media/v1/Image}",
            "`output_types` names `other`, which is no output of `a`; its outputs are `box`",
            "add `other` to `outputs`",
        ),
        (
            "output_metadata: {bx: [request_id]}",
            "`output_metadata` names `bx`, which is no output of `a`; its outputs are `box`",
            "to mean the closest output, write `box`",
        ),
        (
            "output_framing: {bx: raw}",
            "`output_framing` names `bx`, which is no output of `a`; its outputs are `box`",
            "to mean the closest output, write `box`",
        ),
    ],
)
def test_a_setting_for_a_port_that_is_not_declared_is_an_error(
    check: Check, setting: str, told: str, help_text: str
) -> None:
    column = setting.index("{") + 6
    checked = check(
        f"nodes:\n  - id: a\n    path: a.py\n    inputs: {{image: b/x}}\n    outputs: [box]\n    {setting}\n"
        "  - {id: b, path: b.py, outputs: [x]}\n"
    )
    assert checked.told == [f"error DF206 6:{column} {told}"]
    assert checked.only("DF206").help == help_text


def test_an_annotation_of_an_optional_module_input_that_stays_open_is_no_error(check: Check) -> None:
    module = """\
module: {name: m, inputs_optional: [extra]}
nodes:
  - id: a
    path: a.py
    inputs: {tick: dora/timer/hz/1, extra: _mod/extra}
    input_types: {extra: std/media/v1/Image}
"""
    checked = check("nodes:\n  - {id: m, module: m.yml}\n", {"m.yml": module})
    assert checked.told == []
    assert [port.id for port in checked.graph.node("m.a").inputs] == ["tick"]


def test_hosts_come_from_the_file_and_the_inventory(check: Check) -> None:
    graph = check(
        "hosts: {robot: {address: 10.0.0.1}}\nnodes: [{id: a, path: a.py}]\n",
        {"machines.yml": "hosts:\n  base: {labels: {gpu: a100}}\n"},
        inventory="machines.yml",
    ).graph
    assert [(host.name, host.address, host.labels, str(host.span)) for host in graph.hosts] == [
        ("robot", "10.0.0.1", {}, "flow.yml:1:9"),
        ("base", None, {"gpu": "a100"}, "machines.yml:2:3"),
    ]


def test_text_that_an_alias_puts_into_two_nodes_is_told_of_once(check: Check) -> None:
    checked = check(
        """\
nodes:
  - id: a
    path: a.py
    inputs: &wanted {x: camra/image}
  - id: b
    path: b.py
    inputs: *wanted
  - {id: camera, path: camera.py, outputs: [image]}
"""
    )
    assert [line.split(";")[0] for line in checked.told] == ["error DF203 4:25 there is no node `camra`"]
