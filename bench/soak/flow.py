"""The dataflow of the soak test: every policy, fan-out, fan-in and a relay, as the nodes are told of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from doraflow_runtime.contract import (
    CONTRACT_VERSION,
    InputWiring,
    Link,
    NodeConfig,
    NodeWiring,
    OutgoingLink,
    OutputWiring,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from doraflow_runtime.contract import QueuePolicy

LAUNCHER = "launcher.sock"


@dataclass(frozen=True, slots=True)
class Edge:
    """From an output to an input of the same name, with the input's queue."""

    producer: str
    output: str
    consumer: str
    size: int
    policy: QueuePolicy

    @property
    def input(self) -> str:
        """The input's id; no two edges into a node share one."""
        return f"{self.producer}_{self.output}"

    @property
    def is_lossless(self) -> bool:
        """Whether the sender waits for the reader."""
        return self.policy == "backpressure"


OUTPUTS = {"left": ("one", "two"), "right": ("one", "two"), "relay": ("on",), "near": (), "far": ()}
EDGES = (
    Edge("left", "one", "near", 1, "backpressure"),
    Edge("left", "one", "far", 20, "backpressure"),
    Edge("left", "two", "near", 1, "drop_oldest"),
    Edge("left", "two", "relay", 8, "backpressure"),
    Edge("right", "one", "near", 50, "drop_oldest"),
    Edge("right", "one", "relay", 3, "drop_oldest"),
    Edge("right", "two", "far", 5, "backpressure"),
    Edge("relay", "on", "near", 4, "backpressure"),
    Edge("relay", "on", "far", 4, "drop_oldest"),
)


def configurations(
    outputs: Mapping[str, tuple[str, ...]] = OUTPUTS, edges: Sequence[Edge] = EDGES
) -> dict[str, NodeConfig]:
    """Write what each node is told, readers first: a sender connects to them at once."""
    return {name: _configuration(name, outputs[name], edges) for name in reversed(list(outputs))}


def _configuration(name: str, outputs: Sequence[str], edges: Sequence[Edge]) -> NodeConfig:
    links = [Link(at, edge.producer, edge.output, edge.consumer, edge.input) for at, edge in enumerate(edges, 1)]
    inputs = tuple(
        InputWiring(edge.input, f"{edge.producer}/{edge.output}", edge.size, edge.policy)
        for edge in edges
        if edge.consumer == name
    )
    return NodeConfig(
        contract=CONTRACT_VERSION,
        dataflow="soak",
        run_id="soak",
        node=NodeWiring(name, inputs, tuple(OutputWiring(output) for output in outputs)),
        listen=f"{name}.sock",
        launcher=LAUNCHER,
        incoming=tuple(link for link in links if link.consumer == name),
        outgoing=tuple(
            OutgoingLink(link, f"{link.consumer}.sock", edge.size, edge.policy)
            for link, edge in zip(links, edges, strict=True)
            if link.producer == name
        ),
        source_root=".",
    )
