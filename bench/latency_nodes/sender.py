"""The sending node: messages at a steady pace, each beginning with the moment at which it was complete."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from doraflow_runtime.node_api.node import Node

if TYPE_CHECKING:
    from collections.abc import Callable

STAMP = 8  # bytes


def main() -> None:
    """Send on each output in turn."""
    messages = int(os.environ["LATENCY_MESSAGES"])
    pace = float(os.environ["LATENCY_PACE"])
    with Node() as node:
        for port in node.configuration()["outputs"]:
            send = sender(node, port["id"])
            due = time.monotonic()
            for _ in range(messages):
                due += pace
                time.sleep(max(0.0, due - time.monotonic()))
                send()


def sender(node: Node, output: str) -> Callable[[], None]:
    """Make what sends one message; the name of the output says how, and of how many bytes."""
    way, size = output.split("_")
    buffer = bytearray(int(size))

    def copied() -> None:
        stamp(memoryview(buffer))
        node.send_output(output, buffer)

    def loaned() -> None:
        with node.loan(output, len(buffer)) as memory:
            stamp(memory)

    return {"copied": copied, "loaned": loaned}[way]


def stamp(memory: memoryview) -> None:
    """Write the time; on Linux this clock is the same in all processes."""
    memory[:STAMP] = time.monotonic_ns().to_bytes(STAMP, "little")


if __name__ == "__main__":
    main()
