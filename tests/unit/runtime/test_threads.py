"""Several threads at one node: nobody misses what another has taken in, and closing frees whoever waits."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from concurrent.futures import Future

    from conftest import Run
    from doraflow_runtime.node_api.node import Node


def numbers(node: Node, count: int) -> list[int]:
    events = (event for event in node if event.type == "INPUT")
    return [int(str(next(events).metadata["number"])) for _ in range(count)]


@pytest.mark.parametrize("size", [10, 20_000])
def test_a_sender_that_is_held_back_hears_of_credits_while_another_thread_waits_for_events(run: Run, size: int) -> None:
    run.node("a", ("out",))
    run.node("b", ("back",))
    run.link("a/out", "b/in", 1, "backpressure")
    run.link("b/back", "a/in", 1, "backpressure")
    run.listen(2)
    a, b = run.join("a", "b")

    def send(node: Node, output: str) -> None:
        for number in range(1000):
            node.send_output(output, bytes(size), {"number": number})

    with ThreadPoolExecutor(4) as threads:
        work = [threads.submit(numbers, node, 1000) for node in (a, b)]
        threads.submit(send, a, "out").result(60)
        threads.submit(send, b, "back").result(60)
        assert [one.result(60) for one in work] == [list(range(1000))] * 2


def test_three_threads_send_and_each_keeps_its_order(run: Run) -> None:
    run.pair(size=2)
    a, b = run.join("a", "b")

    def send(first: int) -> None:
        for number in range(first, first + 300):
            a.send_output("out", b"x" * (number * 37 % 9000), {"number": number})

    with ThreadPoolExecutor(4) as threads:
        received = threads.submit(numbers, b, 900)
        for sending in [threads.submit(send, first) for first in (0, 1000, 2000)]:
            sending.result(60)
        seen = received.result(60)
    for first in (0, 1000, 2000):
        assert [number for number in seen if first <= number < first + 300] == list(range(first, first + 300))


def test_closing_a_node_frees_a_thread_that_waits_for_events(run: Run) -> None:
    run.pair()
    _, b = run.join("a", "b")
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(b.next)
        time.sleep(0.1)
        b.close()
        assert waiting.result(30) is None


def test_closing_a_node_frees_a_thread_that_is_held_back(run: Run) -> None:
    run.pair(size=1)
    a, _ = run.join("a", "b")
    a.send_output("out", b"")
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(a.send_output, "out", b"")
        time.sleep(0.1)
        a.close()
        with pytest.raises(RuntimeError) as raised:
            waiting.result(30)
    assert str(raised.value) == "node `a` is closed and cannot send any more"


def test_a_closed_node_has_no_events_and_sends_nothing(run: Run) -> None:
    run.pair()
    a, b = run.join("a", "b")
    a.close()
    b.close()
    b.close()
    assert b.next() is None
    assert b.next(0) is None
    assert list(b) == []
    assert b.is_empty()
    for size in (1, 100_000):
        with pytest.raises(RuntimeError, match=r"^node `a` is closed and cannot send any more$"):
            a.send_output("out", bytes(size))


def test_a_slot_goes_back_when_its_array_dies_while_the_node_waits(run: Run) -> None:
    run.pair(policy="drop_oldest")
    a, b = run.join("a", "b")
    a.send_output("out", bytes(10_000))
    kept = [b.next(5)]
    assert kept[0] is not None
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(b.next, 30)
        time.sleep(0.1)
        assert a.next(0) is None
        assert a._core.pool.slots_in_use == 1
        threading.Thread(target=kept.clear).start()
        deadline = time.monotonic() + 30
        while a._core.pool.slots_in_use and time.monotonic() < deadline:
            assert a.next(0.01) is None
            a.is_empty()  # looks at what came back
        assert a._core.pool.slots_in_use == 0
        b.close()
        assert waiting.result(30) is None


def pattern(output: str, number: int) -> bytes:
    return f"{output}{number} ".encode() * (number * 53 % 1200)


def send_and_lend(node: Node, output: str) -> None:
    for number in range(400):
        data = pattern(output, number)
        if number % 3:
            node.send_output(output, data, {"number": number})
            continue
        with node.loan(output, len(data), {"number": number}) as memory:
            memory[:] = data


def answer(node: Node, count: int) -> dict[str, list[int]]:
    """Send every message back; look at each once more, twenty messages later."""
    seen: dict[str, list[int]] = {"one": [], "two": []}
    kept = []
    for at in range(count):
        event = node.next(30)
        assert event is not None
        assert event.value is not None
        number = int(str(event.metadata["number"]))
        kept.append((event.value, pattern(str(event.id), number)))
        if len(kept) > 20:
            value, sent = kept.pop(0)
            assert value.to_numpy().tobytes() == sent
        seen[str(event.id)].append(number)
        node.send_output("back", event.value, {"number": at})
    return seen


def watch(node: Node, work: Future[dict[str, list[int]]]) -> None:
    while not work.done():
        assert set(node.dropped.values()) | set(node.undelivered.values()) == {0}
        node.is_empty()
        time.sleep(0.005)


def test_outputs_loans_and_counters_may_be_used_by_threads_of_their_own(run: Run) -> None:
    run.node("a", ("one", "two"))
    run.node("b", ("back",))
    for source, target in (("a/one", "b/one"), ("a/two", "b/two"), ("b/back", "a/back")):
        run.link(source, target, 3, "backpressure")
    run.listen(2)
    a, b = run.join("a", "b")
    with ThreadPoolExecutor(5) as threads:
        answering = threads.submit(answer, b, 800)
        others = [threads.submit(send_and_lend, a, output) for output in ("one", "two")]
        others.append(threads.submit(watch, a, answering))
        assert threads.submit(numbers, a, 800).result(60) == list(range(800))
        assert answering.result(60) == {"one": list(range(400)), "two": list(range(400))}
        for other in others:
            other.result(60)
