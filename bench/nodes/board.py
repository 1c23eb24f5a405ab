"""The board: counters that all processes of a run share, beside the data plane that is measured.

A file of 8-byte cells, mapped by every node and by the benchmark itself, so that a source knows what has arrived
without sending a message for it. Nothing here knows a peer.
"""

from __future__ import annotations

import mmap
import struct
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

PID, READY, FIRST, COUNT, DONE, STOPPED = range(6)
CELLS = 8  # of each node: a cache line
POLL = 0.0005  # seconds


class Board:
    """The cells of one run. A cell is written by one process and read by any."""

    def __init__(self, path: Path, nodes: int) -> None:
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), nodes * CELLS * 8)
        self.cells = memoryview(self._map).cast("Q")
        self.nodes = nodes

    @staticmethod
    def create(path: Path, nodes: int) -> None:
        """Write a board on which every cell is 0."""
        path.write_bytes(struct.pack(f"<{nodes * CELLS}Q", *[0] * nodes * CELLS))

    def get(self, node: int, cell: int) -> int:
        """Read a cell."""
        return self.cells[node * CELLS + cell]

    def put(self, node: int, cell: int, value: int) -> None:
        """Write a cell."""
        self.cells[node * CELLS + cell] = value

    def column(self, cell: int) -> list[int]:
        """Read a cell of every node."""
        return self.cells[cell::CELLS].tolist()

    def wait(self, nodes: list[int], cell: int, least: int, seconds: float) -> None:
        """Sleep until a cell of each of `nodes` holds `least` or more. Raises TimeoutError."""
        limit = time.monotonic() + seconds
        while any(self.cells[node * CELLS + cell] < least for node in nodes):
            if time.monotonic() > limit:
                raise TimeoutError(f"{least} in cell {cell} of nodes {nodes}: {self.column(cell)} after {seconds} s")
            time.sleep(POLL)
