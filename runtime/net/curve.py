"""CURVE (RFC 26 of ZeroMQ) on sockets between hosts: each end proves its key before a message passes.

Who is let in by a server is decided in `doraflow_runtime.net.admission`; without that a server lets nobody in. Sockets
are made and connected elsewhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import zmq
from doraflow_runtime.keys.folder import KeyRingError
from doraflow_runtime.keys.ring import KeyRing, read_ring

if TYPE_CHECKING:
    from typing import Any

__all__ = ["DOMAIN", "KeyRing", "KeyRingError", "as_client", "as_server", "check_support", "read_ring"]

DOMAIN = b"doraflow"


def check_support() -> None:
    """Make sure that the installed libzmq can encrypt.

    Raises KeyRingError.
    """
    if not zmq.has("curve"):
        raise KeyRingError(
            "the pyzmq of this host was built without CURVE, and links between hosts need it",
            "install pyzmq from its wheel: `pip install --force-reinstall --only-binary :all: pyzmq`",
        )


def as_server(socket: zmq.Socket[Any], ring: KeyRing) -> None:
    """Let a socket take connections of hosts whose keys are known; to be called before it binds.

    Nobody is let in while its context has no handler of `doraflow_runtime.net.admission`. The name of the host at the
    other end is then the property `User-Id` of every message.
    """
    check_support()
    # With a domain that is enforced, libzmq refuses everyone where no handler answers, instead of letting everyone in.
    socket.zap_domain = DOMAIN
    socket.setsockopt(zmq.ZAP_ENFORCE_DOMAIN, 1)
    socket.curve_secretkey = ring.secret.encode()
    socket.curve_server = True


def as_client(socket: zmq.Socket[Any], ring: KeyRing, peer: str, attempt: int = 0) -> None:
    """Let a socket connect to host `peer` and to nobody who only passes for it; to be called before it connects.

    A host whose key was rotated has two keys, and only it knows which one it runs with: `attempt` counts the
    connections that failed, and takes the keys in turn, the newer first. Raises KeyRingError if `peer` has no key.
    """
    check_support()
    keys = ring.keys_of(peer)
    secret = ring.secret.encode()
    socket.curve_secretkey = secret
    socket.curve_publickey = zmq.curve_public(secret)
    socket.curve_serverkey = keys[attempt % len(keys)].encode()
