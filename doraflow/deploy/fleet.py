"""All hosts of a deploy at once, phase by phase: a phase begins when the one before it is over on every host.

A host that fails in one phase is left out of the next ones. Hosts that wait for others are told now and then that the
deploy goes on, since they would give it up otherwise.
"""

from __future__ import annotations

import contextlib
import time
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, TypeVar

from doraflow.deploy.errors import DeployError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager
    from typing import Protocol

    from doraflow.deploy.session import Session
    from doraflow.diagnostics import Sink

    class Stage(Protocol):
        """A stage that goes on at one host: what is said of it at its end, and whether it failed."""

        detail: str
        failed: bool

    Telling = Callable[[str, str], AbstractContextManager[Stage]]

_PING_SECONDS = 10.0

_Result = TypeVar("_Result")


class Fleet:
    """The sessions of a deploy, by host in the order of the dataflow, without those that have failed."""

    def __init__(self, sessions: Sequence[Session], telling: Telling, sink: Sink) -> None:
        self.sessions = {session.target.host: session for session in sessions}
        self.failed: dict[str, DeployError] = {}
        self._telling = telling
        self._sink = sink
        # A thread for every host: launchers that start wait for those of all the others.
        self._pool = ThreadPoolExecutor(max_workers=max(1, len(sessions)), thread_name_prefix="deploy")

    @property
    def is_well(self) -> bool:
        """Whether no host has failed yet."""
        return not self.failed

    def each(
        self, stage: str, work: Callable[[Session], _Result], say: Callable[[_Result], str] = lambda _result: ""
    ) -> dict[str, _Result]:
        """Do the same at every host that is well; results by host. A failure becomes a finding. Told as a stage."""
        waiting: dict[Future[_Result], str] = {}
        for host, session in self.sessions.items():
            waiting[self._pool.submit(self._stage, stage, host, session, work, say)] = host
        futures = {host: future for future, host in waiting.items()}
        self._wait(waiting)
        results = {}
        for host, future in futures.items():
            error = future.exception()
            if error is None:
                results[host] = future.result()
            elif isinstance(error, DeployError):
                self._fail(host, error)
            else:
                raise error
        return results

    def close(self) -> None:
        """Hang up everywhere, once no thread uses a connection any more."""
        self._pool.shutdown(cancel_futures=True)
        for session in self.sessions.values():
            session.close()

    def abort(self) -> None:
        """End every connection at once, so that nothing waits any more."""
        for session in self.sessions.values():
            session.abort()

    def _stage(
        self, stage: str, host: str, session: Session, work: Callable[[Session], _Result], say: Callable[[_Result], str]
    ) -> _Result:
        with self._telling(stage, host) as going:
            result = work(session)
            going.detail = say(result)
            return result

    def _wait(self, waiting: dict[Future[_Result], str]) -> None:
        left, pinged = set(waiting), time.monotonic()
        while left:
            _, left = wait(left, timeout=_PING_SECONDS, return_when=FIRST_COMPLETED)
            if time.monotonic() - pinged >= _PING_SECONDS:
                ended = [future for future in waiting if future not in left]
                self._ping([waiting[future] for future in ended if future.exception() is None])
                pinged = time.monotonic()

    def _ping(self, hosts: Sequence[str]) -> None:
        for host in hosts:
            with contextlib.suppress(DeployError):  # it is told of in the next phase, which meets it too
                self.sessions[host].ping()

    def _fail(self, host: str, error: DeployError) -> None:
        self.failed[host] = error
        self._sink.error(error.code, str(error), notes=error.notes, help=error.help)
        self.sessions.pop(host).close()


@contextlib.contextmanager
def assembled(sessions: Sequence[Session], telling: Telling, sink: Sink) -> Iterator[Fleet]:
    """Make a fleet that is hung up at the end of the block, at once when the block is left by an exception."""
    fleet = Fleet(sessions, telling, sink)
    try:
        yield fleet
    except BaseException:
        fleet.abort()
        raise
    finally:
        fleet.close()
