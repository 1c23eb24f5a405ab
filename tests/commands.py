"""`doraflow` as a user calls it, without the half second that Python takes to import it: see `tests.command_server`.

What is about the start itself (imports, encodings of the standard streams, variables that Python reads) calls
`python -m doraflow` by itself.
"""

from __future__ import annotations

import atexit
import functools
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tests.command_server import SIZE

if TYPE_CHECKING:
    from collections.abc import Mapping

SERVER = Path(__file__).with_name("command_server.py")
READ_BY_PYTHON = ("PYTHON", "LC_", "LANG", "FORCE_COLOR")
"""Beginnings of variables that matter before doraflow's first line."""


def doraflow(
    *arguments: str, cwd: Path | None = None, env: Mapping[str, str] | None = None, timeout: float = 120.0
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, with nothing to read. Raises subprocess.TimeoutExpired."""
    environment = dict(os.environ if env is None else env)
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err, socket.socket(socket.AF_UNIX) as asking:
        asking.settimeout(timeout)
        asking.connect(_server(_for_python(environment)))
        request = {"arguments": arguments, "cwd": str(cwd or Path.cwd()), "env": environment}
        with Path(os.devnull).open("rb") as nothing:
            descriptors = [nothing.fileno(), out.fileno(), err.fileno()]
            content = json.dumps(request).encode()
            socket.send_fds(asking, [SIZE.pack(len(content))], descriptors)
            asking.sendall(content)
        with asking.makefile("r") as told:
            process = int(told.readline())
            try:
                code = int(told.readline())
            except TimeoutError:
                os.kill(process, signal.SIGKILL)
                raise subprocess.TimeoutExpired(list(arguments), timeout) from None
        out.seek(0)
        err.seek(0)
        return subprocess.CompletedProcess(list(arguments), code, _text(out.read()), _text(err.read()))


def _text(said: bytes) -> str:
    return said.decode().replace("\r\n", "\n")


def _for_python(environment: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((name, value) for name, value in environment.items() if name.startswith(READ_BY_PYTHON)))


@functools.cache
def _server(read_by_python: tuple[tuple[str, str], ...]) -> bytes:
    """Start a server for commands with these variables; the address, abstract, at which it listens until the end."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("")  # Linux chooses a name that stands in no folder
        listener.listen(64)
        others = {name: value for name, value in os.environ.items() if not name.startswith(READ_BY_PYTHON)}
        process = subprocess.Popen(
            [sys.executable, str(SERVER), str(listener.fileno())],
            env={**others, **dict(read_by_python)},
            stdin=subprocess.PIPE,
            pass_fds=[listener.fileno()],
        )
        atexit.register(_end, process)
        return bytes(listener.getsockname())


def _end(process: subprocess.Popen[bytes]) -> None:
    process.communicate()
