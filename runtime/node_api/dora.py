"""Dora's Python node API over doraflow's: an unmodified `from dora import Node` runs.

Events are dicts as dora gives them. A bundle has a module `dora` that takes everything from here. What doraflow does
not have (ROS 2, tensor pools) says so when it is asked for.
"""

from __future__ import annotations

from datetime import UTC, datetime
from enum import IntEnum
from typing import TYPE_CHECKING, Any, NoReturn, Self

from doraflow_runtime.node_api import log_lines
from doraflow_runtime.node_api.dora_parameters import parameters_of
from doraflow_runtime.node_api.dora_sample import Sample
from doraflow_runtime.node_api.node import Node as ArrowNode

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from doraflow_runtime.node_api.events import Event

__all__ = ["DoraStatus", "Node"]

TIMED_OUT = "Timeout event stream error: Receiver timed out"
"""What dora's error says when a wait is over; its nodes take None for the end of the stream."""

_ABSENT = {
    "Ros2Context": "ROS 2 bridges",
    "Ros2Node": "ROS 2 bridges",
    "Ros2NodeOptions": "ROS 2 bridges",
    "Ros2QosPolicies": "ROS 2 bridges",
    "Ros2Subscription": "ROS 2 bridges",
    "Ros2Topic": "ROS 2 bridges",
    "Ros2Durability": "ROS 2 bridges",
    "Ros2Liveliness": "ROS 2 bridges",
    "cuda": "tensor pools",
    "builder": "building dataflows in Python",
}
_ABSENT_METHODS = {
    "register_tensor_pool": "tensor pools",
    "write_tensor_pool": "tensor pools",
    "read_tensor_pool": "tensor pools",
    "free_tensor_pool": "tensor pools",
    "extension_store": "extension stores",
    "extension_load": "extension stores",
    "extension_drop": "extension stores",
    "drain_dropped_extension_keys": "extension stores",
    "send_service_request": "services",
    "send_service_response": "services",
}


def __getattr__(name: str) -> NoReturn:
    if name in _ABSENT:
        raise AttributeError(f"doraflow's `dora` module has no `{name}`: it does not support {_ABSENT[name]}")
    raise AttributeError(f"module `dora` has no attribute `{name}`")


class DoraStatus(IntEnum):
    """What an operator's `on_event` returns: go on, stop this operator, or stop the dataflow."""

    CONTINUE = 0
    STOP = 1
    STOP_ALL = 2


class Node:
    """A node with dora's methods."""

    def __init__(self, node_id: str | None = None, daemon_port: int | None = None) -> None:
        del daemon_port  # there is no daemon
        self._node = ArrowNode(node_id)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._node.close()

    def __iter__(self) -> Node:
        return self

    def __next__(self) -> dict[str, Any]:
        event = self.next()
        if event is None:
            raise StopIteration
        return event

    def next(self, timeout: float | None = None) -> dict[str, Any] | None:
        """Wait for the next event, at most `timeout` seconds.

        None at the end of the stream; an ERROR event when the time is over, as in dora.
        """
        return self._told(self._node.next(timeout))

    def try_recv(self) -> dict[str, Any] | None:
        """Give an event that is there already, or None."""
        event = self._node.next(0)
        return None if event is None else as_dict(event)

    def drain(self) -> list[dict[str, Any]]:
        """Give all events that are there already."""
        events = []
        while (event := self.try_recv()) is not None:
            events.append(event)
        return events

    def is_empty(self) -> bool:
        """Tell whether no event waits."""
        return self._node.is_empty()

    async def recv_async(self, timeout: float | None = None) -> dict[str, Any] | None:
        """Wait like `next` without blocking the event loop; a wait that is cancelled takes no event."""
        return self._told(await self._node.next_async(timeout))

    def _told(self, event: Event | None) -> dict[str, Any] | None:
        if event is not None:
            return as_dict(event)
        return None if self._node.has_ended else {"type": "ERROR", "error": TIMED_OUT, "kind": "dora"}

    def send_output(self, output_id: str, data: Any, metadata: Mapping[str, Any] | None = None) -> None:
        """Send an Arrow array or bytes; parameters stand in `metadata` itself or under its key `parameters`."""
        self._node.send_output(output_id, data, parameters_of(metadata))

    def send_output_raw(self, output_id: str, data_length: int, metadata: Mapping[str, Any] | None = None) -> Sample:
        """Lend `data_length` bytes of shared memory to write a message into, sent as a UInt8 array."""
        return Sample(self._node.loan(output_id, data_length, parameters_of(metadata)))

    def __getattr__(self, name: str) -> NoReturn:
        if name in _ABSENT_METHODS:
            raise AttributeError(f"doraflow's `dora.Node` has no `{name}`: it does not support {_ABSENT_METHODS[name]}")
        raise AttributeError(f"`dora.Node` has no attribute `{name}`")

    def dataflow_id(self) -> str:
        """Give the name of this run."""
        return self._node.run_id

    def timestamp(self) -> datetime:
        """Give the time now, in UTC."""
        return datetime.now(UTC)

    def dataflow_descriptor(self) -> NoReturn:
        """Refuse: a compiled node knows its own ports, not the whole dataflow."""
        raise RuntimeError("a compiled node does not carry the dataflow: read the bundle's `dataflow.resolved.yml`")

    def node_config(self) -> dict[str, Any]:
        """Give the node's ports as a dict."""
        return self._node.configuration()

    def is_restart(self) -> bool:
        """Tell whether this process replaces an earlier one of the same node."""
        return self._node.restart_count > 0

    def restart_count(self) -> int:
        """Count the earlier processes of this node."""
        return self._node.restart_count

    def merge_external_events(self, subscription: object) -> NoReturn:
        """Refuse: there are no ROS 2 subscriptions."""
        raise RuntimeError(f"doraflow has no ROS 2 bridge, so {type(subscription).__name__} cannot be merged")

    def log(self, level: str, message: str, target: str | None = None, fields: Mapping[str, str] | None = None) -> None:
        """Write a log line of level error, warn, info, debug or trace."""
        log_lines.write(level, message, target, fields)

    def log_error(self, message: str) -> None:
        """Write an error."""
        self.log("error", message)

    def log_warn(self, message: str) -> None:
        """Write a warning."""
        self.log("warn", message)

    def log_info(self, message: str) -> None:
        """Write an information."""
        self.log("info", message)

    def log_debug(self, message: str) -> None:
        """Write a line for finding faults."""
        self.log("debug", message)

    def log_trace(self, message: str) -> None:
        """Write a line for following every step."""
        self.log("trace", message)


def as_dict(event: Event) -> dict[str, Any]:
    """Write an event as dora does."""
    if event.type == "ERROR":
        return {"type": "ERROR", "error": event.id, "kind": "dora"}
    told: dict[str, Any] = {"type": event.type, "id": event.id, "kind": "dora"}
    if event.type == "INPUT":
        told["value"] = event.value
        told["metadata"] = dict(event.metadata)
    elif event.failure is not None:
        error, inputs = event.failure
        told["value"] = {"source_node_id": event.id, "error": error, "affected_input_ids": list(inputs)}
    return told
