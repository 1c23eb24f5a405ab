"""The node API: join a dataflow, receive events, send outputs.

`Node` speaks Arrow and plain names; generated stubs put types on top of it, and `doraflow_runtime.node_api.dora`
dora's spelling.
"""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any, Self

import pyarrow as pa
from doraflow_runtime.codec import to_json
from doraflow_runtime.formats.arrow import binary_hole, struct_hole, take_apart
from doraflow_runtime.formats.blank import blank_parts
from doraflow_runtime.node_api import log_bridge, log_lines
from doraflow_runtime.node_api.array_loans import ArrayLoan, ArrowLoan, lend_array, told
from doraflow_runtime.node_api.bytes_events import BytesEvent
from doraflow_runtime.node_api.chosen import Grip, Loan
from doraflow_runtime.node_api.core import Core
from doraflow_runtime.node_api.events import Event
from doraflow_runtime.node_api.gate import Gate
from doraflow_runtime.node_api.images import image_layout, image_metadata
from doraflow_runtime.node_api.joining import read_seat
from doraflow_runtime.node_api.receiving import Receiver
from doraflow_runtime.node_api.sending import Sender
from doraflow_runtime.protocol import NodeState

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from types import TracebackType

    from doraflow_runtime.contract import OperatorWiring
    from doraflow_runtime.node_api.metadata import Parameters

__all__ = ["BytesEvent", "Event", "Loan", "Node"]


