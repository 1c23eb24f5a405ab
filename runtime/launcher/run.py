"""What a launcher is to run: the wiring, the commands, where, and how long things may take.

Plain data, read by every part of the launcher; what goes on in a run stands in `scene`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from doraflow_runtime.contract import HostWiring
    from doraflow_runtime.fleet.terms import Terms
    from doraflow_runtime.launcher.commands import Command
    from doraflow_runtime.launcher.spawn import FileLimit
    from doraflow_runtime.warm.early import Warming


@dataclass(frozen=True, slots=True)
class Run:
    """What is to be run; `directory` is laid out already, times are in seconds.

    `environment` is what all nodes share, and `root` the folder of their sources. `finish_grace` is how long a node may
    go on when nothing more comes in and all others have finished; None is for ever. `terms` are those on which the
    launchers of other hosts are met, if there are any, and `warming` is a warm process that has been started already.
    """

    wiring: HostWiring
    commands: tuple[Command, ...]
    directory: Path
    start_timeout: float
    grace: float
    finish_grace: float | None
    open_files: FileLimit
    environment: Mapping[str, str]
    root: Path
    terms: Terms | None = None
    warming: Warming | None = None
