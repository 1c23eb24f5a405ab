"""What of the shared memory and the sockets is compiled where it can be: the core's types, or their twins.

Which of them a process uses is decided by `doraflow_runtime.compiled`, once; the twins are the specification.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from doraflow_runtime.compiled import is_compiled

if TYPE_CHECKING or not is_compiled():
    from doraflow_runtime.shm.line import Line
    from doraflow_runtime.shm.shelf import Segment, Shelf, Slot
else:
    from doraflow_core import Line, Segment, Shelf, Slot

__all__ = ["Line", "Segment", "Shelf", "Slot"]
