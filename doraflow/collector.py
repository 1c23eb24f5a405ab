"""Python's cyclic garbage collector, held back while millions of objects are made.

Trees, models and graphs hold no cycles: counting references frees them. The collector would walk all of them again each
time that a quarter more has been made, which took more than half of the time of large dataflows.
"""

from __future__ import annotations

import gc
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def held_back() -> Iterator[None]:
    """Let the collector rest for the length of the block; also a decorator."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
