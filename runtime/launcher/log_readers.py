"""The launcher as a producer: it connects to the nodes that read logs, and sends them what others write.

It never waits for a reader. What a slow one has no room for waits here, as much as its queue has places, and older
messages are dropped. Which inputs read what stands in `log_links`.
"""

from __future__ import annotations

import contextlib
import fcntl
import functools
import os
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from doraflow_runtime.launcher.log_links import LOG_PRODUCER
from doraflow_runtime.launcher.log_messages import dora_text, string_type, text_message
from doraflow_runtime.launcher.records import RAW_LEVEL
from doraflow_runtime.shm import wire
from doraflow_runtime.shm.connection import Connection, Folder
from doraflow_runtime.shm.wire import Kind, WireError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from doraflow_runtime.launcher.lines import Line
    from doraflow_runtime.launcher.log_links import LogLink
    from doraflow_runtime.launcher.loop import Loop
    from doraflow_runtime.launcher.records import Record

_CONNECT_SECONDS = 1.0
_MEMORY = 4096  # no payload lies in it, but every producer has some


@dataclass(slots=True)
class _Lane:
    """A link: what waits on it, oldest first, and whether nothing more comes."""

    link: LogLink
    waiting: deque[str] = field(init=False)
    is_over: bool = False

    def __post_init__(self) -> None:
        self.waiting = deque(maxlen=self.link.queue_size)


class _Reader:
    """A node that reads logs, connected or not."""

    def __init__(self, links: Sequence[LogLink]) -> None:
        self.lanes = [_Lane(link) for link in links]
        self.connection: Connection | None = None

    def offer(self, lane: _Lane, text: str) -> None:
        """Send a text, or let it wait."""
        if lane.is_over:
            return
        connection = self.connection
        if connection is None or connection.has_waiting or lane.waiting:
            lane.waiting.append(text)
        else:
            connection.send(text_message(lane.link.index, text))

    def flush(self) -> None:
        """Send what waits, as far as the reader takes it, and say which links are over."""
        connection = self.connection
        if connection is None:
            return
        connection.flush()
        for lane in self.lanes:
            while lane.waiting and not connection.has_waiting and connection.is_open:
                connection.send(text_message(lane.link.index, lane.waiting.popleft()))

    def end(self, lane: _Lane) -> None:
        """Say that nothing more comes on a link, after all that waits on it: it is little, and soon the last."""
        lane.is_over = True
        if self.connection is not None:
            while lane.waiting:
                self.connection.send(text_message(lane.link.index, lane.waiting.popleft()))
            self.connection.send(wire.closed(lane.link.index))


class LogReaders:
    """All nodes of a run that read logs."""

    def __init__(
        self,
        links: Sequence[LogLink],
        addresses: dict[str, str],
        writers: Iterable[str],
        run_id: str,
        directory: Path,
        loop: Loop,
    ) -> None:
        """`addresses` gives the socket of each node in `directory`; `writers` are those whose output comes here."""
        self._addresses = addresses
        self._run_id = run_id
        self._directory = directory
        self._loop = loop
        names = dict.fromkeys(link.consumer for link in links)
        self._readers = {name: _Reader([link for link in links if link.consumer == name]) for name in names}
        self._lanes = [(reader, lane) for reader in self._readers.values() for lane in reader.lanes]
        self._alive = set(writers)

    def arrived(self, node: str) -> None:
        """Connect to a node that listens now, if it reads logs; one that was there before is another process by now."""
        reader = self._readers.get(node)
        if reader is None:
            return
        self._lose(reader)
        with contextlib.suppress(OSError):  # it has ended already
            connection = self._connected(self._addresses[node])
            reader.connection = connection
            connection.send(string_type())
            self._loop.on_readable(connection.fileno(), functools.partial(self._hear, reader))
            reader.flush()
            for lane in reader.lanes:
                if lane.is_over:
                    reader.end(lane)
            self._press(reader)

    def lines(self, node: str, lines: Sequence[Line]) -> None:
        """Send lines of a node's output to those who read them."""
        for reader, lane in self._of("lines", node):
            for line in lines:
                reader.offer(lane, line.text if line.goes_on else f"{line.text}\n")
            self._press(reader)

    def records(self, node: str, records: Sequence[Record]) -> None:
        """Send records of a node to those who read them."""
        for reader, lane in self._of("records", node):
            for record in records:
                if lane.link.takes(record.level, is_structured=record.level != RAW_LEVEL):
                    reader.offer(lane, dora_text(record, self._run_id))
            self._press(reader)

    def ended(self, node: str) -> None:
        """Note that a node writes no more, and tell those to whom nothing can come now.

        Readers of all nodes do not wait for one another: each would wait for ever.
        """
        self._alive.discard(node)
        writers = self._alive - {name for name, reader in self._readers.items() if _hears_all(reader)}
        for reader, lane in self._lanes:
            is_last = lane.link.node == node or (not lane.link.node and not writers - {lane.link.consumer})
            if is_last and not lane.is_over:
                reader.end(lane)
                self._press(reader)

    def close(self) -> None:
        """Hang up on everyone."""
        for reader in self._readers.values():
            self._lose(reader)

    def _of(self, carried: str, node: str) -> list[tuple[_Reader, _Lane]]:
        return [
            (reader, lane)
            for reader, lane in self._lanes
            if lane.link.carries == carried and lane.link.hears(node) and not lane.is_over
        ]

    def _connected(self, address: str) -> Connection:
        folder = Folder(str(self._directory))
        try:
            connection = Connection(folder.connect(address, _CONNECT_SECONDS))
        finally:
            folder.close()
        memory = _memory()
        try:
            if not connection.greet(wire.hello(LOG_PRODUCER), memory):
                connection.close()
                raise OSError("too many descriptors are on their way between processes")
        finally:
            os.close(memory)
        return connection

    def _hear(self, reader: _Reader) -> None:
        """Notice that a reader has gone, or reads no more; all else that readers say is about slots."""
        connection = reader.connection
        if connection is None:
            return
        try:
            has_left = any(frame.kind == Kind.LEFT for frame in connection.receive())
        except WireError:
            has_left = True
        if has_left or connection.has_ended:
            self._lose(reader)

    def _press(self, reader: _Reader) -> None:
        """Watch for the moment when a reader that lags behind takes more."""
        connection = reader.connection
        if connection is None:
            return
        if not connection.is_open:
            self._lose(reader)
            return
        lags = connection.has_waiting or any(lane.waiting for lane in reader.lanes)
        self._loop.on_writable(connection.fileno(), self._flusher(reader) if lags else None)

    def _flusher(self, reader: _Reader) -> Callable[[], None]:
        def flush() -> None:
            reader.flush()
            self._press(reader)

        return flush

    def _lose(self, reader: _Reader) -> None:
        if reader.connection is not None:
            self._loop.forget(reader.connection.fileno())
            reader.connection.close()
            reader.connection = None


def _hears_all(reader: _Reader) -> bool:
    return any(not lane.link.node for lane in reader.lanes)


def _memory() -> int:
    """Make the memory that comes with a greeting, sealed as the wire format wants it; a descriptor to read it."""
    made = os.memfd_create("doraflow", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        os.ftruncate(made, _MEMORY)
        fcntl.fcntl(made, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL)
        return os.open(f"/proc/self/fd/{made}", os.O_RDONLY | os.O_CLOEXEC)
    finally:
        os.close(made)
