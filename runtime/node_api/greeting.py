"""The first words to a reader on the same host: who sends, with the descriptor of its memory.

Who is greeted, and what becomes of those who cannot be, is not known here.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from doraflow_runtime.shm import wire

if TYPE_CHECKING:
    from collections.abc import Callable

    from doraflow_runtime.shm.connection import Connection

CONNECT_SECONDS = 5.0
CROWDED_SECONDS = 0.005


def greet(connection: Connection, node_id: str, memory: int, meanwhile: Callable[[], None]) -> bool:
    """Say hello; False if the system has no room for one more descriptor on its way, after waiting for it.

    `meanwhile` is called while it waits: others may wait for this node to take in what they have sent.
    """
    deadline = time.monotonic() + CONNECT_SECONDS
    while not connection.greet(wire.hello(node_id), memory):
        if time.monotonic() > deadline:
            return False
        meanwhile()
        time.sleep(CROWDED_SECONDS)
    return True
