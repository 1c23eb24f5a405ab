"""The launchers of two hosts: they start, stop, fail and come back together, each in a network namespace of its own."""

from __future__ import annotations

import json
import shutil
import signal
import time
from typing import TYPE_CHECKING

import pytest

from tests.e2e.fleet import Fleet
from tests.e2e.network import network_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.e2e.fleet import Started

SOURCE = """
import os, sys, time
from dora import Node
mode, sent = os.environ.get("MODE", ""), 0
if mode == "early":
    while not os.path.exists(os.environ["GO"]):
        time.sleep(0.05)
    os._exit(4)
with Node() as node:
    for event in node:
        if event["type"] != "INPUT":
            continue
        sent += 1
        node.send_output("data", sent.to_bytes(4, "big"))
        if sent % 50 == 0:
            print("sent", sent, flush=True)
        if mode == "fail" and sent == 20:  # more than the places of a queue: the reader has started
            if node.is_restart():
                os._exit(3)
            sys.exit(3)  # which leaves in order: what it feeds stays open all the same
"""

SINK = """
from dora import Node
with Node() as node:
    for event in node:
        if event["type"] == "INPUT":
            print("got", int.from_bytes(event["value"].to_pylist(), "big"), flush=True)
        else:
            print(event["type"], event.get("id"), flush=True)
"""

FLOW = """\
name: pair
nodes:
  - id: source
    path: source.py
    inputs: {tick: dora/timer/millis/20}
    outputs: [data]
    restart_policy: on-failure
    max_restarts: 1
    deploy: {machine: one}
  - id: sink
    path: sink.py
    inputs: {data: {source: source/data, queue_policy: backpressure}}
    deploy: {machine: two}
"""

NODES = {"source": SOURCE, "sink": SINK}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Fleet, Path]]:
    with network_of("one", "two") as network:
        fleet = Fleet(tmp_path_factory.mktemp("fleet"), network)
        yield fleet, fleet.build(FLOW, NODES)


@pytest.fixture
def fleet(made: tuple[Fleet, Path]) -> Iterator[Fleet]:
    yield made[0]
    made[0].end()


@pytest.fixture
def bundle(made: tuple[Fleet, Path]) -> Path:
    return made[1]


def both(fleet: Fleet, bundle: Path, *arguments: str, **environment: str) -> tuple[Started, Started]:
    one, two = (fleet.launch(bundle, host, *arguments, **environment) for host in ("one", "two"))
    return one, two


def sent(launch: Started) -> int:
    """How far the source has told that it is."""
    numbers = [int(line.split()[-1]) for line in launch.out.splitlines() if line.startswith("source | sent")]
    return numbers[-1] if numbers else 0


def test_no_node_starts_before_all_hosts_are_there_and_ctrl_c_stops_all_of_them(fleet: Fleet, bundle: Path) -> None:
    one = fleet.launch(bundle, "one")
    one.wait_for("doraflow: waiting for host `two` (")
    assert sent(one) == 0
    two = fleet.launch(bundle, "two")
    two.wait_for("sink | got 50")
    assert "sink | got 1\n" in two.out  # the first was not sent before there was somebody to read it
    one.process.send_signal(signal.SIGINT)
    assert (one.wait(), two.wait()) == (0, 0), one.err + two.err
    assert "doraflow: stopping: SIGINT was received\n" in one.err
    assert "doraflow: stopping: SIGINT was received (on host `one`)\n" in two.err


def test_a_host_that_never_comes_ends_the_start_with_what_to_do(fleet: Fleet, bundle: Path) -> None:
    one = fleet.launch(bundle, "one", "--start-timeout", "8")  # in which its own node has to join as well
    assert one.wait() == 1
    assert one.err.endswith(
        "error[DF880]: host `two` did not come within 8 s, and the start waits for every host\n"
        "hint: start its launcher, `python launch_two.py`, and see that it reaches this host and is reached at "
        "tcp://10.99.0.2:29400; `--start-alone` starts this host without it\n"
    )


def test_a_host_whose_name_is_known_only_when_it_comes_is_waited_for(fleet: Fleet, bundle: Path) -> None:
    fleet.network.write_names("one", "")
    one = fleet.launch(bundle, "one", "--address", "two=two.later")
    one.wait_for("host `two` cannot be found yet: nothing is known of the address `two.later`; it is looked up again")
    one.wait_for("doraflow: waiting for host `two` (")
    fleet.network.write_names("one", f"{fleet.network.address('two')} two.later\n")
    two = fleet.launch(bundle, "two")
    two.wait_for("sink | got 5")
    one.process.send_signal(signal.SIGINT)
    assert (one.wait(), two.wait()) == (0, 0), one.err + two.err


