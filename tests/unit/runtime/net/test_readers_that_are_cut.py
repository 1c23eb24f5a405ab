"""Readers on other hosts that are paused or cut: what is on its way to them never keeps the others waiting."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING

import pytest
from doraflow_runtime.node_api import own_memory

if TYPE_CHECKING:
    from conftest import Run
    from doraflow_runtime.node_api.node import Node

LIMIT = 8 * 1024 * 1024
COUNT = 40
PATIENCE = 60.0


def drain(reader: Node) -> None:
    while reader.next(0.01) is not None:
        pass


def is_linked(reader: Node) -> bool:
    event = reader.next(0.05)
    return event is not None and event.type == "INPUT"


def numbers(reader: Node, size: int) -> list[int]:
    """Read until the last message comes, and make sure that none was written over on its way."""
    seen: list[int] = []
    while not seen or seen[-1] < COUNT - 1:
        event = reader.next(PATIENCE)
        assert event is not None, f"nothing comes after {seen}"
        if len(event.value) == size:
            content = event.value.to_numpy()
            assert content.min() == content.max()
            seen.append(event.value[0].as_py())
    return seen


@pytest.mark.usefixtures("transport")
@pytest.mark.parametrize("size", [300_000, 2_000_000])
def test_a_reader_that_is_paused_holds_no_memory_that_another_waits_for(
    run: Run, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr(own_memory, "DEFAULT_LIMIT", LIMIT)
    run.node("a", ("out",))
    for name, policy in (("near", "backpressure"), ("far", "drop_oldest"), ("farther", "drop_oldest")):
        run.node(name)
        run.link("a/out", f"{name}/in", 2, policy)
    run.apart("far", "farther")
    run.listen(4)
    sender, near, *paused = run.join("a", "near", "far", "farther")
    for reader in paused:
        while not is_linked(reader):
            sender.send_output("out", b"1")
            drain(near)

    def send() -> None:
        for number in range(COUNT):
            sender.send_output("out", bytes([number]) * size)

    thread = threading.Thread(target=send, daemon=True)
    thread.start()
    assert numbers(near, size) == list(range(COUNT))
    thread.join(PATIENCE)
    for reader in paused:
        seen = numbers(reader, size)
        assert seen == sorted(set(seen))
    for name in ("near", "far", "farther"):  # so that the sender ends without waiting for them
        run.connections["a"].sendall(json.dumps({"type": "gone", "node": name}).encode() + b"\n")
