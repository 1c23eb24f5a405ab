"""The process of a node of operators: one node connection, its events routed to the operators.

An operator ends when it returns STOP, or when all its own inputs are closed. Then its outputs are closed, so that
those who read them, also in the same process, can end too.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from doraflow_runtime.node_api.dora import DoraStatus
from doraflow_runtime.node_api.dora_parameters import parameters_of
from doraflow_runtime.node_api.events import Event
from doraflow_runtime.node_api.node import Node
from doraflow_runtime.operators.python import PythonOperator

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def serve() -> None:
    """Run the operators of this process's node until the stream ends, or all of them have ended."""
    with Node() as node:
        host = _Host(node)
        for event in node:
            host.route(event)
            if host.is_done:
                return


class _Host:
    """The operators that still run."""

    def __init__(self, node: Node) -> None:
        root = Path(node.source_root)
        self.is_done = False
        self._node = node
        self._running = {
            operator.id: PythonOperator(operator.id, root / operator.path, _sender(node, operator.id))
            for operator in node.operators
        }

    def route(self, event: Event) -> None:
        """Hand an event to the operators that it concerns."""
        operator_id, slash, input_id = (event.id or "").partition("/")
        if not slash or event.type not in ("INPUT", "INPUT_CLOSED", "INPUT_RECOVERED"):
            for name in tuple(self._running):
                self._tell(name, event, None)
        elif operator_id in self._running:
            self._tell(operator_id, event, input_id)
            if event.type == "INPUT_CLOSED":
                self._end_if_all_closed(operator_id)
        self.is_done = self.is_done or not self._running

    def _tell(self, name: str, event: Event, input_id: str | None) -> None:
        if self.is_done:
            return
        status = self._running[name].on_event(event, input_id)
        if status is DoraStatus.STOP_ALL:
            self._node.stop_all()
            self.is_done = True
        elif status is DoraStatus.STOP:
            self._end(name)

    def _end_if_all_closed(self, name: str) -> None:
        if name in self._running and self._node.has_ended_inputs(f"{name}/"):
            self._tell(name, Event("STOP", "ALL_INPUTS_CLOSED"), None)
            if name in self._running:
                self._end(name)

    def _end(self, name: str) -> None:
        del self._running[name]
        for output_id in self._node.outputs:
            if output_id.startswith(f"{name}/"):
                self._node.close_output(output_id)


def _sender(node: Node, operator_id: str) -> Callable[..., None]:
    def send_output(output_id: str, data: Any, metadata: Mapping[str, Any] | None = None) -> None:
        node.send_output(f"{operator_id}/{output_id}", data, parameters_of(metadata))

    return send_output
