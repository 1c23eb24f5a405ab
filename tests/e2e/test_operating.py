"""Runs operated from outside: found, asked, ended; also when there are two, and when a launcher was killed."""

from __future__ import annotations

import json
import os
import signal
import textwrap
from pathlib import Path
from typing import Any

from doraflow_runtime.control.messages import Stop

from doraflow.operate.top.source import LiveSource
from tests.e2e.operated import TICKING, TIMER, counting, doraflow, running, told


def test_a_run_is_listed_told_and_stopped(world: Any) -> None:
    launch = running(world)
    (run,) = told(world, "list")["runs"]
    assert run["dataflow"] == "flow"
    assert run["state"] == "running"
    assert run["pid"] == launch.process.pid
    assert run["logs"] == str(launch.logs)
    status = told(world, "status", "flow")
    assert status["run"] == run["run"]
    assert status["state"] == "running"
    (node,) = status["nodes"]
    assert (node["node"], node["state"], node["restarts"]) == ("ticking", "running", 0)
    assert node["pid"] in world.processes()
    assert node["memory_bytes"] > 1_000_000
    done = doraflow(world, "stop", "flow")
    assert (done.returncode, done.stderr) == (0, f"{run['run']}: stopped\n")
    assert launch.wait() == 0
    assert "stopping: an operator asked for it" in launch.err
    assert told(world, "list")["runs"] == []


def test_of_two_runs_of_one_dataflow_a_name_means_one(world: Any) -> None:
    first, second = running(world), running(world, "other", "--name", "night")
    done = doraflow(world, "stop", "flow")
    assert done.returncode == 1
    assert "error[DF841]: `flow` fits 2 runs" in done.stderr
    assert first.process.poll() is None
    assert second.process.poll() is None
    assert doraflow(world, "stop", "night").returncode == 0
    assert second.wait() == 0
    assert doraflow(world, "stop", "flow").returncode == 0
    assert first.wait() == 0


def test_a_name_is_given_once(world: Any) -> None:
    first = running(world, "bundle", "--name", "night")
    again = world.launch(world.bundle("again"), "--name", "night")
    assert again.wait() == 1
    assert not again.logs.exists(), "a run that never began has a log"
    assert "error[DF847]: a run named `night` goes on already\n" in again.err
    assert doraflow(world, "stop", "night").returncode == 0
    assert first.wait() == 0


def test_a_run_whose_launcher_was_killed_is_stale_and_not_asked(world: Any) -> None:
    launch = running(world)
    guardian = world.guardian_of(launch)
    os.kill(guardian, signal.SIGKILL)
    launch.wait_for("the guardian of this run was killed")
    launch.signal(signal.SIGKILL)
    launch.wait()
    (run,) = told(world, "list")["runs"]
    assert run["state"] == "stale"
    done = doraflow(world, "status", "flow")
    assert done.returncode == 1
    assert "error[DF840]: no run is named `flow`: nothing runs" in done.stderr
    again = running(world, "again")
    assert [run["state"] for run in told(world, "list")["runs"]] == ["running"]
    again.signal(signal.SIGTERM)
    assert again.wait() == 0


def test_a_launcher_that_hangs_is_told_in_time(world: Any) -> None:
    launch = running(world)
    launch.signal(signal.SIGSTOP)
    try:
        done = doraflow(world, "status", "flow", "--timeout", "0.3")
    finally:
        launch.signal(signal.SIGCONT)
    assert done.returncode == 1
    assert "did not answer within 0.3 s" in done.stderr
    launch.signal(signal.SIGTERM)
    assert launch.wait() == 0


def test_what_cannot_be_done_is_refused_in_words(world: Any) -> None:
    launch = running(world)
    done = doraflow(world, "restart", "tickin")
    assert done.returncode == 1
    assert "error[DF843]: there is no node `tickin` in this run; its nodes are: `ticking`" in done.stderr
    assert "hint: to name the closest, write `ticking`" in done.stderr
    launch.signal(signal.SIGTERM)
    assert launch.wait() == 0


def test_a_stop_at_once_kills_what_ignores_a_stop(world: Any) -> None:
    bundle = world.bundle()
    bundle.node(
        "stubborn", path="shell", kind="shell", args=("trap '' TERM INT; echo here; while :; do sleep 1; done",)
    )
    launch = world.launch(bundle, "--grace", "30")
    launch.wait_for("stubborn | here")
    done = doraflow(world, "stop", "--now")
    assert done.returncode == 0, done.stderr
    assert launch.wait() == 130


