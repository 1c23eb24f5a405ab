"""The node API: join a dataflow, receive events, send outputs.

`Node` speaks Arrow and plain names; generated stubs put types on top of it, and `doraflow_runtime.node_api.dora`
dora's spelling.
"""

from __future__ import annotations

import time
import weakref
from typing import TYPE_CHECKING, Any, Self

import pyarrow as pa
from doraflow_runtime.codec import to_json
from doraflow_runtime.formats.arrow import LayoutError, binary_hole, byte_hole, struct_hole, take_apart
from doraflow_runtime.node_api import log_lines
from doraflow_runtime.node_api.core import Core
from doraflow_runtime.node_api.events import Event
from doraflow_runtime.node_api.joining import read_seat
from doraflow_runtime.node_api.loans import Loan
from doraflow_runtime.node_api.metadata import Metadata, encode
from doraflow_runtime.node_api.preparing import LARGEST_INLINE, Laid, Preparer, message
from doraflow_runtime.protocol import NodeEvent, NodeState, next_state
from doraflow_runtime.shm.wire import WireError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from doraflow_runtime.contract import OperatorWiring
    from doraflow_runtime.node_api.incoming import Received
    from doraflow_runtime.node_api.metadata import Parameters
    from doraflow_runtime.shm.pool import Slot

__all__ = ["Event", "Loan", "Node"]


