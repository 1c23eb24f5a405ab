"""Readers that keep, stop or die: what they do to the memory of their producer, and to the other readers."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

LIMIT = 64 * 1024 * 1024
MESSAGES = 200

PRODUCER = f"""
    import time
    from doraflow_runtime.node_api.node import Node
    with Node() as node:
        for number in range({MESSAGES}):
            with node.loan("out", 1_000_000) as memory:
                memory[0] = number
            time.sleep(0.005)
        print("mapped", node._core.pool.bytes_mapped)
        print("undelivered", {{name for name, count in node.undelivered.items() if count}})
"""
GOOD = """
    from doraflow_runtime.node_api.node import Node
    with Node() as node:
        seen = [event.value[0].as_py() for event in node if event.type == "INPUT"]
        print("read", len(seen), "last", seen[-1])
"""
IN_STEP = PRODUCER.replace("time.sleep(0.005)", "time.sleep(0.005); node.next(5)")
"""Goes on when a reader has answered: what that one misses was not sent to it, however busy the machine is."""
ANSWERING = """
    from doraflow_runtime.node_api.node import Node
    with Node() as node:
        seen = []
        for event in node:
            if event.type == "INPUT":
                seen.append(event.value[0].as_py())
                node.send_output("seen", b"x")
        print("read", len(seen), "last", seen[-1])
"""
GREEDY = """
    from doraflow_runtime.node_api.node import Node
    with Node() as node:
        kept = [event.value for event in node if event.type == "INPUT"]
        assert [array[0].as_py() for array in kept] == sorted({array[0].as_py() for array in kept})
        print("kept", len(kept))
"""
STOPPED = """
    import os, signal
    from doraflow_runtime.node_api.node import Node
    with Node() as node:
        node.next()
        print("stops", os.getpid())
        os.kill(os.getpid(), signal.SIGSTOP)
        print("goes on", sum(event.type == "INPUT" for event in node) > 0)
"""
DYING = """
    import os, signal
    from doraflow_runtime.node_api.node import Node
    node = Node()
    kept = [node.next().value for _ in range(5)]
    os.kill(os.getpid(), signal.SIGKILL)
"""


def configure(bundle: Any, name: str, **changes: Any) -> None:
    at = next(index for index, node in enumerate(bundle.nodes) if node.id == name)
    bundle.nodes[at] = replace(bundle.nodes[at], **changes)


def held_back(bundle: Any, name: str) -> None:
    node = next(node for node in bundle.nodes if node.id == name)
    configure(bundle, name, inputs=tuple(replace(port, queue_policy="backpressure") for port in node.inputs))


def shared_memory_of(world: Any) -> int:
    """Measure the shared memory that the nodes of the run own, whoever maps it."""
    owned = {}
    for process in world.processes():
        with contextlib.suppress(OSError):  # it has ended
            for entry in Path(f"/proc/{process}/fd").iterdir():
                with contextlib.suppress(FileNotFoundError):
                    if str(entry.readlink()).startswith("/memfd:"):
                        found = entry.stat()
                        owned[found.st_ino] = found.st_blocks * 512
    return sum(owned.values())


def test_readers_that_keep_stop_or_die_harm_only_themselves(world: Any, eventually: Any) -> None:
    bundle = world.bundle()
    bundle.node("producer", IN_STEP, inputs={"seen": "glancing/seen"}, outputs=("out",))
    configure(bundle, "producer", shared_memory=LIMIT)
    bundle.node("glancing", ANSWERING, inputs={"in": "producer/out"}, outputs=("seen",))
    for name, code in {"steady": GOOD, "greedy": GREEDY, "stopped": STOPPED, "dying": DYING}.items():
        bundle.node(name, code, inputs={"in": "producer/out"})
    held_back(bundle, "steady")
    launch = world.launch(bundle)
    most = 0
    deadline = time.monotonic() + 120
    while "producer | undelivered" not in launch.out and time.monotonic() < deadline:
        most = max(most, shared_memory_of(world))
        time.sleep(0.01)
    launch.wait_for("stopped  | stops ")
    stopped = int(launch.out.split("stopped  | stops ")[1].split()[0])
    eventually(lambda: "T (stopped)" in Path(f"/proc/{stopped}/status").read_text(), "it runs")
    os.kill(stopped, signal.SIGCONT)
    assert launch.wait() == 1, "the one that was killed"
    assert 20_000_000 < most <= LIMIT
    assert f"steady   | read {MESSAGES} last {MESSAGES - 1}\n" in launch.out
    glanced = int(launch.out.split("glancing | read ")[1].split()[0])
    assert glanced > MESSAGES // 2
    assert f"glancing | read {glanced} last {MESSAGES - 1}\n" in launch.out
    assert int(launch.out.split("greedy   | kept ")[1].split()[0]) < 60
    assert "stopped  | goes on True\n" in launch.out
    told = [line for line in launch.out.splitlines() if line.startswith("producer | warn: ")]
    assert len([line for line in told if line.startswith("producer | warn: `greedy` keeps arrays")]) == 1
    assert not [line for line in told if "`steady`" in line]


def test_a_reader_that_loses_nothing_makes_its_producer_wait_and_that_is_told_once(world: Any) -> None:
    bundle = world.bundle()
    bundle.node("producer", PRODUCER, outputs=("out",))
    configure(bundle, "producer", shared_memory=8 * 1024 * 1024)
    hoarder = GREEDY.replace("kept = [", "import time; kept = [").replace(
        'if event.type == "INPUT"]', 'if event.type == "INPUT" and not time.sleep(0.001)]'
    )
    bundle.node("hoarder", hoarder, inputs={"in": "producer/out"})
    held_back(bundle, "hoarder")
    launch = world.launch(bundle)
    launch.wait_for("producer | warn: ")
    time.sleep(0.5)
    assert shared_memory_of(world) <= 8 * 1024 * 1024
    launch.signal(signal.SIGINT)
    assert launch.wait() == 0
    assert launch.out.count("warn: ") == 1
    assert (
        "producer | warn: `out` waits: the readers of `producer` hold all of its 8388608 bytes of shared memory, "
        "`hoarder` 8388608 of them\n"
    ) in launch.out


def test_messages_that_do_not_fit_into_the_memory_of_their_node_are_copied(world: Any) -> None:
    bundle = world.bundle()
    code = """
        from doraflow_runtime.node_api.node import Node
        with Node() as node:
            node.send_output("out", bytes([7]) * 3_000_000)
            try:
                node.send_output("out", bytes(5_000_000))
            except ValueError as error:
                print(error)
    """
    bundle.node("producer", code, outputs=("out",))
    configure(bundle, "producer", shared_memory=1_000_000)
    reader = GOOD.replace("event.value[0].as_py()", "(len(event.value), set(event.value.to_pylist()))")
    bundle.node("reader", reader, inputs={"in": "producer/out"})
    launch = world.launch(bundle)
    assert launch.wait() == 0
    assert "a message of 5000000 bytes does not fit into the 1000000 that a node may share" in launch.out
    assert "reader   | read 1 last (3000000, {7})\n" in launch.out
