"""The keys of the host that a launcher runs on: found and read before anything starts, so that none lacks later.

Keys are read again by every process that uses them; here nothing of them is kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from doraflow_runtime.keys.folder import KeyRingError, ring_folder
from doraflow_runtime.keys.ring import read_ring
from doraflow_runtime.launcher.findings import Finding, LaunchError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from doraflow_runtime.contract import HostWiring


def find_keys(wiring: HostWiring, given: Path | None, environment: Mapping[str, str]) -> str:
    """Find the folder of keys; empty if there is no other host, or the links to others are to be insecure.

    Raises LaunchError if there are no keys, or not all that the links need.
    """
    if wiring.insecure or not wiring.peers:
        return ""
    folder = ring_folder(wiring.dataflow, environment, given)
    try:
        ring = read_ring(folder, wiring.host)
        for peer in wiring.peers:
            ring.keys_of(peer.host)
    except KeyRingError as error:
        raise LaunchError(Finding("DF852", error.message, help=error.mend)) from None
    return str(folder)