def test_a_stop_that_takes_too_long_says_what_it_waits_for(world: Any) -> None:
    bundle = world.bundle()
    bundle.node(
        "stubborn", path="shell", kind="shell", args=("trap '' TERM INT; echo here; while :; do sleep 1; done",)
    )
    launch = world.launch(bundle, "--grace", "30")
    launch.wait_for("stubborn | here")
    done = doraflow(world, "stop", "--timeout", "0.5")
    assert done.returncode == 1
    assert "has not ended within 0.5 s; its launcher is process" in done.stderr
    assert doraflow(world, "stop", "--now").returncode == 0
    assert launch.wait() == 130


def test_a_host_without_pyzmq_runs_without_a_control_socket(world: Any) -> None:
    broken = world.folder / "without"
    broken.mkdir()
    (broken / "zmq.py").write_text("raise ImportError('no zmq here')\n")
    bundle = world.bundle()
    bundle.node("ticking", TICKING, inputs=TIMER)
    path = os.pathsep.join([str(broken), world.environment["PYTHONPATH"]])
    launch = world.launch(bundle, PYTHONPATH=path)
    launch.wait_for("ticking | INPUT")
    said = "doraflow: this run has no control socket, and `doraflow` cannot reach it: pyzmq cannot be imported"
    assert launch.err.count(said) == 1
    done = doraflow(world, "status", "flow")
    assert done.returncode == 1
    assert "error[DF844]" in done.stderr
    launch.signal(signal.SIGTERM)
    assert launch.wait() == 0


FLOW = "name: flow\nnodes:\n  - {id: ticking, path: ticking.py, inputs: {tick: dora/timer/millis/50}}\n"


def written(world: Any, code: str = TICKING) -> str:
    (world.folder / "flow.yml").write_text(FLOW)
    (world.folder / "ticking.py").write_text(textwrap.dedent(code))
    return str(world.folder / "flow.yml")


def test_a_detached_run_goes_on_until_it_is_stopped(world: Any, eventually: Any) -> None:
    done = doraflow(world, "start", written(world), "--detach", "--name", "night")
    assert (done.returncode, done.stdout) == (0, "night\n"), done.stderr
    assert "night: 1 node started\n" in done.stderr
    (run,) = told(world, "list")["runs"]
    assert os.getsid(run["pid"]) == run["pid"]
    journal = Path(run["logs"], "launcher.events")
    eventually(lambda: "INPUT" in Path(run["logs"], "ticking.jsonl").read_text(), "the node writes nothing")
    said = doraflow(world, "logs", "--run", "night", "--tail", "1")
    assert said.stdout.endswith("ticking | INPUT\n"), said.stderr
    assert doraflow(world, "stop", "night").returncode == 0
    assert doraflow(world, "logs", "--run", "night").stdout.count("STOP") == 1
    events = [json.loads(line)["event"] for line in journal.read_text().splitlines()]
    assert events == ["launching", "started", "stopping", "node_ended", "ended"]


def test_logs_of_a_run_are_found_by_its_name_in_a_folder_of_their_own(world: Any) -> None:
    folder = str(world.folder / "own")
    done = doraflow(world, "start", written(world), "-d", "--name", "night", "--log-dir", folder, "--progress", "json")
    stages = [json.loads(line)["stage"] for line in done.stderr.splitlines() if line.startswith("{")]
    assert stages[:2] == ["loading", "loading"], done.stderr
    assert doraflow(world, "logs", "--run", "night").returncode == 0
    assert doraflow(world, "stop", "night").returncode == 0
    done = doraflow(world, "logs", "--run", "night")
    assert done.returncode == 1, "nobody knows of the folder any more"
    assert doraflow(world, "logs", "--run", folder).returncode == 0


def test_as_many_runs_keep_their_logs_as_is_said(world: Any) -> None:
    flow = written(world, "from dora import Node\nNode()")
    for _ in range(3):
        assert doraflow(world, "start", flow, "--keep-logs", "2").returncode == 0
    assert len(list((world.folder / "state/doraflow/flow").iterdir())) == 2


def test_a_detached_run_that_fails_before_its_start_is_told(world: Any) -> None:
    done = doraflow(world, "start", written(world, "import nothing_of_that_name"), "--detach")
    assert done.returncode == 1
    assert done.stdout == ""
    assert "error[DF802]: `ticking` failed before it joined the dataflow" in done.stderr
    assert told(world, "list")["runs"] == []


def test_a_detached_run_whose_bundle_cannot_be_launched_is_told(world: Any) -> None:
    (world.folder / "taken").write_text("")
    done = doraflow(world, "start", written(world), "--detach", "--log-dir", str(world.folder / "taken"))
    assert done.returncode == 1
    assert "error[DF806]" in done.stderr


