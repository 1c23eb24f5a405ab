"""What a node process is told about its run: which node it is, its role, and all nodes and edges.

The description is `flow.json` of the run's folder, named by BENCH_FOLDER; BENCH_NODE is the node's id. BENCH_LINK is
there if nodes are on two hosts: the address and port at which the sender listens, of peers that have to be told.
"""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass
from pathlib import Path

from board import PID, POLL, Board

PATIENCE = 20.0  # seconds


@dataclass(frozen=True, slots=True)
class Seat:
    """A node's place in its run."""

    id: str
    index: int
    role: str
    folder: Path
    board: Board
    settings: dict[str, str]
    source: str | None  # the output that the node reads, as "node.output"
    readers: tuple[int, ...]  # the nodes that read its output
    link: str | None = None  # "address:port" of the sender, if it is on another host than its reader

    def number(self, name: str) -> int:
        """A setting that is a number."""
        return int(self.settings[name])

    def ways(self) -> list[str]:
        """The ways of sending that are measured, in order."""
        return self.settings["ways"].split(",")

    @property
    def output(self) -> str:
        """The name of the node's one output on the whole host."""
        return f"{self.id}.out"

    @property
    def sinks(self) -> list[int]:
        """The nodes at the ends of all ways, but for the node itself."""
        return [int(text) for text in self.settings["sinks"].split(",")]

    def write(self, result: object) -> None:
        """Leave what was measured for the benchmark."""
        (self.folder / f"{self.id}.json").write_text(json.dumps(result))

    def leave(self, name: str, content: bytes) -> None:
        """Leave something for the other nodes of the run."""
        part = self.folder / f"{name}.part"
        part.write_bytes(content)
        part.rename(self.folder / name)

    def find(self, name: str) -> bytes:
        """Wait for what another node leaves. Raises TimeoutError."""
        limit = time.monotonic() + PATIENCE
        while not (path := self.folder / name).exists():
            if time.monotonic() > limit:
                raise TimeoutError(f"no node has left `{name}`")
            time.sleep(POLL)
        return path.read_bytes()


def take_seat() -> Seat:
    """Read the run's description, and tell the board that the process is there."""
    folder = Path(os.environ["BENCH_FOLDER"])
    name = os.environ["BENCH_NODE"]
    flow = json.loads((folder / "flow.json").read_text())
    nodes = flow["nodes"]
    index = [node["id"] for node in nodes].index(name)
    board = Board(folder / "board", len(nodes))
    board.put(index, PID, os.getpid())
    return Seat(
        id=name,
        index=index,
        role=nodes[index]["role"],
        folder=folder,
        board=board,
        settings=flow["settings"],
        source=f"{nodes[index]['reads']}.out" if nodes[index]["reads"] else None,
        readers=tuple(place for place, node in enumerate(nodes) if node["reads"] == name),
        link=os.environ.get("BENCH_LINK"),
    )
