"""The receiving node: for each message, how long ago it was complete, written to a file at the end."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

from doraflow_runtime.node_api.node import Node

STAMP = 8  # bytes


def main() -> None:
    """Receive until the sender has ended."""
    taken: dict[str, list[int]] = {}
    with Node() as node:
        for event in node:
            now = time.monotonic_ns()
            if event.type == "ERROR":
                raise RuntimeError(event.id)
            if event.type == "INPUT" and event.id is not None and event.value is not None:
                sent = event.value.slice(0, STAMP).to_numpy().tobytes()
                taken.setdefault(event.id, []).append(now - int.from_bytes(sent, "little"))
    Path(os.environ["LATENCY_RESULT"]).write_text(json.dumps(taken))


if __name__ == "__main__":
    main()
