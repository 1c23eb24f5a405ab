"""Outputs of one node that share its memory: readers that keep everything stop their own output, and no other."""

from __future__ import annotations

import json
import threading
import time
from typing import TYPE_CHECKING

import pytest
from doraflow_runtime.node_api import own_memory
from doraflow_runtime.shm.shelf import slot_size_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conftest import Run
    from doraflow_runtime.contract import QueuePolicy
    from doraflow_runtime.node_api.node import Node

LIMIT = 16 * 1024 * 1024
PATIENCE = 30.0


@pytest.fixture(autouse=True)
def _small_pools(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_memory, "DEFAULT_LIMIT", LIMIT)


def copied(node: Node, output: str, size: int) -> None:
    node.send_output(output, bytes(size))


def loaned(node: Node, output: str, size: int) -> None:
    with node.loan(output, size) as memory:
        memory[:8] = b"12345678"


WAYS = pytest.mark.parametrize("send", [copied, loaned])


class Hoarders:
    """Readers of `a`, each of an output of its own, that keep all they get; and who sends to them without end."""

    def __init__(self, run: Run, names: tuple[str, ...], others: dict[str, QueuePolicy]) -> None:
        outputs = (*(f"to_{name}" for name in names), *(f"to_{name}" for name in others))
        run.node("a", outputs)
        for name in (*names, *others):
            run.node(name)
            run.link(f"a/to_{name}", f"{name}/in", 2, others.get(name, "backpressure"))
        run.listen(1 + len(names) + len(others))
        self.node, *joined = run.join("a", *names, *others)
        self.readers = dict(zip((*names, *others), joined, strict=True))
        self.kept: list[object] = []
        self.sent = dict.fromkeys(names, 0)
        self.threads: list[threading.Thread] = []

    def begin(self, send: Callable[[Node, str, int], None], size: int, least: int = LIMIT * 5 // 8) -> None:
        """Send and keep, in threads, until more than `least` bytes are held and nothing goes on."""
        for name in self.sent:
            self.threads += [
                threading.Thread(target=self._send, args=(name, send, size)),
                threading.Thread(target=self._keep, args=(name,)),
            ]
        for thread in self.threads:
            thread.start()
        before, deadline = -1, time.monotonic() + PATIENCE
        while before != (before := sum(self.sent.values())) or self.node._core.pool.bytes_in_use <= least:
            assert time.monotonic() < deadline
            time.sleep(0.5)

    def end(self) -> None:
        for node in (self.node, *self.readers.values()):
            node.close()
        for thread in self.threads:
            thread.join(PATIENCE)
        assert not any(thread.is_alive() for thread in self.threads)

    def _send(self, name: str, send: Callable[[Node, str, int], None], size: int) -> None:
        try:
            while True:
                send(self.node, f"to_{name}", size)
                self.sent[name] += 1
        except RuntimeError:
            return  # closed

    def _keep(self, name: str) -> None:
        self.kept += [event.value for event in self.readers[name] if event.type == "INPUT"]


@pytest.fixture
def hoarders(run: Run) -> Iterator[Callable[..., Hoarders]]:
    made: list[Hoarders] = []

    def make(*names: str, **others: QueuePolicy) -> Hoarders:
        made.append(Hoarders(run, names, others))
        return made[-1]

    yield make
    for one in made:
        one.end()


@WAYS
@pytest.mark.parametrize("policy", ["backpressure", "drop_oldest"])
@pytest.mark.parametrize("names", [("b",), ("b", "c")])
def test_readers_that_keep_all_they_get_starve_no_other_output(
    hoarders: Callable[..., Hoarders],
    names: tuple[str, ...],
    policy: QueuePolicy,
    send: Callable[[Node, str, int], None],
) -> None:
    world = hoarders(*names, other=policy)
    world.begin(send, 300_000)
    share = LIMIT // 4 // (len(names) + 1)
    most = LIMIT * 3 // 4 if len(names) == 1 else LIMIT - share + slot_size_of(300_000)  # one may hold its share alone
    assert world.node._core.pool.bytes_in_use <= most
    for number in range(300):
        send(world.node, "to_other", 500_000 if number % 2 else 300_000)
        event = world.readers["other"].next(PATIENCE)
        assert event is not None
        assert event.type == "INPUT"
        del event
    assert world.node.undelivered == {"b/in": 0, "other/in": 0, **({"c/in": 0} if "c" in names else {})}


@WAYS
def test_an_output_that_waits_goes_on_when_its_reader_lets_go(
    hoarders: Callable[..., Hoarders], send: Callable[[Node, str, int], None], capfd: pytest.CaptureFixture[str]
) -> None:
    world = hoarders("b", other="drop_oldest")
    world.begin(send, 300_000)
    before = world.sent["b"]
    deadline, told = time.monotonic() + PATIENCE, ""
    while not told:
        assert time.monotonic() < deadline
        lines = [json.loads(line)["message"] for line in capfd.readouterr().out.splitlines()]
        told = next((line for line in lines if "waits" in line), "")
        time.sleep(0.05)
    assert told.startswith("`to_b` waits: the readers of `a` hold as much as they may of its 16777216 bytes of shared")
    assert told.endswith(" of them, and the rest is for other outputs")
    world.readers["b"].close()
    world.kept.clear()
    deadline = time.monotonic() + PATIENCE
    while world.sent["b"] < before + 100:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_node_with_one_output_may_give_its_reader_everything(hoarders: Callable[..., Hoarders]) -> None:
    world = hoarders("b")
    world.begin(copied, 300_000, LIMIT * 7 // 8)
    assert world.node._core.pool.bytes_in_use > LIMIT * 7 // 8


def test_a_message_that_needs_the_last_quarter_is_sent_to_a_reader_that_keeps_nothing(
    hoarders: Callable[..., Hoarders],
) -> None:
    world = hoarders(one="backpressure", two="backpressure")
    for _ in range(4):
        loaned(world.node, "to_one", LIMIT - 8192)
        event = world.readers["one"].next(PATIENCE)
        assert event is not None
        assert event.value is not None
        assert len(event.value) == LIMIT - 8192
        del event
        world.readers["one"].is_empty()  # a reader says with its next call what it has let go
