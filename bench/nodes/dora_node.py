"""A node of dora-rs: Arrow uint8 arrays through its node API, raw samples in shared memory as its zero-copy way."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from dora import Node
from roles import play

if TYPE_CHECKING:
    from collections.abc import Callable

    from seat import Seat


WINDOWS = ((4096, 1000), (100_000, 16), (1 << 40, 1))
"""Sizes up to which so many messages may be unread: what was fastest of 1 to 1000, and lost nothing."""
FAR_WINDOWS = ((100_000, 16), (1 << 40, 4))
"""The same between two hosts."""


class DoraPort:
    """One node of `dora run`."""

    def __init__(self, seat: Seat) -> None:
        self._windows = FAR_WINDOWS if seat.link else WINDOWS
        self._node = Node()

    def sender(self, size: int, way: str, mark: Callable[[], int]) -> Callable[[], None]:
        """Send an array, or write into a raw sample."""
        node = self._node
        if way == "loaned":

            def loaned() -> None:
                sample = node.send_output_raw("out", size)
                view = sample.as_memoryview()
                view[:8] = mark().to_bytes(8, "little")
                view.release()
                sample.send()

            return loaned
        buffer = bytearray(size)
        head = memoryview(buffer)[:8]
        array = pa.Array.from_buffers(pa.uint8(), size, [None, pa.py_buffer(buffer)])

        def copied() -> None:
            head[:] = mark().to_bytes(8, "little")
            node.send_output("out", array)

        return copied

    def forwarder(self, size: int) -> Callable[[Any], None]:
        """Send the received array."""
        del size
        node = self._node
        return lambda payload: node.send_output("out", payload)

    def receive(self) -> Any:
        """Wait for an array."""
        while (event := self._node.next()) is not None:
            if event["type"] == "INPUT":
                return event["value"]
            if event["type"] in ("STOP", "ERROR"):
                break
        return None

    def number(self, payload: Any) -> int:
        """Read through the array's buffer."""
        start = payload.offset
        return int.from_bytes(memoryview(payload.buffers()[1])[start : start + 8], "little")

    def window(self, size: int) -> int | None:
        """Give credit beside the data plane: a full queue of dora drops messages, whatever its policy."""
        return next(window for most, window in self._windows if size <= most)

    def rest(self, seconds: float) -> None:
        """Sleep."""
        time.sleep(seconds)

    def close(self) -> None:
        """Leave when the process ends."""


if __name__ == "__main__":
    play(DoraPort)