def test_a_name_that_is_none_is_wrong_usage(world: Any) -> None:
    done = doraflow(world, "start", written(world), "--name", "../x")
    assert done.returncode == 2
    assert "is no name for a run" in " ".join(done.stderr.split())


def test_a_start_without_detach_stays_until_the_end(world: Any) -> None:
    done = doraflow(world, "start", written(world, "from dora import Node\nnext(iter(Node()))\nprint('here')"))
    assert (done.returncode, done.stdout) == (0, "ticking | here\n"), done.stderr


SENDING = """
    import pyarrow as pa
    from doraflow_runtime.node_api.node import Node
    with Node() as node:
        for event in node:
            node.send_output("out", pa.array([1, 2, 3]))
"""


def test_a_status_tells_what_nodes_measure(world: Any, eventually: Any) -> None:
    bundle = world.bundle()
    bundle.node("sender", SENDING, inputs=TIMER, outputs=("out",))
    bundle.node("reader", TICKING, inputs={"in": "sender/out"})
    launch = world.launch(bundle)
    launch.wait_for("reader | INPUT")

    def flow() -> bool:
        """Whether the last seconds were like any: on a busy machine a node may stand still for one of them."""
        nodes = told(world, "status")["nodes"]
        return all(10 < node["input_rate"] < 90 and node["cpu_percent"] < 100 for node in nodes)

    eventually(flow, "nothing flows as it should")
    sender, reader = told(world, "status")["nodes"]
    assert sender["p50_us"] is None, "a tick was sent by nobody"
    assert 0 < reader["p50_us"] <= reader["p99_us"]
    assert reader["p50_us"] < 1_000_000
    assert (reader["drops"], reader["errors"]) == (0, 0)
    assert doraflow(world, "stop").returncode == 0
    assert launch.wait() == 0


def test_the_screen_sees_a_run_its_rates_and_its_log(world: Any, eventually: Any, monkeypatch: Any) -> None:
    monkeypatch.setenv("DORAFLOW_RUN_BASE", str(world.base))
    launch = running(world)
    source = LiveSource()
    try:
        (view,) = source.look()
        assert view.status is not None
        assert [node.state for node in view.status.nodes] == ["running"]

        def has_rate() -> bool:
            (view,) = source.look()
            return view.metrics is not None and any(port.rate for node in view.metrics.nodes for port in node.inputs)

        eventually(has_rate, "no rate is told")
        assert source.log(view, "ticking", "inp", 5)[-1][1].endswith(" ticking INPUT")
        assert source.log(view, "", "nothing like it", 5) == []
        assert source.act(view.name, Stop()) == "stopping"
        assert launch.wait() == 0
        assert source.look() == ()
        assert source.act(view.name, Stop()) == f"`{view.name}` has ended"
    finally:
        source.close()


def test_a_node_is_restarted_and_held_by_commands(world: Any, eventually: Any) -> None:
    launch = counting(world)
    first = told(world, "status")["nodes"][1]["pid"]
    done = doraflow(world, "restart", "reader")
    assert done.returncode == 0, done.stderr
    assert done.stderr.endswith(": `reader` is restarted\n")

    def is_new() -> bool:
        reader = told(world, "status")["nodes"][1]
        return reader["state"] == "running" and reader["pid"] != first and reader["restarts"] == 1

    eventually(is_new, "the reader is not restarted")
    assert doraflow(world, "pause", "source").returncode == 0
    assert told(world, "status")["nodes"][0]["state"] == "paused"
    again = doraflow(world, "pause", "source")
    assert again.returncode == 1
    assert "error[DF843]: `source` is paused already" in again.stderr
    assert doraflow(world, "resume", "source").returncode == 0
    assert told(world, "status")["nodes"][0]["state"] == "running"
    assert doraflow(world, "stop").returncode == 0
    assert launch.wait() == 0


def test_a_node_is_stopped_alone_by_a_command(world: Any) -> None:
    launch = counting(world)
    done = doraflow(world, "stop", "--node", "nobody")
    assert done.returncode == 1
    assert "error[DF843]: there is no node `nobody` in this run" in done.stderr
    assert doraflow(world, "stop", "--node", "reader", "--now").returncode == 2
    done = doraflow(world, "stop", "--node", "reader")
    assert done.returncode == 0, done.stderr
    assert done.stderr.endswith(": `reader` has ended\n")
    assert told(world, "status")["nodes"][1]["state"] == "ended"
    assert launch.process.poll() is None
    assert doraflow(world, "stop").returncode == 0
    assert launch.wait() == 0
