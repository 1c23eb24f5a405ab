"""A Python operator: its file loaded as a module, its class `Operator` made, its events handed over."""

from __future__ import annotations

import importlib.util
import sys
from typing import TYPE_CHECKING, Any

from doraflow_runtime.node_api.dora import DoraStatus, as_dict

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from doraflow_runtime.node_api.events import Event


class PythonOperator:
    """One operator of a node. `send` takes the operator's own output ids."""

    def __init__(self, operator_id: str, path: Path, send: Callable[..., None]) -> None:
        self.id = operator_id
        self._send = send
        self._instance = _load(operator_id, path).Operator()

    def on_event(self, event: Event, input_id: str | None) -> DoraStatus:
        """Hand an event over; `input_id` is the input without the operator's name.

        Raises TypeError if the operator returns something that is no status.
        """
        told = as_dict(event)
        if input_id is not None:
            told["id"] = input_id
        status = self._instance.on_event(told, self._send)
        try:
            return DoraStatus(status)
        except ValueError:
            message = f"operator `{self.id}` returned {status!r} from `on_event`; return a DoraStatus"
            raise TypeError(message) from None


def _load(operator_id: str, path: Path) -> Any:
    """Load the file as a module of its own; modules beside it can be imported. Raises ImportError."""
    sys.path.insert(0, str(path.parent))
    spec = importlib.util.spec_from_file_location(f"operator_{operator_id}", path)
    if spec is None or spec.loader is None:
        raise ImportError(f"operator `{operator_id}`: {path} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    if not hasattr(module, "Operator"):
        raise ImportError(f"operator `{operator_id}`: {path} has no class `Operator`")
    return module
