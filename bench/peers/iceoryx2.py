"""iceoryx2: services in shared memory."""

from __future__ import annotations

from bench.peers.peer import Direct


class Iceoryx2(Direct):
    """Publishers and subscribers with events to wake the readers, no launcher."""

    name = "iceoryx2"
    script = "iceoryx2_node.py"
    requirements = ("iceoryx2==0.10.0",)
