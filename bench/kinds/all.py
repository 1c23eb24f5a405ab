"""The list of the kinds of measurement, in the order of the tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.kinds import fanout, idle, latency, many, memory, pingpong, relay, startup, throughput

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bench.kinds.case import Kind

KINDS: Mapping[str, Kind] = {
    "latency": latency,
    "throughput": throughput,
    "fanout": fanout,
    "relay": relay,
    "pingpong": pingpong,
    "startup": startup,
    "many": many,
    "idle": idle,
    "memory": memory,
}
