"""Which nodes may be forked from the warm process: those that could not tell the difference.

Whatever an interpreter, or a library that every node imports, reads once when it starts has to be the same in the warm
process; a node for which it is not is exec'ed. Nothing is started here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from doraflow_runtime.compiled import SWITCH
from doraflow_runtime.contract import FEWEST_FORKED
from doraflow_runtime.warm.variables import FOR_ONE_PROCESS, has_relative_entries

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from doraflow_runtime.launcher.commands import Command

_READ_AT_START = (
    *("PYTHON", "COVERAGE_", "HOME"),  # the interpreter, and what its `site` imports
    *("LD_", "LC_", "LANG", "TZ", "GLIBC_", "MALLOC_"),  # the C library
    *("OPENBLAS_", "GOTO_", "OMP_", "KMP_", "MKL_", "BLIS_", "NPY_", "NUMPY_"),  # numpy and the library below it
    *("ARROW_", "JE_ARROW_", "MIMALLOC_"),  # pyarrow and its allocators
    SWITCH,  # the runtime, which chooses its core once for all nodes of the warm process
)


def forkable(commands: Sequence[Command], shared: Mapping[str, str], folder: Path) -> tuple[Command, ...]:
    """Choose the commands whose processes may be forked from one that starts in `folder` with the variables `shared`.

    None if there are too few of them, or the interpreters of this run are being watched.
    """
    if any(shared.get(name) for name in FOR_ONE_PROCESS):
        return ()
    has_relative = has_relative_entries(shared)
    chosen = tuple(
        command
        for command in commands
        if _may_be_forked(command, shared) and (command.folder == folder or not has_relative)
    )
    return chosen if len(chosen) >= FEWEST_FORKED else ()


def _may_be_forked(command: Command, shared: Mapping[str, str]) -> bool:
    process = command.process
    if not process.is_forkable:
        return False
    changed = [name for name in process.env if command.environment[name] != shared.get(name)]
    return not any(name.startswith(_READ_AT_START) for name in changed)
