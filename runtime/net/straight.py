"""ZeroMQ's sockets for the compiled core, which then sends and receives packs on them without Python.

Only finds them; a socket is made, set up and closed by those who own it.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import zmq
from doraflow_runtime.compiled import is_compiled

if TYPE_CHECKING:
    import doraflow_core
    from doraflow_runtime.net.sockets import AnySocket


def straight(socket: AnySocket, monitor: int = -1) -> doraflow_core.ZeroMqSocket | None:
    """Give a socket to the core; None without one, or if pyzmq was built without a library that others can call.

    `monitor` is the descriptor of its monitor: by that the core knows that there is nothing to hear.
    """
    if not is_compiled():
        return None
    import doraflow_core

    library = getattr(sys.modules[zmq.backend.Socket.__module__], "__file__", "")
    try:
        return doraflow_core.ZeroMqSocket(library, socket.underlying, monitor)
    except OSError:
        return None  # every pack then takes the way of all other messages
