"""The receiving side with the compiled core: which of the twins a node has, and how the core is tied to the rest.

The core takes messages in from the connection to the queue, and makes their events. Greetings, types, the ends of
links, and every message that it leaves alone go the same way as without it.
"""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

import pyarrow as pa
from doraflow_runtime.compiled import is_compiled
from doraflow_runtime.formats.arrow import flat_width
from doraflow_runtime.node_api.bytes_events import BytesEvent
from doraflow_runtime.node_api.deadlines import Deadlines
from doraflow_runtime.node_api.events import Event
from doraflow_runtime.node_api.gate import Gate
from doraflow_runtime.node_api.incoming import Producer
from doraflow_runtime.node_api.metadata import Metadata
from doraflow_runtime.node_api.queues import Queues
from doraflow_runtime.shm import wire
from doraflow_runtime.shm.mapping import Mapping
from doraflow_runtime.shm.wire import Frame, WireError

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterable

    import doraflow_core
    from doraflow_runtime.contract import NodeConfig
    from doraflow_runtime.node_api.gate import AnyGate
    from doraflow_runtime.node_api.incoming import Inlet, Received
    from doraflow_runtime.node_api.notices import Notice
    from doraflow_runtime.node_api.poller import Poller
    from doraflow_runtime.shm.connection import Connection

AnyItem: TypeAlias = "Received | Notice | None"
AnyQueues: TypeAlias = "Queues[AnyItem] | doraflow_core.Queues"
AnyDeadlines: TypeAlias = "Deadlines | doraflow_core.Deadlines"
OnFrame: TypeAlias = "Callable[[Producer, Frame], None]"


def new_queues(
    config: NodeConfig,
    discard: Callable[[AnyItem], None],
    render: Callable[[str, AnyItem], Event],
    render_bytes: Callable[[str, AnyItem], BytesEvent],
) -> AnyQueues:
    """Make the queues of a node, compiled if they can be; the last two make the event of an item."""
    inputs, clocks = config.node.inputs, config.exit_when_nodes_finish
    if not is_compiled():
        return Queues(inputs, discard, timers_are_clocks=clocks)
    import doraflow_core

    queues = doraflow_core.Queues(inputs, discard, timers_are_clocks=clocks)
    import_array: Callable[[int, Any], Any] = pa.Array._import_from_c  # noqa: SLF001 - Arrow has no other name for it
    queues.make_events(Event, BytesEvent, Metadata, import_array, render, render_bytes)
    return queues


def new_deadlines(config: NodeConfig, queues: AnyQueues, recovered: Callable[[str], None]) -> AnyDeadlines:
    """Make the deadlines of a node's inputs; the core itself arms those whose messages it takes in.

    `recovered` is called with an input that was silent, when something comes again.
    """
    if isinstance(queues, Queues):
        return Deadlines(config.node.inputs)
    import doraflow_core

    deadlines = doraflow_core.Deadlines(config.node.inputs)
    queues.watch(deadlines, recovered)
    return deadlines


def tie(
    poller: Poller,
    queues: AnyQueues,
    lock: threading.RLock,
    fresh_ns: int,
    tick: Callable[[], None],
    tend: Callable[[], None],
    sign: Callable[[], None],
) -> None:
    """Let the gate of a node wait for events by itself, if it can: the last three are what it calls meanwhile."""
    if not isinstance(poller.gate, Gate) and not isinstance(queues, Queues):
        poller.gate.attach(lock, queues, fresh_ns, poller.notify, poller.handle, tick, tend, sign)


def new_producer(connection: Connection, poller: Poller, queues: AnyQueues, on_frame: OnFrame) -> Producer:
    """Make the producer at the other end of a connection."""
    if isinstance(queues, Queues):
        return Producer(connection, poller.wake)
    return CompiledProducer(connection, poller, queues, on_frame)


