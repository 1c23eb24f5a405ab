"""What a reader takes from the ring that it has offered: each message in its place, and no nonsense."""

from __future__ import annotations

import contextlib
import json
import os
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from doraflow_runtime.compiled import is_compiled
from doraflow_runtime.shm import wire
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.runtime.rings import HEAD, KNOCK, RECORD_VECTOR, SLEEP, TAKEN, WRITTEN, Sender, message

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pyarrow as pa
    from conftest import Run
    from doraflow_runtime.node_api.events import Event
    from doraflow_runtime.node_api.node import Node

if not is_compiled():
    pytest.skip("the compiled core is not built, or switched off", allow_module_level=True)


@pytest.fixture
def reader(run: Run) -> Node:
    run.node("a", ("out",))
    run.node("b")
    run.node("c", ("out",))
    run.link("a/out", "b/in", 1000)
    run.link("c/out", "b/other")  # so that b does not end with a
    run.listen(1)
    (node,) = run.join("b")
    return node


@pytest.fixture
def sender(run: Run, reader: Node) -> Iterator[Sender]:
    made = Sender(run, reader)
    with made.connection:
        yield made
    os.close(made.bell)


def first_four(value: pa.Array[Any]) -> int:
    return int.from_bytes(bytes(value[:4].to_pylist()), "little")


def numbers(node: Node) -> list[int]:
    """Take the numbers of all messages that are there."""
    found = []
    while (event := node.next(0)) is not None and event.value is not None:
        found.append(first_four(event.value))
    return found


def test_the_vector_of_a_record_is_read(sender: Sender, reader: Node) -> None:
    sender.ring.memory[HEAD : HEAD + len(RECORD_VECTOR)] = RECORD_VECTOR
    sender.ring.set(WRITTEN, len(RECORD_VECTOR))
    event = reader.next(5)
    assert event is not None
    assert (first_four(event.value), event.metadata.get("sent_ns", 7)) == (7, 7)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.booleans(), st.sampled_from([0, 0, 0, 1, 500, 2000])), max_size=60), st.integers(1, 30))
def test_messages_of_ring_and_connection_come_in_the_order_in_which_they_were_sent(
    sender: Sender, reader: Node, steps: list[tuple[bool, int]], pause: int
) -> None:
    arrived = []
    for index, (is_in_ring, more) in enumerate(steps):
        (sender.put if is_in_ring else sender.say)(message(index, more))
        if index % pause == pause - 1:
            arrived += numbers(reader)
    arrived += numbers(reader)
    assert arrived == list(range(len(steps)))


def test_what_goes_after_bytes_that_are_still_to_come_waits_for_them(sender: Sender, reader: Node) -> None:
    late = message(1)
    sender.position += len(late)
    sender.put(message(2))
    assert numbers(reader) == []
    sender.connection.sendall(late[:50])
    assert numbers(reader) == []
    sender.connection.sendall(late[50:])
    assert numbers(reader) == [1, 2]


def test_the_end_of_a_connection_comes_after_what_lies_in_its_ring(sender: Sender, reader: Node) -> None:
    sender.put(message(1))
    sender.connection.close()
    assert numbers(reader) == [1]


def test_a_reader_gives_back_the_room_of_what_it_took(sender: Sender, reader: Node) -> None:
    sender.put(message(1))
    assert numbers(reader) == [1]
    assert sender.ring.get(TAKEN) == sender.ring.get(WRITTEN)


WAKING: dict[str, Callable[[Sender], object]] = {
    "a knock": lambda sender: sender.say(KNOCK),
    "its bell": lambda sender: os.eventfd_write(sender.bell, 1),
}


@pytest.mark.parametrize("wakes", WAKING)
@pytest.mark.parametrize("wait", [lambda node: node.next(), lambda node: node._arrays.next(20)], ids=["core", "python"])
def test_a_reader_that_sleeps_says_so_and_is_woken(
    sender: Sender, reader: Node, wait: Callable[[Node], object], wakes: str
) -> None:
    def knock_once_it_sleeps() -> None:
        limit = time.monotonic() + 20
        while sender.ring.get(SLEEP) != 1 and time.monotonic() < limit:
            time.sleep(0.001)
        sender.put(message(1))
        sender.ring.set(SLEEP, 0)
        WAKING[wakes](sender)

    thread = threading.Thread(target=knock_once_it_sleeps)
    thread.start()
    event = wait(reader)
    thread.join()
    assert event is not None
    assert sender.ring.get(SLEEP) == 0


