"""The inventory file: addresses of machines, kept apart from the dataflow so that it need not be committed with it.

Whether a machine is known is judged in `doraflow.analysis`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from doraflow.parser.files import read_tree
from doraflow.parser.model import Inventory
from doraflow.parser.read import read_model
from doraflow.parser.syntax import MappingNode

if TYPE_CHECKING:
    from collections.abc import MutableMapping
    from pathlib import Path

    from doraflow.diagnostics import Sink
    from doraflow.parser.model import Dataflow


def with_inventory(
    dataflow: Dataflow, path: Path | None, texts: MutableMapping[str, str], sink: Sink
) -> tuple[Dataflow, MappingNode | None]:
    """Join the hosts of an inventory file to the dataflow's; of a host that both describe, the inventory's keys win.

    The second value is the syntax of the inventory's `hosts`. After an error the dataflow comes back as it was.
    """
    syntax = read_tree(path, path.as_posix(), texts, sink) if path is not None else None
    reading = read_model(Inventory, syntax, sink) if syntax is not None else None
    if reading is None:
        return dataflow, None
    inventory = reading.model
    hosts = dict(dataflow.hosts)
    for name, host in inventory.hosts.items():
        given = {key: getattr(host, key) for key in host.model_fields_set}
        hosts[name] = hosts[name].model_copy(update=given) if name in hosts else host
    section = reading.tree.get("hosts")
    return dataflow.model_copy(update={"hosts": hosts}), section if isinstance(section, MappingNode) else None
