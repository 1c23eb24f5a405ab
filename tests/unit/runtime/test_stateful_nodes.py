"""Nodes that send, receive, keep, leave and crash in any order: nothing is torn, lost, doubled or out of order."""

from __future__ import annotations

import gc
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from doraflow_runtime.node_api.node import BytesEvent
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from conftest import Run
    from doraflow_runtime.contract import InputWiring, Link
    from doraflow_runtime.node_api.events import Event
    from doraflow_runtime.node_api.node import Node

NAMES = "abcd"
POOL_LIMIT = 1024 * 1024
SIZES = st.sampled_from([0, 1, 64, 4095, 4096, 4097, 8192, 8193, 70_000, 300_000]) | st.integers(0, 20_000)
ANY = st.integers(0, 1000)


def bytes_like(seed: int, size: int) -> pa.Array[Any]:
    return pa.array(np.resize(np.arange(seed, seed + 251, dtype=np.uint64).astype(np.uint8), size))


def lists(seed: int, size: int) -> pa.Array[Any]:
    return pa.array([list(range(seed, seed + 3)), None, [], [seed] * (size // 4)], pa.list_(pa.int32()))


def structs(seed: int, size: int) -> pa.Array[Any]:
    return pa.array([{"a": seed, "b": "é" * (size // 2)}, {"a": None, "b": None}])


def words(seed: int, size: int) -> pa.Array[Any]:
    return pa.array([f"{seed}", "x" * size, f"{seed}"]).dictionary_encode()


KINDS: tuple[Callable[[int, int], pa.Array[Any]], ...] = (bytes_like, lists, structs, words)


def numpy_of(array: pa.Array[Any]) -> object:
    """A view that numpy makes, over the last buffer that there is."""
    buffers = [buffer for buffer in array.buffers() if buffer is not None]
    return np.frombuffer(buffers[-1], np.uint8) if buffers and buffers[-1].size else array


def memory_of(array: pa.Array[Any]) -> object:
    buffers = [buffer for buffer in array.buffers() if buffer is not None]
    return memoryview(buffers[-1])[: buffers[-1].size // 2] if buffers else array


def child_of(array: pa.Array[Any]) -> object:
    if pa.types.is_struct(array.type):
        return array.field(1)
    return array.values if pa.types.is_list(array.type) else array.slice(len(array) // 2)


VIEWS: tuple[Callable[[pa.Array[Any]], object], ...] = (
    lambda array: array,
    lambda array: array.slice(len(array) // 3, 2),
    lambda array: pa.chunked_array([array, array]),
    child_of,
    numpy_of,
    memory_of,
)


PARTS: tuple[Callable[[memoryview], object], ...] = (
    lambda view: view,
    lambda view: view[len(view) // 3 :][:2],
    lambda view: np.frombuffer(view, np.uint8) if view.nbytes else view,
)


def content(view: object) -> object:
    if isinstance(view, np.ndarray | memoryview):
        return view.tobytes()
    assert isinstance(view, pa.Array | pa.ChunkedArray)
    return pa.concat_arrays(view.chunks if isinstance(view, pa.ChunkedArray) else [view, view.slice(0, 0)])


@dataclass
class Member:
    node: Node
    kept: list[tuple[object, object]] = field(default_factory=list)
    closed: set[str] = field(default_factory=set)
    is_open: bool = True


class NodesMachine(RuleBasedStateMachine):
    """Up to four nodes with random edges, driven by one thread; `lost` are the ends that may not hear any more."""

    def __init__(self, new_run: Callable[[], AbstractContextManager[Run]]) -> None:
        super().__init__()
        gc.collect()
        self.descriptors = len(list(Path("/proc/self/fd").iterdir()))
        self.stack = ExitStack()
        self.new_run = new_run
        self.run: Run
        self.members: dict[str, Member] = {}
        self.sent: dict[tuple[str, str], list[pa.Array[Any]]] = {}
        self.ports: dict[int, InputWiring] = {}
        self.received: dict[int, list[int]] = {}
        self.told_closed: Counter[int] = Counter()
        self.crashed: set[str] = set()
        self.seed = 0
        self.is_plain = False
        """Whether everything is plain numbers, so that it can be read as bytes too."""

    @initialize(
        edges=st.lists(
            st.tuples(ANY, ANY, st.booleans(), st.integers(1, 5), st.booleans()),
            min_size=1,
            max_size=5,
        ),
        count=st.integers(2, 4),
        is_plain=st.booleans(),
    )
    def start(self, edges: list[tuple[int, int, bool, int, bool]], count: int, is_plain: bool) -> None:
        self.is_plain = is_plain
        self.run = self.stack.enter_context(self.new_run())
        for name in NAMES[:count]:
            self.run.node(name, ("x", "y"))
        for number, (source, target, first, size, holds_back) in enumerate(edges):
            output = f"{NAMES[source % count]}/{'x' if first else 'y'}"
            policy = "backpressure" if holds_back else "drop_oldest"
            self.run.link(output, f"{NAMES[target % count]}/in{number}", size, policy)
        for link in self.run.links:
            self.ports[link.index] = next(port for port in self.run.inputs[link.consumer] if port.id == link.input)
            self.received[link.index] = []
        self.run.listen(count)
        for node in self.run.join(*NAMES[:count]):
            node._core.pool.limit = POOL_LIMIT
            self.members[node.node_id] = Member(node)
        self.sent = {(name, output): [] for name in self.members for output in "xy"}

    # ---- what nodes do

    @rule(which=ANY, first=st.booleans(), kind=st.sampled_from(KINDS), size=SIZES)
    def send(self, which: int, first: bool, kind: Callable[[int, int], pa.Array[Any]], size: int) -> None:
        name, output = self.pick(which), "x" if first else "y"
        if name is not None and self.may_send(name, output, size):
            array = (bytes_like if self.is_plain else kind)(self.next_seed(), size)
            self.members[name].node.send_output(output, array, {"number": len(self.sent[name, output])})
            self.sent[name, output].append(array)

    @rule(which=ANY, first=st.booleans(), size=SIZES, is_sent=st.booleans())
    def lend(self, which: int, first: bool, size: int, is_sent: bool) -> None:
        name, output = self.pick(which), "x" if first else "y"
        if name is None or not self.may_send(name, output, size):
            return
        array = bytes_like(self.next_seed(), size)
        loan = self.members[name].node.loan(output, size, {"number": len(self.sent[name, output])})
        if is_sent:
            with loan as memory:
                memory[:] = array.to_numpy()
            self.sent[name, output].append(array)

    @rule(which=ANY, keep=st.sampled_from((None, *VIEWS)), count=st.integers(1, 6))
    def receive(self, which: int, keep: Callable[[pa.Array[Any]], object] | None, count: int) -> None:
        name = self.pick(which)
        if name is None:
            return
        for _ in range(count):
            event = self.members[name].node.next(0.001)
            if event is None:
                return
            self.check(name, event)
            if keep is not None and event.value is not None:
                view = keep(event.value)
                self.members[name].kept.append((view, content(view)))

    @rule(which=ANY, part=st.sampled_from((None, *PARTS)), count=st.integers(1, 6))
    def receive_bytes(self, which: int, part: Callable[[memoryview], object] | None, count: int) -> None:
        name = self.pick(which)
        for _ in range(count if name is not None and self.is_plain else 0):
            event = self.members[str(name)].node.next_bytes(0.001)
            if event is None:
                return
            self.check(str(name), event)
            if part is not None and event.value is not None:
                view = part(memoryview(event.value))
                self.members[str(name)].kept.append((view, content(view)))

    @rule(which=ANY, at=ANY)
    def let_go(self, which: int, at: int) -> None:
        kept = list(self.members.values())[which % len(self.members)].kept
        if kept:
            kept.pop(at % len(kept))

    @rule(which=ANY, first=st.booleans())
    def close_output(self, which: int, first: bool) -> None:
        name, output = self.pick(which), "x" if first else "y"
        if name is not None and which % 5 == 0:
            self.members[name].node.close_output(output)
            self.members[name].closed.add(output)

    @rule(which=ANY)
    def leave(self, which: int) -> None:
        name = self.pick(which)
        if name is not None and which % 4 == 0:
            self.catch_up()
            self.members[name].is_open = False
            self.members[name].node.close()

    @rule(which=ANY)
    def crash(self, which: int) -> None:
        """End a node as a kill would: its sockets close, and nobody looks at its arrays any more."""
        name = self.pick(which)
        if name is None or which % 4:
            return
        member = self.members[name]
        member.is_open = False
        member.kept.clear()
        self.crashed.add(name)
        core = member.node._core
        for consumer in core.consumers.values():
            consumer.connection.close()
        for producer in core._reception.producers.values():
            producer.connection.close()
        core._poller._handlers.clear()
        member.node.close()

    # ---- what must hold

    @invariant()
    def nothing_that_is_kept_changes(self) -> None:
        for member in self.members.values():
            for view, was in member.kept:
                now = content(view)
                assert now.equals(was) if isinstance(now, pa.Array) else now == was

    def check(self, name: str, event: Event | BytesEvent) -> None:
        assert event.type in ("INPUT", "INPUT_CLOSED", "STOP"), event
        if event.type == "STOP":
            return
        link = next(link for link in self.run.links if (link.consumer, link.input) == (name, event.id))
        received, sent = self.received[link.index], self.sent[link.producer, link.output]
        assert not self.told_closed[link.index]
        if event.type == "INPUT_CLOSED":
            self.told_closed[link.index] += 1
            if self.is_lossless(link) and link.producer not in self.crashed:
                assert len(received) == len(sent)
            return
        assert event.value is not None
        number = int(str(event.metadata["number"]))
        last = received[-1] if received else -1
        assert number == last + 1 if self.is_lossless(link) else number > last
        received.append(number)
        if isinstance(event, BytesEvent):
            view = memoryview(event.value)
            assert (view.readonly, view.tobytes()) == (True, sent[number].to_numpy().tobytes())
            return
        event.value.validate(full=True)
        assert event.value.equals(sent[number])
        for buffer in event.value.buffers():
            assert buffer is None or not buffer.is_mutable
            assert buffer is None or memoryview(buffer).readonly

    def teardown(self) -> None:
        try:
            self.settle()
        finally:
            self.members.clear()
            self.stack.close()
            del self.run
        gc.collect()
        assert len(list(Path("/proc/self/fd").iterdir())) == self.descriptors

    def settle(self) -> None:
        """Read all that was sent, and look at the books."""
        self.catch_up()
        for name, member in self.members.items():
            while member.is_open and (event := member.node.next(0.01)) is not None:
                self.check(name, event)
        self.catch_up()
        for link in self.run.links:
            if self.members[link.producer].is_open and self.members[link.consumer].is_open:
                self.audit(link)
        for member in self.members.values():
            member.kept.clear()
        gc.collect()
        deadline = time.monotonic() + 30
        producers = [member.node for member in self.members.values() if member.is_open]
        while any(node._core.pool.slots_in_use for node in producers) and time.monotonic() < deadline:
            self.catch_up()
            for node in producers:
                node.is_empty()  # looks at what came back
        assert [node._core.pool.slots_in_use for node in producers] == [0] * len(producers)

    def audit(self, link: Link) -> None:
        """Every message that is missing was counted, and those that are there are the newest."""
        received, sent = self.received[link.index], self.sent[link.producer, link.output]
        late = self.members[link.consumer].node.dropped[link.input]
        early = self.members[link.producer].node.undelivered[f"{link.consumer}/{link.input}"]
        assert len(sent) - len(received) == late + early
        if self.is_lossless(link):
            assert received == list(range(len(sent)))
        elif not early:
            newest = range(max(0, len(sent) - self.ports[link.index].queue_size), len(sent))
            assert set(newest) <= set(received)

    # ---- the smaller parts

    def pick(self, which: int) -> str | None:
        names = [name for name, member in self.members.items() if member.is_open and not member.node.has_ended]
        return names[which % len(names)] if names else None

    def next_seed(self) -> int:
        self.seed += 1
        return self.seed

    def is_lossless(self, link: Link) -> bool:
        return self.ports[link.index].queue_policy == "backpressure"

    def may_send(self, name: str, output: str, size: int) -> bool:
        """Tell whether a send would not wait: there is nobody else to end the wait."""
        core = self.members[name].node._core
        self.members[name].node.is_empty()
        links = [link for link in self.run.links if (link.producer, link.output) == (name, output)]
        if output in self.members[name].closed or any(
            link.consumer in core.consumers and not core.consumers[link.consumer].may_send(link.index) for link in links
        ):
            return False
        slot = core.pool.take(2 * size + 8192)
        if slot is not None:
            core.pool.free(slot)
        return slot is not None

    def catch_up(self) -> None:
        """Let every node read what has arrived, until nothing is on its way."""
        for _ in range(4):
            for member in self.members.values():
                if member.is_open:
                    member.node._core.gate.dispatched_ns = 0
                    member.node.is_empty()


def test_nodes_that_send_keep_leave_and_crash_in_any_order(
    new_run: Callable[[], AbstractContextManager[Run]],
) -> None:
    run_state_machine_as_test(
        lambda: NodesMachine(new_run),
        settings=settings(
            max_examples=15,
            stateful_step_count=60,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
