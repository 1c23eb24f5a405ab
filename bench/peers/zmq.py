"""Plain ZeroMQ: pyzmq over ipc sockets."""

from __future__ import annotations

from bench.peers.peer import Direct


class Zmq(Direct):
    """Sockets of its own between the nodes, no launcher."""

    name = "zmq"
    configured = (
        "PUSH to PULL, XPUB to SUB for several readers (`XPUB_NODROP`), over ipc; both high-water marks are as long as "
        "the queues, so that a full socket blocks."
    )
    script = "zmq_node.py"
    requirements = ("pyzmq==27.3.0",)