def test_a_host_that_sigterm_ends_is_told_to_the_other_which_goes_on(fleet: Fleet, bundle: Path) -> None:
    one, two = both(fleet, bundle, "--output", "json")
    two.wait_for("got 5")
    two.process.send_signal(signal.SIGTERM)
    assert two.wait() == 0, two.out
    one.wait_for("the nodes of host `two` have ended, and so has its launcher")
    before = sent_json(one)
    deadline = time.monotonic() + 60
    while sent_json(one) < before + 100:  # nobody reads any more, and nobody is waited for
        assert time.monotonic() < deadline, one.out
        time.sleep(0.1)
    assert one.process.poll() is None


def sent_json(launch: Started) -> int:
    texts = [json.loads(line) for line in launch.out.splitlines()]
    numbers = [int(text["message"].split()[1]) for text in texts if text.get("message", "").startswith("sent ")]
    return numbers[-1] if numbers else 0


def test_a_node_that_is_restarted_and_fails_for_good_is_known_on_both_hosts(fleet: Fleet, bundle: Path) -> None:
    one, two = both(fleet, bundle, MODE="fail")
    assert (one.wait(), two.wait()) == (1, 1), one.err + two.err
    seen = [line for line in two.out.splitlines() if "NODE" in line or "CLOSED" in line]
    assert seen == [
        "sink | NODE_RESTARTED source",
        "sink | NODE_FAILED source",
        "sink | INPUT_CLOSED data",
        "sink | STOP ALL_INPUTS_CLOSED",
    ], two.out
    assert "doraflow: `source` on host `one` is started again\n" in two.err
    assert two.err.endswith(
        "error[DF883]: `source` on host `one` failed with exit code 3\n"
        "hint: the report of the launcher on `one` tells more\n"
    )


def test_a_failure_before_the_start_stops_all_hosts(fleet: Fleet, bundle: Path) -> None:
    go = bundle.parent / "go"
    one, two = both(fleet, bundle, MODE="early", GO=str(go))
    for launch, other in ((one, "two"), (two, "one")):
        launch.wait_for(f"host `{other}` is there")
    go.touch()
    assert (one.wait(), two.wait()) == (1, 1), one.err + two.err
    assert "`source` on host `one` failed before it joined the dataflow with exit code 4" in two.err


def test_a_host_that_is_launched_after_the_start_has_failed_elsewhere_does_not_wait_for_it(
    fleet: Fleet, bundle: Path
) -> None:
    go = bundle.parent / "gone"
    go.touch()
    one = fleet.launch(bundle, "one", MODE="early", GO=str(go))
    one.wait_for("the start has failed; staying 10 s to tell host `two`, in case of a launch there")
    two = fleet.launch(bundle, "two")
    assert two.wait() == 1, two.err
    assert "error[DF88" in two.err, two.err
    assert "`source` on host `one` failed before it joined the dataflow with exit code 4" in two.err
    assert one.wait() == 1, one.err


def test_a_host_that_is_killed_is_missed_and_rejoins(fleet: Fleet, bundle: Path) -> None:
    one, two = both(fleet, bundle, "--host-timeout", "1")
    two.wait_for("sink | got 50")
    two.process.kill()
    one.wait_for(
        "doraflow: host `two` is lost: nothing was heard of it for more than 3 s; the nodes here go on without it"
    )
    one.wait_for("its nodes are not waited for any more")
    before = sent(one)
    deadline = time.monotonic() + 60
    while sent(one) < before + 100:  # backpressure holds nobody for a host that is away
        assert time.monotonic() < deadline, one.out + one.err
        time.sleep(0.1)
    again = fleet.launch(bundle, "two")
    again.wait_for("sink | got ")
    one.wait_for("doraflow: host `two` is there again: its launcher was started anew")
    one.process.kill()
    again.wait_for("doraflow: host `one` is lost")
    third = fleet.launch(bundle, "one")
    again.wait_for("sink | NODE_RESTARTED source")
    again.wait_for("sink | got 50")
    third.process.send_signal(signal.SIGINT)
    assert (third.wait(), again.wait()) == (0, 0), third.err + again.err


def test_a_host_of_another_build_is_refused_by_name(fleet: Fleet, bundle: Path) -> None:
    other = bundle.with_name("other")
    if not other.exists():
        shutil.copytree(bundle, other)
        manifest = json.loads((other / "MANIFEST.json").read_text())
        (other / "MANIFEST.json").write_text(json.dumps({**manifest, "plan": "another"}))
    one = fleet.launch(bundle, "one", "--start-timeout", "8")
    fleet.launch(other, "two")
    one.wait_for("doraflow: host `two` runs another build of this dataflow and is not joined: deploy the same bundle")
    assert one.wait() == 1
    assert "error[DF881]: host `two` runs another build of this dataflow, so the start waited 8 s in vain\n" in one.err
    assert "hint: deploy the same bundle to all hosts\n" in one.err
