"""How the launchers of the other hosts are met: what the command line says of it, and what follows for this run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from doraflow_runtime.bundles.contents import read_plan
from doraflow_runtime.fleet.terms import AWAY_SECONDS, Terms

if TYPE_CHECKING:
    from pathlib import Path

    from doraflow_runtime.contract import HostWiring
    from doraflow_runtime.launcher.reach import Reach


@dataclass(frozen=True, slots=True)
class Meeting:
    """What the command line says: whether this host starts without the others, and when a lost one is given up.

    `away_after` is in seconds, None for never.
    """

    starts_alone: bool = False
    away_after: float | None = AWAY_SECONDS


AS_USUAL = Meeting()


def find_terms(
    wiring: HostWiring, reach: Reach, session: str, bundle: Path, keys: str, meeting: Meeting, start_timeout: float
) -> Terms | None:
    """Settle on which terms the launchers of the other hosts are met; None where there are no other hosts."""
    if not wiring.peers:
        return None
    return Terms(
        host=wiring.host,
        session=session,
        plan=read_plan(bundle),
        endpoint=reach.own_endpoint(wiring.port),
        endpoints={peer.host: reach.endpoint(peer.host, peer.port) for peer in wiring.peers},
        keys=keys,
        insecure=wiring.insecure,
        start_timeout=None if meeting.starts_alone else start_timeout,
        away_after=meeting.away_after,
    )
