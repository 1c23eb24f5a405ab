"""A man in the middle of a link between hosts, who records it and says what he heard again."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.e2e import relay as relay_program

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.e2e.fleet import Fleet
    from tests.e2e.network import Network

SOURCE = """
import time, os, zlib
from pathlib import Path
from dora import Node
number = 0
with Node() as node:
    while not Path(os.environ["ENOUGH"]).exists():
        data = bytes([number % 256]) * 100
        node.send_output("data", data, {"number": number, "sum": zlib.crc32(data)})
        number += 1
        time.sleep(0.01)
print("sent", number, flush=True)
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
            if len(seen) % 50 == 0:
                print("got", len(seen), flush=True)
        elif event["type"] != "STOP":
            print(event["type"], event.get("id"), flush=True)
print(f"{len(seen)} came, {wrong} wrong, each once and in order: {seen == list(range(len(seen)))}", flush=True)
"""

FLOW = """\
nodes:
  - {{id: source, path: source.py, outputs: [data], env: {{ENOUGH: "{enough}"}}, deploy: {{machine: one}}}}
  - id: sink
    path: sink.py
    inputs: {{data: {{source: source/data, queue_policy: backpressure}}}}
    deploy: {{machine: two}}
"""

LAUNCHERS, PORT = "29400", "29401"


HOSTS = ("one", "two", "middle")


@dataclass
class Relay:
    """The program in the middle."""

    process: subprocess.Popen[str]

    def order(self, text: str) -> str:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{text}\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()


@contextlib.contextmanager
def relay_on(network: Network, host: str, target: str) -> Iterator[Relay]:
    """Listen on a host, and pass on to another."""
    command = network.command(host, sys.executable, relay_program.__file__, network.address(target), PORT, LAUNCHERS)
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield Relay(process)
        process.communicate(timeout=30)  # it ends with its input


def test_recorded_traffic_reaches_nobody_when_it_is_said_again(fleet: Fleet, tmp_path: Path) -> None:
    enough = tmp_path / "enough"
    bundle = fleet.build(FLOW.format(enough=enough), {"source": SOURCE, "sink": SINK})
    reader = fleet.launch(bundle, "two")
    with relay_on(fleet.network, "middle", "two") as relay:
        sender = fleet.launch(bundle, "one", "--address", f"two={fleet.network.address('middle')}")
        reader.wait_for("got 50")
        assert relay.order("replay").endswith("and was hung up on")
        reader.wait_for("hung up on a connection: what it said was recorded earlier")
        assert relay.order("inject").startswith("injected ")
        sender.wait_for("the link to `sink` on `two` (tcp://10.99.0.3:29401) is cut; it is taken up again")
        sender.wait_for("the link to `sink` on `two` is there again")
        enough.touch()
        assert [sender.wait(), reader.wait()] == [0, 0], sender.err + reader.err
    (sent,) = (line.split()[-1] for line in sender.out.splitlines() if " sent " in line)
    assert f"{sent} came, 0 wrong, each once and in order: True" in reader.out
