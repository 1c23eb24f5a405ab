"""What of links between hosts is compiled where it can be: the core's types, or their twins.

Which of them a process uses is decided by `doraflow_runtime.compiled`, once; the twins are the specification.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from doraflow_runtime.compiled import is_compiled

if TYPE_CHECKING or not is_compiled():
    from doraflow_runtime.net.edge_state import InboundState, OutboundState
    from doraflow_runtime.net.outbox import Outbox
else:
    from doraflow_core import InboundState, OutboundState, Outbox

__all__ = ["InboundState", "OutboundState", "Outbox"]
