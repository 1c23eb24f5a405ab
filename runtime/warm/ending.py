"""The end of a node: the modules that the warm process has imported are left as they are.

An interpreter that ends takes every module apart. In a forked process each object that is touched has its page copied
first, which took half as long as all the rest of a node. What the node itself has imported is taken apart as ever.
"""

from __future__ import annotations

import atexit
import ctypes
import functools
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import ModuleType

_TAKEN_APART_LAST = ("sys", "builtins", "__main__")


class WarmModules:
    """The modules that are left. To be made before anything is imported: what is registered first runs last."""

    def __init__(self) -> None:
        self._modules: dict[str, ModuleType] = {}
        atexit.register(functools.partial(_leave, self._modules))

    def note(self) -> None:
        """Leave all modules that are imported now."""
        self._modules.update((name, found) for name, found in sys.modules.items() if name not in _TAKEN_APART_LAST)


def _leave(modules: dict[str, ModuleType]) -> None:
    """Hide modules from the interpreter, and keep them from being freed: nothing runs any more that imports."""
    for name, module in modules.items():
        if sys.modules.get(name) is module:
            del sys.modules[name]
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(modules))
