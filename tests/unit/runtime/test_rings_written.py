"""What a producer writes into the ring of its reader, what it sends by the connection, and rings that are none."""

from __future__ import annotations

import contextlib
import gc
import mmap
import os
import random
import socket
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from doraflow_runtime.compiled import is_compiled
from doraflow_runtime.shm import wire
from doraflow_runtime.shm.wire import Kind

from tests.unit.runtime.rings import HEAD, RECORD_VECTOR, SLEEP, TAKEN, WRITTEN, Reader, ring_memory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conftest import Run
    from doraflow_runtime.node_api.node import Node

if not is_compiled():
    pytest.skip("the compiled core is not built, or switched off", allow_module_level=True)


@contextlib.contextmanager
def connected(run: Run) -> Iterator[tuple[Node, socket.socket]]:
    """A node `a`, and the connection that it has made to a stranger in b's place."""
    run.node("a", ("out",))
    run.node("b")
    run.link("a/out", "b/in", 10)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(run.directory / "n1.sock"))
        listening.listen()
        run.listen(1)
        (node,) = run.join("a")
        connection = listening.accept()[0]
        with connection:
            yield node, connection


def send(node: Node, number: int, more: int = 0) -> None:
    node.send_output("out", number.to_bytes(4, "little") + bytes(more))


def test_the_next_pages_of_a_ring_are_there_before_a_message_needs_them_and_only_of_one_that_is_used(run: Run) -> None:
    descriptor = ring_memory()
    with connected(run) as (node, connection):
        reader = Reader(connection, descriptor)
        node.is_empty()
        send(node, 1)  # announces the type, so by the connection
        assert reader.messages() == [1]
        unused = os.fstat(descriptor).st_blocks * 512
        send(node, 2)
        assert unused <= 4 * mmap.PAGESIZE
        assert 8 * mmap.PAGESIZE <= os.fstat(descriptor).st_blocks * 512 <= 32 * mmap.PAGESIZE
    os.close(descriptor)


def test_a_record_is_written_like_its_vector_but_for_its_time(run: Run) -> None:
    descriptor = ring_memory()
    with connected(run) as (node, connection):
        reader = Reader(connection, descriptor)
        node.is_empty()
        send(node, 1)  # announces the type, so by the connection
        assert reader.messages() == [1]
        begin = reader.ring.get(WRITTEN)
        send(node, 7)
        written = bytes(reader.ring.memory[HEAD + begin : HEAD + reader.ring.get(WRITTEN)])
    os.close(descriptor)
    frame, time_of_sending = slice(8, 20), slice(20, 28)
    assert (len(written), written[frame]) == (len(RECORD_VECTOR), RECORD_VECTOR[frame])
    assert written[time_of_sending.stop :] == RECORD_VECTOR[time_of_sending.stop :]


def test_a_producer_sends_to_a_reader_that_is_awake_by_the_ring_and_wakes_one_that_sleeps(run: Run) -> None:
    descriptor = ring_memory()
    with connected(run) as (node, connection):
        reader = Reader(connection, descriptor)
        os.close(descriptor)
        node.is_empty()
        send(node, 1)  # announces the type, so by the connection
        assert reader.messages() == [1]
        send(node, 2)
        assert reader.ring.get(WRITTEN) > 0
        with pytest.raises(BlockingIOError):
            connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        assert reader.messages() == [2]
        reader.ring.set(SLEEP, 1)
        before = reader.ring.get(WRITTEN)
        send(node, 3)
        assert (reader.ring.get(WRITTEN), reader.ring.get(SLEEP)) == (before, 0)
        send(node, 4)
        assert reader.ring.get(WRITTEN) > before
        assert reader.messages() == [3, 4]
        reader.ring.set(SLEEP, 2)
        send(node, 5)
        assert (reader.ring.get(SLEEP), reader.messages()) == (2, [5])


def test_a_node_that_only_sends_hears_of_the_ring_too(run: Run) -> None:
    descriptor, bell = ring_memory(), os.eventfd(0, os.EFD_NONBLOCK)
    with connected(run) as (node, connection):
        reader = Reader(connection, descriptor, bell)
        os.close(descriptor)
        for number in range(4):  # the first announces the type, after the second it reads what was said
            send(node, number)
        assert reader.ring.get(WRITTEN) > 0
        assert reader.messages() == [0, 1, 2, 3]
    os.close(bell)


