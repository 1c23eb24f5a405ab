"""A node of zenoh, peer to peer over a Unix socket, with shared memory; buffers in it as the zero-copy way.

Between two hosts it goes over TCP, without shared memory, and has no second way of sending.
zenoh's Python API gives the bytes of a payload only as a copy. It is not counted as latency, but a flood pays for it.
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import zenoh
from roles import play
from zenoh import handlers, shm

if TYPE_CHECKING:
    from collections.abc import Callable

    from seat import Seat

LEAST_POOL = 128 << 20  # bytes
SPARE = 4  # buffers more than may be under way
SHARED_BYTES = 3072
"""Bytes from which zenoh puts what it is given as bytes into shared memory by itself; its default."""
SHARED_BYTES_OF_A_FLOOD = 100_000
"""The same in a flood. zenoh takes shared memory back from a message that a reader has not looked at for 100 ms, and
that message is lost without a word (github.com/eclipse-zenoh/zenoh/issues/2628), although the publisher blocks. Below
this size the socket, which loses nothing, is faster as well."""


class ZenohPort:
    """One session, a publisher, a subscriber."""

    def __init__(self, seat: Seat) -> None:
        window = seat.number("window")
        self._pool = max(LEAST_POOL, seat.number("size") * (window + SPARE))
        self._shared_bytes = SHARED_BYTES_OF_A_FLOOD if seat.role in ("flooder", "counter") else SHARED_BYTES
        self._is_shared = seat.link is None
        self._session = zenoh.open(self._configuration(seat))
        self._provider: Any = None
        if seat.source:
            self._in: Any = self._session.declare_subscriber(
                f"bench/{seat.source}".replace(".", "/"), handlers.FifoChannel(window)
            )
        if seat.readers:
            self._out: Any = self._session.declare_publisher(
                f"bench/{seat.output}".replace(".", "/"),
                congestion_control=zenoh.CongestionControl.BLOCK,
                reliability=zenoh.Reliability.RELIABLE,
                express=not seat.role.startswith("flood"),
            )
            while not self._out.matching_status:
                time.sleep(0.001)

    def _configuration(self, seat: Seat) -> zenoh.Config:
        config = zenoh.Config()
        settings: dict[str, object] = {
            "mode": "peer",
            "scouting/multicast/enabled": False,
            "scouting/gossip/enabled": False,
            "transport/shared_memory/enabled": seat.link is None,
            "transport/shared_memory/transport_optimization/pool_size": self._pool,
            "transport/shared_memory/transport_optimization/message_size_threshold": self._shared_bytes,
            "listen/endpoints": [_endpoint(seat, seat.output)] if seat.readers else [],
            "connect/endpoints": [_endpoint(seat, seat.source)] if seat.source else [],
            "connect/timeout_ms": -1,
            "connect/retry": {"period_init_ms": 10, "period_max_ms": 50, "period_increase_factor": 1.5},
        }
        for name, value in settings.items():
            config.insert_json5(name, json.dumps(value))
        return config

    def sender(self, size: int, way: str, mark: Callable[[], int]) -> Callable[[], None]:
        """Put bytes, or a buffer in shared memory."""
        put = self._out.put
        if way == "loaned" and self._is_shared:
            if self._provider is None:
                self._provider = shm.ShmProvider.default_backend(self._pool)
            allocate = self._provider.alloc
            policy = shm.BlockOn(shm.GarbageCollect())

            def loaned() -> None:
                buffer = allocate(size, policy)
                buffer[0:8] = mark().to_bytes(8, "little")
                put(buffer)

            return loaned
        buffer = bytearray(size)
        head = memoryview(buffer)[:8]

        def copied() -> None:
            head[:] = mark().to_bytes(8, "little")
            put(buffer)

        return copied

    def forwarder(self, size: int) -> Callable[[Any], None]:
        """Put the received payload."""
        del size
        return self._out.put

    def receive(self) -> Any:
        """Wait for a payload."""
        return self._in.recv().payload

    def number(self, payload: Any) -> int:
        """Read a copy, which is all there is."""
        return int.from_bytes(payload.to_bytes()[:8], "little")

    def window(self, size: int) -> int | None:
        """Leave it to zenoh: its publisher blocks."""
        del size
        return None

    def rest(self, seconds: float) -> None:
        """Sleep."""
        time.sleep(seconds)

    def close(self) -> None:
        """Close the session."""
        self._session.close()


def _endpoint(seat: Seat, output: str) -> str:
    return f"tcp/{seat.link}" if seat.link else f"unixsock-stream/{seat.folder}/{output}"


if __name__ == "__main__":
    play(ZenohPort)
