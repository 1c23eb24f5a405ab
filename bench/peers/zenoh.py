"""zenoh: sessions peer to peer, with shared memory."""

from __future__ import annotations

from bench.peers.peer import Direct


class Zenoh(Direct):
    """One session in each process, no router, no launcher."""

    name = "zenoh"
    script = "zenoh_node.py"
    requirements = ("eclipse-zenoh==1.10.2",)
