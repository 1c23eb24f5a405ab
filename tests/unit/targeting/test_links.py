"""Links as targets see them: the same from both ends, and called as the launcher calls them."""

from __future__ import annotations

import doctest
import re
from typing import TYPE_CHECKING

import pytest

from doraflow.targeting import links
from doraflow.targeting.links import LinkNeeds, address_variables
from doraflow.targeting.needs import host_needs
from tests.unit.targeting.plans import LOCAL, TWO, plan_of

if TYPE_CHECKING:
    from pathlib import Path

THREE = """\
name: line
nodes:
  - {id: a, path: a.py, inputs: {tick: dora/timer/hz/1}, outputs: [x], deploy: {machine: one}}
  - {id: b, path: a.py, inputs: {x: a/x}, outputs: [x], deploy: {machine: two}}
  - {id: b2, path: a.py, inputs: {x: a/x}, outputs: [x], deploy: {machine: two}}
  - {id: c, path: a.py, inputs: {x: b/x, y: b2/x}, deploy: {machine: three}}
"""


def test_the_examples_hold() -> None:
    assert doctest.testmod(links).failed == 0


def test_a_link_is_told_with_names_address_and_ports(tmp_path: Path) -> None:
    robot, desk = host_needs(plan_of(TWO, tmp_path))
    assert robot.links == (
        LinkNeeds("desk", "desk", "pair-desk", "DORAFLOW_ADDRESS_DESK", "10.0.0.3", 29400, (), (29401,)),
    )
    assert desk.links == (
        LinkNeeds(*("Robot.1", "robot-1", "pair-robot-1", "DORAFLOW_ADDRESS_ROBOT_1", "10.0.0.2"), 29400, (29401,), ()),
    )
    assert (robot.ports, desk.ports) == ((29400,), (29400, 29401))
    assert desk.keys == ("desk.secret", "desk.public", "Robot.1.public")


def test_what_one_end_listens_on_is_what_the_other_end_connects_to(tmp_path: Path) -> None:
    hosts = {needs.host: needs for needs in host_needs(plan_of(THREE, tmp_path))}
    assert list(hosts) == ["one", "two", "three"]
    for needs in hosts.values():
        assert [link.host for link in needs.links] == [host for host in hosts if host != needs.host]
        for link in needs.links:
            (back,) = [other for other in hosts[link.host].links if other.host == needs.host]
            assert sorted(link.own_ports) == sorted(back.its_ports)
            assert set(link.own_ports) <= set(needs.ports[1:])
    assert [needs.ports for needs in hosts.values()] == [(29400,), (29400, 29401, 29402), (29400, 29401)]
    (to_three,) = [link for link in hosts["one"].links if link.host == "three"]
    assert to_three.own_ports == to_three.its_ports == ()


def test_a_dataflow_on_one_machine_has_no_links_no_ports_and_no_keys(tmp_path: Path) -> None:
    (needs,) = host_needs(plan_of(LOCAL, tmp_path))
    assert (needs.links, needs.ports, needs.keys) == ((), (), ())


def test_links_without_keys_need_none(tmp_path: Path) -> None:
    plan = plan_of(f"{TWO}communication: {{remote: {{insecure: true}}}}\n", tmp_path)
    assert [needs.keys for needs in host_needs(plan)] == [(), ()]


@pytest.mark.parametrize(
    "hosts",
    [
        ["robot", "Robot.1", "base-station", "GPU_box", "3"],
        ["gpu-1", "gpu.1", "GPU 1", "gpu"],
        ["gpü", "gpä", "日本", "中国"],
        ["gpu-1", "gpu.1", "gpu-1-dfe1f80e"],
    ],
)
def test_addresses_are_given_under_the_names_that_the_launcher_reads(hosts: list[str]) -> None:
    from doraflow_runtime.launcher.address_variables import variables

    named = address_variables(hosts)
    assert named == variables(hosts) == address_variables(hosts[::-1])
    assert len(set(named.values())) == len(hosts)
    assert all(re.fullmatch("[A-Z0-9_]+", name) for name in named.values())


def test_hosts_whose_names_are_one_variable_get_two(tmp_path: Path) -> None:
    text = THREE.replace("machine: two", "machine: gpu-1").replace("machine: three", "machine: gpu.1")
    one, *_ = host_needs(plan_of(text, tmp_path))
    assert [link.variable for link in one.links] == [
        "DORAFLOW_ADDRESS_GPU_1_DFE1F80E",
        "DORAFLOW_ADDRESS_GPU_1_26372019",
    ]


def test_files_of_keys_have_the_names_that_the_runtime_looks_for() -> None:
    from doraflow_runtime.keys import files

    assert (links.PRIVATE, links.PUBLIC, links.OLD_PUBLIC) == (files.PRIVATE, files.PUBLIC, files.OLD_PUBLIC)


def over_zenoh(options: str) -> str:
    return f"{TWO}communication: {{remote: {{transport: zenoh, insecure: true{options}}}}}\n"


def test_peers_of_zenoh_have_ports_at_both_ends_of_a_link(tmp_path: Path) -> None:
    robot, desk = host_needs(plan_of(over_zenoh(""), tmp_path))
    assert (robot.ports, desk.ports) == ((29400, 29401), (29400, 29401))
    assert (robot.links[0].its_ports, desk.links[0].own_ports) == ((29401,), (29401,))
    assert (robot.routers, desk.routers) == ((), ())


def test_clients_of_zenoh_need_their_routers_and_listen_nowhere(tmp_path: Path) -> None:
    text = over_zenoh(", mode: client, connect: [tcp/10.0.0.9:7447, 'tls/[fe80::1]:7448?so_rcvbuf=9', unixpipe/x]")
    robot, desk = host_needs(plan_of(text, tmp_path))
    assert (robot.ports, desk.ports) == ((29400,), (29400,))
    assert (robot.links[0].its_ports, desk.links[0].own_ports) == ((), ())
    assert (robot.routers, desk.routers) == ((7447, 7448), (7447, 7448))
