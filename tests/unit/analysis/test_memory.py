from __future__ import annotations

import itertools
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from doraflow_runtime.contract import DataType, Field, ListOf, Scalar, Struct
from doraflow_runtime.node_api import preparing
from doraflow_runtime.shm import pool, shelf
from hypothesis import given
from hypothesis import strategies as st

from doraflow.analysis import memory
from doraflow.analysis.memory import fixed_size, memory_bounds, slot_size
from tests.unit.analysis.graphs import graph_of

if TYPE_CHECKING:
    from doraflow.ir import Graph


def struct(count: int) -> Struct:
    return Struct("own/v1/Big", tuple(Field(f"m{number}", Scalar("Float64")) for number in range(count)))


def typed(graph: Graph, kind: DataType | None) -> Graph:
    """Give every output a type."""
    nodes = (
        replace(node, outputs=tuple(replace(port, data_type=kind) for port in node.outputs)) for node in graph.nodes
    )
    return replace(graph, nodes=tuple(nodes))


def test_the_numbers_are_the_runtime_s_own() -> None:
    assert memory.LARGEST_INLINE == preparing.LARGEST_INLINE
    own = (memory.SMALLEST_SLOT, memory.SEGMENT, memory.MOST_SLOTS, memory.POOL_LIMIT)
    assert own == (shelf.SMALLEST_SLOT, pool.SEGMENT, pool.MOST_SLOTS, pool.DEFAULT_LIMIT)


@given(st.integers(1, 2**31))
def test_slots_are_as_large_as_the_runtime_makes_them(size: int) -> None:
    assert slot_size(size) == shelf.slot_size_of(size)


@pytest.mark.parametrize(
    ("kind", "size"),
    [
        (None, None),
        (Scalar("Boolean"), 64),
        (Scalar("Utf8"), None),
        (ListOf(Scalar("Int8")), None),
        (struct(3), 192),
        (Struct("a", (Field("x", struct(2)), Field("y", Scalar("Int8")))), 192),
        (Struct("a", (Field("x", struct(2)), Field("y", Scalar("LargeBinary")))), None),
    ],
)
def test_a_type_has_a_fixed_size_if_all_its_members_have(kind: DataType | None, size: int | None) -> None:
    assert fixed_size(kind) == size


def test_small_messages_wait_in_queues_and_with_their_sender() -> None:
    graph = typed(graph_of("ab", [("a", "b")]), Scalar("Float64"))
    (host,) = memory_bounds(graph)
    assert (host.host, host.pools, host.queues) == ("local", 0, 20 * 64)
    (host,) = memory_bounds(typed(graph_of("ab", [("a", "b")], frozenset("b")), Scalar("Float64")))
    assert host.queues == 10 * 64


def test_large_messages_lie_in_slots_of_their_sender_s_pool() -> None:
    graph = typed(graph_of("ab", [("a", "b")], frozenset("b")), struct(1000))
    (host,) = memory_bounds(graph)
    # ten in the queue, one in hand, one being written; segments of 64 slots
    assert slot_size(64_000) == 65_536
    assert (host.pools, host.queues) == (64 * 65_536, 0)


def test_a_reader_that_may_lag_behind_costs_what_its_connection_holds() -> None:
    (host,) = memory_bounds(typed(graph_of("ab", [("a", "b")]), struct(1000)))
    slots = 1 + 20 + 1 + memory.MOST_NAMES_IN_A_SOCKET
    assert host.pools == -(-slots // 64) * 64 * 65_536


def test_no_pool_grows_beyond_its_limit() -> None:
    names = ["a", *(f"r{number}" for number in range(200))]
    (host,) = memory_bounds(typed(graph_of(names, [("a", name) for name in names[1:]]), struct(4000)))
    assert host.pools == memory.POOL_LIMIT


def test_outputs_without_a_fixed_size_are_listed_and_those_without_readers_are_not() -> None:
    (host,) = memory_bounds(graph_of("abc", [("a", "b"), ("b", "c")]))
    assert (host.total, host.unknown) == (0, ("a/x", "b/x"))


@given(st.integers(65, 400), st.integers(0, 40))
def test_the_bound_of_a_pool_is_not_exceeded_by_the_pool(members: int, held: int) -> None:
    size = members * 64
    slots = held + 1
    in_segment = max(1, min(memory.MOST_SLOTS, memory.SEGMENT // slot_size(size)))
    assert -(-slots // in_segment) * in_segment * slot_size(size) >= slots * size


def test_a_real_pool_stays_within_the_bound() -> None:
    (host,) = memory_bounds(typed(graph_of("ab", [("a", "b")], frozenset("b")), struct(1000)))
    real = pool.Pool()
    taken = [real.take(64_000) for _ in range(12)]
    assert None not in taken
    assert real.bytes_mapped <= host.pools
    for slot in taken:
        assert slot is not None
        slot.memory.release()


def test_ten_thousand_nodes_take_no_time() -> None:
    names = [f"n{number}" for number in range(10_000)]
    graph = typed(graph_of(names, itertools.pairwise(names)), struct(1000))
    started = time.process_time()
    (host,) = memory_bounds(graph)
    assert time.process_time() - started < 1
    assert len(host.outputs) == 9_999
