"""Pools: a slot has one owner at a time, and everything comes back."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pyarrow as pa
import pytest
from doraflow_runtime.shm.mapping import Mapping
from doraflow_runtime.shm.pool import SMALLEST_SLOT, Pool, Slot
from doraflow_runtime.shm.wire import SlotName, WireError
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule


class PoolMachine(RuleBasedStateMachine):
    """Takes, fills, holds and releases slots as a node and its consumers would, late and twice."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.pool = Pool(Path(self.folder.name) / "pools", limit=4 * 1024 * 1024)
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
        self.folder.cleanup()


PoolMachine.TestCase.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)
TestPool = PoolMachine.TestCase


def test_the_slot_that_came_back_last_is_used_first(tmp_path: Path) -> None:
    pool = Pool(tmp_path)
    first, second = pool.take(100), pool.take(100)
    assert first is not None
    assert second is not None
    pool.free(first)
    again = pool.take(50)
    assert again is not None
    assert again.name.slot == first.name.slot
    assert again.name.generation == first.name.generation + 1


def test_a_pool_stops_at_its_limit_and_goes_on_when_a_slot_comes_back(tmp_path: Path) -> None:
    pool = Pool(tmp_path, limit=2 * SMALLEST_SLOT)
    first, second = pool.take(1), pool.take(1)
    assert first is not None
    assert second is not None
    assert pool.take(1) is None
    pool.free(second)
    assert pool.take(1) is not None


def test_files_are_for_this_user_alone(tmp_path: Path) -> None:
    Pool(tmp_path / "pools").take(1)
    (segment,) = (tmp_path / "pools").iterdir()
    assert segment.stat().st_mode & 0o777 == 0o600
    assert segment.parent.stat().st_mode & 0o777 == 0o700


def test_a_received_buffer_cannot_be_written_and_gives_its_slot_back_when_the_last_array_dies(tmp_path: Path) -> None:
    import numpy as np

    pool = Pool(tmp_path)
    slot = pool.take(80)
    assert slot is not None
    slot.memory[:] = bytes(range(80))
    woken: list[bool] = []
    mapping = Mapping(tmp_path, lambda: woken.append(True))
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


@pytest.mark.parametrize(
    "name",
    [SlotName(7, 0, 0, 0, 1), SlotName(0, 0, 0, 0, 2**40), SlotName(0, 0, 0, 2**60, 1)],
    ids=["no such segment", "too long", "beyond the end"],
)
def test_a_payload_that_is_not_there_is_refused(tmp_path: Path, name: SlotName) -> None:
    Pool(tmp_path).take(1)
    with pytest.raises(WireError):
        Mapping(tmp_path, lambda: None).payload(name)
