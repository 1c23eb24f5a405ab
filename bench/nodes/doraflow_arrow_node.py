"""The node of doraflow that reads Arrow arrays, as dora's nodes do; all else is as in the other one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from doraflow_node import DoraflowPort
from roles import play

if TYPE_CHECKING:
    from seat import Seat


class ArrowPort(DoraflowPort):
    """The same node with `for event in node`."""

    def __init__(self, seat: Seat) -> None:
        super().__init__(seat)
        self.events = iter(self.node)

    def number(self, payload: Any) -> int:
        """Read through the array's buffer."""
        start = payload.offset
        return int.from_bytes(memoryview(payload.buffers()[1])[start : start + 8], "little")


if __name__ == "__main__":
    play(ArrowPort)
