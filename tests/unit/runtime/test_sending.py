"""Sending under pressure: held back, freed by a stop or a death, from threads, and what a reader's end gives back."""

from __future__ import annotations

import contextlib
import signal
import socket
import time
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Run

CHECKSUMS = """
import random, zlib
import pyarrow as pa
from doraflow_runtime.node_api.node import Node
random.seed(7)
"""
SEND_MANY = (
    CHECKSUMS
    + """
with Node() as node:
    for number in range(2000):
        data = random.randbytes(random.choice([0, 1, 100, 4096, 4097, 30_000, 300_000]))
        node.send_output("out", data, {"number": number, "sum": zlib.crc32(data)})
"""
)
TAKE_MANY = (
    CHECKSUMS
    + """
expected, kept = 0, []
with Node() as node:
    for event in node:
        if event.type == "INPUT":
            assert event.metadata["number"] == expected, (event.metadata, expected)
            kept = [*kept[-5:], (event.value, event.metadata["sum"])]
            for value, total in kept:
                assert zlib.crc32(memoryview(value.buffers()[1] or b"")[: len(value)]) == total
            expected += 1
print(expected)
"""
)


def pair(run: Run, size: int = 10, policy: str = "backpressure") -> None:
    run.node("a", ("out",))
    run.node("b")
    run.link("a/out", "b/in", size, policy)
    run.listen(2)


def test_nothing_is_lost_torn_or_reordered_when_the_sender_is_held_back(run: Run) -> None:
    pair(run, size=3)
    sender = run.spawn("a", SEND_MANY)
    receiver = run.spawn("b", TAKE_MANY)
    assert run.finish(receiver, 60) == "2000\n"
    run.finish(sender)


IDLE = """
import time
from doraflow_runtime.node_api.node import Node
node = Node()
print("ready", flush=True)
time.sleep(60)
"""
BLOCK = """
import time
from doraflow_runtime.node_api.node import Node
node = Node()
for number in range(5):
    node.send_output("out", b"x" * {size})
    print(number, flush=True)
{after}
"""


def test_a_held_back_sender_waits_and_a_stop_frees_it(run: Run) -> None:
    pair(run, size=2)
    receiver = run.spawn("b", IDLE)
    sender = run.spawn("a", BLOCK.format(size=1, after="print(node.next(0))"))
    assert receiver.stdout is not None
    assert sender.stdout is not None
    assert receiver.stdout.readline() == "ready\n"
    assert [sender.stdout.readline() for _ in range(2)] == ["0\n", "1\n"]
    time.sleep(0.3)
    assert sender.poll() is None
    run.tell("a", type="stop")
    assert "type='STOP', id='MANUAL'" in run.finish(sender).splitlines()[-1]


@pytest.mark.parametrize("size", [1, 100_000])
def test_a_held_back_sender_goes_on_when_its_reader_dies(run: Run, size: int) -> None:
    pair(run, size=2)
    receiver = run.spawn("b", IDLE)
    sender = run.spawn("a", BLOCK.format(size=size, after="print('slots', node._core.pool.slots_in_use)"))
    assert sender.stdout is not None
    assert [sender.stdout.readline() for _ in range(2)] == ["0\n", "1\n"]
    receiver.send_signal(signal.SIGKILL)
    assert run.finish(sender) == "2\n3\n4\nslots 0\n"


