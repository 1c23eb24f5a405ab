"""Small messages that travel together: cut in the middle, damaged, and taken in by the compiled core."""

from __future__ import annotations

import os
import select
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from doraflow_runtime.compiled import is_compiled
from doraflow_runtime.contract import InputWiring
from doraflow_runtime.formats.arrow import flat_record
from doraflow_runtime.net import frames
from doraflow_runtime.net.lanes import Inbound, Outbound, Parcel
from doraflow_runtime.net.packing import Pack, take_apart
from doraflow_runtime.node_api.outgoing import Outgoing
from doraflow_runtime.shm import wire
from doraflow_runtime.shm.wire import Frame, WireError
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.runtime.net.cut_links import pass_cuts
from tests.unit.runtime.net.man_in_the_middle import Proxy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import doraflow_core

    from tests.unit.runtime.conftest import Run

COUNT = 20_000
SEND = f"""
from doraflow_runtime.node_api.node import Node
with Node() as node:
    for number in range({COUNT}):
        node.send_output("out", number.to_bytes(8, "little") * (1 + number % 40))
"""
RECEIVE = f"""
from doraflow_runtime.node_api.node import Node
due = 0
with Node() as node:
    for event in node:
        if event.type == "INPUT":
            content = event.value.to_numpy().tobytes()
            assert content == due.to_bytes(8, "little") * (1 + due % 40), (due, content[:8])
            due += 1
            if due % {COUNT // 4} == 0:
                print(due, flush=True)
print("all", due)
"""


def test_a_flood_that_is_cut_again_and_again_arrives_whole_once_and_in_order(run: Run) -> None:
    pass_cuts(run, SEND, RECEIVE, COUNT, queue_size=500)


SEND_SLOWLY = """
import time
from pathlib import Path
from doraflow_runtime.node_api.node import Node
with Node() as node:
    limit = time.monotonic() + 40
    while not Path("{enough}").exists() and time.monotonic() < limit:
        node.send_output("out", b"1" * 5000)
        time.sleep(0.3)
"""
RECEIVE_SOME = """
from pathlib import Path
from doraflow_runtime.node_api.node import Node
with Node() as node:
    for _ in range(4):
        print(node.next(30).type, flush=True)
    Path("{enough}").touch()
"""


def test_a_node_that_does_nothing_but_send_hears_of_a_cut_long_before_the_window_is_full(
    run: Run, tmp_path: Path
) -> None:
    run.node("a", ("out",))
    run.node("b")
    run.link("a/out", "b/in", 5)
    run.apart("b")
    run.listen(2)
    receiver = run.spawn("b", RECEIVE_SOME.format(enough=tmp_path / "enough"))
    with Proxy(run.ports["b"]) as proxy:
        run.ports["b"] = proxy.port
        sender = run.spawn("a", SEND_SLOWLY.format(enough=tmp_path / "enough"))
        assert receiver.stdout is not None
        assert receiver.stdout.readline() == "INPUT\n"
        proxy.cut()
        assert [receiver.stdout.readline() for _ in range(3)] == ["INPUT\n"] * 3
        run.finish(receiver, 60)
        run.finish(sender, 60)


def body(content: bytes, metadata: bytes = b"") -> bytes:
    record = flat_record(len(content), len(content))
    return wire.MESSAGE.pack(7, len(metadata), len(record), len(content)) + metadata + record + content


def pack(first: int, contents: list[bytes]) -> bytes:
    return b"".join(frames.message(1, 1, 0, first + place, body(content)) for place, content in enumerate(contents))


def test_what_had_arrived_of_a_pack_before_a_cut_is_not_sent_again() -> None:
    lane: Outbound[Outgoing | Pack] = Outbound(10, may_drop=False)
    lane.hear(0, 10)
    lane.last = 3
    data = pack(1, [b"one", b"two", b"three"]) + frames.message(2, 1, 0, 9, body(b"of another link"))
    lane.note_packed(Pack(data), 3, len(data))
    lane.hear(2, 12)
    assert len(lane.flying) == 1
    lane.cut()
    lane.spread(lambda parcel: take_apart(1, parcel))
    message = Outgoing(1, 0, body(b"three"), None)
    assert list(lane.flying) == [Parcel(3, message, wire.HEADER.size + len(message.body))]
    assert lane.first == 3
    assert lane.flying_bytes == lane.flying[0].size


