"""Units of systemd that run the launcher of a deployed dataflow: a deploy neither starts a second one nor ends theirs.

Their runs lie in folders of their own, so that nothing but systemd tells of them. No unit is started or ended here.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from doraflow.deploy.remote.errors import RemoteError
from doraflow.targeting.names import dns_label

if TYPE_CHECKING:
    from collections.abc import Callable

_GOES_ON = frozenset(("active", "activating", "reloading", "deactivating"))
_SECONDS = 4.0
"""How long systemd may take to say what a unit does; one that says nothing is passed over."""


def refuse_unit(dataflow: str, host: str, wish: str, beat: Callable[[], None]) -> None:
    """Raise a RemoteError where a unit of this user or of the system runs the launcher of `host`.

    `wish` is `start` or `stop`: what was to be done beside it.
    """
    name = dns_label(f"{dataflow}-{host}")
    for scope, manager in (("--user", "systemctl --user"), ("--system", "sudo systemctl")):
        beat()
        if _state(scope, name) in _GOES_ON:
            consequence = (
                "`--start` would put a second launcher beside it"
                if wish == "start"
                else "`--stop` ends only what a deploy has started"
            )
            mend = (
                f"deploy without `--start`, then run `{manager} restart {name}` there"
                if wish == "start"
                else f"run `{manager} stop {name}` there"
            )
            raise RemoteError("DF889", f"the unit `{name}.service` runs this dataflow, and {consequence}", mend)


def run_folders(dataflow: str, host: str) -> dict[Path, str]:
    """Say where the runs of the units of this user and of the system lie, and what those units are called."""
    name = dns_label(f"{dataflow}-{host}")
    bases = {f"/run/user/{os.getuid()}": "of the user", "/run": "of the system"}
    return {Path(base, "doraflow", name, "run"): f"{name}.service {whose}" for base, whose in bases.items()}


def _state(scope: str, name: str) -> str:
    """Ask systemd for the state of a unit; empty where there is no systemd, or none that answers."""
    systemctl = shutil.which("systemctl")
    if systemctl is None:
        return ""
    try:
        done = subprocess.run(
            [systemctl, scope, "is-active", f"{name}.service"],
            env=_surroundings(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.decode(errors="replace").strip()


def _surroundings() -> dict[str, str]:
    """Give the environment in which the manager of this user is found, also where the login has not set it."""
    folder = f"/run/user/{os.getuid()}"
    given = {"XDG_RUNTIME_DIR": folder} if Path(folder).is_dir() else {}
    return {**given, **os.environ}
