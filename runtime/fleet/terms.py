"""What a launcher has to know to find the others and be known by them, and how long it waits for them."""

from __future__ import annotations

from dataclasses import dataclass, field

AWAY_SECONDS = 60.0
"""How long `backpressure` holds senders for a reader whose host is lost; a cable that was pulled is put back before."""


@dataclass(frozen=True, slots=True)
class Terms:
    """How the launchers of a dataflow come together.

    `session` is this life of the launcher of `host`, and `plan` the digest of its build. `endpoint` is where it
    listens, `endpoints` are those of the others by host. `keys` is the folder with the keys of this host.
    `start_timeout` is how long the start waits for other hosts, None for not at all; `away_after` after how long a lost
    host is one whose nodes are not waited for, None for never. Times are in seconds.
    """

    host: str
    session: str
    plan: str
    endpoint: str
    endpoints: dict[str, str] = field(default_factory=dict)
    keys: str = ""
    insecure: bool = False
    start_timeout: float | None = None
    away_after: float | None = AWAY_SECONDS
