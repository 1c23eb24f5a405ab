"""Readers on other hosts that are paused or cut: what is on its way to them never keeps the others waiting."""

from __future__ import annotations

import json
import threading
import time
from typing import TYPE_CHECKING, Any, cast

import pytest
from doraflow_runtime.node_api import own_memory
from doraflow_runtime.node_api.measuring import Counts

from tests.unit.runtime.net.man_in_the_middle import Proxy

if TYPE_CHECKING:
    from collections.abc import Iterator

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


def say_gone(run: Run, *readers: str) -> None:
    """Say what the launcher does of nodes that have ended: the sender then ends without waiting for them."""
    for name in readers:
        run.connections["a"].sendall(json.dumps({"type": "gone", "node": name}).encode() + b"\n")


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
    say_gone(run, "near", "far", "farther")


def test_what_a_cut_has_swallowed_is_counted_at_the_input_that_misses_it(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    run.node("a", ("out",))
    run.node("b")
    run.link("a/out", "b/in", 5)
    run.apart("b")
    run.listen(2)
    with Proxy(run.ports["b"]) as proxy:
        monkeypatch.setattr(run, "address", lambda *_: f"tcp://127.0.0.1:{proxy.port}")
        sender, reader = run.join("a", "b")
        sender.send_output("out", b"1")
        while not is_linked(reader):
            sender._core.wait(0.05, sender._core.rounds)
        proxy.swallow()
        for number in range(20):
            sender.send_output("out", bytes([number]))
        proxy.cut()
        seen: list[int] = []
        deadline = time.monotonic() + PATIENCE
        while 19 not in seen:
            assert time.monotonic() < deadline
            sender._core.wait(0.05, sender._core.rounds)
            while (event := reader.next(0.05)) is not None:
                seen.append(event.value[0].as_py())
        assert seen == [15, 16, 17, 18, 19]
        assert (reader.dropped["in"], sender.undelivered["b/in"]) == (15, 15)
        assert dict(counted(reader))["in"] == reader.dropped["in"]
    say_gone(run, "b")


def counted(node: Node) -> Iterator[tuple[str, int]]:
    """Read what is dropped by the rows that the launcher shows."""
    for line in node._core.meter.lines(Counts(node._core.queues.dropped(), {}, {}, {})):
        for row in cast("list[list[Any]]", line["ports"]):
            yield row[1], row[4]
