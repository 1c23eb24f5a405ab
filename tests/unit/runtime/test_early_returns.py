"""A slot that is let go of while a node is about to sleep: it goes back at once, and not with the next news."""

from __future__ import annotations

import importlib
import os
import select
import socket
import threading
import time
from types import SimpleNamespace
from typing import Any

import pytest
from doraflow_runtime.compiled import is_compiled

if not is_compiled():
    pytest.skip("the compiled core is not built, or switched off", allow_module_level=True)

WAIT = 20.0


def ignore(*_: object) -> None:
    """Do nothing, whatever the core has to tell."""


def test_what_is_let_go_of_before_the_sleep_rings() -> None:
    core: Any = importlib.import_module("doraflow_core")
    ours, theirs = socket.socketpair()

    class Connection(core.Line):  # type: ignore[misc]
        """Our end, as the core asks for it."""

        def fileno(self) -> int:
            """Give its descriptor."""
            return ours.fileno()

    with select.epoll() as epoll, ours, theirs:
        gate = core.Gate(epoll.fileno(), 0)
        epoll.register(gate.fileno(), select.EPOLLIN)
        wiring = SimpleNamespace(id="in", queue_size=4, queue_policy="backpressure", interval_ns=0)
        queues = core.Queues((wiring,), ignore)
        ours.setblocking(False)
        memory = os.memfd_create("memory", os.MFD_CLOEXEC)
        os.ftruncate(memory, 1 << 20)
        links = ((1, "in", True, True, 1),)
        source = core.Source(gate, queues, Connection(ours), memory, links, ignore, tuple, ValueError)
        theirs.recv(4096)  # the offer of a ring
        signs: list[int] = []

        def sign() -> None:
            """Show a sign of life for the second time: the node is about to sleep, and an array dies meanwhile."""
            signs.append(1)
            if len(signs) == 2:
                source.append((1, 2, 3))
                gate.sign_due_ns = 2**62

        gate.attach(core.Lock(), queues, 200_000, ignore, ignore, ignore, ignore, sign)
        gate.is_running = True
        gate.sign_due_ns = 0
        given_back: list[float] = []

        def listen() -> None:
            theirs.settimeout(WAIT * 2)
            theirs.recv(100)
            given_back.append(time.monotonic())
            gate.is_running = False
            gate.ring()

        thread = threading.Thread(target=listen)
        thread.start()
        began = time.monotonic()
        gate.next(WAIT)
        thread.join()
        assert len(signs) == 2
        assert given_back[0] - began < WAIT / 2
