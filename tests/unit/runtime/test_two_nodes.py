"""Two real processes that exchange messages, without a launcher of ours."""

from __future__ import annotations

import errno
import signal
import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    import pytest
    from conftest import Run

SEND = """
import pyarrow as pa
from doraflow_runtime.node_api.node import Node
with Node() as node:
    for number in range({count}):
        node.send_output("out", pa.array([number] * {width}, pa.int64()), {{"number": number}})
"""

RECEIVE = """
from doraflow_runtime.node_api.node import Node
seen = []
with Node() as node:
    for event in node:
        if event.type == "INPUT":
            assert event.value.to_pylist() == [event.metadata["number"]] * {width}, event
            seen.append(event.metadata["number"])
        else:
            print(event.type, event.id)
print(seen[0], seen[-1], len(seen), seen == sorted(seen))
"""


def pair(run: Run, *, size: int = 10, policy: str = "drop_oldest") -> None:
    run.node("a", ("out",))
    run.node("b")
    run.link("a/out", "b/in", size, policy)
    run.listen(2)


def test_small_messages_arrive_in_order_and_the_end_is_told(run: Run) -> None:
    pair(run, policy="backpressure")
    sender = run.spawn("a", SEND.format(count=500, width=3))
    receiver = run.spawn("b", RECEIVE.format(width=3))
    assert run.finish(receiver) == "INPUT_CLOSED in\nSTOP ALL_INPUTS_CLOSED\n0 499 500 True\n"
    run.finish(sender)


def test_large_messages_travel_in_slots_that_are_used_again(run: Run) -> None:
    pair(run, policy="backpressure")
    sender = run.spawn("a", SEND.format(count=300, width=20_000))
    receiver = run.spawn("b", RECEIVE.format(width=20_000))
    assert run.finish(receiver).endswith("0 299 300 True\n")
    run.finish(sender)
    assert not any(path.suffix == ".seg" for path in run.directory.rglob("*")), "shared memory has no name"


def test_a_slow_reader_keeps_the_newest_and_never_blocks_the_sender(run: Run, tmp_path: Path) -> None:
    pair(run, size=5)
    sent = tmp_path / "sent"
    imports = "import time\nfrom pathlib import Path\n"
    waits = f"while not Path({str(sent)!r}).exists():\n        time.sleep(0.05)\n    for event"
    receiver = run.spawn("b", imports + RECEIVE.format(width=1).replace("for event", waits))
    sender = run.spawn("a", imports + SEND.format(count=20_000, width=1) + f"    Path({str(sent)!r}).touch()\n")
    run.finish(sender)
    _first, last, count, in_order = run.finish(receiver).splitlines()[-1].split()
    assert last == "19999"
    assert in_order == "True"
    assert int(count) < 20_000


def test_a_sender_that_is_killed_closes_the_input_once_the_launcher_has_told_how_it_failed(run: Run) -> None:
    pair(run)
    once = SEND.format(count=1, width=1).replace("with Node() as node:", "node = Node()\nif True:")
    sender = run.spawn("a", "import time\n" + once + "\ntime.sleep(60)")
    receiver = run.spawn("b", RECEIVE.format(width=1).replace("seen.append", "print('got', flush=True); seen.append"))
    assert receiver.stdout is not None
    assert receiver.stdout.readline() == "got\n"
    sender.send_signal(signal.SIGKILL)
    sender.wait(30)
    run.tell("b", type="ended", node="a", error="killed by SIGKILL")
    assert run.finish(receiver) == "NODE_FAILED a\nINPUT_CLOSED in\nSTOP ALL_INPUTS_CLOSED\n0 0 1 True\n"


def test_stop_ends_the_stream(run: Run) -> None:
    run.node("a")
    run.timer("a/tick", 3_600_000_000_000)
    run.listen(1)
    process = run.spawn(
        "a",
        "from doraflow_runtime.node_api.node import Node\nprint([(event.type, event.id) for event in Node()])",
    )
    run.tell("a", type="stop")
    assert run.finish(process) == "[('STOP', 'MANUAL')]\n"


def test_a_greeting_waits_while_too_many_descriptors_are_on_their_way(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: list[int] = []
    send = socket.send_fds

    def crowded(sock: socket.socket, data: list[bytes], descriptors: list[int]) -> int:
        tries.append(1)
        if len(tries) < 3:
            raise OSError(errno.ETOOMANYREFS, "Too many references")
        return send(sock, data, descriptors)

    monkeypatch.setattr(socket, "send_fds", crowded)
    run.pair()
    a, b = run.join("a", "b")
    a.send_output("out", bytes(10_000))
    event = b.next(5)
    assert event is not None
    assert event.type == "INPUT"
    assert len(tries) == 3
