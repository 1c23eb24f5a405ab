"""What the launcher and the warm process say to each other, over a pair of sockets that nobody else has.

The launcher sends one datagram a node, with three descriptors; each node answers through its own. The standard library
alone is needed here.
"""

from __future__ import annotations

import errno
import json
import os
import struct
from dataclasses import dataclass, field

from doraflow_runtime.codec import from_json, to_json

READY = b"ready"
LARGEST_REQUEST = 128 * 1024
"""Bytes of a request. A node with longer arguments is exec'ed; the kernel takes a datagram of this size at once."""

DESCRIPTORS = 3
_ANSWER = struct.Struct("<ii")


@dataclass(frozen=True, slots=True)
class Request:
    """A node to fork.

    `arguments` is the command line that its own interpreter would have been given, `environment` what the node has
    beyond the warm process, and `launcher` the process that becomes its parent. The descriptors that go with it are
    standard output, standard error and the pipe for the answer.
    """

    arguments: tuple[str, ...]
    folder: str
    launcher: int
    environment: dict[str, str] = field(default_factory=dict)

    def pack(self) -> bytes:
        """Write the request. Raises OSError if it is too large."""
        data = json.dumps(to_json(self)).encode()
        if len(data) > LARGEST_REQUEST:
            raise OSError(errno.EMSGSIZE, os.strerror(errno.EMSGSIZE))
        return data


def unpack(data: bytes) -> Request:
    """Read a request. Raises ValueError."""
    return from_json(Request, json.loads(data))


def answer(descriptor: int, number: int, *, error: int = 0) -> None:
    """Tell the launcher the number of the process, or the errno of what went wrong. Raises OSError."""
    os.write(descriptor, _ANSWER.pack(error, number))


def read_answer(data: bytes) -> int | None:
    """Give the number of the process; None if there is none to be awaited. Raises OSError for what went wrong."""
    if len(data) != _ANSWER.size:
        return None
    error, number = _ANSWER.unpack(data)
    if error:
        raise OSError(error, os.strerror(error))
    return int(number)
