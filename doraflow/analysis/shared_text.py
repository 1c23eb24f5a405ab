"""One cause, one finding: text that several nodes share is told of once.

A module that is included twice, or a YAML alias, puts the same text into several nodes, and each would tell of it.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from doraflow.diagnostics import Sink

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def told_once(sink: Sink) -> Iterator[Sink]:
    """Give a sink whose findings go to `sink` at the end: of several with one code at one place, the first."""
    found = Sink(strict=sink.strict)
    yield found
    told = set()
    for diagnostic in found.found:
        key = (diagnostic.code, diagnostic.span)
        if diagnostic.span is None or key not in told:
            sink.add(diagnostic)
        told.add(key)
    sink.take_over(found)
