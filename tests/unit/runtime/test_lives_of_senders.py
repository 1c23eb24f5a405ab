"""A sender that is started again while its reader does something else: what the reader hears first."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest
from doraflow_runtime.shm.memory import SharedMemory

from tests.unit.runtime.test_fuzzed_peers import HELLO, greet, message, reader_without_producer, schema

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import Run


@contextlib.contextmanager
def life(run: Run, word: bytes) -> Iterator[None]:
    """A process in `a`'s place, which connects and sends one message."""
    memory = SharedMemory(8192)
    with greet(run, HELLO + schema(pa.uint8()) + message(content=word), [memory.for_readers]):
        memory.close()
        yield


@pytest.mark.parametrize("is_met", [True, False], ids=["one that it knows", "one that it has not met"])
def test_a_restart_is_told_between_the_messages_of_both_lives(run: Run, is_met: bool) -> None:
    node = reader_without_producer(run)
    with life(run, b"one"):
        if is_met:
            node.is_empty()
            node.is_empty()
    run.tell("b", type="restarting", node="a")
    with life(run, b"two"):
        events = [node.next(30) for _ in range(3)]
    told = [(event.type, event.id, event.value and bytes(event.value.to_pylist())) for event in events if event]
    assert told == [("INPUT", "in", b"one"), ("NODE_RESTARTED", "a", None), ("INPUT", "in", b"two")]
