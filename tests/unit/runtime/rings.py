"""Rings of messages as docs/wire-format.md describes them, in plain Python: strangers at either end of a connection."""

from __future__ import annotations

import contextlib
import fcntl
import mmap
import os
import socket
import struct
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
from doraflow_runtime.formats.arrow import byte_hole, lay_out
from doraflow_runtime.shm import wire
from doraflow_runtime.shm.memory import SharedMemory
from doraflow_runtime.shm.wire import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import Run
    from doraflow_runtime.contract import QueuePolicy
    from doraflow_runtime.node_api.node import Node

HEAD, WRITTEN, TAKEN, SLEEP = 4096, 0, 64, 128
WANTS, SEEN, RETURNED, FETCHED, CREDITS, SLOTS = 192, 256, 264, 320, 384, 2048
PLACES = 128
KNOCK = wire.frame(Kind.KNOCK, 0)
LOOK = wire.frame(Kind.SEEN, 0)
RECORD = lay_out(byte_hole(4)).record


RECORD_VECTOR = bytes.fromhex((Path(__file__).parent / "vectors" / "rings" / "record.hex").read_text())
"""The record of message 7, sent at 7 ns, before anything else has come by the connection."""


def schema() -> bytes:
    body = pa.schema([pa.field("", pa.uint8())]).serialize().to_pybytes()
    return wire.frame(Kind.TYPE, len(body), number=1) + body


def message(number: int, more: int = 0) -> bytes:
    record = RECORD if not more else lay_out(byte_hole(4 + more)).record
    content = number.to_bytes(4, "little") + bytes(more)
    body = wire.MESSAGE.pack(7, 0, len(record), len(content)) + record + content
    return wire.frame(Kind.MESSAGE, len(body), 0, 1, 1) + body


class Ring:
    """A ring's memory, by its numbers."""

    def __init__(self, descriptor: int) -> None:
        self.memory = mmap.mmap(descriptor, 0)
        self.size = len(self.memory) - HEAD
        self.at = 0

    def get(self, place: int) -> int:
        return int(struct.unpack_from(_form(place), self.memory, place)[0])

    def set(self, place: int, value: int) -> None:
        struct.pack_into(_form(place), self.memory, place, value)

    def put(self, position: int, frame: bytes) -> None:
        """Write a record, all of it before its count."""
        record = struct.pack("<Q", position) + frame
        record += bytes(-len(record) % 8)
        for index, byte in enumerate(record):
            self.memory[HEAD + (self.at + index) % self.size] = byte
        self.at += len(record)
        self.set(WRITTEN, self.at)

    def take(self) -> list[tuple[int, bytes]]:
        """Read all records."""
        found = []
        while self.at < self.get(WRITTEN):
            position, size = struct.unpack("<QI", self._bytes(12))
            found.append((position, self._bytes(20 + size)[8:]))
            self.at += 20 + size + -(20 + size) % 8
        self.set(TAKEN, self.at)
        return found

    def _bytes(self, count: int) -> bytes:
        return bytes(self.memory[HEAD + (self.at + index) % self.size] for index in range(count))


class Sender:
    """A producer that has taken the ring, and has the bell; `position` counts the connection's bytes since then.

    `links` are those whose credits may stand in the head, where the producer `looks` for what comes back. It gives its
    reader the descriptors of `given`.
    """

    def __init__(self, run: Run, node: Node, *given: int, looks: bool = False) -> None:
        memory = SharedMemory(8192)
        self.connection = socket.socket(socket.AF_UNIX)
        self.connection.connect(str(run.directory / "n1.sock"))
        socket.send_fds(self.connection, [wire.hello("a") + schema()], [memory.for_readers])
        memory.close()
        node.is_empty()
        node.is_empty()
        self.connection.settimeout(5)
        data, (memory_of_ring, self.bell), _, _ = socket.recv_fds(self.connection, 12, 2)
        size = struct.unpack_from("<I", data)[0]
        assert data == wire.frame(Kind.RING, size, number=2)
        self.links = struct.unpack(f"<{size // 2}H", self.connection.recv(size)) if size else ()
        self.ring = Ring(memory_of_ring)
        os.close(memory_of_ring)
        socket.send_fds(self.connection, [wire.frame(Kind.KNOCK, 0, number=2) if looks else KNOCK], given)
        self.position = 0

    def say(self, data: bytes) -> None:
        self.connection.sendall(data)
        self.position += len(data)

    def put(self, frame: bytes) -> None:
        self.ring.put(self.position, frame)


