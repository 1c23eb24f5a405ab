"""The guardian, watched from outside: it ends what it was told of when its launcher is gone."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from doraflow_runtime.launcher.groups import exists, signal_group

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LAUNCHER = """
import sys
from pathlib import Path
from doraflow_runtime.launcher.guardian import Guardian
guardian = Guardian(Path(sys.argv[1]))
print(guardian.process, flush=True)
for line in sys.stdin:
    word, number = line.split()
    print(getattr(guardian, word)(int(number)) if word != "dismiss" else guardian.dismiss(), flush=True)
"""


class Launcher:
    """A process that has a guardian and obeys the test."""

    def __init__(self, run: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", LAUNCHER, str(run)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        self.guardian = int(self.process.stdout.readline())

    def say(self, word: str, number: int = 0) -> str:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{word} {number}\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()


@pytest.fixture
def run(tmp_path: Path) -> Path:
    (tmp_path / "run" / "pools").mkdir(parents=True)
    return tmp_path / "run"


@pytest.fixture
def launcher(run: Path) -> Iterator[Launcher]:
    made = Launcher(run)
    yield made
    made.process.kill()
    made.process.communicate()
    until_gone(made.guardian)


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-c", "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(100)"]
    with subprocess.Popen(command, start_new_session=True) as process:
        yield process
        process.kill()


def until_gone(number: int) -> None:
    deadline = time.monotonic() + 30
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        while time.monotonic() < deadline:
            with open(f"/proc/{number}/stat") as file:  # noqa: PTH123 - a file of the kernel
                if file.read().rpartition(")")[2].split()[0] == "Z":
                    return
            time.sleep(0.01)
        raise AssertionError(f"process {number} is left")


def test_when_the_launcher_is_killed_the_groups_end_and_the_directory_goes(
    launcher: Launcher, sleeper: subprocess.Popen[bytes], run: Path
) -> None:
    assert launcher.say("watch", sleeper.pid) == "True"
    launcher.process.kill()
    assert sleeper.wait(30) == -signal.SIGKILL
    until_gone(launcher.guardian)
    assert not run.exists()


def test_a_group_that_was_forgotten_is_left_alone(
    launcher: Launcher, sleeper: subprocess.Popen[bytes], run: Path
) -> None:
    launcher.say("watch", sleeper.pid)
    launcher.say("forget", sleeper.pid)
    launcher.process.kill()
    until_gone(launcher.guardian)
    assert sleeper.poll() is None
    assert not run.exists()


def test_it_is_gone_when_it_was_dismissed(launcher: Launcher) -> None:
    assert launcher.say("dismiss") == "None"
    with pytest.raises(ProcessLookupError):
        os.kill(launcher.guardian, 0)


def test_a_launcher_without_guardian_is_told_and_goes_on(launcher: Launcher) -> None:
    os.kill(launcher.guardian, signal.SIGKILL)
    until_gone(launcher.guardian)
    assert launcher.say("watch", 1) == "False"
    assert launcher.say("dismiss") == "None"


def test_groups_are_signalled_and_seen_as_a_whole(sleeper: subprocess.Popen[bytes]) -> None:
    assert exists(sleeper.pid)
    assert signal_group(sleeper.pid, signal.SIGKILL)
    sleeper.wait(30)
    assert not exists(sleeper.pid)
    assert not signal_group(sleeper.pid, signal.SIGKILL)
