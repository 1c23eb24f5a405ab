"""What targets know of hosts: from the plan and the inventory, and in step with the runtime."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from doraflow_runtime.contract import Field, Scalar, Struct
from doraflow_runtime.launcher import stopping
from doraflow_runtime.launcher.launch import Options

from doraflow.targeting.faults import tell_same_names, tell_without_room
from doraflow.targeting.needs import GRACE, LAST_PATIENCE, MIB, START_TIMEOUT, STOP_SECONDS, host_needs
from tests.unit.targeting.plans import LOCAL, TWO, plan_of, told

if TYPE_CHECKING:
    from pathlib import Path

LARGE = """\
name: large
nodes:
  - {id: a, path: a.py, inputs: {tick: dora/timer/hz/1}, outputs: [x]}
  - {id: b, path: a.py, inputs: {x: {source: a/x, queue_size: 4, queue_policy: backpressure}}}
"""


def test_the_times_are_those_of_the_launcher() -> None:
    assert Options().grace == GRACE
    assert Options().start_timeout == START_TIMEOUT
    assert stopping.LAST_PATIENCE == LAST_PATIENCE


def test_an_engine_waits_longer_than_the_launcher_takes_to_stop() -> None:
    ladder = stopping.StopLadder(float(GRACE))
    ladder.begin(0.0)
    now = 0.0
    while (deadline := ladder.deadline) is not None:
        now = deadline
        ladder.due(now)
    assert ladder.step is stopping.Step.ABANDONED
    assert now < STOP_SECONDS


def test_a_host_is_told_with_its_names_and_its_room(tmp_path: Path) -> None:
    robot, desk = host_needs(plan_of(TWO, tmp_path))
    assert (robot.host, robot.label, robot.unit) == ("Robot.1", "robot-1", "pair-robot-1")
    assert (robot.cores, robot.memory, robot.labels) == (4, 2 * 1024**3, {"kind": "edge"})
    assert (desk.cores, desk.memory, desk.labels) == (None, None, {})


def test_a_dataflow_on_one_machine_has_one_host_without_links(tmp_path: Path) -> None:
    (needs,) = host_needs(plan_of(LOCAL, tmp_path))
    assert (needs.host, needs.unit, needs.links, needs.shared_memory) == ("local", "flow-local", (), 64 * MIB)


def test_shared_memory_holds_the_pools_of_the_plan_in_whole_mebibytes(tmp_path: Path) -> None:
    plan = plan_of(LARGE, tmp_path)
    kind = Struct("own/v1/Big", tuple(Field(f"m{number}", Scalar("Float64")) for number in range(2000)))
    nodes = [
        replace(node, outputs=tuple(replace(port, data_type=kind) for port in node.outputs))
        for node in plan.graph.nodes
    ]
    (needs,) = host_needs(replace(plan, graph=replace(plan.graph, nodes=tuple(nodes))))
    assert needs.shared_memory == 68 * MIB


def test_hosts_whose_names_come_out_alike_are_told(tmp_path: Path) -> None:
    text = TWO.replace("desk", "robot_1")
    assert told(tell_same_names, plan_of(text, tmp_path)) == [
        (
            "error DF863: the hosts `Robot.1` and `robot_1` are both called `robot-1` as a DNS label, and one would "
            "take the other's place"
        )
    ]
    assert told(tell_same_names, plan_of(TWO, tmp_path)) == []


def test_hosts_without_room_are_told_together(tmp_path: Path) -> None:
    words = (
        "note DF864: the inventory gives neither `cores` nor `memory` of {}, so that no engine bounds what runs there"
    )
    assert told(tell_without_room, plan_of(TWO, tmp_path)) == [words.format("`desk`")]
    both = TWO.replace(", cores: 4, memory: 2GB", "")
    assert told(tell_without_room, plan_of(both, tmp_path)) == [words.format("`Robot.1`, `desk`")]
