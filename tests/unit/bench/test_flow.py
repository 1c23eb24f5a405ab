"""The benchmark's flows: the same graph for every peer, in each one's terms."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bench.flow import Vertex, flow
from bench.nodes.board import COUNT, FIRST, Board
from bench.peers.doraflow import dataflow
from bench.settings import SIZES, Settings

if TYPE_CHECKING:
    from pathlib import Path

NODES = [Vertex("source", "pacer"), Vertex("left", "clock", "source"), Vertex("right", "clock", "source")]


@pytest.mark.parametrize(("size", "window"), [(8, 1000), (40_960, 1000), (409_600, 163), (41_943_040, 4)])
def test_queues_hold_64_mib_but_not_too_few_or_too_many(size: int, window: int) -> None:
    assert flow("throughput", NODES, ["left"], size).window == window


def test_several_readers_of_one_output_are_told() -> None:
    assert flow("fanout", NODES, ["left", "right"]).settings["shared"] == "1"
    assert flow("latency", NODES[:2], ["left"]).settings["shared"] == "0"


def test_a_flow_is_written_in_the_language_of_dataflows() -> None:
    made = flow("throughput", NODES[:2], ["left"], is_lossless=True)
    assert dataflow(made, "node.py", "queue_size: 4, queue_policy: backpressure") == (
        "nodes:\n"
        "  - id: source\n    path: node.py\n    env: {BENCH_NODE: source}\n    outputs: [out]\n"
        "  - id: left\n    path: node.py\n    env: {BENCH_NODE: left}\n"
        "    inputs: {in: {source: source/out, queue_size: 4, queue_policy: backpressure}}\n"
    )


def test_a_board_is_shared_by_all_that_map_it(tmp_path: Path) -> None:
    Board.create(tmp_path / "board", 3)
    one, other = Board(tmp_path / "board", 3), Board(tmp_path / "board", 3)
    one.put(2, COUNT, 7)
    assert other.get(2, COUNT) == 7
    assert other.column(COUNT) == [0, 0, 7]
    assert other.column(FIRST) == [0, 0, 0]
    with pytest.raises(TimeoutError, match=r"8 in cell 3 of nodes \[2\]"):
        other.wait([2], COUNT, 8, 0.01)


def test_a_kind_takes_its_own_sizes_of_those_asked_for() -> None:
    assert Settings().choose((8, 4096)) == (8, 4096)
    assert Settings(sizes=(512,)).choose((8, 4096)) == (512,)
    assert [Settings(messages=300).messages_of(size) for size in SIZES] == [300, 300, 300, 300, 300, 150, 60]
