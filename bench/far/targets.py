"""What doraflow is to reach across a link between two hosts.

Encrypted links are compared with encrypted ones where a peer has them, and with dora's, which are not.
"""

from __future__ import annotations

from bench.targets import Target

PLAIN = "doraflow-plain"
SHARE = 0.9  # of what plain ZeroMQ does

TARGETS = (
    Target("one way, beside dora", "latency", "p50", 1, ("dora",)),
    Target("one way, beside dora", "latency", "p99", 1, ("dora",)),
    Target("flood, beside dora", "throughput", "rate", 1, ("dora",), is_floor=True),
    Target("one way encrypted, beside ZeroMQ's", "latency", "p50", 1 / SHARE, ("zmq-curve",)),
    Target("one way in plain text, beside ZeroMQ's", "latency", "p50", 1 / SHARE, ("zmq",), ours=PLAIN),
    Target("flood encrypted, beside ZeroMQ's", "throughput", "rate", SHARE, ("zmq-curve",), is_floor=True),
    Target("flood in plain text, beside ZeroMQ's", "throughput", "rate", SHARE, ("zmq",), is_floor=True, ours=PLAIN),
)
