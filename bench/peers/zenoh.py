"""zenoh: sessions peer to peer, with shared memory."""

from __future__ import annotations

from bench.peers.peer import Direct


class Zenoh(Direct):
    """One session in each process, no router, no launcher."""

    name = "zenoh"
    configured = (
        "sessions peer to peer over a Unix socket; publishers are reliable and block (its default drops), the "
        "subscriber's channel is as long as the queues; express but in floods, which batch; shared memory is on, and "
        "used for copied payloads from 3 KB, its default, in floods from 100 KB: below, the socket is faster, and it "
        "loses nothing when a reader sleeps for 100 ms (eclipse-zenoh/zenoh#2628)."
    )
    script = "zenoh_node.py"
    requirements = ("eclipse-zenoh==1.10.2",)
