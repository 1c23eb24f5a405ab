"""The comparison: every case with each peer in turn, round after round, so that all meet the same machine.

A peer or a run that fails is told in the results with its reason, and the others go on. Nothing here knows a peer or a
kind, or writes a file.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from bench.machine import load, machine
from bench.peers.peer import AbsentError, Peer, start
from bench.results import Failure, Results
from bench.running import RunError

if TYPE_CHECKING:
    from bench.kinds.case import Case, Kind
    from bench.settings import Settings

GIVEN_UP = 2  # failures without any figure, after which a peer is not asked for that case again

Tell: TypeAlias = Callable[[str], None]
Keep: TypeAlias = Callable[[Results], None]
Planned: TypeAlias = "tuple[int, Kind, Case, Peer]"


class OtherResultsError(Exception):
    """Results that cannot be gone on with, since something else was measured; the text says what."""


def compare(
    peers: Mapping[str, Peer],
    kinds: Mapping[str, Kind],
    settings: Settings,
    tell: Tell,
    keep: Keep,
    earlier: Results | None = None,
) -> Results:
    """Measure everything; `tell` gets a line on each run, `keep` the results before the first and after each.

    `earlier` are the results of a comparison that was cut short: its runs are not made again. Raises
    OtherResultsError if it is of other peers, kinds or settings; only the number of rounds may differ.
    """
    began = time.monotonic()
    results = Results(machine(), settings=_told(settings, kinds))
    present = _prepare(peers, kinds, results, tell)
    if earlier is not None:
        results = _continued(earlier, results)
    keep(results)
    spent = results.seconds
    for at, planned in enumerate(_plan(present, kinds, settings)):
        if at >= results.runs:
            _make(planned, settings, results, tell)
            results.runs = at + 1
            results.seconds = round(spent + time.monotonic() - began, 1)
            results.load_after = load()
            keep(results)
    return results


def _plan(peers: list[Peer], kinds: Mapping[str, Kind], settings: Settings) -> Iterator[Planned]:
    """Give every run, in the order in which they are made."""
    for number in range(1, settings.rounds + 1):
        for kind in kinds.values():
            for case in kind.cases(settings):
                for peer in peers:
                    if peer.refuses(case.kind) is None:
                        yield number, kind, case, peer


def _prepare(peers: Mapping[str, Peer], kinds: Mapping[str, Kind], results: Results, tell: Tell) -> list[Peer]:
    present = []
    for name, peer in peers.items():
        try:
            results.versions[name] = peer.prepare()
            present.append(peer)
        except AbsentError as error:
            results.absent[name] = str(error)
            tell(f"{name} is absent: {error}")
    for peer in present:
        refused = {kind: reason for kind in kinds if (reason := peer.refuses(kind)) is not None}
        if refused:
            results.refused[peer.name] = refused
    return present


def _told(settings: Settings, kinds: Mapping[str, Kind]) -> dict[str, object]:
    """Say what was asked for, in values that a file gives back as they are."""
    plain = {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(settings).items()}
    return {**plain, "kinds": list(kinds)}


def _continued(earlier: Results, now: Results) -> Results:
    for what in ("versions", "settings", "machine"):
        before, after = ({**getattr(one, what), "rounds": 0, "load": 0} for one in (earlier, now))
        differing = [name for name in {**before, **after} if before.get(name) != after.get(name)]
        if differing:
            raise OtherResultsError(f"the {what} differ in {', '.join(f'`{name}`' for name in differing)}")
    earlier.settings = now.settings
    return earlier


def _make(planned: Planned, settings: Settings, results: Results, tell: Tell) -> None:
    number, kind, case, peer = planned
    failures = results.failed(peer.name, case.kind, case.size, case.nodes)
    if len(failures) >= GIVEN_UP and not results.has_figures(peer.name, case):
        return
    failure = _measure(peer, kind, case, settings, number, results)
    if failure is not None:
        results.failures.append(failure)
    tell(_line(number, peer, case, failure))


def _measure(peer: Peer, kind: Kind, case: Case, settings: Settings, number: int, results: Results) -> Failure | None:
    try:
        results.add(peer.name, case, kind.measure(partial(start, peer), case, settings))
    except (RunError, AbsentError) as error:
        if isinstance(error, RunError):
            results.add(peer.name, case, error.figures)
        reason = str(error)
    except Exception as error:  # noqa: BLE001 - whatever a peer does in one run of hundreds, the others go on
        reason = f"{type(error).__name__}: {error}"
    else:
        return None
    return Failure(peer.name, case.kind, case.size, case.nodes, number, reason)


def _line(number: int, peer: Peer, case: Case, failure: Failure | None) -> str:
    what = f"{case.size} B" if case.size else f"{case.nodes} nodes"
    return f"round {number}: {case.kind}, {what}, {peer.name}" + (f": {failure.reason}" if failure else "")
