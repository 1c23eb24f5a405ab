"""The calls of `send_output` and `loan`, which take the same and say the same however they reach the sender."""

from __future__ import annotations

import gc
import inspect
import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from doraflow_runtime.compiled import is_compiled
from doraflow_runtime.node_api.joining import CONFIG_VARIABLE
from doraflow_runtime.node_api.node import Node

if TYPE_CHECKING:
    from conftest import Run
    from doraflow_runtime.node_api.metadata import Parameters

WRONG_CALLS: tuple[tuple[str, tuple[object, ...], dict[str, object]], ...] = (
    ("send_output", (), {}),
    ("send_output", ("out",), {}),
    ("send_output", ("out", b"x", None, 3), {}),
    ("send_output", ("out", b"x"), {"more": 1}),
    ("send_output", ("out", b"x"), {"data": b"y"}),
    ("send_output", (), {"data": b"y", "metadata": None}),
    ("send_output", ("elsewhere", b"x"), {}),
    ("send_output", ("out", 3.5), {}),
    ("loan", ("out",), {"metadata": None}),
    ("loan", ("out", 8), {"length": 8}),
    ("loan", ("elsewhere", 8), {}),
)


def join(run: Run, kind: type[Node] = Node) -> tuple[Any, Node]:
    """Make the two nodes of a pair, the sending one of a class of its own."""
    with ThreadPoolExecutor(1) as threads:
        os.environ[CONFIG_VARIABLE] = str(run.config("a"))
        first = threads.submit(kind)
        assert run.greeted.acquire(timeout=30)
        second = run.join("b")[0]
    run.nodes.append(first.result())
    return first.result(), second


def taken(node: Node) -> tuple[bytes, dict[str, object]]:
    event = node.next(30)
    assert event is not None and event.type == "INPUT"
    return bytes(event.value.to_pylist()), dict(event.metadata)


def said(call: Any, arguments: tuple[object, ...], named: dict[str, object]) -> tuple[type[BaseException], str]:
    with pytest.raises((TypeError, ValueError)) as caught:
        call(*arguments, **named)
    return caught.type, str(caught.value)


def test_arguments_may_be_given_by_place_or_by_name(run: Run) -> None:
    run.pair()
    a, b = join(run)
    array = pa.array([1, 2], pa.uint8())
    for _ in range(2):  # the first message of a type is Python's
        a.send_output("out", array)
        a.send_output("out", array, {"n": 1})
        a.send_output("out", array, metadata={"n": 2})
        a.send_output(metadata={"n": 3}, data=array, output_id="out")
        with a.loan("out", size=2, metadata={"n": 4}) as memory:
            memory[:] = b"\3\4"
        with a.loan("out", 2) as memory:
            memory[:] = b"\5\6"
        got = [taken(b) for _ in range(6)]
        assert [data for data, _ in got] == [b"\1\2"] * 4 + [b"\3\4", b"\5\6"]
        assert [metadata.get("n") for _, metadata in got] == [None, 1, 2, 3, 4, None]


def test_a_wrong_call_is_refused_in_the_words_of_the_method(run: Run) -> None:
    run.pair()
    a, _ = join(run)
    for name, arguments, named in WRONG_CALLS:
        assert said(getattr(a, name), arguments, named) == said(getattr(Node, name), (a, *arguments), named)
    assert said(a.send_output, ("out",), {}) == (
        TypeError,
        "Node.send_output() missing 1 required positional argument: 'data'",
    )
    a.close()
    for name, given in (("send_output", b"x"), ("loan", 8)):
        with pytest.raises(RuntimeError, match="node `a` is closed and cannot send any more"):
            getattr(a, name)("out", given)


class Counting(Node):
    """A node that counts what it sends, and hands it on."""

    sent = 0

    def send_output(self, output_id: str, data: Any, metadata: Parameters | None = None) -> None:
        """Count."""
        self.sent += 1
        super().send_output(output_id, data, metadata)


def test_a_class_of_its_own_keeps_its_way_of_sending(run: Run) -> None:
    run.pair()
    a, b = join(run, Counting)
    for _ in range(3):
        a.send_output("out", b"\7")
        assert taken(b)[0] == b"\7"
    with a.loan("out", 1) as memory:
        memory[:] = b"\1"
    assert taken(b)[0] == b"\1"
    assert a.sent == 3
    Node.send_output(a, "out", b"\2")
    assert taken(b)[0] == b"\2"


def test_a_method_that_was_replaced_is_called(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[object] = []
    monkeypatch.setattr(Node, "send_output", lambda _, *given: calls.append(given))
    run.pair()
    a, _ = join(run)
    a.send_output("out", b"x")
    assert calls == [("out", b"x")]


def test_a_node_shows_the_parameters_of_its_methods(run: Run) -> None:
    run.pair()
    a, _ = join(run)
    for name in ("send_output", "loan"):
        told = inspect.signature(getattr(a, name)).parameters
        assert list(told) == list(inspect.signature(getattr(Node, name)).parameters)[1:]
        assert told["metadata"].default is None
        assert getattr(a, name).__name__ == name
    if is_compiled():
        assert inspect.isbuiltin(a.send_output)
        assert inspect.isbuiltin(a.loan)


def test_whoever_keeps_a_method_keeps_the_node_open(run: Run) -> None:
    run.pair()
    a, b = join(run)
    send, lend = a.send_output, a.loan
    run.nodes.remove(a)
    del a
    for _ in range(2):  # the first message of a type is Python's
        send("out", b"\1")
        assert taken(b)[0] == b"\1"
    del send
    with lend("out", 1) as memory:
        memory[:] = b"\2"
    assert taken(b)[0] == b"\2"
    del lend
    event = b.next(30)
    assert event is not None
    assert event.type == "INPUT_CLOSED"


@pytest.mark.parametrize("kind", [Node, Counting])
def test_a_node_that_nobody_uses_any_more_is_closed_at_once(run: Run, kind: type[Node]) -> None:
    run.pair()
    a, b = join(run, kind)
    for _ in range(2):
        a.send_output("out", b"\1")
        assert taken(b)[0] == b"\1"
    core = a._core
    run.nodes.remove(a)
    gc.disable()  # it is not what closes the node
    try:
        del a
        assert core.is_closed
    finally:
        gc.enable()
