"""A node's session in a zenoh network: how it is configured, opened and ended.

A session has threads of its own, so it is opened by the process that uses it, after every fork. What is put and what is
listened to is the affair of others.
"""

from __future__ import annotations

import contextlib
import json
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import zenoh
from doraflow_runtime.node_api import log_lines

if TYPE_CHECKING:
    from collections.abc import Callable

    from doraflow_runtime.contract import Fabric, NodeConfig

    Act = Callable[[zenoh.Session], None]

SILENCE_MS = 3000
"""After which a connection counts as cut; zenoh's own bound is 10 seconds."""

BLOCK_US = 3_000_000
"""After which a connection counts as cut that takes nothing more."""

PATIENCE_US = 100_000
LARGE_PATIENCE_US = 1_000_000
"""How long a copy for other applications waits for its turn before zenoh leaves it out without a word, a small one and
one in pieces. zenoh's own bounds, 1 and 50 ms, are less than a thread may wait for a busy processor."""

CONNECT_MS = 1000
RETRY = {"period_init_ms": 100, "period_max_ms": 1000, "period_increase_factor": 1.5}
CLOSE_SECONDS = 2.0


class Session:
    """A zenoh session, opened at once or, for a client, as soon as a router is reached.

    Raises RuntimeError, saying what to do, if it cannot be configured or cannot listen.
    """

    def __init__(self, config: NodeConfig, fabric: Fabric) -> None:
        self._routers = ", ".join(fabric.connect)
        self._lock = threading.Lock()
        self._later: list[Act] = []
        self._session: zenoh.Session | None = None
        self._has_ended = threading.Event()
        try:
            settings = configuration(fabric, Path(config.source_root))
            if fabric.mode == "peer":
                self._session = zenoh.open(settings)
        except zenoh.ZError as error:
            where = f" with `{fabric.config}`" if fabric.config else ""
            raise RuntimeError(
                f"node `{config.node.id}` cannot join the zenoh network{where}: {cause(error)}; end the program that "
                "uses its port, or mend the configuration"
            ) from None
        if self._session is None:
            # zenoh waits for the router inside of `open`, and a node has other things to do meanwhile.
            threading.Thread(target=self._open, args=(settings,), name="zenoh opener", daemon=True).start()

    def when_open(self, act: Act) -> None:
        """Do something with the session as soon as it is open; it may be done by another thread."""
        with self._lock:
            if self._session is None:
                self._later.append(act)
                return
        act(self._session)

    def close(self) -> None:
        """End the session, and everything that was declared in it.

        zenoh waits for what it has to send to peers that may not be there any more: that is not waited for long.
        """
        self._has_ended.set()
        with self._lock:
            session = self._session
        if session is not None:
            closing = threading.Thread(target=_close, args=(session,), name="zenoh closer", daemon=True)
            closing.start()
            closing.join(CLOSE_SECONDS)

    def _open(self, settings: zenoh.Config) -> None:
        is_told = False
        while not self._has_ended.is_set():
            try:
                session = zenoh.open(settings)
            except zenoh.ZError as error:
                if not is_told:
                    text = f"no zenoh router is reached ({self._routers}), it is tried again: {cause(error)}"
                    log_lines.write("warn", text, target="doraflow_runtime")
                is_told = True
                self._has_ended.wait(RETRY["period_init_ms"] / 1000)
            else:
                self._take_up(session)
                return

    def _take_up(self, session: zenoh.Session) -> None:
        with self._lock:
            self._session = session
            later, self._later = self._later, []
        if self._has_ended.is_set():
            _close(session)
            return
        with contextlib.suppress(zenoh.ZError):  # the node has ended meanwhile
            for act in later:
                act(session)


def configuration(fabric: Fabric, root: Path) -> zenoh.Config:
    """Make the configuration: that of the file, if one is named, and over it what the dataflow says.

    Raises zenoh.ZError.
    """
    settings = zenoh.Config.from_file(root / fabric.config) if fabric.config else zenoh.Config()
    values = {
        "mode": fabric.mode,
        "scouting/multicast/enabled": False,
        "listen/endpoints": fabric.listen,
        "connect/endpoints": fabric.connect,
        "connect/timeout_ms": CONNECT_MS if fabric.mode == "client" else -1,
        "connect/exit_on_failure": False,
        "connect/retry": RETRY,
        "open/return_conditions/connect_scouted": False,
        "transport/shared_memory/enabled": False,  # of no use between hosts, and left over by nodes that are killed
        "transport/link/tx/lease": SILENCE_MS,
        "transport/link/tx/queue/congestion_control/block/wait_before_close": BLOCK_US,
        "transport/link/tx/queue/congestion_control/drop/wait_before_drop": PATIENCE_US,
        "transport/link/tx/queue/congestion_control/drop/max_wait_before_drop_fragments": LARGE_PATIENCE_US,
    }
    for name, value in values.items():
        settings.insert_json5(name, json.dumps(value))
    return settings


def cause(error: zenoh.ZError) -> str:
    """Say what zenoh has against it, without the place in its sources."""
    return str(error).partition(" at /")[0].rstrip(" .")


def _close(session: zenoh.Session) -> None:
    with contextlib.suppress(zenoh.ZError):  # a peer that takes nothing is not waited for
        session.close()  # type: ignore[no-untyped-call]  # zenoh's stubs leave out that it returns nothing
