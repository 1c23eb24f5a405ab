"""A node of doraflow: Arrow uint8 arrays are sent, their bytes are read, loans are its zero-copy way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
from doraflow_runtime.node_api.node import Node
from roles import play

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from seat import Seat


class DoraflowPort:
    """One node of a launched bundle."""

    def __init__(self, seat: Seat) -> None:
        del seat
        self.node = Node()
        self.events: Iterator[Any] = self.node.iter_bytes()

    def sender(self, size: int, way: str, mark: Callable[[], int]) -> Callable[[], None]:
        """Copy an array, or write into a loan."""
        node = self.node
        if way == "loaned":

            def loaned() -> None:
                with node.loan("out", size) as memory:
                    memory[:8] = mark().to_bytes(8, "little")

            return loaned
        buffer = bytearray(size)
        head = memoryview(buffer)[:8]
        array = pa.Array.from_buffers(pa.uint8(), size, [None, pa.py_buffer(buffer)])

        def copied() -> None:
            head[:] = mark().to_bytes(8, "little")
            node.send_output("out", array)

        return copied

    def forwarder(self, size: int) -> Callable[[Any], None]:
        """Send what was received."""
        del size
        node = self.node
        return lambda payload: node.send_output("out", payload)

    def receive(self) -> Any:
        """Wait for a payload."""
        for event in self.events:
            if event.type == "INPUT":
                return event.value
            if event.type == "ERROR":
                raise RuntimeError(event.id)
        return None

    def number(self, payload: Any) -> int:
        """Read bytes, or a view of shared memory."""
        return int.from_bytes(payload[:8], "little")

    def window(self, size: int) -> int | None:
        """Leave it to the queue: its policy is `backpressure`."""
        del size
        return None

    def rest(self, seconds: float) -> None:
        """Wait for an event: only inside of calls does a node send what its readers had no room for."""
        self.node.next(seconds)

    def close(self) -> None:
        """Leave the run."""
        self.node.close()


if __name__ == "__main__":
    play(DoraflowPort)
