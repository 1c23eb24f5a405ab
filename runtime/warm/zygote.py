"""The warm process: it imports what every Python node needs, then forks a node for each request of the launcher.

It has one thread whenever it forks, handles no signal, and keeps nothing open but the socket to its launcher. What a
forked process does to become a node stands in `newborn`.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import select
import socket
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from doraflow_runtime.codec import prepare
from doraflow_runtime.contract import NodeConfig
from doraflow_runtime.warm import newborn
from doraflow_runtime.warm.ending import WarmModules
from doraflow_runtime.warm.request import DESCRIPTORS, LARGEST_REQUEST, READY, Request, answer, unpack
from doraflow_runtime.warm.shared_code import SharedCode

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import CodeType

MODULES = (
    "pyarrow",
    "doraflow_runtime.node_api.dora",
    "doraflow_runtime.node_api.node",
    "doraflow_runtime.node_api.typed",
    "doraflow_runtime.operators.host",
)
_AT_ONCE = 32


@dataclass(frozen=True, slots=True)
class _Order:
    """A request with its descriptors."""

    request: Request
    descriptors: tuple[int, ...]
    code: CodeType | None = None

    def refuse(self, error: OSError) -> None:
        """Tell the launcher that this node cannot be forked."""
        with contextlib.suppress(BrokenPipeError):
            answer(self.descriptors[-1], 0, error=error.errno or 0)

    def close(self) -> None:
        """Close the descriptors: they are the node's affair now."""
        for descriptor in self.descriptors:
            os.close(descriptor)


def serve(descriptor: int, at_end: list[Callable[[], object]]) -> tuple[Request, CodeType | None]:
    """Fork nodes until the launcher hangs up. Returns in each node, and nowhere else: its request and, maybe, its code.

    `descriptor` is the socket to the launcher, and what is added to `at_end` is called last of all at a node's end. To
    be called by a process that does nothing else.
    """
    shown = newborn.Shown()
    shown.command_line("doraflow: warm start")
    shared = SharedCode()
    with socket.socket(fileno=descriptor) as line:
        trouble = _warm_up(at_end)
        line.send(trouble.encode() or READY)
        while not trouble and (orders := _receive(line, shared)):
            order = _fork(orders)
            if order is not None:
                line.close()
                newborn.become(order.request, order.descriptors, shown)
                return order.request, order.code
    os._exit(0)


def _warm_up(at_end: list[Callable[[], object]]) -> str:
    """Import everything; the reason why this process must not be forked, if there is one."""
    modules = WarmModules(at_end)
    for name in MODULES:
        importlib.import_module(name)
    prepare(NodeConfig)  # what each node reads first
    modules.note()
    if sys.gettrace() is not None or sys.getprofile() is not None:
        return "this Python is being traced"
    # Pools of threads that know of forks (OpenBLAS's) go to rest at the first one, and come back when they are used.
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    threads = len(os.listdir("/proc/self/task"))  # noqa: PTH208 - a count
    if threads > 1:
        return f"something that Python imports at its start runs {threads - 1} threads"
    # What the collector never touches stays shared with every node. To look for what little is garbage in it would take
    # a tenth of the time of all these imports.
    gc.freeze()
    gc.enable()
    return ""


def _receive(line: socket.socket, shared: SharedCode) -> list[_Order]:
    """Wait for a request, and take those that are there too; none once the launcher is gone."""
    taken: list[tuple[Request, tuple[int, ...]]] = []
    while len(taken) < _AT_ONCE and (not taken or select.select([line], [], [], 0)[0]):
        data, descriptors, _, _ = socket.recv_fds(line, LARGEST_REQUEST, DESCRIPTORS)
        if not data:
            break
        taken.append((unpack(data), tuple(descriptors)))
    codes = shared.compile([request for request, _ in taken])
    return [_Order(request, descriptors, codes.get(request.arguments[1])) for request, descriptors in taken]


def _fork(orders: Sequence[_Order]) -> _Order | None:
    """Fork a node for each order; in a node, give its order.

    A process between ends at once, so that the launcher, which adopts orphans, becomes the parent of the nodes: it
    learns how each ends, and they do not depend on this process.
    """
    try:
        between = os.fork()
    except OSError as error:
        for order in orders:
            order.refuse(error)
            order.close()
        return None
    if between:
        for order in orders:
            order.close()
        os.waitpid(between, 0)
        return None
    try:
        return _fork_each(orders)
    except BaseException:  # noqa: BLE001 - a copy of the warm process must never go on as one
        os._exit(1)


def _fork_each(orders: Sequence[_Order]) -> _Order:
    """Fork a node for each order and end; returns in each node, once it is adopted."""
    between = os.getpid()
    for order in orders:
        try:
            child = os.fork()
        except OSError as error:
            order.refuse(error)
            continue
        if child == 0:
            for other in orders:
                if other is not order:
                    other.close()
            newborn.await_adoption(between)
            return order
    os._exit(0)
