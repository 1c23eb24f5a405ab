"""Two threads of one node that send to one reader on another host: neither sleeps on what the other has heard."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conftest import Run
    from doraflow_runtime.node_api.node import Node

PATIENCE = 10.0
COUNT = 300


def pair(run: Run, first: int, second: int) -> tuple[Node, Node]:
    """A sender with an output for each of its threads, and a reader on another host."""
    run.node("a", ("one", "two"))
    run.node("b")
    run.link("a/one", "b/one", first, "backpressure")
    run.link("a/two", "b/two", second, "backpressure")
    run.apart("a", "b")
    run.listen(2)
    sender, reader = run.join("a", "b")
    return sender, reader


def read(reader: Node, count: int) -> dict[str, list[int]]:
    heard: dict[str, list[int]] = {"one": [], "two": []}
    for _ in range(count):
        event = reader.next(timeout=PATIENCE)
        assert event is not None
        heard[str(event.id)].append(int.from_bytes(bytes(event.value.to_pylist()), "little"))
    return heard


def send(sender: Node, output: str, count: int) -> None:
    for number in range(count):
        sender.send_output(output, number.to_bytes(4, "little"))


def has_news(sender: Node) -> bool:
    with sender._core.lock:
        return bool(sender._core.consumers["b"].connection.has_news())  # type: ignore[union-attr]


def send_until_heard(sender: Node, reader: Node) -> int:
    """Send on `two` until that has heard the credit for `one`; gives the round in which a thread has to wait for it."""
    limit = time.monotonic() + PATIENCE
    while True:
        time.sleep(0.15)  # so long a node that only sends looks for nothing
        since = sender._core.rounds
        send(sender, "two", 1)
        if sender._core.consumers["b"].may_send(1):
            return since
        assert time.monotonic() < limit
        read(reader, 1)


def test_a_credit_that_another_thread_has_read_ends_the_wait_for_it(run: Run, transport: str) -> None:
    del transport
    sender, reader = pair(run, 1, 10)
    core = sender._core
    with ThreadPoolExecutor(1) as threads:
        for output in ("one", "two"):  # the link stands after that, and the reader knows the type
            sending = threads.submit(send, sender, output, 1)
            read(reader, 1)
            sending.result(PATIENCE)
        sending = threads.submit(send, sender, "one", 1)
        deadline = time.monotonic() + PATIENCE
        while not sending.done():
            core.wait(0.1, core.rounds)
            reader._core.wait(0.05, reader._core.rounds)
            assert time.monotonic() < deadline
        read(reader, 1)
        while not has_news(sender):  # the credit has come, and nobody has looked
            reader._core.wait(0.05, reader._core.rounds)
            assert time.monotonic() < deadline
        for _ in range(4):  # more of it may follow
            reader._core.wait(0.05, reader._core.rounds)
        assert not core.consumers["b"].may_send(1)
        since = send_until_heard(sender, reader)
        waiting = time.monotonic()
        core.wait(PATIENCE, since)
        assert time.monotonic() < waiting + PATIENCE
    run.tell("a", type="gone", node="b")  # else it would wait for what nobody reads


def test_threads_that_share_a_reader_with_short_queues_all_come_through(run: Run, transport: str) -> None:
    del transport
    sender, reader = pair(run, 1, 2)
    with ThreadPoolExecutor(2) as threads:
        sending = [threads.submit(send, sender, output, COUNT) for output in ("one", "two")]
        heard = read(reader, 2 * COUNT)
        for each in sending:
            each.result(PATIENCE)
    run.tell("a", type="gone", node="b")
    assert heard == {"one": list(range(COUNT)), "two": list(range(COUNT))}