def test_a_bell_that_rings_for_nothing_and_one_that_is_full_do_no_harm(sender: Sender, reader: Node) -> None:
    os.eventfd_write(sender.bell, 2**64 - 2)
    assert reader.next(0.05) is None
    sender.put(message(1))
    assert numbers(reader) == [1]


@pytest.mark.parametrize("wait", [lambda node: node.next(), lambda node: node._arrays.next(20)], ids=["core", "python"])
def test_a_reader_does_not_sleep_over_what_lies_there_already(
    sender: Sender, reader: Node, wait: Callable[[Node], object]
) -> None:
    assert numbers(reader) == []
    sender.put(message(1))
    assert wait(reader) is not None


def _go_back(sender: Sender) -> None:
    sender.say(message(1))
    sender.put(message(2))
    sender.ring.put(0, message(3))


BROKEN: dict[str, tuple[Callable[[Sender], None], str]] = {
    "a count beyond the ring": (lambda it: it.ring.set(WRITTEN, it.ring.size + 8), "a malformed ring"),
    "a count that went back": (lambda it: it.ring.set(WRITTEN, 2**64 - 8), "a malformed ring"),
    "less than a record": (lambda it: it.ring.set(WRITTEN, 8), "a malformed ring"),
    "a frame longer than its record": (lambda it: it.put(message(1)[:-8]), "a malformed ring"),
    "a frame too large": (lambda it: it.put(message(1, 20_000)), "a malformed ring"),
    "a place that has gone by": (
        _go_back,
        "a malformed ring",
    ),
    "another kind of frame": (lambda it: it.put(wire.closed(1)), "a frame of kind 6 in a ring"),
    "a message on no link": (
        lambda it: it.put(message(1)[:6] + b"\x09\0" + message(1)[8:]),
        "link 9 is closed, or does not come from `a`",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_nonsense_in_a_ring_ends_its_connection_and_the_log_says_why(
    sender: Sender, reader: Node, capfd: pytest.CaptureFixture[str], name: str
) -> None:
    breaks, why = BROKEN[name]
    breaks(sender)
    numbers(reader)
    with contextlib.suppress(ConnectionResetError):
        while sender.connection.recv(100):
            pass
    told = json.loads(capfd.readouterr().out.splitlines()[0])
    assert told["message"] == f"closed the connection of `a`: {why}"


@pytest.mark.parametrize("wait", [lambda node: node.next(), lambda node: node._arrays.next(60)], ids=["core", "python"])
def test_a_reader_that_waits_hears_of_nonsense_that_another_thread_has_found(
    sender: Sender, reader: Node, wait: Callable[[Node], Event | None]
) -> None:
    heard: list[Event | None] = []
    waiting = threading.Thread(target=lambda: heard.append(wait(reader)), daemon=True)
    waiting.start()
    limit = time.monotonic() + 20
    while not reader._core.gate.is_claimed:
        assert time.monotonic() < limit
        time.sleep(0.001)
    sender.put(message(1)[:-8])
    reader.is_empty()
    waiting.join(20)
    assert [event and (event.type, event.id) for event in heard] == [("INPUT_CLOSED", "in")]


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_mutated_rings_never_stop_the_reader(run: Run, reader: Node, data: st.DataObject) -> None:
    for descriptor in tuple(reader._core._reception.producers):
        reader._core._reception.lose(descriptor)
    reader._core.queues.begin_again("in")
    sender = Sender(run, reader)
    os.close(sender.bell)
    with sender.connection:
        for index in range(3):
            sender.put(message(index))
        for _ in range(data.draw(st.integers(1, 4))):
            place = data.draw(st.one_of(st.sampled_from([WRITTEN, TAKEN, SLEEP]), st.integers(HEAD, HEAD + 400)))
            sender.ring.memory[place] = data.draw(st.integers(0, 255))
        while (event := reader.next(0)) is not None:
            if event.value is not None:
                event.value.validate(full=True)


SENDING = """
import random, time
from doraflow_runtime.node_api.node import Node
chance = random.Random(7)
with Node() as node:
    for number in range(30_000):
        node.send_output("out", number.to_bytes(4, "little"))
        if chance.random() < 0.02:
            time.sleep(chance.random() / 5000)
"""


def test_no_message_is_slept_over_however_its_sender_pauses(run: Run) -> None:
    run.pair(size=100)
    sending = run.spawn("a", SENDING)
    (node,) = run.join("b")
    for expected in range(30_000):
        event = node.next(60)
        assert event is not None
        assert event.value is not None
        assert first_four(event.value) == expected
    run.finish(sending)
