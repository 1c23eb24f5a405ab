"""The sending node: a flood, then single messages that begin with the moment at which they were complete."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
from doraflow_runtime.node_api.node import Node

if TYPE_CHECKING:
    from collections.abc import Callable

WARM_UP = 200  # messages of the flood
STAMP = 8  # bytes


def main() -> None:
    """Send all of it. The stamp of the flood is 0, and of its last message 1."""
    size, seconds = int(os.environ["MESSAGES_SIZE"]), float(os.environ["MESSAGES_SECONDS"])
    with Node() as node:
        head, send = sender(node, size)
        for _ in range(WARM_UP):
            send()
        messages, cpu, end = 0, time.process_time(), time.monotonic() + seconds
        while time.monotonic() < end:
            send()
            messages += 1
        result = {"messages": messages, "cpu": time.process_time() - cpu}
        head(1)
        send()
        pace = float(os.environ["MESSAGES_PACE"])
        time.sleep(0.3)
        for _ in range(WARM_UP // 10 + int(os.environ["MESSAGES_PACED"])):
            time.sleep(pace)
            head(None)
            send()
    Path(os.environ["MESSAGES_RESULT"]).write_text(json.dumps(result))


def sender(node: Node, size: int) -> tuple[Callable[[int | None], None], Callable[[], None]]:
    """Make what sets the stamp of the messages to come (None: the time of each), and what sends one."""
    buffer = bytearray(size)
    array = pa.Array.from_buffers(pa.uint8(), size, [None, pa.py_buffer(buffer)])
    first = memoryview(buffer)[:STAMP]
    stamp: int | None = 0

    def set_stamp(value: int | None) -> None:
        nonlocal stamp
        stamp = value

    def copied() -> None:
        first[:] = (time.monotonic_ns() if stamp is None else stamp).to_bytes(STAMP, "little")
        node.send_output("out", array)

    def loaned() -> None:
        with node.loan("out", size) as memory:
            memory[:STAMP] = (time.monotonic_ns() if stamp is None else stamp).to_bytes(STAMP, "little")

    return set_stamp, {"copied": copied, "loaned": loaned}[os.environ["MESSAGES_WAY"]]


if __name__ == "__main__":
    main()