def test_a_producer_with_a_bell_uses_the_ring_also_while_its_reader_sleeps(run: Run) -> None:
    descriptor, bell = ring_memory(), os.eventfd(0, os.EFD_NONBLOCK)
    with connected(run) as (node, connection):
        reader = Reader(connection, descriptor, bell)
        os.close(descriptor)
        node.is_empty()
        send(node, 1)
        assert reader.messages() == [1]
        reader.ring.set(SLEEP, 1)
        send(node, 2)
        assert (reader.ring.get(SLEEP), os.eventfd_read(bell)) == (0, 1)
        send(node, 3)
        with pytest.raises(BlockingIOError):
            os.eventfd_read(bell)
        with pytest.raises(BlockingIOError):
            connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        assert reader.messages() == [2, 3]
        reader.ring.set(SLEEP, 2)
        before = reader.ring.get(WRITTEN)
        send(node, 4)
        assert (reader.ring.get(WRITTEN), reader.messages()) == (before, [4])
    os.close(bell)


@pytest.mark.parametrize(
    "make", [lambda: os.eventfd(0), lambda: os.dup(1), ring_memory], ids=["it would block", "a stream", "memory"]
)
def test_a_bell_that_could_hold_its_producer_up_is_not_taken(run: Run, make: Callable[[], int]) -> None:
    descriptor, bell = ring_memory(), make()
    with connected(run) as (node, connection):
        gc.collect()  # what earlier tests have left over must not go while we count
        before = len(list(Path("/proc/self/fd").iterdir()))
        reader = Reader(connection, descriptor, bell)
        os.close(descriptor)
        os.close(bell)
        node.is_empty()
        send(node, 1)
        assert reader.messages() == [1]
        reader.ring.set(SLEEP, 1)
        written = reader.ring.get(WRITTEN)
        send(node, 2)
        assert (reader.ring.get(WRITTEN), reader.messages()) == (written, [2])
        assert len(list(Path("/proc/self/fd").iterdir())) == before - 1  # the memory that this test reads has one


def test_what_a_ring_has_no_room_for_goes_by_the_connection_in_its_place(run: Run) -> None:
    chance = random.Random(1)
    descriptor = ring_memory()
    with connected(run) as (node, connection):
        reader = Reader(connection, descriptor)
        os.close(descriptor)
        node.is_empty()
        sent, arrived = 0, []
        for _ in range(30):
            for _ in range(chance.randrange(40)):
                if chance.random() < 0.1:
                    reader.ring.set(SLEEP, 1)
                send(node, sent, chance.choice([0, 100, 3000, 4000]))
                sent += 1
            node.is_empty()
            arrived += reader.messages()
        (consumer,) = node._core.consumers.values()
        while consumer.has_waiting:
            node.is_empty()
            arrived += reader.messages()
        arrived += reader.messages()
        dropped = sum(node.undelivered.values())
        assert len(arrived) == sent - dropped
        assert arrived == sorted(set(arrived))


@pytest.mark.parametrize(
    "make",
    [
        lambda: ring_memory(seals=0),
        lambda: ring_memory(HEAD + 65536 + 8),
        lambda: ring_memory(HEAD + 32768),
        lambda: ring_memory(HEAD + 2**25),
        lambda: os.eventfd(0),
    ],
    ids=["unsealed", "no power of two", "too small", "too large", "an eventfd"],
)
def test_a_ring_that_cannot_be_used_ends_the_connection_and_leaves_no_descriptor(
    run: Run, capfd: pytest.CaptureFixture[str], make: Callable[[], int]
) -> None:
    with connected(run) as (node, connection):
        gc.collect()  # what earlier tests have left over must not go while we count
        before = len(list(Path("/proc/self/fd").iterdir()))
        descriptor = make()
        socket.send_fds(connection, [wire.frame(Kind.RING, 0)], [descriptor])
        os.close(descriptor)
        node.is_empty()
        assert "closed the connection of `b`: a ring that cannot be used" in capfd.readouterr().out
        assert len(list(Path("/proc/self/fd").iterdir())) == before - 1  # that of the connection


@pytest.mark.parametrize("offers", [0, 2])
def test_a_ring_without_memory_and_a_second_ring_end_the_connection(
    run: Run, capfd: pytest.CaptureFixture[str], offers: int
) -> None:
    descriptor = ring_memory()
    with connected(run) as (node, connection):
        for _ in range(offers):
            socket.send_fds(connection, [wire.frame(Kind.RING, 0)], [descriptor])
            node.is_empty()
        if not offers:
            connection.sendall(wire.frame(Kind.RING, 0))
            node.is_empty()
        assert "closed the connection of `b`: a ring that cannot be used" in capfd.readouterr().out
    os.close(descriptor)


def test_a_reader_that_lies_about_what_it_took_gets_its_messages_by_the_connection(run: Run) -> None:
    descriptor = ring_memory()
    with connected(run) as (node, connection):
        reader = Reader(connection, descriptor)
        os.close(descriptor)
        node.is_empty()
        send(node, 1)
        reader.messages()
        reader.ring.set(TAKEN, 2**63)
        send(node, 2)
        assert reader.ring.get(WRITTEN) == 0
        assert reader.messages() == [2]