def new_far_source(
    queues: AnyQueues, gate: AnyGate, inlets: Iterable[tuple[Inlet, Any]]
) -> doraflow_core.Source | None:
    """Make what takes in the messages of a producer on another host; None if that is left to Python.

    Each inlet comes with how far its edge is, which the core goes on counting.
    """
    if isinstance(queues, Queues) or isinstance(gate, Gate):
        return None
    import doraflow_core

    rows = tuple((inlet.link, inlet.input, inlet.is_held_back, inlet.is_bounded, 1, state) for inlet, state in inlets)
    return doraflow_core.Source(gate, queues, None, -1, rows, _nothing, Frame, WireError)


class CompiledProducer(Producer):
    """A producer whose connection the core reads from once it has said hello.

    `on_frame` is called with every frame that the core leaves alone, in its place among the messages.
    """

    _source: doraflow_core.Source

    def __init__(self, connection: Connection, poller: Poller, queues: doraflow_core.Queues, on_frame: OnFrame) -> None:
        super().__init__(connection, poller.wake)
        self._gate = poller.gate
        self._queues = queues
        self._on_frame = on_frame

    def receive(self) -> list[Frame]:
        """Read what is there. Raises WireError."""
        if self.id is None:
            return super().receive()
        if not self._source.receive():
            self.connection.is_open = False
            self.connection.has_ended = True
        return []

    def has_news(self) -> bool:
        """Tell whether something came by the ring that the core has offered."""
        return self.id is not None and self._source.has_news()

    def read_on(self) -> None:
        """Give the core what was read beyond the greeting and is no whole frame yet."""
        rest = self.connection.take_rest()
        if rest:
            self._source.feed(rest)

    def take(self, frame: Frame) -> Inlet | None:
        """Take a later frame that is no message, and let the core know. Raises WireError."""
        closed = super().take(frame)
        if closed is not None:
            self._source.close_link(closed.link)
        return closed

    def give_back(self) -> None:
        """Send back the slots that are no longer read, and say what was read from the connection."""
        if self.id is None or not self.connection.is_open:
            return
        self._source.give_back()
        if self.connection.has_waiting:
            self.connection.flush()

    def credit(self, link: int, at_once: int) -> None:
        """Let the producer send one more message on a link; the core counts."""
        del at_once
        self._source.credit(link)

    def pay(self) -> None:
        """Tell the producer of all that it is owed: this node is going to wait."""
        if self.id is not None:
            self._source.pay()

    def hang_up(self) -> None:
        """Close the connection, which the core must not use any more."""
        if hasattr(self, "_source"):
            self._source.hang_up()
        super().hang_up()

    def _say_goodbye(self) -> None:
        """The core keeps the connection for its arrays, as the mapping does for those of Python."""
        self._source.leave(wire.left())

    def _map(self, descriptor: int) -> Mapping:
        try:
            memory = os.dup(descriptor)
        except OSError as error:
            os.close(descriptor)
            raise _unfit(error) from None
        try:
            mapping = Mapping(descriptor, self._wake)
            self._source = self._new_source(memory)
        except OSError as error:
            raise _unfit(error) from None
        finally:
            os.close(memory)
        mapping.note = self._source.append
        return mapping

    def _new_source(self, memory: int) -> doraflow_core.Source:
        import doraflow_core

        inlets = tuple(
            (inlet.link, inlet.input, inlet.is_held_back, inlet.is_bounded, max(1, inlet.at_once))
            for inlet in self._inlets.values()
        )
        if not isinstance(self._gate, doraflow_core.Gate):
            raise TypeError("a compiled source needs a compiled gate")
        on_frame = partial(self._on_frame, self)
        return doraflow_core.Source(
            self._gate, self._queues, self.connection, memory, inlets, on_frame, Frame, WireError
        )

    def _see(self, size: int) -> None:
        self._source.see(size)

    def learn(self, frame: Frame) -> None:
        """Take a type, and let the core know. Raises WireError."""
        super().learn(frame)
        kind = self._types[frame.number].kind
        self._source.learn(frame.number, kind, flat_width(kind))


def _nothing(frame: Frame) -> None:
    """Take a frame that the core leaves alone: from another host it never gives any."""
    del frame


def _unfit(error: OSError) -> WireError:
    return WireError(f"shared memory that cannot be mapped: {error}")
