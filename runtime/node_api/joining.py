"""How a process becomes a node: the configuration that its launcher wrote, and where it finds the others."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from doraflow_runtime.codec import check_version, from_json
from doraflow_runtime.contract import ContractError, NodeConfig

if TYPE_CHECKING:
    from collections.abc import Mapping

CONFIG_VARIABLE = "DORAFLOW_CONFIG"
LARGEST_CONFIG = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Seat:
    """A node's place in a run: its configuration and the run's directory."""

    config: NodeConfig
    run_directory: Path


def read_seat(node_id: str | None, environment: Mapping[str, str] | None = None) -> Seat:
    """Read the configuration of this process; `node_id`, if given, must be its node.

    Raises RuntimeError, saying how to start the node, if there is none or it is of no use.
    """
    environment = os.environ if environment is None else environment
    path = environment.get(CONFIG_VARIABLE) or _guest_place(node_id, environment)
    try:
        raw = Path(path).read_bytes()
        if len(raw) > LARGEST_CONFIG:
            raise ContractError("the node's configuration is too large")
        config = from_json(NodeConfig, json.loads(raw))
        check_version(config.contract, "the launcher's configuration")
    except (OSError, ValueError) as error:
        raise RuntimeError(f"the node's configuration {path} cannot be read: {error}") from None
    if node_id is not None and node_id != config.node.id:
        raise RuntimeError(f"this process runs node `{config.node.id}`, but its code asks for `{node_id}`")
    return Seat(config, Path(path).parents[1])


def _guest_place(node_id: str | None, environment: Mapping[str, str]) -> str:
    """Find the place of a node that was started by hand. Raises RuntimeError."""
    if node_id is None:
        raise RuntimeError(
            "this process is not part of a dataflow: start it with `doraflow run` or with a bundle's launcher"
        )
    from doraflow_runtime.node_api.guests import find_place  # nodes that a launcher starts do without

    return str(find_place(node_id, environment))
