"""The requests to the Linux kernel that Python's standard library has no words for.

All go through prctl(2). On another kernel they raise OSError; nothing here decides what to do then.
"""

from __future__ import annotations

import ctypes
import functools
import os
import signal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36


def die_with_parent() -> None:
    """Have this process killed as soon as the thread that started it ends. Raises OSError."""
    _request(_PR_SET_PDEATHSIG, signal.SIGKILL)


def stop_with_parent() -> None:
    """Have this process asked to end, by SIGTERM, as soon as the thread that started it ends. Raises OSError."""
    _request(_PR_SET_PDEATHSIG, signal.SIGTERM)


def adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent ends, so that its end is seen. Raises OSError."""
    _request(_PR_SET_CHILD_SUBREAPER, 1)


def prepare() -> None:
    """Load what the requests need, so that a forked child has nothing left to import or allocate for them."""
    _prctl()


def _request(option: int, value: int) -> None:
    if _prctl()(option, value, 0, 0, 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"prctl({option}): {os.strerror(number)}")


@functools.cache
def _prctl() -> Callable[[int, int, int, int, int], int]:
    function = ctypes.CDLL(None, use_errno=True).prctl
    function.argtypes = [ctypes.c_int, *[ctypes.c_ulong] * 4]
    function.restype = ctypes.c_int
    return function
