"""What a launch says to nodes whose links go over zenoh: where they listen, and what they connect to.

zenoh itself is not imported here: a launcher has no session, and the processes that it forks are to open their own.
"""

from __future__ import annotations

from dataclasses import replace
from importlib.util import find_spec
from typing import TYPE_CHECKING

from doraflow_runtime.launcher.findings import Finding, LaunchError, cause

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from doraflow_runtime.contract import Fabric, FarNode, HostWiring, NodeWiring
    from doraflow_runtime.launcher.reach import Reach

MODULE = "zenoh"
PACKAGE = "eclipse-zenoh"


def check_fabric(wiring: HostWiring, root: Path) -> None:
    """Make sure that zenoh is installed where the links need it, and that its configuration can be read.

    Raises LaunchError.
    """
    if wiring.fabric is None or not wiring.far:
        return
    if find_spec(MODULE) is None:
        text = f"the links between the hosts of this dataflow go over zenoh, and this Python has no `{PACKAGE}`"
        raise LaunchError(Finding("DF520", text, help=f"install it with `pip install {PACKAGE}`"))
    if wiring.fabric.config:
        path = root / wiring.fabric.config
        try:
            path.read_bytes()
        except OSError as error:
            text = f"the configuration of zenoh, `{path}`, cannot be read: {cause(error)}"
            raise LaunchError(Finding("DF521", text, help="put the file there, on every host")) from error


def node_fabric(
    fabric: Fabric | None, node: NodeWiring, readers: Iterable[FarNode], reach: Reach, root: Path
) -> Fabric | None:
    """Say for a node with what endpoints it takes part; `readers` are the nodes of other hosts that it sends to."""
    if fabric is None:
        return None
    listen = (f"{fabric.protocol}/{reach.own_place(node.port)}",) if node.port else ()
    direct = (f"{fabric.protocol}/{reach.place(far.host, far.port)}" for far in readers if far.port)
    config = str(root / fabric.config) if fabric.config else ""
    return replace(fabric, listen=listen, connect=tuple(dict.fromkeys((*direct, *fabric.connect))), config=config)


def way(fabric: Fabric | None, far: FarNode, reach: Reach) -> str:
    """Name the way to a node of another host, as messages tell of it."""
    if fabric is None:
        return reach.endpoint(far.host, far.port)
    return f"{fabric.protocol}/{reach.place(far.host, far.port)}" if far.port else ", ".join(fabric.connect)
