"""The launcher's loop, in a process that stands still while time goes by."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

from tests.unit.runtime.waiting import wait_for_state

WAIT = 0.5
WAITS = f"""
import os, time
from doraflow_runtime.launcher.loop import Loop
loop, heard = Loop(), []
loop.on_readable(0, lambda: heard.append(os.read(0, 9)))
while not heard:
    print(time.monotonic(), flush=True)
    loop.run_once({WAIT})
print(heard)
"""


def stop_in_a_wait(process: subprocess.Popen[bytes]) -> None:
    """Stop the process while one of its waits goes on: on a busy machine the first ones may be over before."""
    assert process.stdout is not None
    for _ in range(60):
        began = float(process.stdout.readline())
        wait_for_state(process.pid, "S (sleeping)")
        os.kill(process.pid, signal.SIGSTOP)
        wait_for_state(process.pid, "T (stopped)")
        if time.monotonic() < began + WAIT:
            return
        os.kill(process.pid, signal.SIGCONT)
    raise AssertionError("every wait was over before the process could be stopped")


def test_what_came_while_the_process_was_stopped_is_heard_though_the_time_is_over() -> None:
    with subprocess.Popen([sys.executable, "-c", WAITS], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            stop_in_a_wait(process)
            process.stdin.write(b"x")
            process.stdin.flush()
            time.sleep(WAIT)
            os.kill(process.pid, signal.SIGCONT)
            assert process.stdout.readline() == b"[b'x']\n"
        finally:
            process.kill()
