"""Events as a node sees them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

from doraflow_runtime.node_api.metadata import Metadata

if TYPE_CHECKING:
    import pyarrow as pa

EventType: TypeAlias = Literal["INPUT", "INPUT_CLOSED", "STOP", "ERROR"]


class Event(NamedTuple):
    """Something that happened.

    `id` is the input of an INPUT and INPUT_CLOSED, the cause of a STOP (`MANUAL` or `ALL_INPUTS_CLOSED`), and the
    description of an ERROR. `value` is the payload of an INPUT: a read-only Arrow array over shared memory that stays
    valid for as long as it is kept.
    """

    type: EventType
    id: str | None = None
    value: pa.Array[Any] | None = None
    metadata: Metadata = Metadata(0)
