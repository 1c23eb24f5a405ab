"""What nodes written for dora rely on: the end of a wait, waits that are cancelled, metadata of any kind, samples."""

from __future__ import annotations

import asyncio
import json
import time
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from doraflow_runtime.node_api import dora
from doraflow_runtime.node_api.dora_parameters import parameters_of

if TYPE_CHECKING:
    from conftest import Run
    from doraflow_runtime.node_api.node import Node

TIMED_OUT = {"type": "ERROR", "error": "Timeout event stream error: Receiver timed out", "kind": "dora"}


def speaking_dora(node: Node) -> dora.Node:
    """Give a node dora's methods without taking the process's configuration and log."""
    made = dora.Node.__new__(dora.Node)
    made._node = node
    return made


def values(event: dict[str, Any] | None) -> object:
    assert event is not None
    return event["value"].to_pylist()


def test_the_end_of_a_wait_is_an_error_event_and_the_end_of_the_stream_is_none(run: Run) -> None:
    run.pair()
    a, b = run.join("a", "b")
    node = speaking_dora(b)
    assert node.next(timeout=0.01) == TIMED_OUT
    assert asyncio.run(node.recv_async(timeout=0.01)) == TIMED_OUT
    assert node.try_recv() is None
    a.close()
    assert [node.next(timeout=10)["type"] for _ in range(2)] == ["INPUT_CLOSED", "STOP"]  # type: ignore[index]
    assert node.next(timeout=0.01) is None
    assert asyncio.run(node.recv_async(timeout=0.01)) is None
    assert asyncio.run(node.recv_async()) is None


def test_a_closed_node_has_no_more_events(run: Run) -> None:
    run.pair()
    _, b = run.join("a", "b")
    b.close()
    assert asyncio.run(b.next_async()) is None


def test_a_wait_that_is_cancelled_takes_no_event(run: Run) -> None:
    run.pair()
    a, b = run.join("a", "b")
    node = speaking_dora(b)

    async def ask() -> list[object]:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(node.recv_async(), 0.05)
        a.send_output("out", b"1")
        await asyncio.sleep(0.3)
        a.send_output("out", b"2")
        return [values(await node.recv_async(10)), values(await node.recv_async(10))]

    assert asyncio.run(ask()) == [[ord("1")], [ord("2")]]


def test_the_event_loop_ends_soon_after_a_wait_was_cancelled(run: Run) -> None:
    run.pair()
    _, b = run.join("a", "b")

    async def ask() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(b.next_async(), 0.05)

    begin = time.monotonic()
    asyncio.run(ask())
    assert time.monotonic() - begin < 5


def test_a_wait_hears_of_messages_while_the_event_loop_goes_on(run: Run) -> None:
    run.pair()
    a, b = run.join("a", "b")
    turns = 0

    async def turn() -> None:
        nonlocal turns
        for _ in range(100):
            await asyncio.sleep(0.01)
            turns += 1
        a.send_output("out", b"x")

    async def ask() -> object:
        event, _ = await asyncio.gather(b.next_async(10), turn())
        assert event is not None
        return event.type

    before = time.process_time()
    assert (asyncio.run(ask()), turns) == ("INPUT", 100)
    assert time.process_time() - before < 0.5, "of a second and more, waiting costs nothing"


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        (None, "None"),
        (np.int64(5), "5"),
        (Decimal("1.5"), "1.5"),
        ([True], "[True]"),
        ({"x": 1}, "{'x': 1}"),
    ],
)
def test_metadata_that_does_not_travel_is_sent_as_its_text_with_a_warning(
    value: object, sent: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert parameters_of({"key": value}) == {"key": sent}
    line = json.loads(capfd.readouterr().out)
    kind = type(value).__name__
    assert (line["level"], line["message"]) == (
        "warn",
        f"metadata `key` is {kind}, which does not travel; its text is sent: {sent}",
    )


def test_metadata_that_travels_is_left_as_it_is(capfd: pytest.CaptureFixture[str]) -> None:
    parameters = {"a": True, "b": 1, "c": 0.5, "d": "x", "e": [1], "f": [0.5], "g": ["x"], "h": []}
    assert parameters_of({**parameters, "timestamp": datetime.now(UTC)}) == parameters
    assert parameters_of({"parameters": parameters}) == parameters
    assert parameters_of(None) is None
    assert parameters_of({"i": (1, 2)}) == {"i": [1, 2]}
    assert capfd.readouterr().out == ""


def test_a_moment_without_a_zone_is_local_time() -> None:
    moment = datetime(2024, 5, 6, 7, 8, 9)
    parameters = parameters_of({"at": moment})
    assert parameters is not None
    assert isinstance(sent := parameters["at"], datetime)
    assert (sent.timestamp(), sent.tzinfo is None) == (moment.timestamp(), False)


def test_a_sample_is_sent_by_its_block_or_by_hand_and_once(run: Run) -> None:
    run.pair()
    a, b = run.join("a", "b")
    sender, receiver = speaking_dora(a), speaking_dora(b)
    with sender.send_output_raw("out", 3, {"width": 3}) as memory:
        memory[:] = b"abc"
    sample = sender.send_output_raw("out", 5000)
    sample.as_memoryview()[:] = b"x" * 5000
    sample.send()
    with pytest.raises(RuntimeError, match=r"^the sample was sent already; ask `send_output_raw` for another one$"):
        sample.send()
    with pytest.raises(KeyError), sender.send_output_raw("out", 3):
        raise KeyError
    sender.send_output("out", b"last")
    event = receiver.next(10)
    assert event is not None
    assert (values(event), event["metadata"]["width"]) == (list(b"abc"), 3)
    assert [values(receiver.next(10)) for _ in range(2)] == [list(b"x" * 5000), list(b"last")]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("read_tensor_pool", "doraflow's `dora.Node` has no `read_tensor_pool`: it does not support tensor pools"),
        ("send_service_request", "doraflow's `dora.Node` has no `send_service_request`: it does not support services"),
        ("nothing", "`dora.Node` has no attribute `nothing`"),
    ],
)
def test_a_method_that_is_not_there_says_what_is_not_supported(name: str, message: str) -> None:
    with pytest.raises(AttributeError) as raised:
        getattr(dora.Node.__new__(dora.Node), name)
    assert str(raised.value) == message
