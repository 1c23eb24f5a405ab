"""The log lines of dynamic nodes, whose processes nobody here has started: each writes them to a pipe of its own.

The pipe has a name in the run directory and lives as long as the run, whoever comes and goes at its other end. What
becomes of a line is decided in `node_logs`.
"""

from __future__ import annotations

import functools
import os
from typing import TYPE_CHECKING

from doraflow_runtime.launcher import wiring
from doraflow_runtime.launcher.output import NodeOutput

if TYPE_CHECKING:
    from doraflow_runtime.launcher.loop import Loop
    from doraflow_runtime.launcher.node_logs import NodeLogs
    from doraflow_runtime.launcher.run import Run


class GuestLogs:
    """The pipes of a run, open from the beginning to the end."""

    __slots__ = ("_outputs",)

    def __init__(self, run: Run, logs: NodeLogs, loop: Loop) -> None:
        """Open what `wiring.write_configs` has laid out. Raises OSError."""
        self._outputs: list[NodeOutput] = []
        for index, node in enumerate(run.wiring.nodes):
            if node.dynamic:
                # Open for writing too, or the pipe would count as ended whenever nobody is at its other end.
                mode = os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC
                pipe = os.open(run.directory / wiring.log_pipe(index), mode)
                self._outputs.append(NodeOutput({"stdout": pipe}, loop, functools.partial(logs.take, node.id)))

    def close(self) -> None:
        """Take what is left, and close the pipes."""
        for output in self._outputs:
            output.close()
