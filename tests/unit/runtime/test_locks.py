"""The lock of a node: both twins can be taken again by who has them, and by nobody else."""

from __future__ import annotations

import threading
import time

import pytest


@pytest.fixture(params=["python", "compiled"])
def lock(request: pytest.FixtureRequest) -> threading.RLock:
    """A lock of each twin."""
    if request.param == "python":
        return threading.RLock()
    made: threading.RLock = pytest.importorskip("doraflow_core", reason="the core is not built: `doit core`").Lock()
    return made


def test_who_has_the_lock_takes_it_again(lock: threading.RLock) -> None:
    taken = []
    with lock, lock:
        other = threading.Thread(target=lambda: (lock.acquire(), taken.append(1), lock.release()))
        other.start()
        lock.acquire()
        lock.release()
        other.join(0.05)
        assert not taken
    other.join(30)
    assert taken == [1]


def test_only_who_has_the_lock_leaves_it(lock: threading.RLock) -> None:
    with pytest.raises(RuntimeError, match="cannot release un-acquired lock"):
        lock.release()
    errors = []

    def leave() -> None:
        try:
            lock.release()
        except RuntimeError as error:
            errors.append(str(error))

    with lock:
        thread = threading.Thread(target=leave)
        thread.start()
        thread.join(30)
    assert errors == ["cannot release un-acquired lock"]


def test_a_condition_leaves_the_lock_however_often_it_was_taken(lock: threading.RLock) -> None:
    changed = threading.Condition(lock)
    seen = []

    def change() -> None:
        with changed:
            seen.append("changed")
            changed.notify_all()

    with lock, changed:
        thread = threading.Thread(target=change)
        thread.start()
        assert changed.wait_for(lambda: seen, 30)
        with pytest.raises(RuntimeError):
            threading.Condition(type(lock)()).notify()
    thread.join(30)
    assert seen == ["changed"]


def test_many_threads_take_turns(lock: threading.RLock) -> None:
    count = 0

    def work() -> None:
        nonlocal count
        for _ in range(200):
            with lock:
                before = count
                time.sleep(0)  # lets another thread try
                count = before + 1

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert count == 800
