"""Packs after they were sealed: kept while they are on their way, and taken apart where a cut has swallowed them.

How they are filled is told in `outbox`, and read in `listening`. Nothing here knows of sockets.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from doraflow_runtime.net import frames
from doraflow_runtime.net.copies import Copied
from doraflow_runtime.net.lanes import Parcel
from doraflow_runtime.node_api.outgoing import Outgoing
from doraflow_runtime.shm.wire import HEADER, Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MOMENT_SECONDS = 0.0005
"""How long a pack waits for more while its sender does something else."""


class Pack(NamedTuple):
    """Some messages of one or more edges in the form in which they travel; none lies in a slot."""

    data: bytes
    slot: None = None


Item: TypeAlias = Outgoing | Copied | Pack
"""What is on its way: one message, or those that were packed."""


def take_apart(link: int, parcel: Parcel[Item]) -> Iterator[Parcel[Item]]:
    """Give the messages of one edge that a parcel stands for, one by one."""
    if not isinstance(parcel.item, Pack):
        yield parcel
        return
    data, at = memoryview(parcel.item.data), 0
    while at < len(data):
        number, frame, at = frames.read_record(data, at)
        if frame.kind == Kind.MESSAGE and frame.link == link:
            message = Outgoing(frame.number, frame.flags, frame.body, None)
            yield Parcel(number, message, HEADER.size + len(frame.body))


class PackCourier:
    """A thread that hands on what was packed, a moment after it was called; it sleeps until then.

    `deliver` is called from that thread. A thread, because the sender may compute for seconds after its last message.
    """

    def __init__(self, deliver: Callable[[], None]) -> None:
        self._deliver = deliver
        self._bell = threading.Semaphore(0)
        self._is_over = False
        self._thread: threading.Thread | None = None

    def call(self) -> None:
        """See to it that somebody delivers in a moment."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="doraflow-packs", daemon=True)
            self._thread.start()
        self._bell.release()

    def end(self) -> None:
        """Deliver nothing more."""
        self._is_over = True
        self._bell.release()

    def _run(self) -> None:
        while self._bell.acquire():
            if self._is_over:
                return
            time.sleep(MOMENT_SECONDS)
            self._deliver()
