"""Messages too large to travel between hosts: whoever sends one hears of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from doraflow_runtime.node_api import sending

if TYPE_CHECKING:
    from conftest import Run

LARGEST = 200_000


def test_a_message_that_is_too_large_for_a_reader_on_another_host_is_refused(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "LARGEST_PART", LARGEST)
    run.node("a", ("out", "near"))
    run.node("b")
    run.node("c")
    run.link("a/out", "b/in", 2, "backpressure")
    run.link("a/near", "c/in", 2, "backpressure")
    run.apart("b")
    run.listen(3)
    sender, reader, near = run.join("a", "b", "c")
    words = (
        "a message of 200065 bytes on `out` is too large for `b` on another host: no more than 200000 travel between "
        "hosts; send it in parts"
    )
    with pytest.raises(ValueError, match=re.escape(words)):
        sender.send_output("out", bytes(LARGEST + 65))
    with pytest.raises(ValueError, match="is too large for `b` on another host"):
        sender.loan("out", LARGEST + 65)
    assert sender._core.pool.slots_in_use == 0
    sender.send_output("near", bytes(LARGEST + 65))
    while (event := near.next(30)) is not None and event.type != "INPUT":
        pass
    assert event is not None
    assert len(event.value) == LARGEST + 65
    del event
    for name in ("b", "c"):
        run.tell("a", type="gone", node=name)
    assert reader.dropped == {"in": 0}
