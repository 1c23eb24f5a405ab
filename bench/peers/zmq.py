"""Plain ZeroMQ: pyzmq over ipc sockets."""

from __future__ import annotations

from bench.peers.peer import Direct


class Zmq(Direct):
    """Sockets of its own between the nodes, no launcher."""

    name = "zmq"
    script = "zmq_node.py"
    requirements = ("pyzmq==27.3.0",)
