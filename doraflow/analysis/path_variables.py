"""Variables of the host in the path of a node, which the launcher fills in when the node starts, as dora does."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from doraflow_runtime.contract import PATH_VARIABLES

if TYPE_CHECKING:
    from doraflow.ir import Node

_NAMES = "|".join(PATH_VARIABLES)
_VARIABLE = re.compile(rf"\$(?:(?:{_NAMES})\b|\{{(?:{_NAMES})(?::-[^{{}}]*)?\}})")


def begins_with_variable(path: str) -> bool:
    """Tell whether a path leads to where a variable of the host says, and not into the dataflow's folder."""
    return _VARIABLE.match(path) is not None


def has_variable(node: Node) -> bool:
    """Tell whether a variable of the host leads to the source of a node."""
    return node.kind in ("python", "executable") and _VARIABLE.search(node.path) is not None
