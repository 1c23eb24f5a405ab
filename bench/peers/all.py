"""The list of the peers, in the order of the tables."""

from __future__ import annotations

from bench.peers.dora import Dora
from bench.peers.doraflow import Doraflow, DoraflowArrow
from bench.peers.floor import Floor
from bench.peers.iceoryx2 import Iceoryx2
from bench.peers.peer import Peer, Workshop
from bench.peers.zenoh import Zenoh
from bench.peers.zmq import Zmq

OURS = Doraflow.name


def peers() -> dict[str, Peer]:
    """Make all peers, by name."""
    workshop = Workshop()
    made: list[Peer] = [
        Doraflow(),
        DoraflowArrow(),
        Dora(workshop),
        Zenoh(workshop),
        Iceoryx2(workshop),
        Zmq(workshop),
        Floor(workshop),
    ]
    return {peer.name: peer for peer in made}
