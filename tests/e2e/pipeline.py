"""A pipeline over three hosts: numbered, checksummed messages of mixed sizes, and what its end says of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.e2e.fleet import Started

SOURCE = """
import os, random, time, zlib
from dora import Node
count = int(os.environ["COUNT"])
gate = os.environ.get("GATE")
sizes = [8, 100, 4000, 5000, 70_000, 1_000_000]
chance = random.Random(7)
with Node() as node:
    for number in range(count):
        while gate and number == count * 3 // 4 and not os.path.exists(gate):
            time.sleep(0.02)
        size = chance.choices(sizes, [50, 20, 20, 20, 6, 1])[0]
        data = chance.randbytes(8) * (size // 8)
        node.send_output("data", data, {"number": number, "sum": zlib.crc32(data)})
print("all sent", flush=True)
"""

RELAY = """
from dora import Node
with Node() as node:
    for event in node:
        if event["type"] == "INPUT":
            node.send_output("data", event["value"], {key: event["metadata"][key] for key in ("number", "sum")})
"""

SINK = """
import zlib
from dora import Node
seen, wrong = [], 0
with Node() as node:
    for event in node:
        if event["type"] == "INPUT":
            wrong += zlib.crc32(event["value"].buffers()[1]) != event["metadata"]["sum"]
            seen.append(event["metadata"]["number"])
            if len(seen) == 1 or len(seen) % 1000 == 0:
                print("got", len(seen), flush=True)
        elif event["type"] != "STOP":
            print(event["type"], event.get("id"), flush=True)
print(f"{len(seen)} came, {wrong} wrong, in order: {seen == sorted(set(seen))}, last {seen[-1]}", flush=True)
"""

PIPELINE = """\
nodes:
  - {{id: source, path: source.py, outputs: [data], env: {{COUNT: "{count}"}}, deploy: {{machine: one}}}}
  - id: relay
    path: relay.py
    inputs: {{data: {{source: source/data, queue_policy: {policy}, queue_size: 8}}}}
    outputs: [data]
    deploy: {{machine: two}}
  - id: sink
    path: sink.py
    inputs: {{data: {{source: relay/data, queue_policy: {policy}, queue_size: 8}}}}
    deploy: {{machine: three}}
"""

NODES = {"source": SOURCE, "relay": RELAY, "sink": SINK}

WHOLE = "{count} came, 0 wrong, in order: True, last {last}"


def all_well(launches: list[Started], count: int, patience: float = 180) -> None:
    """Wait for launchers of which the first has the sink, and see that everything came."""
    codes = [each.wait(patience) for each in launches]
    assert codes == [0] * len(codes), "\n".join(each.out + each.err for each in launches)
    assert WHOLE.format(count=count, last=count - 1) in launches[0].out
