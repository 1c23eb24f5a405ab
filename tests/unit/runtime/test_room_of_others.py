"""A message that waits for room which another reader holds: it goes as soon as that reader lets go."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from doraflow_runtime.node_api import own_memory

if TYPE_CHECKING:
    import pytest
    from conftest import Run

MIB = 1024 * 1024


def test_a_message_goes_when_another_reader_has_let_go_of_the_room_that_it_needs(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own_memory, "DEFAULT_LIMIT", 16 * MIB)
    run.node("a", ("one", "two"))
    run.node("b")
    run.node("c")
    run.link("a/one", "b/in", 2, "drop_oldest")
    run.link("a/two", "c/in", 10, "drop_oldest")
    run.listen(3)
    a, b, c = run.join("a", "b", "c")
    hoard = []
    for _ in range(8):
        a.send_output("two", bytes(MIB))
        hoard.append(c.next(20))
    kept = []
    for _ in range(2):
        a.send_output("one", bytes(MIB))
        kept.append(b.next(20))
    assert None not in hoard + kept
    a.send_output("one", bytes(MIB))
    assert a._core.consumers["b"].waiting == 1  # `b` holds its share, and more than half of all is in use
    waiting = threading.Thread(target=a.next, args=(20,))
    waiting.start()
    hoard.clear()
    assert c.next(0.5) is None  # a reader gives back what it let go of, and sleeps
    event = b.next(10)
    run.tell("a", type="stop")
    waiting.join()
    assert event is not None
    assert event.type == "INPUT"
