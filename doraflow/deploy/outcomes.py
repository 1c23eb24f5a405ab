"""The row of each host after a deploy: what is current there, what runs, and what was ended, as far as it is known.

Nothing is asked or changed here.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from doraflow.deploy.reports import HostReport

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from doraflow.deploy.errors import DeployError
    from doraflow.deploy.key_parcels import Handing
    from doraflow.deploy.session import Moved
    from doraflow.deploy.targets import Target


@dataclass(frozen=True, slots=True)
class Starts:
    """What a start has come to, by host: the runs that were ended before, and the ones that were started."""

    ended: Mapping[str, Sequence[str]] = field(default_factory=dict)
    runs: Mapping[str, str] = field(default_factory=dict)


def moved_row(target: Target, state: str, moved: Moved, *, reason: str | None = None) -> HostReport:
    """Make the row of a host that a version was, or would be, copied to."""
    return HostReport(
        target.host,
        target.destination,
        state,
        moved.name,
        moved.before or None,
        moved.files,
        moved.bytes,
        moved.all_files,
        moved.all_bytes,
        reason=reason,
    )


def failed_row(target: Target, failed: Mapping[str, DeployError]) -> HostReport:
    """Make the row of a host that failed before it is known what is current there."""
    return HostReport(target.host, target.destination, "failed", reason=str(failed[target.host]))


def stopped_row(target: Target, ended: Mapping[str, Sequence[str]], failed: Mapping[str, DeployError]) -> HostReport:
    """Make the row of a host where what ran was to be ended."""
    runs = ", ".join(ended.get(target.host, ()))
    if target.host in failed:
        row = failed_row(target, failed)
        return replace(row, reason=f"stopped {runs}, but {row.reason}") if runs else row
    return HostReport(target.host, target.destination, "stopped", reason=f"stopped {runs}" if runs else "nothing ran")


def with_keys(row: HostReport, handed: Mapping[str, Handing]) -> HostReport:
    """Add what became of the host's keys, where they were looked at."""
    return row if row.host not in handed else replace(row, keys=handed[row.host].handed)


def after_switch(row: HostReport, starts: Starts | None, failed: Mapping[str, DeployError]) -> HostReport:
    """Complete the row of a host that was switched; `starts` is None if none was asked for."""
    ended = ", ".join(starts.ended.get(row.host, ())) if starts is not None else ""
    if row.host in failed:
        stopped = f"{ended} is stopped, and " if ended else ""
        return replace(row, state="failed", reason=f"{row.version} is current, but {stopped}{failed[row.host]}")
    if starts is None:
        return row
    if row.host in starts.runs:
        return replace(row, run=starts.runs[row.host] or None)
    others = f"since {hosts_text(failed)} failed"
    if ended:
        return replace(row, state="stopped", reason=f"{ended} is stopped, and nothing is started, {others}")
    return replace(row, reason=f"nothing is started, {others}")


def hosts_text(failed: Mapping[str, DeployError]) -> str:
    """List the hosts that failed."""
    return ", ".join(f"`{host}`" for host in failed)
