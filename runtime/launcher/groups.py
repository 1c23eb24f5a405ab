"""Process groups: signalling one, and telling whether anything of it is left.

Every node leads a group of its own, so whatever it starts can be ended with it. What leaves the group on purpose, as
a daemon does, outlives an orderly end of the run.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import signal


def signal_group(group: int, number: signal.Signals) -> bool:
    """Send a signal to every process of `group`; False if there is none."""
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return False
    except PermissionError:
        # Something there runs as another user now; those of ours got the signal.
        return True
    return True


def exists(group: int) -> bool:
    """Tell whether a process of `group` is left, be it one that has ended and waits to be reaped."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