def test_slots_that_a_dead_reader_kept_come_back(run: Run) -> None:
    pair(run, size=50, policy="drop_oldest")
    keep = "from doraflow_runtime.node_api.node import Node\nkept = [event for _, event in zip(range(20), Node())]\n"
    receiver = run.spawn("b", keep + "print('kept', flush=True)\nimport time; time.sleep(60)")
    code = BLOCK.replace("range(5)", "range(20)").format(
        size=50_000,
        after="print('held', node._core.pool.slots_in_use, flush=True)\ninput()\nnode._core.poll()\n"
        "print(node._core.pool.slots_in_use)",
    )
    import os
    import subprocess
    import sys

    sender = subprocess.Popen(
        [sys.executable, "-c", code],
        env={**os.environ, "DORAFLOW_CONFIG": str(run.config("a"))},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    run.processes.append(sender)
    assert receiver.stdout is not None
    assert sender.stdout is not None
    assert receiver.stdout.readline() == "kept\n"
    lines = [sender.stdout.readline() for _ in range(21)]
    assert lines[-1] == "held 20\n"
    receiver.send_signal(signal.SIGKILL)
    receiver.wait()
    time.sleep(0.1)
    assert sender.communicate("\n", timeout=10)[0] == "0\n"


def test_any_thread_may_send_while_another_waits(run: Run) -> None:
    run.node("a", ("out",))
    run.timer("a/never", 3_600_000_000_000)
    run.node("b")
    run.link("a/out", "b/in", 100, "backpressure")
    run.listen(2)
    sender = run.spawn(
        "a",
        """
import threading
from doraflow_runtime.node_api.node import Node
node = Node()
def send(which):
    for number in range(200):
        node.send_output("out", bytes([which]) * 5000, {"which": which, "number": number})
threads = [threading.Thread(target=send, args=(which,)) for which in range(3)]
for thread in threads: thread.start()
def stop_when_done():
    for thread in threads: thread.join()
    node.close()
threading.Thread(target=stop_when_done).start()
while any(thread.is_alive() for thread in threads): node.next(0.05)
""",
    )
    receiver = run.spawn(
        "b",
        """
from doraflow_runtime.node_api.node import Node
seen = {0: [], 1: [], 2: []}
for event in Node():
    if event.type == "INPUT":
        assert set(event.value.to_pylist()) == {event.metadata["which"]}
        seen[event.metadata["which"]].append(event.metadata["number"])
print([numbers == list(range(200)) for numbers in seen.values()])
""",
    )
    assert run.finish(receiver) == "[True, True, True]\n"
    run.finish(sender)


def test_a_stranger_and_nonsense_close_their_connection_and_nothing_else(run: Run) -> None:
    pair(run)
    receiver = run.spawn(
        "b",
        "from doraflow_runtime.node_api.node import Node\nprint([event.type for event in Node()])",
    )
    sender = run.spawn("a", BLOCK.format(size=1, after="time.sleep(1.5)"))
    assert sender.stdout is not None
    assert sender.stdout.readline() == "0\n"
    from doraflow_runtime.shm import wire
    from doraflow_runtime.shm.wire import Kind

    hostile = [
        b"GET / HTTP/1.1\r\n\r\n" * 10,
        wire.hello("nobody", "pools/0"),
        wire.hello("a", "../../etc"),
        wire.hello("a", "pools/0") + wire.frame(Kind.MESSAGE, 0, link=1, number=1),
        wire.hello("a", "pools/0") + wire.frame(Kind.TYPE, 4, number=1) + b"junk",
        wire.hello("a", "pools/0") + wire.frame(Kind.CREDIT, 0, link=1, number=9),
        wire.hello("a", "pools/0") + wire.frame(Kind.MESSAGE, wire.LARGEST_BODY + 1),
    ]
    for data in hostile:
        with socket.socket(socket.AF_UNIX) as stranger:
            stranger.connect(str(run.directory / "n1.sock"))
            stranger.settimeout(10)
            stranger.sendall(data)
            with contextlib.suppress(ConnectionResetError):
                assert stranger.recv(1) == b""
    run.finish(sender)
    out = run.finish(receiver)
    assert out.count("closed the connection of") == len(hostile)
    assert out.splitlines()[-1].count("'INPUT'") == 5


LOANS = """
import pyarrow as pa
from doraflow_runtime.node_api.node import Node
IMAGE = pa.struct([("width", pa.uint32()), ("data", pa.large_binary())])
with Node() as node:
    with node.loan("out", 6) as memory:
        memory[:] = b"abcdef"
    with node.loan_binary("out", pa.large_binary(), 3) as memory:
        memory[:] = b"xyz"
    with node.loan_struct("out", IMAGE, {"width": 3}, "data", 3, {"n": 1}) as memory:
        memory[:] = b"123"
    try:
        with node.loan("out", 100_000) as memory:
            raise KeyError
    except KeyError:
        pass
    used = node.loan("out", 1)
    with used:
        pass
    try:
        with used:
            pass
    except RuntimeError as error:
        print(error)
    try:
        node.loan_struct("out", IMAGE, {"width": "wide"}, "data", 3)
    except TypeError as error:
        print(str(error).split(":")[0])
"""


def test_loans_are_written_in_place_once_and_given_back_on_an_exception(run: Run) -> None:
    pair(run)
    sender = run.spawn("a", LOANS)
    receiver = run.spawn(
        "b",
        "from doraflow_runtime.node_api.node import Node\n"
        "print([event.value.to_pylist() for event in Node() if event.type == 'INPUT'])",
    )
    assert run.finish(receiver) == ("[[97, 98, 99, 100, 101, 102], [b'xyz'], [{'width': 3, 'data': b'123'}], [0]]\n")
    assert run.finish(sender) == (
        "a loan can be used once; take another one for the next message\n`width` of output `out` is uint32\n"
    )


ERRORS = """
import pyarrow as pa
from doraflow_runtime.node_api.node import Node
node = Node()
for call in (
    lambda: node.send_output("imgae", b""),
    lambda: node.send_output("out", [1, 2]),
    lambda: node.send_output("out", pa.table({"a": [1]})),
    lambda: node.send_output("out", b"", {"a": object()}),
    lambda: node.log("loud", "x"),
    lambda: Node("other"),
):
    try:
        call()
    except (TypeError, ValueError, RuntimeError) as error:
        print(type(error).__name__, error)
"""


def test_errors_of_use_are_one_sentence_with_the_choices(run: Run) -> None:
    run.node("a", ("out", "other"))
    run.listen(1)
    assert run.finish(run.spawn("a", ERRORS)).splitlines() == [
        "ValueError node `a` has no output `imgae`; its outputs are: `out`, `other`",
        "TypeError a message is a pyarrow.Array or bytes, got list: wrap it with `pyarrow.array`",
        "TypeError a table has several columns and a message is one array: send `table.to_struct_array()`",
        "TypeError metadata `a` is object; allowed are bool, int, float, str, datetime, and lists of int, float or str",
        "ValueError there is no log level `loud`: the levels are error, warn, info, debug, trace",
        "RuntimeError this process runs node `a`, but its code asks for `other`",
    ]


def test_a_node_outside_a_run_says_how_to_start_it(monkeypatch: pytest.MonkeyPatch) -> None:
    from doraflow_runtime.node_api.node import Node

    monkeypatch.delenv("DORAFLOW_CONFIG", raising=False)
    with pytest.raises(RuntimeError) as raised:
        Node()
    assert str(raised.value) == (
        "this process is not part of a dataflow: start it with `doraflow run` or with a bundle's launcher"
    )
