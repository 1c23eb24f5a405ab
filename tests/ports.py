"""TCP ports that nobody takes between their choice and their use.

A port that the kernel has chosen and that is closed again belongs to whoever connects or listens next: another worker,
or the very process that tries to connect to it. Those here lie where the kernel chooses none, unless it chooses from
all, and the name of a socket keeps other tests of this machine away from them until it is closed, or its process has
ended.
"""

from __future__ import annotations

import contextlib
import os
import random
import socket
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

BLOCK = 20
CHOSEN_BY_THE_KERNEL = Path("/proc/sys/net/ipv4/ip_local_port_range")


@contextlib.contextmanager
def held_ports() -> Iterator[range]:
    """Hold some ports that follow one another."""
    lowest, highest = map(int, CHOSEN_BY_THE_KERNEL.read_text().split())
    blocks = [range(first, first + BLOCK) for first in range(10_000, 60_000, BLOCK)]
    random.Random(os.urandom(8)).shuffle(blocks)  # a test's seed would give all workers the same order
    for block in sorted(blocks, key=lambda block: block[-1] >= lowest and block[0] <= highest):
        with socket.socket(socket.AF_UNIX) as claim:
            if _claims(claim, block):
                yield block
                return
    raise OSError(f"no {BLOCK} ports in a row are free")


def _claims(claim: socket.socket, block: range) -> bool:
    """Take the name that stands for a block, unless another has it or one of the ports is in use."""
    try:
        claim.bind(f"\0doraflow-test-ports-{block[0]}")
        for port in block:
            with socket.create_server(("", port)):
                pass
    except OSError:
        return False
    return True