class Reader:
    """A consumer of a real node, which has offered a ring of its own; it gives back by the head if it names links.

    `given` are the descriptors that came from the producer, if it keeps them.
    """

    def __init__(
        self, connection: socket.socket, descriptor: int, *bell: int, links: tuple[int, ...] | None = None
    ) -> None:
        self.connection = connection
        self.ring = Ring(descriptor)
        offer = wire.frame(Kind.RING, 0)
        if links is not None:
            offer = wire.frame(Kind.RING, 2 * len(links), number=2) + struct.pack(f"<{len(links)}H", *links)
        socket.send_fds(connection, [offer], [descriptor, *bell])
        self.given: list[int] = []
        self.keeps_given = False
        self._data = b""
        self._position: int | None = None

    def messages(self) -> list[int]:
        """Take the numbers of all messages, each in its place."""
        with contextlib.suppress(BlockingIOError):
            data = b"more"
            while data:
                data, beside_it, _, _ = self.connection.recvmsg(65536, socket.CMSG_LEN(4), socket.MSG_DONTWAIT)
                self._data += data
                for _, _, content in beside_it:
                    self._keep(struct.unpack("=i", content[:4])[0])
        found, beside = [], self.ring.take()
        while True:
            while beside and beside[0][0] == self._position:
                found.append(_number(beside.pop(0)[1]))
            if len(self._data) < 12:
                assert not beside
                return found
            size, kind = struct.unpack("<IB", self._data[:5])
            frame, self._data = self._data[: 12 + size], self._data[12 + size :]
            if self._position is not None:
                self._position += len(frame)
            elif kind == Kind.KNOCK:
                self._position = 0
            if kind == Kind.MESSAGE:
                found.append(_number(frame))

    def _keep(self, descriptor: int) -> None:
        if self.keeps_given:
            self.given.append(descriptor)
        else:
            os.close(descriptor)


class Stranger:
    """A reader in b's place, with a queue of three, which gives back by the head of its ring."""

    def __init__(self, run: Run, *links: int, policy: QueuePolicy = "backpressure", beside: str = "") -> None:
        run.node("a", ("out", beside) if beside else ("out",))
        run.node("b")
        run.link("a/out", "b/in", 3, policy)
        if beside:
            run.link(f"a/{beside}", "b/beside")
        self._place = run.directory / "n1.sock"
        self._links = links
        with self._being_there():
            run.listen(1)
            (self.node,) = run.join("a")

    def come_again(self) -> None:
        """Take b's place as its next process would, once the producer has hung up."""
        self.connection.close()
        self._place.unlink()
        with self._being_there(), self.node._core.lock:
            self.node._core._connect("b")

    @contextlib.contextmanager
    def _being_there(self) -> Iterator[None]:
        """Listen while the producer connects, then offer it a ring."""
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(str(self._place))
            listening.listen()
            yield
            self.connection = listening.accept()[0]
        descriptor = ring_memory()
        self.reader = Reader(self.connection, descriptor, links=self._links)
        self.ring = self.reader.ring
        os.close(descriptor)
        self.node.is_empty()

    def send(self, number: int, more: int = 0) -> None:
        self.node.send_output("out", number.to_bytes(4, "little") + bytes(more))

    def keys(self) -> list[bytes]:
        """Say which slots the node has in use, as their names stand in a head."""
        names = [slot.name for slot in self.node._core.pool.slots]
        return [struct.pack("<4I", name.segment, name.slot, name.generation, 0) for name in names]

    def give_back(self, *keys: bytes) -> None:
        before = self.ring.get(RETURNED)
        for index, key in enumerate(keys, before):
            place = SLOTS + index % PLACES * 16
            self.ring.memory[place : place + 16] = key
        self.ring.set(RETURNED, before + len(keys))


def _form(place: int) -> str:
    return "<I" if place in (SLEEP, WANTS) else "<Q"


def _number(frame: bytes) -> int:
    metadata, record = struct.unpack("<II", frame[20:28])
    return int.from_bytes(frame[32 + metadata + record :][:4], "little")


def ring_memory(size: int = HEAD + 65536, seals: int = fcntl.F_SEAL_SHRINK) -> int:
    descriptor = os.memfd_create("ring", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    os.ftruncate(descriptor, size)
    fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, seals)
    return descriptor
