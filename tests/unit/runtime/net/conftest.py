"""Rings of keys on disk, for tests of links between hosts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import zmq
from doraflow_runtime.keys.files import HostKey

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.runtime.conftest import Run

MADE = "2026-01-31T12:00:00Z"


class Keys:
    """A folder that holds the keys of several hosts, as `doraflow keys` would lay it out."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(mode=0o700)

    def make(self, host: str) -> None:
        public, secret = zmq.curve_keypair()
        self.write(f"{host}.secret", HostKey("secret", host, MADE, secret.decode()).text())
        self.write(f"{host}.public", HostKey("public", host, MADE, public.decode()).text())

    def rotate(self, host: str) -> None:
        (self.folder / f"{host}.public").rename(self.folder / f"{host}.public.old")
        self.make(host)

    def write(self, name: str, text: str) -> None:
        """Write as `doraflow keys` does, by renaming."""
        path = self.folder / f".{name}.new"
        path.write_text(text)
        path.chmod(0o600)
        path.replace(self.folder / name)


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    found = Keys(tmp_path / "keys")
    for host in ("edge", "gpu"):
        found.make(host)
    return found


@pytest.fixture(params=["zeromq", "zenoh"])
def transport(request: pytest.FixtureRequest, run: Run) -> str:
    """What carries the links of a run between hosts: a test that uses it is run with each."""
    if request.param == "zenoh":
        pytest.importorskip("zenoh", reason="eclipse-zenoh is not installed")
        run.goes_over_zenoh = True
    return str(request.param)
