"""A deploy from the login to the last start, in two halves: every host gets its copy, and only then any is switched."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from doraflow.deploy.fleet import assembled
from doraflow.deploy.key_parcels import weighed
from doraflow.deploy.outcomes import Starts, after_switch, failed_row, hosts_text, moved_row, stopped_row, with_keys
from doraflow.deploy.reports import HostReport, HostStatus, counted_bytes, keys_text
from doraflow.deploy.session import Moved, Session

if TYPE_CHECKING:
    from collections.abc import Mapping

    from doraflow.deploy.fleet import Fleet, Telling
    from doraflow.deploy.key_parcels import Handing, Parcel
    from doraflow.deploy.session import Standing
    from doraflow.deploy.shares import Share
    from doraflow.deploy.ssh import Way
    from doraflow.deploy.targets import Target
    from doraflow.diagnostics import Sink

WORST_CLOCK = 30.0
"""Seconds by which a host's clock may differ: less can be the network, more spoils logs, certificates and builds."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What is asked for beside the copy: how many earlier versions stay, an environment, a start, and the bounds."""

    keep: int = 2
    environment: bool = False
    starts: bool = False
    step_seconds: float = 1800.0
    run_seconds: float = 120.0


@dataclass(frozen=True, slots=True)
class Deploy:
    """One call of the command: which dataflow, where to, how, and who is told."""

    dataflow: str
    targets: tuple[Target, ...]
    way: Way
    telling: Telling
    sink: Sink

    def sessions(self) -> list[Session]:
        """Make a session for each host, not yet connected."""
        return [Session(target, self.way) for target in self.targets]

    def begin(self, fleet: Fleet, *, changes: bool) -> None:
        """Log in everywhere, compare the clocks, and name the folder."""
        fleet.each("connecting", Session.connect)
        for session in fleet.sessions.values():
            _check_clock(session, self.sink)
        fleet.each("opening", lambda session: session.open(self.dataflow, changes=changes))


def dry_run(deploy: Deploy, shares: Mapping[str, Share], parcels: Mapping[str, Parcel]) -> tuple[HostReport, ...]:
    """Ask what a deploy would move; nothing is changed."""
    with assembled(deploy.sessions(), deploy.telling, deploy.sink) as fleet:
        deploy.begin(fleet, changes=False)
        moved = fleet.each("comparing", lambda session: session.plan(shares[session.target.host])[0], _said)
        handed = _weighed(fleet, parcels)
        return tuple(
            failed_row(target, fleet.failed)
            if target.host in fleet.failed
            else with_keys(moved_row(target, "planned", moved[target.host]), handed)
            for target in deploy.targets
        )


def copy_and_switch(
    deploy: Deploy, shares: Mapping[str, Share], parcels: Mapping[str, Parcel], wishes: Wishes
) -> tuple[HostReport, ...]:
    """Copy everywhere; if that went well everywhere hand over keys and switch everywhere, and start if asked."""
    with assembled(deploy.sessions(), deploy.telling, deploy.sink) as fleet:
        deploy.begin(fleet, changes=True)
        _look_for_units(fleet, wishes)
        moved = fleet.each("copying", lambda session: session.copy(shares[session.target.host]), _said)
        prepared = fleet.each(
            "preparing",
            lambda session: _prepare(session, shares[session.target.host], moved[session.target.host], wishes),
        )
        handed = _hand_over(fleet, parcels)
        switched: dict[str, str] = {}
        if fleet.is_well:
            switched = fleet.each(
                "switching", lambda session: session.switch(moved[session.target.host].name, wishes.keep)
            )
        starts = _start(fleet, wishes) if wishes.starts else None
        rows = []
        for target in deploy.targets:
            if target.host in switched:
                state = "unchanged" if switched[target.host] == moved[target.host].name else "deployed"
                row = after_switch(moved_row(target, state, moved[target.host]), starts, fleet.failed)
            elif target.host in prepared and target.host not in fleet.failed:
                row = moved_row(target, "copied", moved[target.host], reason=_others(fleet))
            else:
                row = failed_row(target, fleet.failed)
            rows.append(with_keys(row, handed))
        return tuple(rows)


def _look_for_units(fleet: Fleet, wishes: Wishes) -> None:
    """Find what would get in the way of a start while everything is as it was."""
    if wishes.starts:
        fleet.each("looking for units", lambda session: session.look_for_units("start"))


def _start(fleet: Fleet, wishes: Wishes) -> Starts:
    """End what runs on every host, and then start: a launcher would else join what still runs on the others."""
    if not fleet.is_well:
        return Starts()
    ended = fleet.each("stopping", lambda session: session.stop(wishes.run_seconds))
    if not fleet.is_well:
        return Starts(ended)
    return Starts(ended, fleet.each("starting", lambda session: session.start([], wishes.run_seconds), _as_detail))


