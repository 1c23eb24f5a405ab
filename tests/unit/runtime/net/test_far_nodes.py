"""Real processes that exchange messages over TCP, as nodes of different hosts do, with every transport."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Run

pytestmark = pytest.mark.usefixtures("transport")

SEND = """
import pyarrow as pa
from doraflow_runtime.node_api.node import Node
with Node() as node:
    for number in range({count}):
        node.send_output("out", pa.array([number] * ({width}), pa.int64()), {{"number": number}})
"""

RECEIVE = """
from doraflow_runtime.node_api.node import Node
seen = []
with Node() as node:
    for event in node:
        if event.type == "INPUT":
            number = event.metadata["number"]
            assert event.value.to_pylist() == [number] * ({width}), event
            seen.append(number)
        else:
            print(event.type, event.id)
print(seen[0], seen[-1], len(seen), seen == sorted(seen))
"""

PATIENT_SEND = """
from doraflow_runtime.node_api.node import Node
with Node() as node:
    limit = time.monotonic() + 30
    while not Path("{enough}").exists() and time.monotonic() < limit:
        node.send_output("out", b"1")
        time.sleep(0.01)
"""

FIRST_OF_ALL = """
from doraflow_runtime.node_api.node import Node
with Node() as node:
    event = node.next(30)
    print("got one" if event is not None and event.type == "INPUT" else event)
    Path("{enough}").touch()
"""


IMPORTS = "import time\nfrom pathlib import Path\n"
MIXED = "number % 7 * 3_000"


@pytest.mark.parametrize(
    ("transport", "width"),
    [("zeromq", "3"), ("zeromq", "2_000"), ("zeromq", "20_000"), ("zeromq", MIXED), ("zenoh", MIXED)],
    indirect=["transport"],
)
def test_messages_of_every_size_arrive_whole_and_in_order_and_the_end_is_told(run: Run, width: str) -> None:
    run.node("a", ("out",))
    run.node("b")
    run.link("a/out", "b/in", 10, "backpressure")
    run.apart("b")
    run.listen(2)
    sender = run.spawn("a", SEND.format(count=500, width=width))
    receiver = run.spawn("b", RECEIVE.format(width=width))
    assert run.finish(receiver) == "INPUT_CLOSED in\nSTOP ALL_INPUTS_CLOSED\n0 499 500 True\n"
    run.finish(sender)


def test_a_slow_reader_keeps_the_newest_and_never_blocks_the_sender(run: Run, tmp_path: Path) -> None:
    run.node("a", ("out",))
    run.node("b")
    run.link("a/out", "b/in", 5)
    run.apart("b")
    run.listen(2)
    sent = tmp_path / "sent"
    waits = f"while not Path({str(sent)!r}).exists():\n        time.sleep(0.05)\n    for event"
    receiver = run.spawn("b", IMPORTS + RECEIVE.format(width=1).replace("for event", waits))
    sender = run.spawn("a", IMPORTS + SEND.format(count=20_000, width=1) + f"    Path({str(sent)!r}).touch()\n")
    run.finish(sender)
    _first, last, count, in_order = run.finish(receiver).splitlines()[-1].split()
    assert last == "19999"
    assert in_order == "True"
    assert int(count) < 20_000


def test_a_node_that_does_nothing_but_send_is_heard(run: Run, tmp_path: Path) -> None:
    run.node("a", ("out",))
    run.node("b")
    run.link("a/out", "b/in", 5)
    run.apart("b")
    run.listen(2)
    enough = tmp_path / "enough"
    receiver = run.spawn("b", "from pathlib import Path\n" + FIRST_OF_ALL.format(enough=str(enough)))
    sender = run.spawn("a", "import time\nfrom pathlib import Path\n" + PATIENT_SEND.format(enough=str(enough)))
    assert run.finish(receiver).endswith("got one\n")
    run.finish(sender)


@pytest.mark.parametrize("policy", ["drop_oldest", "backpressure"])
def test_a_node_that_only_sends_finds_the_next_process_of_a_reader_that_left(
    run: Run, tmp_path: Path, policy: str
) -> None:
    run.node("a", ("out",))
    run.node("b")
    run.link("a/out", "b/in", 5, policy)
    run.apart("b")
    run.listen(2, later=1)
    enough = tmp_path / "enough"
    first = run.spawn("b", FIRST_OF_ALL.format(enough=str(enough)).replace("    Path", "    #"))
    sender = run.spawn("a", "import time\nfrom pathlib import Path\n" + PATIENT_SEND.format(enough=str(enough)))
    assert run.finish(first).endswith("got one\n")
    (run.directory / "n1.sock").unlink()  # as the launcher does before it starts a node again
    second = run.spawn("b", "from pathlib import Path\n" + FIRST_OF_ALL.format(enough=str(enough)))
    assert run.finish(second).endswith("got one\n")
    run.finish(sender)


def test_many_edges_share_a_connection_and_a_node_may_read_from_here_and_there(run: Run) -> None:
    run.node("a", ("x", "y"))
    run.node("c", ("z",))
    run.node("b")
    for source in ("a/x", "a/y", "c/z"):
        run.link(source, f"b/{source[2]}", 10, "backpressure")
    run.apart("b")
    run.listen(3)
    send = "from doraflow_runtime.node_api.node import Node\nwith Node() as node:\n    for number in range(200):\n"
    senders = [
        run.spawn(
            "a", send + "        node.send_output('x', b'1' * 9)\n        node.send_output('y', b'2' * 90_000)\n"
        ),
        run.spawn("c", send + "        node.send_output('z', b'3')\n"),
    ]
    count = (
        "from collections import Counter\nfrom doraflow_runtime.node_api.node import Node\nseen = Counter()\n"
        "with Node() as node:\n    for event in node:\n        if event.type == 'INPUT':\n"
        "            seen[event.id, len(event.value)] += 1\nprint(sorted(seen.items()))"
    )
    receiver = run.spawn("b", count)
    assert run.finish(receiver).splitlines()[-1] == "[(('x', 9), 200), (('y', 90000), 200), (('z', 1), 200)]"
    for sender in senders:
        run.finish(sender)


def test_arrays_that_came_from_afar_cannot_be_written(run: Run) -> None:
    run.node("a", ("out",))
    run.node("b")
    run.link("a/out", "b/in", 10, "backpressure")
    run.apart("b")
    run.listen(2)
    sender = run.spawn("a", SEND.format(count=3, width="number * 20_000 + 1"))
    look = (
        "from doraflow_runtime.node_api.node import Node\nwith Node() as node:\n    for event in node:\n"
        "        if event.type == 'INPUT':\n            buffer = event.value.buffers()[1]\n"
        "            print(buffer.is_mutable, buffer.address % 8)\n"
    )
    assert set(run.finish(run.spawn("b", look)).splitlines()) == {"False 0"}
    run.finish(sender)
