"""What of the node API's sending side is compiled where it can be: the core's types, or their twins.

Which of them a process uses is decided by `doraflow_runtime.compiled`, once; the twins are the specification.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from doraflow_runtime.compiled import is_compiled

if TYPE_CHECKING or not is_compiled():
    from doraflow_runtime.node_api.account import Account, Lane
    from doraflow_runtime.node_api.dispatch import Dispatch, Grip
    from doraflow_runtime.node_api.known_type import KnownType
    from doraflow_runtime.node_api.loans import Loan
else:
    from doraflow_core import Account, Dispatch, Grip, KnownType, Lane, Loan

__all__ = ["Account", "Dispatch", "Grip", "KnownType", "Lane", "Loan"]
