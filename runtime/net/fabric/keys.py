"""Names in a zenoh network: the keys of outputs, which are dora's, and those of the links between two nodes.

docs/wire-format.md specifies them. Nothing here knows of a session.
"""

from __future__ import annotations

import re

NETWORK = "default"
"""dora's name for the network; it has no other."""

_RESERVED = re.compile(r"[%*$?#@/]")


def output_key(dataflow: str, node: str, output: str) -> str:
    """Name the key of an output. Where dora puts the id of a run stands the dataflow's name, which stays the same.

    >>> output_key("vision", "camera", "image")
    'dora/default/vision/output/camera/image'
    """
    return f"{_base(dataflow)}/output/{node}/{output}"


def frames_key(dataflow: str, life: str, producer: str, consumer: str) -> str:
    """Name the key of what a sender tells a reader; `*` for every sender.

    `life` is the run of the reader's host, which no other run has: another one of a dataflow of this name may share the
    network. A part that begins with `@` is matched by no wildcard, so who listens to all of a dataflow hears outputs
    alone.
    """
    return f"{_base(dataflow)}/@link/{life}/{producer}/{consumer}/frames"


def answers_key(dataflow: str, life: str, producer: str, consumer: str) -> str:
    """Name the key of what a reader tells a sender."""
    return f"{_base(dataflow)}/@link/{life}/{producer}/{consumer}/answers"


def producer_of(key: str) -> str:
    """Read the sender from a key of frames.

    >>> producer_of(frames_key("vision", "1b4e28ba", "camera", "detector"))
    'camera'
    """
    return key.split("/")[-3]


def reader_key(dataflow: str, life: str, consumer: str, process: str) -> str:
    """Name the token that stands as long as a process of a reader can be reached; `*` for any process."""
    return f"{_base(dataflow)}/@reader/{life}/{consumer}/{process}"


def process_of(key: str) -> str:
    """Read the process from the key of a token."""
    return key.rpartition("/")[2]


def _base(dataflow: str) -> str:
    return f"dora/{NETWORK}/{_one_part(dataflow)}"


def _one_part(name: str) -> str:
    """Write a name as one part of a key: what means something there is written as in a URL.

    >>> _one_part("lab/front*")
    'lab%2Ffront%2A'
    """
    return _RESERVED.sub(lambda found: f"%{ord(found[0]):02X}", name)
