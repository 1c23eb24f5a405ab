"""Messages copied out of the sender's shared memory for their way to another host.

What is on its way holds memory until its reader has it, and one that is paused or cut never says so. When a payload is
copied is the affair of `outgoing`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from doraflow_runtime.node_api.outgoing import Outgoing
    from doraflow_runtime.shm.chosen import Slot


class Copied(NamedTuple):
    """A message as `Outgoing` has it, with its payload in memory of the process; none lies in a slot."""

    type_number: int
    flags: int
    body: bytes
    content: memoryview
    slot: None = None


def copy_out(message: Outgoing, slot: Slot) -> Copied:
    """Copy a message out of its slot."""
    return Copied(message.type_number, message.flags, message.body, memoryview(bytes(slot.memory[: slot.name.size])))
