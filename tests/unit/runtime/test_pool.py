"""Pools: a slot has one owner at a time, and everything comes back."""

from __future__ import annotations

import errno
import os
import threading
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest
from doraflow_runtime.shm.mapping import Mapping
from doraflow_runtime.shm.pool import IDLE_TAKES, Pool
from doraflow_runtime.shm.shelf import SMALLEST_SLOT, slot_size_of
from doraflow_runtime.shm.wire import SlotName, WireError
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

if TYPE_CHECKING:
    from doraflow_runtime.shm.chosen import Slot


class PoolMachine(RuleBasedStateMachine):
    """Takes, fills, holds and releases slots as a node and its consumers would, late and twice."""

    def __init__(self) -> None:
        super().__init__()
        self.pool = Pool(limit=4 * 1024 * 1024)
        self.held: list[tuple[Slot, int, bytes]] = []
        self.past: list[tuple[int, int, int]] = []
        self.count = 0

    @rule(size=st.integers(0, 300_000), holders=st.integers(1, 3))
    def take(self, size: int, holders: int) -> None:
        slot = self.pool.take(size)
        if slot is None:
            return
        self.count += 1
        mark = (f"{self.count}".encode() * (size + 1))[:size]
        slot.memory[:] = mark
        for _ in range(holders):
            self.pool.hold(slot)
        self.held.append((slot, holders, mark))

    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        if not self.held:
            return
        at = data.draw(st.integers(0, len(self.held) - 1))
        slot, holders, mark = self.held.pop(at)
        assert self.pool.release(slot.name.key())
        if holders > 1:
            self.held.append((slot, holders - 1, mark))
        else:
            self.past.append(slot.name.key())

    @rule(data=st.data())
    def release_too_late(self, data: st.DataObject) -> None:
        if self.past:
            assert not self.pool.release(data.draw(st.sampled_from(self.past)))

    @invariant()
    def nobody_writes_into_what_is_held(self) -> None:
        for slot, _, mark in self.held:
            assert bytes(slot.memory) == mark

    @invariant()
    def the_books_are_right(self) -> None:
        assert self.pool.slots_in_use == len(self.held)
        assert self.pool.bytes_mapped <= 4 * 1024 * 1024

    def teardown(self) -> None:
        self.pool.close()


PoolMachine.TestCase.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)
TestPool = PoolMachine.TestCase


def test_the_slot_that_came_back_last_is_used_first() -> None:
    pool = Pool()
    first, second = pool.take(100), pool.take(100)
    assert first is not None
    assert second is not None
    pool.free(first)
    again = pool.take(50)
    assert again is not None
    assert again.name.slot == first.name.slot
    assert again.name.generation == first.name.generation + 1


def test_a_pool_stops_at_its_limit_and_goes_on_when_a_slot_comes_back() -> None:
    pool = Pool(limit=2 * SMALLEST_SLOT)
    first, second = pool.take(1), pool.take(1)
    assert first is not None
    assert second is not None
    assert pool.take(1) is None
    pool.free(second)
    assert pool.take(1) is not None


def test_memory_of_one_size_is_given_up_for_another() -> None:
    pool = Pool(limit=1024 * 1024)
    small = [pool.take(1) for _ in range(100)]
    kept = small.pop()
    assert None not in small
    for slot in small:
        assert slot is not None
        pool.free(slot)
    large = pool.take(400_000)
    assert large is not None, "slots that nobody uses must not keep others out"
    large.memory[:] = bytes(400_000)
    assert pool.bytes_mapped <= 1024 * 1024
    assert kept is not None
    pool.free(kept)
    assert pool.take(900_000) is None
    pool.free(large)
    assert pool.take(900_000) is not None
    assert pool.bytes_mapped == os.fstat(pool.for_readers).st_blocks * 512


def test_memory_that_is_given_up_is_read_as_zeros_by_whoever_still_maps_it() -> None:
    pool = Pool(limit=1024 * 1024)
    mapping = Mapping(os.dup(pool.for_readers), lambda: None)
    first = pool.take(300_000)
    assert first is not None
    first.memory[:5] = b"first"
    buffer = mapping.payload(first.name)
    pool.free(first)
    second = pool.take(900_000)
    assert second is not None
    second.memory[:6] = b"second"
    assert mapping.payload(second.name).slice(0, 6).to_pybytes() == b"second"
    assert buffer.size == 300_000
    assert set(buffer.to_pybytes()) <= {0, *b"second"}


