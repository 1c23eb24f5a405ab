"""Ports of dataflows that run side by side, and of hosts that share an address."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from doraflow.analysis.between_hosts import ports
from doraflow.analysis.shared_ports import check_shared_ports
from doraflow.diagnostics import Sink

if TYPE_CHECKING:
    from doraflow.ir import Graph
    from tests.unit.analysis.conftest import Check


def flow(hosts: str, head: str = "", *machines: str) -> str:
    first, second = machines or ("a", "b")
    return (
        f"hosts: {{{hosts}}}\n{head}nodes:\n"
        f"  - {{id: camera, path: c.py, outputs: [image], deploy: {{machine: {first}}}}}\n"
        f"  - {{id: viewer, path: v.py, inputs: {{i: camera/image}}, deploy: {{machine: {second}}}}}\n"
        f"  - {{id: writer, path: w.py, inputs: {{i: camera/image}}, deploy: {{machine: {second}}}}}\n"
    )


APART = "a: {address: 10.0.0.1}, b: {address: 10.0.0.2}"
RANGE = "communication: {remote: {transport: zeromq, port_range: 29403-29500}}\n"


def graph_of(check: Check, text: str) -> Graph:
    checked = check(text)
    assert [line for line in checked.told if line.startswith("error")] == []
    return checked.graph


@pytest.mark.parametrize(
    ("hosts", "launchers", "nodes"),
    [
        (APART, [29400, 29400], [29401, 29402]),
        ("a: {address: 127.0.0.1}, b: {address: localhost}", [29400, 29401], [29402, 29403]),
        ("a: {}, b: {}", [29400, 29400], [29401, 29402]),
    ],
)
def test_hosts_of_one_address_share_its_ports(check: Check, hosts: str, launchers: list[int], nodes: list[int]) -> None:
    given = ports(graph_of(check, flow(hosts)))
    assert (list(given.launchers.values()), list(given.nodes.values())) == (launchers, nodes)


def test_a_range_that_is_too_small_for_an_address_is_an_error(check: Check) -> None:
    text = flow("a: {address: localhost}, b: {address: 127.0.0.1}", RANGE.replace("29500", "29405"))
    assert check(text).only("DF830").message == (
        "the hosts `a` and `b` have one address, and need 4 ports, one for each launcher and one for each node that "
        "reads from other hosts, and `29403-29405` has 3"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (flow(APART), "`flow.yml` and `flow.yml` both use port 29400 of `a`"),
        (flow("b: {address: 10.0.0.2}, c: {address: 10.0.0.3}", "", "c", "b"), "both use the ports 29400 to 29402 of"),
        (flow("x: {address: 10.0.0.3}, y: {address: 10.0.0.1}", "", "x", "y"), "both use port 29400 of `y`"),
        (flow(APART, RANGE), ""),
        (flow("x: {address: 10.0.0.3}, y: {address: 10.0.0.4}", "", "x", "y"), ""),
        (flow(APART, "", "a", "a"), ""),
    ],
)
def test_dataflows_that_share_hosts_need_ports_apart(check: Check, text: str, message: str) -> None:
    sink = Sink()
    check_shared_ports([graph_of(check, flow(APART)), graph_of(check, text)], sink)
    found = sink.diagnostics()
    assert [finding.code for finding in found] == (["DF896"] if message else [])
    assert all(message in finding.message for finding in found)


def test_the_mend_of_shared_ports_begins_behind_all_of_both(check: Check) -> None:
    sink = Sink()
    graph = graph_of(check, flow(APART))
    check_shared_ports([graph, graph_of(check, flow(APART))], sink)
    assert sink.diagnostics()[0].help == (
        "write `port_range: 29403-29658` under `communication: remote:` in `flow.yml`, "
        "or launch one of them with `--port-base 29403` on every host"
    )
