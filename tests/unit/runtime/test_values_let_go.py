"""When the value of an event is gone: never later than the moment at which its slot could go back."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conftest import Run

SEND = """
import sys, numpy, pyarrow as pa
from doraflow_runtime.node_api.node import Node
with Node() as node:
    for line in sys.stdin:
        node.send_output("out", pa.array(numpy.full(int(line), 7, dtype=numpy.int64)))
"""
RECEIVE = """
import threading, time, weakref
from doraflow_runtime.node_api.node import Node

def take(node):
    print("ready", flush=True)
    return node.next()

def dropped_before_the_wait(node):
    event = take(node)
    first = weakref.ref(event.value)
    del event
    node.next(0)
    return first() is None

def dropped_by_a_look(node):
    event = take(node)
    first = weakref.ref(event.value)
    del event
    node.is_empty()
    return first() is None

def replaced_by_the_next_one(node):
    event = take(node)
    first = weakref.ref(event.value)
    event = take(node)
    node.next(0)
    return first() is None and set(event.value.to_pylist()) == {7}

def held_on(node):
    values = [take(node).value for _ in range(4)]
    return all(set(value.to_pylist()) == {7} for value in values)

def dropped_by_a_thread(node):
    held = [take(node).value]
    first = weakref.ref(held[0])
    def work():
        held.clear()
        limit = time.monotonic() + 20
        while first() is not None and time.monotonic() < limit:
            time.sleep(0.01)
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    while thread.is_alive():
        node.next(0.2)
    return first() is None

with Node() as node:
    for case in (dropped_before_the_wait, dropped_by_a_look, replaced_by_the_next_one, held_on, dropped_by_a_thread):
        for place in ("in its frame", "in a slot"):
            print(case.__name__, place, case(node), flush=True)
"""
LENGTHS = {"in its frame": 1, "in a slot": 20_000}
MESSAGES = {
    "dropped_before_the_wait": 1,
    "dropped_by_a_look": 1,
    "replaced_by_the_next_one": 2,
    "held_on": 4,
    "dropped_by_a_thread": 1,
}


def test_a_value_is_let_go_of_before_the_next_wait_or_behind_the_next_event(run: Run) -> None:
    run.pair()
    sender, reader = run.spawn("a", SEND), run.spawn("b", RECEIVE)
    assert sender.stdin is not None
    assert reader.stdout is not None
    for case, messages in MESSAGES.items():
        for place, length in LENGTHS.items():
            for _ in range(messages):
                assert reader.stdout.readline() == "ready\n"
                sender.stdin.write(f"{length}\n")
                sender.stdin.flush()
            assert reader.stdout.readline() == f"{case} {place} True\n"
    run.finish(reader)
