"""Whom a stop is for: who is told of it, and who of those that are told heeds it.

Pure. A stop is of one start, and a launcher that comes while it lasts may be of that start or of the next one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from doraflow_runtime.fleet.membership import Host, News
    from doraflow_runtime.fleet.messages import StopNotice


def is_hearsay(stop: StopNotice | None, own: str) -> bool:
    """Tell whether host `own` only heard of a stop: whoever is to know of it hears it where it began."""
    return stop is not None and stop.host != own


def is_of_the_next(news: News, stop: StopNotice | None, own: str, *, has_begun: bool) -> bool:
    """Tell whether a host that comes to `own` is of the start after the one that is stopped there.

    `has_begun` says that another host was found to be of that next start.
    """
    if stop is None:
        return False
    if news in ("rejoined", "began_anew"):  # it was part of what is stopped
        return True
    return news == "joined" and (has_begun or is_hearsay(stop, own))


def is_heeded(stop: StopNotice, told_by: Host, own: str, *, has_started: bool) -> bool:
    """Tell whether a stop is one for host `own`, of which `has_started` says whether its nodes were told to start."""
    if stop.host == own:  # what an earlier life of this host has told
        return False
    if told_by.failed_to_start and not has_started:
        # Only there it is known who was part of that start; others would pass it on to hosts of the next one.
        return stop.host == told_by.name
    return told_by.was_going
