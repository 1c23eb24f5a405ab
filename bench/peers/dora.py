"""dora-rs: `dora run` of the same dataflow, with memory pools large enough for its zero-copy sends."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from bench.peers.doraflow import dataflow
from bench.peers.peer import NODES, SHARED, Workshop
from bench.running import Command

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from bench.flow import Flow

REQUIREMENTS = ("dora-rs==1.1.0", "dora-rs-cli==1.1.0")
POOL = 8 << 20  # bytes, its default; what does not fit goes through the daemon
LARGE_POOL = 128 << 20  # at least, where the default is too small: every node touches its whole pool
SPARE = 8  # payloads that a pool holds at least
QUEUE = 1000  # more than its sender may have under way
DIRECT = 100_000
"""Bytes from which floods go by `drop_oldest` and little credit: `backpressure` sends them through the daemon, which
takes ten times as long. Smaller floods lose messages that way."""


class Dora:
    """The wheels from PyPI."""

    name = "dora"
    configured = (
        "`dora run`; Arrow arrays, and raw samples as the loaned way; raw framing and zero-copy sends from 4 KB on, "
        "its defaults (to say so, or to send everything so, changes nothing that can be measured), with a pool of 8 "
        "payloads and at least 128 MiB where its 8 MiB are too few; in floods `queue_size: 1000`, and `backpressure` "
        "below 100 KB."
    )

    def __init__(self, workshop: Workshop) -> None:
        self._workshop = workshop

    def prepare(self) -> str:
        """Install the node API, the command line, and doraflow's version of pyarrow."""
        self._workshop.install(*REQUIREMENTS, self._workshop.same("pyarrow"))
        return "dora-rs 1.1.0, dora-rs-cli 1.1.0"

    def refuses(self, kind: str) -> str | None:
        """Take part in everything."""
        del kind
        return None

    def commands(self, flow: Flow, folder: Path) -> list[Command]:
        """Write the dataflow."""
        for name in ("dora_node.py", *SHARED):
            shutil.copy(NODES / name, folder)
        policy = "drop_oldest" if int(flow.settings["size"]) >= DIRECT else "backpressure"
        queue = f"queue_size: {QUEUE}, queue_policy: {policy}"
        (folder / "dataflow.yml").write_text(dataflow(flow, "dora_node.py", queue))
        return [Command((self.program, "run", "dataflow.yml"), pool(flow))]

    @property
    def program(self) -> str:
        """The command line's program."""
        return str(self._workshop.folder / "bin" / "dora")

    def environment(self) -> Mapping[str, str]:
        """Let `python` be that of the virtual environment."""
        path = f"{self._workshop.folder / 'bin'}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
        return {"PATH": path, "VIRTUAL_ENV": str(self._workshop.folder)}


def pool(flow: Flow) -> dict[str, str]:
    """Make the pools of nodes large enough for a flow."""
    needed = int(flow.settings["size"]) * SPARE
    return {"DORA_NODE_SHM_POOL_SIZE": str(max(LARGE_POOL, needed))} if needed > POOL else {}
