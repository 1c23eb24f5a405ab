"""Dataflows on several hosts, each a network namespace with a launcher of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from tests.e2e.disturbance import Disturbance
from tests.e2e.pipeline import NODES, PIPELINE, SINK, all_well

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.fleet import Fleet


CUT_SECONDS = 30 if os.environ.get("DORAFLOW_TEST_LONG") else 3
"""For how long a cable is pulled; `doit robustness` asks for the long form."""


HOSTS = ("one", "two", "three")

REFUSED_SECONDS = 1
"""For how long a host that was refused is watched: connections are tried again after a tenth of that."""


def test_ten_thousand_messages_of_mixed_sizes_pass_three_hosts_without_loss(fleet: Fleet) -> None:
    bundle = fleet.build(PIPELINE.format(count=10_000, policy="backpressure"), NODES)
    launches = [fleet.launch(bundle, host) for host in ("three", "one", "two")]
    all_well(launches, 10_000)


def test_a_cut_link_loses_nothing_under_backpressure_and_is_told_of(fleet: Fleet) -> None:
    bundle = fleet.build(PIPELINE.format(count=10_000, policy="backpressure"), NODES)
    gate = fleet.folder / "gate"
    launches = [fleet.launch(bundle, host, GATE=str(gate)) for host in ("three", "one", "two")]
    launches[0].wait_for("got 1000")
    fleet.network.cut("two")
    launches[1].wait_for("the link to `relay` on `two` (tcp://10.99.0.2:29401) is cut; it is taken up again")
    gate.touch()
    time.sleep(CUT_SECONDS)
    fleet.network.mend("two")
    launches[1].wait_for("the link to `relay` on `two` is there again")
    all_well(launches, 10_000)


@pytest.mark.parametrize(
    "disturbance",
    [
        Disturbance(delay=0.02, jitter=0.005),
        Disturbance(delay=0.01, loss=0.02),
        Disturbance(delay=0.01, reorder=0.25),
    ],
    ids=["latency", "loss", "reordering"],
)
def test_a_disturbed_network_loses_nothing_under_backpressure(fleet: Fleet, disturbance: Disturbance) -> None:
    for host in fleet.network.hosts:
        fleet.network.disturb(host, disturbance)
    bundle = fleet.build(PIPELINE.format(count=300, policy="backpressure"), NODES)
    all_well([fleet.launch(bundle, host) for host in ("three", "one", "two")], 300)


def test_two_dataflows_on_the_same_hosts_keep_apart_by_their_ports(fleet: Fleet) -> None:
    launches = []
    for name, base in (("first", "31000"), ("second", "32000")):
        flow = f"name: {name}\n" + PIPELINE.format(count=500, policy="backpressure")
        bundle = fleet.build(flow, NODES, name)
        launches.append([fleet.launch(bundle, host, "--port-base", base) for host in ("three", "one", "two")])
    for each in launches:
        all_well(each, 500)


def test_a_port_that_is_taken_is_told_with_its_node_and_the_mend(fleet: Fleet) -> None:
    bundle = fleet.build(PIPELINE.format(count=1, policy="backpressure"), NODES)
    code = "import socket, time; s = socket.create_server(('', 29401)); print('here', flush=True); time.sleep(60)"
    with subprocess.Popen(fleet.network.command("two", sys.executable, "-c", code), stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"here\n"
        launch = fleet.launch(bundle, "two")
        assert launch.wait() == 1
        other.kill()
    assert launch.err == (
        "error[DF832]: `relay` cannot listen on port 29401 for the other hosts: address already in use\n"
        "hint: end the program that listens there (`ss -ltnp 'sport = :29401'` names it), "
        "or launch all hosts with another `--port-base`\n"
    )


LISTENING = {**NODES, "relay": SINK}
"""Nodes of which the second one says what it gets."""


def other_keys(fleet: Fleet) -> Path:
    """Make keys of the same names that belong to nobody of the fleet."""
    other = fleet.folder / "other-keys"
    fleet.doraflow("keys", "make", str(fleet.folder / "source-bundle/dataflow.yml"), "--keys", str(other))
    return other


def test_a_host_with_a_key_that_nobody_knows_gets_nothing(fleet: Fleet) -> None:
    bundle = fleet.build(PIPELINE.format(count=10, policy="backpressure"), LISTENING)
    other = other_keys(fleet)
    for host in ("two", "three"):  # it knows the others, and they do not know it
        shutil.copy(fleet.folder / "keys" / f"{host}.public", other)
    reader = fleet.launch(bundle, "two", "--start-alone")
    sender = fleet.launch(bundle, "one", "--start-alone", DORAFLOW_KEYS=str(other))
    reader.wait_for("refused a connection from 10.99.0.1: its key is in no ring of this host")
    sender.wait_for("the launcher of host `two` (tcp://10.99.0.2:29400) cannot be spoken to")
    sender.wait_for("the link to `relay` on `two` (tcp://10.99.0.2:29401) cannot be made")
    time.sleep(REFUSED_SECONDS)
    assert "got" not in reader.out


def test_a_host_whose_key_is_not_the_expected_one_gets_nothing(fleet: Fleet) -> None:
    bundle = fleet.build(PIPELINE.format(count=10, policy="backpressure"), LISTENING)
    impostor = fleet.launch(bundle, "two", "--start-alone", DORAFLOW_KEYS=str(other_keys(fleet)))
    sender = fleet.launch(bundle, "one", "--start-alone")
    sender.wait_for("the link to `relay` on `two` (tcp://10.99.0.2:29401) cannot be made")
    time.sleep(REFUSED_SECONDS)
    assert "got" not in impostor.out


def test_no_link_is_made_without_keys(fleet: Fleet, tmp_path: Path) -> None:
    bundle = fleet.build(PIPELINE.format(count=10, policy="backpressure"), NODES)
    launch = fleet.launch(bundle, "one", DORAFLOW_KEYS=str(tmp_path / "nowhere"))
    assert launch.wait() == 1
    assert launch.err.startswith(f"error[DF852]: there are no keys in `{tmp_path}/nowhere`: it does not exist\nhint: ")


def test_a_reader_that_is_killed_and_restarted_goes_on(fleet: Fleet) -> None:
    sink = SINK.replace("    for event in node:\n", "    for event in node:\n        die_once(event)\n", 1)
    die = """
import os
from pathlib import Path
def die_once(event):
    mark = Path(os.environ["TMPDIR"], "died")
    if len(seen) == 500 and not mark.exists():
        mark.write_text("once")
        os.kill(os.getpid(), 9)
"""
    restarting = PIPELINE.replace("    path: sink.py\n", "    path: sink.py\n    restart_policy: on-failure\n")
    nodes = {**NODES, "sink": die + sink}
    bundle = fleet.build(restarting.format(count=2_000, policy="backpressure"), nodes)
    launches = [fleet.launch(bundle, host) for host in ("three", "one", "two")]
    codes = [each.wait(180) for each in launches]
    assert codes == [0, 0, 0], "\n".join(each.out + each.err for each in launches)
    assert "0 wrong, in order: True, last 1999" in launches[0].out
