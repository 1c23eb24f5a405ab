"""Commands that prepare a version on the host: its build steps, and a virtual environment with what it requires.

They run without a shell, in process groups of their own; nothing is left when whoever deploys is gone.
"""

from __future__ import annotations

import hashlib
import json
import os
import selectors
import shutil
import signal
import subprocess
import sys
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from doraflow.analysis.command_line import filled_words
from doraflow.deploy.remote.errors import RemoteError
from doraflow.deploy.remote.place import remove

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from doraflow.deploy.remote.place import Place

_TAIL = 12
_WAKE = 1.0
_MARK = "doraflow-whole"


@dataclass(frozen=True, slots=True)
class Step:
    """The `build:` commands of a node, run in `folder`, relative to the sources."""

    owner: str
    commands: tuple[str, ...]
    folder: str
    environment: dict[str, str]


@dataclass(frozen=True, slots=True)
class Bounds:
    """How long a command may take, in seconds, the mask of its new files, and the sign of life while it runs."""

    seconds: float
    mask: int
    beat: Callable[[], None]


def environment(place: Place, version: Path, bounds: Bounds) -> str:
    """Give the Python of a virtual environment that holds what the version requires; made if it is not there."""
    wanted = (version / "requirements.txt").read_bytes()
    key = hashlib.sha256(wanted + sys.version.encode()).hexdigest()[:16]
    folder = place.environments / key
    python = folder / "bin" / "python"
    if (folder / _MARK).exists():
        return str(python)
    place.environments.mkdir(mode=0o700, exist_ok=True)
    if folder.exists():
        remove(folder)
    run("`python -m venv`", [sys.executable, "-m", "venv", str(folder)], place.root, os.environ, bounds)
    install = [str(python), "-m", "pip", "install", "--no-input", "--disable-pip-version-check", "--requirement"]
    run("`pip install`", [*install, str(version / "requirements.txt")], place.root, os.environ, bounds)
    (folder / _MARK).touch()
    return str(python)


def build(version: Path, steps: Sequence[Step], python: str, bounds: Bounds) -> None:
    """Run build steps in a version, and add what they made to its manifest."""
    sources = version / "nodes" if (version / "nodes").is_dir() else version
    for step in steps:
        surroundings = {**os.environ, **step.environment}
        for command in step.commands:
            words = _words(step, command, surroundings, python, sources)
            run(f"`{command}` of `{step.owner}`", words, sources / step.folder, surroundings, bounds)
    if steps:
        _list_products(version)


def run(what: str, words: Sequence[str], folder: Path, surroundings: Mapping[str, str], bounds: Bounds) -> None:
    """Run a command to its end. Raises RemoteError with its last lines if it fails or takes too long."""
    deadline = time.monotonic() + bounds.seconds
    try:
        process = subprocess.Popen(
            words,
            cwd=folder,
            env=dict(surroundings),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            umask=bounds.mask,
        )
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise RemoteError("DF878", f"{what} cannot be started: {reason}", "install what it needs there") from None
    try:
        tail = _watched(process, deadline, bounds.beat)
        code = process.poll()
    finally:
        _end(process)
    if code == 0:
        return
    ended = f"took longer than {bounds.seconds:g} s" if code is None else f"failed with exit code {code}"
    mend = "mend what its last lines tell; `--step-timeout` gives it longer"
    raise RemoteError("DF878", f"{what} {ended}", mend, tuple(tail))


def _watched(process: subprocess.Popen[bytes], deadline: float, beat: Callable[[], None]) -> list[str]:
    """Read what a command says until it ends, or its time; give the last lines."""
    lines: deque[str] = deque(maxlen=_TAIL)
    if process.stdout is None:
        return []
    rest = b""
    with selectors.DefaultSelector() as selector, process.stdout as stream:
        selector.register(stream, selectors.EVENT_READ)
        while time.monotonic() < deadline:
            beat()
            if not selector.select(_WAKE):
                if process.poll() is not None:
                    break  # what it left in the background holds the stream, and is ended next
                continue
            data = os.read(stream.fileno(), 65536)
            *whole, rest = (rest + data).split(b"\n")
            lines.extend(line.decode(errors="replace") for line in whole)
            if not data:
                with suppress(subprocess.TimeoutExpired):
                    process.wait(max(0.0, deadline - time.monotonic()))
                break
    return [*lines, rest.decode(errors="replace")] if rest else list(lines)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill what is left of a command and of what it started."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _words(step: Step, command: str, surroundings: Mapping[str, str], python: str, sources: Path) -> list[str]:
    words = filled_words(command, surroundings)
    if not words:
        raise RemoteError(
            "DF878", f"`{command}` of `{step.owner}` is no command", "close its quotes, or remove the line"
        )
    program, rest = words[0], words[1:]
    if program in ("python", "python3"):
        return [python, *rest]
    if program in ("pip", "pip3"):
        return [python, "-m", "pip", *rest]
    wanted = str(sources / step.folder / program) if "/" in program else program
    found = shutil.which(wanted, path=surroundings.get("PATH"))
    if found is None:
        raise RemoteError(
            "DF878",
            f"there is no program `{program}`, which `{step.owner}` is built with",
            f"install `{program}` there",
        )
    return [found, *rest]


def _list_products(version: Path) -> None:
    """Add the files that were made to the manifest: the launcher refuses what could be imported and is not listed."""
    path = version / "MANIFEST.json"
    table = json.loads(path.read_bytes())
    for found in sorted((version / "nodes").rglob("*")):
        name = found.relative_to(version).as_posix()
        if found.is_file() and not found.is_symlink() and "__pycache__" not in found.parts:
            mode = "755" if os.access(found, os.X_OK) else "644"
            table["files"][name] = {"sha256": hashlib.sha256(found.read_bytes()).hexdigest(), "mode": mode}
    fresh = version / ".MANIFEST.json"
    fresh.write_text(f"{json.dumps(table, indent=2, ensure_ascii=False)}\n", encoding="utf-8")
    fresh.replace(path)
