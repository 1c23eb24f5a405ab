"""A thread that sends what waits for slow readers while the node's own code is busy.

It lives only as long as something waits. Nothing here knows what waits, or for whom.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

ROUND_SECONDS = 0.005
"""How often it looks: a node that sends or receives meanwhile has mostly done the work itself by then."""


class Courier:
    """Calls `deliver` again and again until it gives False. Used under the node's lock, which `deliver` takes."""

    def __init__(self, deliver: Callable[[], bool]) -> None:
        self._deliver = deliver
        self._is_away = False

    def call(self) -> None:
        """See to it that somebody delivers."""
        if not self._is_away:
            self._is_away = True
            threading.Thread(target=self._run, name="doraflow-courier", daemon=True).start()

    def rest(self) -> None:
        """Note that nothing is left to deliver; to be called by `deliver` before it gives False."""
        self._is_away = False

    def _run(self) -> None:
        time.sleep(ROUND_SECONDS)
        while self._deliver():
            time.sleep(ROUND_SECONDS)