class Node:
    """A node of a running dataflow.

    Creating one joins the run and waits until every node is there. Iterating gives events until the stream ends. One
    thread receives; any thread may send. Raises RuntimeError outside of a run.
    """

    def __init__(self, node_id: str | None = None) -> None:
        self._core = Core(read_seat(node_id))
        self._finalizer = weakref.finalize(self, self._core.close)
        self._preparer = Preparer()
        self._links = {link.index: link for link in self._core.config.incoming}
        self._targets = {port.id: self._links_of(port.id) for port in self._core.config.node.outputs}
        self._warned = False
        self._no_value = pa.array([], pa.uint64())
        while self._core.state is NodeState.JOINING:
            self._core.wait(None)

    @property
    def node_id(self) -> str:
        """The node's id."""
        return self._core.config.node.id

    @property
    def run_id(self) -> str:
        """The name of this run; another run of the same dataflow has another."""
        return self._core.config.run_id

    @property
    def restart_count(self) -> int:
        """How many processes of this node ran before this one."""
        return self._core.config.restart_count

    @property
    def operators(self) -> tuple[OperatorWiring, ...]:
        """The operators that run in this process."""
        return self._core.config.node.operators

    @property
    def source_root(self) -> str:
        """The folder that the paths of operators are relative to."""
        return self._core.config.source_root

    def configuration(self) -> dict[str, Any]:
        """Give the node's id, ports and operators as plain values."""
        return dict(to_json(self._core.config.node))

    @property
    def dropped(self) -> dict[str, int]:
        """How many messages each input's queue has dropped so far."""
        with self._core.lock:
            return self._core.queues.dropped()

    # ---- receiving

    def next(self, timeout: float | None = None) -> Event | None:
        """Wait for the next event.

        `timeout` is in seconds; without one the wait has no end. None when the time is over or the stream has ended.
        To be called from one thread at a time.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        self._core.poll()
        while True:
            with self._core.lock:
                if self._core.state is NodeState.ENDED:
                    return None
                event = self._take()
            if event is not None:
                return event
            left = None if deadline is None else deadline - time.monotonic()
            if left is not None and left <= 0:
                return None
            self._core.wait(left)

    def __iter__(self) -> Node:
        return self

    def __next__(self) -> Event:
        event = self.next()
        if event is None:
            raise StopIteration
        return event

    def is_empty(self) -> bool:
        """Tell whether no message waits. Thread-safe."""
        self._core.poll()
        with self._core.lock:
            return self._core.queues.is_empty() and self._core.state is not NodeState.STOPPING

    def _take(self) -> Event | None:
        core = self._core
        if core.state is NodeState.STOPPING:
            core.state = next_state(core.state, NodeEvent.STOP_DELIVERED)
            return Event("STOP", core.stop_cause)
        taken = core.queues.take()
        if taken is not None:
            return self._event(*taken)
        closed = core.queues.take_closed()
        if closed is not None:
            return Event("INPUT_CLOSED", closed)
        if core.queues.are_all_closed():
            core.stop_cause = "ALL_INPUTS_CLOSED"
            core.state = next_state(core.state, NodeEvent.INPUTS_CLOSED)
            return self._take() if core.state is NodeState.STOPPING else None
        return None

    def _event(self, input_id: str, item: Received | None) -> Event:
        if item is None:
            return Event("INPUT", input_id, self._no_value, Metadata(time.time_ns()))
        self._core.accept(self._links[item.link], item)
        try:
            _ = item.metadata.parameters
            return Event("INPUT", input_id, item.array(), item.metadata)
        except (LayoutError, WireError, ValueError) as error:
            item.discard()
            return Event("ERROR", f"a message on `{input_id}` cannot be read: {error}")

    # ---- sending

    def send_output(
        self,
        output_id: str,
        data: pa.Array[Any] | pa.ChunkedArray[Any] | bytes | bytearray | memoryview,
        metadata: Parameters | None = None,
    ) -> None:
        """Send a message to every reader of an output.

        Bytes are sent as a UInt8 array. A `backpressure` reader whose queue is full holds the call back; any other
        never does. Thread-safe. Raises ValueError for an output that the node has not, TypeError for other data.
        """
        targets = self._targets_of(output_id)
        array = as_array(data)
        encoded = encode(metadata)
        if targets:
            with self._core.lock:
                laid = self._preparer.lay(output_id, array)
            self._send(output_id, laid, encoded, self._slot_for(laid))

    def loan(self, output_id: str, size: int, metadata: Parameters | None = None) -> Loan:
        """Lend `size` bytes of shared memory; leaving the loan's `with` block sends them as a UInt8 array.

        An exception inside the block sends nothing. Nothing is copied. Thread-safe.
        """
        return self._loan(output_id, pa.uint8(), byte_hole(size), metadata)

    def loan_binary(self, output_id: str, kind: pa.DataType, size: int, metadata: Parameters | None = None) -> Loan:
        """Lend memory for one value of `kind`, Binary or LargeBinary; otherwise like `loan`."""
        parts = binary_hole(size, large=pa.types.is_large_binary(kind))
        return self._loan(output_id, kind, parts, metadata)

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

        Otherwise like `loan`. Raises TypeError if a value does not fit its member.
        """
        others = {}
        for field in struct:
            if field.name != member:
                try:
                    others[field.name] = take_apart(pa.array([values[field.name]], field.type))
                except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError) as error:
                    raise TypeError(f"`{field.name}` of output `{output_id}` is {field.type}: {error}") from None
        return self._loan(output_id, struct, struct_hole(struct, others, member, size), metadata)

    def _loan(self, output_id: str, kind: pa.DataType, parts: Any, metadata: Parameters | None) -> Loan:
        targets = self._targets_of(output_id)
        encoded = encode(metadata)
        with self._core.lock:
            laid = self._preparer.lay_parts(output_id, kind, parts)
        slot = self._wait_for_slot(output_id, laid.layout.size) if targets else None
        memory = slot.memory if slot else memoryview(bytearray(laid.layout.size))
        laid.layout.write(memory)

        def finish() -> None:
            if slot is not None:
                self._send(output_id, laid, encoded, slot)

        def give_up() -> None:
            if slot is not None:
                with self._core.lock:
                    self._core.pool.free(slot)

        return Loan(memory[laid.layout.hole :], finish, give_up)

    def _slot_for(self, laid: Laid) -> Slot | None:
        if laid.layout.size <= LARGEST_INLINE:
            return None
        slot = self._wait_for_slot("", laid.layout.size)
        if slot is not None:
            laid.layout.write(slot.memory)
        return slot

    def _wait_for_slot(self, output_id: str, size: int) -> Slot | None:
        """Take a slot; while the readers hold all memory that the node may have, wait for one of them to let go."""
        while True:
            with self._core.lock:
                slot = self._core.pool.take(size)
                stopped = self._core.state in (NodeState.STOPPING, NodeState.ENDED)
                alone = not any(consumer.is_open for consumer in self._core.consumers.values())
            if slot is not None or stopped or alone:
                return slot
            self._warn_of_full_pool(output_id)
            self._core.wait(0.05)

    def _warn_of_full_pool(self, output_id: str) -> None:
        if not self._warned:
            self._warned = True
            limit = self._core.pool.bytes_mapped
            text = f"the readers of `{self.node_id}` hold all of its {limit} bytes of shared memory; sending waits"
            log_lines.write("warn", text, target="doraflow_runtime", fields={"output": output_id})

    def _send(self, output_id: str, laid: Laid, metadata: bytes, slot: Slot | None) -> None:
        if slot is None and laid.layout.size > LARGEST_INLINE:
            return  # nobody is left to read it
        prepared = message(laid, metadata, slot)
        if slot is not None:
            with self._core.lock:
                self._core.pool.hold(slot)  # ours, until every reader has its own
        for index, consumer_id in self._targets[output_id]:
            self._send_on(index, consumer_id, prepared)
        if slot is not None:
            with self._core.lock:
                self._core.pool.release(slot.name.key())

    def _send_on(self, index: int, consumer_id: str, prepared: Any) -> None:
        core = self._core
        is_first = True
        while True:
            with core.lock:
                consumer = core.consumers.get(consumer_id)
                if consumer is None or not consumer.is_open:
                    return
                if consumer.may_send(index):
                    consumer.send(index, prepared, self._preparer.schema)
                    core.note_sent(consumer)
                    return
                if core.state in (NodeState.STOPPING, NodeState.ENDED) and not is_first:
                    return
            core.wait(0.05 if core.state is not NodeState.RUNNING else None)
            is_first = False

    # ---- the rest

    def log(self, level: str, text: str, target: str | None = None, fields: Mapping[str, str] | None = None) -> None:
        """Write a log line of level error, warn, info, debug or trace. Thread-safe."""
        log_lines.write(level, text, target, fields)

    def stop_all(self) -> None:
        """Ask the launcher to stop the whole dataflow. Thread-safe."""
        with self._core.lock:
            self._core.launcher.say(type="stop_all")

    def close(self) -> None:
        """Send what waits, tell the readers that no more comes, and leave the run. May be called more than once."""
        self._finalizer()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _links_of(self, output_id: str) -> tuple[tuple[int, str], ...]:
        return tuple(
            (link.link.index, link.link.consumer)
            for link in self._core.config.outgoing
            if link.link.output == output_id
        )

    def _targets_of(self, output_id: str) -> tuple[tuple[int, str], ...]:
        if output_id not in self._targets:
            listed = ", ".join(f"`{name}`" for name in self._targets) or "none"
            raise ValueError(f"node `{self.node_id}` has no output `{output_id}`; its outputs are: {listed}")
        return self._targets[output_id]


def as_array(data: object) -> pa.Array[Any]:
    """Make an Arrow array of what was given to be sent. Raises TypeError, saying what to do, for anything else."""
    if isinstance(data, pa.Array):
        return data
    if isinstance(data, pa.ChunkedArray):
        return data.combine_chunks()
    if isinstance(data, bytes | bytearray | memoryview):
        buffer = pa.py_buffer(data)
        return pa.Array.from_buffers(pa.uint8(), buffer.size, [None, buffer])
    if isinstance(data, pa.RecordBatch | pa.Table):
        raise TypeError("a table has several columns and a message is one array: send `table.to_struct_array()`")
    raise TypeError(f"a message is a pyarrow.Array or bytes, got {type(data).__name__}: wrap it with `pyarrow.array`")