@given(st.integers(0, 2**40))
def test_a_slot_is_at_least_as_large_as_asked_for_and_at_most_a_fifth_of_it_is_unused(size: int) -> None:
    slot = slot_size_of(size)
    assert slot >= size
    assert slot % 64 == 0
    assert slot == SMALLEST_SLOT or slot * 4 <= size * 5


def test_a_message_larger_than_the_limit_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^a message of 9000 bytes does not fit into the 8192 that a node may share$"):
        Pool(limit=8192).take(9000)


def test_a_lack_of_memory_is_an_error_that_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    room = [64 * 1024]

    def allocate(descriptor: int, offset: int, size: int) -> None:
        if size > room[0]:
            raise OSError(errno.ENOSPC, "No space left on device")
        room[0] -= size

    monkeypatch.setattr(os, "posix_fallocate", allocate)
    pool = Pool()
    with pytest.raises(OSError, match="81920 bytes of shared memory cannot be had: No space left on device"):
        pool.take(80_000)
    assert pool.bytes_mapped == 0
    slots = [pool.take(8000) for _ in range(8)]
    assert None not in slots
    assert pool.take(8000) is None, "it waits for one of those in use"
    assert slots[0] is not None
    pool.free(slots[0])
    assert pool.take(8000) is not None


def test_freeing_a_slot_twice_leaves_its_next_life_alone() -> None:
    pool = Pool()
    first = pool.take(1)
    assert first is not None
    pool.free(first)
    second = pool.take(1)
    pool.free(first)
    assert pool.slots_in_use == 1
    assert pool.take(1) is not second


def test_a_received_buffer_cannot_be_written_and_gives_its_slot_back_when_the_last_array_dies() -> None:
    import numpy as np

    pool = Pool()
    slot = pool.take(80)
    assert slot is not None
    slot.memory[:] = bytes(range(80))
    woken: list[bool] = []
    mapping = Mapping(os.dup(pool.for_readers), lambda: woken.append(True))
    buffer = mapping.payload(slot.name)
    assert not buffer.is_mutable
    array = pa.Array.from_buffers(pa.uint8(), 80, [None, buffer])
    numbers = array.to_numpy()
    with pytest.raises(ValueError, match="read-only"):
        numbers[0] = 1
    with pytest.raises(ValueError, match="WRITEABLE"):
        numbers.flags.writeable = True
    view = np.asarray(numbers)[3:5]
    del buffer, array, numbers
    assert not mapping.returned
    assert list(view) == [3, 4]
    del view
    assert list(mapping.returned) == [slot.name.key()]
    assert woken == [True]


def test_an_array_may_die_in_another_thread() -> None:
    pool = Pool()
    slot = pool.take(80)
    assert slot is not None
    mapping = Mapping(os.dup(pool.for_readers), lambda: None)
    kept = [mapping.payload(slot.name)]
    thread = threading.Thread(target=kept.clear)
    thread.start()
    thread.join()
    assert list(mapping.returned) == [slot.name.key()]


@pytest.mark.parametrize("name", [SlotName(0, 0, 0, 0, 2**40), SlotName(0, 0, 0, 2**60, 1)], ids=["too long", "beyond"])
def test_a_payload_that_is_not_there_is_refused(name: SlotName) -> None:
    pool = Pool(limit=8192)
    with pytest.raises(WireError, match=r"^a payload outside the producer's memory$"):
        Mapping(os.dup(pool.for_readers), lambda: None).payload(name)


@pytest.mark.parametrize(("idle_seconds", "left"), [(0.0, 1), (1000.0, 10)])
def test_what_a_burst_has_taken_goes_back_when_it_is_not_needed_for_a_while(idle_seconds: float, left: int) -> None:
    pool = Pool(idle_seconds=idle_seconds)
    burst = [pool.take(1_000_000) for _ in range(40)]
    for slot in burst:
        assert slot is not None
        pool.free(slot)
    after_burst = pool.bytes_mapped
    assert after_burst == 10 * 4 * 1024 * 1024
    for _ in range(2 * IDLE_TAKES):
        slot = pool.take(1_000_000)
        assert slot is not None
        pool.free(slot)
    assert pool.bytes_mapped == left * 4 * 1024 * 1024
    assert os.fstat(pool.for_readers).st_blocks * 512 == pool.bytes_mapped
    assert pool.bytes_in_use == 0


def test_the_bytes_in_use_are_those_of_whole_slots() -> None:
    pool = Pool()
    slot = pool.take(100_000)
    assert slot is not None
    assert pool.bytes_in_use == slot.room == pool.room(slot.name.key()) == 114_688
    pool.free(slot)
    assert (pool.bytes_in_use, pool.room((9, 9, 9))) == (0, 0)
