"""The end of a node: the modules that the warm process has imported are left as they are.

An interpreter that ends takes every module apart, and then itself: its types, its texts, its frozen code. In a forked
process each object that is touched has its page copied first, which took half as long as all the rest of a node. What
the node itself has imported is taken apart as ever; the process ends when nothing else is left to be.
"""

from __future__ import annotations

import ctypes
import functools
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

_TAKEN_APART_LAST = ("sys", "builtins", "__main__")
_LAST_NAME = "_doraflow_end"
_FLUSH_FAILED = 120  # the interpreter's own exit code for that
_LARGEST_CODE = 255


class WarmModules:
    """The modules that are left: when what is in `at_end` is called, which has to be the last that is called at all."""

    def __init__(self, at_end: list[Callable[[], object]]) -> None:
        self._modules: dict[str, ModuleType] = {}
        at_end.append(functools.partial(_leave, self._modules))

    def note(self) -> None:
        """Leave all modules that are imported now."""
        self._modules.update((name, found) for name, found in sys.modules.items() if name not in _TAKEN_APART_LAST)


def _leave(modules: dict[str, ModuleType]) -> None:
    """Hide modules from the interpreter, and keep them from being freed: nothing runs any more that imports."""
    for name, module in modules.items():
        if sys.modules.get(name) is module:
            del sys.modules[name]
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(modules))


def leave_with(code: object) -> None:
    """Have the process end with the code of a SystemExit as soon as all modules of the node are taken apart.

    Threads, `atexit` and the node's own modules come before that, what libraries have registered with the C library
    comes after it. A code that is told in some other way than by a number is left to the interpreter.
    """
    number = code if isinstance(code, int) else int(code is not None)
    if 0 <= number <= _LARGEST_CODE:
        vars(sys)[_LAST_NAME] = _End(number)


class _End:
    """Ends the process when it is dropped: by `sys`, whose names go when those of all other modules have gone."""

    __slots__ = ("_code", "_exit", "_streams")

    def __init__(self, code: int) -> None:
        self._code = code
        self._exit = ctypes.PyDLL(None).exit
        self._streams = (sys.__stdout__, sys.__stderr__)

    def __del__(self) -> None:
        if not self._flush():
            self._code = _FLUSH_FAILED
        self._exit(self._code)

    def _flush(self) -> bool:
        try:
            for stream in self._streams:
                if stream is not None and not stream.closed:
                    stream.flush()
        except (OSError, ValueError):
            return False
        return True
