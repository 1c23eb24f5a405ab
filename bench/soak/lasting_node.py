"""A node of the restart soak: sends and checks without end, while it and the others are killed and started again.

A message carries the life of its sender, its number in that life, and its checksum. What is wrong is appended to a
file; nothing is reported at the end, since there is none.
"""

from __future__ import annotations

import os
import random
import threading
import time
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

from doraflow_runtime.node_api.node import Node

if TYPE_CHECKING:
    import pyarrow as pa

SIZES = (16, 3000, 40_000, 400_000)
PAUSE = 0.002
MOST_KEPT = 8


class Checker:
    """Checks what comes in: order and life by input, and each payload on arrival and once more when it is let go."""

    def __init__(self, faults: Path) -> None:
        self._faults = faults
        self._last: dict[str, tuple[int, int]] = {}
        self._kept: list[tuple[pa.Array, int]] = []
        self._random = random.Random(os.getpid())

    def check(self, port: str, value: pa.Array, life: int, number: int, checksum: int) -> None:
        """Compare a message with what it says of itself, and with the one before."""
        if (life, number) <= self._last.get(port, (-1, -1)):
            self._tell(f"{port}: message {number} of life {life} after {self._last[port]}")
        self._last[port] = (life, number)
        self._compare(value, checksum, "on arrival")
        if self._random.random() < 0.2:
            self._kept.append((value, checksum))
        if len(self._kept) > MOST_KEPT:
            self._compare(*self._kept.pop(self._random.randrange(len(self._kept))), "when it was let go")

    def note(self, text: str) -> None:
        """Note what should not have happened."""
        self._tell(text)

    def _compare(self, value: pa.Array, checksum: int, when: str) -> None:
        if zlib.crc32(value.to_numpy()) != checksum:
            self._tell(f"a payload of {len(value)} bytes was torn {when}")

    def _tell(self, text: str) -> None:
        with self._faults.open("a") as file:
            file.write(f"{text}\n")


def send_for_ever(node: Node, output: str, stock: bytes) -> None:
    """Send on one output until the node is closed."""
    chance, number = random.Random(f"{output}{node.restart_count}"), 0
    while not node.has_ended:
        size = chance.choice(SIZES)
        data = memoryview(stock)[:size]
        told = {"life": node.restart_count, "number": number, "checksum": zlib.crc32(data)}
        try:
            node.send_output(output, data, told)
        except RuntimeError:
            return  # closed meanwhile
        number += 1
        time.sleep(PAUSE)


def main() -> None:
    """Take part until the run is stopped, or this process is killed."""
    faults = Path(os.environ["SOAK_FAULTS"])
    with Node() as node:
        checker = Checker(faults / f"{node.node_id}.txt")
        stock = random.Random(node.node_id).randbytes(max(SIZES))
        for output in node.outputs:
            threading.Thread(target=send_for_ever, args=(node, output, stock), daemon=True).start()
        for event in node:
            if event.type == "INPUT" and event.value is not None and "life" in event.metadata:
                told = event.metadata
                life, number, checksum = (int(str(told[key])) for key in ("life", "number", "checksum"))
                checker.check(str(event.id), event.value, life, number, checksum)
            elif event.type in ("ERROR", "INPUT_CLOSED"):
                checker.note(f"{event.type} {event.id}")


if __name__ == "__main__":
    main()
