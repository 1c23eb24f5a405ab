"""Which nodes may be forked from the warm process: those that could not tell the difference.

Whatever an interpreter, or a library that every node imports, reads once when it starts has to be the same in the warm
process; a node for which it is not is exec'ed. Nothing is started here.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from doraflow_runtime.compiled import SWITCH

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from doraflow_runtime.launcher.commands import Command

FEWEST = 2
"""Nodes that make a warm process worth while: it takes as long to start as one of them."""

_READ_AT_START = (
    *("PYTHON", "COVERAGE_", "HOME"),  # the interpreter, and what its `site` imports
    *("LD_", "LC_", "LANG", "TZ", "GLIBC_", "MALLOC_"),  # the C library
    *("OPENBLAS_", "GOTO_", "OMP_", "KMP_", "MKL_", "BLIS_", "NPY_", "NUMPY_"),  # numpy and the library below it
    *("ARROW_", "JE_ARROW_", "MIMALLOC_"),  # pyarrow and its allocators
    SWITCH,  # the runtime, which chooses its core once for all nodes of the warm process
)
_FOR_ONE_PROCESS = ("COVERAGE_PROCESS_START", "COVERAGE_PROCESS_CONFIG", "PYTHONPROFILEIMPORTTIME", "PYTHONINSPECT")
"""Variables that watch an interpreter from its start to its end, and would watch the warm process instead."""


def forkable(commands: Sequence[Command], shared: Mapping[str, str], folder: Path) -> tuple[Command, ...]:
    """Choose the commands whose processes may be forked from one that starts in `folder` with the variables `shared`.

    None if there are too few of them, or the interpreters of this run are being watched.
    """
    if any(shared.get(name) for name in _FOR_ONE_PROCESS):
        return ()
    has_relative = any(not os.path.isabs(entry) for entry in shared.get("PYTHONPATH", "").split(os.pathsep))  # noqa: PTH117 - a text
    chosen = tuple(
        command
        for command in commands
        if _may_be_forked(command, shared) and (command.folder == folder or not has_relative)
    )
    return chosen if len(chosen) >= FEWEST else ()


def _may_be_forked(command: Command, shared: Mapping[str, str]) -> bool:
    process = command.process
    if process.kind not in ("python", "operators") or process.spawn != "fork":
        return False
    if process.cpu_affinity:
        return False  # libraries count the processors of their process when they are imported
    changed = [name for name in process.env if command.environment[name] != shared.get(name)]
    return not any(name.startswith(_READ_AT_START) for name in changed)
