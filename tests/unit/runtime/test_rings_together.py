"""Readers that sleep on a bell that they have in common, and the producer that rings it."""

from __future__ import annotations

import gc
import os
import socket
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from doraflow_runtime.compiled import is_compiled

from tests.unit.runtime.rings import SLEEP, Reader, Sender, message, ring_memory
from tests.unit.runtime.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conftest import Run
    from doraflow_runtime.node_api.events import Event
    from doraflow_runtime.node_api.node import Node

if not is_compiled():
    pytest.skip("the compiled core is not built, or switched off", allow_module_level=True)

AWAKE, ASLEEP, TOGETHER = 0, 1, 3


# ---- a producer, and strangers that read from it


class Choir:
    """Strangers in the places of b and c, which both read `out` of a node, and b its output `own` too."""

    def __init__(self, run: Run, *more: str) -> None:
        run.node("a", ("out", "own"))
        run.node("b")
        run.node("c")
        run.link("a/out", "b/in")
        run.link("a/own", "b/own")
        run.link("a/out", "c/in")
        for end in more:
            run.link("a/out", end)
        self.bells = [os.eventfd(0, os.EFD_NONBLOCK) for _ in "bc"]
        listening = [socket.socket(socket.AF_UNIX) for _ in "bc"]
        for index, sock in enumerate(listening, 1):
            sock.bind(str(run.directory / f"n{index}.sock"))
            sock.listen()
            sock.settimeout(20)
        run.listen(1)
        (self.node,) = run.join("a")
        self.readers = []
        for sock, bell in zip(listening, self.bells, strict=True):
            descriptor = ring_memory()
            self.readers.append(Reader(sock.accept()[0], descriptor, bell))
            self.readers[-1].keeps_given = True
            os.close(descriptor)
            sock.close()
        self.node.is_empty()
        for output in ("out", "own"):
            self.node.send_output(output, b"seed")  # announces the type, so by the connection
        self.arrived()
        (_, self.common), (_, other) = (reader.given for reader in self.readers)  # the first is the memory
        os.eventfd_write(other, 1)
        assert os.eventfd_read(self.common) == 1

    def arrived(self) -> list[list[int]]:
        return [reader.messages() for reader in self.readers]

    def sleep(self, *ways: int) -> None:
        for reader, way in zip(self.readers, ways, strict=True):
            reader.ring.set(SLEEP, way)

    def rung(self) -> list[int]:
        """How often the bell in common was rung, and those of b and c."""
        return [_read(bell) for bell in (self.common, *self.bells)]

    def close(self) -> None:
        for reader in self.readers:
            reader.connection.close()
        for bell in (*self.bells, *(bell for reader in self.readers for bell in reader.given)):
            os.close(bell)


def _read(bell: int) -> int:
    try:
        return os.eventfd_read(bell)
    except BlockingIOError:
        return 0


@pytest.fixture
def choir(run: Run) -> Iterator[Choir]:
    made = Choir(run)
    yield made
    made.close()


@pytest.mark.parametrize(
    ("output", "ways", "rung"),
    [
        ("out", (TOGETHER, TOGETHER), [1, 0, 0]),
        ("out", (TOGETHER, AWAKE), [0, 1, 0]),
        ("out", (ASLEEP, TOGETHER), [0, 1, 1]),
        ("out", (ASLEEP, ASLEEP), [0, 1, 1]),
        ("out", (AWAKE, AWAKE), [0, 0, 0]),
        ("own", (TOGETHER, TOGETHER), [0, 1, 0]),
    ],
)
def test_the_bell_in_common_is_rung_for_what_goes_to_all_who_sleep_on_it(
    choir: Choir, output: str, ways: tuple[int, int], rung: list[int]
) -> None:
    choir.sleep(*ways)
    choir.node.send_output(output, (7).to_bytes(4, "little"))
    assert choir.rung() == rung
    goes_to = {"out": 2, "own": 1}[output]
    assert [reader.ring.get(SLEEP) for reader in choir.readers[:goes_to]] == [AWAKE] * goes_to
    assert choir.arrived() == [[7], [7]][:goes_to] + [[]] * (2 - goes_to)


