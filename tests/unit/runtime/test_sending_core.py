"""The sending half of the compiled core beside its twins in Python, and what goes the shortest way."""

from __future__ import annotations

import importlib
import mmap
import socket
from collections import deque
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from doraflow_runtime.compiled import is_compiled
from doraflow_runtime.node_api import account as python_account
from doraflow_runtime.shm import shelf as python_shelf
from doraflow_runtime.shm import wire
from doraflow_runtime.shm.connection import Connection
from doraflow_runtime.shm.wire import WireError
from hypothesis import given, settings
from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Run

if not is_compiled():
    pytest.skip("the compiled core is not built, or switched off", allow_module_level=True)

core: Any = importlib.import_module("doraflow_core")

SIZES = (1, 8192, 8193, 10_240, 20_000)
NUMBERS = st.integers(0, 7)
COUNTS = st.integers(0, 5)


def shelf_pair() -> tuple[Any, Any]:
    """Make a shelf of each kind with the same two segments."""
    shelves = core.Shelf, python_shelf.Shelf
    made = [shelf(mmap.mmap(-1, 2**20), 2**20, 10**6) for shelf in shelves]
    for shelf in made:
        shelf.add(0, 8192, 0, 4)
        shelf.add(7, 10_240, 65_536, 3)
    return made[0], made[1]


def state_of(shelf: Any) -> tuple[object, ...]:
    slots = sorted((tuple(slot.name), slot.room, slot.holders) for slot in shelf.slots)
    return slots, shelf.bytes_in_use, shelf.slots_in_use, shelf.taken


@given(
    st.lists(st.tuples(st.sampled_from(["reuse", "hold", "let_go", "free", "release", "room"]), NUMBERS), max_size=60)
)
def test_shelves_of_both_kinds_do_the_same(steps: list[tuple[str, int]]) -> None:
    shelves = shelf_pair()
    taken: list[tuple[Any, Any]] = []
    for step, number in steps:
        if step == "reuse":
            slots = [shelf.reuse(SIZES[number % len(SIZES)]) for shelf in shelves]
            names = [slot and tuple(slot.name) for slot in slots]
            assert names[0] == names[1]
            if slots[0] is not None:
                slots[0].memory[:1] = b"x"
                taken.append((slots[0], slots[1]))
        elif taken:
            chosen = taken[number % len(taken)]
            given_to = [slot.name.key() if step in {"release", "room"} else slot for slot in chosen]
            answers = [getattr(shelf, step)(what) for shelf, what in zip(shelves, given_to, strict=True)]
            assert answers[0] == answers[1]
        assert state_of(shelves[0]) == state_of(shelves[1])


def test_a_segment_goes_with_its_places_and_only_unused() -> None:
    for shelf in shelf_pair():
        slot = shelf.reuse(10_000)
        if isinstance(shelf, core.Shelf):
            with pytest.raises(ValueError, match="segment 7 is not there, or in use"):
                shelf.remove(7)
        shelf.free(slot)
        shelf.remove(7)
        assert shelf.reuse(10_000) is None
        assert shelf.reuse(100) is not None


def test_a_view_of_a_slot_outlives_its_shelf() -> None:
    shelf = shelf_pair()[0]
    view = shelf.reuse(100).memory
    del shelf
    view[:] = b"y" * 100
    assert bytes(view) == b"y" * 100


class _Books:
    """An account of one kind with its reader's end of the connection."""

    def __init__(self, account: type[Any], lane: type[Any], shelf: Any) -> None:
        class Silent(account):  # type: ignore[misc]
            def drop_waiting(self) -> None:
                """There are no messages that wait."""

        here, self.reader = socket.socketpair()
        lanes = {link: lane(None, deque(), 5, False, False) for link in (1, 300)}
        for one in lanes.values():
            one.credits = 0
        self.shelf = shelf
        self.account = Silent(Connection(here), shelf, 2**20, lanes, set())

    def hear(self, data: bytes) -> str:
        """Let the reader say something; give what is wrong with it."""
        self.reader.sendall(data)
        try:
            self.account.receive()
        except WireError as error:
            return str(error)
        return ""

    def state(self) -> tuple[object, ...]:
        account = self.account
        owed = [lane.credits for lane in account.lanes.values()]
        return (
            *(account.bytes_held, account.slots_held, account.slots_unread, account.has_left, owed),
            state_of(self.shelf),
        )

    def close(self) -> None:
        self.account.connection.close()
        self.reader.close()


STEPS = st.one_of(
    st.tuples(st.just("send"), NUMBERS),
    st.tuples(st.just("release"), st.lists(NUMBERS, max_size=3).map(tuple)),
    st.tuples(st.just("seen"), COUNTS),
    st.tuples(st.just("credit"), st.tuples(st.sampled_from([1, 300, 2]), st.integers(0, 2**32 - 1))),
    st.tuples(st.just("left"), NUMBERS),
    st.tuples(st.just("bytes"), st.binary(max_size=16)),
)