class Node:
    """A node of a running dataflow.

    Creating one joins the run, takes what Python's `logging` gets to the run's log, and waits until every node is
    there. Iterating gives events until the stream ends. One thread receives; any thread may send. Raises RuntimeError
    outside of a run.
    """

    def __init__(self, node_id: str | None = None) -> None:
        seat = read_seat(node_id)
        self._core = Core(seat)
        if seat.config.log:
            log_lines.send_to(seat.run_directory / seat.config.log)
        log_bridge.bridge(at_terminal=bool(seat.config.log))
        self._sender = Sender(self._core)
        self._grip = Grip(self._sender)
        self._finalizer = weakref.finalize(self._grip, self._core.close)
        gate = self._core.gate
        self._compiled = None if isinstance(gate, Gate) else gate
        if self._compiled is not None:
            self._shorten()
        self._arrays = Receiver(self._core, self._core.take, Event)
        self._bytes = Receiver(self._core, self._core.take_bytes, BytesEvent)
        while self._core.state is NodeState.JOINING:
            self._core.wait(None, self._core.rounds)

    @property
    def node_id(self) -> str:
        """The node's id. Thread-safe."""
        return self._core.config.node.id

    @property
    def run_id(self) -> str:
        """The name of this run; another run of the same dataflow has another. Thread-safe."""
        return self._core.config.run_id

    @property
    def restart_count(self) -> int:
        """How many processes of this node ran before this one. Thread-safe."""
        return self._core.config.restart_count

    @property
    def outputs(self) -> tuple[str, ...]:
        """The ids of the node's outputs. Thread-safe."""
        return tuple(port.id for port in self._core.config.node.outputs)

    @property
    def operators(self) -> tuple[OperatorWiring, ...]:
        """The operators that run in this process. Thread-safe."""
        return self._core.config.node.operators

    @property
    def source_root(self) -> str:
        """The folder that the paths of operators are relative to. Thread-safe."""
        return self._core.config.source_root

    def configuration(self) -> dict[str, Any]:
        """Give the node's id, ports and operators as plain values. Thread-safe."""
        return dict(to_json(self._core.config.node))

    @property
    def dropped(self) -> dict[str, int]:
        """How many messages of each input its queue has dropped, or were lost between hosts, so far. Thread-safe."""
        with self._core.lock:
            return self._core.meter.missed(self._core.queues.dropped())

    @property
    def undelivered(self) -> dict[str, int]:
        """How many messages to each reader, as `node/input`, were dropped before they left this node. Thread-safe."""
        with self._core.lock:
            readers = self._core.consumers.items()
            return {f"{name}/{port}": count for name, reader in readers for port, count in reader.dropped.items()}

    def has_ended_inputs(self, prefix: str) -> bool:
        """Tell whether all inputs whose ids begin with `prefix` are closed, and there is one. Thread-safe."""
        with self._core.lock:
            return self._core.queues.are_all_closed(prefix)

    # ---- receiving

    def next(self, timeout: float | None = None) -> Event | None:
        """Wait for the next event.

        `timeout` is in seconds; without one the wait has no end. None when the time is over or the stream has ended.
        To be called from one thread at a time.
        """
        if self._compiled is not None:
            taken = self._compiled.next(timeout)
            if not isinstance(taken, float):
                return taken
            timeout = None if timeout is None else taken
        return self._arrays.next(timeout)

    def next_bytes(self, timeout: float | None = None) -> BytesEvent | None:
        """Wait like `next` for an event whose value is bytes: for who needs no Arrow array, and has not to pay for one.

        May be called in turns with `next`, all from one thread at a time. Raises TypeError, naming the input, for a
        message of something else than plain numbers without nulls; the call after it gives the event behind it.
        """
        if self._compiled is not None:
            taken = self._compiled.next_bytes(timeout)
            if not isinstance(taken, float):
                return taken
            timeout = None if timeout is None else taken
        return self._bytes.next(timeout)

    async def next_async(self, timeout: float | None = None) -> Event | None:
        """Wait like `next` without blocking the event loop; a wait that is cancelled takes no event.

        The waiting is done in the loop's default executor, for at most 0.1 seconds at a time. Like `next`, to be called
        from one thread at a time, and to be awaited before it is called again.
        """
        return await self._arrays.next_async(timeout)

    @property
    def has_ended(self) -> bool:
        """Whether the stream is over: its STOP was handed out, or the node is closed. Thread-safe."""
        return self._core.state is NodeState.ENDED

    def __iter__(self) -> Iterator[Event]:
        if self._compiled is None:
            return self
        return self._compiled.stream(self)

    def __next__(self) -> Event:
        event = self.next()
        if event is None:
            raise StopIteration
        return event

    def iter_bytes(self) -> Iterator[BytesEvent]:
        """Give the events until the stream ends, as `next_bytes` does; after a TypeError it may be iterated on.

        To be iterated by one thread at a time.
        """
        if self._compiled is None:
            return iter(self.next_bytes, None)
        return self._compiled.stream_bytes(self)

    def is_empty(self) -> bool:
        """Tell whether no message waits. Thread-safe."""
        self._core.poll()
        with self._core.lock:
            return self._core.queues.is_empty() and self._core.state is not NodeState.STOPPING

    # ---- sending

    def _shorten(self) -> None:
        """Let calls reach the core at once, unless a class made of this one has a way of its own.

        They are the grip's: who keeps `node.send_output` keeps the node open, and no call refers to the node itself.
        """
        shorter = {"send_output": self._grip.send_output, "loan": self._grip.loan}
        if self._core.sign_ns:
            del shorter["send_output"]
        for name, call in shorter.items():
            if getattr(type(self), name) is _METHODS[name]:
                setattr(self, name, call)

    def send_output(
        self,
        output_id: str,
        data: pa.Array[Any] | pa.ChunkedArray[Any] | bytes | bytearray | memoryview,
        metadata: Parameters | None = None,
    ) -> None:
        """Send a message to every reader of an output.

        Bytes are sent as a UInt8 array. A `backpressure` reader whose queue is full holds the call back; any other
        never does. Thread-safe. Raises ValueError for an output that the node has not or data larger than its shared
        memory may be, TypeError for other data, OSError if the machine has no memory left, RuntimeError after `close`.
        """
        if self._core.sign_ns:
            self._core.show_life()
        self._sender.send(output_id, data, metadata)

    def loan(self, output_id: str, size: int, metadata: Parameters | None = None) -> Loan:
        """Lend `size` bytes of shared memory; leaving the loan's `with` block sends them as a UInt8 array.

        An exception inside the block sends nothing. Nothing is copied. Thread-safe. Raises like `send_output`.
        """
        return self._sender.lend(output_id, size, metadata)

    def loan_binary(self, output_id: str, kind: pa.DataType, size: int, metadata: Parameters | None = None) -> Loan:
        """Lend memory for one value of `kind`, Binary or LargeBinary; otherwise like `loan`. Thread-safe."""
        parts = binary_hole(size, large=pa.types.is_large_binary(kind))
        return self._sender.loan(output_id, kind, parts, metadata)

    def loan_struct(
        self,
        output_id: str,
        struct: pa.StructType,
        values: Mapping[str, object],
        member: str,
        size: int,
        metadata: Parameters | None = None,
    ) -> Loan:
        """Lend memory for the binary `member` of one row of `struct`, whose other members are `values`.

        Otherwise like `loan`. Thread-safe. Raises TypeError if a value does not fit its member.
        """
        others = {}
        for field in struct:
            if field.name != member:
                try:
                    others[field.name] = take_apart(pa.array([values[field.name]], field.type))
                except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError) as error:
                    raise TypeError(f"`{field.name}` of output `{output_id}` is {field.type}: {error}") from None
        return self._sender.loan(output_id, struct, struct_hole(struct, others, member, size), metadata)

    def loan_array(
        self, output_id: str, shape: int | Sequence[int], dtype: object = "uint8", metadata: Parameters | None = None
    ) -> ArrayLoan:
        """Lend a numpy array of `shape` over shared memory, sent flat with its shape in the metadata.

        Otherwise like `loan`. Thread-safe. Raises TypeError for a `dtype` that is no number, ModuleNotFoundError
        without numpy.
        """
        return lend_array(self._sender, output_id, shape, dtype, metadata)

    def loan_image(
        self, output_id: str, width: int, height: int, encoding: str = "rgb8", metadata: Parameters | None = None
    ) -> ArrayLoan:
        """Lend the pixels of an image by dora's convention: `width`, `height` and `encoding` go into the metadata.

        Otherwise like `loan_array`. Thread-safe. Raises ValueError for an encoding that is not raw.
        """
        shape, dtype = image_layout(width, height, encoding)
        return self.loan_array(output_id, shape, dtype, told(metadata, image_metadata(width, height, encoding)))

    def loan_arrow(
        self, output_id: str, kind: pa.DataType, length: int, metadata: Parameters | None = None
    ) -> ArrowLoan:
        """Lend an Arrow array of `length` values without nulls: numbers, lists of a fixed size, structs of them.

        Otherwise like `loan`. Thread-safe. Raises TypeError for a type whose values vary in size.
        """
        parts = blank_parts(kind, length)
        return ArrowLoan(self._sender.loan(output_id, kind, parts, metadata), kind, parts)

    def close_output(self, output_id: str) -> None:
        """Tell the readers of an output that nothing more comes on it; what is sent on it later is lost. Thread-safe.

        Raises ValueError for an output that the node has not.
        """
        self._sender.close(output_id)

    # ---- the rest

    def log(self, level: str, text: str, target: str | None = None, fields: Mapping[str, str] | None = None) -> None:
        """Write a log line of level error, warn, info, debug or trace. Thread-safe."""
        log_lines.write(level, text, target, fields)

    def stop_all(self) -> None:
        """Ask the launcher to stop the whole dataflow. Thread-safe."""
        with self._core.lock:
            self._core.launcher.say(type="stop_all")

    def close(self) -> None:
        """Send what waits, tell the readers that no more comes, and leave the run. May be called more than once.

        Thread-safe: a thread that waits in `next` gets None, one that waits in a send a RuntimeError.
        """
        self._finalizer()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


_METHODS = {"send_output": Node.send_output, "loan": Node.loan}
"""What the core may be called in the place of."""
