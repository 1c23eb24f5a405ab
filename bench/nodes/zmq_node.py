"""A node of plain ZeroMQ: PUSH to PULL, or XPUB to SUB, over ipc; sends without a copy as its zero-copy way.

Between two hosts it is PUSH to PULL over TCP, with CURVE if BENCH_CURVE says so.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

import zmq
from roles import play

if TYPE_CHECKING:
    from collections.abc import Callable

    from seat import Seat

COPIED = 65536  # bytes up to which pyzmq copies whatever it is told, since that is faster
SPARE = 2  # buffers more than may be under way


class ZmqPort:
    """One socket for each direction."""

    def __init__(self, seat: Seat) -> None:
        self._context = zmq.Context()
        self._window = seat.number("window")
        self._small = seat.number("size") <= COPIED
        self._out = self._bind(seat) if seat.readers else None
        self._in = self._connect(seat, seat.source) if seat.source else None
        if self._out is not None and len(seat.readers) > 1:
            for _ in seat.readers:
                self._out.recv()  # a subscription

    def _bind(self, seat: Seat) -> Any:
        socket = self._context.socket(zmq.PUSH if len(seat.readers) == 1 else zmq.XPUB)
        socket.set(zmq.SNDHWM, self._window)
        if len(seat.readers) > 1:
            socket.set(zmq.XPUB_NODROP, 1)
            socket.set(zmq.XPUB_VERBOSE, 1)
        if "BENCH_CURVE" in os.environ:
            public, socket.curve_secretkey = zmq.curve_keypair()
            socket.curve_server = True
            seat.leave("key", public)
        socket.bind(f"tcp://{seat.link}" if seat.link else f"ipc://{seat.folder}/{seat.output}")
        return socket

    def _connect(self, seat: Seat, source: str) -> Any:
        is_shared = seat.settings["shared"] == "1"
        socket = self._context.socket(zmq.SUB if is_shared else zmq.PULL)
        socket.set(zmq.RCVHWM, self._window)
        if is_shared:
            socket.subscribe(b"")
        if "BENCH_CURVE" in os.environ:
            socket.curve_publickey, socket.curve_secretkey = zmq.curve_keypair()
            socket.curve_serverkey = seat.find("key")
        socket.connect(f"tcp://{seat.link}" if seat.link else f"ipc://{seat.folder}/{source}")
        return socket

    def sender(self, size: int, way: str, mark: Callable[[], int]) -> Callable[[], None]:
        """Send a buffer, copied or in place; a buffer is written again when ZeroMQ has let it go."""
        socket = self._out
        if way == "copied" or size <= COPIED:
            buffer = bytearray(size)
            head = memoryview(buffer)[:8]

            def copied() -> None:
                head[:] = mark().to_bytes(8, "little")
                socket.send(buffer)

            return copied
        ring = [bytearray(size) for _ in range(self._window + SPARE)]
        trackers: list[Any] = [None] * len(ring)
        place = -1

        def in_place() -> None:
            nonlocal place
            place = (place + 1) % len(ring)
            if trackers[place] is not None:
                trackers[place].wait()
            buffer = ring[place]
            buffer[:8] = mark().to_bytes(8, "little")
            trackers[place] = socket.send(buffer, copy=False, track=True)

        return in_place

    def forwarder(self, size: int) -> Callable[[Any], None]:
        """Send the received frame without a copy of our own."""
        del size
        socket = self._out
        return lambda payload: socket.send(payload, copy=False)

    def receive(self) -> Any:
        """Wait for a frame; a small one is copied, since that is faster."""
        return self._in.recv(copy=self._small)

    def number(self, payload: Any) -> int:
        """Read bytes or a frame."""
        return int.from_bytes(memoryview(payload)[:8], "little")

    def window(self, size: int) -> int | None:
        """Leave it to ZeroMQ: a full socket holds its sender back."""
        del size
        return None

    def rest(self, seconds: float) -> None:
        """Sleep."""
        time.sleep(seconds)

    def close(self) -> None:
        """Send what waits, and leave."""
        self._context.destroy(linger=5000)


if __name__ == "__main__":
    play(ZmqPort)
