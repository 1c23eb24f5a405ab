"""The door to links between hosts: what they need is imported by nodes that have one, and by no other."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from doraflow_runtime.contract import NodeConfig
    from doraflow_runtime.net.fabric.audience import Audience
    from doraflow_runtime.net.network import Network
    from doraflow_runtime.net.outgoing import FarConsumer
    from doraflow_runtime.node_api.outgoing import Consumer
    from doraflow_runtime.node_api.poller import Poller
    from doraflow_runtime.node_api.reception import Reception
    from doraflow_runtime.shm.pool import Pool

    AnyConsumer: TypeAlias = Consumer | FarConsumer | Audience


def open_network(config: NodeConfig, poller: Poller, reception: Reception, pool: Pool) -> Network | None:
    """Open a node's part in links between hosts; None if it has none.

    Raises RuntimeError if it cannot listen, or its transport cannot be had.
    """
    if not config.hosts and not any(link.host for link in config.outgoing):
        return None
    from doraflow_runtime.net.network import Network

    return Network(config, poller, reception, pool)
