"""Keys that are rotated while hosts run, each host a network namespace with a launcher of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.fleet import Fleet
from tests.e2e.network import network_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SOURCE = """
from dora import Node
with Node() as node:
    for number in range(200):
        node.send_output("data", bytes(5000), {"number": number})
"""

SINK = """
from dora import Node
seen = []
with Node() as node:
    for event in node:
        if event["type"] == "INPUT":
            seen.append(event["metadata"]["number"])
print(f"{len(seen)} came, in order: {seen == sorted(set(seen))}", flush=True)
"""

FLOW = """\
nodes:
  - {id: source, path: source.py, outputs: [data], deploy: {machine: one}}
  - id: sink
    path: sink.py
    inputs: {data: {source: source/data, queue_policy: backpressure, queue_size: 8}}
    deploy: {machine: two}
"""


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    with network_of("one", "two") as network:
        made = Fleet(tmp_path, network)
        yield made
        made.end()


@pytest.mark.parametrize("earlier", ["two", "one"], ids=["a reader", "a sender"])
def test_a_host_that_runs_with_its_old_key_is_joined_by_one_that_has_the_new_ones(fleet: Fleet, earlier: str) -> None:
    bundle = fleet.build(FLOW, {"source": SOURCE, "sink": SINK})
    first = fleet.launch(bundle, earlier)
    first.wait_for("logs in")
    fleet.doraflow("keys", "rotate", "one", "two", "--keys", str(fleet.folder / "keys"))
    second = fleet.launch(bundle, "one" if earlier == "two" else "two")
    assert (first.wait(180), second.wait(180)) == (0, 0), first.out + first.err + second.out + second.err
    sink = first if earlier == "two" else second
    assert "200 came, in order: True" in sink.out
