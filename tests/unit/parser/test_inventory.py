"""Machines: the rules of their keys, and dora's `cluster.yml` in their place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from doraflow.diagnostics import Sink
from doraflow.parser.load import load
from doraflow.parser.machine_kinds import is_address
from tests.unit.parser.conftest import told

if TYPE_CHECKING:
    from pathlib import Path

    from doraflow.parser.document import Document
    from tests.unit.parser.conftest import Findings

FLOW = "nodes: [{id: a, path: a.py}]\n"


@pytest.mark.parametrize("text", ["10.0.0.2", "::1", "fe80::1", "robot", "robot-1.local", "a_b", "robot.local."])
def test_addresses_are_ips_and_host_names(text: str) -> None:
    assert is_address(text)


@pytest.mark.parametrize("text", ["", "10.0.0", "10.0.0.256", "-x", "x-", "a..b", "a b", "http://x", "x" * 64, "ö"])
def test_anything_else_is_no_address(text: str) -> None:
    assert not is_address(text)


HOSTS = {
    "{pi: {address: '10.0.0.2:22'}}": [
        "DF510 2:23-36 `address` is `10.0.0.2:22`, which holds a port beside the address"
    ],
    "{pi: {address: pi@robot}}": ["DF510 2:23-31 `address` is `pi@robot`, which holds a user beside the address"],
    "{pi: {address: http://x}}": [
        "DF510 2:23-31 `address` is `http://x`, which is neither an IP address nor a host name"
    ],
    "{pi: {cores: 0}}": ["DF104 2:21-22 `cores` is `0`, expected a whole number of 1 or more"],
    "{pi: {memory: 0}}": ["DF104 2:22-23 `memory` is `0`, and no machine has none"],
    "{pi: {memory: 8XB}}": ["DF104 2:22-25 `memory` is `8XB`, expected a size in bytes"],
    "{pi: {ssh: -oProxy=x}}": ["DF511 2:19-28 `ssh` is `-oProxy=x`, which ssh would read as an option"],
    "{pi: {ssh: a b}}": ["DF511 2:19-22 `ssh` is `a b`, which is no SSH destination"],
    "{pi: {ssh: 'pi:22@x'}}": ["DF511 2:19-28 `ssh` is `pi:22@x`, which is no SSH destination"],
    "{pi: {ssh: 'pi@x:70000'}}": ["DF104 2:19-31 the port in `ssh` is `70000`, expected one of 1 to 65535"],
    "{pi: {labels: {a b: c}}}": [
        (
            "DF513 2:23-26 `a b` cannot be the key of a label: only letters, digits, `_`, `-` and `.` are allowed, and "
            "`-` not first"
        )
    ],
    "{pi: {labels: {a: b c}}}": [
        "DF513 2:26-29 `b c` cannot be the value of a label: only letters, digits, `_`, `-` and `.` are allowed"
    ],
    "{p i: {}}": ["DF105 2:9-12 `p i` cannot be a machine's name: files are named after it"],
    "{a: {address: 10.0.0.2}, b: {address: 10.0.0.2}}": [
        "DF512 2:46-54 `a` and `b` have one address, `10.0.0.2`: what counts as two machines may be one"
    ],
    "{a: {address: 127.0.0.1}, b: {address: 127.0.0.1}, c: {address: localhost}, d: {address: localhost}}": [],
    "{pi: {address: fe80::1, ssh: 'pi@[fe80::1]:22', labels: {gpu: true, n: -1}, cores: 4, memory: 8GB}}": [],
}


@pytest.mark.parametrize("hosts", HOSTS)
def test_the_keys_of_a_host_are_judged(hosts: str, found: Findings) -> None:
    assert found(f"{FLOW}hosts: {hosts}\n") == HOSTS[hosts]


def with_cluster(folder: Path, text: str) -> tuple[Document | None, list[str]]:
    (folder / "flow.yml").write_text(FLOW)
    (folder / "cluster.yml").write_text(text)
    sink = Sink()
    return load(folder / "flow.yml", sink, folder / "cluster.yml"), [told(each) for each in sink.diagnostics()]


def test_a_cluster_of_doras_gives_hosts(tmp_path: Path) -> None:
    document, found = with_cluster(
        tmp_path,
        "coordinator: {addr: 10.0.0.1, port: 6013}\n"
        "machines:\n"
        "  - {id: edge, host: jump.example, user: ubuntu, port: 2222, zenoh_addr: 10.0.0.2, labels: {gpu: 'true'}}\n"
        "  - {id: base, host: 'fe80::3', port: 22}\n"
        "  - {id: plain, host: 10.0.0.4, daemon_port: 53291, zenoh_port: 5456}\n",
    )
    assert found == []
    assert document is not None
    hosts = {name: (host.address, host.ssh, host.labels) for name, host in document.dataflow.hosts.items()}
    assert hosts == {
        "edge": ("10.0.0.2", "ubuntu@jump.example:2222", {"gpu": "true"}),
        "base": ("fe80::3", "[fe80::3]:22", {}),
        "plain": ("10.0.0.4", "10.0.0.4", {}),
    }
    assert document.inventory is not None
    assert str(document.inventory.key_span("base")).endswith("cluster.yml:4:10")


HEAD = "coordinator: {addr: 10.0.0.1}\n"
CLUSTERS = {
    "machines: [{id: a, host: b}]\n": ["DF102 1:1-29 this cluster file lacks the key `coordinator`, which is required"],
    "coordinator: {addr: here}\nmachines: [{id: a, host: b}]\n": [
        "DF510 1:21-25 `addr` is `here`, expected an IP address"
    ],
    HEAD + "machines: []\n": ["DF502 2:11-13 this cluster file lists no machine"],
    HEAD + "machines: [{id: a}]\n": ["DF102 2:12-19 this machine lacks the key `host`, which is required"],
    HEAD + "machines: [{id: a, host: b, hosst: c}]\n": ["DF101 2:29-34 a machine has no key `hosst`"],
    HEAD + "machines: [{id: a b, host: b}]\n": [
        "DF105 2:17-20 `a b` cannot be a machine's name: files are named after it"
    ],
    HEAD + "machines: [{id: a, host: b}, {id: a, host: c}]\n": ["DF502 2:35-36 two machines have the id `a`"],
    HEAD + "machines: [{id: a, host: '-oX'}]\n": [
        "DF510 2:26-31 `host` is `-oX`, which is neither an IP address nor a host name"
    ],
    HEAD + "machines: [{id: a, host: b, user: -x}]\n": [
        "DF511 2:35-37 `user` is `-x`, which is no part of an SSH destination: ssh would read it as an option"
    ],
    HEAD + "machines: [{id: a, host: b, daemon_port: 0}]\n": [
        "DF104 2:42-43 `daemon_port` is `0`, expected a whole number of 1 or more"
    ],
    HEAD + "machines: [{id: a, host: b, port: 70000}]\n": ["DF104 2:35-40 `port` is `70000`, expected at most 65535"],
    HEAD + "machines: [{id: a, host: b, zenoh_addr: c}]\n": [
        "DF510 2:41-42 `zenoh_addr` is `c`, expected an IP address"
    ],
    HEAD + "zenoh_peer: a b\nmachines: [{id: a, host: b}]\n": [
        "DF502 2:13-16 `zenoh_peer` is `a b`, which is no endpoint"
    ],
    HEAD + "zenoh_peer: tcp/10.0.0.1:5456\nmachines: [{id: a, host: b, zenoh_port: 5}]\n": [
        "DF109 3:29-39 `zenoh_peer` and `zenoh_port` exclude one another: one endpoint for all, or one for each machine"
    ],
}


@pytest.mark.parametrize("text", CLUSTERS)
def test_what_dora_refuses_in_a_cluster_is_told_at_its_place(text: str, tmp_path: Path) -> None:
    assert with_cluster(tmp_path, text)[1] == CLUSTERS[text]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "DF011 1:1-1 the file is empty, expected a map with the key `hosts`"),
        ("- a\n", "DF012 1:1-4 the file is a list at the top, expected a map with the key `hosts`"),
    ],
)
def test_an_inventory_without_a_map_is_asked_for_hosts(text: str, words: str, tmp_path: Path) -> None:
    assert with_cluster(tmp_path, text)[1] == [words]


def test_type_files_without_a_map_are_asked_for_types(tmp_path: Path) -> None:
    (tmp_path / "types").mkdir()
    (tmp_path / "types/own.yml").write_text("")
    (tmp_path / "flow.yml").write_text(FLOW)
    sink = Sink()
    load(tmp_path / "flow.yml", sink)
    (found,) = sink.diagnostics()
    assert (found.code, found.message) == ("DF011", "the file is empty, expected a map with the key `types`")
    assert found.help == "begin the file with `types:`"
