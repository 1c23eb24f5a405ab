"""One who looks on: copies of an output, read beside its readers and lost where they are read too slowly.

It is no node: the launcher does not know it, and the one whose output it reads sends to it like to any other reader
that may lose messages. To be used from one thread.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import select
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from doraflow_runtime.contract import InputWiring, Link
from doraflow_runtime.node_api.core import TAP, TAP_LINK
from doraflow_runtime.node_api.incoming import Inlet, Producer
from doraflow_runtime.shm.connection import Connection, Folder, peer_user
from doraflow_runtime.shm.wire import Kind, WireError

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    import pyarrow as pa
    from doraflow_runtime.node_api.incoming import Received
    from doraflow_runtime.shm.wire import Frame


@dataclass(frozen=True, slots=True)
class Seen:
    """A message that was seen: its size in bytes, when it was sent and taken (ns since 1970), and what it holds.

    `value` is None for a message that was only counted, or that cannot be read.
    """

    size: int
    sent_ns: int
    taken_ns: int
    value: pa.Array[Any] | None = None
    metadata: dict[str, object] | None = None


class Spy:
    """Reads `output` of node `producer` in the run in `directory`, once the launcher was asked to tap `address`."""

    def __init__(self, directory: Path, producer: str, output: str) -> None:
        """Listen in the run's directory. Raises OSError."""
        self.address = f"tap-{secrets.token_hex(8)}.sock"
        self.has_ended = False
        self._path = directory / self.address
        link = Link(TAP_LINK, producer, output, TAP, TAP)
        self._inlet = Inlet.of(link, InputWiring(TAP, f"{producer}/{output}"))
        self._producer: Producer | None = None
        folder = Folder(str(directory))
        try:
            self._listening = folder.listen(self.address, 1)
        finally:
            folder.close()

    def receive(self, timeout: float, most: int) -> list[Seen]:
        """Wait for messages for at most `timeout` seconds; the first `most` are read, the others counted.

        Raises WireError if the node sends nonsense.
        """
        if self._producer is None and not self._accept(timeout):
            return []
        producer = self._producer
        if producer is None or not _is_ready(producer.connection.fileno(), timeout):
            return []
        seen: list[Seen] = []
        for frame in producer.receive():
            item = self._take(producer, frame)
            if item is not None:
                seen.append(_seen(item, is_read=len(seen) < most))
        producer.give_back()
        self.has_ended = self.has_ended or producer.connection.has_ended
        return seen

    def close(self) -> None:
        """Look on no more."""
        if self._producer is not None:
            self._producer.connection.close()
        self._listening.close()
        with contextlib.suppress(OSError):  # the run may have ended, and taken its directory with it
            self._path.unlink()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _accept(self, timeout: float) -> bool:
        if not _is_ready(self._listening.fileno(), timeout):
            return False
        sock, _ = self._listening.accept()
        if peer_user(sock) != os.geteuid():
            sock.close()
            return False
        self._producer = Producer(Connection(sock), _nothing)
        return True

    def _take(self, producer: Producer, frame: Frame) -> Received | None:
        if producer.id is None:
            producer.greet(frame, (self._inlet,))
        elif frame.kind == Kind.MESSAGE:
            return producer.message(frame)
        elif producer.take(frame) is not None:
            self.has_ended = True
        return None


def _seen(item: Received, *, is_read: bool) -> Seen:
    message, now = item.message, time.time_ns()
    size = message.slot.size if message.slot is not None else len(message.payload)
    if not is_read:
        item.discard()
        return Seen(size, message.sent_ns, now)
    event = item.event(TAP)
    if event.type != "INPUT" or event.metadata is None:
        return Seen(size, message.sent_ns, now)
    return Seen(size, message.sent_ns, now, event.value, dict(event.metadata.parameters))


def _is_ready(descriptor: int, timeout: float) -> bool:
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(max(0.0, timeout) * 1000))


def _nothing() -> None:
    """Stand in for waking a thread: there is one."""


__all__ = ["Seen", "Spy", "WireError"]
