"""The list of the peers, in the order of the tables."""

from __future__ import annotations

from bench.peers.doraflow import Doraflow
from bench.peers.floor import Floor
from bench.peers.peer import Peer, Workshop
from bench.peers.zmq import Zmq

OURS = Doraflow.name


def peers() -> dict[str, Peer]:
    """Make all peers, by name."""
    workshop = Workshop()
    made: list[Peer] = [Doraflow(), Zmq(workshop), Floor(workshop)]
    return {peer.name: peer for peer in made}
