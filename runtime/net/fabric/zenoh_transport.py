"""zenoh as the transport between hosts: a session for each node, and keys for what two nodes tell each other.

This module imports eclipse-zenoh, so it is imported by nodes whose links go over it, and by no other.
"""

from __future__ import annotations

import secrets
import time
from typing import TYPE_CHECKING

from doraflow_runtime.net.fabric.audience import Audience
from doraflow_runtime.net.fabric.desk import ZenohDesk
from doraflow_runtime.net.fabric.line import NAME_BYTES, ZenohLine
from doraflow_runtime.net.fabric.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from doraflow_runtime.contract import Fabric, NodeConfig, OutgoingLink
    from doraflow_runtime.net.fabric.writer import Writer

LINGER_SECONDS = 1.0


class Zenoh:
    """A node's session. Raises RuntimeError, saying what to do, if it cannot be configured or cannot listen."""

    def __init__(self, config: NodeConfig, fabric: Fabric, ring: Callable[[], None]) -> None:
        self._config = config
        self._ring = ring
        self._name = secrets.token_bytes(NAME_BYTES)
        self._session = Session(config, fabric)
        self._writers: list[Writer] = []
        self._lines: dict[str, ZenohLine] = {}
        self._lives: dict[str, str] = {}

    def line(self, links: Sequence[OutgoingLink]) -> ZenohLine:
        """Connect to the reader at the end of `links`."""
        ends = self._config.dataflow, self._config.node.id, links[0].link.consumer
        made = ZenohLine(self._session, ends, self._name, self._ring)
        self._writers.append(made.writer)
        self._lines[links[0].link.consumer] = made
        self._aim(links[0].link.consumer)
        return made

    def note_life(self, reader: str, life: str) -> None:
        """Learn which run of its host a reader belongs to: the keys of its links carry that."""
        self._lives[reader] = life
        self._aim(reader)

    def desk(self) -> ZenohDesk:
        """Listen for senders."""
        config = self._config
        ends = config.dataflow, config.run_id, tuple(config.hosts), config.node.id
        made = ZenohDesk(self._session, ends, self._name, self._ring)
        self._writers += made.writers.values()
        return made

    def audience(self) -> Audience | None:
        """Let others listen to the outputs that are read on other hosts; None if there are none."""
        config = self._config
        outputs = [link.link.output for link in config.outgoing if link.host]
        if not outputs:
            return None
        made = Audience(self._session, config.dataflow, config.node.id, outputs)
        self._writers += made.writers
        return made

    def close(self) -> None:
        """End the session; what waits is still put, for a moment."""
        deadline = time.monotonic() + LINGER_SECONDS
        for writer in self._writers:
            writer.join(deadline - time.monotonic())
        self._session.close()

    def _aim(self, reader: str) -> None:
        if reader in self._lines and reader in self._lives:
            self._lines[reader].aim(self._lives[reader])
