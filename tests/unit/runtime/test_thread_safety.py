"""What every public part of the node API says of threads, and threads that do what it allows."""

from __future__ import annotations

import asyncio
import inspect
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from doraflow_runtime.node_api.array_loans import ArrayLoan, ArrowLoan
from doraflow_runtime.node_api.events import Event
from doraflow_runtime.node_api.loans import Loan
from doraflow_runtime.node_api.node import Node
from doraflow_runtime.node_api.typed import ArrayEvent, TypedNode

if TYPE_CHECKING:
    from conftest import Run

OF_A_TUPLE = {"count", "index", *Event._fields}


def members(kind: type) -> list[str]:
    """The public methods and properties, but for what is told of the class."""
    found = [name for name in vars(kind) if not name.startswith("_") and name not in OF_A_TUPLE]
    return [name for name in found if callable(vars(kind)[name]) or isinstance(vars(kind)[name], property)]


@pytest.mark.parametrize("kind", [Node, Event, Loan, ArrayLoan, ArrowLoan, TypedNode, ArrayEvent])
def test_a_class_says_by_which_threads_it_may_be_used(kind: type) -> None:
    assert "thread" in (inspect.getdoc(kind) or "").lower()


@pytest.mark.parametrize(
    ("kind", "name"), [(kind, name) for kind in (Node, Event, TypedNode) for name in members(kind)]
)
def test_a_method_says_by_which_threads_it_may_be_called(kind: type, name: str) -> None:
    assert "thread" in (inspect.getdoc(getattr(kind, name)) or "").lower()


def test_the_methods_that_must_say_it_are_those_of_the_api() -> None:
    assert {"next", "next_async", "send_output", "loan", "close", "dropped", "node_id"} <= set(members(Node))
    assert set(members(Event)) == {"numpy", "tensor", "image", "failure"}


def test_threads_take_events_in_turn(run: Run) -> None:
    run.pair(size=4)
    a, b = run.join("a", "b")
    turn, seen = threading.Lock(), []

    def take(count: int) -> None:
        for _ in range(count):
            with turn:
                event = b.next(30)
                assert event is not None
                seen.append(event.metadata["number"])

    with ThreadPoolExecutor(4) as threads:
        work = [threads.submit(take, 100) for _ in range(3)]
        for number in range(300):
            a.send_output("out", bytes(number * 41 % 9000), {"number": number})
        for one in work:
            one.result(60)
    assert seen == list(range(300))


def test_many_threads_look_at_one_event(run: Run) -> None:
    run.pair()
    a, b = run.join("a", "b")
    start = threading.Barrier(8)

    def look(event: Event) -> tuple[Any, ...]:
        start.wait(30)
        return (
            event.metadata["number"],
            sorted(event.metadata),
            int(event.numpy().sum()),
            event.image().shape,
            event.tensor().__array_interface__["shape"],
        )

    for number in range(20):
        with a.loan_image("out", 40, 30, "rgb8", {"number": number}) as pixels:
            pixels[...] = number
        event = b.next(30)
        assert event is not None
        with ThreadPoolExecutor(8) as threads:
            looks = [threads.submit(look, event) for _ in range(8)]
        names = ["encoding", "height", "number", "shape", "timestamp", "width"]
        expected = (number, names, number * 3600, (30, 40, 3), (30, 40, 3))
        assert [one.result() for one in looks] == [expected] * 8


def test_outputs_are_closed_and_lines_are_written_while_others_send(
    run: Run, capfd: pytest.CaptureFixture[str]
) -> None:
    run.node("a", ("one", "two"))
    run.node("b")
    run.link("a/one", "b/one", 4, "backpressure")
    run.link("a/two", "b/two", 4, "backpressure")
    run.listen(2)
    a, b = run.join("a", "b")

    def send() -> None:
        for number in range(300):
            a.send_output("two", bytes(number * 41 % 9000), {"number": number})
        a.close_output("two")

    def talk(name: str) -> None:
        for number in range(100):
            a.log("info", f"{name} {number}")
            assert (a.node_id, a.outputs, a.run_id, a.has_ended) == ("a", ("one", "two"), "run-1", False)
            a.configuration()
            a.has_ended_inputs("")

    with ThreadPoolExecutor(5) as threads:
        work = [threads.submit(send), threads.submit(a.close_output, "one")]
        work += [threads.submit(talk, name) for name in ("x", "y")]
        events = [(event.type, event.id, event.metadata.get("number")) for event in b]
        for one in work:
            one.result(60)
    assert [number for kind, _, number in events if kind == "INPUT"] == list(range(300))
    assert {(kind, name) for kind, name, _ in events if kind != "INPUT"} == {
        ("INPUT_CLOSED", "one"),
        ("INPUT_CLOSED", "two"),
        ("STOP", "ALL_INPUTS_CLOSED"),
    }
    said = [line for line in capfd.readouterr().out.splitlines() if line]
    for name in ("x", "y"):
        assert sum(f'"{name} {number}"' in line for number in range(100) for line in said) == 100


def test_a_coroutine_waits_while_threads_send(run: Run) -> None:
    run.pair(size=4)
    a, b = run.join("a", "b")

    async def receive() -> list[object]:
        seen = []
        while len(seen) < 100:
            event = await b.next_async(30)
            assert event is not None
            seen.append(event.metadata["number"])
        return seen

    def send() -> None:
        for number in range(100):
            a.send_output("out", bytes(number * 41 % 9000), {"number": number})

    with ThreadPoolExecutor(1) as threads:
        sending = threads.submit(send)
        assert asyncio.run(receive()) == list(range(100))
        sending.result(60)
