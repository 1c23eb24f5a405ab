"""What a launcher tells of nodes on other hosts: readers that are gone or away, and clocks that differ."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from doraflow_runtime.delays import Delays

if TYPE_CHECKING:
    from conftest import Run
    from doraflow_runtime.node_api.events import Event
    from doraflow_runtime.node_api.node import Node

PATIENCE = 30.0


def pass_on(sender: Node, reader: Node, data: bytes) -> Event:
    """Send from a thread, since each of the two waits for the other, and give the message as it came."""
    with ThreadPoolExecutor(1) as threads:
        sending = threads.submit(sender.send_output, "out", data)
        event = reader.next(timeout=PATIENCE)
        while event is not None and not sending.done():
            reader.next(timeout=0.02)
    assert event is not None
    assert event.type == "INPUT"
    return event


def pair(run: Run, joined: int) -> None:
    run.node("a", ("out",))
    run.node("b")
    run.link("a/out", "b/in", 2, "backpressure")
    run.apart("b")
    run.listen(joined)


def test_a_reader_that_has_ended_for_good_holds_nobody_back(run: Run) -> None:
    pair(run, 1)
    (sender,) = run.join("a")
    run.tell("a", type="gone", node="b")
    sender._core.wait(0.5, sender._core.rounds)
    for _ in range(20):
        sender.send_output("out", b"more than the queue holds")
    assert sender.undelivered["b/in"] == 20


def test_a_reader_whose_host_is_away_holds_nobody_back(run: Run) -> None:
    pair(run, 1)
    (sender,) = run.join("a")
    run.tell("a", type="away", node="b")
    sender._core.wait(0.5, sender._core.rounds)
    for _ in range(20):
        sender.send_output("out", b"more than the queue holds")
    assert sender.undelivered["b/in"] == 20


def test_a_reader_whose_link_stands_is_not_away(run: Run) -> None:
    pair(run, 2)
    sender, reader = run.join("a", "b")
    pass_on(sender, reader, b"1")
    run.tell("a", type="away", node="b")
    sender._core.wait(0.5, sender._core.rounds)
    assert pass_on(sender, reader, b"2").value.to_pylist() == list(b"2")
    assert sender.undelivered["b/in"] == 0
    run.tell("a", type="gone", node="b")  # else it would wait for what nobody reads


def test_a_clock_that_differs_is_taken_out_of_latencies(run: Run) -> None:
    pair(run, 2)
    sender, reader = run.join("a", "b")
    run.tell("b", type="clock", node="a", offset=str(100 * 10**9))  # theirs is ahead: what took no time took 100 s
    pass_on(sender, reader, b"1")
    measured = Delays(reader._core.meter.inputs["in"].delays.counts)
    _, _, in_the_core = reader._core.queues.taken().get("in", (0, 0, []))
    if in_the_core:
        measured.merge(Delays(in_the_core))
    delay = measured.percentile(50)
    assert delay is not None
    assert delay > 80 * 10**6
    run.tell("a", type="gone", node="b")  # else it would wait for what nobody reads
