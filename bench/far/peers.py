"""The peers as they are set up on two hosts, with and without encryption.

How they are set up on one host stands in `bench/peers/`, whose scripts and installation these use.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from bench.far.hosts import ADDRESSES, FAR, NEAR, PORT, Hosts, placed
from bench.peers.dora import QUEUE, Dora, pool
from bench.peers.doraflow import Doraflow, dataflow, queue
from bench.peers.peer import NODES, SHARED, Direct, Peer, Workshop
from bench.running import Command

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bench.flow import Flow

CLUSTER = Path(__file__).resolve().parent / "dora_cluster.py"
LINK = f"{ADDRESSES[NEAR]}:{PORT}"


class FarDoraflow(Doraflow):
    """Two launchers of one bundle, with keys."""

    configured = (
        "a built bundle, a launcher on each host, links with CURVE, its default; `queue_policy: backpressure` in "
        "floods, otherwise the defaults of every key; readers take bytes, as those of zmq and zenoh do."
    )
    remote = ""

    def __init__(self, hosts: Hosts) -> None:
        self._hosts = hosts

    def commands(self, flow: Flow, folder: Path) -> list[Command]:
        """Build the bundle and make the keys; each launcher has folders of its own."""
        for name in ("doraflow_node.py", *SHARED):
            shutil.copy(NODES / name, folder)
        hosts = "".join(f"  {host}: {{address: {address}}}\n" for host, address in ADDRESSES.items())
        text = dataflow(flow, "doraflow_node.py", queue(flow), placed(flow))
        (folder / "dataflow.yml").write_text(f"hosts:\n{hosts}{self.remote}{text}")
        bundle = self.build(folder)
        self.run("keys", "make", str(folder / "dataflow.yml"), "--keys", str(folder / "keys"))
        return [self._launcher(host, bundle, folder) for host in (FAR, NEAR)]

    def _launcher(self, host: str, bundle: Path, folder: Path) -> Command:
        own = folder / host
        (own / "tmp").mkdir(parents=True)
        environment = {
            "TMPDIR": str(own / "tmp"),
            "DORAFLOW_RUN_BASE": str(own / "runs"),
            "DORAFLOW_KEYS": str(folder / "keys"),
            "XDG_STATE_HOME": str(own / "state"),
        }
        script = (sys.executable, str(bundle / f"launch_{host}.py"), "--log-dir", str(own / "logs"))
        return self._hosts.inside(host, Command(script, environment))


class PlainDoraflow(FarDoraflow):
    """The same in plain text."""

    name = "doraflow-plain"
    configured = "the same with `communication: {remote: {insecure: true}}`."
    remote = "communication: {remote: {insecure: true}}\n"


class FarDora(Dora):
    """A coordinator, and a daemon on each host."""

    configured = (
        "a coordinator and a daemon on the near host, a daemon on the far one, each naming the other by "
        "`--zenoh-listen` and `--zenoh-connect`, as `dora cluster up` wires them; `dora start --attach`; not "
        "encrypted. In floods `queue_size: 1000` and `drop_oldest` (`backpressure` takes twice as long and more), and "
        "a zenoh overlay that waits seconds instead of one millisecond for a busy network, since its default loses "
        "messages even where a single one may be unread. Pools as on one host."
    )

    def __init__(self, workshop: Workshop, hosts: Hosts) -> None:
        super().__init__(workshop)
        self._hosts = hosts

    def commands(self, flow: Flow, folder: Path) -> list[Command]:
        """Write the dataflow, and leave the rest to a script, since all of it starts in turn."""
        for name in ("dora_node.py", *SHARED):
            shutil.copy(NODES / name, folder)
        queue_of_floods = f"queue_size: {QUEUE}, queue_policy: drop_oldest"
        script = str(folder / "dora_node.py")  # a daemon of another host knows no folder of the dataflow
        (folder / "dataflow.yml").write_text(dataflow(flow, script, queue_of_floods, placed(flow)))
        prefixes = {host: self._hosts.inside(host, Command(())).arguments for host in ADDRESSES}
        told = json.dumps({"program": self.program, "addresses": dict(ADDRESSES), "prefixes": prefixes})
        return [Command((sys.executable, str(CLUSTER), told), {**pool(flow), "BENCH_LINK": LINK})]


class FarDirect(Direct):
    """A process of the node script on each host."""

    def __init__(self, workshop: Workshop, hosts: Hosts) -> None:
        super().__init__(workshop)
        self._hosts = hosts

    def commands(self, flow: Flow, folder: Path) -> list[Command]:
        """Start each node where it is placed, the readers first."""
        places = placed(flow)
        return [
            self._hosts.inside(
                places[command.environment["BENCH_NODE"]],
                Command(command.arguments, {**command.environment, **self.link(), "BENCH_LINK": LINK}),
            )
            for command in super().commands(flow, folder)
        ]

    def link(self) -> Mapping[str, str]:
        """What else a node's environment says of the link."""
        return {}


class FarZmq(FarDirect):
    """PUSH to PULL in plain text."""

    name = "zmq"
    configured = (
        "PUSH to PULL over TCP in plain text; both high-water marks are as long as the queues, so that a full socket "
        "blocks."
    )
    script = "zmq_node.py"
    requirements = ("pyzmq==27.3.0",)


class CurveZmq(FarZmq):
    """The same, encrypted."""

    name = "zmq-curve"
    configured = "the same with CURVE, as doraflow's links have it."

    def link(self) -> Mapping[str, str]:
        """Ask for CURVE."""
        return {"BENCH_CURVE": "1"}


class FarZenoh(FarDirect):
    """One session on each host, peer to peer."""

    name = "zenoh"
    configured = (
        "sessions peer to peer over TCP in plain text; publishers are reliable and block (its default drops), the "
        "subscriber's channel is as long as the queues; express but in floods, which batch. It has no way without a "
        "copy between hosts: what stands under *loaned* was sent like what stands under *copied*."
    )
    script = "zenoh_node.py"
    requirements = ("eclipse-zenoh==1.10.2",)


def peers(hosts: Hosts) -> dict[str, Peer]:
    """Make all peers, by name, in the order of the tables."""
    workshop = Workshop()
    made: list[Peer] = [
        FarDoraflow(hosts),
        PlainDoraflow(hosts),
        FarDora(workshop, hosts),
        CurveZmq(workshop, hosts),
        FarZmq(workshop, hosts),
        FarZenoh(workshop, hosts),
    ]
    return {peer.name: peer for peer in made}
