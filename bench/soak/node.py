"""A node of the soak test: sends what its outputs ask for, checks and keeps what it receives, and writes a report.

Which node it is stands in its configuration. A message carries its number and its checksum; what is kept is checked
once more when it is let go.
"""

from __future__ import annotations

import json
import os
import random
import time
import zlib
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from doraflow_runtime.node_api.node import Node

if TYPE_CHECKING:
    import pyarrow as pa

SMALL, LARGE, LARGEST = 4096, 100_000, 1_000_000
MOST_KEPT = 24
DRAIN_SECONDS = 20.0
LATEST_SECONDS = 30.0


class Worker:
    """One node's part in a round."""

    def __init__(self, node: Node, seconds: float, seed: int, enough: Path) -> None:
        self.node = node
        self.deadline = time.monotonic() + seconds
        self.enough = enough
        self.random = random.Random(seed)
        self.stock = self.random.randbytes(2 * LARGEST)
        self.sent: Counter[str] = Counter()
        self.received: dict[str, int] = {}
        self.last: dict[str, int] = {}
        self.gaps: Counter[str] = Counter()
        self.closed: list[str] = []
        self.faults: list[str] = []
        self.kept: list[tuple[pa.Array[Any], int]] = []
        self.moved = 0

    def send_until_the_end(self, output: str) -> None:
        """Send on one output, as fast as its readers take it."""
        chance = random.Random(f"{output}{self.stock[0]}")
        while self.goes_on():
            self.send(output, chance)

    def goes_on(self) -> bool:
        """Tell whether the round lasts: for its time, and until all its strikes were made, however late they are."""
        late = time.monotonic() - self.deadline
        return late < 0 or (late < LATEST_SECONDS and not self.enough.exists())

    def send(self, output: str, chance: random.Random) -> None:
        """Send one message of a random size, copied or written in place."""
        limit = chance.choices((64, SMALL, LARGE, LARGEST), (40, 40, 18, 2))[0]
        size, start = chance.randrange(limit + 1), chance.randrange(LARGEST)
        data = memoryview(self.stock)[start : start + size]
        metadata = {"number": self.sent[output], "checksum": zlib.crc32(data)}
        if chance.random() < 0.3:
            with self.node.loan(output, size, metadata) as memory:
                memory[:] = data
        else:
            self.node.send_output(output, data, metadata)
        self.sent[output] += 1

    def receive_until_the_end(self, relay: str | None) -> None:
        """Check every message; for each of them send one on, if the node is a relay."""
        for event in self.node:
            if event.type == "ERROR":
                self.faults.append(f"unreadable: {event.id}")
            if event.type == "INPUT_CLOSED":
                self.closed.append(str(event.id))
            if event.type == "INPUT" and event.value is not None:
                self.check(str(event.id), event.value, dict(event.metadata))
                if relay:
                    self.send(relay, self.random)
        while self.kept:
            self.let_go()

    def check(self, port: str, value: pa.Array[Any], metadata: dict[str, object]) -> None:
        """Compare a message with what it says of itself, and with the one before."""
        number, checksum = int(str(metadata["number"])), int(str(metadata["checksum"]))
        last = self.last.get(port, -1)
        if number <= last:
            self.faults.append(f"{port}: {number} after {last}")
        self.gaps[port] += number - last - 1
        self.last[port] = number
        self.received[port] = self.received.get(port, 0) + 1
        self.moved += len(value)
        self.compare(value, checksum, "on arrival")
        if self.random.random() < 0.1:
            self.kept.append((value.slice(0, len(value)), checksum))
        if len(self.kept) > MOST_KEPT or (self.kept and self.random.random() < 0.05):
            self.let_go()
        if self.random.random() < 0.001:
            time.sleep(0.01)

    def let_go(self) -> None:
        """Check an array once more, at the end of its life."""
        self.compare(*self.kept.pop(self.random.randrange(len(self.kept))), "when it was let go")

    def compare(self, value: pa.Array[Any], checksum: int, when: str) -> None:
        """Note a payload that is not what was sent."""
        if zlib.crc32(value.to_numpy()) != checksum:
            self.faults.append(f"a payload of {len(value)} bytes was torn {when}")

    def drain(self) -> int:
        """Wait until the readers have given back every slot; give the number of those that are missing."""
        for output in self.node.outputs:
            self.node.close_output(output)
        deadline = time.monotonic() + DRAIN_SECONDS
        pool = self.node._core.pool  # noqa: SLF001 - what the API does not tell is what is tested here
        while pool.slots_in_use and time.monotonic() < deadline:
            self.node.is_empty()
            time.sleep(0.005)
        return pool.slots_in_use

    def report(self, slots: int) -> dict[str, object]:
        """Say what happened."""
        return {
            "sent": dict(self.sent),
            "received": self.received,
            "gaps": dict(self.gaps),
            "last": self.last,
            "closed": self.closed,
            "dropped": self.node.dropped,
            "undelivered": self.node.undelivered,
            "faults": self.faults,
            "bytes": self.moved,
            "slots": slots,
        }


def main() -> None:
    """Take part in one round."""
    with Node() as node:
        enough = Path(os.environ["SOAK_ENOUGH"])
        worker = Worker(node, float(os.environ["SOAK_SECONDS"]), int(os.environ["SOAK_SEED"]), enough)
        has_inputs = bool(node.configuration().get("inputs"))
        if has_inputs:
            worker.receive_until_the_end(node.outputs[0] if node.outputs else None)
        else:
            with ThreadPoolExecutor(len(node.outputs)) as threads:
                for work in [threads.submit(worker.send_until_the_end, output) for output in node.outputs]:
                    work.result()
        report = worker.report(worker.drain())
    path = Path(os.environ["SOAK_REPORT"])
    path.with_suffix(".part").write_text(json.dumps(report))
    path.with_suffix(".part").rename(path)


if __name__ == "__main__":
    main()
