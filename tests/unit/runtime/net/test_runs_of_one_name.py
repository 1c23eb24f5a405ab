"""Two runs of one dataflow in one zenoh network: neither reads what the other sends."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from conftest import Run
    from doraflow_runtime.node_api.node import Node

pytest.importorskip("zenoh", reason="eclipse-zenoh is not installed")

PATIENCE = 30.0
COUNT = 20


def apart(run: Run, name: str) -> None:
    run.node("a", ("out",))
    run.node("b")
    run.link("a/out", "b/in", 4, "backpressure")
    run.apart("a", "b")
    run.goes_over_zenoh = True
    run.run_id = name


def send(sender: Node, letter: bytes) -> None:
    for _ in range(COUNT):
        sender.send_output("out", letter)


def read(reader: Node) -> list[bytes]:
    heard = []
    while len(heard) < COUNT:
        event = reader.next(timeout=PATIENCE)
        assert event is not None
        assert event.type == "INPUT"
        heard.append(bytes(event.value.to_pylist()))
    return heard


def test_runs_of_one_dataflow_in_one_network_hear_their_own_senders(
    run: Run, new_run: Callable[[], AbstractContextManager[Run]]
) -> None:
    apart(run, "first")
    with new_run() as other:
        apart(other, "second")
        other.routers = tuple(f"tcp/127.0.0.1:{port}" for port in run.ports.values())
        run.listen(2)
        other.listen(2)
        here, there = run.join("a", "b"), other.join("a", "b")
        with ThreadPoolExecutor(4) as threads:
            sending = [threads.submit(send, nodes[0], letter) for nodes, letter in ((here, b"1"), (there, b"2"))]
            heard = [each.result() for each in [threads.submit(read, nodes[1]) for nodes in (here, there)]]
            for each in sending:
                each.result()
        assert heard == [[b"1"] * COUNT, [b"2"] * COUNT]


def test_a_sender_follows_its_reader_into_the_next_run_of_its_host(
    run: Run, new_run: Callable[[], AbstractContextManager[Run]]
) -> None:
    apart(run, "first")
    run.listen(1)
    (sender,) = run.join("a")
    with new_run() as later, ThreadPoolExecutor(2) as threads:
        apart(later, "second")
        later.ports = run.ports
        later.listen(1)
        (reader,) = later.join("b")
        sending = threads.submit(send, sender, b"1")
        assert reader.next(timeout=0.5) is None
        run.tell("a", type="life", node="b", life="second")
        assert read(reader) == [b"1"] * COUNT
        sending.result()
        run.tell("a", type="gone", node="b")