def test_a_reader_with_two_inputs_of_an_output_is_one_of_those_who_have_the_bell(run: Run) -> None:
    with closing(Choir(run, "b/again")) as choir:
        choir.sleep(TOGETHER, TOGETHER)
        choir.node.send_output("out", (7).to_bytes(4, "little"))
        assert choir.rung() == [1, 0, 0]
        assert choir.arrived() == [[7, 7], [7]]


def test_a_reader_that_is_gone_leaves_the_bell_to_the_others_own(choir: Choir) -> None:
    choir.readers[1].connection.close()
    choir.node.is_empty()
    choir.sleep(TOGETHER, TOGETHER)
    choir.node.send_output("out", (7).to_bytes(4, "little"))
    assert choir.rung() == [0, 1, 0]
    assert choir.readers[0].messages() == [7]


def test_a_reader_that_fills_the_bell_in_common_silences_it_for_nobody_else(choir: Choir) -> None:
    os.eventfd_write(choir.common, 2**64 - 2)  # the most that it holds
    choir.sleep(TOGETHER, TOGETHER)
    choir.node.send_output("out", (7).to_bytes(4, "little"))
    assert choir.rung() == [2**64 - 2, 1, 1]
    assert choir.arrived() == [[7], [7]]


# ---- a reader, and a stranger that sends to it


@pytest.fixture
def reading(run: Run) -> Node:
    run.node("a", ("out",))
    run.node("b")
    run.link("a/out", "b/in")
    run.listen(1)
    (node,) = run.join("b")
    return node


def test_a_reader_that_has_the_bell_says_so_when_it_sleeps_and_is_woken_by_it(run: Run, reading: Node) -> None:
    common = os.eventfd(0, os.EFD_NONBLOCK)
    sender = Sender(run, reading, common)
    events: list[Event | None] = []
    with sender.connection:
        for _ in range(2):  # also when it has rung before
            waiting = threading.Thread(target=lambda: events.append(reading.next(30)))
            waiting.start()
            wait_until(lambda: sender.ring.get(SLEEP) == TOGETHER)
            os.eventfd_write(common, 1)  # for another reader: there is nothing here
            time.sleep(0.01)
            sender.put(message(5))
            wait_until(lambda: sender.ring.get(SLEEP) == TOGETHER)
            sender.ring.set(SLEEP, AWAKE)
            os.eventfd_write(common, 1)
            waiting.join(20)
            assert not waiting.is_alive()
    assert [event.type for event in events if event is not None] == ["INPUT", "INPUT"]
    os.close(common)
    os.close(sender.bell)


@pytest.mark.parametrize(
    "make", [lambda: os.eventfd(0), lambda: os.dup(1), ring_memory], ids=["it would block", "a stream", "memory"]
)
def test_a_reader_does_not_take_what_is_no_bell(run: Run, reading: Node, make: Callable[[], int]) -> None:
    given = make()
    gc.collect()  # what earlier tests have left over must not go while we count
    before = len(list(Path("/proc/self/fd").iterdir()))
    sender = Sender(run, reading, given)
    with sender.connection:
        assert reading.next(0.05) is None
        waiting = threading.Thread(target=reading.next, args=(30,))
        waiting.start()
        wait_until(lambda: sender.ring.get(SLEEP) == ASLEEP)
        after = len(list(Path("/proc/self/fd").iterdir()))
        sender.put(message(5))
        sender.ring.set(SLEEP, AWAKE)
        os.eventfd_write(sender.bell, 1)
        waiting.join(20)
        assert not waiting.is_alive()
    os.close(given)
    os.close(sender.bell)
    assert after - before == 6  # the connection, the bell and memory of either side at both ends
