"""Commands of doraflow, forked from a process that has imported all they need: run by `tests.commands`.

A command is a process of its own as ever, with its own folder, environment, descriptors, exit code and end of the
interpreter. What it has not is the half second of imports before it.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import pkgutil
import runpy
import select
import signal
import socket
import struct
import sys
import warnings
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SIZE = struct.Struct("!Q")
"""How a request begins: with the number of bytes that follow it."""

USED = ("analysis", "build", "cli", "codegen", "keys", "parser", "policy", "printed", "render")
"""The packages of doraflow that are imported whole."""

LIBRARIES = ("jinja2", "networkx", "rich.console", "rich.table", "typer.rich_utils", "zmq")
"""What those import where it is used, and many commands use."""


def import_all() -> None:
    """Import what commands would; a module that is missing here is imported by each that wants it."""
    for name in USED:
        package = importlib.import_module(f"doraflow.{name}")
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(found.name)
    for name in (*LIBRARIES, "doraflow.pipeline", "doraflow.target_registry"):
        importlib.import_module(name)


def serve(listener: socket.socket) -> None:
    """Fork a process for each command that is asked for; returns in that process, ready to become the command.

    Ends with the process that holds the other end of standard input.
    """
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        if 0 in select.select([listener, 0], [], [])[0]:
            sys.exit()
        asked, _ = listener.accept()
        if os.fork():
            asked.close()
            continue
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        listener.close()
        if _has_become_the_command(asked):
            return


def _has_become_the_command(asked: socket.socket) -> bool:
    """Fork the command; the process that is left waits for it and tells how it ended."""
    size, descriptors, _, _ = socket.recv_fds(asked, SIZE.size, 3)
    with asked.makefile("rb") as told:  # what comes with descriptors is cut off at some size, so it is the size alone
        request = told.read(*SIZE.unpack(size))
    process = os.fork()
    if not process:
        asked.close()
        _dress(json.loads(request), descriptors)
        return True
    for descriptor in descriptors:
        os.close(descriptor)
    with suppress(OSError):  # whoever asked has waited long enough
        asked.sendall(b"%d\n" % process)
        _, status = os.waitpid(process, 0)
        asked.sendall(b"%d\n" % os.waitstatus_to_exitcode(status))
    os._exit(0)


def _dress(request: dict[str, object], descriptors: list[int]) -> None:
    """Take on what the command is to have: its descriptors, folder, environment and words."""
    for number, descriptor in enumerate(descriptors):
        os.dup2(descriptor, number)
        os.close(descriptor)
    environment, words = request["env"], request["arguments"]
    assert isinstance(environment, dict)
    assert isinstance(words, list)
    os.chdir(str(request["cwd"]))
    os.environ.clear()
    os.environ.update(environment)
    sys.path[0] = str(request["cwd"])  # as `python -m` has it
    sys.argv[:] = ["doraflow", *words]


if __name__ == "__main__":
    sys.path[0] = str(ROOT)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the test that imports a module for its own sake hears its warnings
        import_all()
    gc.freeze()  # or else each command looks through all of it when it ends
    with socket.socket(fileno=int(sys.argv[1])) as main_listener:
        serve(main_listener)
    runpy.run_module("doraflow", run_name="__main__", alter_sys=True)
