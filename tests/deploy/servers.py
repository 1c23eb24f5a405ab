"""SSH servers on loopback for tests: each with keys, a home and a folder of runs of its own, ended with the test."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.ports import held_ports

if TYPE_CHECKING:
    from collections.abc import Iterator

SSHD = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
PATIENCE = 30.0


@dataclass
class Server:
    """An SSH server that listens on loopback; `home` is where whoever logs in finds itself."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes]
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def home(self) -> Path:
        """The home folder of whoever logs in."""
        return self.folder / "home"

    @property
    def base(self) -> Path:
        """Where versions lie."""
        return self.home / ".local/share/doraflow"

    @property
    def destination(self) -> str:
        """The destination for `ssh:`."""
        return f"{os.environ.get('USER') or 'root'}@127.0.0.1:{self.port}"

    def known_key(self) -> str:
        """The line of `known_hosts` by which the server is known."""
        kind, key, *_ = (self.folder / "host_key.pub").read_text().split()
        return f"[127.0.0.1]:{self.port} {kind} {key}\n"


def keys(folder: Path, name: str) -> Path:
    path = folder / name
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True, timeout=PATIENCE)
    return path


@contextlib.contextmanager
def serving(folder: Path, authorized: Path, **environment: str) -> Iterator[Server]:
    """Start a server; `environment` is added to that of whoever logs in."""
    folder.mkdir(parents=True)
    for name in ("home", "runs"):
        (folder / name).mkdir(mode=0o700)
    keys(folder, "host_key")
    surroundings = {
        "HOME": str(folder / "home"),
        "DORAFLOW_RUN_BASE": str(folder / "runs"),
        "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
        **environment,
    }
    with held_ports() as ports:
        yield from _serving_at(ports[0], folder, authorized, surroundings)


def _serving_at(port: int, folder: Path, authorized: Path, surroundings: dict[str, str]) -> Iterator[Server]:
    lines = [
        f"Port {port}",
        "ListenAddress 127.0.0.1",
        f"HostKey {folder / 'host_key'}",
        f"AuthorizedKeysFile {authorized}",
        f"PidFile {folder / 'pid'}",
        "StrictModes no",
        "UsePAM no",
        "PasswordAuthentication no",
        "KbdInteractiveAuthentication no",
        "PermitRootLogin prohibit-password",
        "MaxStartups 50",
        "SetEnv " + " ".join(f'"{name}={value}"' for name, value in surroundings.items()),
    ]
    (folder / "config").write_text("\n".join(lines) + "\n")
    assert SSHD is not None
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # sshd wants it of root
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [SSHD, "-D", "-e", "-f", str(folder / "config")], stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
    try:
        _wait_for(port, process, folder)
        yield Server(folder, port, process, surroundings)
    finally:
        _end_children(process.pid)
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE)


def _wait_for(port: int, process: subprocess.Popen[bytes], folder: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        assert process.poll() is None, (folder / "log").read_text()
        time.sleep(0.02)
    pytest.fail((folder / "log").read_text())


def _end_children(parent: int) -> None:
    """End the sessions of a server, which outlive it otherwise."""
    for found in Path(f"/proc/{parent}/task/{parent}").glob("children"):
        for child in found.read_text().split():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(child), signal.SIGTERM)
