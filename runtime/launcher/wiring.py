"""The wiring table of a bundle, read and judged, and what each node is told of it.

Starting processes is not done here; the processes of the launch script are only matched with the table.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, NamedTuple

from doraflow_runtime.codec import check_version, from_json, to_json
from doraflow_runtime.contract import ContractError, HostWiring, NodeConfig, OutgoingLink
from doraflow_runtime.launcher.fabric import node_fabric, way
from doraflow_runtime.launcher.findings import Finding, LaunchError, cause
from doraflow_runtime.launcher.health import sign_seconds
from doraflow_runtime.launcher.log_links import is_of_log, log_links, without_backpressure
from doraflow_runtime.launcher.reach import Reach

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from doraflow_runtime.contract import FarNode, InputWiring, Link, NodeWiring, Process

LAUNCHER_SOCKET = "launcher.sock"
NODES = "nodes"
DESCRIPTOR = "dataflow.resolved.yml"
NOWHERE = Reach({}, 0)
_CODE = "DF805"
_MEND = "build the bundle again"


def read_wiring(bundle: Path, host: str) -> HostWiring:
    """Read `wiring/<host>.json`.

    Raises LaunchError for a table that is missing, malformed, made for another contract, or that this version of the
    runtime cannot carry out.
    """
    path = bundle / "wiring" / f"{host}.json"
    try:
        wiring = from_json(HostWiring, json.loads(path.read_bytes()))
        check_version(wiring.contract, f"the wiring table `{path}`")
    except OSError as error:
        raise _refused(f"the wiring table `{path}` cannot be read: {cause(error)}") from error
    except ContractError as error:
        raise _refused(f"the wiring table `{path}` cannot be used: {error}") from error
    except ValueError as error:
        raise _refused(f"the wiring table `{path}` is not JSON: {error}") from error
    _check_links(wiring, path)
    return wiring


def match(wiring: HostWiring, processes: Sequence[Process]) -> None:
    """Check that table and launch script speak of the same nodes, each once. Raises LaunchError."""
    wired = [node.id for node in wiring.nodes]
    started = [process.node for process in processes]
    dynamic = {node.id for node in wiring.nodes if node.dynamic}
    for name in [*wired, *started]:
        if name in dynamic and wired.count(name) == 1 and name not in started:
            continue
        if wired.count(name) != 1 or started.count(name) != 1:
            times = f"{_times(wired, name)}, the launch script {_times(started, name)}"
            raise _refused(f"the wiring table names `{name}` {times}")


def node_configs(
    wiring: HostWiring,
    processes: Sequence[Process],
    run_id: str,
    source_root: Path,
    bundle: Path,
    reach: Reach = NOWHERE,
    keys: str = "",
) -> tuple[NodeConfig, ...]:
    """Say what each node of the table is told, in its order; addresses are relative to the run directory.

    `reach` says where other hosts are, and `keys` where the keys for them lie.
    """
    rows = {process.node: process for process in processes}
    returning = {name for name, row in rows.items() if row.restart_policy != "never"}
    returning |= {node.id for node in wiring.nodes if node.dynamic}
    producers: dict[str, dict[str, None]] = {}
    for link in wiring.links:
        producers.setdefault(link.consumer, {})[link.producer] = None
    consumers = _consumers(wiring, reach)
    hosts = {node.id: node.host for node in wiring.far}
    far = {node.id: node for node in wiring.far}
    far_readers: dict[str, list[FarNode]] = {}
    for link in wiring.links:
        if link.consumer in far:
            far_readers.setdefault(link.producer, []).append(far[link.consumer])
    descriptor = bundle / DESCRIPTOR
    of_logs = log_links(wiring)
    nodes = {node.id: node for node in wiring.nodes}
    links = [link for link in wiring.links if not is_of_log(link, nodes.get(link.producer))]
    return tuple(
        NodeConfig(
            contract=wiring.contract,
            dataflow=wiring.dataflow,
            run_id=run_id,
            node=without_backpressure(node, of_logs),
            listen=address(index),
            launcher=LAUNCHER_SOCKET,
            incoming=(
                *(link for link in links if link.consumer == node.id),
                *(link.as_link() for link in of_logs if link.consumer == node.id),
            ),
            outgoing=tuple(
                consumers[link.consumer, link.input].link(link) for link in links if link.producer == node.id
            ),
            source_root=str(source_root),
            descriptor=str(descriptor) if descriptor.exists() else "",
            exit_when_nodes_finish=wiring.exit_when_nodes_finish,
            returning=tuple(name for name in producers.get(node.id, ()) if name in returning or name in hosts),
            sign_seconds=sign_seconds(rows[node.id].health_check_timeout) if node.id in rows else 0.0,
            log=log_pipe(index) if node.dynamic else "",
            host=wiring.host,
            listen_far=reach.own_endpoint(node.port) if node.port else "",
            hosts={name: hosts[name] for name in producers.get(node.id, ()) if name in hosts},
            keys=keys,
            insecure=wiring.insecure,
            fabric=node_fabric(wiring.fabric, node, far_readers.get(node.id, ()), reach, source_root),
        )
        for index, node in enumerate(wiring.nodes)
    )


def write_configs(configs: Sequence[NodeConfig], run: Path) -> None:
    """Lay out the run directory: a configuration for each node. Raises OSError."""
    (run / NODES).mkdir(mode=0o700)
    for index, config in enumerate(configs):
        if config.log:
            os.mkfifo(run / config.log, 0o600)
        descriptor = os.open(config_path(run, index), os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(to_json(config), file)


def note_restart(path: Path, count: int) -> None:
    """Tell a node that is started again, in its configuration at `path`, how often that was. Raises OSError."""
    said = json.loads(path.read_bytes())
    said["restart_count"] = count
    part = path.with_suffix(".part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(said, file)
    part.replace(path)


def config_path(run: Path, index: int) -> Path:
    """Say where the configuration of node number `index` lies."""
    return run / NODES / f"{index}.json"


def address(index: int) -> str:
    """Name the socket that node number `index` listens on."""
    return f"n{index}.sock"


def log_pipe(index: int) -> str:
    """Name the pipe to which node number `index` writes its log lines, if it is dynamic."""
    return f"{NODES}/{index}.log"


def has_ports(node: NodeWiring) -> bool:
    """Tell whether a node takes part in the dataflow, so that the start waits for it."""
    return bool(node.inputs or node.outputs or node.operators)


def _consumers(wiring: HostWiring, reach: Reach) -> dict[tuple[str, str], _Consumer]:
    """Say for every input, by its node and id, how its producers reach it."""
    found = {
        (node.id, port.id): _Consumer(address(index), "", port)
        for index, node in enumerate(wiring.nodes)
        for port in node.inputs
    }
    for far in wiring.far:
        for port in far.inputs:
            found[far.id, port.id] = _Consumer(way(wiring.fabric, far, reach), far.host, port)
    return found


class _Consumer(NamedTuple):
    """An input as its producers see it; `host` is empty for their own."""

    address: str
    host: str
    port: InputWiring

    def link(self, link: Link) -> OutgoingLink:
        return OutgoingLink(link, self.address, self.port.queue_size, self.port.queue_policy, self.host)


def _check_links(wiring: HostWiring, path: Path) -> None:
    outputs = {(node.id, port.id) for node in wiring.nodes for port in node.outputs}
    inputs = {(node.id, port.id) for node in wiring.nodes for port in node.inputs}
    inputs |= {(node.id, port.id) for node in wiring.far for port in node.inputs}
    far = {node.id for node in wiring.far}
    for link in wiring.links:
        is_known = link.producer in far or (link.producer, link.output) in outputs
        is_read = (link.consumer, link.input) in inputs
        if not is_known or not is_read or (link.transport != "shm") != (link.producer in far or link.consumer in far):
            text = f"`{link.producer}/{link.output}` -> `{link.consumer}/{link.input}`"
            raise _refused(f"the wiring table `{path}` has a link between ports that it does not list: {text}")


def _times(names: Sequence[str], name: str) -> str:
    return {0: "not at all", 1: "once"}.get(names.count(name), f"{names.count(name)} times")


def _refused(message: str) -> LaunchError:
    return LaunchError(Finding(_CODE, message, help=_MEND))
