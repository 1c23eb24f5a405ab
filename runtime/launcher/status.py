"""What is told of the nodes of a run from outside: where each stands, and why a request was refused.

Plain data for whoever asks; the supervisor fills it in and carries requests out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence

State: TypeAlias = Literal["starting", "ready", "running", "restarting", "stopping", "ended", "failed", "absent"]
"""`starting`: it has not joined yet. `ready`: it waits for the others. `restarting`: it has ended and is started again
after a delay. `ended` and `failed`: nothing follows. `absent`: a dynamic node that nobody has started yet."""


class Refused(Exception):  # noqa: N818 - an answer to a request, not a fault
    """A request that cannot be carried out; the message says why, and names the node. `help` is what mends it."""

    def __init__(self, message: str, help: str = "") -> None:  # noqa: A002 - as in a finding
        super().__init__(message)
        self.help = help


def unknown(message: str, name: str, known: Sequence[str]) -> Refused:
    """Refuse a name that there is not, and list those that there are, the closest first."""
    from difflib import get_close_matches

    near = get_close_matches(name, known, n=1)
    listed = ", ".join(f"`{each}`" for each in dict.fromkeys([*near, *known])) or "none"
    return Refused(f"{message}: {listed}", f"to name the closest, write `{near[0]}`" if near else "")


@dataclass(frozen=True, slots=True)
class NodeStatus:
    """Where a node stands.

    `pid` is None while it has no process, `started` is when that process began, in seconds since 1970. `last_exit` is
    the exit code of the process before, or minus the number of the signal that killed it; None if none has ended yet.
    """

    node: str
    state: State
    pid: int | None = None
    started: float | None = None
    restarts: int = 0
    last_exit: int | None = None
    paused: bool = False
