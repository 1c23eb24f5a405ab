"""The comparison across a link: where nodes are placed, how peers are started there, and how figures are told."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from bench.far.dora_cluster import Cluster
from bench.far.hosts import Hosts, placed
from bench.far.pages import readme, section
from bench.far.peers import CurveZmq, FarDora, FarZmq, peers
from bench.far.targets import TARGETS
from bench.flow import Vertex, flow
from bench.kinds.case import Case, Figure
from bench.peers.peer import Workshop
from bench.results import Results
from bench.running import Command
from bench.targets import judge

if TYPE_CHECKING:
    from pathlib import Path

    from bench.flow import Flow


@pytest.fixture
def made() -> Flow:
    return flow("latency", [Vertex("source", "pacer"), Vertex("sink", "clock", "source")], ["sink"])


def test_the_sender_is_on_the_near_host_and_its_reader_on_the_far_one(made: Flow) -> None:
    assert placed(made) == {"source": "near", "sink": "far"}


def test_a_command_on_a_host_has_shared_memory_of_its_own() -> None:
    command = Hosts().inside("far", Command(("program", "-x"), {"A": "1"}))
    *exec_, shell, _, script, _, program, option = command.arguments
    assert exec_[:3] == ["ip", "netns", "exec"]
    assert exec_[3].startswith("dfbench")
    assert exec_[3].endswith("far")
    assert shell == "sh"
    assert script == 'mount -t tmpfs tmpfs /dev/shm && exec "$@"'
    assert (program, option, command.environment) == ("program", "-x", {"A": "1"})


def test_the_reader_of_a_bare_process_is_started_first_and_both_know_the_link(made: Flow, tmp_path: Path) -> None:
    commands = FarZmq(Workshop(), Hosts()).commands(made, tmp_path)
    assert [command.environment["BENCH_NODE"] for command in commands] == ["sink", "source"]
    assert [command.arguments[3].removeprefix("dfbench")[6:] for command in commands] == ["far", "near"]
    assert {command.environment["BENCH_LINK"] for command in commands} == {"10.98.0.1:29500"}
    assert all("BENCH_CURVE" not in command.environment for command in commands)


def test_encryption_is_asked_of_both_ends(made: Flow, tmp_path: Path) -> None:
    commands = CurveZmq(Workshop(), Hosts()).commands(made, tmp_path)
    assert [command.environment["BENCH_CURVE"] for command in commands] == ["1", "1"]


def test_the_daemons_of_dora_dial_each_other_and_the_coordinator(made: Flow, tmp_path: Path) -> None:
    (command,) = FarDora(Workshop(), Hosts()).commands(made, tmp_path)
    cluster = Cluster(**json.loads(command.arguments[2]))
    assert "deploy: {machine: far}" in (tmp_path / "dataflow.yml").read_text()
    assert cluster.coordinator()[-4:] == ["--interface", "10.98.0.1", "--store", "memory"]
    told = " ".join(cluster.daemon("far"))
    assert "daemon --machine-id far --coordinator-addr 10.98.0.1" in told
    assert "--zenoh-listen 10.98.0.2:5456 --zenoh-connect tcp/10.98.0.1:5456" in told
    assert cluster.ask("start", "dataflow.yml")[-4:] == ["start", "dataflow.yml", "--coordinator-addr", "10.98.0.1"]


def results(**rates: float) -> Results:
    machine = {"processor": "p", "cores": 2, "memory_gib": 1.0, "kernel": "k", "python": "3.11", "load": 0.5}
    made = Results(machine, settings={"rounds": 1, "sizes": [4096]}, versions=dict.fromkeys(peers(Hosts()), "1"))
    for name, rate in rates.items():
        peer = name.replace("_", "-")
        made.add(peer, Case("throughput", 4096), [Figure("copied", "rate", "msg/s", rate)])
        times = [Figure("copied", metric, "µs", value) for metric, value in (("p50", 100.0), ("p99", 200.0))]
        made.add(peer, Case("latency", 4096), times)
    return made


def test_plain_text_is_judged_beside_plain_text_and_encryption_beside_encryption() -> None:
    made = results(doraflow=80.0, doraflow_plain=95.0, dora=80.0, zmq_curve=100.0, zmq=100.0)
    reached = {one.target.text: one.cells()[3:5] for one in judge(made, TARGETS) if one.target.kind == "throughput"}
    assert reached == {
        "flood, beside dora": ("yes", "1 (4 KB copied)"),
        "flood encrypted, beside ZeroMQ's": ("no", "0.8 (4 KB copied)"),
        "flood in plain text, beside ZeroMQ's": ("yes", "0.95 (4 KB copied)"),
    }


def test_the_pages_tell_latency_and_throughput_of_every_peer_that_was_measured() -> None:
    made = results(doraflow=80.0, zmq=100.0)
    made.absent["dora"] = "no wheel"
    assert readme(made).splitlines()[2:] == [
        "|  | doraflow | zmq |",
        "|---|---|---|",
        "| one way, 4 KB, p50 / p99 µs | 100 / 200 | 100 / 200 |",
        "| messages a second, 4 KB, none lost | 80.0 | 100 |",
        "",
        "dora is absent: no wheel.",
    ]
    assert "| 4 KB copied rate msg/s | **80.0** | 100 x1.2 |" in section(made)
    assert section(made).endswith("dora is absent: no wheel.\n")


def test_every_target_names_peers_that_there_are() -> None:
    known = set(peers(Hosts()))
    assert {name for target in TARGETS for name in (*target.peers, target.ours)} <= known


def test_without_root_nothing_is_measured_and_the_reason_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from bench.far.__main__ import main

    monkeypatch.setattr("os.geteuid", lambda: 1000)
    monkeypatch.setattr("sys.argv", ["bench.far"])
    assert main() == 2
    told = capsys.readouterr().err
    assert told == "hosts are made of network namespaces, which takes root: start this as root\n"