def spoken(step: str, detail: Any, slots: list[Any]) -> bytes:
    """Write what a reader says."""
    match step:
        case "release" if slots:
            return wire.release([slots[at % len(slots)] for at in detail])
        case "seen":
            return wire.seen(detail)
        case "credit":
            return wire.credit(*detail)
        case "left":
            return wire.left()
        case "bytes":
            return bytes(detail)
    return b""


@settings(max_examples=150)
@given(st.lists(STEPS, max_size=25), st.lists(st.integers(1, 40), min_size=1, max_size=5))
def test_accounts_of_both_kinds_do_the_same(steps: list[tuple[str, Any]], cuts: list[int]) -> None:
    shelves = shelf_pair()
    books = (
        _Books(core.Account, core.Lane, shelves[0]),
        _Books(python_account.Account, python_account.Lane, shelves[1]),
    )
    keys: list[Any] = []
    try:
        for step, detail in steps:
            if step == "send":
                for book in books:
                    slot = book.shelf.reuse(SIZES[detail % len(SIZES)])
                    if slot is not None:
                        book.shelf.hold(slot)
                        book.account.charge(slot)
                        keys += [slot.name.key()]
            data = spoken(step, detail, keys)
            at = 0
            while at < len(data):
                size = cuts[at % len(cuts)]
                faults = [book.hear(data[at : at + size]) for book in books]
                at += size
                assert faults[0] == faults[1]
                if faults[0]:
                    return
            assert books[0].state() == books[1].state()
        for book in books:
            book.account.drain()
        assert books[0].state() == books[1].state()
    finally:
        for book in books:
            book.close()


FLAT: dict[str, Callable[[int], object]] = {
    "bytes": bytes,
    "floats": lambda size: pa.array([1.5] * size, pa.float32()),
    "moments": lambda size: pa.array(range(size), pa.timestamp("ns", "UTC")),
    "a slice": lambda size: pa.array(range(size + 3), pa.int16())[3:],
}
OTHER: dict[str, Callable[[int], object]] = {
    "texts": lambda size: pa.array(["a"] * size),
    "booleans": lambda size: pa.array([True] * size),
    "with nulls": lambda size: pa.array([1] * (size - 1) + [None], pa.int8()),
    "chunks": lambda size: pa.chunked_array([pa.array([1] * size, pa.int8())]),
}


@pytest.mark.parametrize("size", [3, 30_000])
@pytest.mark.parametrize("name", [*FLAT, *OTHER])
def test_a_flat_array_goes_the_shortest_way_once_its_type_is_known(run: Run, name: str, size: int) -> None:
    run.pair()
    a, b = run.join("a", "b")
    data = {**FLAT, **OTHER}[name](size)
    for number in range(3):
        a.send_output("out", data, {"number": number})
    events = [b.next(30) for _ in range(3)]
    assert [event and event.metadata["number"] for event in events] == [0, 1, 2]
    values = {str(event and event.value) for event in events}
    assert len(values) == 1
    assert a._sender.sent()["out"][0] == (2 if name in FLAT else 0)


def test_a_loan_goes_the_shortest_way_also_after_an_array_that_brought_a_type_of_its_own(run: Run) -> None:
    run.pair()
    a, b = run.join("a", "b")
    own = pa.array([1, 2], pa.uint8())
    assert own.type is not pa.uint8()
    for data in (own, bytes(8_000)):  # the first message of a type, and the first slot, are Python's
        a.send_output("out", data)
    before = a._sender.sent()["out"][0]
    with a.loan("out", 2) as memory:
        memory[:] = b"\x03\x04"
    assert a._sender.sent()["out"][0] == before + 1
    assert [value(b)[:2] for _ in range(3)] == [[1, 2], [0, 0], [3, 4]]


def test_a_node_that_sends_nothing_but_large_messages_hears_of_their_memory_in_the_core(run: Run) -> None:
    run.pair()
    a, b = run.join("a", "b")
    for number in range(10):
        with a.loan("out", 4 << 20) as memory:
            memory[0] = number
        event = b.next(30)
        assert event is not None
        assert event.value is not None
        assert event.value[0].as_py() == number
        del event
        assert b.next(0) is None
    assert a._sender.sent()["out"][0] >= 8, "the first message of a type, and the first slot, are Python's"


def test_memory_that_is_sent_again_is_read_again(run: Run) -> None:
    run.pair()
    a, b = run.join("a", "b")
    memory = bytearray(4)
    array = pa.Array.from_buffers(pa.uint8(), 4, [None, pa.py_buffer(memory)])
    for number in range(6):
        memory[0] = number
        a.send_output("out", array)
    assert [value(b)[0] for _ in range(6)] == list(range(6))


def test_an_array_at_the_address_of_another_is_not_taken_for_it(run: Run) -> None:
    run.pair(size=100)
    a, b = run.join("a", "b")
    for number in range(50):
        array = pa.array([number] * (1 + number % 3), pa.int32())
        a.send_output("out", array)
        a.send_output("out", array)
        del array
    sent = [[number] * (1 + number % 3) for number in range(50) for _ in range(2)]
    assert [value(b) for _ in range(100)] == sent


def value(node: Any) -> list[int]:
    event = node.next(30)
    assert event is not None
    return list(event.value.to_pylist())
