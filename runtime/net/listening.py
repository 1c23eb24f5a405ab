"""Where a node hears senders of other hosts, and who of them is connected.

What a sender says that it cannot have to say ends its link, with a line in the log, and nothing else. Used under the
node's lock.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from doraflow_runtime.net import frames
from doraflow_runtime.net.frames import NetKind
from doraflow_runtime.net.incoming import FarProducer
from doraflow_runtime.net.lanes import LaneError
from doraflow_runtime.node_api import log_lines
from doraflow_runtime.shm.wire import Frame, Kind, WireError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from doraflow_runtime.contract import NodeConfig
    from doraflow_runtime.net.frames import Hello
    from doraflow_runtime.net.transport import Arrival, Desk
    from doraflow_runtime.node_api.incoming import Inlet
    from doraflow_runtime.node_api.reception import Reception

MOST_AT_ONCE = 256
_HAVE_CONTENT = (Kind.MESSAGE, NetKind.PIECE)
MOST_PARTS = 2
MOST_REFUSED = 64
"""Peers that were refused and may still talk: they are not listened to, and not answered again."""


class Listener:
    """The senders of other hosts, by their present connections.

    `nudge` is called when something came in while it was not looked for.
    """

    def __init__(
        self,
        desk: Desk,
        config: NodeConfig,
        reception: Reception,
        inlets: Iterable[Inlet],
        nudge: Callable[[], None],
    ) -> None:
        self._config = config
        self._reception = reception
        self._inlets = tuple(inlet for inlet in inlets if inlet.producer in config.hosts)
        self._queue_sizes = {port.id: port.queue_size for port in config.node.inputs}
        self._nudge = nudge
        self._known: dict[str, FarProducer] = {}
        self._clocks: dict[str, int] = {}
        self._connected: dict[bytes, FarProducer] = {}
        self._refused: dict[bytes, None] = {}
        self._desk = desk

    def look(self) -> bool:
        """Take in what has come; True if more may be there."""
        for _ in range(MOST_AT_ONCE):
            arrival = self._desk.receive()
            if arrival is None:
                return False
            self.take(arrival)
        return True

    def tell(self, *, at_rest: bool) -> None:
        """Tell the senders how far this node is, where they have to know."""
        for producer in self._connected.values():
            stands = producer.due(at_rest=at_rest)
            if stands:
                self._desk.say(producer.peer, frames.grant(stands))
        if self._desk.has_more:
            self._nudge()  # sending may have swallowed the news of what came in

    def set_clock(self, producer: str, ahead_ns: int) -> None:
        """Take note by how much the clock of a sender's host is ahead of ours."""
        self._clocks[producer] = ahead_ns
        if producer in self._known:
            self._known[producer].set_clock(ahead_ns)

    def close(self) -> None:
        """Tell the senders that nothing more is read, and close."""
        for peer in self._connected:
            self._desk.say(peer, frames.left())
        self._connected.clear()
        self._known.clear()
        self._desk.close()

    def take(self, arrival: Arrival) -> None:
        """Take in a message of the transport."""
        peer = arrival.peer
        if peer in self._refused:
            return
        producer = self._connected.get(peer)
        try:
            data, beside = _read(arrival.parts)
            if producer is None:
                self._take_first(arrival, data)
            else:
                self._take_records(producer, data, beside)
        except (WireError, LaneError) as error:
            self._refuse(peer, str(error))

    def _take_first(self, arrival: Arrival, data: memoryview) -> None:
        if frames.are_records(data):
            return  # what was on its way on a connection that was cut; its sender knows, and sends it again
        frame = frames.read_frame(bytes(data))
        if frame.kind != Kind.HELLO:
            return
        greeting = frames.read_hello(frame.body)
        self._check(greeting, arrival)
        known = self._known.get(greeting.producer)
        if known is not None and known.session == greeting.session:
            self._note_loss(known, known.come_again(greeting))
            producer = known
        else:
            producer = FarProducer(greeting, self._inlets, self._queue_sizes, self._reception.new_source)
            producer.set_clock(self._clocks.get(producer.name, 0))
            self._known[producer.name] = producer
            self._reception.welcome(producer.name)
        if known is not None:
            self._connected.pop(known.peer, None)
            self._desk.release(known.peer)
        producer.begin_connection(arrival.peer)
        self._desk.bind(arrival.peer, producer.source)
        self._connected[arrival.peer] = producer
        self._desk.say(arrival.peer, frames.welcome(producer.stands()))

    def _check(self, greeting: Hello, arrival: Arrival) -> None:
        if greeting.dataflow != self._config.dataflow:
            raise WireError(f"this is a node of the dataflow `{self._config.dataflow}`, not of `{greeting.dataflow}`")
        host = self._config.hosts.get(greeting.producer)
        if host is None:
            raise WireError(f"`{greeting.producer}` does not feed this node")
        proved = self._desk.proved(arrival)
        if proved is not None and proved != host:
            raise WireError(f"`{greeting.producer}` belongs to host `{host}`, and the key is that of `{proved}`")

    def _take_records(self, producer: FarProducer, data: memoryview, beside: memoryview | None) -> None:
        """Take in what one message of the transport holds; a payload beside it belongs to its last record."""
        at = producer.take_records(data, 0)
        while at < len(data):
            number, frame, at = frames.read_record(data, at)
            is_last = at == len(data)
            self._take_next(producer, frame, number, beside if is_last else None)
            if is_last and beside is not None and frame.kind in _HAVE_CONTENT:
                return
            at = producer.take_records(data, at)
        if beside is not None:
            raise WireError("a payload that belongs to no message")

    def _take_next(self, producer: FarProducer, frame: Frame, number: int, beside: memoryview | None) -> None:
        if frame.kind in _HAVE_CONTENT:
            take = producer.message if frame.kind == Kind.MESSAGE else producer.piece
            arrived = take(frame, number, beside)
            if arrived is not None:
                received, missing = arrived
                self._note_loss(producer, {received.inlet.input: missing} if missing else {})
                self._reception.let_in(received)
        elif frame.kind == Kind.TYPE:
            producer.learn(frame)
        elif frame.kind == Kind.CLOSED:
            closed = producer.close_link(frame.link)
            if closed is not None:
                self._reception.close(closed.input)
        elif frame.kind == Kind.LEFT:
            producer.wants = True
            self._reception.on_left(producer.name)
        else:
            raise WireError(f"a frame of kind {frame.kind}, which a sender does not send")

    def _refuse(self, peer: bytes, reason: str) -> None:
        """Read nothing more of a peer, and say why on both hosts."""
        producer = self._connected.pop(peer, None)
        self._desk.release(peer)
        name = "a stranger" if producer is None else f"`{producer.name}`"
        log_lines.write("warn", f"closed the link of {name}: {reason}", target="doraflow_runtime")
        if len(self._refused) >= MOST_REFUSED:
            del self._refused[next(iter(self._refused))]
        self._refused[peer] = None
        self._desk.say(peer, frames.refused(reason))
        if producer is not None:
            del self._known[producer.name]
            self._reception.close_inputs(producer.name)

    def _note_loss(self, producer: FarProducer, lost: dict[str, int]) -> None:
        """Count, by input, what was lost on the way, and tell of it."""
        for name, count in lost.items():
            self._reception.meter.lose(name, count)
        missing = sum(lost.values())
        if missing:
            host = self._config.hosts[producer.name]
            text = f"{missing} messages of `{producer.name}` on `{host}` were lost between the hosts"
            fields = {"producer": producer.name, "lost": missing, "lost_in_all": producer.lost}
            log_lines.write("warn", text, target="doraflow_runtime", fields=fields)


def _read(parts: Sequence[memoryview]) -> tuple[memoryview, memoryview | None]:
    """Give the records and what came beside them. Raises WireError if the parts are too few or too many."""
    if not 1 <= len(parts) <= MOST_PARTS:
        raise WireError(f"a message of {len(parts)} parts")
    return _bytes(parts[0]), _bytes(parts[1]) if len(parts) == MOST_PARTS else None


def _bytes(part: memoryview) -> memoryview:
    """Give the bytes of a part, for reading alone, where an array may lie in them."""
    return part.toreadonly().cast("B")
