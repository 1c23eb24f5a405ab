"""The outputs of a node: data made ready, memory found for it, and every reader served or waited for.

Everything here may be called from any thread.
"""

from __future__ import annotations

from threading import get_ident
from typing import TYPE_CHECKING, Any, TypeAlias

import pyarrow as pa
from doraflow_runtime.formats.arrow import Layout, byte_hole
from doraflow_runtime.net.frames import LARGEST_PART
from doraflow_runtime.node_api import log_lines
from doraflow_runtime.node_api.chosen import Dispatch, Loan
from doraflow_runtime.node_api.metadata import encode
from doraflow_runtime.node_api.outgoing import Outgoing
from doraflow_runtime.node_api.preparing import Laid, Preparer, message
from doraflow_runtime.shm import wire
from doraflow_runtime.shm.pool import RESERVE

if TYPE_CHECKING:
    from doraflow_runtime.formats.arrow import Parts
    from doraflow_runtime.node_api.core import Core
    from doraflow_runtime.node_api.metadata import Parameters
    from doraflow_runtime.shm.chosen import Slot

Target: TypeAlias = tuple[int, str]
"""A link, and the node at its other end."""

_LAST_CHANCE = 0.05
"""Seconds that a node which is being stopped waits for a reader that holds it back."""


class Sender(Dispatch):
    """What a node sends with: here is the way for every message, `Dispatch` may know a shorter one for some."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._preparer = Preparer()
        self._targets: dict[str, list[Target]] = {port.id: [] for port in core.config.node.outputs}
        for edge in core.config.outgoing:
            self._targets[edge.link.output].append((edge.link.index, edge.link.consumer))
        self._warned: set[str] = set()
        tables = core.consumers, core.pool, self._targets, self._preparer.last
        super().__init__(core, core.lock, *tables, pa.Array, pa.uint8(), encode)
        self._far = {edge.link.output: edge.link.consumer for edge in core.config.outgoing if edge.host}
        names = {edge.link.consumer for edge in core.config.outgoing}
        self._share = core.pool.limit // RESERVE // max(1, len(names))
        core.pool.has_reserve = sum(map(bool, self._targets.values())) > 1  # for one output there is nobody else
        core.meter.sent_elsewhere = self.sent
        core.sender = self

    def add_reader(self, output_id: str, target: Target) -> None:
        """Send an output to one more reader from now on. To be called with the lock."""
        self._targets[output_id] = [*self._targets[output_id], target]
        self.reroute(self._targets)

    def remove_reader(self, target: Target) -> None:
        """Send nothing more to a reader that was added. To be called with the lock."""
        for output_id, targets in self._targets.items():
            self._targets[output_id] = [other for other in targets if other != target]
        self.reroute(self._targets)

    def send_slowly(self, output_id: str, data: object, metadata: Parameters | None) -> None:
        """Send a message. Raises ValueError for an unknown output, TypeError for data that is no array."""
        targets = self._targets_of(output_id)
        array = as_array(data)
        encoded = encode(metadata) if metadata else b""
        if not targets:
            self._require_own(output_id)
            return
        with self._core.lock:
            prepared = self._preparer.prepare(output_id, array, encoded)
            if isinstance(prepared, Laid) and self._is_copied(prepared, encoded):
                prepared = message(prepared, encoded, None)
            if isinstance(prepared, Outgoing):
                late = self._offer(targets, prepared)
                self._core.meter.sent(output_id, len(prepared.body))
        if isinstance(prepared, Outgoing):
            if late:
                self._wait_for(late, prepared)
            return
        slot = self._slot(output_id, prepared.layout.size)
        if slot is not None:
            prepared.layout.write(slot.memory)
            self._deliver(targets, message(prepared, encoded, slot), slot)
            self._core.meter.sent(output_id, prepared.layout.size)

    def await_room(self, consumer_id: str, link: int) -> bool:
        """Wait until a reader on another host may be sent a message; False if others have to see to that."""
        core = self._core
        while True:
            with core.lock:
                consumer = core.consumers.get(consumer_id)
                if core.is_closed or core.was_told_to_stop or consumer is None:
                    return False
                if consumer.may_send(link):
                    return True
                since = core.rounds
            core.wait(None, since)

    def lend_slowly(self, output_id: str, size: int, metadata: Parameters | None) -> Loan:
        """Lend `size` bytes for a UInt8 array, and wait for them if need be."""
        return self.loan(output_id, pa.uint8(), byte_hole(size), metadata)

    def deliver_late(self, output_id: str, number: int, metadata: bytes | None, record: bytes, slot: Slot) -> None:
        """Send what lies in a slot as soon as its readers let it."""
        laid = Laid(number, 0, Layout(record, slot.name.size, ()))
        self._deliver(self._targets[output_id], message(laid, metadata or b"", slot), slot)

    def loan(self, output_id: str, kind: pa.DataType, parts: Parts, metadata: Parameters | None) -> Loan:
        """Lend the memory of the one buffer of `parts` that is not written yet."""
        targets = self._targets_of(output_id)
        encoded = encode(metadata) if metadata else b""
        with self._core.lock:
            laid = self._preparer.lay_parts(output_id, kind, parts)
        slot = self._slot(output_id, laid.layout.size) if targets else None
        if slot is None:
            return _unread(output_id, laid)
        laid.layout.write(slot.memory)
        slot.lent_by = get_ident()

        def finish() -> None:
            slot.lent_by = 0
            self._deliver(targets, message(laid, encoded, slot), slot)
            self._core.meter.sent(output_id, laid.layout.size)

        def give_up() -> None:
            with self._core.lock:
                self._core.pool.free(slot)

        return Loan(output_id, slot.memory[laid.layout.hole :], finish, give_up)

    def close(self, output_id: str) -> None:
        """Tell the readers of an output that nothing more comes. Raises ValueError for an unknown output."""
        for index, consumer_id in self._targets_of(output_id):
            with self._core.lock:
                self._core.closed_links.add(index)
                consumer = self._core.consumers.get(consumer_id)
                if consumer is not None:
                    consumer.close_link(index)
                    self._core.note_sent(consumer)

    def _slot(self, output_id: str, size: int) -> Slot | None:
        """Take a slot; while the readers hold all memory that the node may have, wait for one of them to let go.

        None if nobody is left to read it, if every reader would rather lose the message than have it waited for, or if
        the node is being stopped. Raises OSError if the memory cannot be had, RuntimeError if the asking thread itself
        holds it all in loans, ValueError for more than may travel to a reader on another host.
        """
        core = self._core
        if size > LARGEST_PART and output_id in self._far:
            raise ValueError(
                f"a message of {size} bytes on `{output_id}` is too large for `{self._far[output_id]}` on another "
                f"host: no more than {LARGEST_PART} travel between hosts; send it in parts"
            )
        with core.lock:
            self._require_open()
            is_free = core.is_fresh() and not self._is_withheld(output_id, size)
            if is_free and (slot := core.pool.take_at_hand(size)) is not None:
                return slot
        core.poll()  # a node that only sends hears of slots that were let go nowhere else
        while True:
            with core.lock:
                self._require_open()
                core.returns.look()
                slot = None if self._is_withheld(output_id, size) else self._take(size)
                if slot is not None or core.was_told_to_stop or not self._is_waited_for(output_id):
                    return slot
                if core.returns.await_any():
                    continue
                since = core.rounds
                self._require_others(output_id, size)
                self._warn_of_full_pool(output_id, size)
            core.wait(0.05, since)

    def _is_withheld(self, output_id: str, size: int) -> bool:
        """Tell whether the memory that is left is for other outputs: a reader that is waited for holds its share."""
        core = self._core
        if not core.pool.has_reserve or not core.pool.is_reserved(size):
            return False
        readers = [(index, core.consumers.get(name)) for index, name in self._targets[output_id]]
        return any(one and one.is_waited_for(index) and one.bytes_held >= self._share for index, one in readers)

    def _require_others(self, output_id: str, size: int) -> None:
        """Refuse to wait for memory that only the waiting thread itself could give back."""
        pool, thread = self._core.pool, get_ident()
        own = sum(slot.lent_by == thread for slot in pool.slots)
        if own and own == pool.slots_in_use:
            raise RuntimeError(
                f"there are no {size} bytes for `{output_id}`: the loans that this thread has open ({own}) hold the "
                f"node's shared memory of {pool.limit}; leave one of them first"
            )

    def _take(self, size: int) -> Slot | None:
        """Take a slot, if need be one of a message that waits for a slow reader and may be dropped."""
        pool, consumers = self._core.pool, self._core.consumers.values()
        slot = pool.take(size)
        while slot is None and any(consumer.drop_one() for consumer in consumers):
            slot = pool.take(size)
        return slot

    def _is_copied(self, laid: Laid, metadata: bytes) -> bool:
        """Tell whether a message travels in its frame because the node's memory is too small for it."""
        size = wire.MESSAGE.size + len(metadata) + len(laid.layout.record) + laid.layout.size
        return size <= wire.LARGEST_BODY and not self._core.pool.fits(laid.layout.size)

    def _is_waited_for(self, output_id: str) -> bool:
        """Tell whether a reader of the output may lose nothing; the others miss the message if there is none."""
        pairs = [(index, self._core.consumers.get(name)) for index, name in self._targets[output_id]]
        reading = [(index, consumer) for index, consumer in pairs if consumer is not None]
        if any(consumer.is_waited_for(index) for index, consumer in reading):
            return True
        for index, consumer in reading:
            consumer.miss(index)
        return False

    def _warn_of_full_pool(self, output_id: str, size: int) -> None:
        """Say once for an output that it waits for memory, and who holds the most."""
        if output_id in self._warned:
            return
        self._warned.add(output_id)
        core = self._core
        name, most = max(core.consumers.items(), key=lambda item: item[1].bytes_held)
        node, limit = core.config.node.id, core.pool.limit
        rest = ", and the rest is for other outputs" if self._is_withheld(output_id, size) else ""
        held = "as much as they may" if rest else "all"
        text = (
            f"`{output_id}` waits: the readers of `{node}` hold {held} of its {limit} bytes of shared memory, `{name}` "
            f"{most.bytes_held} of them{rest}"
        )
        log_lines.write("warn", text, target="doraflow_runtime", fields={"output": output_id, "consumer": name})

    def _deliver(self, targets: list[Target], prepared: Outgoing, slot: Slot) -> None:
        core = self._core
        with core.lock:
            core.pool.hold(slot)  # ours, until every reader has its own
            late = targets if core.is_closed else self._offer(targets, prepared)
            if not late:
                core.pool.let_go(slot)
                return
        try:
            self._wait_for(late, prepared)
        finally:
            with core.lock:
                core.pool.let_go(slot)

    def _offer(self, targets: list[Target], prepared: Outgoing) -> list[Target]:
        """Send to every reader that may be sent to now; give the others. To be called with the lock."""
        core = self._core
        late: list[Target] = []
        if core.is_closed:
            raise RuntimeError(f"node `{core.config.node.id}` is closed and cannot send any more")
        for target in targets:
            index, consumer_id = target
            consumer = core.consumers.get(consumer_id)
            if consumer is None:
                continue
            if not consumer.may_send(index):
                late.append(target)
                continue
            consumer.send(index, prepared, self._preparer.schema)
            if consumer.has_waiting:
                core.note_sent(consumer)
        return late

    def _wait_for(self, late: list[Target], prepared: Outgoing) -> None:
        """Send to readers that hold the message back, as soon as each lets it go."""
        core = self._core
        has_waited = False
        while True:
            with core.lock:
                late = self._offer(late, prepared)
                since = core.rounds
            if not late or (core.was_told_to_stop and has_waited):
                return
            has_waited = core.was_told_to_stop
            core.wait(_LAST_CHANCE if core.was_told_to_stop else None, since)

    def _require_open(self) -> None:
        if self._core.is_closed:
            raise RuntimeError(f"node `{self._core.config.node.id}` is closed and cannot send any more")

    def _require_own(self, output_id: str) -> None:
        """Refuse an output whose messages the launcher sends: one that carries the node's log."""
        node = self._core.config.node
        if output_id in (node.logs.lines_to, node.logs.records_to):
            raise ValueError(
                f"output `{output_id}` of node `{node.id}` carries its log, and the node cannot send on it"
            )

    def _targets_of(self, output_id: str) -> list[Target]:
        targets = self._targets.get(output_id)
        if targets is None:
            listed = ", ".join(f"`{name}`" for name in self._targets) or "none"
            node = self._core.config.node.id
            raise ValueError(f"node `{node}` has no output `{output_id}`; its outputs are: {listed}")
        return targets


def _unread(output_id: str, laid: Laid) -> Loan:
    """Lend memory for a message that nobody reads."""
    memory = memoryview(bytearray(laid.layout.size))
    return Loan(output_id, memory[laid.layout.hole :], _do_nothing, _do_nothing)


def _do_nothing() -> None:
    """Stand in where there is nothing to send or to give back."""


def as_array(data: object) -> pa.Array[Any]:
    """Make an Arrow array of what was given to be sent. Raises TypeError, saying what to do, for anything else."""
    if isinstance(data, pa.Array):
        return data
    if isinstance(data, pa.ChunkedArray):
        return data.combine_chunks()
    if isinstance(data, bytes | bytearray | memoryview):
        if isinstance(data, memoryview) and not data.contiguous:
            data = data.tobytes()
        buffer = pa.py_buffer(data)
        return pa.Array.from_buffers(pa.uint8(), buffer.size, [None, buffer])
    if isinstance(data, pa.RecordBatch | pa.Table):
        raise TypeError("a table has several columns and a message is one array: send `table.to_struct_array()`")
    raise TypeError(f"a message is a pyarrow.Array or bytes, got {type(data).__name__}: wrap it with `pyarrow.array`")
