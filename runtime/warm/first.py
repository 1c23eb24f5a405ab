"""The program of the warm process: what is installed on this host first, and the runtime of the bundle when told to go.

It is executed as a script and imported by nobody. Its name and its frames are those that a node sees below its own.
"""

from __future__ import annotations

import atexit
import gc
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_DIE_WITH_PARENT, _KILL = 1, 9
_ARROW_ALLOCATOR = "JE_ARROW_MALLOC_CONF"
_NEWS = 1 << 16


def _prepare() -> list[Callable[[], object]]:
    """Import what every node needs and no bundle brings. Gives what is to be called last of all at the end."""
    if not sys.flags.safe_path:
        del sys.path[0]  # the folder of this file
    gc.disable()  # what is imported stays
    at_end: list[Callable[[], object]] = []
    atexit.register(lambda: [call() for call in at_end])  # registered first, called last
    import ctypes

    ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, _KILL, 0, 0, 0)
    if os.getppid() != int(sys.argv[1]):
        os._exit(1)  # the launcher died before the promise was made
    # The allocator's background thread would not survive a fork; without it, it tidies up as it goes.
    is_own = _ARROW_ALLOCATOR not in os.environ
    if is_own:
        os.environ[_ARROW_ALLOCATOR] = "background_thread:false"
    try:
        import pyarrow  # noqa: F401 - the longest of all imports
    finally:
        if is_own:
            del os.environ[_ARROW_ALLOCATOR]
    return at_end


def _await_go(line: int) -> None:
    """Wait until the bundle may be used, and look for modules in it from then on."""
    said, *entries = os.read(line, _NEWS).split(b"\0")
    if said != b"go":
        os._exit(0)  # there is nothing to launch
    path = [os.fsdecode(entry) for entry in entries]
    folders = filter(os.path.isdir, path)
    own = {name.partition(".")[0] for folder in folders for name in os.listdir(folder)}  # noqa: PTH208 - names
    hidden = next((name for name in sys.modules if name in own), None)
    if hidden:
        raise SystemExit(f"the bundle brings `{hidden}`, and Python has imported another one at its start")
    sys.path[:0] = path


if __name__ == "__main__":
    number = int(sys.argv[2])
    ending = _prepare()
    _await_go(number)
    from doraflow_runtime.warm.script import run
    from doraflow_runtime.warm.zygote import serve

    run(*serve(number, ending))
