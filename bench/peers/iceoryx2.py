"""iceoryx2: services in shared memory."""

from __future__ import annotations

from bench.peers.peer import Direct


class Iceoryx2(Direct):
    """Publishers and subscribers with events to wake the readers, no launcher."""

    name = "iceoryx2"
    configured = (
        "a publisher and subscribers without safe overflow, `RetryUntilDelivered`; an event service wakes the reader, "
        "which sleeps in `blocking_wait` and never polls; the copied way is a copy into a loan, as its API does it."
    )
    script = "iceoryx2_node.py"
    requirements = ("iceoryx2==0.10.0",)
