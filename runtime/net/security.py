"""How the sockets of a node get their keys: by CURVE, or not at all where the dataflow says `insecure: true`.

Keys are read here and judged in `admission`; sockets are made in `sockets`.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from doraflow_runtime.net.admission import Admission, admit_in_background
from doraflow_runtime.net.curve import KeyRingError, as_client, as_server, read_ring
from doraflow_runtime.node_api import log_lines

if TYPE_CHECKING:
    import zmq
    from doraflow_runtime.contract import NodeConfig
    from doraflow_runtime.keys.ring import KeyRing
    from doraflow_runtime.net.sockets import AnySocket, Secure


def security(config: NodeConfig, context: zmq.Context[Any]) -> Secure:
    """Say how a node secures its sockets. Raises RuntimeError if its keys cannot be used."""
    try:
        secure, ring = secured(config.keys, config.host, is_insecure=config.insecure)
    except KeyRingError as error:
        raise RuntimeError(f"{error.message}; {error.mend}") from None
    if config.listen_far and ring is not None:
        admit_in_background(context, Admission(ring, _tell))
    return secure


def secured(keys: str, host: str, *, is_insecure: bool) -> tuple[Secure, KeyRing | None]:
    """Say how sockets of a host are secured by the keys in a folder, and give these; None where there are none.

    Raises KeyRingError.
    """
    if is_insecure:
        return _leave_open, None
    ring = read_ring(Path(keys), host)

    def secure(socket: AnySocket, peer: str, attempt: int) -> None:
        if not peer:
            as_server(socket, ring)
            return
        try:
            as_client(socket, _fresh(ring) if attempt else ring, peer, attempt)
        except KeyRingError:  # taken from the ring meanwhile: the connection goes on failing, and that is told
            as_client(socket, ring, peer, attempt)

    return secure, ring


def _fresh(ring: KeyRing) -> KeyRing:
    """Read the keys of the peers again, as they were at the start if they cannot be read; the own key stays."""
    try:
        return replace(ring, hosts=read_ring(ring.folder, ring.host).hosts)
    except KeyRingError:
        return ring


def _leave_open(socket: AnySocket, peer: str, attempt: int) -> None:
    del socket, peer, attempt


def _tell(text: str) -> None:
    log_lines.write("warn", text, target="doraflow_runtime")
