"""The launcher's loop, in a process that stands still while time goes by."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

WAIT = 0.5
WAITS = f"""
import os
from doraflow_runtime.launcher.loop import Loop
loop, heard = Loop(), []
loop.on_readable(0, lambda: heard.append(os.read(0, 9)))
print("waits", flush=True)
loop.run_once({WAIT})
print(heard)
"""


def until(process: int, state: str) -> None:
    while state not in Path(f"/proc/{process}/status").read_text():
        time.sleep(0.001)


def test_what_came_while_the_process_was_stopped_is_heard_though_the_time_is_over() -> None:
    with subprocess.Popen([sys.executable, "-c", WAITS], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == b"waits\n"
        until(process.pid, "S (sleeping)")
        os.kill(process.pid, signal.SIGSTOP)
        until(process.pid, "T (stopped)")
        process.stdin.write(b"x")
        process.stdin.flush()
        time.sleep(WAIT)
        os.kill(process.pid, signal.SIGCONT)
        assert process.stdout.read() == b"[b'x']\n"
