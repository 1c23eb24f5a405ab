"""Nodes that cannot be started, fail or never join: what the others do, and what is said."""

from __future__ import annotations

import os
import signal
from typing import Any

import pytest

WAITING = """
    from doraflow_runtime.node_api.node import Node

    with Node() as node:
        print("joined")
        for event in node:
            print(event.type, event.id)
"""
TIMER = {"tick": "dora/timer/millis/20"}


@pytest.mark.parametrize(
    ("prepare", "kind", "path", "reason", "mend"),
    [
        (
            None,
            "python",
            "gone.py",
            "`{nodes}/gone.py` does not exist",
            "create the file, or correct the node's `path`",
        ),
        (
            None,
            "executable",
            "./gone",
            "`{nodes}/gone` does not exist",
            "create the file, or correct the node's `path`",
        ),
        (
            None,
            "executable",
            "no-such-command",
            "`no-such-command` is neither a file in `{nodes}` nor a command on PATH",
            "install `no-such-command`, or write the path of the file",
        ),
        (
            ("plain", 0o644, "x"),
            "executable",
            "plain",
            "`{nodes}/plain` is not executable",
            "run `chmod +x {nodes}/plain`",
        ),
        (
            ("script", 0o755, "#!/no/such/interpreter\n"),
            "executable",
            "script",
            "`{nodes}/script` asks for the interpreter `/no/such/interpreter`, which does not exist",
            "install `/no/such/interpreter`, or correct the first line of the file",
        ),
        (
            ("data", 0o755, "\x01\x02\x03\n"),
            "executable",
            "data",
            "`{nodes}/data` is neither a program for this machine nor a script that names its interpreter",
            "let its first line be `#!` and an interpreter, or build the program for this machine",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) and " " not in value else "",
)
def test_a_node_that_cannot_be_executed_is_named_with_its_place(
    world: Any, prepare: tuple[str, int, str] | None, kind: str, path: str, reason: str, mend: str
) -> None:
    bundle = world.bundle()
    bundle.node("other", WAITING, inputs=TIMER)
    bundle.node("broken", kind=kind, path=path)
    if prepare is not None:
        bundle.source(prepare[0], prepare[2]).chmod(prepare[1])
    launch = world.launch(bundle)
    assert launch.wait() == 1
    nodes = bundle.path / "nodes"
    expected = f"error[DF801]: `broken` cannot be executed: {reason}\n  --> flow.yml:2:9\nhint: {mend}\n"
    assert expected.format(nodes=nodes) in launch.err
    assert "Traceback" not in launch.err


def test_every_node_that_cannot_be_executed_is_told_in_one_run(world: Any) -> None:
    bundle = world.bundle()
    bundle.node("one", path="a.py")
    bundle.node("two", path="b.py")
    launch = world.launch(bundle)
    assert launch.wait() == 1
    assert launch.err.count("error[DF801]") == 2


def test_an_undefined_variable_is_told_before_anything_starts(world: Any) -> None:
    bundle = world.bundle()
    bundle.node("camera", WAITING, inputs=TIMER, env={"MODEL": "${NO_SUCH_FOLDER}/m.bin"})
    launch = world.launch(bundle)
    assert launch.wait() == 1
    assert launch.err == (
        "error[DF801]: `camera` cannot be executed: its variable `MODEL` is `${NO_SUCH_FOLDER}/m.bin`, "
        "and `NO_SUCH_FOLDER` is not set on this host\n"
        "  --> flow.yml:1:9\n"
        "hint: set `NO_SUCH_FOLDER` before the start; a dollar sign itself is written `$$`\n"
    )


def test_a_crash_at_import_ends_the_run_and_shows_the_exception(world: Any) -> None:
    bundle = world.bundle()
    bundle.node("crashes", "import no_such_package_anywhere\n", inputs=TIMER)
    bundle.node("waits", WAITING, inputs=TIMER)
    launch = world.launch(bundle)
    assert launch.wait() == 1
    assert (
        "error[DF802]: `crashes` failed before it joined the dataflow with exit code 1: "
        "ModuleNotFoundError: No module named 'no_such_package_anywhere'\n"
        "  --> flow.yml:1:9\n"
        "   | Traceback (most recent call last):\n"
    ) in launch.err
    assert (
        "hint: install what provides `no_such_package_anywhere` with `pip install no_such_package_anywhere`; "
        f"the whole output is in `{launch.logs}/crashes.jsonl`\n"
    ) in launch.err
    assert "`waits`" not in launch.err


def test_a_failure_after_the_start_leaves_the_others_running(world: Any) -> None:
    bundle = world.bundle()
    bundle.node(
        "fails",
        """
        from doraflow_runtime.node_api.node import Node
        node = Node()
        raise ValueError("the lens is dirty")
        """,
        outputs=("image",),
    )
    bundle.node("reader", WAITING, inputs={"image": "fails/image", **TIMER})
    launch = world.launch(bundle)
    launch.wait_for("reader | INPUT_CLOSED image")
    launch.wait_for("reader | INPUT tick")
    launch.wait_for("; the other nodes go on")
    launch.signal(signal.SIGINT)
    assert launch.wait() == 1
    assert "error[DF802]: `fails` failed with exit code 1: ValueError: the lens is dirty\n" in launch.err


def test_a_killed_node_closes_the_inputs_of_its_readers(world: Any) -> None:
    bundle = world.bundle()
    bundle.node(
        "victim",
        """
        import os, time
        import pyarrow as pa
        from doraflow_runtime.node_api.node import Node
        node = Node()
        node.send_output("image", bytes(100_000))
        print("pid", os.getpid(), flush=True)
        time.sleep(1000)
        """,
        outputs=("image",),
    )
    bundle.node("reader", WAITING, inputs={"image": "victim/image"})
    launch = world.launch(bundle)
    launch.wait_for("victim | pid")
    launch.wait_for("reader | INPUT image")
    number = int(launch.out.split("victim | pid ")[1].split()[0])
    os.kill(number, signal.SIGKILL)
    assert launch.wait() == 1
    assert "reader | INPUT_CLOSED image\n" in launch.out
    assert "reader | STOP ALL_INPUTS_CLOSED\n" in launch.out
    assert "error[DF802]: `victim` was killed by SIGKILL\n  --> flow.yml:1:9\n" in launch.err
    assert launch.err.count("error[") == 1


def test_the_first_failure_comes_first(world: Any) -> None:
    code = """
        import pathlib, sys, time
        from doraflow_runtime.node_api.node import Node
        with Node() as node:
            while not pathlib.Path({awaited!r}).exists():
                time.sleep(0.02)
            sys.exit({code})
    """
    bundle = world.bundle()
    bundle.node("second", code.format(awaited="go", code=4), inputs=TIMER)
    bundle.node("first", code.format(awaited=".", code=3), inputs=TIMER)
    launch = world.launch(bundle)
    launch.wait_for("; the other nodes go on")
    bundle.source("go", "")
    assert launch.wait() == 1
    report = launch.err.split("error[DF802]: ")[1:]
    assert [text.splitlines()[0] for text in report] == [
        "`first` failed with exit code 3",
        "`second` failed with exit code 4",
    ]


def test_a_node_that_never_joins_is_waited_for_and_then_named(world: Any) -> None:
    bundle = world.bundle()
    bundle.node("silent", "import time; time.sleep(1000)\n", inputs=TIMER)
    bundle.node("waits", WAITING, inputs=TIMER)
    # `waits` has ten seconds to join on a machine that does other work, and five without news are left after that.
    launch = world.launch(bundle, "--start-timeout", "15")
    assert launch.wait(60) == 1
    assert "doraflow: waiting for `silent` to join the dataflow (5 s without news; the run is stopped in " in launch.err
    assert (
        "error[DF803]: `silent` did not become ready within 15 s: it runs, but it has not joined the dataflow\n"
        in launch.err
    )
    assert "`waits`" not in launch.err


def test_a_node_that_ends_without_joining_holds_nobody_up(world: Any) -> None:
    bundle = world.bundle()
    bundle.node("brief", "print('no dataflow for me')\n", outputs=("out",))
    bundle.node("reader", WAITING, inputs={"in": "brief/out"})
    launch = world.launch(bundle)
    assert launch.wait() == 0, launch.err
    assert "reader | INPUT_CLOSED in" in launch.out


def test_a_failure_is_one_json_object_for_machines(world: Any) -> None:
    bundle = world.bundle()
    bundle.node("fails", "print('hello'); raise SystemExit(7)\n")
    launch = world.launch(bundle, "--output", "json")
    assert launch.wait() == 1
    (diagnostic,) = launch.events("diagnostic")
    assert diagnostic == {
        "type": "diagnostic",
        "code": "DF802",
        "severity": "error",
        "message": "`fails` failed with exit code 7",
        "node": "fails",
        "place": "flow.yml:1:9",
        "notes": ["hello"],
        "help": f"the whole output is in `{launch.logs}/fails.jsonl`",
        "cause": "",
    }
    assert [event["event"] for event in launch.events("event")][-1] == "ended"
    assert [line["message"] for line in launch.events("log")] == ["hello"]
    assert launch.err == ""
