"""The receiving node: what the flood has cost it, and how long the single messages were on their way."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from doraflow_runtime.node_api.node import Node

if TYPE_CHECKING:
    import pyarrow as pa

WARM_UP = 200  # messages of the flood
STAMP = 8  # bytes


def main() -> None:
    """Receive until the sender has ended."""
    with Node() as node:
        for _ in range(WARM_UP):
            value(node)
        messages, cpu, began = 0, time.process_time(), time.monotonic()
        while stamp(value(node)) == 0:
            messages += 1
        result: dict[str, Any] = {"messages": messages, "cpu": time.process_time() - cpu}
        result["seconds"] = time.monotonic() - began
        for _ in range(WARM_UP // 10):
            taken(node)
        cpu, began = time.process_time(), time.monotonic()
        result["latencies"] = [taken(node) for _ in range(int(os.environ["MESSAGES_PACED"]))]
        result["share"] = (time.process_time() - cpu) / (time.monotonic() - began)
        for _ in node:
            pass
    Path(os.environ["MESSAGES_RESULT"]).write_text(json.dumps(result))


def taken(node: Node) -> int:
    """Take the next message, and say how many nanoseconds it was on its way."""
    message = value(node)
    return time.monotonic_ns() - stamp(message)


def value(node: Node) -> pa.Array[Any]:
    """Take the next message."""
    event = node.next()
    if event is None or event.value is None:
        raise RuntimeError(f"no message: {event}")
    return event.value


def stamp(array: pa.Array[Any]) -> int:
    """Read the first bytes."""
    return int.from_bytes(memoryview(array.buffers()[1])[:STAMP], "little")


if __name__ == "__main__":
    main()
