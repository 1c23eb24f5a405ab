"""The one epoll of a node: how exactly it waits, and who may wake it when it is gone."""

from __future__ import annotations

import os
import threading
import time
from typing import TYPE_CHECKING

from doraflow_runtime.node_api.poller import Poller

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Run


def test_nobody_rings_a_bell_whose_number_belongs_to_another_file() -> None:
    lock = threading.RLock()
    poller = Poller(lock)
    bell = poller.gate.fileno()
    with lock:
        poller.close()
    taken = [os.open(os.devnull, os.O_RDONLY) for _ in range(8)]
    assert bell not in taken
    poller.gate.is_claimed = True  # as a finalizer saw it just before the end
    poller.wake()
    for descriptor in taken:
        os.close(descriptor)


def test_a_wait_may_be_shorter_than_a_millisecond() -> None:
    poller = Poller(threading.RLock())
    lengths: list[float] = []
    limit = time.monotonic() + 20
    while len(lengths) < 50 or (min(lengths) >= 0.001 and time.monotonic() < limit):  # others may have the processor
        began = time.monotonic()
        assert poller.poll(0.0002) == []
        lengths.append(time.monotonic() - began)
    poller.close()
    assert min(lengths) >= 0.0002
    assert min(lengths) < 0.001


def test_a_wait_of_a_fraction_of_a_millisecond_ends_when_something_happens() -> None:
    lock = threading.RLock()
    poller = Poller(lock)
    poller.claim(None)
    poller.wake()
    assert poller.poll(0.0009) == [poller.gate.fileno()]
    with lock:
        poller.release()
        poller.close()


def test_a_poller_that_spins_sleeps_when_nothing_came_and_sees_what_comes_meanwhile() -> None:
    lock = threading.RLock()
    poller = Poller(lock, spin_ns=2_000_000)
    spent = spent_in_waits(lambda: poller.poll(0.05) == [])
    assert max(spent) > 0.0005, "it does not look at all"
    assert min(spent) < 0.02
    assert poller.poll(0) == []
    poller.claim(None)
    bell = threading.Timer(0.001, poller.wake)
    bell.start()
    assert poller.poll(5) == [poller.gate.fileno()]
    bell.join()
    with lock:
        poller.release()
        poller.close()


def test_a_node_that_looks_for_messages_before_it_sleeps_sleeps_when_none_come(run: Run) -> None:
    run.pair()
    run.spins["b"] = 2000
    a, b = run.join("a", "b")

    def wait() -> bool:
        a.send_output("out", b"x")
        return b.next(30) is not None and b.next(0.5) is None

    spent = spent_in_waits(wait)
    assert max(spent) > 0.001, "it does not look at all"
    assert min(spent) < 0.05, "of half a second, two milliseconds are for looking"


def spent_in_waits(wait: Callable[[], bool]) -> list[float]:
    """The processor time of several waits: on a busy machine others may have the processor while one of them looks."""
    spent: list[float] = []
    while len(spent) < 3 or (max(spent) < 0.0015 and len(spent) < 40):
        began = time.thread_time()
        assert wait()
        spent.append(time.thread_time() - began)
    return spent
