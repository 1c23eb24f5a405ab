"""The comparison: every case with each peer in turn, round after round, so that all meet the same machine.

A peer or a run that fails is told in the results with its reason. Nothing here knows a peer or a kind.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING

from bench.machine import load, machine
from bench.peers.peer import AbsentError, Peer, start
from bench.results import Failure, Results
from bench.running import RunError

if TYPE_CHECKING:
    from bench.kinds.case import Case, Kind
    from bench.settings import Settings

GIVEN_UP = 2  # failures of a case after which a peer is not asked for it again

Tell = Callable[[str], None]


def compare(peers: Mapping[str, Peer], kinds: Mapping[str, Kind], settings: Settings, tell: Tell) -> Results:
    """Measure everything; `tell` gets a line on each run."""
    began = time.monotonic()
    results = Results(machine(), settings=asdict(settings))
    present = _prepare(peers, results, tell)
    for peer in present:
        refused = {kind: reason for kind in kinds if (reason := peer.refuses(kind)) is not None}
        if refused:
            results.refused[peer.name] = refused
    failed: Counter[tuple[str, Case]] = Counter()
    for number in range(1, settings.rounds + 1):
        for kind in kinds.values():
            for case in kind.cases(settings):
                for peer in present:
                    if peer.refuses(case.kind) is None and failed[peer.name, case] < GIVEN_UP:
                        failure = _measure(peer, kind, case, settings, number, results)
                        failed[peer.name, case] += failure is not None
                        tell(_line(number, peer, case, failure))
    results.seconds = round(time.monotonic() - began, 1)
    results.load_after = load()
    return results


def _prepare(peers: Mapping[str, Peer], results: Results, tell: Tell) -> list[Peer]:
    present = []
    for name, peer in peers.items():
        try:
            results.versions[name] = peer.prepare()
            present.append(peer)
        except AbsentError as error:
            results.absent[name] = str(error)
            tell(f"{name} is absent: {error}")
    return present


def _measure(peer: Peer, kind: Kind, case: Case, settings: Settings, number: int, results: Results) -> Failure | None:
    try:
        results.add(peer.name, case, kind.measure(partial(start, peer), case, settings))
    except (RunError, AbsentError, OSError, ValueError) as error:  # one run, of hundreds
        reason = str(error) or type(error).__name__
        failure = Failure(peer.name, case.kind, case.size, case.nodes, number, reason)
        results.failures.append(failure)
        return failure
    return None


def _line(number: int, peer: Peer, case: Case, failure: Failure | None) -> str:
    what = f"{case.size} B" if case.size else f"{case.nodes} nodes"
    return f"round {number}: {case.kind}, {what}, {peer.name}" + (f": {failure.reason}" if failure else "")
