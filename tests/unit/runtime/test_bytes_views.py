"""Views of shared memory: a slot is not used again while any of them lives, wherever and however long it is kept."""

from __future__ import annotations

import gc
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Run
    from doraflow_runtime.node_api.node import Node

SIZE = 20_000


def view_of(node: Node) -> memoryview:
    event = node.next_bytes(20)
    assert event is not None
    assert isinstance(event.value, memoryview)
    return event.value


def slots_in_use(a: Node, b: Node) -> int:
    """Count what the sender lends, when what was given back has come to it."""
    for _ in range(3):
        b.next(0)
        a.is_empty()  # looks at what came back
    return int(a._core.pool.slots_in_use)


def are_all_free(a: Node, b: Node) -> bool:
    limit = time.monotonic() + 20
    while slots_in_use(a, b) and time.monotonic() < limit:
        time.sleep(0.001)
    return slots_in_use(a, b) == 0


KEPT: dict[str, Callable[[memoryview], object]] = {
    "the view": lambda view: view,
    "a part of it": lambda view: view[5:10],
    "a part of a part": lambda view: view[5:][:5],
    "other numbers": lambda view: view.cast("q"),
    "a numpy array": lambda view: np.frombuffer(view, np.uint8),
    "an Arrow buffer": pa.py_buffer,
    "an iterator": lambda view: iter(view[:10]),
}


@pytest.mark.parametrize("kind", KEPT)
@pytest.mark.parametrize("parameters", [{}, {"word": "Größe"}], ids=["", "with a word that the core leaves alone"])
def test_a_slot_is_not_used_again_while_any_view_of_it_lives(run: Run, kind: str, parameters: dict[str, str]) -> None:
    run.pair()
    a, b = run.join("a", "b")
    kept = []
    for number in range(3):
        a.send_output("out", bytes([number]) * SIZE, parameters)
        view = view_of(b)
        kept.append(KEPT[kind](view))
        del view
    assert slots_in_use(a, b) == 3
    for number in range(100, 120):
        a.send_output("out", bytes([number]) * SIZE, parameters)
        assert view_of(b) == bytes([number]) * SIZE
    for number, one in enumerate(kept):
        assert bytes(one)[0] % 255 == number  # type: ignore[call-overload]
    del kept, one
    gc.collect()
    assert are_all_free(a, b)


def test_releasing_a_view_lets_go_of_its_slot(run: Run) -> None:
    run.pair()
    a, b = run.join("a", "b")
    a.send_output("out", bytes(SIZE))
    view = view_of(b)
    assert slots_in_use(a, b) == 1
    view.release()
    assert are_all_free(a, b)


@pytest.mark.parametrize("last", ["array", "bytes"])
def test_a_slot_of_one_form_that_is_read_in_the_other_goes_back_too(run: Run, last: str) -> None:
    run.pair(20)
    a, b = run.join("a", "b")
    for number in range(40):
        assert (b.next if last == "array" else b.next_bytes)(0.001) is None  # makes an event of this form in advance
        a.send_output("out", bytes([number]) * SIZE)
        b._core.poll()
        event = (b.next_bytes if last == "array" else b.next)(20)
        assert event is not None
        assert event.value is not None
        assert bytes(memoryview(event.value if last == "array" else event.value.buffers()[1])) == bytes([number]) * SIZE  # type: ignore[union-attr,arg-type]
        del event
    assert are_all_free(a, b)


def test_bytes_that_are_kept_hold_no_shared_memory(run: Run) -> None:
    run.pair()
    a, b = run.join("a", "b")
    kept = []
    for number in range(200):
        a.send_output("out", bytes([number]) * 100)
        kept.append(b.next_bytes(20))
    assert are_all_free(a, b)
    a.close()
    b.close()
    assert [event.value for event in kept if event is not None] == [bytes([number]) * 100 for number in range(200)]


def test_views_may_die_in_any_thread(run: Run) -> None:
    run.pair()
    a, b = run.join("a", "b")
    with ThreadPoolExecutor(4) as threads:
        work = []
        for number in range(300):
            a.send_output("out", bytes([number % 256]) * SIZE)
            work.append(
                threads.submit(lambda view, expected: bytes(view) == expected, view_of(b), bytes([number % 256]) * SIZE)
            )
        assert all(one.result(20) for one in work)
        del work
    gc.collect()
    assert are_all_free(a, b)


def test_a_view_outlives_its_node_and_its_sender(run: Run) -> None:
    run.pair()
    a, b = run.join("a", "b")
    a.send_output("out", b"x" * SIZE)
    view = view_of(b)
    b.close()
    a.close()
    assert view == b"x" * SIZE


ENDLESS = """
from doraflow_runtime.node_api.node import Node
with Node() as node:
    for number in range(3):
        node.send_output("out", bytes([number]) * {size})
    print("sent", flush=True)
    while True:
        node.next(1)
"""


@pytest.mark.parametrize("size", [8, SIZE], ids=["in frames", "in slots"])
def test_the_bytes_of_a_killed_sender_stay_and_those_that_wait_still_come(run: Run, size: int) -> None:
    run.pair()
    sender = run.spawn("a", ENDLESS.format(size=size))
    (b,) = run.join("b")
    first = b.next_bytes(20)
    assert sender.stdout is not None
    assert sender.stdout.readline() == "sent\n"
    sender.send_signal(signal.SIGKILL)
    sender.wait(20)
    values = [event.value for event in (first, b.next_bytes(20), b.next_bytes(20)) if event is not None]
    assert [bytes(value or b"") for value in values] == [bytes([number]) * size for number in range(3)]


FORK = """
import os
from doraflow_runtime.node_api.node import Node
node = Node()
views = [node.next_bytes().value]
child = os.fork()
if child == 0:
    good = bytes(views[0]) == b"x" * {size}
    views.clear()
    os._exit(0 if good else 1)
_, status = os.waitpid(child, 0)
print("child", os.waitstatus_to_exitcode(status), flush=True)
second = node.next_bytes()
print(bytes(views[0]) == b"x" * {size}, bytes(second.value) == b"y" * {size}, flush=True)
del views, second
print([event.type for event in node.iter_bytes()])
"""


def test_a_forked_child_reads_a_view_and_gives_nothing_back(run: Run) -> None:
    run.pair()
    receiver = run.spawn("b", FORK.format(size=SIZE))
    (sender,) = run.join("a")
    sender.send_output("out", b"x" * SIZE)
    assert receiver.stdout is not None
    assert receiver.stdout.readline() == "child 0\n"
    sender.is_empty()  # looks at what came back
    assert sender._core.pool.slots_in_use == 1
    sender.send_output("out", b"y" * SIZE)
    assert receiver.stdout.readline() == "True True\n"
    sender.close()
    assert run.finish(receiver) == "['INPUT_CLOSED', 'STOP']\n"
