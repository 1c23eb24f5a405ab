"""A cable that delays, loses and reorders what a host sends: a process between two TAP devices, frame by frame.

Stands where the kernel's netem would, which many kernels lack. Run as a program in the namespace of the bridge with the
names of the two devices to make, the bridge's first, then those of the fields below; it ends with its standard input.
"""

from __future__ import annotations

import contextlib
import fcntl
import heapq
import os
import random
import selectors
import struct
import sys
import time
from dataclasses import dataclass

_TUNSETIFF = 0x400454CA
_TAP_WITHOUT_HEADER = 0x0002 | 0x1000
_LARGEST_FRAME = 65_536


@dataclass(frozen=True, slots=True)
class Disturbance:
    """What happens to a frame that a host sends: `delay` in seconds, more or less by up to `jitter`.

    `loss` is the share of frames that never arrive, `reorder` that of frames that overtake those which wait.
    """

    delay: float = 0.0
    jitter: float = 0.0
    loss: float = 0.0
    reorder: float = 0.0

    def arguments(self) -> list[str]:
        """Say it on a command line."""
        return [repr(each) for each in (self.delay, self.jitter, self.loss, self.reorder)]


class Cable:
    """Frames under way from the host to the bridge; what comes back passes at once."""

    def __init__(self, bridge: int, host: int, disturbance: Disturbance) -> None:
        self._bridge = bridge
        self._host = host
        self._disturbance = disturbance
        self._chance = random.Random(7)
        self._under_way: list[tuple[float, int, bytes]] = []
        self._count = 0

    def patience(self) -> float | None:
        """Say for how many seconds nothing is due."""
        return max(0.0, self._under_way[0][0] - time.monotonic()) if self._under_way else None

    def deliver(self) -> None:
        """Pass on what is due."""
        while self._under_way and self._under_way[0][0] <= time.monotonic():
            _write(self._bridge, heapq.heappop(self._under_way)[2])

    def read(self, device: int) -> None:
        """Take a frame from one end."""
        frame = os.read(device, _LARGEST_FRAME)
        if device == self._bridge:
            _write(self._host, frame)
            return
        rules, chance = self._disturbance, self._chance
        if chance.random() < rules.loss:
            return
        wait = 0.0 if chance.random() < rules.reorder else rules.delay + chance.uniform(-rules.jitter, rules.jitter)
        self._count += 1
        heapq.heappush(self._under_way, (time.monotonic() + wait, self._count, frame))


def _write(device: int, frame: bytes) -> None:
    with contextlib.suppress(OSError):  # the other end is down or full: a cable drops the frame, and so does this one
        os.write(device, frame)


def _open(name: str) -> int:
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_CLOEXEC)
    fcntl.ioctl(device, _TUNSETIFF, struct.pack("16sH22x", name.encode(), _TAP_WITHOUT_HEADER))
    return device


def main(bridge: str, host: str, *rules: str) -> None:
    ends = [_open(bridge), _open(host)]
    cable = Cable(ends[0], ends[1], Disturbance(*map(float, rules)))
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    with selectors.DefaultSelector() as selector:
        for each in (*ends, sys.stdin.fileno()):
            selector.register(each, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select(cable.patience()):
                if key.fd == sys.stdin.fileno():
                    return
                cable.read(key.fd)
            cable.deliver()


if __name__ == "__main__":
    main(*sys.argv[1:])
