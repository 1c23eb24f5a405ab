"""What a node counts: messages and bytes at its ports, errors, and how long messages waited to be taken.

The hooks of the message path are `took`, `failed` and `sent`, called under the node's lock; each costs a few additions.
A latency is looked at once for each round of the node's poller, so that a flood costs no clock a message. Who sends
the counts to the launcher, and when, is the node's affair.
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, NamedTuple

from doraflow_runtime.delays import Delays

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from doraflow_runtime.contract import NodeWiring

LONGEST_PART = 32 * 1024
"""Bytes of ports in one line to the launcher, which takes lines of 64 KiB."""


class Intake:
    """What is counted of an input."""

    __slots__ = ("bytes", "delays", "errors", "lost", "messages", "round")

    def __init__(self) -> None:
        self.messages = 0
        self.bytes = 0
        self.errors = 0
        self.lost = 0
        self.round = -1
        self.delays = Delays()


class Outgo:
    """What is counted of an output."""

    __slots__ = ("bytes", "messages")

    def __init__(self) -> None:
        self.messages = 0
        self.bytes = 0


class Counts(NamedTuple):
    """What others count: by input what was dropped, waits, and was taken by the compiled core; by output what was lost.

    `taken` holds messages, bytes, and delays by their buckets.
    """

    dropped: Mapping[str, int]
    queued: Mapping[str, int]
    taken: Mapping[str, tuple[int, int, list[int]]]
    undelivered: Mapping[str, int]


class Meter:
    """The counts of one node.

    `sent_elsewhere` gives messages and bytes, by output, that the compiled core sent without a word here.
    """

    __slots__ = ("inputs", "outputs", "sent_elsewhere")

    def __init__(self, node: NodeWiring) -> None:
        self.inputs = {port.id: Intake() for port in node.inputs}
        self.outputs = {port.id: Outgo() for port in node.outputs}
        self.sent_elsewhere: Callable[[], Mapping[str, tuple[int, int]]] = dict

    def took(self, input_id: str, size: int, sent_ns: int, turn: int) -> None:
        """Count a message of `size` bytes that is handed out; `sent_ns` is 0 for a tick, `turn` the poller's round."""
        port = self.inputs[input_id]
        port.messages += 1
        port.bytes += size
        if turn != port.round and sent_ns:
            port.round = turn
            port.delays.add(time.time_ns() - sent_ns)

    def failed(self, input_id: str) -> None:
        """Count a message that could not be read."""
        self.inputs[input_id].errors += 1

    def lose(self, input_id: str, count: int) -> None:
        """Count messages that were sent to an input and never came: a link between hosts was cut."""
        self.inputs[input_id].lost += count

    def missed(self, dropped: Mapping[str, int]) -> dict[str, int]:
        """Count, by input, what the node does not get: what its queues have dropped, and what was lost before."""
        return {name: count + self.inputs[name].lost for name, count in dropped.items()}

    def sent(self, output_id: str, size: int) -> None:
        """Count a message of `size` bytes that was sent, however many read it."""
        port = self.outputs[output_id]
        port.messages += 1
        port.bytes += size

    def lines(self, counts: Counts) -> Iterator[dict[str, object]]:
        """Write everything down for the launcher, in as many lines as it needs; the last one says so."""
        rows = [*self._input_rows(counts), *self._output_rows(counts)]
        parts: list[list[list[object]]] = [[]]
        size = 0
        for row in rows:
            length = len(json.dumps(row))
            if size + length > LONGEST_PART and parts[-1]:
                parts.append([])
                size = 0
            parts[-1].append(row)
            size += length
        for at, part in enumerate(parts, 1):
            yield {"type": "metrics", "ports": part, "is_last": at == len(parts)}

    def _input_rows(self, counts: Counts) -> Iterable[list[object]]:
        missed = self.missed(counts.dropped)
        for name, port in self.inputs.items():
            messages, size, delays = counts.taken.get(name, (0, 0, []))
            merged = Delays(port.delays.counts)
            if delays:
                merged.merge(Delays(delays))
            row = [port.messages + messages, port.bytes + size, missed.get(name, port.lost)]
            yield ["in", name, *row, counts.queued.get(name, 0), port.errors, merged.pairs()]

    def _output_rows(self, counts: Counts) -> Iterable[list[object]]:
        elsewhere = self.sent_elsewhere()
        for name, port in self.outputs.items():
            messages, size = elsewhere.get(name, (0, 0))
            yield ["out", name, port.messages + messages, port.bytes + size, counts.undelivered.get(name, 0), 0, 0, []]
