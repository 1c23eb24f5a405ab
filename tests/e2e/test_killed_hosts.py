"""A host of several that loses its power, and comes back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.pipeline import NODES, PIPELINE

if TYPE_CHECKING:
    from tests.e2e.fleet import Fleet

COUNT = 2_000
MOST = 40
"""Messages that a relay may hold when it dies: its queue, what it works on, and what waits for the next host."""

ACCOUNT = (
    'print("missing", int(os.environ["COUNT"]) - len(set(seen)), "again", len(seen) - len(set(seen)), flush=True)\n'
)


HOSTS = ("one", "two", "three")


@pytest.mark.parametrize(
    ("options", "count", "seen"),
    [("", COUNT, 1000), ("{{transport: zenoh, insecure: true}}", COUNT // 2, 1)],
    ids=["zeromq", "zenoh"],
)
def test_a_host_that_is_killed_and_started_again_loses_only_what_it_held(
    fleet: Fleet, options: str, count: int, seen: int
) -> None:
    if options:
        pytest.importorskip("zenoh", reason="eclipse-zenoh is not installed")
    flow = (f"communication: {{{{remote: {options}}}}}\n" if options else "") + PIPELINE.replace(
        "    path: sink.py\n", '    path: sink.py\n    env: {{COUNT: "{count}"}}\n'
    )
    nodes = {**NODES, "sink": f"import os\n{NODES['sink']}{ACCOUNT}"}
    bundle = fleet.build(flow.format(count=count, policy="backpressure"), nodes)
    gate = fleet.folder / "gate"
    sink, source, relay = (fleet.launch(bundle, host, GATE=str(gate)) for host in ("three", "one", "two"))
    sink.wait_for(f"got {seen}")
    fleet.network.kill("two")
    gate.touch()
    assert relay.wait() == -9
    relay = fleet.launch(bundle, "two")
    assert [each.wait(180) for each in (sink, source, relay)] == [0, 0, 0], sink.err + source.err + relay.err
    (account,) = (line.partition("missing ")[2].split() for line in sink.out.splitlines() if "missing " in line)
    missing, _, again = account
    assert int(missing) <= MOST
    assert int(again) <= MOST
    assert " 0 wrong, " in sink.out
    assert f"last {count - 1}" in sink.out