@dataclass
class Reader:
    """What takes packs in, and its state."""

    source: doraflow_core.Source
    queues: doraflow_core.Queues
    lane: Inbound


def new_reader(size: int) -> Iterator[Reader]:
    import doraflow_core

    with closing(select.epoll()) as epoll:
        gate = doraflow_core.Gate(epoll.fileno(), 0)
        queues = doraflow_core.Queues((InputWiring("in", "a/out", size, "backpressure"),), lambda _: None)
        lane = Inbound(size, is_bounded=True)
        row: Any = (1, "in", True, True, 1, lane)
        source = doraflow_core.Source(gate, queues, None, -1, (row,), lambda _: None, Frame, WireError)
        source.learn(1, pa.uint8(), 1)
        yield Reader(source, queues, lane)


@pytest.fixture
def reader() -> Iterator[Reader]:
    yield from new_reader(4)


needs_core = pytest.mark.skipif(not is_compiled(), reason="the compiled core is not built, or switched off")


@needs_core
def test_a_pack_is_taken_in_as_far_as_there_are_places(reader: Reader) -> None:
    data = pack(1, [b"x" * size for size in range(1, 7)])
    assert reader.source.take_records(data, 0) == len(pack(1, [b"x" * size for size in range(1, 5)]))
    assert (reader.lane.taken, reader.lane.waiting, reader.queues.count) == (4, 4, 4)


@needs_core
@pytest.mark.parametrize(
    "data",
    [
        pack(2, [b"a number that is left out"]),
        pack(0, [b"a number that came before"]),
        frames.message(9, 1, 0, 1, body(b"another link")),
        frames.message(1, 2, 0, 1, body(b"another type")),
        frames.message(1, 1, wire.IN_SLOT, 1, body(b"s" * wire.SLOT.size)),
        frames.message(1, 1, 0, 1, body(b"a flush", b"\x05\x00\x00\x00flushb\x01")),
        frames.message_beside(1, 1, wire.IN_SLOT, 1, body(wire.SLOT.pack(1, 2, 3, 4, 5)), 70_000),
        frames.record(wire.closed(1)),
        pack(1, [b"half a record"])[:-1],
        b"half",
    ],
)
def test_what_is_not_the_next_sound_message_is_left_to_python(reader: Reader, data: bytes) -> None:
    assert reader.source.take_records(data, 0) == 0
    assert (reader.lane.taken, reader.lane.waiting, reader.queues.count) == (0, 0, 0)


@needs_core
@settings(max_examples=100, deadline=None)
@given(
    contents=st.lists(st.binary(min_size=1, max_size=30), min_size=1, max_size=6),
    place=st.integers(0, 10_000),
    byte=st.integers(0, 255),
)
def test_a_damaged_pack_is_taken_in_record_by_record_or_not(contents: list[bytes], place: int, byte: int) -> None:
    damaged = bytearray(pack(1, contents))
    damaged[place % len(damaged)] = byte
    for reader in new_reader(10):
        end = reader.source.take_records(bytes(damaged), 0)
        at = count = 0
        while at < end:
            number, _frame, at = frames.read_record(memoryview(damaged), at)
            count += 1
            assert number == count
        assert at == end
        assert (reader.lane.taken, reader.lane.waiting, reader.queues.count) == (count, count, count)


@needs_core
@given(data=st.binary(max_size=200), at=st.integers(0, 200))
def test_no_bytes_are_taken_for_messages(data: bytes, at: int) -> None:
    for reader in new_reader(10):
        assert reader.source.take_records(data, at) == at
        assert reader.queues.count == 0


@needs_core
def test_a_place_before_the_records_is_refused(reader: Reader) -> None:
    with pytest.raises(ValueError, match="records begin at a place within them"):
        reader.source.take_records(os.urandom(8), -1)
