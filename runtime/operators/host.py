"""The process of a node of operators: one node connection, its events routed to the operators."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from doraflow_runtime.node_api import log_lines
from doraflow_runtime.node_api.dora import DoraStatus, parameters_of
from doraflow_runtime.node_api.node import Node
from doraflow_runtime.operators.python import PythonOperator

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from doraflow_runtime.node_api.events import Event


def serve() -> None:
    """Run the operators of this process's node until the stream ends, or all of them have stopped."""
    with Node() as node:
        log_lines.bridge_logging()
        root = Path(node.source_root)
        running = {
            operator.id: PythonOperator(operator.id, root / operator.path, _sender(node, operator.id))
            for operator in node.operators
        }
        for event in node:
            if _route(node, event, running) or not running:
                return


def _route(node: Node, event: Event, running: dict[str, PythonOperator]) -> bool:
    """Hand an event to the operators that it concerns; True when the dataflow is to stop."""
    operator_id, slash, input_id = (event.id or "").partition("/")
    if slash and event.type in ("INPUT", "INPUT_CLOSED"):
        concerned = [(operator_id, input_id)] if operator_id in running else []
    else:
        concerned = [(name, None) for name in running]  # type: ignore[misc]
    for name, port in concerned:
        status = running[name].on_event(event, port)
        if status is DoraStatus.STOP_ALL:
            node.stop_all()
            return True
        if status is DoraStatus.STOP:
            del running[name]
    return False


def _sender(node: Node, operator_id: str) -> Callable[..., None]:
    def send_output(output_id: str, data: Any, metadata: Mapping[str, Any] | None = None) -> None:
        node.send_output(f"{operator_id}/{output_id}", data, parameters_of(metadata))

    return send_output
