"""Where the runs of a user lie, what each says of itself, and whether its launcher is alive.

Both sides need this: the launcher that makes a run directory, and whoever looks for a run. Nothing is made here but the
facts of a run.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from doraflow_runtime.codec import from_json, to_json
from doraflow_runtime.contract import ContractError

if TYPE_CHECKING:
    from collections.abc import Mapping

BASE_VARIABLE = "DORAFLOW_RUN_BASE"
LOCK = "lock"
FACTS = "run.json"
SOCKET = "control.sock"
LARGEST_FACTS = 64 * 1024
NAME_RULE = "up to 48 letters, digits, `.`, `_` and `-`, a letter or digit first"

_TAP = re.compile(r"tap-[0-9a-f]{8,32}\.sock")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,47}")


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What a run says of itself in `run.json`: names, the launcher's process, and absolute paths.

    `started` is ISO 8601 in UTC, `nodes` how many there are.
    """

    name: str
    dataflow: str
    host: str
    launcher: int
    started: str
    logs: str
    bundle: str
    nodes: int


def base_directory(environment: Mapping[str, str]) -> Path:
    """Say where the runs of this user lie.

    That is `DORAFLOW_RUN_BASE`, else a folder in /dev/shm, in `XDG_RUNTIME_DIR` or among the temporary files.
    """
    if given := environment.get(BASE_VARIABLE):
        return Path(given).resolve()
    for folder in ("/dev/shm", environment.get("XDG_RUNTIME_DIR", "")):  # noqa: S108 - a private folder is made in it
        if folder and os.access(folder, os.W_OK | os.X_OK):
            return Path(folder, base_name())
    import tempfile  # it imports more than most launches need

    return Path(tempfile.gettempdir(), base_name())


def is_run_name(text: str) -> bool:
    """Tell whether a run may be called so.

    >>> is_run_name("night.shift-2"), is_run_name("../x")
    (True, False)
    """
    return _NAME.fullmatch(text) is not None


def is_tap_name(text: str) -> bool:
    """Tell whether a socket in a run's directory that taps an output may be called so.

    >>> is_tap_name("tap-0123abcd.sock"), is_tap_name("../tap-0123abcd.sock")
    (True, False)
    """
    return _TAP.fullmatch(text) is not None


def base_name() -> str:
    """Name the folder of this user's runs, where no variable says another."""
    return f"doraflow-{os.getuid()}"


def write_facts(directory: Path, facts: RunFacts) -> None:
    """Write the facts of a run into its directory, whole or not at all. Raises OSError."""
    new = directory / f".{FACTS}"
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(to_json(facts), file)
    new.replace(directory / FACTS)


def read_facts(directory: Path) -> RunFacts | None:
    """Read the facts of a run; None if it has not written any, or none that can be understood."""
    try:
        with (directory / FACTS).open("rb") as file:
            return from_json(RunFacts, json.loads(file.read(LARGEST_FACTS)))
    except (OSError, ValueError, RecursionError, ContractError):
        return None


def is_held(directory: Path) -> bool:
    """Tell whether a launcher holds the lock of a run; one whose lock is gone is being removed. Raises OSError.

    The lock is shared for the blink of an eye, so the base of the run has to be locked by the caller: a launcher that
    makes a run at this moment would else find its own lock taken.
    """
    try:
        descriptor = os.open(directory / LOCK, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except (FileNotFoundError, NotADirectoryError):
        return False
    with contextlib.closing(os.fdopen(descriptor, "rb")) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
