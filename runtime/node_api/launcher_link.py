"""The node's connection to its launcher: hello, start, stop, and the news of peers that have ended or come again.

One JSON object a line, at most 64 KiB; used under the node's lock.
"""

from __future__ import annotations

import contextlib
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import socket

LONGEST_LINE = 64 * 1024
_OFFSET = re.compile(r"-?[0-9]{1,19}", re.ASCII)
_ALIVE = b'{"type": "alive"}\n'  # short enough that the kernel takes all of it or nothing


@dataclass(frozen=True, slots=True)
class News:
    """A line from the launcher: `start`, `stop`, or news of the node that it names, whose process may be told too.

    `tap` names an output, and the address of one who wants copies of it; `ended` says how the node failed, if it did.
    `gone`, `away`, `life` and `clock` are of nodes on other hosts: one that reads no more, one whose host has been lost
    for long, the run of the host of one, and by how many nanoseconds the clock of one is ahead of ours.
    """

    type: str
    node: str = ""
    process: int = 0
    output: str = ""
    address: str = ""
    error: str = ""
    offset: int = 0
    life: str = ""


class LauncherLink:
    """The connection, from the node's side."""

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)  # noqa: FBT003 - the socket module's own signature
        self._socket = sock
        self._rest = b""
        self.is_open = True

    def fileno(self) -> int:
        """Give the descriptor to wait on."""
        return self._socket.fileno()

    def say(self, **line: object) -> None:
        """Send a line. A launcher that is gone is noticed by `receive`."""
        self._socket.settimeout(5.0)
        try:
            self._socket.sendall(json.dumps(line).encode() + b"\n")
        except OSError:
            self.is_open = False
        finally:
            self._socket.setblocking(False)  # noqa: FBT003

    def show_life(self) -> None:
        """Tell that the node lives, unless the launcher has not read what it was told before."""
        if self.is_open:
            with contextlib.suppress(OSError):
                self._socket.send(_ALIVE)

    def receive(self) -> list[News]:
        """Read the lines that are there; `is_open` turns False when the launcher is gone or talks nonsense."""
        try:
            data = self._socket.recv(LONGEST_LINE)
        except BlockingIOError:
            return []
        except OSError:
            data = b""
        lines = (self._rest + data).split(b"\n")
        self._rest = lines.pop()
        if not data or len(self._rest) > LONGEST_LINE:
            self.is_open = False
        return [news for line in lines if (news := _news(line)) is not None]

    def close(self) -> None:
        """Hang up."""
        self.is_open = False
        self._socket.close()


def _news(line: bytes) -> News | None:
    try:
        said = json.loads(line)
    except ValueError:
        return None
    if not isinstance(said, dict):
        return None
    process = str(said.get("pid", ""))
    number = int(process) if process.isdecimal() else 0
    keys = ("type", "node", "output", "address", "error")
    kind, node, output, address, error = (str(said.get(key, "")) for key in keys)
    offset = str(said.get("offset", ""))
    ahead = int(offset) if _OFFSET.fullmatch(offset) else 0
    return News(kind, node, number, output, address, error, ahead, str(said.get("life", "")))