def roll_back(deploy: Deploy, wishes: Wishes) -> tuple[HostReport, ...]:
    """Make the version before the current one again everywhere, if every host has one that is whole."""
    with assembled(deploy.sessions(), deploy.telling, deploy.sink) as fleet:
        deploy.begin(fleet, changes=True)
        _look_for_units(fleet, wishes)
        wanted = fleet.each("checking", Session.previous)
        left = fleet.each("switching", Session.go_back) if fleet.is_well else {}
        starts = _start(fleet, wishes) if wishes.starts else None
        rows = []
        for target in deploy.targets:
            host = target.host
            if host in left:
                row = HostReport(host, target.destination, "deployed", wanted[host], left[host])
                rows.append(after_switch(row, starts, fleet.failed))
            elif host in fleet.failed:
                rows.append(failed_row(target, fleet.failed))
            else:
                rows.append(HostReport(host, target.destination, "untouched", reason=_others(fleet)))
        return tuple(rows)


def stop(deploy: Deploy, wishes: Wishes) -> tuple[HostReport, ...]:
    """End what runs everywhere."""
    with assembled(deploy.sessions(), deploy.telling, deploy.sink) as fleet:
        deploy.begin(fleet, changes=False)
        ended = fleet.each("stopping", lambda session: session.stop(wishes.run_seconds))
        fleet.each("looking for units", lambda session: session.look_for_units("stop"))
        return tuple(stopped_row(target, ended, fleet.failed) for target in deploy.targets)


def status(deploy: Deploy) -> tuple[HostStatus, ...]:
    """Ask every host what stands there; nothing is changed."""
    with assembled(deploy.sessions(), deploy.telling, deploy.sink) as fleet:
        deploy.begin(fleet, changes=False)
        found = fleet.each("asking", lambda session: (session.folder, session.status()))
        return tuple(_standing(target, found.get(target.host), fleet) for target in deploy.targets)


def _standing(target: Target, found: tuple[str, Standing] | None, fleet: Fleet) -> HostStatus:
    if found is None:
        reason = str(fleet.failed[target.host])
        return HostStatus(target.host, target.destination, reached=False, reason=reason)
    folder, standing = found
    return HostStatus(
        target.host,
        target.destination,
        reached=True,
        folder=folder,
        current=standing.current or None,
        versions=standing.versions,
        runs=standing.runs,
    )


def _check_clock(session: Session, sink: Sink) -> None:
    off = session.clock - time.time()
    if abs(off) <= WORST_CLOCK:
        return
    where = "ahead of" if off > 0 else "behind"
    sink.warning(
        "DF877",
        f"the clock of `{session.target.host}` is {abs(off):.0f} s {where} this machine's: times in its logs cannot be "
        "compared, and certificates may count as invalid",
        help="let both machines keep the time, as with `timedatectl set-ntp true`",
    )


def _prepare(session: Session, share: Share, moved: Moved, wishes: Wishes) -> None:
    """Prepare a copy; the build steps of a version that is whole already are not run again."""
    steps = () if moved.is_there else share.steps
    session.prepare(moved.name, steps, wishes.step_seconds, environment=wishes.environment)


def _hand_over(fleet: Fleet, parcels: Mapping[str, Parcel]) -> dict[str, Handing]:
    """Hand the keys to all hosts, once every host is ready for them: public ones are then known before any start."""
    weighed_up = _weighed(fleet, parcels)
    if not parcels or not fleet.is_well:
        return {}

    def hand(session: Session) -> Handing | None:
        handing = weighed_up.get(session.target.host)
        if handing is not None and (handing.put or handing.handed.removed):
            session.hand_keys(handing)
        return handing

    done = fleet.each("handing keys", hand, lambda handing: f": {keys_text(handing.handed)}" if handing else "")
    return {host: handing for host, handing in done.items() if handing is not None}


def _weighed(fleet: Fleet, parcels: Mapping[str, Parcel]) -> dict[str, Handing]:
    """Look at the keys that lie on the hosts, and decide what becomes of them; nothing is changed."""
    if not parcels or not fleet.is_well:
        return {}

    def weigh(session: Session) -> Handing | None:
        parcel = parcels.get(session.target.host)
        return None if parcel is None else weighed(parcel, *session.look_at_keys(parcel.ring))

    decided = fleet.each("looking at keys", weigh)
    return {host: handing for host, handing in decided.items() if handing is not None}


def _others(fleet: Fleet) -> str:
    return f"{hosts_text(fleet.failed)} failed, and no host goes ahead of the others"


def _said(moved: Moved) -> str:
    if moved.is_there:
        return ": all of it is there already"
    return f": {moved.files} of {moved.all_files} files, {counted_bytes(moved.bytes)}"


def _as_detail(run: str) -> str:
    return f" as {run}" if run else ""
